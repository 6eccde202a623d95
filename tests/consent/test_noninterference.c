/* Promise 2 as a property: what leaves does not depend on what may not leave.
 *
 * From every template of tests/consent/twins, for many seeds, a Bundle B and its
 * twin B'.  output(B) and output(B') are the same bytes; no hidden word is in
 * any reading of them; every permitted word is; a twin that needs no cut leaves
 * as it came; and whoever may have all of it gets B as it came.
 *
 * Templates with the same request are also put together, two in one Bundle, of
 * two patients.
 *
 * SLUICE_SEEDS: how many seeds a template (default 60).
 * SLUICE_TWIN: only templates whose name starts so; what differs is printed. */
#include "tests/support/twin.h"

#include <stdlib.h>

#include "release_check.h"

enum { MAX_TEMPLATES = 128 };

struct run {
    unsigned      seeds;
    const char   *only;
    struct arena *arena;
    unsigned      templates, bundles, failed;
    struct { const char *name; struct span text; } all[MAX_TEMPLATES];
};

static struct span
payload_of(struct span body, struct span request, struct arena *arena, const struct release **out)
{
    *out = release_of(body, request, arena);
    return (*out)->payload;
}

static bool
complain(struct run *r, const char *name, uint64_t seed, const char *what)
{
    r->failed++;
    if (r->failed <= 40)
        print_message("%s seed %llu: %s\n", name, (unsigned long long)seed, what);
    return false;
}

static void
show(const struct run *r, const char *title, struct span text)
{
    if (r->only != NULL)
        print_message("---- %s (%zu)\n%.*s\n", title, text.length, SPAN_PRINT(text));
}

static bool
used(struct span text, char kind, char digit)
{
    char token[3] = { '$', kind, digit };

    return span_find(text, span_from(token, 3)) != SPAN_NOT_FOUND;
}

static bool
check_words(struct run *r, const char *name, uint64_t seed, struct span template, struct span payload,
            bool whole, struct arena *arena)
{
    bool good = true;

    for (char digit = '0'; digit <= '9'; digit++) {
        struct span secret = twin_token(arena, seed, 'S', digit), kept = twin_token(arena, seed, 'K', digit);
        char        what[64];
        if (used(template, 'S', digit) && twin_finds(payload, secret, arena) != whole) {
            snprintf(what, sizeof what, whole ? "$S%c is not in the whole" : "$S%c leaks", digit);
            good = complain(r, name, seed, what);
        }
        if (used(template, 'K', digit) && payload.length > 0 && !twin_finds(payload, kept, arena)) {
            snprintf(what, sizeof what, "$K%c is withheld", digit);
            good = complain(r, name, seed, what);
        }
    }
    return good;
}

/* Where what a consent lets go goes, the notice is added, in one place; nothing else differs. */
static bool
leaves_as_it_came(struct span out, struct span twin, bool notice)
{
    size_t head = 0, tail = 0;

    if (!notice)
        return span_eq(out, twin);
    while (head < twin.length && head < out.length && out.at[head] == twin.at[head])
        head++;
    while (tail < twin.length - head && out.at[out.length - 1 - tail] == twin.at[twin.length - 1 - tail])
        tail++;
    struct span added = span_from(out.at + head, out.length - twin.length);
    return out.length > twin.length && head + tail == twin.length
           && span_find(added, SPAN("protected by Federal confidentiality rules (42 CFR part 2)")) != SPAN_NOT_FOUND;
}

/* With the labels of the resources taken off or added: a function of what leaves (emission.h M6). */
static void
same_labels(struct run *r, const char *name, uint64_t seed, struct span b, struct span twin, struct span request,
            struct arena *arena)
{
    static const char *const modes[] = { "none", "emit" };

    for (size_t i = 0; i < sizeof modes / sizeof modes[0] && twin.length > 0; i++) {
        const struct release *release;
        struct span asked = arena_format(arena, "{\"emit\":\"%s\",%.*s", modes[i], SPAN_PRINT(span_skip(request, span_find_byte(request, '{') + 1)));
        struct span one = payload_of(b, asked, arena, &release), other = payload_of(twin, asked, arena, &release);
        if (span_eq(one, other))
            continue;
        complain(r, name, seed, "the labels of the Bundle and its twin differ");
        show(r, "out", one);
        show(r, "twin out", other);
    }
}

/* A recipient who may have all of it. */
static const char all_of_it[] =
    "{\"at\":\"2026-11-22T15:00:00Z\",\"actor\":{\"reference\":\"Organization/county\"},\"purpose\":[\"TREAT\"],"
    "\"source\":{\"part2\":\"not-program\"}}";

