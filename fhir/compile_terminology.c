/* fhir/compile_terminology.c -- CodeSystems and ValueSets -> what terminology.c asks.
 *
 *     systems      every CodeSystem: concepts, hierarchy, displays
 *     supplements  add displays to them
 *     value sets   composed, each once, imports first
 *     settle       what names a system without a version means the latest one
 */
#include "fhir/compile_terms.h"

#include "base/sort.h"

#define THO SPAN("http://terminology.hl7.org/")

bool
compile_terminology(struct compiler *c)
{
    struct terms t = { .c = c, .first_system = compile_count(c, PACK_SYSTEMS),
                       .first_concept = compile_count(c, PACK_CONCEPTS),
                       .first_value_set = compile_count(c, PACK_VALUE_SETS), .work_left = TERMS_WORK,
                       .steps_left = TERMS_STEPS };

    return terms_systems(&t) && terms_value_sets(&t);
}

uint32_t
compile_value_set(const struct compiler *c, struct span canonical)
{
    struct pack view = compile_view(c);

    return term_value_set(&view, canonical);
}

const struct pack *
terms_view(struct terms *t)
{
    t->view = compile_view(t->c);
    return &t->view;
}

uint32_t
terms_slots(uint32_t count)
{
    uint32_t size = 1;

    while (size <= (uint64_t)count + count / 3)
        size *= 2;
    return size;
}

/* ---- which definitions --------------------------------------------------------------- */

/* turn: 0 of the base, else that of the definition, from 1. */
struct candidate { uint32_t url, version, turn; };

static int
by_canonical(const void *a, const void *b, const void *context)
{
    const struct candidate *x = a, *y = b;

    (void)context;
    if (x->url != y->url)
        return x->url < y->url ? -1 : 1;
    if (x->version != y->version)
        return x->version < y->version ? -1 : 1;
    return (x->turn > y->turn) - (x->turn < y->turn);
}

static bool
is_supplement(const struct definition *d)
{
    return d->kind == DEFINITION_CODE_SYSTEM
        && tape_text_eq(d->tape, tape_member(d->tape, d->node, SPAN("content")), SPAN("supplement"));
}

/* Those of the base first: they stay what they are. */
static uint32_t
gather(struct terms *t, enum definition_kind kind, enum pack_section_kind section, struct candidate *all)
{
    struct compiler *c     = t->c;
    uint32_t         count = 0;

    for (uint32_t i = 0; i < compile_count(c, section); i++) {
        const struct pack_versioned *as = compile_at(c, section, i);
        all[count++] = (struct candidate){ as->url.offset, as->version.offset, 0 };
    }
    for (uint32_t i = 0; i < c->definition_count; i++) {
        const struct definition *d = &c->definitions[i];
        if (d->kind == kind && !span_empty(d->url) && !is_supplement(d))
            all[count++] = (struct candidate){ compile_text(c, d->url).offset, compile_text(c, d->version).offset, i + 1 };
    }
    return count;
}

bool
terms_list(struct terms *t, enum definition_kind kind, enum pack_section_kind section, struct terms_list *out)
{
    struct compiler  *c    = t->c;
    size_t            room = (size_t)compile_count(c, section) + c->definition_count + 1;
    struct candidate *all  = arena_make_n(c->arena, room, struct candidate);
    bool             *keep = arena_make_n(c->arena, room, bool);

    *out = (struct terms_list){ arena_make_n(c->arena, room, const struct definition *), 0 };
    if (all == NULL || keep == NULL || out->at == NULL)
        return false;
    uint32_t count = gather(t, kind, section, all);
    sort_in_place(all, count, sizeof *all, by_canonical, NULL);
    for (uint32_t first = 0, next; first < count; first = next) {
        for (next = first + 1; next < count && all[next].url == all[first].url && all[next].version == all[first].version;)
            next++;
        if (all[first].turn > 0)
            keep[all[next - 1].turn - 1] = true;
    }
    for (uint32_t i = 0; i < c->definition_count; i++)
        if (keep[i])
            out->at[out->count++] = &c->definitions[i];
    return !arena_spent(c->arena);
}

