with cin_section47 as (
    select
        child_id as child_key,
        cin_key,
        s47_key,
        start_date as s47_actual_start_date,
        case when not is_conference_not_required then conference_target_date end as initial_cpc_target,
        conference_date as date_of_initial_cpc,
        {{ flag_code('is_conference_not_required') }} as icpc_not_required
    from {{ ref('int_census__enquiries') }}
)

select * from cin_section47
