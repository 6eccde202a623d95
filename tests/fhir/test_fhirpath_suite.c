/* The FHIRPath suite of HL7, where it is beside the checkout: how many of its
 * cases agree.  docs/fhirpath.md names those that do not, with the reason. */
#include "fhir_check.h"

#include "../support/check.h"
#include "fhir/bundle.h"
#include "fhir/fhirpath.h"
#include "fhir/pack.h"
#include "fhir/reference.h"

#define SUITE  "cases/fhirpath/tests.json"
#define INPUTS "cases/fhirpath/inputs/"
#define LEAST  98                        /* per cent of the runnable cases */

struct input {
    struct span              name;
    const struct tape       *tape;       /* NULL: only there as XML, or not at all */
    const struct references *references;
};

struct suite {
    struct arena      *arena;
    const struct pack *pack;
    const struct tape *tests;
    struct input       inputs[16];
    unsigned           input_count, ran, agreed, not_runnable;
};

static const struct pack *
load_pack(struct arena *arena)
{
    const struct pack *pack  = NULL;
    struct span        bytes = test_file(arena, SLUICE_BINARY_DIR "/definitions/r4.pack");

    return bytes.length > 0 && pack_open(bytes, arena, &pack) == ST_OK ? pack : NULL;
}

static struct input *
input_named(struct suite *s, struct span name)
{
    for (unsigned i = 0; i < s->input_count; i++)
        if (span_eq(s->inputs[i].name, name))
            return &s->inputs[i];
    assert_true(s->input_count < 16);
    struct input *in   = &s->inputs[s->input_count++];
    struct span   stem = span_first(name, span_find_last_byte(name, '.'));
    char          path[512];
    snprintf(path, sizeof path, "%s/" INPUTS "%.*s.json", SLUICE_SHARED_DIR, SPAN_PRINT(stem));
    struct span body = test_file(s->arena, path);
    *in = (struct input){ .name = name };
    if (body.length > 0) {
        const struct bundle *bundle;
        in->tape = test_tape(s->arena, body);
        assert_int_equal(bundle_read(in->tape, s->arena, issues_new(s->arena, 10), &bundle), ST_OK);
        assert_int_equal(references_read(bundle, s->arena, &in->references), ST_OK);
    }
    return in;
}

static struct span
text_of(struct suite *s, tape_node test, const char *name)
{
    return tape_member_text(s->tests, test, span_of(name), s->arena);
}

/* What the suite writes in front of a moment. */
static struct span
plain(struct span value)
{
    if (value.length > 0 && value.at[0] == '@')
        value = span_skip(value, 1);
    return value.length > 0 && value.at[0] == 'T' ? span_skip(value, 1) : value;
}

static bool
same_result(struct suite *s, const struct fhirpath_context *c, tape_node outputs, const struct fhirpath_result *have)
{
    uint32_t i = 0;

    if (tape_children(s->tests, outputs) != have->count)
        return false;
    for (tape_node n = tape_first(s->tests, outputs); n != TAPE_ABSENT; n = tape_next(s->tests, n), i++) {
        struct span value = text_of(s, n, "value"), type = text_of(s, n, "type");
        struct span text  = fhirpath_text(c, &have->items[i], s->arena), own = fhirpath_type(c, &have->items[i], s->arena);
        if (!span_eq(plain(value), text))
            return false;
        span_split(&own, '.');
        if (type.length > 0 && !span_eq_nocase(type, own))
            return false;
    }
    return true;
}

static void
report(struct suite *s, tape_node test, const struct fhirpath_context *c, const struct fhirpath_result *have,
       const char *why)
{
    printf("  %.*s: %.*s\n    %s;", SPAN_PRINT(text_of(s, test, "name")), SPAN_PRINT(text_of(s, test, "expr")), why);
    for (uint32_t i = 0; i < have->count; i++) {
        struct span text = fhirpath_text(c, &have->items[i], s->arena), type = fhirpath_type(c, &have->items[i], s->arena);
        printf(" %.*s:%.*s", SPAN_PRINT(type), SPAN_PRINT(text));
    }
    printf("\n");
}

static void
run_one(struct suite *s, tape_node test)
{
    struct span             name = text_of(s, test, "input"), invalid = text_of(s, test, "invalid"), program;
    struct fhirpath_context c    = { .pack = s->pack, .now_ms = INT64_C(1763820000000),
                                     .strict = span_eq_text(text_of(s, test, "mode"), "strict") };
    struct fhirpath_result  have = { NULL, 0, { FHIRPATH_FAILED_NONE, 0 } };
    struct fhirpath_error   error = { 0, "" };
    const struct input     *in   = NULL;

    if (name.length > 0) {
        in = input_named(s, name);
        if (in->tape == NULL) {
            s->not_runnable++;
            return;
        }
        c.tape       = in->tape;
        c.focus      = fhirpath_resource(s->pack, in->tape, TAPE_ROOT);
        c.resource   = c.root_resource = TAPE_ROOT;
        c.references = in->references;
    } else {
        c.tape = s->tests;
    }
    s->ran++;
    enum status st   = fhirpath_compile(text_of(s, test, "expr"), s->arena, &program, &error);
    const char *why  = st != ST_OK ? error.why : "another result";
    bool        good = false;
    if (st == ST_OK) {
        assert_true(fhirpath_check(program));
        st = fhirpath_run(program, &c, s->arena, &have);
        if (st != ST_OK)
            why = fhirpath_failure_text(have.failure.why);
        good = st == ST_OK && same_result(s, &c, tape_member(s->tests, test, SPAN("outputs")), &have);
    }
    if (invalid.length > 0) {
        good = st != ST_OK;
        why  = "an error is wanted";
    }
    s->agreed += good;
    if (!good)
        report(s, test, &c, &have, why);
}

static void
test_agrees_with_the_suite_of_hl7(void **state)
{
    struct suite s = { .arena = test_arena() };
    char         path[512];

    (void)state;
    snprintf(path, sizeof path, "%s/" SUITE, SLUICE_SHARED_DIR);
    struct span body = test_file(s.arena, path);
    s.pack = load_pack(s.arena);
    if (body.length == 0 || s.pack == NULL) {
        arena_free(&s.arena);
        skip();
    }
    s.tests = test_tape(s.arena, body);
    for (tape_node n = tape_first(s.tests, TAPE_ROOT); n != TAPE_ABSENT; n = tape_next(s.tests, n))
        run_one(&s, n);
    printf("FHIRPath suite: %u of %u runnable cases agree; %u have no JSON input\n", s.agreed, s.ran, s.not_runnable);
    assert_true(s.agreed * 100 >= s.ran * LEAST);
    arena_free(&s.arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_agrees_with_the_suite_of_hl7) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
