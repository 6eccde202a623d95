/* fhir/profile_targets.c -- what a profile lets a reference point at. */
#include "base/json_walk.h"
#include "fhir/profile_run.h"

const struct references *
profile_references(struct profiling *r)
{
    if (r->references == NULL && references_read(r->bundle, r->arena, &r->references) != ST_OK) {
        r->references = NULL;
        r->no_memory  = true;
    }
    return r->references;
}

static const struct reference *
reference_at(struct profiling *r, tape_node node)
{
    const struct references *all = profile_references(r);

    return all == NULL ? NULL : references_find(all, node);
}

static tape_node
target_of(const struct profiling *r, const struct reference *ref)
{
    if (ref == NULL)
        return TAPE_ABSENT;
    if (ref->to_contained != TAPE_ABSENT)
        return ref->to_contained;
    return ref->to == ENTRY_NONE ? TAPE_ABSENT : r->bundle->entries[ref->to].resource;
}

tape_node
profile_resolve(struct profiling *r, tape_node reference)
{
    return reference == TAPE_ABSENT ? TAPE_ABSENT : target_of(r, reference_at(r, reference));
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
    const struct reference *ref;

    if (walk_kind(r->tape, spot->value) != TAPE_OBJECT || (ref = reference_at(r, spot->value)) == NULL)
        return;
    tape_node     target = target_of(r, ref);
    struct span   type   = target != TAPE_ABSENT ? walk_find_text(r->tape, target, SPAN("resourceType"), r->arena) : ref->type;
    struct choice c      = choose(r, one, type);
    if (span_empty(type))
        return;
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
