select distinct
    records.child_id as child_key,
    scores.completed_date as date,
    scores.score
from staging.stg_case_system__strengths_scores as scores
inner join intermediate.int_persons__records as records using (record_key)
where scores.score is not null and scores.completed_date between $window_start and $as_at
