"""Alembic migrations of the hub."""
