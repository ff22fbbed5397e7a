"""Runs, identifiers, memberships, decisions and events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_run()
    _create_person()
    _create_membership()
    _create_decision()
    _create_event()


def _create_run() -> None:
    op.create_table(
        "hub_run",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("as_at", sa.Date(), nullable=False),
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("input_digest", sa.String(64), nullable=False),
        sa.Column("summary", sa.JSON()),
        sa.PrimaryKeyConstraint("seq", name="pk_hub_run"),
        sa.UniqueConstraint("run_id", name="uq_hub_run_run_id"),
        sqlite_autoincrement=True,
    )


def _create_person() -> None:
    op.create_table(
        "hub_person",
        sa.Column("child_id", sa.String(13), nullable=False),
        sa.Column("issued_seq", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(7), nullable=False),
        sa.Column("replaced_by", sa.String(13)),
        sa.Column("retired_seq", sa.Integer()),
        sa.PrimaryKeyConstraint("child_id", name="pk_hub_person"),
        _references("hub_person", "issued_seq", "hub_run.seq"),
        _references("hub_person", "replaced_by", "hub_person.child_id"),
        _references("hub_person", "retired_seq", "hub_run.seq"),
    )
    op.create_index("ix_hub_person_replaced_by", "hub_person", ["replaced_by"])


def _create_membership() -> None:
    op.create_table(
        "hub_membership",
        sa.Column("membership_id", sa.Integer(), nullable=False),
        sa.Column("record_key", sa.Text(), nullable=False),
        sa.Column("child_id", sa.String(13), nullable=False),
        sa.Column("from_seq", sa.Integer(), nullable=False),
        sa.Column("to_seq", sa.Integer()),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date()),
        sa.Column("link_confidence", sa.Float()),
        sa.PrimaryKeyConstraint("membership_id", name="pk_hub_membership"),
        _references("hub_membership", "child_id", "hub_person.child_id"),
        _references("hub_membership", "from_seq", "hub_run.seq"),
        _references("hub_membership", "to_seq", "hub_run.seq"),
    )
    op.create_index("ix_hub_membership_child_id", "hub_membership", ["child_id"])
    op.create_index(
        "ix_hub_membership_record_key_from_seq", "hub_membership", ["record_key", "from_seq"]
    )
    op.create_index(
        "uq_hub_membership_open_record",
        "hub_membership",
        ["record_key"],
        unique=True,
        sqlite_where=sa.text("to_seq IS NULL"),
        postgresql_where=sa.text("to_seq IS NULL"),
    )


def _create_decision() -> None:
    op.create_table(
        "hub_decision",
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("left_record", sa.Text(), nullable=False),
        sa.Column("right_record", sa.Text(), nullable=False),
        sa.Column("verdict", sa.String(9), nullable=False),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("decision_id", name="pk_hub_decision"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_hub_decision_left_record_right_record", "hub_decision", ["left_record", "right_record"]
    )


def _create_event() -> None:
    op.create_table(
        "hub_event",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("child_id", sa.String(13), nullable=False),
        sa.Column("other_child_id", sa.String(13)),
        sa.Column("run_seq", sa.Integer()),
        sa.Column("decision_id", sa.Integer()),
        sa.Column("at", sa.DateTime(timezone=True)),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_hub_event"),
        _references("hub_event", "child_id", "hub_person.child_id"),
        _references("hub_event", "other_child_id", "hub_person.child_id"),
        _references("hub_event", "run_seq", "hub_run.seq"),
        _references("hub_event", "decision_id", "hub_decision.decision_id"),
        sqlite_autoincrement=True,
    )
    for column in ("child_id", "other_child_id", "run_seq"):
        op.create_index(f"ix_hub_event_{column}", "hub_event", [column])


def _references(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}")
