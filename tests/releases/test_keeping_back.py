"""A return is not released without a source that it rests on: what counts as missing, and what stands in for it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ffp_data.feeds.landing import series_of
from ffp_data.home import policy
from ffp_data.home.lacking import Lack, lacks_of_returns
from ffp_data.home.run import Run
from ffp_data.pipeline import deliveries
from ffp_data.pipeline.ingest import ingest_feed
from ffp_data.releases.keeping_back import Nevertheless, why_kept_back
from ffp_data.releases.publish import COLLECTIONS, publish_return
from ffp_data.releases.quarterly import due_quarter, publish_quarter
from ffp_data.settings import Home, make_demonstration
from ffp_data.warehouse import connect
from ffp_data.withdrawal.apply import end_agreement
from governance.grants import ReleaseDecision
from tests.feeds.conftest import CONTRACTS
from tests.feeds.samples import Landing, Row, csv_text, sample_row

AS_AT = date(2026, 4, 5)
FEEDS = ("case_system", "early_help", "education_attendance")
PERSONS = "eh_persons_999_2026040{}T030000Z_001.csv"


class Hub:
    """A home and its landing folder; `deliver` is what a run does before anything is made of the feeds."""

    def __init__(self, folder: Path) -> None:
        self.landing = Landing(folder / "landing", CONTRACTS, duckdb.connect())
        self.run = Run.at(
            run_id="r1", home=folder / "home", landing=self.landing.folder, as_at=AS_AT
        )

    def deliver(self, feeds: Iterable[str] = FEEDS) -> None:
        for feed in feeds:
            ingest_feed(self.run, self.run.contracts[feed])

    def lacks(self, run: Run | None = None) -> list[Lack]:
        with connect(self.run.home, read_only=True) as con:
            return lacks_of_returns(run or self.run, con)

    def told(self, kind: str) -> list[dict[str, Any]]:
        return [event["facts"] for event in self.run.ledger.events(kind)]

    def spoilt(self, feed: str, name: str) -> None:
        """Delivers a file that cannot be read."""
        self.landing.file(feed, name, "nothing,that,the,contract,knows\n")
        self.deliver([feed])


def persons(number: int) -> list[Row]:
    contract = CONTRACTS["early_help"]
    return [sample_row(contract, contract.by_name["persons"], each) for each in range(number)]


def drop() -> dict[str, str]:
    """The tables of a case system that knows one person."""
    contract = CONTRACTS["case_system"]
    texts = {table.name: csv_text(table, []) for table in contract.tables}
    person = contract.by_name["ssd_person"]
    return texts | {"ssd_person": csv_text(person, [sample_row(contract, person)])}


def stamp(day: int) -> str:
    return f"2026040{day}T030000Z"


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home to which each feed of the returns has delivered."""
    folder = tmp_path_factory.mktemp("delivered")
    make_demonstration(Home(folder / "home").prepare())
    hub = Hub(folder)
    assert policy.compile_lock(hub.run).problems == []
    education = CONTRACTS["education_attendance"]
    hub.landing.rows("early_help", "persons", persons(40), stamp(1))
    for table in education.tables:
        hub.landing.rows(education.id, table.name, [sample_row(education, table)], stamp(1))
    hub.landing.drop(drop())
    hub.deliver()
    assert hub.lacks() == [], "all of it was let in"
    return folder


@pytest.fixture
def hub(delivered: Path, tmp_path: Path) -> Hub:
    shutil.copytree(delivered, tmp_path, dirs_exist_ok=True)
    return Hub(tmp_path)


def test_a_refused_file_is_missed_with_its_feed_its_name_and_what_to_do(hub: Hub) -> None:
    hub.spoilt("early_help", PERSONS.format(2))
    (lack,) = hub.lacks()
    assert (lack.feed, lack.file) == ("early_help", PERSONS.format(2))
    assert lack.words.startswith(f"early_help, refused: {PERSONS.format(2)}:1: ")
    assert "Remedy: " in lack.words


def test_a_file_of_another_feed_is_not_missed(hub: Hub) -> None:
    hub.spoilt("housing", "hclic_999_people_20260402T030000Z_001.csv")
    assert hub.lacks() == []


def test_it_is_missed_no_longer_once_it_was_mended_in_its_place(hub: Hub) -> None:
    hub.spoilt("early_help", PERSONS.format(2))
    hub.landing.rows("early_help", "persons", persons(39), stamp(2))
    hub.deliver(["early_help"])
    assert hub.lacks() == []


