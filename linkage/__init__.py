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
   ``kinds``: what each kind of test means, to every engine; on ``derived`` columns and ``strings``.
   ``packing``: the levels of a pair as one integer, its pattern.
   ``duck``: the engine on one machine. ``inputs``, ``coding``, ``equivalents`` and ``records`` make
   integers of the records, ``blocking`` proposes pairs, ``chunk``, ``levels``, ``values``,
   ``likeness`` and ``compare`` (levels as SQL) compare them, ``pairs`` keeps them.
4. ``layout``, ``em`` (imported by ``classifier`` while records are read), ``estimate`` and ``train``:
   recordlinkage's EM on grouped patterns, three classes.
   ``apart``: comparisons that depend on another one. ``diagnose``: can the estimates be trusted?
5. ``score``: weights of the pairs that could matter, with term frequencies. ``moves``: families that
   moved together.
   ``fitted``: what was learnt, kept to be used again.
6. ``cluster``, ``average``, ``decisions`` and ``assemble``: components, closure, repair under
   constraints. ``why``: the joins of each cluster, and what was not joined and why.
7. ``linker``: all of it in order, with ``output`` and ``run_report``. ``tables`` reads
   files for all.
8. ``incremental``, with ``state`` and ``changes``: new records against those that are there.
9. ``lookup``: one record against all in milliseconds, over a ``catalogue``; ``single`` compares two records.
10. ``evaluate``: how good it was; ``quality``: how sure that is, and for which groups; ``curves``: by
   threshold; ``clerical``: without labels. ``report``: a run as a folder with a page for people.
   ``schema``: the JSON Schema of model files.

``private`` is an engine for keyed tokens of records that the hub may not read.

In the words of Fellegi and Sunter (1969) and of Splink: a *pattern* is a comparison vector (gamma); a
level's probability is m for *one person* and u for *strangers*, with a third class between them for one
*household*; the *shares* of the classes among all pairs are the prior (lambda); a pair's *weight* is the
match weight, log2 of the posterior odds of one person; a *rule* is a blocking rule, a *kind* of test
what a comparison level asks, a *veto* a pattern that forbids a link.
"""

from __future__ import annotations

from linkage.errors import LinkageError
from linkage.evaluate import evaluate
from linkage.fitted import Fitted
from linkage.incremental import link_incremental, start
from linkage.linker import LinkResult, fit, link
from linkage.model import Model
from linkage.quality import quality

__all__ = [
    "Fitted",
    "LinkResult",
    "LinkageError",
    "Model",
    "evaluate",
    "fit",
    "link",
    "link_incremental",
    "quality",
    "start",
]
