"""A key for each child, wrapped: what stands for the child in records is made with it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hub_subject_key",
        sa.Column("child_id", sa.String(13), nullable=False),
        sa.Column("kek", sa.String(16), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("child_id", name="pk_hub_subject_key"),
        sa.ForeignKeyConstraint(
            ["child_id"], ["hub_person.child_id"], name="fk_hub_subject_key_child_id"
        ),
    )
    op.create_index("ix_hub_subject_key_kek", "hub_subject_key", ["kek"])
