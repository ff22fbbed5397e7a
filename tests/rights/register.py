"""A register of people for homes that tests make without a run: identifiers, records and keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import sqlalchemy as sa

from ffp_data.home.subjects import HubSubjects
from ffp_data.hub.database import create_engine, migrate, writing
from ffp_data.hub.models import ACTIVE, FINISHED, Membership, Person, Run
from ffp_data.settings import Home
from governance.keys import KeyStore

_DAY = date(2026, 3, 31)


def register(home: Home, members: Mapping[str, str]) -> HubSubjects:
    """Issue identifiers to the holders of these records (record key -> identifier), with their keys."""
    engine = create_engine(home.hub_url)
    migrate(engine)
    with writing(engine) as connection:
        run = {"run_id": "registered", "as_at": _DAY, "model_version": "m", "state": FINISHED}
        connection.execute(sa.insert(Run), {**run, "seq": 1, "input_digest": "0" * 64})
        people = [{"child_id": c, "issued_seq": 1, "status": ACTIVE} for c in {*members.values()}]
        connection.execute(sa.insert(Person), people)
        held = [
            {"record_key": record, "child_id": child, "from_seq": 1, "valid_from": _DAY}
            for record, child in members.items()
        ]
        connection.execute(sa.insert(Membership), held)
    engine.dispose()
    subjects = HubSubjects(home.hub_url, KeyStore(home.keys_dir))
    subjects.keys.ensure()
    return subjects
