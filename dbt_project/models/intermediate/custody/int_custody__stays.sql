-- The present or last stay in prison, as the prisons tell it. A court trip, a transfer, a day's absence or a hospital
-- ends no stay; the list and the events of a day need not be of one age, so that the later of the two is believed.
with prisoners as (
    select * from {{ ref('stg_prison__prisoners') }}
),

movements as (
    select
        *,
        {{ origin('events', 'movements') }} as origin,
        [movement_date::varchar, delivery_id, line::varchar] as place
    from {{ ref('stg_prison__movements') }} as movements
    where movement_date <= {{ as_at() }}
),

admitted as (
    select
        prisoners.record_key,
        greatest(
            prisoners.last_admission_date,
            max(movements.movement_date) filter (where movements.reason = 'ADMISSION')
        ) as admitted_date,
        arg_max(movements.origin, movements.place) filter (
            where movements.reason = 'ADMISSION' and movements.movement_date > prisoners.last_admission_date
        ) as admitted_origin
    from prisoners
    left join movements using (record_key)
    group by prisoners.record_key, prisoners.last_admission_date
),

released as (
    select
        admitted.record_key,
        max(movements.movement_date) as release_date,
        arg_max(movements.origin, movements.place) as released_origin
    from admitted
    inner join movements using (record_key)
    where movements.reason = 'RELEASED' and movements.movement_date >= admitted.admitted_date
    group by admitted.record_key
),

dated as (
    select
        prisoners.*,
        admitted.admitted_date,
        admitted.admitted_origin,
        released.released_origin,
        -- Without an event, the list's own word: gone by a release, on the day that had been made firm.
        coalesce(
            released.release_date,
            case
                when
                    prisoners.custody_status = 'INACTIVE OUT'
                    and prisoners.last_movement_type = 'REL'
                    and prisoners.confirmed_release_date >= admitted.admitted_date
                    then {{ known_by('prisoners.confirmed_release_date', as_at()) }}
            end
        ) as release_date
    from prisoners
    inner join admitted using (record_key)
    left join released using (record_key)
    where admitted.admitted_date <= {{ as_at() }}
),

stays as (
    select
        record_key,
        admitted_date,
        release_date,
        release_date is null
        and (custody_status != 'INACTIVE OUT' or admitted_date > last_admission_date) as is_held,
        coalesce(confirmed_release_date, planned_release_date) as expected_release_date,
        prison_name,
        safeguarding_phone,
        delivery_id,
        line,
        coalesce(admitted_origin, {{ origin('prisoners', 'dated') }}) as since_origin,
        coalesce(released_origin, {{ origin('prisoners', 'dated') }}) as until_origin
    from dated
)

select * from stays
