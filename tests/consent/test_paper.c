/* tests/consent/test_paper.c -- papers on file: strictly read, kept with what they lack. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "base/buf.h"
#include "consent/paper.h"

static struct arena  *arena;
static struct issues *issues;

static int
setup(void **state)
{
    (void)state;
    arena  = arena_new("test", 4 << 20);
    issues = issues_new(arena, 50);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static const struct paper *
one(const char *json)
{
    const struct paper *all   = NULL;
    size_t              count = 0;

    if (papers_read(span_of(json), arena, issues, &all, &count) != ST_OK)
        fail_msg("refused: %s", json);
    assert_int_equal(count, 1);
    return all;
}

#define QSOA "{\"id\":\"qsoa-lab\",\"kind\":\"qsoa\",\"from\":\"2026-01-01\",\"to\":\"2026-12-31\",\"party\":\"Organization/lab\"," \
             "\"discloser\":\"Organization/otp\",\"says\":[\"bound-by-part-2\",\"resists-in-proceedings\"]}"
#define EMERGENCY_BUT(discloser, to) "{\"emergencies\":[{\"id\":\"er-1\",\"patient\":\"Patient/p1\",\"party\":\"Organization/ed\"," \
             "\"declaredBy\":\"Dr. Okafor\",\"affiliation\":\"County ED\"," discloser "\"nature\":\"unresponsive\"," \
             "\"whyUnobtainable\":\"unconscious\",\"from\":\"2026-11-22T10:00:00Z\",\"to\":\"" to "\"}]}"

static void
test_reads_each_kind_of_paper(void **state)
{
    const struct paper *all   = NULL;
    size_t              count = 0;

    (void)state;
    assert_int_equal(papers_read(SPAN("{\"documents\":[" QSOA "],"
                                      "\"relationships\":[{\"id\":\"rel-1\",\"provider\":\"Organization/a\",\"patient\":\"Patient/p1\",\"kind\":\"encounter\",\"from\":\"2026-01-01\"}],"
                                      "\"restrictions\":[{\"id\":\"res-1\",\"patient\":\"Patient/p1\",\"recipient\":[\"HEALTH_PLAN\"]}],"
                                      "\"circumstances\":[{\"id\":\"cir-1\",\"patient\":\"Patient/p1\",\"deceased\":true}],"
                                      "\"emergencies\":[{\"id\":\"er-1\",\"patient\":\"Patient/p1\"}]}"),
                                 arena, issues, &all, &count), ST_OK);
    assert_int_equal(count, 5);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(all[i].kind, i + 1);
    assert_true(span_eq_text(all[0].body, QSOA));
    assert_null(all[0].lacks);
    assert_true(span_empty(all[0].patient) && span_eq_text(all[2].patient, "Patient/p1"));
    assert_string_equal(paper_words(&all[0]), "qsoa");
    assert_string_equal(paper_words(&all[4]), "emergency");
    assert_non_null(all[4].lacks);

    struct paper again;
    assert_int_equal(paper_read(PAPER_DOCUMENT, all[0].body, arena, &again), ST_OK);
    assert_int_equal(again.as.document.kind, INSTRUMENT_QSOA);
    assert_int_equal(paper_read(PAPER_DOCUMENT, SPAN("{\"kind\":7}"), arena, &again), ST_MALFORMED);
    assert_int_equal(paper_read(PAPER_DOCUMENT, SPAN("{"), arena, &again), ST_MALFORMED);
}

static void
test_refuses_what_it_would_not_keep(void **state)
{
    static const struct { const char *json, *where; } rows[] = {
        { "[]", "$this" },
        { "{}", "$this" },
        { "{\"papers\":[]}", "papers" },
        { "{\"documents\":[7]}", "documents" },
        { "{\"documents\":[{\"kind\":\"qsoa\"}]}", "documents.id" },
        { "{\"documents\":[{\"id\":\"a b\",\"kind\":\"qsoa\"}]}", "documents.id" },
        { "{\"documents\":[{\"id\":\"a\"}]}", "documents.kind" },
        { "{\"documents\":[{\"id\":\"a\",\"kind\":\"qsoas\"}]}", "documents.kind" },
        { "{\"documents\":[{\"id\":\"a\",\"kind\":\"qsoa\",\"form\":\"2026\"}]}", "documents.form" },
        { "{\"documents\":[{\"id\":\"a\",\"kind\":\"qsoa\",\"colour\":\"red\"}]}", "documents.colour" },
        { "{\"documents\":[{\"id\":\"a\",\"kind\":\"qsoa\",\"from\":\"soon\"}]}", "documents.from" },
        { "{\"documents\":[{\"id\":\"a\",\"kind\":\"qsoa\",\"patient\":\"p1\"}]}", "documents.patient" },
        { "{\"documents\":[" QSOA "," QSOA "]}", "$this" },
        { "{\"restrictions\":[{\"id\":\"r\"}]}", "restrictions.patient" },
        { "{\"relationships\":[{\"id\":\"r\",\"patient\":\"Patient/p1\",\"kind\":\"encounter\"}]}", "relationships.provider" },
        { "{\"relationships\":[{\"id\":\"r\",\"patient\":\"Patient/p1\",\"provider\":\"Organization/a\"}]}", "relationships.kind" },
        { "{\"relationships\":[{\"id\":\"r\",\"patient\":\"Patient/p1\",\"provider\":\"Organization/a\",\"kind\":\"encounter\","
          "\"from\":\"2026-12-01\",\"to\":\"2026-01-01\"}]}", "relationships.to" },
        { "{\"documents\":[{\"id\":\"a\",\"kind\":\"qsoa\",\"from\":\"2026-12-01T00:00:01Z\",\"to\":\"2026-12-01T00:00:00Z\"}]}", "documents.to" },
        { "{\"emergencies\":[{\"id\":\"e\",\"patient\":\"https://x/Patient/p1\"}]}", "emergencies.patient" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct paper *all   = NULL;
        size_t              count = 0;
        struct issues      *found = issues_new(arena, 8);
        assert_int_equal(papers_read(span_of(rows[i].json), arena, found, &all, &count), ST_MALFORMED);
        assert_true(issues_count(found) > 0);
        struct span where = issues_at(found, 0)->expression;
        if (!span_eq_text(where, rows[i].where))
            fail_msg("%s: at %.*s", rows[i].json, SPAN_PRINT(where));
    }
}

static void
test_refuses_more_than_can_be_read_at_once(void **state)
{
    const struct paper *all   = NULL;
    size_t              count = 0;
    struct buf          json;

    (void)state;
    buf_init(&json, 1 << 20);
    buf_add_text(&json, "{\"documents\":[");
    for (int i = 0; i <= PAPERS_MOST; i++)
        buf_add_format(&json, "%s{\"id\":\"d%d\",\"kind\":\"qsoa\"}", i > 0 ? "," : "", i);
    buf_add_text(&json, "]}");
    assert_int_equal(papers_read(buf_span(&json), arena, issues, &all, &count), ST_MALFORMED);
    buf_release(&json);
}

static void
test_says_what_an_emergency_lacks(void **state)
{
    static const struct { const char *json, *lacks; } rows[] = {
        { EMERGENCY_BUT("\"discloser\":\"R. Chen\",", "2026-11-22T22:00:00Z"), NULL },
        { EMERGENCY_BUT("", "2026-11-22T22:00:00Z"), "2.51(c)(2)" },
        { EMERGENCY_BUT("\"discloser\":\"R. Chen\",", "2026-11-26T22:00:00Z"), "three days" },
        { EMERGENCY_BUT("\"discloser\":\"R. Chen\",", "2026-11-21T22:00:00Z"), "three days" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct paper *p = one(rows[i].json);
        assert_int_equal(p->lacks == NULL, rows[i].lacks == NULL);
        if (p->lacks != NULL)
            assert_non_null(strstr(p->lacks, rows[i].lacks));
    }
}

static void
test_says_what_a_document_lacks(void **state)
{
    (void)state;
    assert_non_null(one("{\"documents\":[{\"id\":\"a\",\"kind\":\"qsoa\"}]}")->lacks);
    assert_non_null(one("{\"documents\":[{\"id\":\"a\",\"kind\":\"qsoa\",\"from\":\"2026\"}]}")->lacks);
    assert_non_null(one("{\"documents\":[{\"id\":\"a\",\"kind\":\"qsoa\",\"from\":\"2026\",\"party\":\"Organization/a\",\"discloser\":\"Organization/b\"}]}")->lacks);
    assert_null(one("{\"documents\":[" QSOA "]}")->lacks);
    assert_non_null(one("{\"restrictions\":[{\"id\":\"r\",\"patient\":\"Patient/p\",\"agreed\":false}]}")->lacks);
}

static void
test_knows_kinds_by_name(void **state)
{
    (void)state;
    assert_int_equal(paper_kind_of(SPAN("restriction")), PAPER_RESTRICTION);
    assert_int_equal(paper_kind_of(SPAN("emergencies")), PAPER_EMERGENCY);
    assert_int_equal(paper_kind_of(SPAN("")), PAPER_NONE);
    assert_int_equal(paper_kind_of(SPAN("note")), PAPER_NONE);
    assert_string_equal(paper_kind_text(PAPER_KINDS), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_reads_each_kind_of_paper, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refuses_what_it_would_not_keep, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refuses_more_than_can_be_read_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_says_what_an_emergency_lacks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_says_what_a_document_lacks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_knows_kinds_by_name, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
