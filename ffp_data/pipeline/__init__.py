"""The steps of a run as plain functions, one module for each stage, in the order of the flow.

`ingest` loads what the agreements let in; `reference` writes calendars and feed states; `identify` links
records and assigns identifiers; `ffp_data.marts` builds the marts and `ffp_data.releases` makes what leaves;
`review_queue` publishes what reviewers should look at; `summary` tells a person what happened. Dagster's
assets call these and add nothing. What every step asks of its home is in `ffp_data.home`.
"""
