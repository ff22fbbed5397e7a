"""Withdrawal of a sharing agreement: what would go, going, and the proof that it went.

`simulate` tells without changing anything; `apply` ends the agreement and runs what is needed; `prove` rebuilds
everything twice, once with other values in place of what the agreement gave and once without its rows, and
compares both with what the home holds. `scratch` is where rebuilding takes place: in memory, spilling encrypted.
"""
