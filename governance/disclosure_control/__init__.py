"""Counts that may be published: small ones hidden, and enough others that nobody works them out."""

from governance.disclosure_control.attack import Interval, attack, recovered
from governance.disclosure_control.protect import Protected, protect
from governance.disclosure_control.rules import Rules
from governance.disclosure_control.shares import share
from governance.disclosure_control.table import Dimension, Frame, Published, Table

__all__ = [
    "Dimension",
    "Frame",
    "Interval",
    "Protected",
    "Published",
    "Rules",
    "Table",
    "attack",
    "protect",
    "recovered",
    "share",
]
