"""What is taken out of a file is exactly the rows that must go; every other byte stays as it was."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ffp_data.feeds import PACKAGED, load_contracts
from ffp_data.sealing.cut import cut_csv, cut_document, cut_ndjson, cut_xml

CONTRACTS = load_contracts(PACKAGED)
POLE = CONTRACTS["police_pole"].by_name
PROBATION = CONTRACTS["probation"].by_name

values = st.text(st.sampled_from('ab,"\n\u2028é '), max_size=6)


@given(st.lists(st.lists(values, min_size=2, max_size=2), min_size=1, max_size=8), st.data())
def test_rows_of_csv_go_with_all_their_lines(rows: list[list[str]], data: st.DataObject) -> None:
    gone = data.draw(st.sets(st.integers(0, len(rows) - 1)))
    texts = [_csv([row]) for row in rows]
    starts = [2 + sum(text.count("\n") for text in texts[:n]) for n in range(len(rows))]
    cut = cut_csv(
        ("k,v\r\n" + "".join(texts)).encode(), "utf-8-sig", starts, {starts[n] for n in gone}
    )
    kept = "".join(text for n, text in enumerate(texts) if n not in gone)
    assert cut.left.decode() == "k,v\r\n" + kept
    assert list(cut.taken) == [texts[n] for n in sorted(gone)]
    assert cut.header == "k,v"


def _csv(rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerows(rows)
    return out.getvalue()


def test_a_byte_order_mark_and_a_western_encoding_stay() -> None:
    marked = cut_csv(b"\xef\xbb\xbfk\n1\n2\n", "utf-8-sig", {2, 3}, {2})
    assert (marked.left, marked.header) == (b"\xef\xbb\xbfk\n2\n", "k")
    assert cut_csv("k\né\nü\n".encode("cp1252"), "cp1252", {2, 3}, {3}).left == b"k\n\xe9\n"


def test_a_line_of_json_goes_whole_and_a_list_in_it_by_its_elements() -> None:
    lines = [
        {"crn": "A", "personalContacts": [{"n": 1}, {"n": 2}]},
        {"crn": "B", "personalContacts": [{"n": 3}, {"n": 4}]},
        {"crn": "C"},
    ]
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    tables: list[Any] = [(PROBATION["persons"], {3}, set()), (PROBATION["contacts"], {2}, {3})]
    cut = cut_ndjson(data, "utf-8-sig", tables)
    left = [json.loads(line) for line in cut.left.splitlines()]
    assert left == [lines[0], {"crn": "B", "personalContacts": [{"n": 4}]}]
    assert [json.loads(each) for each in cut.taken] == [lines[2], {"n": 3}]
    assert cut.left.startswith(data.split(b"\n")[0]), "an untouched line keeps its bytes"


def test_a_document_loses_elements_of_its_lists_and_of_lists_in_records() -> None:
    def incident(*people: str) -> dict[str, object]:
        listed = [{"id": person} for person in people]
        return {"id": "E" + people[0], "relationships": {"childSubject": {"data": listed}}}

    document: dict[str, Any] = {
        "data": [incident("1", "2"), incident("3")],
        "included": [{"type": "person", "id": "1"}, {"type": "person", "id": "2"}],
    }
    tables: list[Any] = [
        (POLE["subjects"], set(), {2}),
        (POLE["persons"], set(), {2}),
        (POLE["incidents"], set(), {2}),
    ]
    cut = cut_document(json.dumps(document).encode(), "utf-8-sig", tables)
    left = json.loads(cut.left)
    assert left == {"data": [incident("1")], "included": [document["included"][0]]}
    assert len(cut.taken) == 3


def test_an_element_of_xml_goes_with_its_tags() -> None:
    text = "<R><H>é</H>\n <P><P><N>1</N></P></P>\n <P a='>'><N>2</N></P>\n <P/>\n</R>"
    cut = cut_xml(text.encode(), "utf-8", "R/P", {2})
    assert cut.left.decode() == "<R><H>é</H>\n <P><P><N>1</N></P></P>\n\n <P/>\n</R>"
    assert cut.taken == ("<P a='>'><N>2</N></P>",)
    assert cut_xml(text.encode(), "utf-8", "R/P", {3}).taken == ("<P/>",)
    assert cut_xml(b"<R><P/></R>", "utf-8", "R/P", {1}).left == b"<R></R>"
