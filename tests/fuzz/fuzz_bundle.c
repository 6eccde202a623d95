/* tests/fuzz/fuzz_bundle.c -- any document as a bundle, its references, its
 * findings, and cuts in it.
 *
 * Checked: every node has the entry and the nearest resource that a plain
 * climb finds; what a lookup finds is what was asked for; references are in
 * order, and the incoming index is the other way round; every entry has a
 * patient or none; the validator ends, and its findings have places in the
 * document; after cuts the result can be read, and parallel arrays that were
 * as long as each other still are. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json_splice.h"
#include "fhir/element.h"
#include "fhir/outcome.h"
#include "fhir/reference.h"
#include "fhir/validate.h"

static struct arena      *arena;
static struct arena      *pack_arena;
static const struct pack *pack;

/* The pack of the build, once; without it the validator is left out. */
static void
load_pack(void)
{
    FILE *f = fopen(SLUICE_BINARY_DIR "/definitions/r4.pack", "rb");

    pack_arena = arena_new("pack", (size_t)128 << 20);
    assert(pack_arena != NULL);
    if (f == NULL)
        return;
    size_t room = (size_t)100 << 20;
    char  *at   = arena_alloc(pack_arena, room);
    size_t size = fread(at, 1, room, f);
    fclose(f);
    if (pack_open(span_from(at, size), pack_arena, &pack) != ST_OK)
        pack = NULL;
}

/* ---- bundle ------------------------------------------------------------------------------- */

static tape_node
climb_to_resource(const struct bundle *b, tape_node node)
{
    for (tape_node n = node; n != TAPE_ABSENT; n = b->parents[n])
        for (uint32_t i = 0; i < bundle_resources(b); i++)
            if (bundle_resource_at(b, i)->node == n)
                return n;
    return TAPE_ABSENT;
}

static void
check_places(const struct bundle *b)
{
    uint32_t step = tape_count(b->tape) / 64 + 1;        /* a climb is slow: a sample of the nodes */

    for (tape_node n = TAPE_ROOT; n <= tape_count(b->tape); n += step) {
        uint32_t entry = bundle_entry_of(b, n);
        for (uint32_t i = 0; i < b->count && b->type != BUNDLE_SINGLE; i++) {
            tape_node item = b->entries[i].entry;
            assert((i == entry) == (n >= item && n < tape_after(b->tape, item)));
        }
        assert(bundle_resource_of(b, n) == climb_to_resource(b, n));
    }
}

static void
check_lookups(const struct bundle *b)
{
    for (uint32_t i = 0; i < b->count; i++) {
        const struct bundle_entry *e = &b->entries[i];
        if (!span_empty(e->full_url)) {
            uint32_t at = bundle_find_full_url(b, e->full_url);
            while (at != i && at != ENTRY_NONE)
                at = bundle_next_full_url(b, at);
            assert(at == i);
        }
        if (!span_empty(bundle_entry_name(b, i))) {
            uint32_t at = bundle_find_name(b, bundle_entry_name(b, i));
            while (at != i && at != ENTRY_NONE)
                at = bundle_next_same(b, at);
            assert(at == i);
        }
    }
}

/* ---- references ---------------------------------------------------------------------------- */

static void
check_references(const struct bundle *b, const struct references *all)
{
    uint32_t pointed = 0, first, held = 0;

    for (uint32_t i = 0; i < all->count; i++) {
        const struct reference *r = &all->all[i];
        assert(i == 0 || all->all[i - 1].node <= r->node);
        assert(r->from == bundle_entry_of(b, r->node));
        assert(r->to == ENTRY_NONE || r->to < b->count);
        assert(r->to_contained == TAPE_ABSENT || bundle_resource_of(b, r->to_contained) == r->to_contained);
        assert(r->form != REFERENCE_NONE);
        pointed += r->from == ENTRY_NONE;
    }
    for (uint32_t e = 0; e < b->count; e++) {
        uint32_t count = references_from(all, e, &first);
        for (uint32_t i = first; i < first + count; i++)
            assert(all->all[i].from == e);
        held += count;
        for (uint32_t i = 0; i < references_to(all, e) && i < 1000; i++)
            assert(references_to_at(all, e, i)->to != ENTRY_NONE);
        uint32_t patient;
        struct span name = entry_patient(all, e, &patient);
        assert(patient == ENTRY_NONE || (patient < b->count && (!span_empty(name) || span_empty(b->entries[patient].id))));
    }
    assert(held + pointed == all->count);
    for (uint32_t i = 0; i < all->count && i < 1000; i++) {
        if (all->all[i].to == ENTRY_NONE)
            continue;
        bool met = false;
        for (uint32_t k = 0; k < references_to(all, all->all[i].to) && !met; k++)
            met = references_to_at(all, all->all[i].to, k) == &all->all[i];
        assert(met);
    }
}

