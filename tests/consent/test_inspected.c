/* tests/consent/test_inspected.c -- what a helper read is a fact, and what it did not is unreadable. */
#include "tests/support/check.h"

#include <stdlib.h>

#include "consent/attachment.h"
#include "tests/consent/label_check.h"

#define TELLS "Heroin dependence, on Suboxone."

struct fixture { struct inspected_table table; struct arena *arena; size_t budget; };

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->table.max_bytes = (size_t)4 << 20;
    f->arena           = arena_new("inspected", (size_t)64 << 20);
    f->budget          = (size_t)16 << 20;
    *state             = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    inspected_release(&f->table);
    arena_free(&f->arena);
    free(f);
    return 0;
}

static struct inspection
inspect(struct fixture *f, const char *bytes)
{
    return attachment_inspect_bytes(span_of(bytes), NULL, &f->table, f->arena, &f->budget);
}

static bool
tells(struct inspection i)
{
    return labels_meet(i.finding.labels | i.finding.medication
                       | text_drug_labels(i.finding.drugs, i.finding.contexts), labels_substance_use());
}

static void
answer(struct fixture *f, bool readable, enum inspected_kind kind, const char *text)
{
    inspected_answer(&f->table, readable, &(struct inspected_part){ kind, span_of(text) }, 1);
}

static void
test_a_document_is_unreadable_until_it_was_read(void **state)
{
    static const char *const documents[] = { "%PDF-1.4 " TELLS, "{\\rtf1 " TELLS "}", "\x1f\x8b" TELLS };
    struct fixture *f = *state;

    for (size_t n = 0; n < 3; n++) {
        struct inspection i = inspect(f, documents[n]);
        assert_true(i.unreadable && !tells(i));
        assert_int_equal(f->table.count, n + 1);
        check_text(f->table.open->bytes, documents[n]);
        assert_true(inspect(f, documents[n]).unreadable);    /* asked once */
        assert_int_equal(f->table.count, n + 1);
        answer(f, true, INSPECTED_TEXT, TELLS);
        i = inspect(f, documents[n]);
        assert_true(!i.unreadable && tells(i));
        assert_null(f->table.open);
    }
}

static void
test_an_unreadable_answer_counts_with_what_it_says(void **state)
{
    struct fixture *f = *state;

    (void)inspect(f, "%PDF-1.4 one");
    answer(f, false, INSPECTED_TEXT, TELLS);
    struct inspection i = inspect(f, "%PDF-1.4 one");
    assert_true(i.unreadable && tells(i));
    (void)inspect(f, "%PDF-1.4 two");
    inspected_answer(&f->table, false, NULL, 0);
    i = inspect(f, "%PDF-1.4 two");
    assert_true(i.unreadable && !tells(i));
}

static void
test_a_document_in_a_document_is_asked_next(void **state)
{
    struct fixture *f = *state;

    (void)inspect(f, "\x1f\x8b one");
    answer(f, true, INSPECTED_DOCUMENT, "%PDF-1.4 inside");
    assert_true(inspect(f, "\x1f\x8b one").unreadable);
    assert_int_equal(f->table.open->form, DOCUMENT_PDF);
    answer(f, true, INSPECTED_TEXT, TELLS);
    assert_true(tells(inspect(f, "\x1f\x8b one")) && !inspect(f, "\x1f\x8b one").unreadable);
}

/* Each is in the one before: it ends where attachments end. */
static void
test_documents_in_documents_end(void **state)
{
    struct fixture *f = *state;
    char            name[16] = "\x1f\x8b 0";
    int             rounds   = 0;

    (void)inspect(f, "\x1f\x8b 0");
    while (f->table.open != NULL) {
        name[3]++;
        answer(f, true, INSPECTED_DOCUMENT, name);
        assert_true(inspect(f, "\x1f\x8b 0").unreadable);
        assert_true(++rounds <= ATTACHMENT_DEPTH);
    }
    assert_int_equal(rounds, ATTACHMENT_DEPTH);
}

/* What we read of markup counts as before; a reader of markup adds to it. */
static void
test_markup_is_read_here_and_there(void **state)
{
    struct fixture *f = *state;

    assert_true(tells(inspect(f, "<html><p title='" TELLS "'>")));
    answer(f, true, INSPECTED_TEXT, "nothing");
    assert_true(tells(inspect(f, "<html><p title='" TELLS "'>")));
    (void)inspect(f, "<?xml version='1.0' encoding='x'?><a/>");
    answer(f, true, INSPECTED_TEXT, TELLS);
    assert_true(tells(inspect(f, "<?xml version='1.0' encoding='x'?><a/>")));
    assert_false(inspect(f, "a < b").unreadable);
    assert_int_equal(f->table.count, 2);
}

static void
test_the_same_bytes_in_another_form_are_another_question(void **state)
{
    struct fixture *f = *state;

    assert_null(inspected_of(&f->table, DOCUMENT_PDF, SPAN("x")));
    answer(f, true, INSPECTED_TEXT, "y");
    assert_null(inspected_of(&f->table, DOCUMENT_RTF, SPAN("x")));
    assert_non_null(inspected_of(&f->table, DOCUMENT_PDF, SPAN("x")));
    assert_int_equal(f->table.count, 2);
}

static void
test_too_many_documents_refuse_the_whole(void **state)
{
    struct fixture *f = *state;
    char            name[32];

    for (unsigned n = 0; n < INSPECTED_MOST; n++) {
        snprintf(name, sizeof name, "{\\rtf %u}", n);
        assert_null(inspected_of(&f->table, DOCUMENT_RTF, span_of(name)));
    }
    assert_false(f->table.refused);
    assert_null(inspected_of(&f->table, DOCUMENT_RTF, SPAN("{\\rtf}")));
    assert_true(f->table.refused);
    assert_int_equal(f->table.count, INSPECTED_MOST);
}

