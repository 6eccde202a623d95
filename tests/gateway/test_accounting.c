/* tests/gateway/test_accounting.c -- an accounting of records that are written by hand: what is in it, in each form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/json_tape.h"
#include "gateway/ledger/accounting.h"
#include "gateway/ledger/record.h"
#include "gateway/runtime/identity.h"

#define NOW 1795359600000                /* 2026-11-22T15:00:00Z */
#define DAY ((int64_t)24 * 3600 * 1000)

struct desk {
    struct arena           *arena;
    struct accounting_asked asked;
    struct accounting      *accounting;
    struct accounting_result result;
    struct buf              out;
    unsigned                events;
};

static int
setup(void **state)
{
    static struct desk d;

    d = (struct desk){ .arena = arena_new("test", (size_t)64 << 20) };
    d.asked = (struct accounting_asked){ .patient = SPAN("Patient/p1"), .since_ms = INT64_MIN, .requested_ms = NOW, .now_ms = NOW,
                                         .source = { SPAN("example.org/log"), SPAN("127.0.0.1") },
                                         .checkpoint = SPAN("example.org/log\n7\nAAAA\n\n— example.org/log AAAA\n") };
    buf_init(&d.out, ACCOUNTING_BYTES);
    *state = &d;
    return 0;
}

static int
teardown(void **state)
{
    struct desk *d = *state;

    accounting_free(&d->accounting);
    buf_release(&d->out);
    arena_free(&d->arena);
    return 0;
}

static struct disclosure
a_release(struct desk *d, const char *recipient)
{
    static const struct span         treat[]  = { { "TREAT", 5 } };
    static const struct record_basis basis    = { { "R-01", 4 }, { "42 CFR 2.33(a)(2)", 17 }, { "a consent covers it", 19 }, 1 };
    static const struct record_item  items[]  = { { { "Condition", 9 }, { "c1", 2 }, 1, { NULL, 0 }, { NULL, 0 }, 0 } };

    return (struct disclosure){
        .kind = RECORD_DISCLOSURE, .event_id = arena_format(d->arena, "00000000-0000-7000-8000-%012u", ++d->events),
        .request_ms = NOW - DAY + d->events, .decision_ms = NOW - DAY + d->events, .release_ms = NOW - DAY + d->events,
        .patient = SPAN("Patient/p1"), .patient_name = SPAN("Ana Rivera"), .recipient.name = span_of(recipient),
        .bases = &basis, .basis_count = 1, .purposes = treat, .purpose_count = 1, .items = items, .item_count = 1,
        .channel = SPAN("FHIR push"), .decision = SPAN("permit"), .in_part2_accounting = true,
    };
}

static void
add(struct desk *d, const struct disclosure *release)
{
    struct ledger_entry e;

    if (d->accounting == NULL)
        d->accounting = accounting_begin(d->arena, &d->asked);
    assert_non_null(d->accounting);
    assert_int_equal(record_author(release, d->arena, &e), ST_OK);
    assert_int_equal(accounting_add(d->accounting, e.record), ST_OK);
}

static const char *
finished(struct desk *d)
{
    if (d->accounting == NULL)
        d->accounting = accounting_begin(d->arena, &d->asked);
    assert_int_equal(accounting_finish(d->accounting, &d->out, &d->result), ST_OK);
    buf_add_byte(&d->out, '\0');
    return d->out.at;
}

static void
test_repeats_are_one_line_with_their_number_and_the_last(void **state)
{
    struct desk *d = *state;             /* LG-04 */

    d->asked.grouped = true;
    for (int i = 0; i < 40; i++) {
        struct disclosure r = a_release(d, "health-plan");
        add(d, &r);
    }
    struct disclosure other = a_release(d, "county-hie");
    add(d, &other);
    const char *text = finished(d);
    assert_int_equal(d->result.count, 41);
    assert_int_equal(d->result.event_count, 41);
    assert_non_null(strstr(text, "2026-11-21T15:00:00.001Z  to health-plan\n    times    40, the last 2026-11-21T15:00:00.040Z\n"));
    assert_null(strstr(strstr(text, "to health-plan") + 1, "to health-plan"));
    assert_non_null(strstr(text, "to county-hie\n    what"));
    assert_non_null(strstr(text, "41 disclosures\n"));
}

