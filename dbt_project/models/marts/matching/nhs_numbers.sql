-- Every NHS number that anybody gives a child, each with who says so, how, how surely and since when.
with children as (
    select child_id from {{ ref('int_persons__children') }}
),

statements as (
    select * from {{ ref('int_matching__nhs_numbers') }}
),

numbers as (
    select
        statements.child_id,
        statements.nhs_number,
        statements.source,
        statements.method,
        statements.is_verified,
        max(statements.score) as score,
        max(statements.stated_on) filter (where statements.is_verified) as verified_on,
        max(statements.stated_on) as stated_on,
        max(statements.superseded_by) as superseded_by,
        count(distinct statements.record_key) as record_count
    from statements
    inner join children using (child_id)
    group by all
)

select * from numbers
