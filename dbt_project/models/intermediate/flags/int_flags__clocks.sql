-- Clocks of children's social care that ran out. What each clock is, and when it is due, int_timeliness__clocks says.
with overdue as (
    select
        *,
        clock || '_overdue' as flag,
        case clock
            when 'assessment' then 'assessment'
            else 'section 47 enquiry with no initial conference'
        end as what,
        case clock when 'assessment' then 'ssd_cin_assessments' else 'ssd_s47_enquiry' end as source_table
    from {{ ref('int_timeliness__clocks') }}
    where clock in ('assessment', 'conference') and state = 'overdue' and is_confident
),

flags as (
    select
        child_id,
        flag,
        min(start_date) as since,
        'Open longer than ' || time_limit || ' working days: ' || what as rule_in_words,
        'started ' || min(start_date) || ', ' || max(days) || ' working days ago' as facts,
        'case_system' as source,
        {{ origins_of(origin('overdue.source_table', 'overdue')) }} as origins
    from overdue
    group by child_id, flag, time_limit, what
)

select * from flags
