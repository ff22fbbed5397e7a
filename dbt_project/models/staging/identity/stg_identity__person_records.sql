with source as (
    select * from {{ source('identity', 'person_records') }}
),

renamed as (
    select
        record_key,
        feed,
        source_person_id,
        role,
        given_name,
        middle_names,
        surname,
        other_surname,
        other_given_name,
        date_of_birth,
        expected_birth_date,
        sex,
        address_line,
        postcode,
        nhs_number,
        nhs_number_status,
        upn,
        former_upn,
        birth_order,
        is_restricted,
        replaced_by,
        valid_from,
        delivery_id,
        line
    from source
)

select * from renamed