def test_nor_once_a_later_one_of_its_series_tells_the_whole_anew(hub: Hub) -> None:
    hub.spoilt("early_help", PERSONS.format(2))
    hub.landing.rows("early_help", "persons", persons(39), stamp(3))
    hub.deliver(["early_help"])
    assert hub.lacks() == []


def test_what_came_before_it_does_not_stand_in_for_it(hub: Hub) -> None:
    hub.spoilt("early_help", PERSONS.format(4))
    hub.landing.rows("early_help", "persons", persons(39), stamp(3))
    hub.deliver(["early_help"])
    assert [lack.file for lack in hub.lacks()] == [PERSONS.format(4)]


def test_nor_does_a_file_of_another_school(hub: Hub) -> None:
    school = "attendance_pupils_999_{}_20260402T030000Z_001.csv"
    hub.spoilt("education_attendance", school.format(100002))
    hub.landing.rows("education_attendance", "pupils", [pupil()], stamp(3))
    hub.deliver(["education_attendance"])
    assert [lack.file for lack in hub.lacks()] == [school.format(100002)]


def pupil() -> Row:
    contract = CONTRACTS["education_attendance"]
    return sample_row(contract, contract.by_name["pupils"])


def test_of_rows_that_are_told_once_nothing_later_stands_in_for_the_file_until_it_is_taken_out(
    hub: Hub,
) -> None:
    name = "attendance_marks_999_20260402T030000Z_001.csv"
    hub.spoilt("education_attendance", name)
    contract = CONTRACTS["education_attendance"]
    row = sample_row(contract, contract.by_name["marks"], 2)
    hub.landing.rows(contract.id, "marks", [row], stamp(3))
    hub.deliver([contract.id])
    assert [lack.file for lack in hub.lacks()] == [name]
    (hub.landing.folder / contract.id / name).unlink()
    assert hub.lacks() == []


def test_one_of_several_case_systems_is_missed_though_another_delivered_after_it(hub: Hub) -> None:
    (hub.landing.folder / "case_system" / "mosaic_20260402").mkdir()
    hub.landing.drop(drop(), "20260403")
    hub.deliver(["case_system"])
    (lack,) = hub.lacks()
    assert (lack.feed, lack.file) == ("case_system", "mosaic_20260402")


def test_a_held_file_is_missed_until_a_run_has_loaded_what_somebody_accepted(hub: Hub) -> None:
    hub.landing.rows("early_help", "persons", persons(1), stamp(2))
    hub.deliver(["early_help"])
    assert hub.lacks()[0].words.startswith("early_help, held: ")
    deliveries.accept(hub.run, PERSONS.format(2), "M Shah", "a team closed")
    assert "the next run loads it" in hub.lacks()[0].words
    hub.deliver(["early_help"])
    assert hub.lacks() == []


def test_a_held_file_that_was_taken_back_is_not_missed(hub: Hub) -> None:
    hub.landing.rows("early_help", "persons", persons(1), stamp(2))
    hub.deliver(["early_help"])
    deliveries.retract(hub.run, PERSONS.format(2), "M Shah", "half a file")
    assert hub.lacks() == []


def test_where_the_landing_folder_is_not_at_hand_it_is_as_the_books_say(
    hub: Hub, tmp_path: Path
) -> None:
    hub.spoilt("early_help", PERSONS.format(2))
    elsewhere = Run.at(run_id="command", home=hub.run.home.root, landing=tmp_path / "elsewhere")
    assert hub.lacks(elsewhere) == hub.lacks()


def test_a_feed_that_is_agreed_and_never_came_is_missed(tmp_path: Path) -> None:
    make_demonstration(Home(tmp_path / "home").prepare())
    hub = Hub(tmp_path)
    assert policy.compile_lock(hub.run).problems == []
    hub.deliver()
    assert [(lack.feed, lack.file) for lack in hub.lacks()] == [(feed, None) for feed in FEEDS]
    assert "landing/early_help/" in hub.lacks()[1].words


def test_a_file_of_which_no_table_is_agreed_is_none_of_a_source(hub: Hub) -> None:
    path = policy.start_policy(hub.run.home) / "agreements" / "DSA-EH-01.yaml"
    less = re.sub(
        r"  - feed: early_help\n    table: plans\n(    .*\n)*", "", path.read_text("utf-8")
    )
    path.write_text(less, "utf-8")
    assert policy.compile_lock(hub.run).problems == []
    contract = CONTRACTS["early_help"]
    row = sample_row(contract, contract.by_name["plans"])
    file = hub.landing.rows(contract.id, "plans", [row], stamp(2))
    hub.deliver([contract.id])
    assert [facts["file"] for facts in hub.told("delivery_not_permitted")] == [file.name]
    assert hub.lacks() == []


