#include "fhir/snapshot_merge.h"

#include "base/json_writer.h"

static const struct tape_limits value_limits = {
    .max_bytes = (size_t)64 << 20, .max_nodes = 1u << 22, .max_depth = 120, .max_number = 128,
};

struct value
value_read(struct compiler *c, struct span json)
{
    const struct tape *t = NULL;

    if (span_empty(json) || tape_read(json, &value_limits, c->arena, &t, NULL) != ST_OK)
        return (struct value){ NULL, TAPE_ABSENT };
    return (struct value){ t, TAPE_ROOT };
}

struct value
value_from(struct compiler *c, uint32_t number)
{
    return value_read(c, arena_format(c->arena, "%u", number));
}

uint32_t
details_min(const struct details *details)
{
    struct value v      = details != NULL ? details->all[DETAIL_MIN] : (struct value){ NULL, TAPE_ABSENT };
    uint64_t     number = 0;

    if (v.tape == NULL || tape_kind(v.tape, v.node) != TAPE_NUMBER || !span_to_u64(tape_raw(v.tape, v.node), &number))
        return 0;
    return number > INT32_MAX ? INT32_MAX : (uint32_t)number;
}

struct value
value_slicing_by_url(struct compiler *c)
{
    return value_read(c, SPAN("{\"discriminator\":[{\"type\":\"value\",\"path\":\"url\"}],\"ordered\":false,\"rules\":\"open\"}"));
}

struct value
value_slicing_by_type(struct compiler *c, bool closed)
{
    return value_read(c, arena_join(c->arena, SPAN("{\"discriminator\":[{\"type\":\"type\",\"path\":\"$this\"}],\"ordered\":false,\"rules\":\""),
                                    closed ? SPAN("closed\"}") : SPAN("open\"}")));
}

/* valueQuantity asks for Quantity, valueString for string. */
static bool
asks_for(struct span name, struct span stem, struct span code)
{
    if (span_empty(code) || name.length != stem.length + code.length || !span_starts(name, stem))
        return false;
    char first = code.at[0] >= 'a' && code.at[0] <= 'z' ? (char)(code.at[0] - 'a' + 'A') : code.at[0];
    return name.at[stem.length] == first
        && span_eq(span_skip(name, stem.length + 1), span_skip(code, 1));
}

struct value
value_type_named(struct compiler *c, struct value types, struct span stem, struct span name)
{
    for (tape_node n = types.tape != NULL ? tape_first(types.tape, types.node) : TAPE_ABSENT; n != TAPE_ABSENT;
         n = tape_next(types.tape, n)) {
        struct json_writer w;
        if (!asks_for(name, stem, tape_member_text(types.tape, n, SPAN("code"), c->arena)))
            continue;
        json_writer_open(&w, c->arena);
        json_array(&w, NULL);
        json_copy(&w, (struct span){ NULL, 0 }, tape_extent(types.tape, n));
        json_end(&w);
        return value_read(c, json_writer_close(&w));
    }
    return (struct value){ NULL, TAPE_ABSENT };
}

const struct details *
details_with(struct compiler *c, const struct details *old, enum detail_kind kind, struct value value)
{
    struct details *fresh = arena_make(c->arena, struct details);

    if (fresh == NULL)
        return NULL;
    if (old != NULL)
        *fresh = *old;
    fresh->all[kind] = value;
    return fresh;
}

/* ---- lists ------------------------------------------------------------------------------- */

/* Whether the list has an item that says the same in these members. */
static bool
list_has(struct compiler *c, struct value list, const struct tape *t, tape_node item, struct span one, struct span other)
{
    for (tape_node n = tape_first(list.tape, list.node); n != TAPE_ABSENT; n = tape_next(list.tape, n))
        if (span_eq(tape_member_text(list.tape, n, one, c->arena), tape_member_text(t, item, one, c->arena))
            && (span_empty(other)
                || span_eq(tape_member_text(list.tape, n, other, c->arena), tape_member_text(t, item, other, c->arena))))
            return true;
    return false;
}

