"""The one error of this package: a fault of a delivery or a contract, told so that it can be mended.

It carries file, line, column, rule, message and remedy, and never a value from a person's record.
"""

from __future__ import annotations


def printable(name: str) -> str:
    """A file's name as text: bytes that are none, and control characters, are written as escapes."""
    text = name.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class FeedError(Exception):
    """A delivery that is refused, or a contract that cannot be used.

    `line` counts from 1 and is None when the fault has no line (a missing file); `column` is the
    header, JSON path or contract key at fault; `rule` is a short constant that programs may test.
    """

    def __init__(
        self,
        rule: str,
        message: str,
        remedy: str,
        *,
        file: str,
        line: int | None = None,
        column: str | None = None,
    ) -> None:
        self.rule = rule
        self.message = message
        self.remedy = remedy
        self.file = printable(file)
        self.line = line
        self.column = column
        super().__init__(str(self))

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        column = f" [{self.column}]" if self.column else ""
        return f"{place}:{column} {self.rule}: {self.message}. Remedy: {self.remedy}."

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FeedError) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))
