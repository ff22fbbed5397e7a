"""What says that a child has no name yet is said in two places, of linkage and of the view: they agree."""

from __future__ import annotations

from importlib import resources

import yaml

from ffp_data.paths import DBT_PROJECT


def test_the_view_knows_the_placeholders_that_linkage_knows() -> None:
    project = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text("utf-8"))
    model = resources.files("ffp_data.identity").joinpath("person_model.yaml").read_text("utf-8")
    assert f"null_if_matches: '{project['vars']['placeholder_given_names']}'" in model
