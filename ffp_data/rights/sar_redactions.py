"""The officer's decisions about an answer: what is withheld and what is shown, each with a ground and a reason.

Decisions are a YAML file that names facts or items of the working copy by their ids, and recipients who may
not be named. What is marked and not decided is withheld. The reasons are the officer's record: they are
kept in the ledger, closed under the child's own key, and stand in no copy.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from ffp_data.rights.sar_pack import IN_WORDS, Fact, Item, Pack, Section, Why
from ffp_data.strict import Strict
from governance.canonical import sha256_hex
from governance.subjects import SubjectKeys

_TO = "to"
_LEDGER = "ledger"


class RedactionError(ValueError):
    """A file of decisions that can't be read, or that names what is not in the answer."""


class Decided(Strict):
    """A fact or a whole item, by id: ``show`` what was marked, or ``withhold``, marked or not."""

    id: str
    action: Literal["show", "withhold"]
    why: Why | None = None
    reason: Annotated[str, Field(min_length=3)]

    @model_validator(mode="after")
    def _has_ground(self) -> Decided:
        if self.action == "withhold" and self.why in (None, Why.UNDECIDED):
            raise ValueError("withhold needs why: third_party, serious_harm, crime or endangers")
        return self


class WithheldRecipient(Strict):
    """A recipient whose name would endanger somebody (Harrison v Cameron [2024] EWHC 1377 (KB))."""

    recipient: str
    reason: Annotated[str, Field(min_length=3)]


class Stop(Strict):
    """Days on which the clock stood still (UK GDPR Art 12A): for clarification, or to know who asks."""

    stopped: date
    resumed: date
    reason: Annotated[str, Field(min_length=3)]


class Decisions(Strict):
    """The file."""

    decided_by: Annotated[str, Field(min_length=2)]
    items: tuple[Decided, ...] = ()
    recipients: tuple[WithheldRecipient, ...] = ()
    clock: tuple[Stop, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Decisions:
        """Raises RedactionError with the place in the file; never a value of it."""
        try:
            return cls.model_validate(yaml.safe_load(path.read_text("utf-8")))
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise RedactionError(f"{path}: {place}: {first['msg']}") from None
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise RedactionError(f"{path}: cannot be read ({type(error).__name__})") from None

    def told(self, keys: SubjectKeys, child_id: str) -> dict[str, Any]:
        """What the ledger keeps: ids, actions and grounds; the reasons closed under the child's key."""
        reasons = {each.id: each.reason for each in self.items}
        reasons |= {f"recipient {n}": each.reason for n, each in enumerate(self.recipients)}
        closed = keys.encrypt(child_id, json.dumps(reasons, sort_keys=True).encode())
        return {
            "decided_by": self.decided_by,
            "decisions": [
                {"id": each.id, "action": each.action, "why": each.why} for each in self.items
            ],
            "recipients_withheld": len(self.recipients),
            "clock_stops": len(self.clock),
            "reasons": base64.b64encode(closed).decode(),
            "reasons_sha256": sha256_hex(closed),
        }


def decided(pack: Pack, decisions: Decisions) -> Pack:
    """The copy for the person who asked. Raises RedactionError for an id that is not in the answer."""
    by_id = {each.id: each for each in decisions.items}
    known = {each.id for each in pack.facts()} | {i.id for s in pack.sections for i in s.items}
    if unknown := sorted(by_id.keys() - known):
        raise RedactionError(
            f"{unknown[0]}: no such item in this answer; take ids from its working copy"
        )
    hidden = {each.recipient for each in decisions.recipients}
    sections = [_section(section, by_id, hidden) for section in pack.sections]
    facts = [fact for section in sections for each in section.items for fact in each.facts]
    withheld = sum(fact.withheld is not None for fact in facts)
    undecided = sum(fact.withheld == IN_WORDS[Why.UNDECIDED] for fact in facts)
    changes = {"sections": sections, "withheld": withheld, "to_decide": undecided}
    return pack.model_copy(update={**changes, "is_working_copy": False})


def _section(section: Section, by_id: Mapping[str, Decided], hidden: set[str]) -> Section:
    items = [_item(each, by_id, hidden) for each in section.items]
    return section.model_copy(update={"items": items})


def _item(item: Item, by_id: Mapping[str, Decided], hidden: set[str]) -> Item:
    whole = by_id.get(item.id)
    if whole is not None and whole.action == "withhold":
        assert whole.why is not None, "required above"
        words = IN_WORDS[whole.why]
        source = item.source.model_copy(update={"record": None})
        return item.model_copy(update={"facts": [], "withheld": words, "source": source})
    shows = whole is not None
    facts = [_fact(item, fact, by_id.get(fact.id), hidden, shows=shows) for fact in item.facts]
    return item.model_copy(update={"facts": facts})


def _fact(item: Item, fact: Fact, said: Decided | None, hidden: set[str], *, shows: bool) -> Fact:
    why = _ground(item, fact, said, hidden, shows=shows)
    if why is None:
        return fact.model_copy(update={"mark": None})
    return fact.model_copy(update={"mark": None, "value": "", "withheld": IN_WORDS[why]})


def _ground(
    item: Item, fact: Fact, said: Decided | None, hidden: set[str], *, shows: bool
) -> Why | None:
    """Why a fact is withheld; None where it is shown."""
    if item.source.table == _LEDGER and fact.name == _TO and fact.value in hidden:
        return Why.ENDANGERS
    if said is not None:
        return said.why if said.action == "withhold" else None
    return Why.UNDECIDED if fact.mark and not shows else None
