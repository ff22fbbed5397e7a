"""The folder of a run: all or nothing, and a page that tells the run without a person's values."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lxml import html

import linkage
from linkage import report
from linkage.report.examples import choose, steps
from linkage.report.folder import refuse_foreign
from linkage.report.page import page
from linkage.report.run import Run
from linkage.report.svg import Bar, bars
from tests.linkage.conftest import SMALL
from tests.linkage.report_runs import run
from tests.linkage.support import GIVEN, SURNAMES

_Finished = tuple[linkage.LinkResult, linkage.Model, pa.Table, dict[str, Any]]


@pytest.fixture(scope="module")
def finished() -> _Finished:
    """A run with its truth measured."""
    result, model, table = run(copy.deepcopy(SMALL))
    truth = report.read_truth(table, model, "person", ["group"])
    return result, model, table, report.measure(result, model, truth, ["group"])


@pytest.fixture(scope="module")
def shown(finished: _Finished) -> Any:
    """The page of the run, parsed."""
    result, model, _, measured = finished
    return html.fromstring(page(Run(model, result.clusters, result.pairs, result.report, measured)))


def _text(element: Any) -> str:
    return re.sub(r"\s+", " ", str(element.text_content()))


def test_a_run_is_written_as_four_files_that_say_the_same(
    finished: _Finished, tmp_path: Path
) -> None:
    result, model, _, measured = finished
    report.write(result, model, tmp_path / "deep/out", measured)
    assert sorted(p.name for p in (tmp_path / "deep/out").iterdir()) == sorted(report.FILES)
    assert pq.read_table(tmp_path / "deep/out/clusters.parquet").equals(result.clusters)
    assert pq.read_table(tmp_path / "deep/out/pairs.parquet").equals(result.pairs)
    written = json.loads((tmp_path / "deep/out/report.json").read_text(encoding="utf-8"))
    assert written["records"] == result.report["records"]
    assert written["quality"]["pairwise"] == measured["pairwise"]
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["out"]


def test_a_result_that_cannot_be_written_whole_leaves_the_earlier_one(
    finished: _Finished, tmp_path: Path
) -> None:
    result, model, _, _ = finished
    report.write(result, model, tmp_path / "out")
    before = {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()}
    broken = dataclasses.replace(result, report=result.report | {"records": float("nan")})
    with pytest.raises(ValueError, match="not JSON compliant"):
        report.write(broken, model, tmp_path / "out")
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_an_earlier_result_is_replaced_but_no_other_folder_is_touched(
    finished: _Finished, tmp_path: Path
) -> None:
    result, model, _, _ = finished
    out = tmp_path / "out"
    report.write(result, model, out)
    report.write(result, model, out)
    (out / "thesis.docx").write_text("x", encoding="utf-8")
    with pytest.raises(linkage.LinkageError, match=r"holds other files \(thesis\.docx\)"):
        report.write(result, model, out)
    with pytest.raises(linkage.LinkageError, match="is a file"):
        refuse_foreign(out / "thesis.docx")


def test_the_page_asks_for_nothing_and_runs_nothing(shown: Any) -> None:
    assert not shown.xpath("//script | //link | //img | //iframe | //object | //form | //base")
    assert not shown.xpath("//@style | //@*[starts-with(name(), 'on')]")
    assert all(a.startswith("#") for a in shown.xpath("//@href | //@src"))
    policy = shown.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert "default-src 'none'" in policy[0]
    assert "@import" not in shown.xpath("string(//style)")
    assert "url(" not in shown.xpath("string(//style)")


def test_no_value_of_a_person_is_on_the_page(finished: _Finished, shown: Any) -> None:
    words = set(re.findall(r"\w+", _text(shown).lower()))
    assert words.isdisjoint(n.lower() for n in (*GIVEN, *SURNAMES))
    assert not re.search(r"\d{4}-\d\d-\d\d", _text(shown))
    assert not re.search(r"\bn\d{4}\b", _text(shown))


def test_every_picture_has_a_title_a_description_and_its_numbers_beside_it(shown: Any) -> None:
    pictures = shown.xpath("//svg")
    assert len(pictures) >= 8
    names = shown.xpath("//@id")
    assert len(names) == len(set(names))
    for picture in pictures:
        title, described = picture.get("aria-labelledby").split()
        assert picture.xpath(f"string(.//title[@id='{title}'])")
        assert picture.xpath(f"string(.//desc[@id='{described}'])")
        assert picture.get("role") == "img"
        assert picture.xpath("ancestor::div[@class='pair']//table//td")
    for section in shown.xpath("//section"):
        assert section.xpath("string(./h2)")
    assert shown.xpath("//html/@lang") == ["en"]


def test_headings_go_down_one_step_at_a_time(shown: Any) -> None:
    levels = [int(h.tag[1]) for h in shown.xpath("//h1 | //h2 | //h3 | //h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))


def test_the_page_begins_with_the_run_in_words(finished: _Finished, shown: Any) -> None:
    result, _, table, measured = finished
    first = _text(shown.xpath("//section")[0])
    assert (
        f"{table.num_rows:,} records came to {result.report['clusters']['count']:,} clusters"
        in first
    )
    assert f"recall {measured['pairwise']['recall']:.4f} (" in first
    for warning in result.report["warnings"]:
        assert warning in first


def test_the_steps_of_every_pair_add_up_to_its_weight(finished: _Finished) -> None:
    result, model, _, _ = finished
    made = Run(model, result.clusters, result.pairs, result.report)
    for row in result.pairs.to_pylist()[:50]:
        total = sum(s.bits for s in steps(made.report, row))
        assert total == pytest.approx(row["match_weight"], abs=0.06)


def test_the_steps_leave_nothing_over_where_no_value_is_rarer_than_another(
    small: dict[str, Any],
) -> None:
    """Households and comparisons learnt apart included: only the frequency of values is a rest."""
    small["comparisons"][0]["term_frequency"] = False
    small["comparisons"][0]["apart_when"] = {"born": ["exact", "different"]}
    small["comparisons"][1]["shared_by_household"] = True
    small["blocking"].append({"equal": ["surname"], "family": True})
    result, model, _ = run(small)
    assert result.report["parameters_apart"]
    assert "household" in result.report["shares_of_all_pairs"]
    made = Run(model, result.clusters, result.pairs, result.report)
    rows = result.pairs.to_pylist()
    assert len(rows) > 100
    for row in rows:
        assert "how rare the values are" not in {s.label for s in steps(made.report, row)}


def test_examples_hold_a_sure_pair_a_doubtful_one_and_a_vetoed_one(finished: _Finished) -> None:
    result, model, _, _ = finished
    found = choose(Run(model, result.clusters, result.pairs, result.report))
    assert found[0].why == "A sure pair"
    assert found[0].outcome == "in one cluster"
    assert len({(e.left, e.right) for e in found}) == len(found)
    vetoed = set(result.pairs["veto"].to_pylist()) - {None}
    assert any("veto" in e.why for e in found) == bool(vetoed)


def test_markup_in_names_and_warnings_is_shown_as_text(finished: _Finished) -> None:
    result, model, _, _ = finished
    warned = result.report | {"warnings": ["<script>alert(1)</script> & co"]}
    text = page(Run(model, result.clusters, result.pairs, warned))
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co" in text


@pytest.mark.parametrize("count", [0, 1])
def test_a_run_without_pairs_has_a_page_too(
    count: int, small: dict[str, Any], tmp_path: Path
) -> None:
    result, model, _ = run(small, 40)
    empty = pa.table({c: pa.array([f"x{i}" for i in range(count)], pa.string()) for c in
                      ("id", "source", "given", "surname", "born", "number")})  # fmt: skip
    nothing = linkage.link(empty, model)
    report.write(nothing, model, tmp_path / "out")
    text = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert f"{count} records: there is nothing to compare" in text
    assert result.report.keys() == nothing.report.keys()


def test_the_truth_may_not_be_what_the_model_links_by(finished: _Finished) -> None:
    _, model, table, _ = finished
    with pytest.raises(
        linkage.LinkageError, match="'number' is the truth but the model links by it"
    ):
        report.read_truth(table, model, "number")
    with pytest.raises(linkage.LinkageError, match="the records have no column nobody, town"):
        report.read_truth(table, model, "nobody", ["town"])


def test_pictures_are_well_formed_and_survive_values_at_the_ends() -> None:
    picture = bars("<T>", "D", [Bar("a & b", 0, 0, "0"), Bar("c", -3.0, 1e9, "<1>", heading="h")])
    parsed = ElementTree.fromstring(str(picture.svg("p")))
    assert parsed[0].text == "<T>"
    widths = [float(r.get("width", "-1")) for r in parsed.iter() if r.tag.endswith("rect")]
    assert min(widths) >= 1
