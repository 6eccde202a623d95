/* tests/consent/test_cases.c -- the conformance cases of ../shared/cases/consent, all the way.
 *
 * A case is a request, actors, consents, labels and a bundle; what is expected
 * are the ids that leave, strings that may not, and obligations (README
 * there).  The case goes through facts_read() and release_make() as the command
 * line does it, and what leaves is read again from the payload's bytes.
 *
 * All cases have to pass but those of `elsewhere`, which are not about a
 * decision.  Without the folder the test skips.
 */
#include "consent/obligation.h"
#include "consent/release.h"
#include "tests/support/check.h"

static const struct { const char *id, *why; } elsewhere[] = {
    { "H06-audit-sink-down", "the log is the gateway's: tests/gateway holds delivery back when it cannot write" },
};

struct trial {
    struct arena          *arena;
    const struct tape     *tape;                 /* of the case */
    const struct release  *release;
    const struct tape     *payload;              /* what left; NULL: nothing */
    struct span            wrong;                /* why it failed; empty: it did not */
};

static tape_node
of(const struct trial *t, const char *name)
{
    return tape_member(t->tape, TAPE_ROOT, span_of(name));
}

static tape_node
expected(const struct trial *t, const char *name)
{
    return tape_member(t->tape, of(t, "expected"), span_of(name));
}

/* `request`, `actors`, `consents` and `labels` together make R. */
static struct span
request_of(const struct trial *t)
{
    static const char *const more[] = { "actors", "consents", "labels" };
    struct buf  out;
    struct span json;

    buf_init(&out, 1 << 20);
    buf_add_byte(&out, '{');
    for (tape_node n = tape_first(t->tape, of(t, "request")); n != TAPE_ABSENT; n = tape_next(t->tape, n)) {
        struct span name = tape_text(t->tape, tape_name(t->tape, n), t->arena);
        buf_add_format(&out, "\"%.*s\":", SPAN_PRINT(name));
        buf_add(&out, tape_extent(t->tape, n));
        buf_add_byte(&out, ',');
    }
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        buf_add_format(&out, "%s\"%s\":", i > 0 ? "," : "", more[i]);
        buf_add(&out, tape_extent(t->tape, of(t, more[i])));
    }
    buf_add_byte(&out, '}');
    assert_int_equal(buf_status(&out), ST_OK);
    json = arena_copy(t->arena, buf_span(&out));
    buf_release(&out);
    return json;
}

static void
try(struct trial *t)
{
    struct issues           *issues = issues_new(t->arena, 20);
    const struct tape       *tape;
    const struct bundle     *bundle;
    const struct references *references;
    const struct facts      *facts;

    assert_int_equal(facts_read(request_of(t), t->arena, issues, &facts), ST_OK);
    assert_int_equal(tape_read(tape_extent(t->tape, of(t, "bundle")), &tape_default_limits, t->arena, &tape, NULL), ST_OK);
    assert_int_equal(bundle_read(tape, t->arena, issues, &bundle), ST_OK);
    assert_int_equal(references_read(bundle, t->arena, &references), ST_OK);
    assert_int_equal(release_make(bundle, references, NULL, facts, t->arena, &t->release), ST_OK);
    if (!span_empty(t->release->payload))
        assert_int_equal(tape_read(t->release->payload, &tape_default_limits, t->arena, &t->payload, NULL), ST_OK);
}

/* An entry with this id is in the payload. */
static bool
left(const struct trial *t, struct span id)
{
    tape_node list = t->payload != NULL ? tape_member(t->payload, TAPE_ROOT, SPAN("entry")) : TAPE_ABSENT;

    for (tape_node n = t->payload != NULL ? tape_first(t->payload, list) : TAPE_ABSENT; n != TAPE_ABSENT;
         n = tape_next(t->payload, n))
        if (tape_text_eq(t->payload, tape_member(t->payload, tape_member(t->payload, n, SPAN("resource")), SPAN("id")), id))
            return true;
    return false;
}

static bool
lists(const struct trial *t, tape_node list, struct span id)
{
    for (tape_node n = tape_first(t->tape, list); n != TAPE_ABSENT; n = tape_next(t->tape, n))
        if (tape_text_eq(t->tape, n, id))
            return true;
    return false;
}

/* Exactly these ids left. */
static bool
exactly(const struct trial *t, tape_node ids)
{
    tape_node entries = tape_member(t->tape, of(t, "bundle"), SPAN("entry"));

    for (tape_node n = tape_first(t->tape, entries); n != TAPE_ABSENT; n = tape_next(t->tape, n)) {
        struct span id = tape_member_text(t->tape, tape_member(t->tape, n, SPAN("resource")), SPAN("id"), t->arena);
        if (left(t, id) != lists(t, ids, id))
            return false;
    }
    return true;
}

