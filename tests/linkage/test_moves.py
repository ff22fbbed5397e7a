"""A family's move speaks for its other members, for nobody else, and never for the one who witnesses it."""

from __future__ import annotations

import copy
import datetime as dt
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import linkage
from benchmarks.linkage import partnership
from linkage.cluster import components
from linkage.decisions import Decisions
from linkage.moves import Moves, Witnesses, as_it_was
from linkage.packing import Packing
from linkage.score import Scored
from tests.linkage.conftest import SMALL
from tests.linkage.support import GIVEN, SURNAMES

Row = dict[str, Any]
SCHEMA = pa.schema(
    [(n, pa.string()) for n in ("id", "source", "given", "surname")]
    + [("born", pa.date32()), ("number", pa.string()), ("postcode", pa.string())]
)
PARTNERSHIP = Path(partnership.__file__).with_name("partnership.yaml")


def model(**changed: Any) -> linkage.Model:
    """The small model with places."""
    content: dict[str, Any] = copy.deepcopy(SMALL)
    content["columns"]["postcode"] = {"steps": ["postcode"]}
    content["comparisons"] += [
        {"name": "address", "columns": ["postcode"], "levels": [{"exact": "postcode"}]},
        {"name": "family_moved", "levels": [{"moved_together": "postcode"}]},
    ]
    return linkage.Model.from_dict(content | changed)


def table(rows: list[Row]) -> pa.Table:
    """Rows as the records that the model reads."""
    return pa.Table.from_pylist(rows, SCHEMA)


def families(seed: int, count: int, streets: int = 500) -> list[Row]:
    """Families of one to three children in two or three sources, the first of which may know the old
    address; common names, and often no number."""
    rng = random.Random(seed)
    rows = []
    for family in range(count):
        surname = rng.choice(SURNAMES[:6])
        new, old = (f"XF{rng.randrange(streets)} 1AA" for _ in range(2))
        moved = rng.random() < 0.5
        for child in range(rng.choice([1, 2, 3])):
            name = rng.choice(GIVEN[:12])
            born = dt.date(2008, 1, 1) + dt.timedelta(days=rng.randrange(900))
            for source in range(rng.choice([2, 3])):
                rows.append(
                    {
                        "id": f"{seed}-{family:04d}-{child}-{source}", "source": f"s{source}",
                        "given": name if rng.random() > 0.1 else name[:-1] + "x",
                        "surname": surname, "born": born if rng.random() > 0.05 else None,
                        "number": f"{seed}/{family}/{child}" if rng.random() < 0.5 else None,
                        "postcode": old if moved and source == 0 else new,
                    }
                )  # fmt: skip
    return rows


@pytest.fixture(scope="module")
def fitted() -> linkage.Fitted:
    """What a town of families taught."""
    return linkage.fit(table(families(1, 300)), model())


def child(name: str, born: int, number: str | None, places: list[str]) -> list[Row]:
    """One child's records, at these places."""
    return [
        {
            "id": f"{name}-{i}", "source": f"s{i}", "given": name, "surname": "Begum",
            "born": dt.date(born, 5, 17), "number": number, "postcode": place,
        }
        for i, place in enumerate(places)
    ]  # fmt: skip


MOVE = ["XF1 1AA", "XF9 9ZZ"]
AISHA = child("Aisha", 2012, None, MOVE)


def of_aisha(rows: list[Row], fitted: linkage.Fitted, **options: Any) -> Row:
    """The pair of Aisha's first two records."""
    low = model(thresholds={"join": 0.9, "break": 0.5, "review": 1e-9})
    pairs = linkage.link(table(rows), low, fitted=fitted, **options).pairs.to_pylist()
    wanted = ("Aisha-0", "Aisha-1")
    found: Row = next(p for p in pairs if (p["record_id_l"], p["record_id_r"]) == wanted)
    return found


def test_a_siblings_move_speaks_for_a_child_as_much_as_was_learnt(fitted: linkage.Fitted) -> None:
    alone = of_aisha(AISHA, fitted)
    witnessed = of_aisha(AISHA + child("Omar", 2015, "7", MOVE), fitted)
    assert (alone["level_family_moved"], witnessed["level_family_moved"]) == (
        "missing", "moved_together",
    )  # fmt: skip
    rates = fitted.parameters.moved
    assert rates is not None
    bits = float(np.log2(rates[-1] / rates[0]))
    assert bits > 3
    assert witnessed["match_weight"] == pytest.approx(alone["match_weight"] + bits)


