"""What a picture is: one named image, the same every time, with nothing in it that acts or points elsewhere."""

from __future__ import annotations

from typing import Any

import altair as alt
import pytest
from lxml import etree

from ffp_data.web.pictures import accessible, data, svg

ROWS = [{"area": "North & <b>", "n": 3}, {"area": "South", "n": 5}]


def chart() -> Any:
    return alt.Chart(data(ROWS)).mark_line(clip=True).encode(x="n:Q", y="area:N", href="area:N")


def test_a_picture_is_one_named_image_and_the_same_every_time() -> None:
    text = svg(chart(), "Children by area", "3 in North, 5 in South")
    assert text == svg(chart(), "Children by area", "3 in North, 5 in South")
    root = etree.fromstring(text.encode())
    title, description = root[0], root[1]
    assert (title.text, description.text) == ("Children by area", "3 in North, 5 in South")
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert [each.get("role") for each in root.iter(etree.Element) if each.get("role")] == ["img"]
    assert "North &amp; &lt;b&gt;" in text


def test_two_pictures_on_a_page_share_no_identifier() -> None:
    found = [
        {e.get("id") for e in etree.fromstring(svg(chart(), t, "words").encode()).iter() if e.get("id")}
        for t in ("One", "Two")
    ]  # fmt: skip
    assert found[0]
    assert not found[0] & found[1]


def test_a_picture_neither_links_nor_acts_nor_styles() -> None:
    drawn = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
        '<a xlink:href="https://elsewhere.example"><path onclick="x()" style="fill: red; stroke:blue"/></a></svg>'
    )
    text = accessible(drawn, "t", "d")
    for forbidden in ("href", "style=", "onclick", "elsewhere"):
        assert forbidden not in text
    assert 'fill="red"' in text
    assert 'stroke="blue"' in text
    assert "href" not in svg(chart(), "t", "d")


def test_data_from_elsewhere_is_refused() -> None:
    elsewhere = alt.Chart(alt.UrlData(url="/etc/hostname")).mark_bar().encode(x="n:Q")
    with pytest.raises(ValueError, match="not allowed"):
        svg(elsewhere, "t", "d")
