"""The steps of a run as plain functions, one module for each stage, in the order of the flow.

`run` says for which home, landing folder and as-at date; `policy` compiles the agreements; `ingest`
loads what they let in; `reference` writes calendars and feed states; `identify` links records and
assigns identifiers; `transform` prepares dbt; `publish` writes what leaves; `summary` tells a person
what happened. Dagster's assets call these and add nothing.
"""
