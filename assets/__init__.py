"""The Dagster graph: assets, checks, resources, sensors and jobs that wire the other packages, nothing else."""
