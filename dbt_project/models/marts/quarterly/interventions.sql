-- Child protection interventions with the team's part in them, as `int_quarterly__interventions` ties them together.
with interventions as (
    select * from {{ ref('int_quarterly__interventions') }}
)

select
    child_id,
    intervention_id,
    start_date,
    end_date,
    start_basis,
    end_basis,
    enquiry_end_date,
    conference_date,
    plan_start_date,
    plan_end_date,
    is_with_team,
    team_start_date,
    team_end_date,
    is_harm_outside_home,
    is_confident,
    source_table,
    record_key,
    delivery_id,
    line
from interventions
