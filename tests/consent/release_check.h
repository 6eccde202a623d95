/* tests/consent/release_check.h -- a request and a document as text, and what leaves. */
#ifndef SLUICE_TESTS_CONSENT_RELEASE_CHECK_H
#define SLUICE_TESTS_CONSENT_RELEASE_CHECK_H

#include "tests/support/check.h"

#include "consent/release.h"
#include "fhir/path.h"

struct out {
    struct arena         *arena;
    const struct release *release;
    struct span           payload;
};

static inline const struct release *
release_of(struct span body, struct span request, struct arena *arena)
{
    const struct tape       *tape;
    const struct bundle     *bundle;
    const struct references *references;
    const struct facts      *facts;
    const struct release    *release;
    struct issues           *issues = issues_new(arena, 8);
    struct tape_error        error  = { 0 };

    if (tape_read(body, &tape_default_limits, arena, &tape, &error) != ST_OK)
        fail_msg("%s at %zu: %.*s", tape_refusal_name(error.why), error.where, SPAN_PRINT(body));
    if (facts_read(request, arena, issues, &facts) != ST_OK)
        fail_msg("request: %.*s %.*s", SPAN_PRINT(issues_at(issues, 0)->expression),
                 SPAN_PRINT(issues_at(issues, 0)->wanted));
    assert_int_equal(bundle_read(tape, arena, issues, &bundle), ST_OK);
    assert_int_equal(references_read(bundle, arena, &references), ST_OK);
    assert_int_equal(release_make(bundle, references, NULL, facts, arena, &release), ST_OK);
    return release;
}

/* ' stands for " in both texts, so that they can be read. */
static inline struct span
quoted(struct arena *arena, const char *text)
{
    char *copy = arena_text(arena, span_of(text));

    for (char *p = copy; *p != 0; p++)
        if (*p == '\'')
            *p = '"';
    return span_of(copy);
}

static inline struct out
out_of(const char *request, const char *body)
{
    struct out o = { .arena = arena_new("release", (size_t)1 << 28) };

    o.release = release_of(quoted(o.arena, body), quoted(o.arena, request), o.arena);
    o.payload = o.release->payload;
    return o;
}

static inline void
out_end(struct out *o)
{
    arena_free(&o->arena);
}

static inline bool
out_has(const struct out *o, const char *text)
{
    return span_find(o->payload, quoted(o->arena, text)) != SPAN_NOT_FOUND;
}

#endif
