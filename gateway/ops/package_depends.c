/* gateway/ops/package_depends.c -- whether all that packages rest on is there, and
 * which one is compiled first.
 */
#include "gateway/ops/package_depends.h"

enum mark { FRESH = 0, OPEN, PLACED };

struct ordering {
    const struct package_content *all;
    size_t                        count;
    enum mark                    *marks;
    size_t                       *order, placed;
    struct buf                   *why;
};

static bool place(struct ordering *, size_t index);

enum status
depends_order(const struct package_content *all, size_t count, struct arena *arena, size_t *order, struct buf *why)
{
    struct ordering o = { all, count, arena_make_n(arena, count + 1, enum mark), order, 0, why };

    if (o.marks == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        if (!place(&o, i))
            return ST_MALFORMED;
    return ST_OK;
}

/* ---- versions --------------------------------------------------------------------------- */

/* "6.1.x" by every 6.1: what is before the first x is what both begin with. */
bool
depends_version_met(struct span wanted, struct span have)
{
    static const struct span any[] = { { "latest", 6 }, { "current", 7 }, { "dev", 3 }, { "*", 1 } };
    size_t                   dot   = span_find_last_byte(wanted, '.');
    struct span              last  = dot != SPAN_NOT_FOUND ? span_skip(wanted, dot + 1) : wanted;

    for (size_t i = 0; i < sizeof any / sizeof *any; i++)
        if (span_eq(wanted, any[i]))
            return true;
    if (span_eq_text(last, "x") || span_eq_text(last, "X"))
        return span_starts(have, span_first(wanted, wanted.length - 1));
    return span_eq(wanted, have);
}

bool
depends_built_in(struct span name, struct span version)
{
    static const struct { struct span name, begins; } built_in[] = {
        { { "hl7.fhir.r4.core", 16 },           { "4.0.", 4 } },
        { { "hl7.terminology", 15 },            { "", 0 } },
        { { "hl7.terminology.r4", 18 },         { "", 0 } },
        { { "hl7.fhir.uv.extensions", 22 },     { "", 0 } },
        { { "hl7.fhir.uv.extensions.r4", 25 },  { "", 0 } },
        { { "hl7.fhir.uv.ips", 15 },            { "2.", 2 } },
    };

    for (size_t i = 0; i < sizeof built_in / sizeof *built_in; i++)
        if (span_eq(name, built_in[i].name))
            return span_starts(version, built_in[i].begins);
    return false;
}

/* ---- order -------------------------------------------------------------------------------- */

/* PLACED of those that are met by what is built in. */
static bool
place_dependency(struct ordering *o, size_t index, const struct package_dependency *d)
{
    struct span other = { NULL, 0 };

    for (size_t i = 0; i < o->count; i++) {
        if (!span_eq(o->all[i].name, d->name))
            continue;
        if (depends_version_met(d->version, o->all[i].version))
            return place(o, i);
        other = o->all[i].version;
    }
    if (depends_built_in(d->name, d->version))
        return true;
    buf_add_format(o->why, "%.*s#%.*s rests on %.*s#%.*s, which is not here", SPAN_PRINT(o->all[index].name),
                   SPAN_PRINT(o->all[index].version), SPAN_PRINT(d->name), SPAN_PRINT(d->version));
    if (!span_empty(other))
        buf_add_format(o->why, " (version %.*s is)", SPAN_PRINT(other));
    return false;
}

/* As deep as there are packages that rest on each other: each is open once. */
static bool
place(struct ordering *o, size_t index)
{
    const struct package_content *one = &o->all[index];

    if (o->marks[index] == PLACED)
        return true;
    if (o->marks[index] == OPEN) {
        buf_add_format(o->why, "%.*s#%.*s rests on itself, over its dependencies", SPAN_PRINT(one->name),
                       SPAN_PRINT(one->version));
        return false;
    }
    o->marks[index] = OPEN;
    for (size_t i = 0; i < one->dependency_count; i++)
        if (!place_dependency(o, index, &one->dependencies[i]))
            return false;
    o->marks[index]      = PLACED;
    o->order[o->placed++] = index;
    return true;
}
