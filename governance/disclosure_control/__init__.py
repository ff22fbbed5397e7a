"""Counts that may be published: small ones hidden, and enough others that nobody works them out.

What solves equations is imported from its own module (`protect`, `attack`): scipy's solvers take over half a second
to read, and each run needs the tables alone.
"""

from governance.disclosure_control.rules import Rules
from governance.disclosure_control.shares import share
from governance.disclosure_control.table import Dimension, Frame, Published, Table

__all__ = ["Dimension", "Frame", "Published", "Rules", "Table", "share"]
