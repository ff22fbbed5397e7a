with people as (
    select * from {{ ref('int_persons__children') }}
),

ethnicity as (
    select * from {{ ref('int_persons__ethnicity') }}
),

schools as (
    select * from {{ ref('int_persons__schools') }}
),

case_numbers as (
    select * from {{ ref('int_persons__case_numbers') }}
),

children as (
    select
        people.child_id,

        -- name
        people.given_name,
        people.middle_names,
        people.surname,
        people.surname_source as name_source,
        people.surname_as_of as name_as_of,
        people.former_surnames,

        -- birth
        people.date_of_birth,
        people.date_of_birth_source,
        people.date_of_birth_as_of,
        case when people.is_unborn then people.expected_birth_date end as expected_birth_date,
        people.is_unborn,
        people.age_years,
        people.sex,
        people.sex_source,
        people.sex_as_of,

        -- identifiers, each an assertion of its source
        people.nhs_number,
        people.nhs_number_status,
        people.nhs_number_source,
        people.nhs_number_as_of,
        people.nhs_number_count > 1 as has_conflicting_nhs_numbers,
        people.upn,
        people.upn_source,
        people.upn_as_of,
        case_numbers.la_child_id,

        -- place
        people.postcode,
        people.address_line,
        people.address_source,
        people.address_as_of,
        people.is_restricted,
        case when not people.is_restricted then schools.school_urn end as school_urn,
        schools.school_source,
        schools.school_as_of,

        -- characteristics
        ethnicity.ethnicity_code,
        ethnicity.ethnicity_source,
        ethnicity.ethnicity_as_of,

        -- standing
        people.is_open_to,
        people.record_count,
        people.feed_count,
        people.link_confidence_min,
        people.linked_since
    from people
    left join ethnicity using (child_id)
    left join schools using (child_id)
    left join case_numbers using (child_id)
)

select * from children