static void
one_seed(struct run *r, const char *name, struct span text, uint64_t seed)
{
    struct arena      *arena = arena_new("twin", (size_t)1 << 28);
    const struct tape *t;
    struct twin_style  style = twin_style_of(seed);

    assert_int_equal(tape_read(text, &tape_default_limits, arena, &t, NULL), ST_OK);
    tape_node   template = tape_member(t, TAPE_ROOT, SPAN("bundle"));
    tape_node   type     = tape_member(t, template, SPAN("type"));
    if (tape_text_eq(t, type, SPAN("document")) || tape_text_eq(t, type, SPAN("message")))
        style.turn = 0;
    struct twin_style plain   = { .seed = seed, .long_ids = style.long_ids };
    struct span       request = twin_print(t, tape_member(t, TAPE_ROOT, SPAN("request")), &plain, true, arena);
    struct span       b       = twin_print(t, template, &style, true, arena);
    struct span       twin    = twin_print(t, template, &style, false, arena);
    const struct release *of_b, *of_twin = NULL, *of_all;
    struct span out_b    = payload_of(b, request, arena, &of_b);
    struct span out_twin = twin.length == 0 ? (struct span){ NULL, 0 } : payload_of(twin, request, arena, &of_twin);

    r->bundles++;
    bool good = check_words(r, name, seed, text, out_b, false, arena);
    if (of_b->outcome == RELEASE_HOLD)
        good = complain(r, name, seed, "held by the check");
    if (!span_eq(out_b, out_twin))
        good = complain(r, name, seed, "the Bundle and its twin leave differently");
    if (out_twin.length > 0 && !leaves_as_it_came(out_twin, twin, (of_twin->obligations & OBLIGE_NOTICE) != 0))
        good = complain(r, name, seed, "the twin does not leave as it came");
    if (!good) {
        show(r, "Bundle", b);
        show(r, "out", out_b);
        show(r, "twin", twin);
        show(r, "twin out", out_twin);
        if (of_b->leak.length > 0)
            print_message("%.*s\n", SPAN_PRINT(of_b->leak));
    }
    same_labels(r, name, seed, b, twin, request, arena);
    struct span out_all = payload_of(b, span_of(all_of_it), arena, &of_all);
    if (!span_eq(out_all, b)) {
        complain(r, name, seed, "what may leave whole does not leave as it came");
        show(r, "Bundle", b);
        show(r, "all out", out_all);
    }
    arena_free(&arena);
}

static void
one_template(const char *path, const char *name, void *context)
{
    struct run *r = context;

    assert_true(r->templates < MAX_TEMPLATES);
    r->all[r->templates].name   = arena_text(r->arena, span_of(name));
    r->all[r->templates++].text = check_file(r->arena, path);
}

static void
seeds_of(struct run *r, const char *name, struct span text, unsigned seeds)
{
    unsigned before = r->failed;

    if (r->only != NULL && strncmp(name, r->only, strlen(r->only)) != 0)
        return;
    for (unsigned i = 0; i < seeds && r->failed < before + 3; i++)
        one_seed(r, name, text, i * 1000003u + span_hash(span_of(name)) % 1000);
}

/* ---- two templates in one Bundle ------------------------------------------------------ */

/* The names in id(x), url(Type/x) and ref(Type/x) get a tail, so that nothing
 * of the second template is something of the first. */
static void
add_renamed(struct buf *out, struct span text)
{
    static const char *const calls[] = { "id(", "url(", "ref(" };

    for (size_t i = 0; i < text.length;) {
        size_t used = 0;
        for (unsigned k = 0; k < 3; k++)
            if (span_starts(span_skip(text, i), span_of(calls[k])))
                used = span_find_byte(span_skip(text, i), ')');
        if (used == 0) {
            buf_add_byte(out, text.at[i++]);
            continue;
        }
        buf_add(out, span_from(text.at + i, used));
        buf_add_text(out, "-2");
        i += used;
    }
}

static bool
may_join(const struct tape *t, struct span *request, struct span *entries)
{
    tape_node bundle = tape_member(t, TAPE_ROOT, SPAN("bundle"));

    *request = tape_extent(t, tape_member(t, TAPE_ROOT, SPAN("request")));
    *entries = tape_extent(t, tape_member(t, bundle, SPAN("entry")));
    return tape_text_eq(t, tape_member(t, bundle, SPAN("type")), SPAN("collection"))
           && tape_children(t, bundle) == 3
           && span_find(*request, SPAN("Consent")) == SPAN_NOT_FOUND;
}

static void
pair(struct run *r, unsigned a, unsigned b, unsigned seeds)
{
    struct arena      *arena = arena_new("pair", (size_t)1 << 24);
    const struct tape *one, *two;
    struct span        r1, r2, e1, e2;
    struct buf         text;

    assert_int_equal(tape_read(r->all[a].text, &tape_default_limits, arena, &one, NULL), ST_OK);
    assert_int_equal(tape_read(r->all[b].text, &tape_default_limits, arena, &two, NULL), ST_OK);
    if (may_join(one, &r1, &e1) && may_join(two, &r2, &e2) && span_eq(r1, r2)) {
        buf_init(&text, 1 << 22);
        buf_add_text(&text, "{\"request\":");
        buf_add(&text, r1);
        buf_add_text(&text, ",\"bundle\":{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":");
        buf_add(&text, span_first(e1, e1.length - 1));
        buf_add_byte(&text, ',');
        add_renamed(&text, span_skip(e2, 1));
        buf_add_text(&text, "}}");
        struct span name = arena_format(arena, "%s+%s", r->all[a].name, r->all[b].name);
        seeds_of(r, name.at, buf_span(&text), seeds);
        buf_release(&text);
    }
    arena_free(&arena);
}

static void
test_what_leaves_does_not_depend_on_what_may_not(void **state)
{
    const char *seeds = getenv("SLUICE_SEEDS");
    struct run  r     = { .seeds = seeds != NULL ? (unsigned)strtoul(seeds, NULL, 10) : 60,
                          .only  = getenv("SLUICE_TWIN"),
                          .arena = arena_new("templates", (size_t)1 << 26) };

    (void)state;
    check_folder(SLUICE_SOURCE_DIR "/tests/consent/twins", "", ".json", one_template, &r);
    for (unsigned i = 0; i < r.templates; i++)
        seeds_of(&r, r.all[i].name, r.all[i].text, r.seeds);
    for (unsigned i = 0; i < r.templates; i++)
        for (unsigned k = 0; k < r.templates; k++)
            if (i != k)
                pair(&r, i, k, r.seeds / 60 + (r.seeds < 60));
    print_message("%u templates, %u bundles and their twins, %u failures\n", r.templates, r.bundles, r.failed);
    assert_true(r.templates > 0);
    assert_int_equal(r.failed, 0);
    arena_free(&r.arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_leaves_does_not_depend_on_what_may_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
