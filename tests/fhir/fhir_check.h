/* tests/fhir/fhir_check.h -- what the tests of fhir/ share: a tape from a text,
 * the definitions of the build, the findings of a text.
 */
#ifndef SLUICE_TESTS_FHIR_CHECK_H
#define SLUICE_TESTS_FHIR_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/json_tape.h"
#include "base/span.h"
#include "fhir/bundle.h"
#include "fhir/pack.h"
#include "fhir/validate.h"

#define TEST_BUDGET ((size_t)256 << 20)

static inline struct arena *
test_arena(void)
{
    struct arena *arena = arena_new("test", TEST_BUDGET);

    assert_non_null(arena);
    return arena;
}

static inline const struct tape *
test_tape(struct arena *arena, struct span body)
{
    const struct tape *tape = NULL;
    struct tape_error  error;

    if (tape_read(body, &tape_default_limits, arena, &tape, &error) != ST_OK)
        fail_msg("the test's own JSON: line %u, column %u: %s", error.line, error.column,
                 tape_refusal_text(error.why));
    return tape;
}

/* "a.b[2].c" from the root: a small address for tests, not FHIRPath. */
static inline tape_node
test_node(const struct tape *tape, const char *address)
{
    tape_node   at   = TAPE_ROOT;
    struct span rest = span_of(address);

    while (rest.length > 0) {
        if (rest.at[0] == '.') {
            rest = span_skip(rest, 1);
        } else if (rest.at[0] == '[') {
            rest = span_skip(rest, 1);
            struct span digits = span_split(&rest, ']');
            uint64_t    index  = 0;
            assert_true(span_to_u64(digits, &index));
            at = tape_item(tape, at, (uint32_t)index);
        } else {
            size_t length = 0;
            while (length < rest.length && rest.at[length] != '.' && rest.at[length] != '[')
                length++;
            at   = tape_member(tape, at, span_first(rest, length));
            rest = span_skip(rest, length);
        }
        if (at == TAPE_ABSENT)
            fail_msg("no such node in the test's own JSON: %s", address);
    }
    return at;
}

#define assert_span(have, want)                                                              \
    do {                                                                                     \
        struct span have_ = (have), want_ = (want);                                          \
        if (!span_eq(have_, want_))                                                          \
            fail_msg("have \"%.*s\", want \"%.*s\"", SPAN_PRINT(have_), SPAN_PRINT(want_));  \
    } while (0)
#define assert_text(have, want) assert_span(have, span_of(want))

/* A whole file; empty when it is not there. */
static inline struct span
test_file(struct arena *arena, const char *path)
{
    FILE *f = fopen(path, "rb");

    if (f == NULL)
        return (struct span){ NULL, 0 };
    fseek(f, 0, SEEK_END);
    long length = ftell(f);
    rewind(f);
    char *at = arena_alloc(arena, (size_t)length + 1);
    assert_non_null(at);
    assert_int_equal(fread(at, 1, (size_t)length, f), length);
    fclose(f);
    return span_from(at, (size_t)length);
}

/* The definitions of the build, opened once; NULL without them: then a test skips. */
static inline const struct pack *
test_pack(void)
{
    static struct arena      *arena;
    static const struct pack *pack;

    if (arena == NULL) {
        arena = test_arena();
        struct span bytes = test_file(arena, SLUICE_BINARY_DIR "/definitions/r4.pack");
        if (!span_empty(bytes))
            assert_int_equal(pack_open(bytes, arena, &pack), ST_OK);
    }
    return pack;
}

/* A test that needs them begins so. */
static inline void
test_needs_pack(void)
{
    if (test_pack() == NULL)
        skip();
}

/* What validation finds in a text; one that is no JSON is rule json, and what
 * cannot be walked has its findings. */
static inline struct issues *
test_findings(struct arena *arena, struct span json, const struct validate_options *options)
{
    struct issues       *issues = issues_new(arena, 100);
    const struct bundle *bundle;
    const struct tape   *tape;
    struct tape_error    error;

    if (tape_read(json, &tape_default_limits, arena, &tape, &error) != ST_OK) {
        struct issue refused = { .severity = SEVERITY_FATAL, .rule = "json" };
        issues_add(issues, &refused);
        return issues;
    }
    if (bundle_read(tape, arena, issues, &bundle) == ST_OK)
        assert_int_equal(validate(test_pack(), bundle, options, arena, issues), ST_OK);
    return issues;
}

#endif
