"""What each page shows and refuses, asked as a browser asks."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from ffp_data.access import Access
from ffp_data.hub.child_id import new_child_id
from ffp_data.kept import LOOKS_KEPT_DAYS, Kept, Look, tidy
from ffp_data.kept.database import file_of
from ffp_data.kept.looks import last_looks, look
from ffp_data.rights.orders import Kind, Orders, Said
from ffp_data.serving import store
from ffp_data.serving.changes import META
from ffp_data.serving.view import ROOM
from ffp_data.single_view.child import beyond_state
from ffp_data.web.app import make_app
from tests.web.conftest import Visitor
from tests.web.world import AS_AT, HOSTILE, World, make_world, publish_next, tables_of


def _text(page: str) -> str:
    """The words of a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", _main(page)).split())


def _main(page: str) -> str:
    """What a page has of its own, between header and footer."""
    return page.split("<main", 1)[1].split("</main>", 1)[0]


@pytest.mark.parametrize("path", ["/", "/search", "/children/AAA"])
def test_nobody_sees_anything_before_signing_in(visitor: Visitor, path: str) -> None:
    page = visitor.get(path)
    assert page.url.path == "/sign-in"
    assert "made-up people" in page.text


def test_my_children_are_those_whom_my_team_helps_now(visitor: Visitor, world: World) -> None:
    page = visitor.sign_in("family-help").get("/")
    assert f"/children/{world.mine}" in page.text
    assert f"/children/{world.other}" not in page.text
    assert "Missing in the last 90 days" in page.text


def test_a_child_has_every_fact_with_source_and_date(visitor: Visitor, world: World) -> None:
    words = _text(visitor.sign_in("family-help").get(f"/children/{world.mine}").text)
    for fact in (
        "G Kemble, Family Help North",
        "Reported missing",
        "2 March 2026 , police (late)",
        "It is not certain that this record is of this child",
        "Ivo Ottaway born: date not recorded Father, not recorded who lives where",
        "Absent from 120 of 200 possible sessions (60 %) in this school year",
        "999 000 0018, present and traced children&#39;s social care, 1 March 2026",
        "3 Ash Lane, XF1 2AB children&#39;s social care, 1 March 2026",
        "Assessment, in working days overdue 10 March 2026 5 January 2026 children&#39;s social care, 30 March 2026",
        "Family network support package approved, waiting to be paid no limit is set 2 February 2026",
        "March 2026 20 4 12 2 school, up to 27 March 2026",
    ):
        assert fact in words


def test_how_a_service_stands_is_said_once(visitor: Visitor, world: World) -> None:
    words = _text(visitor.sign_in("family-help").get(f"/children/{world.mine}").text)
    assert words.count("Working now") == 1
    assert "working with the child" not in words
    unheard = {
        "state": "current",
        "state_in_words": "working with the child or the family now; police_pole: no delivery in time",
    }
    assert beyond_state(unheard) == "police_pole: no delivery in time"
    registered = {
        "state": "historic",
        "state_in_words": "registered, no work recorded",
        "since": None,
    }
    assert beyond_state(registered) == ""
    late = {"state": "late", "state_in_words": "no delivery in the time promised"}
    assert beyond_state(late) == late["state_in_words"]


def test_what_is_not_known_says_so_and_what_is_doubtful_too(visitor: Visitor, world: World) -> None:
    visitor.sign_in("family-help").get(f"/children/{world.bare}")
    page = visitor.send(
        f"/children/{world.bare}/reason", why="asked by the court", case_reference="C1"
    )
    words = _text(page.text)
    assert "Name not known" in words
    assert "NHS number no feed that is shared has recorded this all feeds that are shared" in words
    assert "two different NHS numbers are recorded; one of the 2 records may be" in words
    assert "No rule applies today" in words
    assert ">None<" not in page.text
    assert "<dd></dd>" not in page.text


def test_a_child_of_others_needs_a_reason_that_is_written_down(
    visitor: Visitor, world: World
) -> None:
    address = f"/children/{world.other}"
    page = visitor.sign_in("family-help").get(address)
    assert "Why do you need to look?" in page.text
    assert "Vane" not in page.text
    assert visitor.send(f"{address}/reason", why="busy", case_reference="").status_code == 400
    page = visitor.send(f"{address}/reason", why="duty call from school", case_reference="D-7")
    assert "duty call from school (case D-7)" in page.text
    visitor.client.__exit__(None, None, None)  # the journal goes to the ledger
    reads = [e["facts"] for e in Access(world.home).ledger.events() if e["kind"] == "read"]
    last = [r for r in reads if r["right"] == "view_off_caseload"][-1]
    assert last["who"] == "family-help"
    assert last["reason"] == "duty call from school (case D-7)"
    assert world.other not in str(reads)