/* ---- versions ------------------------------------------------------------------------ */

/* "2019-11-01T09:29:23+11:00" as 20191101. */
static uint32_t
day_of(struct span date)
{
    uint32_t day = 0, digits = 0;

    for (size_t i = 0; i < date.length && digits < 8 && date.at[i] != 'T'; i++)
        if (date.at[i] >= '0' && date.at[i] <= '9') {
            day = day * 10 + (uint32_t)(date.at[i] - '0');
            digits++;
        }
    for (; digits < 8; digits++)
        day *= 10;
    return day;
}

/* A version that holds codes comes before one that only names the system.
 * HL7 Terminology began to count anew when it took over what R4 has as 4.0.1, so
 * of its urls the day decides, and R4 left most of its own without one. */
struct pack_versioned
terms_canonical(struct terms *t, const struct definition *d, bool holds_codes)
{
    struct pack_versioned as = { .url = compile_text(t->c, d->url), .version = compile_text(t->c, d->version),
                                 .next = PACK_NONE };

    if (span_starts(d->url, THO))
        as.rank = day_of(tape_member_text(d->tape, d->node, SPAN("date"), t->c->arena));
    if (holds_codes)
        as.rank |= UINT32_C(1) << 31;
    return as;
}

struct chaining { const struct compiler *c; enum pack_section_kind section; };

/* By url; of one url the version that counts first. */
static int
by_rank(const void *a, const void *b, const void *context)
{
    const struct chaining       *in = context;
    uint32_t                     i = *(const uint32_t *)a, k = *(const uint32_t *)b;
    const struct pack_versioned *x = compile_at(in->c, in->section, i), *y = compile_at(in->c, in->section, k);

    if (x->url.offset != y->url.offset)
        return x->url.offset < y->url.offset ? -1 : 1;
    if (x->rank != y->rank)
        return x->rank > y->rank ? -1 : 1;
    int order = pack_version_order(compile_span(in->c, y->version), compile_span(in->c, x->version));
    return order != 0 ? order : (i < k) - (i > k);
}

static bool
fill_slots(struct compiler *c, enum pack_section_kind slots, uint32_t size)
{
    c->tables[slots].count = 0;
    for (uint32_t i = 0; i < size; i++) {
        uint32_t *slot = COMPILE_APPEND(c, slots, uint32_t);
        if (slot == NULL)
            return false;
        *slot = 0;
    }
    return true;
}

bool
terms_chain(struct terms *t, enum pack_section_kind records, enum pack_section_kind slots)
{
    struct compiler *c     = t->c;
    uint32_t         count = compile_count(c, records), size = terms_slots(count);
    uint32_t        *order = arena_make_n(c->arena, (size_t)count + 1, uint32_t);
    struct chaining  in    = { c, records };

    if (order == NULL || !fill_slots(c, slots, size))
        return false;
    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    sort_in_place(order, count, sizeof *order, by_rank, &in);
    uint32_t *table = c->tables[slots].at, length = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct pack_versioned *as    = compile_at(c, records, order[i]);
        struct pack_versioned *after = i + 1 < count ? compile_at(c, records, order[i + 1]) : NULL;
        bool                   first = length == 0, last = after == NULL || after->url.offset != as->url.offset;
        length   = last ? 0 : length + 1;
        as->next = last ? PACK_NONE : order[i + 1];
        c->id    = compile_span(c, as->url);
        if (length >= PACK_VERSIONS)
            return compile_broken(c, SPAN("want fewer versions of one url"), c->id);
        if (!first)
            continue;
        uint32_t at = (uint32_t)lookup_hash(c->id) & (size - 1);
        while (table[at] != 0)
            at = (at + 1) & (size - 1);
        table[at] = order[i] + 1;
    }
    return true;
}
