{%- set attributes = [
    'given_name', 'middle_names', 'surname', 'date_of_birth', 'expected_birth_date', 'sex', 'upn', 'former_upn',
    'birth_order'
] -%}
with records as (
    select * from {{ ref('int_persons__records') }}
),

marked as (
    select distinct
        child_id,
        service
    from records
    where is_restricted
    union
    select
        child_id,
        null as service
    from {{ ref('stg_identity__shielded') }}
),

-- Who lives with a restricted person has that person's address, school run and doctor: the family is hidden whole.
-- Probation restricts who may read about an adult, which says nothing of a place.
restricted as (
    select child_id from marked
    union
    select members.child_id
    from {{ ref('int_families__members') }} as members
    inner join marked on members.related_child_id = marked.child_id
    where
        marked.service is distinct from 'probation'
        and coalesce(members.lives_with, true)
        and coalesce(members.to_date > {{ as_at() }}, true)
),

addresses as (
    -- Where any record is restricted the person must not be located from any other.
    select
        records.child_id,
        arg_min(
            struct_pack(
                postcode := records.postcode,
                address_line := records.address_line,
                record_key := records.record_key,
                feed := records.feed,
                as_of := records.valid_from
            ),
            records.survivorship_order
        ) as survivor
    from records
    anti join restricted using (child_id)
    where records.postcode is not null
    group by records.child_id
),

nhs_numbers as (
    -- Status 01 is "present and verified" in the NHS Data Dictionary: a traced number beats a copied one.
    select
        child_id,
        arg_min(
            struct_pack(
                nhs_number := nhs_number,
                status := nhs_number_status,
                record_key := record_key,
                feed := feed,
                as_of := valid_from
            ),
            survivorship_order + case when nhs_number_status in ('01', 'sui_verified') then 0 else 1000000 end
        ) as survivor,
        count(distinct nhs_number) as nhs_number_count
    from records
    where nhs_number is not null
    group by child_id
),

attributes as (
    select
        child_id,
        {%- for attribute in attributes %}
            arg_min(
                struct_pack(value := {{ attribute }}, record_key := record_key, feed := feed, as_of := valid_from),
                survivorship_order
                {%- if attribute == 'given_name' %}
                    + case when {{ is_placeholder_name(attribute) }} then 1000000 else 0 end
                {%- endif %}
            ) filter (where {{ attribute }} is not null) as {{ attribute }},
        {%- endfor %}
        bool_or(role = 'child') as is_child_in_any_feed,
        count(*) as record_count,
        count(distinct feed) as feed_count,
        min(link_confidence) as link_confidence_min,
        max(linked_since) as linked_since
    from records
    group by child_id
),

-- One spelling of each name: capitals, accents and hyphens make no other name of it.
surnames as (
    select
        names.child_id,
        names.plain_name,
        max(names.name) as name
    from (
        select
            child_id,
            unnest([surname, other_surname]) as name,
            {{ plain_name('name') }} as plain_name
        from records
    ) as names
    where names.name is not null
    group by names.child_id, names.plain_name
),

former_surnames as (
    select
        surnames.child_id,
        list_sort(array_agg(surnames.name)) as former_surnames
    from surnames
    inner join attributes using (child_id)
    where surnames.plain_name != {{ plain_name('attributes.surname.value') }}
    group by surnames.child_id
),

survivors as (
    select
        attributes.child_id,
        {%- for attribute in attributes %}
            attributes.{{ attribute }}.value as {{ attribute }},
            attributes.{{ attribute }}.feed as {{ attribute }}_source,
            attributes.{{ attribute }}.as_of as {{ attribute }}_as_of,
            attributes.{{ attribute }}.record_key as {{ attribute }}_record_key,
        {%- endfor %}
        coalesce(former_surnames.former_surnames, []) as former_surnames,
        nhs_numbers.survivor.nhs_number,
        nhs_numbers.survivor.status as nhs_number_status,
        nhs_numbers.survivor.feed as nhs_number_source,
        nhs_numbers.survivor.as_of as nhs_number_as_of,
        nhs_numbers.survivor.record_key as nhs_number_record_key,
        coalesce(nhs_numbers.nhs_number_count, 0) as nhs_number_count,
        addresses.survivor.postcode,
        addresses.survivor.address_line,
        addresses.survivor.feed as address_source,
        addresses.survivor.as_of as address_as_of,
        addresses.survivor.record_key as address_record_key,
        restricted.child_id is not null as is_restricted,
        coalesce(attributes.is_child_in_any_feed, false) as is_child_in_any_feed,
        attributes.record_count,
        attributes.feed_count,
        attributes.link_confidence_min,
        attributes.linked_since
    from attributes
    left join nhs_numbers using (child_id)
    left join addresses using (child_id)
    left join former_surnames using (child_id)
    left join restricted using (child_id)
)

select * from survivors
