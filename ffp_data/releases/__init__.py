"""What leaves a home, made and released under its agreements: returns, extracts, collections, documents.

`offered` shows what an agreement gives, `make_return` makes a return of it, `reconciling` accounts for its figures
and `publish` hands it to the gate (`governance.release`), the only writer below `out/`; `kept_returns` and
`kept_quarters` hold what was signed. What a return looks like is `ffp_data.returns`.
"""
