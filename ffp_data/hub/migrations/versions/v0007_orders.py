"""Orders about children, and the filter of late rows of those who were erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hub_order",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("child_id", sa.String(13), nullable=True),
        sa.Column("scope", sa.Text(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=True),
        sa.Column("recipient", sa.Text(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("after_seq", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("lifting", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_hub_order"),
        sa.ForeignKeyConstraint(
            ["child_id"], ["hub_person.child_id"], name="fk_hub_order_child_id"
        ),
        sqlite_autoincrement=True,
    )
    for column in ("kind", "child_id"):
        op.create_index(f"ix_hub_order_{column}", "hub_order", [column])
    op.create_table(
        "hub_erased_token",
        sa.Column("token", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("token", name="pk_hub_erased_token"),
    )
