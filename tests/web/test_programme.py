"""The programme's page: every figure in words and as a table, pictures that are drawn, files only as published."""

from __future__ import annotations

import re

from tests.web.conftest import Visitor
from tests.web.world import World


def test_the_page_tells_moves_comparisons_and_warnings(visitor: Visitor) -> None:
    page = " ".join(visitor.sign_in("programme-lead").get("/programme").text.split())
    for words in (
        "Moves in the quarter that ended on <strong>31 March 2026</strong>",
        "1 of 4 returned within 12 months: 25.0 %",
        "ethnicity Black: linked less often than others (70.0 % of 100 records)",
        "children of whom any service told this hub",
        "Nothing is published yet",
    ):
        assert words in page
    (row,) = re.findall(
        r'<th scope="row"[^>]*>Black</th> <td[^>]*>child in need</td>(.*?)</tr>', page
    )
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", row)
    assert cells == ["12", "100", "1200", "4.80", "1.90 to 12.40", "more often than others"]


def test_every_picture_of_the_page_is_drawn_and_says_its_figures(visitor: Visitor) -> None:
    visitor.sign_in("programme-lead").get("/programme")
    pictures = re.findall(r'src="(/programme/pictures/[^"]+)" alt="([^"]+)"', visitor.page.text)
    assert [path.partition("?")[0].rpartition("/")[2] for path, _ in pictures] == [
        "levels.svg", "moves.svg", "needs.svg", "ratios.svg", "links.svg"
    ]  # fmt: skip
    told = dict(pictures)
    assert (
        "3 from no service to child in need"
        in told["/programme/pictures/moves.svg?quarter=2026-03-31"]
    )
    for path, _ in pictures:
        drawn = visitor.client.get(path)
        assert drawn.headers["content-type"] == "image/svg+xml"
        assert drawn.text.startswith("<svg")
    assert (
        visitor.client.get("/programme/pictures/harms.svg").status_code == 404
    )  # nothing to draw of


def test_only_published_files_are_given_and_the_taking_is_written_down(
    visitor: Visitor, world: World
) -> None:
    folder = world.home.out / "published" / "programme" / "2026-03-31"
    folder.mkdir(parents=True)
    try:
        for name in ("manifest.json", "programme.xlsx", "programme_moves.csv", "tables.json"):
            (folder / name).write_text("level_before,level_after,children\n", "utf-8")
        page = visitor.sign_in("programme-lead").get("/programme").text
        listed = re.findall(r'href="/programme/published/([^"]+)"', page)
        assert listed == ["programme.xlsx", "programme_moves.csv"]
        given = visitor.get("/programme/published/programme_moves.csv")
        assert given.text.startswith("level_before")
        for path in ("tables.json", "..%2f..%2f..%2fpolicy.lock.json"):
            assert visitor.get(f"/programme/published/{path}").status_code == 404
    finally:
        for each in folder.iterdir():
            each.unlink()
        folder.rmdir()


def test_a_practitioner_may_not_see_the_figures(visitor: Visitor) -> None:
    visitor.sign_in("family-help")
    for path in ("/programme", "/programme/pictures/moves.svg", "/programme/published/a.csv"):
        assert visitor.get(path).status_code == 403
