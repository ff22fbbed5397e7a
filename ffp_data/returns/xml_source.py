"""Open an XML file from outside as a stream of elements, trusting nothing in it.

`xml_safety` refuses a DOCTYPE before the parser sees it, so that no entity is ever declared; the
parser has no network, loads no DTD and keeps libxml2's limits on depth and size. Every refusal names
the file and, where there is one, the line.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO

from lxml import etree

from ffp_data.xml_safety import MAX_BYTES, refusal

MAX_ELEMENTS = 200_000  # between two children; bounds what is held in memory
MAX_DEPTH = 12  # the deepest element of a CIN census is at depth 7


class UnreadableReturnError(ValueError):
    """The file is not a return that can be read; the message has file, line and remedy."""


def read_elements(
    path: Path, tags: tuple[str, ...], root: str
) -> Generator[etree._Element, None, None]:
    """Yield each finished element whose tag is in `tags`, in file order, freeing it afterwards.

    Close the generator when leaving it early: it holds the file open.

    Raises UnreadableReturnError for a file that is missing, too large, not well formed, has a DOCTYPE, an
    unexpected root or namespace, or nests deeper than MAX_DEPTH.
    """
    _refuse_unsafe(path)
    try:
        with path.open("rb") as file:
            yield from _stream(path, file, tags, root)
    except etree.XMLSyntaxError as error:
        raise UnreadableReturnError(
            f"{path}:{error.lineno}: not well-formed XML; export the file again"
        ) from error


def _stream(
    path: Path, file: BinaryIO, tags: tuple[str, ...], root: str
) -> Iterator[etree._Element]:
    events = etree.iterparse(
        file,
        events=("start", "end"),
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    depth = held = 0
    for event, element in events:
        depth += 1 if event == "start" else -1
        if event == "start":
            held += 1
            _check_start(path, element, depth, root)
            _check_held(path, element, held)
        elif element.tag in tags:
            yield element
            _free(element)
            held = 0


def _check_start(path: Path, element: etree._Element, depth: int, root: str) -> None:
    place = f"{path}:{element.sourceline}"
    if depth > MAX_DEPTH:
        raise UnreadableReturnError(
            f"{place}: elements are nested deeper than {MAX_DEPTH}; not a return"
        )
    if depth > 1:
        return
    if element.getroottree().docinfo.internalDTD is not None:
        raise UnreadableReturnError(f"{place}: has a DOCTYPE, which is refused; remove it")
    tag = etree.QName(element)
    if tag.namespace:
        raise UnreadableReturnError(
            f"{place}: root is in namespace '{tag.namespace}'; a return has none"
        )
    if tag.localname != root:
        raise UnreadableReturnError(f"{place}: root is <{tag.localname}>; a return has <{root}>")


def _check_held(path: Path, element: etree._Element, held: int) -> None:
    if held > MAX_ELEMENTS:
        raise UnreadableReturnError(
            f"{path}:{element.sourceline}: more than {MAX_ELEMENTS} elements in one child; "
            "not a return"
        )


def _free(element: etree._Element) -> None:
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _refuse_unsafe(path: Path) -> None:
    if not path.is_file():
        raise UnreadableReturnError(f"{path}: no such file")
    found = refusal(path, MAX_BYTES)
    if found:
        place = path if found.line is None else f"{path}:{found.line}"
        raise UnreadableReturnError(f"{place}: {found}")
