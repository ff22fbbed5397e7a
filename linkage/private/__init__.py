"""Discovery without clear records: partners tokenise, the hub matches tokens, then asks for few.

Partners share a secret that the hub never holds. Each turns its records into keyed tokens and
keyed Bloom filters; the hub links those with the same estimation, scoring and clustering as clear
records, and asks each partner only for the records that matched another's
(docs/linkage-privacy.md). Read the package in this order:

1. ``settings``: the parameter file, and what of a linkage model can be asked of tokens.
2. ``secret``: making and reading the partners' secret; a key for each purpose.
3. ``plan`` and ``bloom``: which tokens a record needs, as SQL; texts to tokens and filters.
4. ``tokenise`` and ``tokens``: a partner's file written; the files read and refused at the hub.
5. ``levels`` and ``engine``: comparison levels over tokens; the ``Engine`` of the linkage package.
6. ``discover``: match, ask, answer.
"""

from __future__ import annotations
