#include "fhir/package.h"

#include <string.h>

#include "fhir/compile.h"
#include "fhir/pack_snapshots.h"

/* 9.4 MB of definitions are a million and a half nodes. */
static const struct tape_limits definition_limits = {
    .max_bytes = (size_t)512 << 20, .max_nodes = 1u << 24, .max_depth = 128, .max_number = 128,
};

static bool collect(struct compiler *, const struct package_file *);
static bool collect_resource(struct compiler *, const struct package_file *, const struct tape *, tape_node);
static bool index_definitions(struct compiler *);

/* What a finding names: a file, or a definition by its URL, name or id. */
static bool
names_definition(struct compiler *c, const struct definition *d, struct span name)
{
    static const char *const members[] = { "name", "id", "type" };

    if (span_eq(d->url, name))
        return true;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (span_eq(tape_member_text(d->tape, d->node, span_of(members[i]), c->arena), name))
            return true;
    return false;
}

static struct span
broken_file(struct compiler *c, const struct package_sources *sources)
{
    struct span        name   = issues_count(c->issues) > 0 ? issues_at(c->issues, 0)->expression : (struct span){ NULL, 0 };
    static const char *const kinds[] = { "StructureDefinition/", "CodeSystem/" };

    for (size_t i = 0; i < sources->count; i++)
        if (span_eq(sources->files[i].name, name))
            return sources->files[i].name;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (span_starts(name, span_of(kinds[i])))
            name = span_skip(name, strlen(kinds[i]));
    for (uint32_t i = 0; !span_empty(name) && i < c->definition_count; i++)
        if (names_definition(c, &c->definitions[i], name))
            return c->definitions[i].file;
    return (struct span){ NULL, 0 };
}

enum status
package_compile(const struct package_sources *sources, struct arena *arena, struct issues *issues, struct buf *out)
{
    struct span broken;

    return package_compile_or_name(sources, arena, issues, out, &broken);
}

enum status
package_compile_or_name(const struct package_sources *sources, struct arena *arena, struct issues *issues, struct buf *out,
                        struct span *broken)
{
    struct compiler c;
    bool            good = sources->sha256.length == 32 && compile_begin(&c, sources, arena, issues);

    good = good && compile_collect(&c, sources)
        && compile_types(&c)
        && compile_terminology(&c)
        && compile_profiles(&c)
        && compile_snapshots(&c)
        && compile_forms(&c);
    *broken = good || sources->sha256.length != 32 ? (struct span){ NULL, 0 } : broken_file(&c, sources);
    if (arena_spent(arena))
        return ST_NO_MEMORY;
    return good ? compile_emit(&c, sources, out) : ST_MALFORMED;
}

/* ---- collect --------------------------------------------------------------------------- */

bool
compile_collect(struct compiler *c, const struct package_sources *sources)
{
    for (size_t i = 0; i < sources->count; i++)
        if (!collect(c, &sources->files[i]))
            return false;
    return index_definitions(c);
}

static enum definition_kind
kind_named(struct span type)
{
    return span_eq_text(type, "StructureDefinition") ? DEFINITION_STRUCTURE
         : span_eq_text(type, "ValueSet")            ? DEFINITION_VALUE_SET
         : span_eq_text(type, "CodeSystem")          ? DEFINITION_CODE_SYSTEM
         : span_eq_text(type, "Questionnaire")       ? DEFINITION_QUESTIONNAIRE
         : span_eq_text(type, "ImplementationGuide") ? DEFINITION_GUIDE : DEFINITION_NONE;
}

static bool
make_room(struct compiler *c)
{
    uint32_t room = c->definition_room > 0 ? c->definition_room * 2 : 1024;

    if (c->definition_count < c->definition_room)
        return true;
    c->definitions = arena_grow(c->arena, c->definitions, c->definition_room * sizeof *c->definitions,
                                room * sizeof *c->definitions);
    c->definition_room = room;
    return c->definitions != NULL;
}

/* Definitions of all versions that are in a Bundle. */
static bool
collect_bundle(struct compiler *c, const struct package_file *file, const struct tape *t, tape_node bundle)
{
    tape_node list = tape_member(t, bundle, SPAN("entry"));

    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n)) {
        tape_node resource = tape_member(t, n, SPAN("resource"));
        if (resource != TAPE_ABSENT && !collect_resource(c, file, t, resource))
            return false;
    }
    return true;
}

static bool
collect_resource(struct compiler *c, const struct package_file *file, const struct tape *t, tape_node node)
{
    struct span          type = tape_member_text(t, node, SPAN("resourceType"), c->arena);
    enum definition_kind kind = kind_named(type);

    /* HL7's files hold definitions side by side; a Bundle in one is an example. */
    if (span_eq_text(type, "Bundle") && node == TAPE_ROOT)
        return collect_bundle(c, file, t, node);
    if (kind == DEFINITION_NONE)
        return true;
    if (!make_room(c))
        return false;
    c->definitions[c->definition_count++] = (struct definition){
        .tape = t, .node = node, .kind = kind, .file = file->name,
        .url     = tape_member_text(t, node, SPAN("url"), c->arena),
        .version = tape_member_text(t, node, SPAN("version"), c->arena),
    };
    return true;
}

static bool
collect(struct compiler *c, const struct package_file *file)
{
    const struct tape *t;
    struct tape_error  error;
    enum status        st = tape_read(file->bytes, &definition_limits, c->arena, &t, &error);

    c->id = file->name;
    if (st != ST_OK)
        return compile_broken(c, SPAN("want strict JSON"),
                              arena_format(c->arena, "at line %u, column %u: %s", error.line, error.column,
                                           tape_refusal_text(error.why)));
    return collect_resource(c, file, t, TAPE_ROOT);
}

/* Whoever asks for one looks through all of its url: many would make a search a
 * walk. */
static bool
few_versions(struct compiler *c, const struct lookup *urls)
{
    uint32_t run = 1;

    for (uint32_t at = 0; at < lookup_count(urls); at++) {
        run   = lookup_next(urls, at) != LOOKUP_NONE ? run + 1 : 1;
        c->id = lookup_key(urls, at);
        if (run > PACK_SNAPSHOT_VERSIONS && !span_empty(c->id))
            return compile_broken(c, SPAN("want at most 64 definitions with one canonical URL"), SPAN("have more"));
    }
    return true;
}

static bool
index_definitions(struct compiler *c)
{
    for (uint32_t kind = 1; kind < DEFINITION_KINDS; kind++) {
        struct lookup_item *items = arena_make_n(c->arena, (size_t)c->definition_count + 1, struct lookup_item);
        uint32_t            count = 0;
        if (items == NULL)
            return false;
        for (uint32_t i = 0; i < c->definition_count; i++)
            if (c->definitions[i].kind == kind)
                items[count++] = (struct lookup_item){ .key = c->definitions[i].url, .value = i };
        if ((c->by_url[kind] = lookup_build(items, count, c->arena)) == NULL || !few_versions(c, c->by_url[kind]))
            return false;
    }
    return true;
}
