"""A probabilistic linkage engine: records and a model file in, clusters and explained pairs out.

    >>> import linkage
    >>> model = linkage.Model.from_yaml("my_model.yaml")
    >>> result = linkage.link("records.parquet", model)
    >>> result.clusters, result.pairs, result.report

It knows nothing of what the records are about: that is all in the model (docs/linkage-model.md).
Read the package in this order:

1. ``spec`` and ``model``: what a model file may say, and how it is checked.
2. ``standardise``: named cleaning steps.
3. ``engine``: what an engine does, the only part that touches records or pairs in bulk.
   ``checks``: the input that every engine refuses.
   ``packing``: the levels of a pair as one integer, its pattern.
   ``duck``: the DuckDB engine, with ``records``, ``compare`` (levels as SQL) and ``pairs``.
4. ``em``, ``estimate`` and ``train``: recordlinkage's EM on grouped patterns, three classes.
5. ``score``: weights of the pairs that could matter, with term frequencies.
6. ``cluster`` and ``assemble``: components, closure, repair, constraints.
7. ``linker``: all of it in order. ``evaluate``: how good it was.
"""

from __future__ import annotations

from linkage.errors import LinkageError
from linkage.evaluate import evaluate
from linkage.linker import LinkResult, link
from linkage.model import Model

__all__ = ["LinkResult", "LinkageError", "Model", "evaluate", "link"]
