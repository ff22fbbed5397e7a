"""What the engineer's page puts first: what needs somebody."""

from __future__ import annotations

import html

from tests.web.conftest import Visitor


def test_returns_that_wait_for_a_source_are_told_with_feed_file_and_remedy(
    visitor: Visitor,
) -> None:
    page = html.unescape(visitor.sign_in("data-engineer").get("/engineer").text)
    attention = page.split("What needs somebody", 1)[1].split("</ul>", 1)[0]
    assert (
        "<strong>Returns are not released</strong> without early_help, held: eh_plans_20260402.csv:"
        " fallen: 1 row of 40. Remedy: accept it."
    ) in attention
    assert "--nevertheless" in attention
