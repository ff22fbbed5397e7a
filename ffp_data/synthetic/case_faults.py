"""Faults of recording put into the case system on purpose, each with the census rules that it
may trip (children in need census 2025-26 and the targeted early help return). A fault is a
function on one child's rows: it changes them and says so, or leaves them when the child has
nothing that the fault needs. Faults take turns, so that even a small partnership has a dozen
kinds."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from ffp_data.calendar import add_working_days, working_days_between
from ffp_data.synthetic import numbers
from ffp_data.synthetic.case_rows import Rows
from ffp_data.synthetic.school_age import of_school_age

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Draft:
    """One child's rows before they are written.

    other_upn: a valid UPN of another child, or empty. early_help: days on which the child's early help began.
    """

    rows: Rows
    person: dict[str, object]
    birth: date
    as_at: date
    year_start: date
    other_upn: str
    early_help: tuple[date, ...] = ()

    def one(self, table: str, place: int = -1) -> dict[str, Any] | None:
        """Return the last row of a table (or the one at `place`), if any."""
        found = self.rows.get(table)
        return found[place] if found else None

    def referral(self) -> dict[str, Any] | None:
        """Return the last referral when it went on and is of the census year."""
        row = self.one("ssd_cin_episodes")
        if row is None or row["cine_referral_nfa"]:
            return None
        closed = row["cine_close_date"]
        in_year = closed is None or (isinstance(closed, date) and closed >= self.year_start)
        return row if in_year else None

    def assessed(self) -> dict[str, Any] | None:
        """Return the last assessment when it is done and of the census year."""
        row = self.one("ssd_cin_assessments")
        done = row["cina_assessment_auth_date"] if row else None
        return row if isinstance(done, date) and done >= self.year_start else None


def _missing_ethnicity(d: Draft) -> bool:
    d.person["pers_ethnicity"] = ""
    return True


def _missing_sex(d: Draft) -> bool:
    d.person["pers_sex"] = ""
    return True


def _missing_disability(d: Draft) -> bool:
    return bool(d.rows.pop("ssd_disability", None))


def _none_with_others(d: Draft) -> bool:
    person = d.person["pers_person_id"]
    codes = ("NONE", "LD")
    d.rows["ssd_disability"] = [
        {"disa_table_id": f"DI{person}{n}", "disa_person_id": person, "disa_disability_code": c}
        for n, c in enumerate(codes)
    ]
    return True


def _duplicate_upn(d: Draft) -> bool:
    if not d.person["pers_upn"] or not d.other_upn or d.other_upn == d.person["pers_upn"]:
        return False
    d.person["pers_upn"] = d.other_upn
    return True


def _upn_check_letter(d: Draft) -> bool:
    if not d.person["pers_upn"]:
        return False
    d.person["pers_upn"] = numbers.wrong_upn(str(d.person["pers_upn"]))
    return True


def _un1_at_school_age(d: Draft) -> bool:
    if not of_school_age(d.birth, d.as_at) or d.person["pers_upn_unknown"] in ("", "UN1"):
        return False
    d.person["pers_upn_unknown"] = "UN1"
    return True


def _closure_without_reason(d: Draft) -> bool:
    row = d.referral()
    if row is None or not row["cine_close_date"]:
        return False
    row["cine_close_reason"] = ""
    return True


def _reason_without_date(d: Draft) -> bool:
    row = d.referral()
    if row is None or row["cine_close_reason"] != "RC8":
        return False
    row["cine_close_date"] = None
    return True


def _missing_primary_need(d: Draft) -> bool:
    row = d.referral()
    if row is None:
        return False
    row["cine_cin_primary_need_code"] = ""
    return True


def _assessment_before_referral(d: Draft) -> bool:
    row, referral = d.assessed(), d.referral()
    if row is None or referral is None or row["cina_referral_id"] != referral["cine_referral_id"]:
        return False
    begun = referral["cine_referral_date"]
    row["cina_assessment_start_date"] = begun - 3 * DAY if isinstance(begun, date) else begun
    return True


def _authorised_before_start(d: Draft) -> bool:
    row = d.assessed()
    start = row["cina_assessment_start_date"] if row else None
    if row is None or not isinstance(start, date) or start - 2 * DAY < d.year_start:
        return False
    row["cina_assessment_auth_date"] = start - 2 * DAY
    return True


def _late_unauthorised(d: Draft) -> bool:
    row, referral = d.assessed(), d.referral()
    if (
        row is None
        or referral is None
        or referral["cine_close_date"]
        or row["cina_referral_id"] != referral["cine_referral_id"]
    ):
        return False
    start = row["cina_assessment_start_date"]
    if (
        not isinstance(start, date)
        or start < d.year_start
        or working_days_between(start, d.as_at) < 50
    ):
        return False
    row |= {
        "cina_assessment_auth_date": None,
        "cina_assessment_outcome_json": None,
        "cina_assessment_outcome_nfa": None,
    }
    d.rows["ssd_assessment_factors"] = [
        f
        for f in d.rows.get("ssd_assessment_factors", [])
        if f["cinf_assessment_id"] != row["cina_assessment_id"]
    ]
    return True


def _with_factors(make: Callable[[list[str]], list[str]]) -> Callable[[Draft], bool]:
    def plant(d: Draft) -> bool:
        row, assessed = d.one("ssd_assessment_factors"), d.assessed()
        if (
            row is None
            or assessed is None
            or row["cinf_assessment_id"] != assessed["cina_assessment_id"]
        ):
            return False
        codes = list(json.loads(str(row["cinf_assessment_factors_json"])))
        if codes == ["21"]:
            return False
        row["cinf_assessment_factors_json"] = json.dumps(make(codes))
        return True

    return plant


def _weekend_conference(d: Draft) -> bool:
    meeting, plan = d.one("ssd_initial_cp_conference"), d.one("ssd_cp_plans")
    on = meeting["icpc_icpc_date"] if meeting else None
    if (
        meeting is None
        or plan is None
        or not isinstance(on, date)
        or on < d.year_start
        or plan["cppl_icpc_id"] != meeting["icpc_icpc_id"]
    ):
        return False
    saturday = on + timedelta(days=(5 - on.weekday()) % 7)
    if saturday > d.as_at:
        return False
    meeting["icpc_icpc_date"] = plan["cppl_cp_plan_start_date"] = saturday
    return True


def _review_before_plan(d: Draft) -> bool:
    review, plan = d.one("ssd_cp_reviews", 0), d.one("ssd_cp_plans")
    if review is None or plan is None or plan["cppl_cp_plan_id"] != review["cppr_cp_plan_id"]:
        return False
    end, start = plan["cppl_cp_plan_end_date"], plan["cppl_cp_plan_start_date"]
    if not isinstance(start, date) or (isinstance(end, date) and end < d.year_start):
        return False
    review["cppr_cp_review_date"] = start - 2 * DAY
    return True


def _enquiry_before_referral(d: Draft) -> bool:
    enquiry, referral = d.one("ssd_s47_enquiry"), d.referral()
    if (
        enquiry is None
        or referral is None
        or enquiry["s47e_referral_id"] != referral["cine_referral_id"]
    ):
        return False
    begun = referral["cine_referral_date"]
    if not isinstance(begun, date) or begun - 2 * DAY < d.year_start:
        return False
    enquiry["s47e_s47_start_date"] = begun - 2 * DAY
    return True


def _one_day_plan(d: Draft) -> bool:
    plan = d.one("ssd_cin_plans")
    end = plan["cinp_cin_plan_end_date"] if plan else None
    if plan is None or not isinstance(end, date) or end < d.year_start:
        return False
    plan["cinp_cin_plan_start_date"] = end
    return True


def _nfa_with_assessment(d: Draft) -> bool:
    row = d.one("ssd_cin_episodes")
    if (
        row is None
        or not row["cine_referral_nfa"]
        or not isinstance(on := row["cine_referral_date"], date)
        or on < d.year_start
    ):
        return False
    done = add_working_days(on, 8)
    key, person = f"AS{row['cine_referral_id']}9", row["cine_person_id"]
    if done > d.as_at:
        return False
    d.rows.setdefault("ssd_cin_assessments", []).append(
        {"cina_assessment_id": key, "cina_person_id": person, "cina_referral_id": row["cine_referral_id"],
         "cina_assessment_start_date": on, "cina_assessment_auth_date": done}
    )  # fmt: skip
    factors = {
        "cinf_table_id": f"FA{key}",
        "cinf_assessment_id": key,
        "cinf_assessment_factors_json": '["16A"]',
    }
    d.rows.setdefault("ssd_assessment_factors", []).append(factors)
    return True


def _early_help_that_none_gave(d: Draft) -> bool:
    row, assessed = d.referral(), d.assessed()
    closed = row["cine_close_date"] if row else None
    if (
        row is None
        or assessed is None
        or row["cine_close_reason"] != "RC8"
        or not isinstance(closed, date)
        or closed > d.as_at - 31 * DAY
        or any(abs((start - closed).days) <= 60 for start in d.early_help)
    ):
        return False
    row["cine_close_reason"] = "RC9"
    return True


@dataclass(frozen=True)
class Fault:
    """One kind of fault: where it shows, what plants it and the rules that it may trip."""

    name: str
    table: str
    plant: Callable[[Draft], bool]
    explains: str


FAULTS = (
    Fault("missing_ethnicity", "ssd_person", _missing_ethnicity, "4220 TE007"),
    Fault("weekend_conference", "ssd_initial_cp_conference", _weekend_conference, "8875"),
    Fault("closure_without_reason", "ssd_cin_episodes", _closure_without_reason, "8805 8873Q"),
    Fault("review_before_plan_start", "ssd_cp_reviews", _review_before_plan, "8841 4003"),
    Fault("upn_check_letter", "ssd_person", _upn_check_letter, "1510 8770Q TE002 TE004"),
    Fault("duplicate_upn", "ssd_person", _duplicate_upn, "1520 TE003"),
    Fault(
        "factor_21_with_others",
        "ssd_assessment_factors",
        _with_factors(lambda codes: [*codes, "21"]),
        "8869 8873Q",
    ),
    Fault("disability_none_with_others", "ssd_disability", _none_with_others, "8790 TE008"),
    Fault("late_unauthorised_assessment", "ssd_cin_assessments", _late_unauthorised, "8670Q TE021"),
    Fault("missing_disability", "ssd_disability", _missing_disability, "8540 TE008Q"),
    Fault("reason_without_closure_date", "ssd_cin_episodes", _reason_without_date, "8810 TE015"),
    Fault("missing_primary_need", "ssd_cin_episodes", _missing_primary_need, "8610"),
    Fault("enquiry_before_referral", "ssd_s47_enquiry", _enquiry_before_referral, "2889"),
    Fault("assessment_before_referral", "ssd_cin_assessments", _assessment_before_referral, "1103"),
    Fault("authorised_before_start", "ssd_cin_assessments", _authorised_before_start, "8608"),
    Fault(
        "superseded_factor_18A",
        "ssd_assessment_factors",
        _with_factors(lambda codes: [*codes, "18A"]),
        "8945Q",
    ),
    Fault(
        "repeated_factor",
        "ssd_assessment_factors",
        _with_factors(lambda codes: [*codes, codes[0]]),
        "8898",
    ),
    Fault("one_day_cin_plan", "ssd_cin_plans", _one_day_plan, "4012Q"),
    Fault("un1_at_school_age", "ssd_person", _un1_at_school_age, "8770Q TE004"),
    Fault("nfa_with_assessment", "ssd_cin_assessments", _nfa_with_assessment, "8831 8565"),
    Fault("missing_sex", "ssd_person", _missing_sex, "4180 2886Q"),
    Fault("no_help_after_rc9", "ssd_cin_episodes", _early_help_that_none_gave, "TE017"),
)


@dataclass
class Planter:
    """Plants faults in turn: the kinds waiting longest are tried first."""

    share: float
    waiting: list[Fault] = field(default_factory=lambda: list(FAULTS))

    def plant(self, rng: Random, draft: Draft) -> Fault | None:
        """Plant the first waiting fault that fits in a share of the children; return it."""
        if rng.random() >= self.share:
            return None
        for fault in self.waiting:
            if fault.plant(draft):
                self.waiting.remove(fault)
                self.waiting.append(fault)
                return fault
        return None
