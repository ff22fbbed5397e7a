"""What is typed for the quarterly collection."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hub_quarterly_entry",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("item", sa.String(8), nullable=False),
        sa.Column("quarter", sa.String(10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_hub_quarterly_entry"),
        sa.UniqueConstraint("item", "quarter", "version", name="uq_hub_quarterly_entry"),
        sqlite_autoincrement=True,
    )