static void
test_purpose_and_basis_part_groups(void **state)
{
    struct desk             *d       = *state;
    static const struct span pay[]   = { { "HPAYMT", 6 } };
    struct disclosure        one     = a_release(d, "health-plan");
    struct disclosure        another = a_release(d, "health-plan");

    d->asked.grouped = true;
    another.purposes = pay;
    add(d, &one);
    add(d, &another);
    const char *text = finished(d);
    assert_null(strstr(text, "times"));
    assert_non_null(strstr(text, "payment for health care"));
}

static void
test_an_entry_that_is_suspended_is_left_out_of_the_scopes_of_a_law(void **state)
{
    struct desk      *d = *state;        /* LG-03, 45 CFR 164.528(a)(2) */
    struct disclosure r = a_release(d, "oversight-agency");

    r.suspended_until_ms   = NOW + DAY;
    r.in_hipaa_accounting  = true;
    d->asked.scope         = ACCOUNTING_HIPAA;
    add(d, &r);
    assert_null(strstr(finished(d), "oversight"));
    accounting_free(&d->accounting);
    buf_clear(&d->out);
    d->asked.now_ms = NOW + 2 * DAY;     /* it is over */
    add(d, &r);
    assert_non_null(strstr(finished(d), "oversight"));
    accounting_free(&d->accounting);
    buf_clear(&d->out);
    d->asked.now_ms = NOW;
    d->asked.scope  = ACCOUNTING_ALL;    /* for who keeps the log */
    add(d, &r);
    assert_non_null(strstr(finished(d), "oversight"));
}

static void
test_windows_and_clocks_count_from_the_request(void **state)
{
    struct desk *d = *state;
    static const struct { enum accounting_scope scope; const char *from, *due; } rows[] = {
        { ACCOUNTING_PART2, "from 2023-11-22 on", "due by 2027-01-21" }, { ACCOUNTING_HIPAA, "from 2020-11-22 on", "due by 2027-01-21" },
        { ACCOUNTING_INTERMEDIARY, "from 2023-11-22 on", "due by 2026-12-22" }, { ACCOUNTING_ALL, "", "due by 2027-01-21" },
    };

    d->asked.clock = true;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        d->asked.scope  = rows[i].scope;
        d->asked.now_ms = NOW + 20 * DAY;
        const char *text = finished(d);
        assert_non_null(strstr(text, rows[i].from));
        assert_non_null(strstr(text, rows[i].due));
        accounting_free(&d->accounting);
        buf_clear(&d->out);
    }
}

static void
test_what_a_sender_wrote_is_text_and_no_markup(void **state)
{
    struct desk      *d = *state;
    struct disclosure r = a_release(d, "<img src=x onerror=alert(1)>");

    r.patient_name      = SPAN("<script>alert(\"1\")</script>&amp;\x01\xc3");
    r.recipient.address = SPAN("\"'><b>");
    d->asked.form       = ACCOUNTING_HTML;
    add(d, &r);
    const char *page = finished(d);
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "<img"));
    assert_null(strstr(page, "<b>"));
    assert_non_null(strstr(page, "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;amp;?"));
}

static void
test_a_page_ends_with_the_digest_of_what_is_above(void **state)
{
    struct desk      *d = *state;
    struct disclosure r = a_release(d, "county-hie");
    const char *const ends[] = { "SHA-256 of the above: ", "<footer>" };

    for (int i = 0; i < 2; i++) {
        d->asked.form = i == 0 ? ACCOUNTING_TEXT : ACCOUNTING_HTML;
        add(d, &r);
        const char *page = finished(d), *end = strstr(page, ends[i]);
        assert_non_null(end);
        assert_non_null(strstr(page, "example.org/log"));
        struct span above = span_from(page, (size_t)(end - page));
        struct span hex   = sha256_hex(d->arena, &above, 1);
        assert_true(span_eq(hex, d->result.page_sha256));
        assert_true(span_find(span_of(end), hex) != SPAN_NOT_FOUND);
        accounting_free(&d->accounting);
        buf_clear(&d->out);
    }
}