@pytest.mark.parametrize(
    "others",
    [
        child("Omar", 2015, "7", ["XF1 1AA", "XF3 3AA"]),  # another move
        child("Omar", 2015, "7", ["XF1 1AA", "XF1 1AA"]),  # no move
        child("Omar", 2015, "7", ["XF1 1AA", ""]),  # a place that is not known
        child("Omar", 2015, None, ["XF1 1AA"])
        + child("Leo", 2009, None, ["XF9 9ZZ"]),  # two people
    ],
)
def test_nothing_less_than_the_same_move_of_one_person_speaks(
    others: list[Row], fitted: linkage.Fitted
) -> None:
    assert of_aisha(AISHA + others, fitted)["level_family_moved"] == "missing"


def test_nobody_is_his_own_witness(fitted: linkage.Fitted) -> None:
    own = child("Aisha", 2012, "8", [*MOVE, *MOVE])
    assert of_aisha(own, fitted)["level_family_moved"] == "missing"


def test_two_records_that_a_reviewer_parted_witness_nothing(fitted: linkage.Fitted) -> None:
    rows = AISHA + child("Omar", 2015, "7", MOVE)
    parted = of_aisha(rows, fitted, cannot_link=[("Omar-0", "Omar-1")])
    assert parted["level_family_moved"] == "missing"


def test_the_report_tells_how_often_a_move_is_witnessed_and_what_it_weighs() -> None:
    report = linkage.link(table(families(1, 300)), model()).report
    row = report["parameters"][-1]
    assert (row["comparison"], row["level"]) == ("family_moved", "moved_together")
    assert 0 < row["u"] < 0.1 < row["m"] < 1
    assert not [w for w in report["warnings"] if "family_moved" in w]


def scored(pairs: list[tuple[int, int, float]]) -> Scored:
    """Pairs (left, right, weight)."""
    left, right, weight = (np.array(x) for x in zip(*sorted(pairs), strict=True))
    nothing = np.zeros(len(left))
    return Scored(left, right, nothing.astype(np.int64), weight, nothing, nothing.astype(bool))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_witnesses_are_those_that_looking_at_each_pair_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    records = 40
    place = rng.integers(-1, 6, records)
    edges = {tuple(sorted(p)) for p in rng.integers(0, records, (60, 2)).tolist() if p[0] != p[1]}
    pairs = scored([(a, b, float(rng.choice([-3.0, 9.0]))) for a, b in edges])
    nobody = Decisions.of(pa.array([], pa.string()), (), ())
    moves = Moves.of(pairs, place, model(), nobody)
    strong = pairs.weight > 0
    label = components(records, pairs.left[strong], pairs.right[strong])

    def seen(a: int, b: int) -> bool:
        joined = zip(pairs.left[strong], pairs.right[strong], strict=True)
        return min(place[a], place[b]) >= 0 and any(
            {place[x], place[y]} == {place[a], place[b]}
            and place[x] != place[y]
            and label[x] not in (label[a], label[b])
            for x, y in joined
        )

    left, right = np.triu_indices(records, 1)
    expected = [seen(a, b) for a, b in zip(left, right, strict=True)]
    assert moves.witnessed(left, right).tolist() == expected


def test_rates_are_those_of_the_pairs_where_the_pairs_are_sure() -> None:
    """Of a thousand people who moved six hundred are witnessed, of a thousand strangers none."""
    place = np.tile([0, 1], 2000)
    pairs = [(2 * i, 2 * i + 1, 20.0 if i < 1000 else -20.0) for i in range(2000)]
    place[1200:4000] = np.arange(2, 2802)  # these live where nobody else does
    nobody = Decisions.of(pa.array([], pa.string()), (), ())
    moves = Moves.of(scored(pairs), place, model(), nobody)
    found = scored(pairs)
    rates = moves.rates(found, moves.witnessed(found.left, found.right), 2)
    assert rates[1] == pytest.approx(600 / 1050, abs=0.01)
    assert rates[0] == pytest.approx(moves.by_chance(), rel=0.05)