static void
check_ids(struct trial *t)
{
    bool right = exactly(t, expected(t, "releasedIds"));

    for (tape_node n = tape_first(t->tape, expected(t, "alsoAcceptableReleasedIds")); n != TAPE_ABSENT; n = tape_next(t->tape, n))
        right |= exactly(t, n);
    if (right)
        return;
    t->wrong = SPAN("left:");
    for (uint32_t e = 0; e < t->release->bundle->count; e++)
        if (left(t, t->release->bundle->entries[e].id))
            t->wrong = arena_format(t->arena, "%.*s %.*s", SPAN_PRINT(t->wrong), SPAN_PRINT(t->release->bundle->entries[e].id));
    t->wrong = arena_format(t->arena, "%.*s; want %.*s", SPAN_PRINT(t->wrong),
                            SPAN_PRINT(tape_extent(t->tape, expected(t, "releasedIds"))));
}

static void
check_strings(struct trial *t)
{
    for (tape_node n = tape_first(t->tape, expected(t, "mustNotContain")); n != TAPE_ABSENT; n = tape_next(t->tape, n)) {
        struct span text = tape_text(t->tape, n, t->arena);
        if (span_find(t->release->payload, text) != SPAN_NOT_FOUND)
            t->wrong = arena_format(t->arena, "the payload holds \"%.*s\"", SPAN_PRINT(text));
    }
}

/* The cases name obligations in their own words; ours are the beginnings. */
static void
check_obligations(struct trial *t)
{
    static const struct { const char *theirs; enum obligation ours; } words[] = {
        { "notice-2.32", OBLIGE_NOTICE }, { "copy-or-explanation-of-consent-2.32", OBLIGE_CONSENT_COPY },
        { "accounting-2.25", OBLIGE_ACCOUNTING }, { "audit", OBLIGE_AUDIT },
        { "document-emergency-2.51", OBLIGE_EMERGENCY }, { "post-hoc-review", OBLIGE_REVIEW },
    };
    bool notice = false;

    for (tape_node n = tape_first(t->tape, expected(t, "obligations")); n != TAPE_ABSENT; n = tape_next(t->tape, n)) {
        struct span text = tape_text(t->tape, n, t->arena);
        bool        met  = false;
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (span_starts(text, span_of(words[i].theirs)))
                met = (t->release->obligations & words[i].ours) != 0;
        notice |= span_starts(text, SPAN("notice"));
        if (!met)
            t->wrong = arena_format(t->arena, "not obliged to %.*s", SPAN_PRINT(text));
    }
    if (notice && span_find(t->release->payload, span_of(obligation_notice_long)) == SPAN_NOT_FOUND)
        t->wrong = SPAN("the notice is not in the payload");
}

static bool
is_elsewhere(struct span id)
{
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
        if (span_eq_text(id, elsewhere[i].id)) {
            print_message("  %s: not here, %s\n", elsewhere[i].id, elsewhere[i].why);
            return true;
        }
    return false;
}

static void
print_failure(const struct trial *t, struct span id)
{
    print_message("  %.*s FAILS: %.*s\n", SPAN_PRINT(id), SPAN_PRINT(t->wrong));
    for (uint32_t e = 0; e < t->release->bundle->count; e++) {
        const struct decision *d = &t->release->plan->decisions[e];
        print_message("    %.*s: %s, %s, %.*s\n", SPAN_PRINT(t->release->bundle->entries[e].id), verdict_text(d->verdict),
                      rule_number(d->rule), SPAN_PRINT(d->because));
    }
    if (!span_empty(t->release->leak))
        print_message("    held: %.*s\n", SPAN_PRINT(t->release->leak));
}

struct score { int passed, failed; };

static void
run(const char *path, const char *name, void *context)
{
    struct score *score = context;
    struct trial  t     = { .arena = arena_new("case", (size_t)64 << 20) };

    (void)name;
    assert_int_equal(tape_read(check_file(t.arena, path), &tape_default_limits, t.arena, &t.tape, NULL), ST_OK);
    struct span id = tape_member_text(t.tape, TAPE_ROOT, SPAN("id"), t.arena);
    if (!is_elsewhere(id)) {
        try(&t);
        check_ids(&t);
        check_strings(&t);
        check_obligations(&t);
        if (!span_empty(t.wrong))
            print_failure(&t, id);
        score->failed += !span_empty(t.wrong);
        score->passed += span_empty(t.wrong);
    }
    arena_free(&t.arena);
}

static void
test_the_conformance_cases(void **state)
{
    struct score score = { 0, 0 };

    (void)state;
    if (!check_shared("cases/consent"))
        skip();
    check_folder(check_shared_path("cases/consent"), "", ".json", run, &score);
    print_message("  %d cases pass, %d fail\n", score.passed, score.failed);
    assert_int_equal(score.failed, 0);
    assert_true(score.passed > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_conformance_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
