/* tests/base/test_digits.c -- numbers, bytes and moments read as printf would have written them. */
#include "tests/support/check.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/digits.h"

static void
test_an_integer_is_as_printf_writes_it(void **state)
{
    static const int64_t numbers[] = { 0, 1, 9, 10, 99, 100, -1, -10, 1234567890123, INT64_MAX, INT64_MIN };

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char is[DIGITS_INTEGER], want[DIGITS_INTEGER];
        snprintf(want, sizeof want, "%lld", (long long)numbers[i]);
        assert_int_equal(digits_integer(numbers[i], is), strlen(want));
        assert_string_equal(is, want);
        snprintf(want, sizeof want, "%llu", (unsigned long long)numbers[i]);
        assert_int_equal(digits_natural((uint64_t)numbers[i], is), strlen(want));
        assert_string_equal(is, want);
    }
}

static void
test_bytes_are_lower_case_hex_and_a_uuid_has_its_hyphens(void **state)
{
    static const unsigned char bytes[16] = { 0x00, 0x01, 0x0f, 0x10, 0x7f, 0x80, 0xff, 0xab,
                                             0xcd, 0xef, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc };
    char hex[33], uuid[DIGITS_UUID];

    (void)state;
    assert_int_equal(digits_hex(bytes, 16, hex), 32);
    assert_string_equal(hex, "00010f107f80ffabcdef123456789abc");
    assert_int_equal(digits_uuid(bytes, uuid), 36);
    assert_string_equal(uuid, "00010f10-7f80-ffab-cdef-123456789abc");
}

static void
moment_is(int64_t seconds, unsigned millis)
{
    char      is[DIGITS_MOMENT], want[64];
    time_t    at = (time_t)seconds;
    struct tm utc;

    assert_non_null(gmtime_r(&at, &utc));
    snprintf(want, sizeof want, "%04d-%02d-%02dT%02d:%02d:%02d.%03uZ", utc.tm_year + 1900, utc.tm_mon + 1,
             utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, millis);
    assert_int_equal(digits_moment(seconds * 1000 + millis, is), 24);
    assert_string_equal(is, want);
}

static void
test_a_moment_is_the_one_that_the_calendar_says(void **state)
{
    char text[DIGITS_MOMENT];

    (void)state;
    for (int64_t day = -719528; day < 2932897; day += day < -25567 || day > 47482 ? 29 : 1)   /* 1900 to 2100: every day */
        moment_is(day * 86400 + (day * 7919 % 86400 + 86400) % 86400, (unsigned)(day & 1023) % 1000);
    moment_is(-1, 999);
    moment_is(0, 0);
    moment_is(253402300799, 999);
    assert_int_equal(digits_moment(253402300800000, text), 0);
    assert_string_equal(text, "");
    assert_int_equal(digits_moment(INT64_MIN, text), 0);
    assert_int_equal(digits_moment(INT64_MAX, text), 0);
    assert_int_equal(digits_moment(-719528 * INT64_C(86400000) - 1, text), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_integer_is_as_printf_writes_it),
        cmocka_unit_test(test_bytes_are_lower_case_hex_and_a_uuid_has_its_hyphens),
        cmocka_unit_test(test_a_moment_is_the_one_that_the_calendar_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