def test_the_place_of_a_hidden_child_is_on_no_page(visitor: Visitor, world: World) -> None:
    visitor.sign_in("family-help").get(f"/children/{world.hidden}")
    page = visitor.send(
        f"/children/{world.hidden}/reason", why="asked by the court", case_reference="C1"
    )
    assert "Protected. Where this child lives" in page.text
    for place in ("Ash Lane", "XF1", "990155", "01632", "Kemble"):
        assert place not in _main(page.text)
    visitor.get("/search")
    found = visitor.send("/search", text="XF1 2AB")
    assert world.hidden not in found.text
    assert world.mine in found.text


def test_a_shield_counts_on_the_next_page_before_any_run(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    own = make_world(tmp_path_factory.mktemp("shielded") / "home")
    with TestClient(make_app(own.home), raise_server_exceptions=False) as client:
        visitor = Visitor(client).sign_in("family-help")
        assert "Ash Lane" in visitor.get(f"/children/{own.mine}").text
        with Orders(own.home) as orders:
            orders.give(Kind.SHIELD, own.mine, Said("a.head", "the father searches for the mother"))
        page = _main(visitor.get(f"/children/{own.mine}").text)
        visitor.get("/search")
        found = visitor.send("/search", address="Ash Lane, XF1 2AB").text
    assert "Protected. Where this child lives" in page
    for place in ("Ash Lane", "XF1", "990155", "01632", "Kemble", "Family Help North"):
        assert place not in page
    assert own.mine not in found
    assert own.other in found


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("wren ottaway", "mine"),
        ("OTTAWAY, Wren", "mine"),
        ("vane wren", "mine"),
        ("renn otaway", "mine"),  # as it sounds
        ("wren ottaway 4/7/2014", None),
        ("wren 3/7/2014", "mine"),
        ("999 000 0018 wren", "mine"),
        ("marigold quil", "hidden"),
        ("wren|3 ash lane", "mine"),
        ("wren|ash ln xf1 2ab", "mine"),
        ("wren|4 ash lane", None),
        ("marigold|ash lane", None),  # whose place is protected
    ],
)
def test_search_takes_what_people_type(
    visitor: Visitor, world: World, text: str, who: str | None
) -> None:
    visitor.sign_in("front-door").get("/search")
    words, _, address = text.partition("|")
    page = visitor.send("/search", text=words, address=address)
    if who is None:
        assert "Nobody found" in page.text
    else:
        assert f"/children/{getattr(world, who)}" in page.text


def test_text_from_feeds_is_never_markup(visitor: Visitor, world: World) -> None:
    visitor.sign_in("front-door").get(f"/children/{world.other}")
    page = visitor.send(f"/children/{world.other}/reason", why=HOSTILE, case_reference=HOSTILE[:40])
    assert "<script" not in page.text
    assert page.text.count("&lt;script&gt;") >= 3
    visitor.get("/search")
    assert "<script" not in visitor.send("/search", text=HOSTILE).text


@pytest.mark.parametrize(
    "text", [HOSTILE, "'; DROP TABLE children; --", "%", "\x00", "☃" * 200, "01/13/2014 999"]
)
def test_a_search_for_nonsense_finds_nobody_and_breaks_nothing(visitor: Visitor, text: str) -> None:
    visitor.sign_in("front-door").get("/search")
    assert visitor.send("/search", text=text[:200]).status_code == 200


def test_a_form_counts_once_and_only_with_the_token_of_the_session(visitor: Visitor) -> None:
    visitor.sign_in("front-door").get("/search")
    sent = {
        "form_token": re.findall(r'form_token" value="([^"]+)"', visitor.page.text)[-1],
        "text": "wren",
    }
    assert visitor.client.post("/search", data=sent).status_code == 200
    assert visitor.client.post("/search", data=sent).status_code == 400
    assert visitor.client.post("/search", data={"text": "wren"}).status_code == 400


def test_a_forged_session_is_nobody(visitor: Visitor) -> None:
    visitor.client.cookies.set("hub_session", "A" * 43)
    assert visitor.get("/").url.path == "/sign-in"


