"""Sharing agreements that decide: policy as data, a compiled lock of grants, keys, ledger, release.

Agreements are YAML that an information-governance officer signs. They compile to one signed lock
file of grants; everything that the lock does not name is denied. Readers ask `grants.Grants`,
extracts leave only through `release.write_extract`, and every crossing is written to
`ledger.Ledger`. The package knows nothing of feeds' formats, Dagster, dbt or web pages.
"""
