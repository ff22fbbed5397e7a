"""Pictures of counts: an Altair chart becomes an SVG that a page can show, and a screen reader can name.

The chart is drawn in the server (vl-convert runs Vega-Lite; nothing is fetched, no browser). What comes back is made
one image: a title and a description of its own, identifiers that no other picture of a page has, neither links
nor styles, which the content policy forbids, and sizes that a page may shrink. The same chart is the same text
every time. A picture never stands alone: its page shows the same figures as a table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from fastapi.responses import Response
from lxml import etree

if TYPE_CHECKING:
    import altair as alt

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#000000")
"""Told apart with any colour vision (Okabe and Ito, Color Universal Design, 2008), in the order of use."""
SHADES = ("#f1f6fa", "#0b3c5d")
"""From few to many, by lightness alone."""
INK, QUIET, LINE = "#0b0c0c", "#505a5f", "#b1b4b6"
FONT = "Arial, Helvetica, sans-serif"
_SVG = "http://www.w3.org/2000/svg"
_DROPPED = ("role", "class", "style", "href", "{http://www.w3.org/1999/xlink}href")
_POINTER = re.compile(r"url\(#([^)]+)\)")
_TEXT = {"labelFont": FONT, "titleFont": FONT, "labelFontSize": 14, "titleFontSize": 14}
_CONFIG: dict[str, Any] = {
    "font": FONT,
    "background": "#ffffff",
    "view": {"stroke": None},
    "axis": {
        **_TEXT, "labelColor": INK, "titleColor": INK, "gridColor": "#e5e6e7", "domainColor": LINE,
        "tickColor": LINE, "titleFontWeight": "normal", "labelLimit": 320,
    },
    "legend": {**_TEXT, "labelColor": INK, "titleColor": INK, "titleFontWeight": "normal", "labelLimit": 320},
    "header": {**_TEXT, "labelColor": INK, "titleColor": INK},
    "text": {"font": FONT, "fontSize": 14},
    "range": {"category": list(COLOURS), "heatmap": list(SHADES), "ramp": list(SHADES)},
    "bar": {"color": COLOURS[0]},
    "line": {"color": COLOURS[0], "strokeWidth": 2.5},
    "point": {"color": COLOURS[0], "filled": True, "size": 60},
}  # fmt: skip


def data(rows: Sequence[Mapping[str, object]]) -> Any:
    """Rows as the data of a chart, carried in it."""
    import altair  # noqa: PLC0415 - 0.5 s: only who draws pays for it

    return altair.Data(values=[dict(row) for row in rows])  # type: ignore[no-untyped-call]


def svg(chart: alt.TopLevelMixin, title: str, description: str) -> str:
    """Return a chart as the text of an SVG; title and description are what a screen reader says of it.

    The chart carries its data in itself. Raises ValueError when it names data elsewhere.
    """
    import altair  # noqa: PLC0415
    import vl_convert  # noqa: PLC0415 - 0.4 s, and an engine of its own

    spec = chart.to_dict()
    spec["config"] = {**spec.get("config", {}), **_CONFIG}
    version = altair.SCHEMA_VERSION.rpartition(".")[0]
    drawn: str = vl_convert.vegalite_to_svg(spec, vl_version=version, allowed_base_urls=[])
    return accessible(drawn, title, description)


def accessible(drawn: str, title: str, description: str) -> str:
    """Return an SVG as one image with a name, without links, styles or identifiers that could clash."""
    root = etree.fromstring(
        drawn.encode(), etree.XMLParser(resolve_entities=False, no_network=True)
    )
    for element in root.iter(etree.Element):
        _plain(element)
    _rename(root, "")  # the engine counts them on from picture to picture
    key = sha256("\0".join((title, description)).encode() + etree.tostring(root)).hexdigest()[:10]
    _rename(root, f"-{key}")
    for at, (tag, words) in enumerate((("title", title), ("desc", description))):
        told = etree.Element(f"{{{_SVG}}}{tag}", id=f"{tag}-{key}")
        told.text = words
        root.insert(at, told)
    root.set("role", "img")
    root.set("aria-labelledby", f"title-{key} desc-{key}")
    etree.cleanup_namespaces(root)
    return etree.tostring(root, encoding="unicode")


def _plain(element: etree._Element) -> None:
    """Leave of an element what draws it."""
    style = element.get("style", "")
    for name in map(str, list(element.attrib)):
        if name in _DROPPED or name.startswith(("aria-", "on")):
            del element.attrib[name]
    for each in style.split(";"):
        name, _, value = each.partition(":")
        if value:
            element.set(name.strip(), value.strip())


def _rename(root: etree._Element, end: str) -> None:
    """Number all identifiers in the order of the picture, with the same end, and what points at them."""
    named = [each for each in root.iter(etree.Element) if each.get("id")]
    names = {each.get("id", ""): f"p{n}{end}" for n, each in enumerate(named)}
    for each in named:
        each.set("id", names[each.get("id", "")])
    for element in root.iter(etree.Element):
        for name in map(str, list(element.attrib)):
            points_at = _POINTER.sub(lambda at: f"url(#{names[at[1]]})", element.get(name, ""))
            element.set(name, points_at)


def picture(text: str) -> Response:
    """The answer of a route that a page's `<img class="hub-picture">` names."""
    return Response(text, media_type="image/svg+xml")
