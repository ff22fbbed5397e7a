"""The report in a real browser: no outside request, no error, no sideways scroll on any screen."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from linkage import report
from tests.linkage.conftest import SMALL
from tests.linkage.report_runs import run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run with truth and groups."""
    result, model, table = run(copy.deepcopy(SMALL))
    out = tmp_path_factory.mktemp("report") / "out"
    truth = report.read_truth(table, model, "person", ["group"])
    report.write(result, model, out, report.measure(result, model, truth, ["group"]))
    return out / "report.html"


@pytest.mark.parametrize("width", [320, 1280])
def test_the_page_loads_alone_without_error_and_without_sideways_scroll(
    browser: Any, written: Path, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, offline=False)
    tab = context.new_page()
    requests: list[str] = []
    complaints: list[str] = []
    tab.on("request", lambda r: requests.append(r.url))
    tab.on("console", lambda m: complaints.append(m.text))
    tab.on("pageerror", lambda e: complaints.append(str(e)))
    tab.goto(written.as_uri())
    for fold in tab.query_selector_all("summary"):
        fold.click()
    tab.wait_for_load_state("networkidle")
    assert requests == [written.as_uri()]
    assert complaints == []
    seen = tab.evaluate(
        "() => ({page: document.documentElement.scrollWidth, view: document.documentElement.clientWidth,"
        " policy: document.querySelector('h1').getBoundingClientRect().width,"
        " ink: getComputedStyle(document.querySelector('svg .for')).fill})"
    )
    assert seen["page"] <= seen["view"] == width
    assert (
        seen["ink"] == "rgb(31, 106, 165)"
    )  # the style's hash fits the policy, or all would be black
    context.close()


def test_text_stands_out_from_what_lies_behind_it(browser: Any, written: Path) -> None:
    """WCAG 2.2, 1.4.3: at least 4.5 to 1 for every piece of text."""
    tab = browser.new_page()
    tab.goto(written.as_uri())
    pairs = tab.evaluate(
        """() => [...document.querySelectorAll('body *')].filter(e => e.childNodes.length &&
          [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())).map(e => {
            const style = getComputedStyle(e);
            let behind = e, paper = 'rgba(0, 0, 0, 0)';
            while (behind && paper === 'rgba(0, 0, 0, 0)') {
              paper = getComputedStyle(behind).backgroundColor; behind = behind.parentElement; }
            return [e instanceof SVGElement ? style.fill : style.color, paper]; })"""
    )
    assert len(pairs) > 100
    low = {(ink, paper) for ink, paper in map(tuple, pairs) if _contrast(ink, paper) < 4.5}
    assert low == set()
    tab.close()


def _contrast(one: str, other: str) -> float:
    lights = sorted((_light(one), _light(other)), reverse=True)
    return (lights[0] + 0.05) / (lights[1] + 0.05)


def _light(colour: str) -> float:
    """Relative luminance of rgb(r, g, b)."""
    parts = [float(p) / 255 for p in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
