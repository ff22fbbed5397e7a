"""Seals: the filter of late rows, spent identifiers, and that a seal was."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("hub_sealed_token", "hub_spent"):
        op.create_table(
            table,
            sa.Column("token", sa.String(64), nullable=False),
            sa.PrimaryKeyConstraint("token", name=f"pk_{table}"),
        )
    op.create_table(
        "hub_seal",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("sealed_on", sa.Date(), nullable=False),
        sa.Column("sealed_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_hub_seal"),
        sqlite_autoincrement=True,
    )
