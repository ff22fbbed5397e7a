"""Where the hub keeps its state and whose hub it is.

`FFP_HOME` holds everything that a run reads or writes; nothing of it is ever committed. Every path
that another module needs is a property here, so that a file's place is decided once.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from urllib.parse import quote

import yaml
from pydantic import Field, ValidationError

from ffp_data.strict import Strict

WAREHOUSE_FILE = (
    "warehouse.duckdb"  # dbt bakes the name into its manifest: vary the folder, never this
)
PARTNERSHIP_FILE = "partnership.yaml"


@dataclass(frozen=True)
class Home:
    """The state folder of one hub. Creating the object creates nothing on disk; `prepare` does."""

    root: Path

    @classmethod
    def at(cls, path: Path | str | None = None) -> Home:
        """The home named by `path`, else by `FFP_HOME`, else `./ffp_home`; always absolute."""
        return cls(Path(path or os.environ.get("FFP_HOME") or "ffp_home").resolve())

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    @property
    def contracts(self) -> Path:
        """Feed contracts of the partnership's own, beside the packaged ones."""
        return self.root / "contracts"

    @property
    def partner_keys(self) -> Path:
        """Public keys of agencies that sign what they deliver: `<agency>.pem`, Ed25519."""
        return self.root / "partner-keys"

    @property
    def case_systems(self) -> Path:
        """Case-system profiles of the partnership's own, which go before the packaged ones."""
        return self.root / "case_systems"

    @property
    def warehouse(self) -> Path:
        return self.root / WAREHOUSE_FILE

    @property
    def hub_url(self) -> str:
        """SQLAlchemy URL of the identifier hub: `FFP_HUB_URL`, else an encrypted SQLite file in this home."""
        own = f"sqlite+sqlcipher:///{self.hub_file}?keys={quote(str(self.keys_dir))}"
        return os.environ.get("FFP_HUB_URL") or own

    @property
    def hub_file(self) -> Path:
        """The hub's SQLite file, where the hub isn't on a server."""
        return self.root / "hub.db"

    @property
    def locks(self) -> Path:
        """Every lock that was compiled here, by its digest, and which of them each DPIA was asked about."""
        return self.root / "locks"

    @property
    def ledger_dir(self) -> Path:
        return self.root / "ledger"

    @property
    def keys_dir(self) -> Path:
        return self.root / "keys"

    @property
    def out(self) -> Path:
        return self.root / "out"

    @property
    def council(self) -> Path:
        """What the council keeps for itself beside its returns: findings, records of builds."""
        return self.root / "council"

    @property
    def profiles(self) -> Path:
        """Profiles of returns of the partnership's own, `tehadc-<year>.yaml`, which go before the packaged."""
        return self.root / "profiles"

    @property
    def access_file(self) -> Path:
        """Which user of the operating system has which roles: `access.yaml`."""
        return self.root / "access.yaml"

    @property
    def lock_file(self) -> Path:
        """The compiled, signed grants: the only policy that a run reads."""
        return self.root / "policy.lock.json"

    @property
    def tokens_file(self) -> Path:
        """Hashes of the API's bearer tokens."""
        return self.root / "access-tokens.json"

    @property
    def serving(self) -> Path:
        """Read-only snapshots for look-ups, one for each of the newest runs."""
        return self.root / "serving"

    @property
    def dagster_home(self) -> Path:
        return self.root / "dagster"

    @property
    def scratch(self) -> Path:
        """Spill files and dbt artefacts; safe to delete between runs."""
        return self.root / "scratch"

    def prepare(self) -> Home:
        """Make the folders that runs write to, readable by the owner alone."""
        for folder in (
            self.root,
            self.landing,
            self.ledger_dir,
            self.keys_dir,
            self.out,
            self.dagster_home,
            self.scratch,
        ):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.root.chmod(0o700)  # also where somebody made the folder before
        return self


class NoPartnershipError(ValueError):
    """The home does not say whose hub it is."""


class Partnership(Strict):
    """Whose hub this is: `partnership.yaml` in the home. Nothing is assumed for a home without one."""

    name: str
    la_code: str
    is_synthetic: bool
    """True only for made-up people: NHS numbers that begin with 9 are then accepted."""
    case_systems: tuple[str, ...] = ()
    """Case systems that the council runs; a drop out of another is refused. None named: any with a profile."""
    linkage_model: str | None = None
    """Path of a linkage model that replaces the packaged one."""
    contact: str = "the data team of the partnership"
    """Whom to tell of a page that cannot be used: words, with an address or a telephone number."""
    dagster: str | None = Field(None, pattern=r"^https?://[\w.:/\[\]-]+$")
    """Where Dagster's pages are, for links to them; none: no links."""
    linked_only: bool = False
    """Search shows only children whom two agencies know already, and those on the user's own caseload."""
    changes_kept_days: int = 90
    """How long the pages keep what changed about a child."""
    reports_kept_days: int = 90
    """How long a report that something is wrong is kept when nobody answers it."""

    @classmethod
    def of(cls, home: Home) -> Partnership:
        """Raises NoPartnershipError when the file is missing or says something else."""
        own = home.root / PARTNERSHIP_FILE
        if not own.is_file():
            raise NoPartnershipError(
                f"{own}: missing; say there whose hub this is (docs/operations.md), or make a "
                "demonstration with: ffp prepare --demo"
            )
        try:
            return cls.model_validate(yaml.safe_load(own.read_text("utf-8")))
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(map(str, each['loc'])) or 'the file'}: {each['msg']}"
                for each in error.errors()
            )
            raise NoPartnershipError(f"{own}: {wrong}; correct it (docs/operations.md)") from error
        except yaml.YAMLError as error:
            line = getattr(getattr(error, "problem_mark", None), "line", -1) + 1
            raise NoPartnershipError(f"{own}:{line or 1}: not YAML; correct the line") from error


def is_synthetic(home: Home) -> bool:
    """Whether the people of a home are made up; a home that does not say so holds real ones."""
    try:
        return Partnership.of(home).is_synthetic
    except NoPartnershipError:
        return False


def make_demonstration(home: Home) -> None:
    """Say in `home` that it is the made-up partnership's, unless it says whose it is already."""
    own = home.root / PARTNERSHIP_FILE
    if not own.exists():
        packaged = resources.files("ffp_data").joinpath(PARTNERSHIP_FILE)
        own.write_text(packaged.read_text("utf-8"), "utf-8")
