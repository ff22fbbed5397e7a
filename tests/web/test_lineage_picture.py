"""The picture of a column's way: every line runs to the right, and says what the graph says."""

from __future__ import annotations

from collections.abc import Mapping

from ffp_data import feeds
from ffp_data.feeds import Contract
from ffp_data.lineage.columns import ColumnLineage
from ffp_data.lineage.graph import Graph, Step
from ffp_data.lineage.values import Source
from ffp_data.web.lineage_picture import WIDE, draw, way
from ffp_data.web.review_graph import draw as draw_records


def _steps(**columns: tuple[str, ...]) -> Mapping[str, Step]:
    return {
        name: Step(found := frozenset(Source(*s.rsplit(".", 1)) for s in sources), found)
        for name, sources in columns.items()
    }


def _lineage() -> ColumnLineage:
    contracts: dict[str, Contract] = feeds.load_contracts(feeds.PACKAGED)
    steps = {
        "single_view.children": _steps(surname=("intermediate.int_a.surname", "intermediate.int_b.n")),
        "intermediate.int_a": _steps(surname=("staging.stg_x.surname",)),
        "intermediate.int_b": _steps(n=("intermediate.int_a.surname",)),
        "staging.stg_x": _steps(surname=("identity.housing__people.surname",)),
    }  # fmt: skip
    return ColumnLineage(Graph(steps, {"identity.housing__people": ("surname",)}), contracts)


def test_a_way_leads_from_the_column_to_the_feeds_past_staging_views() -> None:
    told = {
        (f"{s.relation}.{s.column}", f"{m.relation}.{m.column}")
        for s, m in way(_lineage(), "single_view.children", "surname")
    }
    assert told == {
        ("intermediate.int_a.surname", "single_view.children.surname"),
        ("intermediate.int_b.n", "single_view.children.surname"),
        ("intermediate.int_a.surname", "intermediate.int_b.n"),
        ("identity.housing__people.surname", "intermediate.int_a.surname"),
        ("feeds:housing.people.surname", "identity.housing__people.surname"),
    }


def test_a_table_stands_right_of_all_that_it_reads_and_no_two_overlap() -> None:
    picture = draw(_lineage(), "single_view.children", "surname")
    assert [box.table for box in sorted(picture.boxes, key=lambda box: box.x)] == [
        "housing.people",
        "identity.housing__people",
        "intermediate.int_a",
        "intermediate.int_b",
        "single_view.children",
    ]
    assert len(picture.lines) == 5
    assert all(line.x2 - line.x1 > 0 for line in picture.lines)
    assert max(box.x + WIDE for box in picture.boxes) <= picture.wide
    assert picture == draw(_lineage(), "single_view.children", "surname")


def test_records_stand_on_their_side_and_the_pair_that_is_asked_about_is_drawn_last() -> None:
    nodes = [{"name": name, "feed": "a feed"} for name in ("A", "B", "A1", "A2", "B1")]
    edges = [
        {"left": "A", "right": "B", "strength": 1, "is_for": True},
        {"left": "A1", "right": "A", "strength": 3, "is_for": True},
        {"left": "B", "right": "B1", "strength": 3, "is_for": False},
        {"left": "A2", "right": "A", "strength": None, "is_for": None},
    ]
    graph = draw_records(nodes, edges)
    middle = graph.wide / 2
    assert all((dot.x < middle) == dot.name.startswith("A") for dot in graph.dots)
    assert len({(dot.x, dot.y) for dot in graph.dots}) == len(nodes)
    assert graph.strokes[-1].is_asked
    assert len({(s.colour, s.dashes) for s in graph.strokes}) == 3
