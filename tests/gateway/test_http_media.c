/* tests/gateway/test_http_media.c -- Content-Type, Accept and _format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/http/media.h"

static void
test_reads_what_a_body_is_said_to_be(void **state)
{
    static const struct { const char *text; enum media want; } rows[] = {
        { "application/fhir+json", MEDIA_FHIR_JSON },
        { "Application/JSON", MEDIA_FHIR_JSON },
        { "application/json+fhir ;charset=UTF-8", MEDIA_FHIR_JSON },
        { "application/fhir+json; charset=\"utf-8\"; fhirVersion=4.0", MEDIA_FHIR_JSON },
        { "application/fhir+json;", MEDIA_FHIR_JSON },
        { "application/fhir+json; charset=iso-8859-1", MEDIA_OTHER_CHARSET },
        { "application/fhir+json; charset=utf-8; charset=utf-16", MEDIA_OTHER_CHARSET },
        { "application/fhir+json; x=\";\"; charset=latin1", MEDIA_OTHER_CHARSET },
        { "application/fhir+json; charset=", MEDIA_OTHER_CHARSET },
        { "application/fhir+json; fhirVersion=5.0", MEDIA_OTHER_VERSION },
        { "application/fhir+xml", MEDIA_OTHER },
        { "application/fhir+jsonx", MEDIA_OTHER },
        { "text/plain, application/json", MEDIA_OTHER },
        { "", MEDIA_OTHER },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (media_of(span_of(rows[i].text)) != rows[i].want)
            fail_msg("%s", rows[i].text);
    (void)state;
}

static void
test_knows_when_json_is_not_wanted(void **state)
{
    static const struct { const char *text; bool want; } rows[] = {
        { "", true }, { "*/*", true }, { "application/*", true }, { "application/fhir+json", true },
        { "application/json", true }, { "text/html, application/fhir+json;q=0.1", true },
        { "text/html,*/*;q=0.8", true }, { "application/fhir+json; fhirVersion=4.0", true },
        { "APPLICATION/FHIR+JSON", true }, { "application/fhir+xml, application/fhir+json", true },
        { "x/y;a=\",\", */*", true }, { "*", true },
        { "text/html", false }, { "application/fhir+xml", false }, { "*/*;q=0", false },
        { "application/*;q=0, */*", false }, { "application/fhir+json;q=0.000", false },
        { "application/fhir+json;fhirVersion=5.0", false }, { "application/json;q=x", false },
        { "text/*", false }, { ",", false }, { "x/y;a=\", */*\"", false },
        /* One name refused, another of the same thing taken by the star. */
        { "application/fhir+json;q=0, */*", true },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (media_accepts_json(span_of(rows[i].text)) != rows[i].want)
            fail_msg("%s", rows[i].text);
    (void)state;
}

static void
test_finds_the_format_that_a_query_asks_for(void **state)
{
    static const struct { const char *query; bool there, json; } rows[] = {
        { "", false, false }, { "a=b&_formatx=xml", false, false },
        { "_format=json", true, true }, { "a=1&_format=application/fhir+json", true, true },
        { "_format=application%2Ffhir%2Bjson", true, true }, { "_format=application/fhir json", true, true },
        { "_format=application/json%3Bcharset%3Dutf-8", true, true },
        { "_format=xml", true, false }, { "_format=", true, false }, { "_format", true, false },
        { "_format=application%2Ffhir%2Bxml", true, false }, { "_format=json%", true, false },
        { "_format=jsonjsonjsonjsonjsonjsonjsonjsonjsonjsonjsonjsonjsonjsonjsonjsonjsonjson", true, false },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct span format = { NULL, 0 };
        if (media_format(span_of(rows[i].query), &format) != rows[i].there
            || (rows[i].there && media_format_is_json(format) != rows[i].json))
            fail_msg("%s", rows[i].query);
    }
    (void)state;
}

static void
test_reads_preferences(void **state)
{
    struct span value;

    (void)state;
    assert_true(media_prefers(SPAN("a=b, Return = \"minimal\"; x=y,return=representation"), SPAN("return"), &value));
    assert_true(span_eq(value, SPAN("minimal")));
    assert_true(media_prefers(SPAN("return=minimal, respond-async, wait=10"), SPAN("respond-async"), &value));
    assert_true(span_empty(value));
    assert_false(media_prefers(SPAN("handling=strict; return=minimal"), SPAN("return"), &value));
    assert_false(media_prefers(SPAN(""), SPAN("return"), &value));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_what_a_body_is_said_to_be),
        cmocka_unit_test(test_knows_when_json_is_not_wanted),
        cmocka_unit_test(test_finds_the_format_that_a_query_asks_for),
        cmocka_unit_test(test_reads_preferences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
