"""Sealing an adopted child: the old identity leaves the hub, and nothing ties it to the new one.

The custodian gives the old identifier only. `seal` takes it out of every place, step by step and
resumable; what it took lies in the `vault`, which only the custodian's private key opens; the `filter`
keeps its late rows out. How and why: docs/adoption.md.
"""