def test_who_signs_out_is_signed_out_wherever_the_cookie_is(visitor: Visitor) -> None:
    visitor.sign_in("front-door").get("/search")
    cookie = visitor.client.cookies["hub_session"]
    visitor.send("/sign-out")
    visitor.client.cookies.set("hub_session", cookie)
    assert visitor.get("/search").url.path == "/sign-in"


def test_an_identifier_that_was_never_issued_is_not_there(visitor: Visitor) -> None:
    visitor.sign_in("front-door")
    for wrong in (new_child_id(), "x", "..%2f..%2fhub.db", "A" * 500):
        assert visitor.get(f"/children/{wrong}").status_code == 404


def test_a_role_without_the_right_is_refused_and_written_down(
    visitor: Visitor, world: World
) -> None:
    visitor.sign_in("ig-officer").get("/search")
    assert visitor.send("/search", text="wren").status_code == 403
    visitor.client.__exit__(None, None, None)
    kinds = [(e["kind"], e["facts"].get("who")) for e in Access(world.home).ledger.events()]
    assert ("access_refused", "ig-officer") in kinds


def test_an_officer_lists_who_was_told_of_a_child(visitor: Visitor, world: World) -> None:
    visitor.sign_in("family-help").get(f"/children/{world.mine}")
    visitor.send("/sign-out")
    assert visitor.sign_in("ig-officer").get("/").url.path == "/governance"
    visitor.client.app.state.service.gate.append.__self__.flush()  # type: ignore[attr-defined]
    visitor.get("/governance/disclosures")
    words = _text(visitor.send("/governance/disclosures", child_id=world.mine).text)
    assert "family-help practitioner read view single_view.family_help" in words
    assert visitor.send("/governance/disclosures", child_id=new_child_id()).status_code == 404
    visitor.get("/governance")
    assert "The ledger is whole" in visitor.send("/governance/ledger").text


@pytest.mark.parametrize(
    "path", ["/governance", "/governance/disclosures", "/governance/documents/index.html"]
)
def test_a_practitioner_sees_no_governance(visitor: Visitor, path: str) -> None:
    assert visitor.sign_in("family-help").get(path).status_code == 403


@pytest.mark.parametrize(
    "path", ["../../hub.db", "%2e%2e/%2e%2e/hub.db", "..%2f..%2fkeys/root.key", "none.html"]
)
def test_no_file_beside_the_documents_is_given(visitor: Visitor, world: World, path: str) -> None:
    folder = world.home.out / "governance"
    folder.mkdir(exist_ok=True)
    (folder / "index.html").write_text("<h1>Documents</h1>", "utf-8")
    visitor.sign_in("ig-officer")
    assert visitor.get(f"/governance/documents/{path}").status_code == 404
    given = visitor.get("/governance/documents/index.html")
    assert given.text == "<h1>Documents</h1>"
    assert "script" not in given.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path", ["/review", "/review/1", "/review/1/evidence", "/review/decisions"]
)
def test_a_practitioner_settles_no_links(visitor: Visitor, path: str) -> None:
    assert visitor.sign_in("family-help").get(path).status_code == 403


def test_a_reviewer_has_no_caseload_and_reads_no_child(visitor: Visitor, world: World) -> None:
    assert visitor.sign_in("reviewer").get("/").url.path == "/review"
    assert "Nothing waits for you" in visitor.page.text
    visitor.get(f"/children/{world.other}")
    page = visitor.send(
        f"/children/{world.other}/reason", why="out of curiosity", case_reference="C"
    )
    assert page.status_code == 403


def test_every_answer_forbids_scripts_frames_and_copies(visitor: Visitor) -> None:
    for path in ("/sign-in", "/nowhere", "/static/hub.css"):
        headers = visitor.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "script-src" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
    assert visitor.get("/sign-in").headers["cache-control"] == "no-store"
    cookie = visitor.client.post("/sign-in", data={"user": "front-door"}, follow_redirects=False)
    assert "HttpOnly" in cookie.headers["set-cookie"]
    assert "SameSite=strict" in cookie.headers["set-cookie"]