def test_the_evidence_can_be_taken_away_again_to_the_last_bit() -> None:
    pairs = scored([(0, 1, 1.7), (0, 2, 9.0), (1, 3, -9.0), (4, 5, 12.0)])
    place = np.array([0, 1, 1, 1, 0, 1])
    nobody = Decisions.of(pa.array([], pa.string()), (), ())
    asked = model()
    whole = Packing(asked.comparisons)
    moves = Moves.of(pairs, place, asked, nobody)
    seen = moves.witnessed(pairs.left, pairs.right)
    witnesses = Witnesses(asked, whole, moves, np.array([1e-3, 0.4]), seen)
    changed = witnesses.first(pairs)
    assert (changed.weight > pairs.weight).tolist() == [True, True, False, True]
    assert witnesses(changed) is changed  # once is enough
    back = as_it_was(changed, witnesses.before, 6)
    assert all(np.array_equal(getattr(back, n), getattr(pairs, n)) for n in ("weight", "pattern"))


@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_an_incremental_run_sees_the_same_moves_as_a_full_one(
    seed: int, fitted: linkage.Fitted, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rng, state = random.Random(seed), tmp_path_factory.mktemp("s") / "state"
    rows = {r["id"]: r for r in families(2, 60)}
    spare = {k: rows.pop(k) for k in rng.sample(sorted(rows), 60)}
    linkage.start(table(list(rows.values())), model(), state, fitted)
    evidence = 0
    for _ in range(3):
        gone = rng.sample(sorted(rows), 10)
        for key in gone:
            del rows[key]
        came = [spare.pop(k) for k in rng.sample(sorted(spare), 15)]
        changed = [
            rows[k] | {"postcode": rows[rng.choice(sorted(rows))]["postcode"]}
            for k in rng.sample(sorted(rows), 6)
        ]
        rows |= {r["id"]: r for r in came + changed}
        found = linkage.link_incremental(table(came + changed), model(), state, gone)
        full = linkage.link(table(list(rows.values())), model(), fitted=fitted)
        for name in ("clusters", "pairs", "joins", "cuts"):
            one, other = (getattr(r, name).to_pylist() for r in (found, full))
            assert [plain(r) for r in one] == [plain(r) for r in other], name
        evidence += found.pairs["level_family_moved"].to_pylist().count("moved_together")
    assert evidence > 20


def plain(row: Row) -> Row:
    """A row whose numbers are rounded."""
    return {k: round(v, 9) if isinstance(v, float) else v for k, v in row.items()}


def test_a_fit_kept_in_its_file_weighs_moves_as_the_run_that_learnt_it() -> None:
    rows = table(families(3, 200))
    learnt = linkage.link(rows, model())
    assert learnt.fitted is not None
    kept = linkage.Fitted.from_json(learnt.fitted.to_json(), model())
    again = linkage.link(rows, model(), fitted=kept)
    assert again.pairs.equals(learnt.pairs)
    assert again.clusters.equals(learnt.clusters)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"levels": [{"moved_together": "postcode"}, {"exact": "postcode"}]}, "stands alone"),
        ({"levels": [{"moved_together": "house"}]}, "no column 'house'"),
    ],
)
def test_a_model_that_asks_wrongly_is_refused(changed: Row, message: str) -> None:
    comparisons = [*SMALL["comparisons"], {"name": "family_moved", "columns": ["given"]} | changed]
    with pytest.raises(linkage.LinkageError, match=message):
        model(comparisons=comparisons)


def test_no_veto_and_no_second_comparison_may_ask_for_moves() -> None:
    moved = {"name": "again", "levels": [{"moved_together": "postcode"}]}
    whole = [*SMALL["comparisons"], moved | {"name": "family_moved"}]
    with pytest.raises(linkage.LinkageError, match="only one comparison"):
        model(comparisons=[*whole, moved])
    with pytest.raises(linkage.LinkageError, match="speaks after the vetoes"):
        model(vetoes=[{"name": "v", "when": {"family_moved": ["missing"]}}])


def test_moves_bring_children_with_common_names_together_and_hardly_anybody_else() -> None:
    records, truth = partnership.make(20_000, 3, doorstep=True)  # not a seed that was worked on
    asked = linkage.Model.from_yaml(PARTNERSHIP)
    without = asked.model_copy(
        update={"comparisons": tuple(c for c in asked.comparisons if not c.moved)}
    )
    before, after = (
        linkage.evaluate(linkage.link(records, m).clusters, truth, by="tradition")
        for m in (without, asked)
    )
    assert after["pairwise"]["precision"] >= before["pairwise"]["precision"] - 0.0005
    missed = [1 - q["pairwise"]["recall"] for q in (before, after)]
    assert missed[1] < 0.92 * missed[0]
    for tradition in ("bangladeshi", "pakistani"):
        recall = [q["by"][tradition]["pairwise"]["recall"] for q in (before, after)]
        assert recall[1] > recall[0], tradition
