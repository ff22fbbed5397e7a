"""`python -m ffp_data` is `ffp`."""

from ffp_data.cli.main import app

app()
