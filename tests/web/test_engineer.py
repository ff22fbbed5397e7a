"""What the first page of engineers and of officers puts first: what needs somebody."""

from __future__ import annotations

import html

import pytest

from tests.web.conftest import Visitor


@pytest.mark.parametrize(
    ("user", "path"), [("data-engineer", "/engineer"), ("ig-officer", "/governance")]
)
def test_returns_that_wait_for_a_source_are_told_with_feed_file_and_remedy(
    visitor: Visitor, user: str, path: str
) -> None:
    page = html.unescape(visitor.sign_in(user).get(path).text)
    attention = page.split("What needs somebody", 1)[1].split("</ul>", 1)[0]
    assert (
        "<strong>Returns are not released</strong> without early_help, held: eh_plans_20260402.csv:"
        " fallen: 1 row of 40. Remedy: accept it."
    ) in attention
    assert "--nevertheless" in attention
