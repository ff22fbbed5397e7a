"""Roles and what each may do, from a YAML register that its JSON Schema checks.

Which rights there are is a matter of the program (`Right`); who has which is a matter of the
register. A right that no role names is nobody's. What is not granted is denied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from governance.policy.model import DEMO_DIRECTORY
from governance.policy.shape import shape_problems
from governance.policy.source import PolicyError, read_document

ROLES_FILE = "roles.yaml"


class Right(StrEnum):
    """What a role can be allowed. A new one also goes into the schema of the register."""

    IDENTIFY = "identify"  # find a child by demographics
    RESOLVE = "resolve"  # the identifier in use for an old one
    HISTORY = "history"  # what became of an identifier, and why
    PERSON = "person"  # name, birth date, sex and NHS number that belong to an identifier
    PLACE = "place"  # a postcode; never a protected person's
    PROTECTED_PLACE = "protected_place"  # a protected person's too
    AS_OF = "as_of"  # which identifier each record carried on a day
    CHANGES = "changes"  # what each recipient must be told
    OWN_CHANGES = "own_changes"  # the same, of the recipient whose name the token has
    EXPORT = "export"  # the list of records and identifiers
    VIEW = "view"  # the single view of a child whom one helps
    VIEW_OFF_CASELOAD = "view_off_caseload"  # of any other child
    SEARCH = "search"  # find a child by a name or a number
    QUEUE = "queue"  # the reviewers' queue
    EVIDENCE = "evidence"  # the values behind a doubtful pair
    DECIDE = "decide"  # say same, not the same, can't tell
    UNDO = "undo"  # take a decision back
    MODEL_GATE = "model_gate"  # try a linkage model
    MODEL_GO_LIVE = "model_go_live"  # let it decide
    SEAL = "seal"  # seal an adopted child's old identity
    SHIELD = "shield"  # order that nobody is told where a child is, and lift it
    BREAK_GLASS = "break_glass"  # read a shielded child's place after all
    RESTRICT = "restrict"  # restriction, objection, numbers left out, and what overrides them
    DECIDE_SHARE = (
        "decide_share"  # decide to share, or not to, about one child, and make the release
    )
    HOLD = "hold"  # stop destruction, for an inquiry
    ERASE = "erase"  # destroy what the hub holds of a child
    WITHDRAW = "withdraw"  # end an agreement, tell before what goes, and prove after that it went
    DISCLOSURES = "disclosures"  # to whom a child's data was disclosed
    AFFECTED = "affected"  # who is affected by a breach
    SUBJECT_ACCESS = (
        "subject_access"  # everything that is held on a child, for whom asks for their own
    )
    EXPLAIN = "explain"  # where a value of the single view comes from, with the value
    TOKENS = "tokens"  # give and take access to the API
    TAKE_AWAY = "take_away"  # the view of a child, or of a caseload, as a file
    REPORT_WRONG = "report_wrong"  # tell whoever owns a fact that it is wrong
    TEAM_LOOKS = "team_looks"  # who of one's team looked at children of others, and why
    ACCESS_LOG = "access_log"  # who looked at a child, and at whom a user looked
    OPERATE = "operate"  # how feeds, runs and models fare, without anybody's data
    LISTS = "lists"  # the lists of children whom a rule names
    PROGRAMME = "programme"  # counts of the whole partnership
    QUARTERLY = "quarterly"  # the quarter's figures, and whose they are
    QUARTERLY_ENTER = "quarterly_enter"  # type what no case tells: a state, a date, a narrative
    QUARTERLY_SIGN = "quarterly_sign"  # sign a quarter off
    RELEASE_LACKING = "release_lacking"  # release a return although a source of it is missing


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, and in which role: an operating-system user, or the name of an API token."""

    name: str
    role: str


@dataclass(frozen=True)
class Role:
    """One role: the purpose that its reads serve, its rights, and those that need a reason."""

    id: str
    title: str
    purpose: str
    rights: frozenset[Right]
    reason_for: frozenset[Right]


@dataclass(frozen=True)
class Roles:
    """The register by role id."""

    by_id: Mapping[str, Role]

    def may(self, principal: Principal, right: Right) -> bool:
        """Say whether the principal's role has the right; an unknown role has none."""
        role = self.by_id.get(principal.role)
        return role is not None and right in role.rights

    def needs_reason(self, principal: Principal, right: Right) -> bool:
        """Say whether this role must tell why it uses the right."""
        role = self.by_id.get(principal.role)
        return role is not None and right in role.reason_for

    def purpose(self, principal: Principal) -> str:
        """The purpose that the role's reads serve; empty for an unknown role."""
        role = self.by_id.get(principal.role)
        return role.purpose if role else ""


def load_roles(directory: Path = DEMO_DIRECTORY) -> Roles:
    """Read ``roles.yaml`` of a policy directory; raise PolicyError with file, line and remedy."""
    document = read_document(directory, directory / ROLES_FILE)
    if problems := list(shape_problems(document, "roles")):
        raise PolicyError(problems)
    roles = [
        Role(
            each["id"],
            each["title"],
            each["purpose"],
            frozenset(map(Right, each["rights"])),
            frozenset(map(Right, each.get("reason_for", ()))),
        )
        for each in document.data["roles"]
    ]
    by_id = {role.id: role for role in roles}
    if len(by_id) < len(roles):
        problem = document.problem("roles", "two roles have one id", "give each its own", "roles")
        raise PolicyError([problem])
    return Roles(by_id)
