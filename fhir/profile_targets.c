/* fhir/profile_targets.c -- what a profile lets a reference point at. */
#include "base/json_walk.h"
#include "fhir/profile_run.h"

/* "#id" inside of what contains; "#" is that itself. */
static tape_node
contained(struct profiling *r, tape_node container, struct span id)
{
    tape_node list = walk_find(r->tape, container, SPAN("contained"));

    if (span_empty(id))
        return container;
    if (walk_kind(r->tape, list) != TAPE_ARRAY)
        return TAPE_ABSENT;
    for (tape_node n = walk_first(r->tape, list); n != TAPE_ABSENT && r->steps > 1; n = walk_next(r->tape, n)) {
        r->steps--;
        if (walk_kind(r->tape, n) == TAPE_OBJECT && tape_text_eq(r->tape, walk_find(r->tape, n, SPAN("id")), id))
            return n;
    }
    return TAPE_ABSENT;
}

tape_node
profile_resolve_text(struct profiling *r, uint32_t resource, struct span text)
{
    uint32_t container = resource == ENTRY_NONE ? ENTRY_NONE : bundle_resource_at(r->bundle, resource)->container, entry;

    r->outside += r->home == 0 || (text.length > 0 && text.at[0] == '#');
    r->resolved++;
    if (container == ENTRY_NONE || span_empty(text))
        return TAPE_ABSENT;
    if (text.at[0] == '#')
        return contained(r, bundle_resource_at(r->bundle, container)->node, span_skip(text, 1));
    if (r->tables == NULL) {
        struct bundle_tables *tables = arena_make(r->arena, struct bundle_tables);
        struct resource_range all    = { 0, bundle_resources(r->bundle) };
        if (tables == NULL || bundle_tables_read(r->bundle, all, r->arena, tables) != ST_OK) {
            r->no_memory = true;
            return TAPE_ABSENT;
        }
        r->tables = tables;
    }
    if (container < r->tables->range.first || container >= r->tables->range.end)
        return TAPE_ABSENT;
    const struct home *home = bundle_tables_home(r->tables, container);
    if (home->table == NULL || bundle_table_resolve(home, text, r->arena, r->tape, &entry) != RESOLUTION_ONE)
        return TAPE_ABSENT;
    return home->table->entries[entry].resource;
}

static struct span
text_of(const struct profiling *r, tape_node reference)
{
    tape_node text = walk_kind(r->tape, reference) == TAPE_OBJECT ? walk_find(r->tape, reference, SPAN("reference")) : reference;

    return walk_kind(r->tape, text) == TAPE_STRING ? tape_text(r->tape, text, r->arena) : PROFILE_NOTHING;
}

tape_node
profile_resolve(struct profiling *r, tape_node reference)
{
    struct span text = text_of(r, reference);

    return span_empty(text) ? TAPE_ABSENT : profile_resolve_text(r, bundle_resource_index(r->bundle, reference), text);
}

static struct span
targets_text(struct profiling *r, const struct pack_allowed *one)
{
    struct span list = PROFILE_NOTHING;

    for (uint32_t i = 0; i < one->target_count; i++) {
        struct span url = pack_span(r->pack, r->pack->canonicals[one->first_target + i].url);
        size_t      slash = span_find_last_byte(url, '/');
        list = arena_join(r->arena, list, i > 0 ? SPAN(", ") : SPAN(""), slash == SPAN_NOT_FOUND ? url : span_skip(url, slash + 1));
    }
    return list;
}

/* Whether some target has this type; whether one of them asks nothing more;
 * how many there are that do. */
struct choice { bool type, plain, unknown; uint32_t profiles, only; };

static struct choice
choose(const struct profiling *r, const struct pack_allowed *one, struct span type)
{
    struct choice c = { .only = PACK_NONE };

    for (uint32_t i = 0; i < one->target_count; i++) {
        uint32_t profile = r->pack->canonicals[one->first_target + i].profile;
        if (profile == PACK_NONE) {
            c.unknown = true;
            continue;
        }
        const struct pack_profile *p = &r->pack->profiles[profile];
        if (!profile_type_is(r, type, pack_span(r->pack, p->type)))
            continue;
        c.type = true;
        if (p->node == PACK_NONE) {
            c.plain = true;
        } else {
            c.profiles++;
            c.only = profile;
        }
    }
    return c;
}

static void
check_profiles(struct profiling *r, const struct pack_node *n, const struct pack_allowed *one, tape_node node, tape_node target,
               const struct choice *c)
{
    struct spot spot = profiling_resource(r, target);
    struct span type = profile_type_name(r, &spot);

    if (c->plain || c->profiles == 0)
        return;
    for (uint32_t i = 0; i < one->target_count; i++) {
        uint32_t profile = r->pack->canonicals[one->first_target + i].profile;
        if (profile != PACK_NONE && profile_type_is(r, type, pack_span(r->pack, r->pack->profiles[profile].type))
            && profile_fits(r, profile, &spot))
            return;
    }
    if (profile_wrong(r, n, node, SEVERITY_ERROR, ISSUE_STRUCTURE, "profile:target"))
        profile_tell(r, arena_format(r->arena, "want %.*s to name a resource that is what %.*s asks", SPAN_PRINT(profile_place(r, n)),
                                     SPAN_PRINT(targets_text(r, one))),
                     arena_format(r->arena, "have a %.*s that is not", SPAN_PRINT(type)),
                     SPAN("Validate that resource with the profile to see why"));
}