/* The items of the first, and those of the second that say something else.
 * What is asked of the arena is asked before the writer opens it. */
static struct value
lists_join(struct compiler *c, struct value first, struct value second, struct span one, struct span other)
{
    uint32_t           count = tape_children(second.tape, second.node), fresh = 0;
    tape_node         *items = arena_make_n(c->arena, (size_t)count + 1, tape_node);
    struct json_writer w;

    if (items == NULL)
        return first;
    for (tape_node n = tape_first(second.tape, second.node); n != TAPE_ABSENT; n = tape_next(second.tape, n))
        if (!list_has(c, first, second.tape, n, one, other))
            items[fresh++] = n;
    if (fresh == 0)
        return first;
    json_writer_open(&w, c->arena);
    json_array(&w, NULL);
    for (tape_node n = tape_first(first.tape, first.node); n != TAPE_ABSENT; n = tape_next(first.tape, n))
        json_copy(&w, (struct span){ NULL, 0 }, tape_extent(first.tape, n));
    for (uint32_t i = 0; i < fresh; i++)
        json_copy(&w, (struct span){ NULL, 0 }, tape_extent(second.tape, items[i]));
    json_end(&w);
    return value_read(c, json_writer_close(&w));
}

struct value
value_types_join(struct compiler *c, struct value first, struct value second)
{
    if (first.tape == NULL || second.tape == NULL)
        return first.tape != NULL ? first : second;
    return lists_join(c, first, second, SPAN("code"), (struct span){ NULL, 0 });
}

/* ---- merge ------------------------------------------------------------------------------- */

static struct value
member_of(struct value object, struct span name)
{
    tape_node node = tape_member(object.tape, object.node, name);

    return node != TAPE_ABSENT ? (struct value){ object.tape, node } : (struct value){ NULL, TAPE_ABSENT };
}

static void
copy_member(struct json_writer *w, struct span name, struct value preferred, struct value other)
{
    struct value v = preferred.tape != NULL ? preferred : other;

    if (v.tape != NULL)
        json_copy(w, name, tape_extent(v.tape, v.node));
}

static struct value
slicing_merge(struct compiler *c, struct value base, struct value fresh)
{
    struct value       old = member_of(base, SPAN("discriminator")), added = member_of(fresh, SPAN("discriminator"));
    struct value       both = old.tape != NULL && added.tape != NULL
                              ? lists_join(c, old, added, SPAN("type"), SPAN("path")) : old;
    struct json_writer w;

    json_writer_open(&w, c->arena);
    json_object(&w, NULL);
    copy_member(&w, SPAN("discriminator"), both, added);
    copy_member(&w, SPAN("ordered"), member_of(fresh, SPAN("ordered")), member_of(base, SPAN("ordered")));
    copy_member(&w, SPAN("rules"), member_of(fresh, SPAN("rules")), member_of(base, SPAN("rules")));
    json_end(&w);
    return value_read(c, json_writer_close(&w));
}

const struct details *
details_merge(struct compiler *c, const struct details *base, const struct details *differential)
{
    struct details *merged = arena_make(c->arena, struct details);

    if (merged == NULL)
        return NULL;
    if (base != NULL)
        *merged = *base;
    for (enum detail_kind i = 0; i < DETAILS; i++) {
        struct value *old = &merged->all[i], fresh = differential->all[i];
        if (fresh.tape == NULL || i == DETAIL_BASE || (i == DETAIL_CONTENT && merged->all[DETAIL_TYPE].tape != NULL))
            continue;
        if (old->tape != NULL && i == DETAIL_CONSTRAINT)
            *old = lists_join(c, *old, fresh, SPAN("key"), (struct span){ NULL, 0 });
        else if (old->tape != NULL && i == DETAIL_SLICING)
            *old = slicing_merge(c, *old, fresh);
        else
            *old = fresh;
    }
    return arena_spent(c->arena) ? NULL : merged;
}
