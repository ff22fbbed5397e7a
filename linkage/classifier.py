"""The classifier of ``em``, imported when it is first needed.

recordlinkage brings pandas, SciPy and scikit-learn, which take longer to import than ten thousand
records take to link. A run asks for them before it reads its records, so that the two go side by side.
"""

from __future__ import annotations

import importlib
from threading import Thread
from typing import TYPE_CHECKING

from linkage.layout import Layout

if TYPE_CHECKING:
    from linkage.em import GroupedECM


def grouped_ecm(layout: Layout, max_iter: int = 200, atol: float = 1e-4) -> GroupedECM:
    """recordlinkage's classifier for grouped patterns of a layout."""
    from linkage import em  # noqa: PLC0415  # see above

    return em.GroupedECM(layout, max_iter, atol)


def import_meanwhile() -> None:
    """Begin to import the classifier; whoever needs it first waits for the rest.

    No daemon: a process that ends early waits, as a library cut off in its loading may abort it.
    """
    Thread(target=importlib.import_module, args=("linkage.em",)).start()
