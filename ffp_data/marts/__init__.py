"""The marts as a run builds them: `transform` prepares dbt and runs it, `build_gate` first asks whether the
agreements permit every column that its models read. The models themselves are `dbt_project/`.
"""