static void
test_no_memory_refuses_the_whole(void **state)
{
    struct inspected_table t    = { .max_bytes = 64 << 10 };
    char                  *huge = calloc(1, 128 << 10);

    assert_null(inspected_of(&t, DOCUMENT_PDF, span_from(huge, 1024)));
    assert_false(t.refused);
    inspected_answer(&t, true, &(struct inspected_part){ INSPECTED_TEXT, span_from(huge, 128 << 10) }, 1);
    assert_true(t.refused);
    inspected_release(&t);
    free(huge);
    (void)state;
}

/* ---- a whole Bundle ------------------------------------------------------------------- */

static void
say(struct inspected_table *t, void *with)
{
    unsigned *asked = with;

    while (t->open != NULL) {
        (*asked)++;
        inspected_answer(t, true, &(struct inspected_part){ INSPECTED_TEXT, SPAN(TELLS) }, 1);
    }
}

static void
test_a_bundle_asks_for_what_it_holds_and_nothing_else(void **state)
{
    static const struct { const char *json; unsigned asked; bool tells; } rows[] = {
        /* "%PDF-1.4 x" twice: one question */
        { "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["
          "{\"resource\":{\"resourceType\":\"Binary\",\"contentType\":\"text/plain\",\"data\":\"JVBERi0xLjQgeA==\"}},"
          "{\"resource\":{\"resourceType\":\"DocumentReference\",\"status\":\"current\",\"content\":[{\"attachment\":{"
          "\"data\":\"JVBERi0xLjQgeA==\"}}]}}]}", 1, true },
        { "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["
          "{\"resource\":{\"resourceType\":\"Binary\",\"contentType\":\"text/plain\",\"data\":\"S25lZSBwYWlu\"}}]}", 0, false },
    };
    struct fixture *f = *state;

    for (size_t n = 0; n < 2; n++) {
        struct inspected_table    table  = { .max_bytes = 1 << 20 };
        struct facts              facts  = { .inspected = &table, .sender = SENDER_UNKNOWN };
        unsigned                  asked  = 0;
        struct inspected_asker    asker  = { say, &asked };
        struct issues            *issues = issues_new(f->arena, 4);
        const struct tape        *tape;
        const struct bundle      *bundle;
        const struct references  *references;
        const struct labeling    *labeling;
        assert_int_equal(tape_read(span_of(rows[n].json), &tape_default_limits, f->arena, &tape, NULL), ST_OK);
        assert_int_equal(bundle_read(tape, f->arena, issues, &bundle), ST_OK);
        assert_int_equal(references_read(bundle, f->arena, &references), ST_OK);
        assert_int_equal(label_inspected(bundle, references, &facts, &asker, f->arena, &labeling), ST_OK);
        assert_int_equal(asked, rows[n].asked);
        assert_int_equal(table.arena != NULL, rows[n].asked > 0);
        for (uint32_t e = 0; e < bundle->count; e++) {
            assert_false(labeling->of[e].uninspected);
            assert_int_equal(labels_meet(labeling->of[e].labels, labels_substance_use()), rows[n].tells);
        }
        inspected_release(&table);
    }
}

/* A reader that answers one and then cannot. */
static void
fail_second(struct inspected_table *t, void *with)
{
    unsigned *asked = with;

    if ((*asked)++ > 0)
        t->fault = true;
    else
        inspected_answer(t, true, &(struct inspected_part){ INSPECTED_DOCUMENT, SPAN("%PDF-1.4 inside") }, 1);
}

static void
test_a_fault_ends_it_and_decides_nothing(void **state)
{
    static const char json[] = "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["
        "{\"resource\":{\"resourceType\":\"Binary\",\"contentType\":\"text/plain\",\"data\":\"JVBERi0xLjQgeA==\"}}]}";
    struct fixture           *f        = *state;
    struct inspected_table    table    = { .max_bytes = 1 << 20 };
    struct facts              facts    = { .inspected = &table, .sender = SENDER_UNKNOWN };
    unsigned                  asked    = 0;
    struct inspected_asker    asker    = { fail_second, &asked };
    struct issues            *issues   = issues_new(f->arena, 4);
    const struct labeling    *labeling = NULL;
    const struct tape        *tape;
    const struct bundle      *bundle;
    const struct references  *references;

    assert_int_equal(tape_read(span_of(json), &tape_default_limits, f->arena, &tape, NULL), ST_OK);
    assert_int_equal(bundle_read(tape, f->arena, issues, &bundle), ST_OK);
    assert_int_equal(references_read(bundle, f->arena, &references), ST_OK);
    assert_int_equal(label_inspected(bundle, references, &facts, &asker, f->arena, &labeling), ST_UNAVAILABLE);
    assert_int_equal(asked, 2);
    assert_non_null(table.open);
    assert_false(table.open->answered);
    inspected_release(&table);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_document_is_unreadable_until_it_was_read),
        TEST(test_an_unreadable_answer_counts_with_what_it_says),
        TEST(test_a_document_in_a_document_is_asked_next),
        TEST(test_documents_in_documents_end),
        TEST(test_markup_is_read_here_and_there),
        TEST(test_the_same_bytes_in_another_form_are_another_question),
        TEST(test_too_many_documents_refuse_the_whole),
        TEST(test_no_memory_refuses_the_whole),
        TEST(test_a_bundle_asks_for_what_it_holds_and_nothing_else),
        TEST(test_a_fault_ends_it_and_decides_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
