/* tests/fuzz/fuzz_fhirpath_run.c -- any document under a list of expressions.
 *
 * The first byte chooses the list's beginning, the rest is a document.
 * Checked: every run ends within its budget and gives its memory back; items
 * are nodes of the tape; a walk of all descendants visits no more items than
 * the tape has nodes. */
#include <assert.h>
#include <stdio.h>

#include "fhir/bundle.h"
#include "fhir/fhirpath.h"
#include "fhir/reference.h"

static const char *const expressions[] = {
    "descendants()", "children().children().count() > id.count()", "name.exists() or telecom.exists() or value.exists()",
    "entry.resource.where($this is Observation).value.ofType(Quantity).value > 1.5", "descendants().resolve().type().name",
    "contained.where((('#' + id) in (%resource.descendants().reference)).not()).id", "descendants().where(hasValue()).toString()",
    "descendants().distinct().count() <= descendants().count()", "descendants() ~ descendants().skip(0)", "descendants().isDistinct()",
    "name.given | name.family", "name.select(given.first() & ' ' & family).join(', ')", "descendants().where($this is Quantity).all($this = $this)",
    "birthDate + 1 month", "descendants().ofType(dateTime).where($this < @2026 or $this > @2020-01-01T10:00:00Z).count()",
    "descendants().ofType(string).select(length() + indexOf('a'))", "descendants().ofType(code).matches('^[a-z-]+$').allTrue()",
    "descendants().ofType(decimal).select($this * 1.1 / 3)", "descendants().extension('http://example.org/a').value",
    "item.repeat(item).linkId.isDistinct()", "descendants().where($this is Reference).reference.substring(1)", "meta.profile.first().replaceMatches('(\\\\w+)', '<$1>')",
    "descendants().select(iif($this is BackboneElement, children().first(), {}))", "entry.fullUrl.isDistinct()", "descendants().sort($this.toString())",
};
#define COUNT (sizeof expressions / sizeof expressions[0])

static struct arena      *fixed;
static const struct pack *pack;
static struct span        programs[COUNT];

static void
load(void)
{
    FILE *f = fopen(SLUICE_BINARY_DIR "/definitions/r4.pack", "rb");

    fixed = arena_new("fixed", (size_t)256 << 20);
    assert(fixed != NULL);
    for (size_t i = 0; i < COUNT; i++) {
        struct fhirpath_error error;
        if (fhirpath_compile(span_of(expressions[i]), fixed, &programs[i], &error) != ST_OK)
            assert(false && "an expression of the list does not compile");
    }
    if (f == NULL)
        return;
    size_t room = (size_t)128 << 20;
    char  *at   = arena_alloc(fixed, room);
    size_t size = fread(at, 1, room, f);
    fclose(f);
    if (pack_open(span_from(at, size), fixed, &pack) != ST_OK)
        pack = NULL;
}

static void
check_items(const struct fhirpath_context *c, const struct fhirpath_result *r, struct arena *arena)
{
    uint32_t count = tape_count(c->tape);

    for (uint32_t i = 0; i < r->count; i++) {
        const struct fhirpath_item *item = &r->items[i];
        assert(item->kind != FHIRPATH_NOTHING);
        if (item->kind == FHIRPATH_NODE)
            assert(item->node <= count && item->shadow <= count && (item->node != TAPE_ABSENT || item->shadow != TAPE_ABSENT));
        if (i < 20)
            fhirpath_text(c, item, arena);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct tape *tape;

    if (fixed == NULL)
        load();
    struct arena *arena = arena_new("fuzz", (size_t)64 << 20);
    assert(arena != NULL);
    if (size < 2 || tape_read(span_from(data + 1, size - 1), &tape_default_limits, arena, &tape, NULL) != ST_OK) {
        arena_free(&arena);
        return 0;
    }
    struct fhirpath_context c = { .pack = pack, .tape = tape, .focus = fhirpath_resource(pack, tape, TAPE_ROOT),
                                  .resource = TAPE_ROOT, .root_resource = TAPE_ROOT, .max_steps = 20000, .max_bytes = 1u << 20 };
    const struct bundle     *bundle;
    const struct references *references;
    if (bundle_read(tape, arena, issues_new(arena, 10), &bundle) == ST_OK
        && references_read(bundle, arena, &references) == ST_OK)
        c.references = references;
    for (size_t i = 0; i < COUNT && !arena_spent(arena); i++) {
        size_t                  which = (data[0] + i) % COUNT;
        struct arena_mark       before = arena_mark(arena);
        struct fhirpath_result  result;
        size_t                  used = arena_used(arena);
        fhirpath_true(programs[which], &c, arena, NULL);
        assert(arena_used(arena) == used);
        enum status st = fhirpath_run(programs[which], &c, arena, &result);
        assert((st == ST_OK) == (result.failure.why == FHIRPATH_FAILED_NONE));
        check_items(&c, &result, arena);
        if (which == 0 && st == ST_OK)
            assert(result.count <= tape_count(tape));
        if (!arena_spent(arena))
            arena_reset(arena, before);
    }
    arena_free(&arena);
    return 0;
}