static void
test_no_field_of_csv_is_a_formula(void **state)
{
    static const char *const starts[] = { "=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "=\"a\",\"b\"" };
    struct desk             *d        = *state;

    d->asked.form = ACCOUNTING_CSV;
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        struct disclosure r = a_release(d, starts[i]);
        add(d, &r);
    }
    const char *csv = finished(d);
    for (const char *p = csv; (p = strstr(p, ",\"")) != NULL; p += 2)
        assert_null(strchr("=+-@\t\r", p[2] == '\0' ? 'x' : p[2]));
    assert_non_null(strstr(csv, ",\"'=\"\"a\"\",\"\"b\"\"\","));
}

static void
test_spanish_says_it_all_in_spanish(void **state)
{
    struct desk      *d = *state;
    struct disclosure r = a_release(d, "county-hie");

    d->asked.form     = ACCOUNTING_HTML;
    d->asked.language = LANGUAGE_SPANISH;
    add(d, &r);
    const char *page = finished(d);
    assert_non_null(strstr(page, "<html lang=\"es\">"));
    assert_non_null(strstr(page, "1 problema de salud<br>"));
    assert_non_null(strstr(page, ">tratamiento<"));
    assert_non_null(strstr(page, "Usted firm\xc3\xb3 un consentimiento"));
    assert_null(strstr(page, "condition"));
    assert_null(strstr(page, "treatment"));
    assert_null(strstr(page, "disclosure"));
}

static void
test_others_of_the_same_release_are_not_named(void **state)
{
    struct desk                 *d        = *state;
    static const struct record_basis basis = { { "P8", 2 }, { "45 CFR 164.506(c)", 17 }, { "the site's default", 18 }, 1 };
    struct record_item           items[]  = { { .type = SPAN("Condition"), .id = SPAN("mine"), .patient = 1 },
                                              { .type = SPAN("Procedure"), .id = SPAN("theirs"), .patient = 2 } };
    const struct record_patient  people[] = {
        { .patient = SPAN("Patient/p1"), .name = SPAN("Ana"), .items = &items[0], .item_count = 1, .bases = &basis, .basis_count = 1, .decision = SPAN("permit") },
        { .patient = SPAN("Patient/p2"), .name = SPAN("Ben"), .items = &items[1], .item_count = 1, .bases = &basis, .basis_count = 1, .decision = SPAN("permit") },
    };

    for (int form = 0; form < ACCOUNTING_FORMS; form++) {
        struct disclosure r = a_release(d, "county-hie");
        r.patients = people;
        r.patient_count = 2;
        r.items         = items;
        r.item_count    = 2;
        d->asked.form   = (enum accounting_form)form;
        add(d, &r);
        const char *text = finished(d);
        assert_non_null(strstr(text, "ondition"));
        assert_null(strstr(text, "p2"));
        assert_null(strstr(text, "Ben"));
        assert_null(strstr(text, "rocedure"));
        accounting_free(&d->accounting);
        buf_clear(&d->out);
    }
}

static void
test_a_record_that_is_none_is_said(void **state)
{
    struct desk *d = *state;

    d->accounting = accounting_begin(d->arena, &d->asked);
    assert_int_not_equal(accounting_add(d->accounting, SPAN("{\"eventId\":")), ST_OK);
    assert_int_equal(accounting_add(d->accounting, SPAN("{\"patientId\":\"Patient/somebody-else\"}")), ST_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_repeats_are_one_line_with_their_number_and_the_last),
        TEST(test_purpose_and_basis_part_groups),
        TEST(test_an_entry_that_is_suspended_is_left_out_of_the_scopes_of_a_law),
        TEST(test_windows_and_clocks_count_from_the_request),
        TEST(test_what_a_sender_wrote_is_text_and_no_markup),
        TEST(test_a_page_ends_with_the_digest_of_what_is_above),
        TEST(test_no_field_of_csv_is_a_formula),
        TEST(test_spanish_says_it_all_in_spanish),
        TEST(test_others_of_the_same_release_are_not_named),
        TEST(test_a_record_that_is_none_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
