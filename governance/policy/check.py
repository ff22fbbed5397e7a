"""Whether a policy holds together on a day: shape first, then what files say of each other.

Each rule is a function of the policy, one agreement and the day, and yields problems with the
line they stand on. Rules need well-formed files, so they run only where the shape is right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from fnmatch import fnmatch
from typing import Any

from governance.envelope import PublicKey, RecipientKeyError
from governance.policy.cohort import wrong_with_members
from governance.policy.counts import counts_apart
from governance.policy.model import REGISTERS, Policy, why_not_in_force
from governance.policy.narrow import widening_problems
from governance.policy.shape import shape_problems
from governance.policy.source import Document, Problem

Rule = Callable[[Policy, Document, str], Iterator[Problem]]

_STRICTNESS = {"ordinary": 0, "special": 1, "criminal": 2}


def check(policy: Policy, as_at: date) -> list[Problem]:
    """Return every problem of the policy on ``as_at``; compiling needs one without errors."""
    problems = [*_shapes(policy)]
    if not problems:
        problems = [*_unique_ids(policy), *_seal_keys(policy)]
        problems += [*_cohorts(policy), *_charters(policy)]
    if not problems:
        problems = [*_agreements(policy, as_at.isoformat()), *_overlaps(policy, as_at.isoformat())]
    return sorted(problems, key=lambda each: (each.file, each.line, each.rule, each.message))


def _shapes(policy: Policy) -> Iterator[Problem]:
    for name in REGISTERS:
        yield from shape_problems(policy.registers[name], name)
    for charter in policy.charters:
        yield from shape_problems(charter, "charter")
    for agreement in policy.agreements:
        if not isinstance(agreement.data, dict):
            yield agreement.problem("schema", "the file is empty", "fill it or delete it")
            continue
        charters = [each for each in policy.charters if isinstance(each.data, dict)]
        terms = {each.data.get("id"): each.data.get("terms") or {} for each in charters}
        inherited = terms.get(agreement.data.get("inherits"), {})
        yield from shape_problems(agreement, "agreement", {**inherited, **agreement.data})


def _unique_ids(policy: Policy) -> Iterator[Problem]:
    for name in REGISTERS:
        document = policy.registers[name]
        ids = [each["id"] for each in document.data[name]]
        for index, each in enumerate(ids):
            if each in ids[:index]:
                yield document.problem(
                    "unique_id", f"{each} stands twice", "rename one", name, index
                )
    for document in (*policy.charters, *policy.agreements):
        if document.file.rpartition("/")[2] != f"{document.data['id']}.yaml":
            yield document.problem(
                "file_name",
                f"{document.data['id']} in {document.file}",
                "name the file as its id",
                "id",
            )


def _seal_keys(policy: Policy) -> Iterator[Problem]:
    """A key that nothing can be sealed to would stop a release on the day that it is due."""
    document = policy.registers["organisations"]
    for index, organisation in enumerate(document.data["organisations"]):
        teams = enumerate(organisation.get("teams", ()))
        places = [(("teams", number), team) for number, team in teams]
        for place, holder in [((), organisation), *places]:
            if "seal_to" not in holder:
                continue
            try:
                PublicKey.parse(holder["seal_to"])
            except RecipientKeyError as wrong:
                remedy = "ask the recipient for the line that `ffp extract keygen` printed, whole"
                where = ("organisations", index, *place, "seal_to")
                yield document.problem("seal_to", f"{holder['id']}: {wrong}", remedy, *where)


def _cohorts(policy: Policy) -> Iterator[Problem]:
    document = policy.registers["cohorts"]
    for index, cohort in enumerate(document.data["cohorts"]):
        if cohort["members"] is not None and (wrong := wrong_with_members(cohort)):
            remedy = f"write one SELECT of {cohort['key']} over tables of the marts"
            yield document.problem("cohort", wrong, remedy, "cohorts", index, "members")


def _charters(policy: Policy) -> Iterator[Problem]:
    known = {
        "parties": "organisations",
        "purposes": "purposes",
        "gateways": "gateways",
        "categories": "categories",
    }
    for charter in policy.charters:
        for field, register in known.items():
            yield from _unknown(policy, charter, register, charter.data[field], field)
        yield from _date_order(charter)


def _agreements(policy: Policy, as_at: str) -> Iterator[Problem]:
    for agreement in policy.agreements:
        dangling = [each for rule in _REFERENCE_RULES for each in rule(policy, agreement, as_at)]
        yield from dangling
        if not dangling:
            for rule in _RULES:
                yield from rule(policy, agreement, as_at)


# What an agreement names must exist.


def _unknown(
    policy: Policy, document: Document, register: str, ids: list[str], *place: str | int
) -> Iterator[Problem]:
    for index, each in enumerate(ids):
        if each not in policy.entries(register):
            remedy = f"add it to {register}.yaml or mend the name"
            yield document.problem(
                "known", f"{each} is not in {register}.yaml", remedy, *place, index
            )


def _names_exist(policy: Policy, agreement: Document, _as_at: str) -> Iterator[Problem]:
    data = agreement.data
    if data["inherits"] not in policy.charters_by_id:
        yield agreement.problem(
            "known", f"no charter {data['inherits']}", "add or mend it", "inherits"
        )
    if data["rows"]["cohort"] not in policy.entries("cohorts"):
        remedy = "add it to cohorts.yaml or mend the name"
        yield agreement.problem(
            "known", f"no cohort {data['rows']['cohort']}", remedy, "rows", "cohort"
        )
    yield from _feeds_are_named(policy, agreement)
    if data["direction"] == "outbound" and data["recipient"] not in policy.recipients:
        remedy = "add the organisation or team to organisations.yaml"
        yield agreement.problem("known", f"no recipient {data['recipient']}", remedy, "recipient")
    yield from _unknown(policy, agreement, "purposes", data["purposes"], "purposes")
    yield from _unknown(policy, agreement, "gateways", data["gateways"], "gateways")


def _feeds_are_named(policy: Policy, agreement: Document) -> Iterator[Problem]:
    """A table that mixes feeds must not begin to give a new feed away because one was added."""
    data = agreement.data
    if data["direction"] == "outbound" and "feeds" not in data["rows"]:
        for item in data["items"]:
            if "source" in item["columns"]:
                remedy = "add feeds: with the id of each feed whose facts the recipient may have"
                message = f"{item['relation']} holds facts of many feeds, and none is named"
                yield agreement.problem("feeds", message, remedy, "rows")
                return


def _people_and_categories_exist(
    policy: Policy, agreement: Document, _as_at: str
) -> Iterator[Problem]:
    organisations, categories = policy.entries("organisations"), policy.entries("categories")
    for field in ("parties", "signatures"):
        for index, entry in enumerate(agreement.data[field]):
            if entry["org"] not in organisations:
                remedy = "add it to organisations.yaml or mend the name"
                yield agreement.problem(
                    "known", f"no organisation {entry['org']}", remedy, field, index
                )
    for index, item in enumerate(agreement.data["items"]):
        if item["category"] not in categories:
            remedy = "add it to categories.yaml or mend the name"
            yield agreement.problem(
                "known", f"no category {item['category']}", remedy, "items", index
            )


# What an agreement says must hold together.


def _date_order(document: Document) -> Iterator[Problem]:
    data = document.data
    if not data["starts"] < data["review"] <= data["expires"]:
        message = f"starts {data['starts']}, review {data['review']}, expires {data['expires']}"
        yield document.problem("dates", message, "put start, review and expiry in order", "review")


def _signed_in_time(agreement: Document) -> Iterator[Problem]:
    """Of agreements alone: a partner may sign the charter later, and joins on that day."""
    for index, signature in enumerate(agreement.data["signatures"]):
        if signature["on"] > agreement.data["starts"]:
            message = f"{signature['org']} signed on {signature['on']}, after the start"
            yield agreement.problem(
                "dates", message, "start after the last signature", "signatures", index
            )


def _dates(_policy: Policy, agreement: Document, as_at: str) -> Iterator[Problem]:
    yield from _date_order(agreement)
    yield from _signed_in_time(agreement)
    data = agreement.data
    if data["dpia"]["approved"] > data["starts"]:
        message = f"the DPIA was approved on {data['dpia']['approved']}, after the start"
        yield agreement.problem("dpia", message, "start after the approval", "dpia", "approved")
    if data["status"] == "live" and data["review"] <= as_at < data["expires"]:
        message = f"the review of {data['review']} is due"
        yield agreement.warning("review_due", message, "review it and set the next date", "review")


def _sides(policy: Policy, agreement: Document, _as_at: str) -> Iterator[Problem]:
    parties = agreement.data["parties"]
    for side in ("gives", "receives"):
        if not any(side in party for party in parties):
            yield agreement.problem(
                "parties", f"nobody {side}", f"mark a party with {side}: true", "parties"
            )
    signed = {signature["org"] for signature in agreement.data["signatures"]}
    for index, party in enumerate(parties):
        if party["org"] not in signed:
            remedy = "add its signature or leave the status at draft"
            yield agreement.problem(
                "signed", f"{party['org']} has not signed", remedy, "parties", index
            )
    receivers = {party["org"] for party in parties if "receives" in party}
    recipient = agreement.data.get("recipient")
    if recipient and policy.recipients[recipient] not in receivers:
        message = f"{recipient} belongs to no receiving party"
        yield agreement.problem(
            "parties", message, "name its organisation as receiver", "recipient"
        )


def _gateways(policy: Policy, agreement: Document, as_at: str) -> Iterator[Problem]:
    charter = policy.charters_by_id[agreement.data["inherits"]]
    if why_not_in_force(agreement, charter, as_at):
        return
    kinds = {
        policy.entries("organisations")[each["org"]]["kind"] for each in agreement.data["parties"]
    }
    for index, name in enumerate(agreement.data["gateways"]):
        if wrong := _wrong_with_gateway(policy.entries("gateways")[name], agreement, kinds, as_at):
            remedy = "rely on another gateway, or leave the agreement out of force"
            yield agreement.problem("gateway", f"{name} {wrong}", remedy, "gateways", index)


def _wrong_with_gateway(
    gateway: dict[str, Any], agreement: Document, kinds: set[str], as_at: str
) -> str | None:
    begins, ends = gateway["in_force_from"], gateway["in_force_to"]
    if begins is None or as_at < begins:
        return f"is not in force on {as_at}"
    if ends is not None and as_at >= ends:
        return f"ceased on {ends}"
    if not kinds & set(gateway["relied_on_by"]):
        return f"may be relied on by {', '.join(gateway['relied_on_by'])} only"
    if gateway["decision"] == "case" and agreement.data["rows"]["decision"] == "bulk":
        return "is a judgement about one child and permits no bulk flow"
    return None


def _bases(policy: Policy, agreement: Document, _as_at: str) -> Iterator[Problem]:
    basis, kinds = agreement.data["lawful_basis"], policy.entries("categories")
    for index, item in enumerate(agreement.data["items"]):
        kind = kinds[item["category"]]["kind"]
        article = {"special": "art9", "criminal": "art10"}.get(kind)
        if article is None:
            continue
        missing = [name for name in (article, "sch1", "apd") if name not in basis]
        if missing:
            message = f"{item['category']} data without {', '.join(missing)}"
            remedy = "complete lawful_basis or take the columns out"
            yield agreement.problem("basis", message, remedy, "items", index, "category")


def _understated(policy: Policy, agreement: Document, _as_at: str) -> Iterator[Problem]:
    """A column whose name betrays a stricter category than the item gives it."""
    categories = policy.entries("categories")
    for index, item in enumerate(agreement.data["items"]):
        given = _STRICTNESS[categories[item["category"]]["kind"]]
        for column in item["columns"]:
            for name, category in categories.items():
                betrays = any(fnmatch(column, pattern) for pattern in category.get("names", ()))
                if betrays and _STRICTNESS[category["kind"]] > given:
                    message = f"{column} looks like {name}, not {item['category']}"
                    remedy = "give it its own item with that category"
                    yield agreement.problem("category", message, remedy, "items", index, "columns")


def _opt_outs(policy: Policy, agreement: Document, _as_at: str) -> Iterator[Problem]:
    """Nothing that is delivered tells who has opted out, so what the opt-out applies to is not shared."""
    purposes = policy.entries("purposes")
    if agreement.data["direction"] == "outbound":
        for index, name in enumerate(agreement.data["purposes"]):
            if purposes[name]["opt_out"]["applies"]:
                message = (
                    f"{name} is under the national data opt-out, and no feed tells who opted out"
                )
                remedy = "share for a purpose outside the opt-out, or not at all"
                yield agreement.problem("opt_out", message, remedy, "purposes", index)


def _givers(policy: Policy, agreement: Document, _as_at: str) -> Iterator[Problem]:
    organisations, data = policy.entries("organisations"), agreement.data
    givers = [organisations[each["org"]] for each in data["parties"] if "gives" in each]
    if any(each["regime"] == "part3" for each in givers) and data["regime"] != "part3_source":
        message = "a competent authority gives, so the source falls under DPA 2018 Part 3"
        yield agreement.problem("regime", message, "set regime: part3_source", "regime")
    guardians = {each["org"] for each in data["signatures"] if each["by"] == "Caldicott Guardian"}
    for giver in givers:
        if giver["kind"] == "nhs_trust" and giver["id"] not in guardians:
            message = f"{giver['id']} gives health data without its Caldicott Guardian"
            yield agreement.problem(
                "caldicott", message, "add the Guardian's signature", "signatures"
            )


def _columns_once(_policy: Policy, agreement: Document, _as_at: str) -> Iterator[Problem]:
    named = [
        (_relation(item), column)
        for item in (*agreement.data["items"], *agreement.data.get("excluded", ()))
        for column in item["columns"]
    ]
    for (relation, column), count in Counter(named).items():
        if count > 1:
            message = f"{relation}.{column} is named {count} times"
            yield agreement.problem("columns", message, "name each column once", "items")
    for index, item in enumerate(agreement.data["items"]):
        extra = sorted(set(item.get("purposes", ())) - set(agreement.data["purposes"]))
        if extra:
            message = f"purposes that the agreement lacks: {', '.join(extra)}"
            yield agreement.problem(
                "columns", message, "an item may only narrow", "items", index, "purposes"
            )


def _relation(item: dict[str, Any]) -> str:
    return str(item.get("relation") or f"{item['feed']}.{item['table']}")


def _widening(policy: Policy, agreement: Document, _as_at: str) -> Iterator[Problem]:
    return widening_problems(agreement, policy.charters_by_id[agreement.data["inherits"]])


_REFERENCE_RULES: tuple[Rule, ...] = (_names_exist, _people_and_categories_exist)
_RULES: tuple[Rule, ...] = (
    _dates,
    _sides,
    _gateways,
    _bases,
    _understated,
    _opt_outs,
    _givers,
    _columns_once,
    counts_apart,
    _widening,
)


# Two agreements in force must not answer one question.


def _overlaps(policy: Policy, as_at: str) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for agreement in policy.agreements:
        charter = policy.charters_by_id.get(agreement.data["inherits"])
        if charter is None or why_not_in_force(agreement, charter, as_at):
            continue
        for flow in sorted(_flows(agreement)):
            other = seen.setdefault(flow, agreement.data["id"])
            if other != agreement.data["id"]:
                message = f"{flow} is already decided by {other}"
                yield agreement.problem("overlap", message, "end one of the two", "items")


def _flows(agreement: Document) -> set[str]:
    if agreement.data["direction"] == "inbound":
        return {_relation(item) for item in agreement.data["items"]}
    return {f"{agreement.data['recipient']} for {each}" for each in agreement.data["purposes"]}
