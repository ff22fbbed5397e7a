"""The table of children's keys (``governance.subjects``), each wrapped under the hub's KEK."""

from __future__ import annotations

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from ffp_data.hub.models import Base, ChildId, Person


class SubjectKey(Base):
    """A child's key. A row that goes takes with it what every record says of the child."""

    __tablename__ = "hub_subject_key"

    child_id: Mapped[str] = mapped_column(ChildId, ForeignKey(Person.child_id), primary_key=True)
    kek: Mapped[str] = mapped_column(String(16), index=True)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
