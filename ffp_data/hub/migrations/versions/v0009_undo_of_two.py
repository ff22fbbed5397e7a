"""A decision of two people is taken back by two: the request, and the other's answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hub_review_undo",
        sa.Column("undo_id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_by", sa.Text()),
        sa.Column("answer", sa.String(4)),
        sa.Column("answer_reason", sa.Text()),
        sa.Column("answered_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("undo_id", name="pk_hub_review_undo"),
        sa.ForeignKeyConstraint(
            ["decision_id"],
            ["hub_decision.decision_id"],
            name="fk_hub_review_undo_decision_id_hub_decision",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_hub_review_undo_open_decision",
        "hub_review_undo",
        ["decision_id"],
        unique=True,
        sqlite_where=sa.text("answered_at IS NULL"),
        postgresql_where=sa.text("answered_at IS NULL"),
    )