def test_what_changed_since_somebody_looked_stays_until_the_next_view(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    own = make_world(tmp_path_factory.mktemp("looked") / "home")
    with TestClient(make_app(own.home), raise_server_exceptions=False) as client:
        visitor = Visitor(client).sign_in("family-help")
        assert "Not looked at yet" in visitor.page.text
        for _ in range(2):
            assert "for the first time" in visitor.get(f"/children/{own.mine}").text
        assert "Nothing new" in visitor.get("/").text
        publish_next(own, chronology=[{"event_date": date(2026, 3, 4)}])
        assert "2 changes" in visitor.get("/").text
        for _ in range(2):
            words = _text(visitor.get(f"/children/{own.mine}").text)
            assert "Since you looked at the view of 31 March 2026:" in words
            assert "New Reported missing, 4 March 2026. police (late), 31 March 2026" in words
        assert "Nothing new" in visitor.get("/").text
        publish_next(own)
        assert "Nothing changed since you looked" in visitor.get(f"/children/{own.mine}").text


def test_a_look_means_nothing_once_the_key_of_the_child_is_destroyed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    own = make_world(tmp_path_factory.mktemp("key") / "home")
    access = Access(own.home)
    kept, seen = Kept.open(own.home, access.keys), Look("first", 1, AS_AT)
    (reference,) = access.subjects.references([own.mine])
    look(kept, "family-help", reference, seen)
    tidy(own.home, access.keys, AS_AT + timedelta(LOOKS_KEPT_DAYS), 90)
    assert last_looks(kept, "family-help", [reference]) == {reference: seen}
    access.subjects.keys.destroy(own.mine)
    (other,) = access.subjects.keys.references([own.mine])
    assert last_looks(kept, "family-help", [other]) == {}
    tidy(own.home, access.keys, AS_AT + timedelta(LOOKS_KEPT_DAYS + 1), 90)
    assert last_looks(kept, "family-help", [reference]) == {}
    kept.close()
    assert own.mine.encode() not in file_of(own.home).read_bytes()


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({}, 2),
        ({"source": "police"}, 1),
        ({"since": "2026-01-01"}, 1),
        ({"until": "2026-01-01"}, 1),
        ({"event": "school_joined"}, 1),
        ({"known_by": "2026-03-01"}, 1),
        ({"known_by": "2026-03-02", "since": "not a day"}, 2),
        ({"since": "2026-01-01", "until": "2026-01-31"}, 0),
    ],
)
def test_a_chronology_is_cut_by_day_kind_source_and_what_was_known(
    visitor: Visitor, world: World, asked: dict[str, str], shown: int
) -> None:
    page = visitor.sign_in("family-help").get(f"/children/{world.mine}", params=asked)
    assert page.text.count("moj-timeline__item") == shown
    assert ("told later" in page.text) == (asked.get("known_by") == "2026-03-01")


def test_search_may_be_kept_to_children_whom_two_agencies_know_and_ones_own(
    visitor: Visitor, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.sign_in("front-door").get("/search")
    assert "2 children found" in visitor.send("/search", address="ash lane").text
    service = visitor.client.app.state.service  # type: ignore[attr-defined]
    monkeypatch.setitem(
        service.__dict__,
        "partnership",
        service.partnership.model_copy(update={"linked_only": True}),
    )
    page = visitor.send("/search", address="ash lane").text
    assert "Only children whom two agencies know already" in page
    assert world.mine in page
    assert world.other not in page


@pytest.mark.parametrize("lacks", ["child_clocks", META])
def test_a_view_of_an_older_version_is_no_fault_but_waits_for_a_run(
    tmp_path: Path, lacks: str
) -> None:
    world = make_world(tmp_path / "home")
    tables = tables_of(world)
    tables[lacks] = pa.table({"of_another_version": ["1"]})
    store.write(world.home, "first", tables, room=ROOM)
    with TestClient(make_app(world.home), raise_server_exceptions=False) as client:
        answer = Visitor(client).sign_in("family-help").get(f"/children/{world.mine}")
    assert answer.status_code == 503
    assert "Ask the data team for a run" in answer.text


READ = {
    "family-help": ("/", "/search", "/children/{mine}", "/children/{mine}/take-away"),
    "family-help-manager": ("/lists", "/lists/referred_again", "/lists/not_reached", "/programme", "/team"),
    "programme-lead": ("/lists/referred_again", "/programme"),
    "reviewer": ("/review", "/review/clashes", "/review/decisions", "/review/figures"),
    "ig-officer": ("/governance", "/governance/ledger", "/governance/orders", "/wrong"),
}  # fmt: skip


@pytest.mark.parametrize(("user", "path"), [(user, path) for user in READ for path in READ[user]])
def test_a_page_says_days_as_people_read_them(
    visitor: Visitor, world: World, user: str, path: str
) -> None:
    page = visitor.sign_in(user).get(path.format(mine=world.mine))
    assert page.status_code == 200
    assert re.findall(r"\b\d{4}-\d\d-\d\d\b", _text(page.text)) == []
