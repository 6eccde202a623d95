/* fhir/compile.c -- the tables of a pack while they are made. */
#include "fhir/compile.h"

#include <string.h>

#define FIRST_ROOM 64u                       /* records, doubled */

bool
compile_broken(struct compiler *c, struct span wanted, struct span found)
{
    struct issue one = { .severity = SEVERITY_ERROR, .code = ISSUE_INVALID, .rule = "package",
                         .expression = c->id, .wanted = wanted, .found = found };

    issues_add(c->issues, &one);
    return false;
}

/* ---- records ----------------------------------------------------------------------------- */

static bool
make_room(struct compiler *c, enum pack_section_kind section, uint32_t more)
{
    struct compile_table *t    = &c->tables[section];
    uint64_t              need = (uint64_t)t->count + more, room = t->room > 0 ? t->room : FIRST_ROOM;
    size_t                size = pack_record_sizes[section];

    if (need <= t->room)
        return true;
    while (room < need)
        room *= 2;
    if (room > UINT32_MAX)
        return false;
    void *grown = arena_grow(c->arena, t->at, t->room * size, (size_t)room * size);
    if (grown == NULL)                       /* what was there stays, and stays readable */
        return false;
    t->at   = grown;
    t->room = (uint32_t)room;
    return true;
}

void *
compile_append(struct compiler *c, enum pack_section_kind section)
{
    if (!make_room(c, section, 1))
        return NULL;
    return (char *)c->tables[section].at + (size_t)c->tables[section].count++ * pack_record_sizes[section];
}

void *
compile_at(const struct compiler *c, enum pack_section_kind section, uint32_t index)
{
    return (char *)c->tables[section].at + (size_t)index * pack_record_sizes[section];
}

uint32_t
compile_count(const struct compiler *c, enum pack_section_kind section)
{
    return c->tables[section].count;
}

bool
compile_append_bytes(struct compiler *c, enum pack_section_kind section, struct span bytes, uint32_t *first)
{
    struct compile_table *t = &c->tables[section];

    *first = t->count;
    if (bytes.length > UINT32_MAX - t->count || !make_room(c, section, (uint32_t)bytes.length))
        return false;
    if (bytes.length > 0)
        memcpy((char *)t->at + t->count, bytes.at, bytes.length);
    t->count += (uint32_t)bytes.length;
    return true;
}

uint32_t *
compile_slots(struct compiler *c, enum pack_section_kind section, uint32_t count, uint32_t *mask)
{
    struct compile_table *t    = &c->tables[section];
    uint32_t              room = 16;

    while (room < 2 * (uint64_t)count && room < (uint32_t)1 << 31)
        room *= 2;
    t->count = 0;
    if (!make_room(c, section, room))
        return NULL;
    memset(t->at, 0, (size_t)room * pack_record_sizes[section]);
    t->count = room;
    *mask    = room - 1;
    return t->at;
}

/* ---- texts ------------------------------------------------------------------------------- */

static const char *
text_from(const struct compiler *c, uint32_t offset)
{
    return (const char *)c->tables[PACK_TEXTS].at + offset;
}

static bool
grow_interned(struct compiler *c)
{
    uint32_t  room  = c->interned_room > 0 ? c->interned_room * 2 : 4096;
    uint32_t *old   = c->interned, *fresh = arena_make_n(c->arena, room, uint32_t);

    if (fresh == NULL)
        return false;
    for (uint32_t i = 0; i < c->interned_room; i++) {
        if (old[i] == 0)
            continue;
        uint32_t at = (uint32_t)lookup_hash(span_of(text_from(c, old[i] - 1))) & (room - 1);
        while (fresh[at] != 0)
            at = (at + 1) & (room - 1);
        fresh[at] = old[i];
    }
    c->interned      = fresh;
    c->interned_room = room;
    return true;
}

/* Where the text is noted, or would be. */
static uint32_t *
interned_at(struct compiler *c, struct span text)
{
    if (c->interned_count * 2 >= c->interned_room && !grow_interned(c))
        return NULL;
    uint32_t at = (uint32_t)lookup_hash(text) & (c->interned_room - 1);
    for (; c->interned[at] != 0; at = (at + 1) & (c->interned_room - 1))
        if (span_eq(span_of(text_from(c, c->interned[at] - 1)), text))
            break;
    return &c->interned[at];
}

struct pack_text
compile_text(struct compiler *c, struct span text)
{
    static const struct pack_text none = { 0, 0 };
    struct compile_table         *texts = &c->tables[PACK_TEXTS];
    uint32_t                     *at    = interned_at(c, text);

    if (at == NULL || text.length >= UINT32_MAX)
        return none;
    if (*at == 0) {
        if (!make_room(c, PACK_TEXTS, (uint32_t)text.length + 1))
            return none;
        char *to = (char *)texts->at + texts->count;     /* a NUL follows: room is zeroed */
        if (text.length > 0)
            memcpy(to, text.at, text.length);
        *at = texts->count + 1;
        texts->count += (uint32_t)text.length + 1;
        c->interned_count++;
    }
    return (struct pack_text){ *at - 1, (uint32_t)text.length };
}

struct span
compile_span(const struct compiler *c, struct pack_text text)
{
    return span_from(text_from(c, text.offset), text.length);
}

/* ---- definitions ------------------------------------------------------------------------- */

