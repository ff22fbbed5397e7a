"""Alembic's entry: migrates the connection that ``database.migrate`` hands over."""

from __future__ import annotations

from alembic import context

from ffp_data.hub.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,
)
context.run_migrations()
