-- The checks of this package as DuckDB macros, for feeds of millions of rows.
-- <name>_fault(x): reason for a refusal, NULL when accepted.
-- <name>_clean(x): normal form, NULL when refused.
-- Reasons are the words that the Python checks use; a test holds the two together.

-- Without space, tab, no-break space and hyphen.
CREATE OR REPLACE TEMP MACRO identifier_compact(x) AS
    translate(coalesce(x, ''), ' -' || chr(9) || chr(160), '');

-- Sum of ten digits times the weights 10 to 1.
CREATE OR REPLACE TEMP MACRO ten_digit_sum(n) AS (
      10 * (n // 1000000000)    + 9 * (n // 100000000 % 10) + 8 * (n // 10000000 % 10)
    +  7 * (n // 1000000 % 10)  + 6 * (n // 100000 % 10)    + 5 * (n // 10000 % 10)
    +  4 * (n // 1000 % 10)     + 3 * (n // 100 % 10)       + 2 * (n // 10 % 10) + n % 10
);

CREATE OR REPLACE TEMP MACRO nhs_number_fault(x, allow_test_numbers := false) AS CASE
    WHEN identifier_compact(x) = '' THEN 'missing'
    WHEN regexp_full_match(identifier_compact(x), '[0-9]\.[0-9]*[eE]\+?[0-9]+|[0-9]{1,10}\.0+')
        THEN 'spreadsheet_number'
    WHEN NOT regexp_full_match(identifier_compact(x), '[0-9]{10}') THEN 'malformed'
    WHEN identifier_compact(x) = repeat(identifier_compact(x)[1], 10) THEN 'equal_digits'
    WHEN ten_digit_sum(TRY_CAST(identifier_compact(x) AS BIGINT)) % 11 <> 0 THEN 'check_digit'
    WHEN regexp_matches(identifier_compact(x), '^(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])')
        THEN 'scotland_chi'
    WHEN starts_with(identifier_compact(x), '0') THEN 'leading_zero'
    WHEN starts_with(identifier_compact(x), '9') AND NOT allow_test_numbers THEN 'test_number'
END;

CREATE OR REPLACE TEMP MACRO nhs_number_clean(x, allow_test_numbers := false) AS
    CASE WHEN nhs_number_fault(x, allow_test_numbers := allow_test_numbers) IS NULL
        THEN identifier_compact(x) END;

-- Place of a character in the UPN alphabet; a digit is its own value.
CREATE OR REPLACE TEMP MACRO upn_value(c) AS
    coalesce(TRY_CAST(c AS BIGINT), strpos('ABCDEFGHJKLMNPQRTUVWXYZ', c) - 1);

CREATE OR REPLACE TEMP MACRO upn_letter(rest) AS
    'ABCDEFGHJKLMNPQRTUVWXYZ'[1 + (
          2 * upn_value(rest[1])   +  3 * upn_value(rest[2])   +  4 * upn_value(rest[3])
        + 5 * upn_value(rest[4])   +  6 * upn_value(rest[5])   +  7 * upn_value(rest[6])
        + 8 * upn_value(rest[7])   +  9 * upn_value(rest[8])   + 10 * upn_value(rest[9])
        + 11 * upn_value(rest[10]) + 12 * upn_value(rest[11]) + 13 * upn_value(rest[12])
    ) % 23];

CREATE OR REPLACE TEMP MACRO upn_fault(x) AS CASE
    WHEN identifier_compact(x) = '' THEN 'missing'
    WHEN regexp_full_match(identifier_compact(x), '[Uu][Nn]([1-9]|10)') THEN 'reason_for_no_upn'
    WHEN NOT regexp_full_match(
        identifier_compact(x),
        '[A-HJ-NP-RT-Za-hj-np-rt-z][0-9]{11}[0-9A-HJ-NP-RT-Za-hj-np-rt-z]'
    ) THEN 'malformed'
    WHEN upn_letter(upper(identifier_compact(x))[2:]) <> upper(identifier_compact(x))[1]
        THEN 'check_letter'
END;

CREATE OR REPLACE TEMP MACRO upn_clean(x) AS
    CASE WHEN upn_fault(x) IS NULL THEN upper(identifier_compact(x)) END;

CREATE OR REPLACE TEMP MACRO postcode_fault(x) AS CASE
    WHEN identifier_compact(x) = '' THEN 'missing'
    WHEN regexp_full_match(identifier_compact(x), '[Gg][Ii][Rr]0[Aa]{2}') THEN NULL
    WHEN regexp_full_match(
        identifier_compact(x), '([Zz]{2}99|[Nn][Ff]1)[0-9OIoi][A-Za-z]{2}'
    ) THEN 'placeholder'
    WHEN regexp_full_match(
        identifier_compact(x), '[A-Za-z]{1,2}[0-9][0-9A-Za-z]?[0-9OIoi][A-Za-z]{2}'
    ) THEN NULL
    WHEN regexp_full_match(identifier_compact(x), '[A-Za-z]{1,2}[0-9][0-9A-Za-z]?[0-9]?')
        THEN 'partial'
    ELSE 'malformed'
END;

CREATE OR REPLACE TEMP MACRO postcode_clean(x) AS
    CASE WHEN postcode_fault(x) IS NULL THEN
        upper(identifier_compact(x)[:-4]) || ' '
        || translate(upper(identifier_compact(x)[-3]), 'OI', '01')
        || upper(identifier_compact(x)[-2:])
    END;

-- x: a DATE or an ISO text; the date, NULL for a default or implausible one.
CREATE OR REPLACE TEMP MACRO real_date(x) AS
    CASE WHEN regexp_full_match(trim(x::VARCHAR, ' '), '(18|19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}')
        AND trim(x::VARCHAR, ' ') NOT IN ('1899-12-30', '1900-01-01', '1970-01-01')
        THEN TRY_CAST(trim(x::VARCHAR, ' ') AS DATE) END;
