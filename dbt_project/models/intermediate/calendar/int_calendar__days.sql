-- One row per day with the number of working days up to it. A start on a non-working day carries the number of the
-- working day before it, which is the roll-back that the duration rule asks for: elapsed = number(end) - number(start),
-- due = the working day numbered number(start) + limit. Days beyond the last loaded bank holidays do not exist here, so
-- that no date is computed on a guess.
with holidays as (
    select holiday_date from {{ ref('stg_meta__bank_holidays') }}
),

days as (
    select unnest(generate_series(
        (select date_trunc('year', min(holiday_date)) from holidays),
        (select date_trunc('year', max(holiday_date)) + interval 1 year - interval 1 day from holidays),
        interval 1 day
    ))::date as calendar_date
),

marked as (
    select
        days.calendar_date,
        isodow(days.calendar_date) <= 5 and holidays.holiday_date is null as is_working_day
    from days
    left join holidays on days.calendar_date = holidays.holiday_date
),

numbered as (
    select
        calendar_date,
        is_working_day,
        count(*) filter (where is_working_day) over (
            order by calendar_date rows between unbounded preceding and current row
        ) as working_day_number
    from marked
)

select * from numbered
