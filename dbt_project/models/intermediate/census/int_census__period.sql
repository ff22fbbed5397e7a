-- The collection year that the tables of the returns hold: a return of another year must not be made of them.
with period as (
    select
        '{{ var("collection_year") }}' as collection_year,
        {{ period_start() }} as period_start,
        {{ period_end() }} as period_end,
        {{ as_at() }} as as_at
)

select * from period
