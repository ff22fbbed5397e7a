"""Between which runs a decision was in force, so that an undo can take back what it did."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ("after_seq", "undone_seq", "rewound_seq"):
        op.add_column("hub_decision", sa.Column(column, sa.Integer()))
