/* tests/gateway/test_report.c -- what a report takes for an exception, of records that are written by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gateway/ledger/record.h"
#include "gateway/ledger/report.h"

#define AT INT64_C(1795359600000)        /* 2026-11-22T15:00:00Z */

struct office {
    struct arena  *arena, *temp;
    struct report *report;
    struct buf     out;
};

static int
setup(void **state)
{
    static struct office o;

    o = (struct office){ .arena = arena_new("test", (size_t)64 << 20), .temp = arena_new("temp", (size_t)64 << 20) };
    o.report = ledger_report_begin(o.arena);
    buf_init(&o.out, 16 << 20);
    *state = &o;
    return o.report != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
    struct office *o = *state;

    buf_release(&o->out);
    arena_free(&o->arena);
    arena_free(&o->temp);
    return 0;
}

static struct disclosure
a_release(const char *id, const struct record_basis *basis)
{
    return (struct disclosure){ .kind = RECORD_DISCLOSURE, .event_id = span_of(id), .release_ms = AT, .patient = SPAN("Patient/p1"),
                                .recipient.name = SPAN("county-hie"), .bases = basis, .basis_count = 1, .decision = SPAN("permit") };
}

static void
add(struct office *o, const struct disclosure *d)
{
    struct ledger_entry e;
    const struct tape  *t;

    assert_int_equal(record_author(d, o->arena, &e), ST_OK);
    assert_int_equal(tape_read(e.record, &tape_default_limits, o->temp, &t, NULL), ST_OK);
    assert_int_equal(ledger_report_add(o->report, t, o->temp), ST_OK);
}

static const char *
said(struct office *o)
{
    struct report_facts facts = { .taken_back = 3 };

    buf_clear(&o->out);
    assert_int_equal(ledger_report_json(o->report, &facts, &o->out), ST_OK);
    buf_add_byte(&o->out, '\0');
    return o->out.at;
}

static const struct record_basis emergency_basis = { { "R-13", 4 }, { "42 CFR 2.51(a)(1)", 17 }, { "an emergency", 12 }, 1 };
static const struct record_basis consent_basis   = { { "R-01", 4 }, { "42 CFR 2.33(a)(2)", 17 }, { "a consent", 9 }, 1 };

static void
test_an_emergency_that_lacks_something_is_an_exception(void **state)
{
    struct office          *o     = *state;
    struct record_emergency whole = { .declared_by = SPAN("Dr. Okafor"), .personnel = SPAN("Dr. Okafor"), .affiliation = SPAN("County Hospital"),
                                      .nature = SPAN("overdose"), .discloser = SPAN("R. Chen") };
    struct record_emergency parts[] = { whole, whole, whole, whole };
    char                    ids[4][8] = { "lack-0", "lack-1", "lack-2", "lack-3" };

    parts[0].personnel = parts[1].affiliation = parts[2].nature = parts[3].discloser = (struct span){ NULL, 0 };
    struct disclosure good = a_release("whole", &emergency_basis);
    good.emergency = &whole;
    add(o, &good);
    struct disclosure none = a_release("none-at-all", &emergency_basis);
    add(o, &none);
    for (int i = 0; i < 4; i++) {
        struct disclosure d = a_release(ids[i], &emergency_basis);
        d.emergency = &parts[i];
        add(o, &d);
    }
    const char *json = said(o);
    assert_non_null(strstr(json, "\"incompleteEmergencies\":{\"count\":5,\"events\":[\"none-at-all\",\"lack-0\",\"lack-1\",\"lack-2\",\"lack-3\"]}"));
    assert_non_null(strstr(json, "\"emergencies\":6"));
    assert_non_null(strstr(json, "\"emergenciesDeclaredBy\":[{\"what\":\"Dr. Okafor\",\"count\":5},{\"what\":\"not said\",\"count\":1}]"));
}

static void
test_a_release_with_consent_has_its_notice_and_explanation(void **state)
{
    struct office        *o       = *state;
    struct record_consent consent = { .id = SPAN("Consent/c1") };

    for (int i = 0; i < 4; i++) {
        static const char *const ids[] = { "both", "no-explanation", "no-notice", "not-part2" };
        struct disclosure        d     = a_release(ids[i], &consent_basis);
        d.consent                      = &consent;
        d.in_part2_accounting          = i != 3;
        d.notice.kind                  = i == 2 ? SPAN("") : SPAN("N1");
        d.notice.explanation_sha256    = i == 1 || i == 3 ? SPAN("") : SPAN("00");
        add(o, &d);
    }
    const char *json = said(o);
    assert_non_null(strstr(json, "\"withoutNotice\":{\"count\":2,\"events\":[\"no-explanation\",\"no-notice\"]}"));
    assert_non_null(strstr(json, "\"withConsent\":4"));
    assert_non_null(strstr(json, "\"takenBack\":3"));
}

static void
test_what_was_kept_from_proceedings_is_told(void **state)
{
    struct office            *o         = *state;
    static struct record_basis reasons[] = { { { "B-14", 4 }, { "42 CFR 2.13(a)", 14 }, { "none", 4 }, 1 },
                                             { { "G-3", 3 }, { "42 CFR 2.12(d)(1)", 17 }, { "proceedings", 11 }, 1 } };

    for (int i = 0; i < 2; i++) {
        struct disclosure d = a_release(i == 0 ? "plain" : "in-court", &consent_basis);
        d.kind                  = RECORD_DENIAL;
        d.withheld              = reasons;
        d.withheld_reason_count = (size_t)i + 1;
        d.withheld_count        = 4;
        add(o, &d);
    }
    const char *json = said(o);
    assert_non_null(strstr(json, "\"proceedings\":{\"count\":1,\"events\":[\"in-court\"]}"));
    assert_non_null(strstr(json, "\"denials\":2,\"withheld\":8"));
    assert_non_null(strstr(json, "{\"what\":\"B-14 42 CFR 2.13(a)\",\"count\":2},{\"what\":\"G-3 42 CFR 2.12(d)(1)\",\"count\":1}"));
}

static void
test_more_keys_than_are_told_apart_are_other(void **state)
{
    struct office *o = *state;

    for (unsigned i = 0; i < REPORT_KEYS + 7; i++) {
        struct disclosure d = a_release("e", &consent_basis);
        d.recipient.name    = arena_format(o->arena, "recipient-%u", i);
        add(o, &d);
    }
    const char *json = said(o);
    assert_non_null(strstr(json, "{\"what\":\"other\",\"count\":7}"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_emergency_that_lacks_something_is_an_exception),
        TEST(test_a_release_with_consent_has_its_notice_and_explanation),
        TEST(test_what_was_kept_from_proceedings_is_told),
        TEST(test_more_keys_than_are_told_apart_are_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
