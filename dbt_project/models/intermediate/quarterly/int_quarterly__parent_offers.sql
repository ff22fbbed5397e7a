-- Offers of information, advice and support to adults when an enquiry starts. The adult has the hub's own identifier
-- where the record is tied to one, else the record's key, so that nobody is counted away.
with offers as (
    select * from {{ ref('stg_case_system__parent_offers') }}
),

of_adults as (
    select
        coalesce(records.child_id, offers.record_key) as adult_id,
        offers.offer_id,
        offers.enquiry_id,
        offers.offered_date,
        offers.is_taken_up,
        offers.record_key,
        offers.delivery_id,
        offers.line
    from offers
    inner join {{ ref('int_persons__records') }} as records using (record_key)
)

select * from of_adults