void
profile_targets(struct profiling *r, const struct pack_node *n, const struct pack_allowed *one, const struct spot *spot)
{
    struct span base, id, type = PROFILE_NOTHING;

    if (walk_kind(r->tape, spot->value) != TAPE_OBJECT)
        return;
    tape_node target = profile_resolve(r, spot->value);
    if (target != TAPE_ABSENT)
        type = walk_find_text(r->tape, target, SPAN("resourceType"), r->arena);
    else if (!reference_split(text_of(r, spot->value), &base, &type, &id))
        return;
    if (span_empty(type))
        return;
    struct choice c = choose(r, one, type);
    if (c.type) {
        if (target != TAPE_ABSENT)
            check_profiles(r, n, one, spot->value, target, &c);
        return;
    }
    if (c.unknown && target == TAPE_ABSENT)
        return;
    if (profile_wrong(r, n, spot->value, SEVERITY_ERROR, ISSUE_STRUCTURE, "profile:target"))
        profile_tell(r, arena_format(r->arena, "want %.*s to name one of %.*s", SPAN_PRINT(profile_place(r, n)),
                                     SPAN_PRINT(targets_text(r, one))),
                     arena_join(r->arena, SPAN("have a "), type), PROFILE_NOTHING);
}

/* ---- how they are named ------------------------------------------------------------------------- */

static bool
in_bundle(const struct profiling *r, tape_node node)
{
    for (uint32_t at = bundle_resource_index(r->bundle, node); at != ENTRY_NONE; at = bundle_resource_at(r->bundle, at)->up)
        if (tape_text_eq(r->tape, walk_find(r->tape, bundle_resource_at(r->bundle, at)->node, SPAN("resourceType")), SPAN("Bundle")))
            return true;
    return false;
}

/* What is in the same Bundle is also referenced (R4 aggregation-mode: "resolved
 * externally to the resource that includes the reference"). */
static void
check_aggregation(struct profiling *r, const struct pack_node *n, const struct pack_allowed *one, tape_node value, struct span text)
{
    static const char *const names[] = { "contained", "referenced", "bundled" };
    bool                     inside  = text.at[0] == '#', bundled = !inside && profile_resolve(r, value) != TAPE_ABSENT;
    struct span              list    = PROFILE_NOTHING;

    if (one->ways & (inside ? WAY_CONTAINED : bundled ? WAY_BUNDLED | WAY_REFERENCED : WAY_REFERENCED))
        return;
    /* Of a resource alone nobody knows the Bundle in which it will be. */
    bool open = !inside && (one->ways & WAY_BUNDLED) && !in_bundle(r, value);
    if (!profile_wrong(r, n, value, open ? SEVERITY_WARNING : SEVERITY_ERROR, ISSUE_STRUCTURE, "profile:aggregation"))
        return;
    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (one->ways >> i & 1)
            list = arena_join(r->arena, list, span_empty(list) ? SPAN("") : SPAN(" or "), span_of(names[i]));
    profile_tell(r, arena_format(r->arena, "want what %.*s names to be %.*s", SPAN_PRINT(profile_place(r, n)), SPAN_PRINT(list)),
                 inside ? SPAN("have a contained one") : bundled ? SPAN("have one of the same Bundle") : SPAN("have one that is elsewhere"), PROFILE_NOTHING);
}

/* "Patient/1/_history/2", "http://…|1.0".  What is contained has no version of its own. */
static void
check_versioning(struct profiling *r, const struct pack_node *n, const struct pack_allowed *one, tape_node value, struct span text)
{
    bool specific  = one->ways & WAY_SPECIFIC;
    bool versioned = span_find(text, walk_kind(r->tape, value) == TAPE_OBJECT ? SPAN("/_history/") : SPAN("|")) != SPAN_NOT_FOUND;

    if (text.at[0] == '#' || versioned == specific)
        return;
    if (profile_wrong(r, n, value, SEVERITY_ERROR, ISSUE_VALUE, "profile:versioning"))
        profile_tell(r, arena_format(r->arena, specific ? "want %.*s to name a version" : "want %.*s to name no version", SPAN_PRINT(profile_place(r, n))),
                     specific ? SPAN("have none") : SPAN("have one"), PROFILE_NOTHING);
}

void
profile_ways(struct profiling *r, const struct pack_node *n, const struct pack_allowed *one, const struct spot *spot)
{
    struct span text = text_of(r, spot->value);

    if (span_empty(text))
        return;
    if (one->ways & WAYS_TO_TARGET)
        check_aggregation(r, n, one, spot->value, text);
    if (one->ways & (WAY_SPECIFIC | WAY_INDEPENDENT))
        check_versioning(r, n, one, spot->value, text);
}
