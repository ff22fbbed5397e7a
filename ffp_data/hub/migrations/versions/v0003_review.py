"""The review: questions, verdicts of each reviewer, reservations, and pairs that somebody asked about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_item()
    _create_verdict()
    _create_hold()
    _create_question()


def _create_item() -> None:
    op.create_table(
        "hub_review_item",
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("left_record", sa.Text(), nullable=False),
        sa.Column("right_record", sa.Text(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("readers", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.String(64), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.Column("decision_id", sa.Integer()),
        sa.PrimaryKeyConstraint("item_id", name="pk_hub_review_item"),
        _references("hub_review_item", "decision_id", "hub_decision.decision_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_hub_review_item_decision_id", "hub_review_item", ["decision_id"])
    op.create_index(
        "uq_hub_review_item_open_pair",
        "hub_review_item",
        ["left_record", "right_record"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )


def _create_verdict() -> None:
    op.create_table(
        "hub_review_verdict",
        sa.Column("verdict_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("blind_verdict", sa.String(9), nullable=False),
        sa.Column("blind_reason", sa.Text(), nullable=False),
        sa.Column("blind_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("final_verdict", sa.String(9)),
        sa.Column("final_reason", sa.Text()),
        sa.Column("final_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("verdict_id", name="pk_hub_review_verdict"),
        _references("hub_review_verdict", "item_id", "hub_review_item.item_id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_hub_review_verdict_item_id_reviewer",
        "hub_review_verdict",
        ["item_id", "reviewer"],
        unique=True,
    )


def _create_hold() -> None:
    op.create_table(
        "hub_review_hold",
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("item_id", name="pk_hub_review_hold"),
        _references("hub_review_hold", "item_id", "hub_review_item.item_id"),
    )


def _create_question() -> None:
    op.create_table(
        "hub_review_question",
        sa.Column("question_id", sa.Integer(), nullable=False),
        sa.Column("left_record", sa.Text(), nullable=False),
        sa.Column("right_record", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("question_id", name="pk_hub_review_question"),
        sqlite_autoincrement=True,
    )


def _references(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}")