def test_a_feed_that_is_shut_out_is_missed_until_its_agreement_has_ended_for_good(hub: Hub) -> None:
    hub.spoilt("early_help", PERSONS.format(2))
    end(hub.run, "suspended")
    (lack,) = hub.lacks()
    assert (lack.feed, lack.file) == ("early_help", None)
    assert "it is suspended" in lack.words
    end(hub.run, "withdrawn")
    assert hub.lacks() == []


def end(run: Run, status: str) -> None:
    end_agreement(run, "DSA-EH-01", status, "an officer", "the module is replaced")
    assert policy.compile_lock(run).problems == []


# What becomes of a release


def ask(hub: Hub, decision: ReleaseDecision, word: Nevertheless | None = None) -> str | None:
    with connect(hub.run.home, read_only=True) as con:
        return why_kept_back(hub.run, con, decision, "cin", word)


def cin(run: Run) -> ReleaseDecision:
    return policy.grants(run).release("dfe", "statutory_returns.cin_census")


def test_with_every_source_there_is_nothing_to_decide_or_to_write_down(hub: Hub) -> None:
    assert ask(hub, cin(hub.run), Nevertheless("M Shah", "ig_officer", "to be sure")) is None
    assert hub.told("return_kept_back") + hub.told("return_released_nevertheless") == []


def test_a_return_that_is_kept_back_is_written_down_with_what_is_missing(hub: Hub) -> None:
    hub.spoilt("early_help", PERSONS.format(2))
    reason = ask(hub, cin(hub.run))
    assert reason is not None
    assert PERSONS.format(2) in reason
    assert "--nevertheless REASON" in reason
    (facts,) = hub.told("return_kept_back")
    assert (facts["collection"], facts["recipient"]) == ("cin", "dfe")
    assert facts["lacks"] == [{"feed": "early_help", "file": PERSONS.format(2)}]


def test_whoever_lets_it_go_stands_in_the_ledger_with_the_reason(hub: Hub) -> None:
    hub.spoilt("early_help", PERSONS.format(2))
    word = Nevertheless("M Shah", "ig_officer", "the department knows of it")
    assert ask(hub, cin(hub.run), word) is None
    (facts,) = hub.told("return_released_nevertheless")
    assert (facts["who"], facts["role"], facts["reason"]) == tuple(vars(word).values())
    assert facts["lacks"] == [{"feed": "early_help", "file": PERSONS.format(2)}]
    assert ask(hub, cin(hub.run)) is not None, "the word was for one release"


def test_what_no_agreement_permits_is_left_to_its_own_refusal(hub: Hub) -> None:
    hub.spoilt("early_help", PERSONS.format(2))
    refused = policy.grants(hub.run).release("nobody", "statutory_returns.cin_census")
    assert ask(hub, refused) is None
    assert hub.told("return_kept_back") == []


@pytest.mark.parametrize("name", ["cin", "tehadc", "ffp_quarterly"])
def test_no_return_is_made_or_put_in_the_place_of_the_one_before(hub: Hub, name: str) -> None:
    for place in (hub.run.home.out / "returns", hub.run.home.council):
        (place / name / "before").mkdir(parents=True)
    hub.spoilt("early_help", PERSONS.format(2))
    if name in COLLECTIONS:
        outcome = publish_return(hub.run, COLLECTIONS[name])
    else:
        outcome = publish_quarter(hub.run, due_quarter(AS_AT)).release
    assert not outcome.permitted
    assert PERSONS.format(2) in outcome.reason
    assert [facts["collection"] for facts in hub.told("return_kept_back")] == [name]
    for place in (hub.run.home.out / "returns", hub.run.home.council):
        assert [path.name for path in (place / name).iterdir()] == ["before"]


@pytest.mark.parametrize(
    ("name", "series"),
    [
        ("eh_plans_20260401T030000Z_001.csv", "eh_plans__001.csv"),
        ("ssd_20260401", "ssd_"),
        ("marks_20260101_to_20260401.csv", "marks_20260101_to_.csv"),
        ("attendance_99999999_x.csv", "attendance_99999999_x.csv"),
    ],
)
def test_a_series_is_the_name_without_the_time_that_it_carries_last(name: str, series: str) -> None:
    assert series_of(name) == series
