"""Counts for those who answer for the programme: needs, returns home, moves between levels, differences by group."""
