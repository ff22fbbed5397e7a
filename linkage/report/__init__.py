"""A run as files for people and machines: two tables, ``report.json`` and a page that needs nothing else.

    >>> from linkage import report
    >>> report.write(result, model, "out")

Read ``run`` and ``words`` first, then ``sections`` and ``quality_sections``; ``page`` puts them
together, ``examples`` picks pairs to explain, ``svg`` and ``element`` draw, ``folder`` writes.
"""

from __future__ import annotations

from linkage.report.folder import FILES, measure, read_truth, refuse_foreign, write

__all__ = ["FILES", "measure", "read_truth", "refuse_foreign", "write"]
