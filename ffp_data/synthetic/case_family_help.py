"""Rows of our extension tables about the family: runs of Family Help across early help and need,
their plans, and missing episodes."""

from __future__ import annotations

from ffp_data.synthetic.care import Care, EarlyHelp, Need
from ffp_data.synthetic.case_rows import Scribe
from ffp_data.synthetic.people import shift


def chains(phases: list[Need | EarlyHelp]) -> list[list[Need | EarlyHelp]]:
    """Group phases into runs of Family Help: the next begins within thirty days of the end of the last."""
    runs: list[list[Need | EarlyHelp]] = []
    for phase in phases:
        if isinstance(phase, Need) and phase.nfa:
            continue
        last = runs[-1][-1] if runs else None
        end = None if last is None else last.closed if isinstance(last, Need) else last.end
        if end and (phase.referral - end).days <= 30:
            runs[-1].append(phase)
        else:
            runs.append([phase])
    return runs


def tier(phase: Need | EarlyHelp) -> str:
    """Return the tier of help that a phase ended, or stands, in."""
    if isinstance(phase, EarlyHelp):
        return "TEH"
    if phase.care and not phase.care.end:
        return "CLA"
    return "CP" if phase.protection and not phase.protection.end else "CIN"


def write_family_help(
    s: Scribe, family: str, number: int, run: list[Need | EarlyHelp], with_plans: bool
) -> None:
    """One run of Family Help, and its plans when the child is the one who carries them for the family."""
    key, last = f"FH{family}{run[0].referral:%y%m%d}", run[-1]
    lead = next((p for p in reversed(run) if isinstance(p, EarlyHelp)), None)
    ended = last.closed if isinstance(last, Need) else last.end
    social = isinstance(last, Need)
    s.put(
        "xt_family_help_episodes", fhe_id=key, fhe_family_id=family, fhe_person_id=s.person,
        start=run[0].start if isinstance(run[0], EarlyHelp) else run[0].referral, end=ended,
        source=run[0].source, end_reason=last.reason,
        tier_at_end=tier(last), lead_practitioner_id=s.worker(number),
        lead_practitioner_type="L2" if social or not lead else lead.role,
        agency="O1" if social or not lead else lead.agency,
    )  # fmt: skip
    if not with_plans:
        return
    spans = [("TEH", p.start, p.end) for p in run if isinstance(p, EarlyHelp)] + [
        ("CIN", a, b) for p in run if isinstance(p, Need) for a, b in p.plans
    ]
    for order, (kind, start, end) in enumerate(spans):
        s.put(
            "xt_family_help_plans", fhp_id=f"FP{key}{order}", fhe_id=key, plan_type=kind, start=start,
            review_due=shift(start, 84), end=end,
            outcome=s.rng.choice(("Met", "Partly met", "Not met")) if end else "",
        )  # fmt: skip


def write_missing(s: Scribe, care: Care) -> None:
    """A missing episode of a looked-after child, as social care noted it."""
    on = min(shift(care.start, 20), care.end or s.as_at, s.as_at)
    s.put(
        "ssd_missing", miss_table_id=f"MI{s.person}", miss_person_id=s.person, miss_missing_episode_start_date=on,
        miss_missing_episode_type="M", miss_missing_episode_end_date=min(shift(on, 1), s.as_at),
        miss_missing_rhi_offered="Y", miss_missing_rhi_accepted="N",
    )  # fmt: skip
