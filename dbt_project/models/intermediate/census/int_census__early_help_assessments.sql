with assessments as (
    select
        episodes.child_id,
        episodes.teh_episode_id,
        facts.assessment_id,
        facts.start_date,
        {{ known_by('facts.completion_date', period_end()) }} as completion_date,
        facts.organisation_code,
        -- One form in every file: codes parted by '|', sorted, once each.
        case
            when facts.completion_date <= {{ period_end() }}
                then
                    array_to_string(
                        list_sort(list_distinct(list_filter(
                            list_transform(regexp_split_to_array(facts.factors, '[|;,]'), code -> trim(code)),
                            code -> code != ''
                        ))),
                        '|'
                    )
        end as factors
    from {{ ref('stg_early_help__assessments') }} as facts
    inner join {{ ref('int_persons__records') }} as records using (record_key)
    inner join {{ ref('int_census__early_help') }} as episodes
        on records.child_id = episodes.child_id and facts.teh_episode_id = episodes.teh_episode_id
    where facts.start_date <= {{ period_end() }}
),

once as (
    select * from assessments
    qualify
        row_number() over (partition by child_id, teh_episode_id, start_date, completion_date order by assessment_id)
        = 1
)

select * from once
