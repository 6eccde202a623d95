/* tests/consent/test_server_address.c -- consent/server_address.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "consent/server_address.h"

static void
test_a_base_covers_what_is_behind_it_however_it_is_written(void **state)
{
    static const struct { const char *url, *base; bool under; } rows[] = {
        { "https://oak.example.net/fhir/Patient/1", "https://oak.example.net/fhir", true },
        { "http://OAK.example.net.:80//fhir/", "https://oak.example.net/fhir/", true },
        { "https://me@oak.example.net:443/%66hir?x", "https://oak.example.net/fhir", true },
        { "https://oak.example.net/fhir#x", "https://oak.example.net/fhir", true },
        { "https://oak.example.net/fhirish/Patient/1", "https://oak.example.net/fhir", false },
        { "https://oak.example.net/FHIR/Patient/1", "https://oak.example.net/fhir", false },
        { "https://oak.example.net:8443/fhir", "https://oak.example.net/fhir", false },
        { "https://oak.example.net:8443/fhir", "https://oak.example.net", true },
        { "https://oak.example.net.evil.example/fhir", "https://oak.example.net", false },
        { "https://[2001:db8::1]/fhir/x", "https://[2001:db8::1]/fhir", true },
        { "urn:uuid:5c0f6f5e-6d3e-4b0f-9d62-0b8c7d3e1a55", "https://oak.example.net", false },
        { "", "", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct address mine = address_of(span_of(rows[i].url)), base = address_of(span_of(rows[i].base));
        if (address_is_under(&mine, &base) != rows[i].under)
            fail_msg("row %zu: %s", i, rows[i].url);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_a_base_covers_what_is_behind_it_however_it_is_written) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