const struct definition *
compile_find(const struct compiler *c, enum definition_kind kind, struct span url, struct span version)
{
    const struct lookup     *urls = c->by_url[kind];
    const struct definition *best = NULL;

    for (uint32_t at = lookup_find(urls, url); at != LOOKUP_NONE; at = lookup_next(urls, at)) {
        const struct definition *d = &c->definitions[lookup_value(urls, at)];
        if (!span_empty(version) && !span_eq(d->version, version))
            continue;
        if (best == NULL || pack_version_order(d->version, best->version) >= 0)
            best = d;
    }
    return best;
}

/* ---- tables as a pack -------------------------------------------------------------------- */

struct pack
compile_view(const struct compiler *c)
{
    struct pack p = {
        .texts = c->tables[PACK_TEXTS].at, .structures = c->tables[PACK_STRUCTURES].at,
        .shapes = c->tables[PACK_SHAPES].at, .elements = c->tables[PACK_ELEMENTS].at,
        .types = c->tables[PACK_TYPES].at, .slots = c->tables[PACK_SLOTS].at,
        .systems = c->tables[PACK_SYSTEMS].at, .system_slots = c->tables[PACK_SYSTEM_SLOTS].at,
        .concepts = c->tables[PACK_CONCEPTS].at, .concept_slots = c->tables[PACK_CONCEPT_SLOTS].at,
        .parents = c->tables[PACK_PARENTS].at, .designations = c->tables[PACK_DESIGNATIONS].at,
        .value_sets = c->tables[PACK_VALUE_SETS].at, .value_set_slots = c->tables[PACK_VALUE_SET_SLOTS].at,
        .value_parts = c->tables[PACK_VALUE_PARTS].at, .members = c->tables[PACK_MEMBERS].at,
        .profiles = c->tables[PACK_PROFILES].at, .profile_slots = c->tables[PACK_PROFILE_SLOTS].at,
    };

    for (uint32_t i = 0; i < PACK_SECTIONS; i++)
        p.counts[i] = c->tables[i].count;
    return p;
}

/* ---- a base, and the bytes ---------------------------------------------------------------- */

static bool
note_texts(struct compiler *c)
{
    uint32_t count = compile_count(c, PACK_TEXTS);

    for (uint32_t offset = 0; offset < count;) {
        struct span text = span_of(text_from(c, offset));
        uint32_t   *at   = interned_at(c, text);
        if (at == NULL)
            return false;
        if (*at == 0) {
            *at = offset + 1;
            c->interned_count++;
        }
        offset += (uint32_t)text.length + 1;
    }
    return true;
}

static bool
copy_base(struct compiler *c)
{
    const struct pack_header *h = c->base->header;

    for (uint32_t i = 0; i < PACK_SECTIONS; i++) {
        if (h->sections[i].count == 0)
            continue;
        if (!make_room(c, i, h->sections[i].count))
            return false;
        memcpy(c->tables[i].at, (const char *)h + h->sections[i].offset, (size_t)h->sections[i].count * h->sections[i].size);
        c->tables[i].count = h->sections[i].count;
    }
    c->names_shape   = h->names_shape;
    c->element_shape = h->element_shape;
    return note_texts(c);
}

bool
compile_begin(struct compiler *c, const struct package_sources *sources, struct arena *arena, struct issues *issues)
{
    *c = (struct compiler){ .arena = arena, .issues = issues, .base = sources->base, .element_shape = PACK_NONE };
    if (c->base != NULL)
        return copy_base(c);
    (void)compile_text(c, SPAN(""));
    return !arena_spent(arena);
}

static uint32_t
rounded(uint64_t size)
{
    return (uint32_t)((size + 7) & ~(uint64_t)7);
}

/* What it was made from: of a base, that of the base first. */
static struct pack_text
about(struct compiler *c, const struct package_sources *sources)
{
    if (c->base == NULL)
        return compile_text(c, sources->about);
    return compile_text(c, arena_format(c->arena, "%.*s, %.*s", SPAN_PRINT(pack_about(c->base)), SPAN_PRINT(sources->about)));
}

enum status
compile_emit(struct compiler *c, const struct package_sources *sources, struct buf *out)
{
    struct pack_header h = { .magic = PACK_MAGIC, .version = PACK_VERSION, .section_count = PACK_SECTIONS,
                             .key_check = tape_key_of(PACK_KEY_SAMPLE), .about = about(c, sources),
                             .names_shape = c->names_shape, .element_shape = c->element_shape };
    uint64_t           length = sizeof h;

    memcpy(h.sources_sha256, sources->sha256.at, sizeof h.sources_sha256);
    for (uint32_t i = 0; i < PACK_SECTIONS; i++) {
        h.sections[i] = (struct pack_section){ i, (uint32_t)length, c->tables[i].count, pack_record_sizes[i] };
        length += rounded((uint64_t)c->tables[i].count * pack_record_sizes[i]);
        if (length > UINT32_MAX)
            return ST_TOO_LARGE;
    }
    if (arena_spent(c->arena))
        return ST_NO_MEMORY;
    h.length = (uint32_t)length;
    char *at = buf_reserve(out, (size_t)length);
    if (at == NULL)
        return buf_status(out);
    memset(at, 0, (size_t)length);
    for (uint32_t i = 0; i < PACK_SECTIONS; i++)
        if (c->tables[i].count > 0)
            memcpy(at + h.sections[i].offset, c->tables[i].at, (size_t)c->tables[i].count * pack_record_sizes[i]);
    memcpy(at, &h, sizeof h);
    size_t checked = offsetof(struct pack_header, checksum) + sizeof h.checksum;
    h.checksum     = pack_checksum(span_from(at + checked, (size_t)length - checked));
    memcpy(at, &h, sizeof h);
    buf_commit(out, (size_t)length);
    return ST_OK;
}