/* ---- findings ------------------------------------------------------------------------------- */

static void
check_findings(const struct bundle *b)
{
    struct issues *issues = issues_new(arena, 50);
    struct buf     out;

    if (pack == NULL || issues == NULL || validate(pack, b, NULL, arena, issues) != ST_OK)
        return;
    for (uint32_t i = 0; i < issues_count(issues); i++) {
        const struct issue *one = issues_at(issues, i);
        assert(one->times > 0 && one->rule != NULL && !span_empty(one->wanted) && !span_empty(one->found));
    }
    buf_init(&out, (size_t)1 << 22);
    assert(outcome_print(issues, &out, AUTHOR_COMPACT) == ST_OK);
    const struct tape *t;
    enum status        st = tape_read(buf_span(&out), &tape_default_limits, arena, &t, NULL);
    assert(st == ST_OK || st == ST_NO_MEMORY);
    buf_release(&out);
}

/* ---- cuts ----------------------------------------------------------------------------------- */

/* Whether every x and _x that are both arrays have the same length. */
static bool
pairs_agree(const struct tape *t, const tape_node *parents)
{
    for (tape_node n = TAPE_ROOT + 1; n <= tape_count(t); n++) {
        if (tape_kind(t, n) != TAPE_ARRAY || tape_name(t, n) == TAPE_ABSENT)
            continue;
        struct span name = tape_text(t, tape_name(t, n), arena);
        if (span_empty(name) || name.at[0] != '_')
            continue;
        tape_node twin = element_twin(t, parents, n);
        if (tape_kind(t, twin) == TAPE_ARRAY && tape_children(t, twin) != tape_children(t, n))
            return false;
    }
    return true;
}

static void
check_cuts(const struct tape *t, const tape_node *parents, uint64_t seed)
{
    struct splices *splices = splices_new(t, arena);
    bool            agree   = pairs_agree(t, parents);

    if (splices == NULL)
        return;
    for (tape_node n = TAPE_ROOT + 1; n <= tape_count(t); n++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        if (seed >> 60 == 0 && tape_kind(t, n) != TAPE_NAME)
            element_cut(splices, t, parents, n);
    }
    element_settle(splices, t, parents, arena);
    if (splices_seal(splices) != ST_OK)
        return;
    struct span        result = splices_flat(splices, arena);
    const struct tape *after;
    if (span_empty(result) || arena_spent(arena))
        return;
    enum status st = tape_read(result, &tape_default_limits, arena, &after, NULL);
    assert(st == ST_OK || st == ST_NO_MEMORY);
    const tape_node *parents_after = st == ST_OK ? tape_parents(after, arena) : NULL;
    if (agree && parents_after != NULL)
        assert(pairs_agree(after, parents_after));
}

/* ---- the whole -------------------------------------------------------------------------------- */

static void
check_document(struct span body)
{
    const struct tape       *tape;
    const struct bundle     *bundle;
    const struct references *references;
    struct issues           *issues = issues_new(arena, 10);

    if (issues == NULL || tape_read(body, &tape_default_limits, arena, &tape, NULL) != ST_OK)
        return;
    if (bundle_read(tape, arena, issues, &bundle) != ST_OK) {
        assert(issues_count(issues) == 1 || arena_spent(arena));
        return;
    }
    check_places(bundle);
    check_lookups(bundle);
    if (references_read(bundle, arena, &references) == ST_OK)
        check_references(bundle, references);
    check_findings(bundle);
    check_cuts(tape, bundle->parents, body.length * 0x9e3779b97f4a7c15u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (pack_arena == NULL)
        load_pack();
    arena = arena_new("fuzz", (size_t)64 << 20);
    assert(arena != NULL);
    check_document(span_from(data, size));
    arena_free(&arena);
    return 0;
}
