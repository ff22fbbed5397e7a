"""Open an XML file from outside as a stream of elements, trusting nothing in it.

`xml_safety` refuses a DOCTYPE before the parser sees it, so that no entity is ever declared, and the
parser refuses one again. The parser is expat: it tells the exact line of an element however long the
file, where libxml2 counts exactly to 65,535 only. It builds one record at a time, of bounded size and
depth. Every refusal names the file and, where there is one, the line. Attributes are not read.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from xml.parsers import expat

from ffp_data.xml_safety import MAX_BYTES, refusal

MAX_HELD = 2_000_000  # characters and elements of one record
MAX_DEPTH = 12  # the deepest element of a CIN census is at depth 7
MAX_TOKEN = 1 << 20  # bytes of one tag or comment
LIST = "Children"  # the element below the root whose elements are the records
_BLOCK = 1 << 18


class UnreadableReturnError(ValueError):
    """The file is not a return that can be read; the message has file, line and remedy."""


class Element:
    """A finished element: tag, line of its start tag, the text in it, and its elements in order."""

    __slots__ = ("children", "line", "tag", "text")

    def __init__(self, tag: str, line: int) -> None:
        self.tag, self.line, self.text = tag, line, ""
        self.children: list[Element] = []

    def __iter__(self) -> Iterator[Element]:
        return iter(self.children)

    def descendants(self) -> Iterator[Element]:
        """Every element below this one, in the order of the file."""
        for child in self.children:
            yield child
            yield from child.descendants()


def read_elements(path: Path, root: str) -> Generator[tuple[int, Element], None, None]:
    """Yield (depth, element) for each element below the root, and each below its `Children`.

    `Children` itself is not yielded: its elements are, at depth 3. Close the generator when leaving
    it early: it holds the file open.

    Raises UnreadableReturnError for a file that is missing, too large, not well formed, has a
    DOCTYPE, an unexpected root or namespace, or nests deeper than MAX_DEPTH.
    """
    _refuse_unsafe(path)
    builder = _Builder(path, root)
    parser = builder.parser
    fed = 0
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                parser.Parse(block, False)
                fed += len(block)
                builder.check_size(fed)
                yield from builder.take()
            parser.Parse(b"", True)
    except expat.ExpatError as error:
        reason = f"{expat.ErrorString(error.code)}, column {error.offset + 1}"
        raise _ill_formed(f"{path}:{error.lineno}", reason) from error
    except LookupError as error:
        raise _ill_formed(f"{path}:1", str(error)) from error
    yield from builder.take()


def _ill_formed(place: str, reason: str) -> UnreadableReturnError:
    return UnreadableReturnError(
        f"{place}: not well-formed XML ({reason}); export the file again, as UTF-8"
    )


class _Builder:
    """Hears of tags and text from the parser and puts one record at a time together."""

    def __init__(self, path: Path, root: str) -> None:
        self.path, self.root = path, root
        self._open: list[Element] = []
        self._ready: list[tuple[int, Element]] = []
        self._held = 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._doctype

    def take(self) -> list[tuple[int, Element]]:
        """What was finished since the last call."""
        ready, self._ready = self._ready, []
        return ready

    def check_size(self, fed: int) -> None:
        """Refuse, after each block, a record or a single tag that goes on without end."""
        if self._held > MAX_HELD:
            raise self.refusal(f"more than {MAX_HELD} characters in one record; not a return")
        # expat would read a tag without end again with every block
        if fed - max(self.parser.CurrentByteIndex, 0) > MAX_TOKEN:
            raise self.refusal(f"one tag or comment of more than {MAX_TOKEN} bytes; not a return")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        opened = self._open
        if attributes or ":" in tag:
            self._refuse_namespace(tag, attributes)
        if not opened and tag != self.root:
            raise self.refusal(f"root is <{tag}>; a return has <{self.root}>")
        if len(opened) >= MAX_DEPTH:
            raise self.refusal(f"elements are nested deeper than {MAX_DEPTH}; not a return")
        opened.append(Element(tag, self.parser.CurrentLineNumber))
        self._held += 1

    def _text(self, text: str) -> None:
        self._held += len(text)
        holder = self._open[-1]
        if len(self._open) > 3 and not holder.children:
            holder.text += text
        elif not text.isspace():
            if self._is_above_records():
                raise self.refusal("text between the records; not a return")
            # Beside elements text is a fault, not a value: the last of it is enough to tell it.
            holder.text = text

    def _is_above_records(self) -> bool:
        return len(self._open) == 1 or (len(self._open) == 2 and self._open[1].tag == LIST)

    def _end(self, _tag: str) -> None:
        element = self._open.pop()
        depth = len(self._open) + 1
        if depth > 3 or (depth == 3 and self._open[1].tag != LIST):
            self._open[-1].children.append(element)
        elif depth == 3 or (depth == 2 and element.tag != LIST):
            self._ready.append((depth, element))
            self._held = 0

    def _refuse_namespace(self, tag: str, attributes: dict[str, str]) -> None:
        """A prefix that is declared and not used, such as xsi, puts nothing in a namespace."""
        prefix, colon, _ = tag.rpartition(":")
        namespace = attributes.get(f"xmlns{colon}{prefix}")
        if namespace or colon:
            raise self.refusal(
                f"<{tag}> is in namespace '{namespace or prefix}'; a return has none"
            )

    def _doctype(self, *_: object) -> None:
        raise self.refusal("has a DOCTYPE, which is refused; remove it")

    def refusal(self, message: str) -> UnreadableReturnError:
        return UnreadableReturnError(f"{self.path}:{self.parser.CurrentLineNumber}: {message}")


def _refuse_unsafe(path: Path) -> None:
    if not path.is_file():
        raise UnreadableReturnError(f"{path}: {'not a' if path.exists() else 'no such'} file")
    found = refusal(path, MAX_BYTES)
    if found:
        place = path if found.line is None else f"{path}:{found.line}"
        raise UnreadableReturnError(f"{place}: {found}")
