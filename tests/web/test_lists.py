"""The pages of the lists: who reads them, what of a protected child is told, what a late feed makes of a list."""

from __future__ import annotations

from tests.web.conftest import Visitor
from tests.web.world import HOSTILE, World

FILTERED = "/lists/referred_again?team=Family+Help+North"


def test_a_manager_reads_who_is_listed_why_and_from_when(visitor: Visitor, world: World) -> None:
    page = visitor.sign_in("family-help-manager").get("/lists").text
    assert "2 children" in page
    assert "1 more by a weak link alone" in page
    page = visitor.get("/lists/referred_again").text
    for told in ("Wren Ottaway", "Head of the front door", "30 September 2026", "as of 30 March"):
        assert told in page
    assert f'href="/children/{world.mine}"' in page
    assert "select * from entries" in page  # the rule as SQL


def test_what_a_feed_says_is_text(visitor: Visitor) -> None:
    page = visitor.sign_in("family-help-manager").get("/lists/referred_again").text
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page


def test_a_protected_child_is_listed_without_a_place_and_found_by_none(visitor: Visitor) -> None:
    page = visitor.sign_in("family-help-manager").get("/lists/referred_again").text
    row = page[page.index("Marigold Quill") :].partition("</tr>")[0]
    assert "Protected" in row
    assert row.count("withheld") == 2
    assert "Marigold Quill" not in visitor.get(FILTERED).text


def test_a_programme_lead_reads_identifiers_and_no_names(visitor: Visitor, world: World) -> None:
    page = visitor.sign_in("programme-lead").get("/lists/referred_again").text
    assert world.mine in page
    assert "Ottaway" not in page
    assert "/children/" not in page


def test_a_late_list_says_since_when(visitor: Visitor) -> None:
    visitor.sign_in("family-help-manager")
    assert "late since 20 March 2026" in visitor.get("/lists").text
    assert "as far as what was delivered tells" in visitor.get("/lists/not_reached").text


def test_an_unknown_list_is_not_found(visitor: Visitor) -> None:
    assert visitor.sign_in("family-help-manager").get("/lists/nobody_knows").status_code == 404


def test_a_practitioner_has_no_list(visitor: Visitor) -> None:
    assert visitor.sign_in("family-help").get("/lists").status_code == 403
