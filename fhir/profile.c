#include "fhir/profile.h"

#include "base/json_walk.h"
#include "fhir/consent_rules.h"
#include "fhir/fhirpath.h"
#include "fhir/lookup.h"
#include "fhir/profile_run.h"

enum { MEMO_RUNNING = 1, MEMO_RIGHT, MEMO_WRONG };

#define MEMO_FIRST 64u                       /* a power of 2, doubled */

void
profiling_init(struct profiling *r, const struct pack *pack, const struct bundle *bundle, struct arena *arena,
               struct report *report)
{
    uint64_t steps = PROFILE_STEPS_EACH * tape_count(bundle->tape);

    *r = (struct profiling){ .pack = pack, .bundle = bundle, .tape = bundle->tape, .arena = arena, .report = report,
                             .steps = steps > PROFILE_STEPS_LEAST ? steps : PROFILE_STEPS_LEAST, .profile = PACK_NONE };
    r->expression_steps = r->steps + FHIRPATH_STEPS;
    known_init(&r->good, bundle->tape);
}

void
profiling_base(struct profiling *r, uint32_t node, const struct spot *spot)
{
    uint32_t before = r->profile;

    r->profile = PACK_NONE;
    profile_value(r, &r->pack->nodes[node], spot);
    r->profile = before;
}

/* ---- findings ------------------------------------------------------------------------------ */

bool
profile_wrong(struct profiling *r, const struct pack_node *n, tape_node node, enum severity severity, enum issue_code code,
              const char *rule)
{
    bool error = severity <= SEVERITY_ERROR;

    r->errors += error;
    r->findings++;
    if (r->silent)
        return false;
    r->finding = (struct finding){ .node = node, .severity = severity, .code = code, .rule = rule };
    if (error)
        return report_new(r->report, &r->finding);
    /* What is doubtful is often so everywhere: it is said once with a count. */
    r->finding.place = n != NULL ? ((uint64_t)(n - r->pack->nodes) << 32 | r->profile) + 1 : r->place;
    return report_new(r->report, &r->finding);
}

void
profile_tell(struct profiling *r, struct span wanted, struct span found, struct span hint)
{
    report_add(r->report, &r->finding, wanted, found, hint);
}

/* The last part of a canonical url, which is what people call a profile. */
static struct span
short_name(struct span url)
{
    size_t slash = span_find_last_byte(url, '/');

    return slash == SPAN_NOT_FOUND ? url : span_skip(url, slash + 1);
}

struct span
profile_place(struct profiling *r, const struct pack_node *n)
{
    struct span path = pack_span(r->pack, n->path);

    if (r->profile == PACK_NONE)
        return path;
    return arena_join(r->arena, short_name(pack_span(r->pack, r->pack->profiles[r->profile].url)), SPAN(": "), path);
}

void
profiling_end(struct profiling *r)
{
    if (r->steps == 0 && profile_wrong(r, NULL, r->bundle->root, SEVERITY_ERROR, ISSUE_TOO_COSTLY, "profile:cost"))
        profile_tell(r, SPAN("want a document that its profiles can be asked of in bounded time"),
                     SPAN("have one that takes too many steps or levels: the rest was not looked at"), PROFILE_NOTHING);
}

/* ---- each once -------------------------------------------------------------------------------- */

static uint32_t
memo_slot(const struct profiling *r, const struct profiling_memo *table, uint32_t room, tape_node node, uint32_t profile)
{
    uint32_t at = (node * 0x9e3779b9u ^ profile * 0x85ebca6bu) & (room - 1);

    while (table[at].state != 0 && (table[at].node != node || table[at].profile != profile))
        at = (at + 1) & (room - 1);
    (void)r;
    return at;
}

static struct profiling_memo *
memo_of(struct profiling *r, tape_node node, uint32_t profile)
{
    if (r->memo_count * 2 >= r->memo_room) {
        uint32_t               room  = r->memo_room > 0 ? r->memo_room * 2 : MEMO_FIRST;
        struct profiling_memo *fresh = arena_make_n(r->arena, room, struct profiling_memo);
        if (fresh == NULL) {
            r->no_memory = true;
            return NULL;
        }
        for (uint32_t i = 0; i < r->memo_room; i++)
            if (r->memo[i].state != 0)
                fresh[memo_slot(r, fresh, room, r->memo[i].node, r->memo[i].profile)] = r->memo[i];
        r->memo      = fresh;
        r->memo_room = room;
    }
    return &r->memo[memo_slot(r, r->memo, r->memo_room, node, profile)];
}

static tape_node
node_of(const struct spot *spot)
{
    return spot->value != TAPE_ABSENT ? spot->value : spot->shadow;
}

/* A profile of another type than the value has is not even begun. */
static bool
type_fits(struct profiling *r, const struct pack_profile *profile, const struct spot *spot)
{
    struct span have = profile_type_name(r, spot), want = pack_span(r->pack, profile->type);

    if (profile_type_is(r, have, want))
        return true;
    if (profile_wrong(r, NULL, node_of(spot), SEVERITY_ERROR, ISSUE_INVALID, "profile:type"))
        profile_tell(r, arena_format(r->arena, "want a %.*s, which is what %.*s is for", SPAN_PRINT(want),
                                     SPAN_PRINT(short_name(pack_span(r->pack, profile->url)))),
                     arena_join(r->arena, SPAN("have a "), have), PROFILE_NOTHING);
    return false;
}

/* A resource with others inside may have references that mean different things
 * by the same text. */
static uint32_t
home_of(const struct profiling *r, tape_node node)
{
    uint32_t                      index = bundle_resource_index(r->bundle, node);
    const struct bundle_resource *all   = bundle_resource_at(r->bundle, 0);

    if (index == ENTRY_NONE || all[index].node != node)
        return r->home;                                  /* an element */
    if (r->tables == NULL || (index + 1 < bundle_resources(r->bundle) && all[index + 1].node < tape_after(r->tape, node)))
        return 0;
    return bundle_tables_home(r->tables, index)->number;
}

static void
run(struct profiling *r, uint32_t profile, const struct spot *spot)
{
    const struct pack_profile *p      = &r->pack->profiles[profile];
    uint32_t                   before = r->profile, home = r->home;

    r->profile = profile;
    r->home    = home_of(r, node_of(spot));
    if (type_fits(r, p, spot) && p->node != PACK_NONE)
        profile_value(r, &r->pack->nodes[p->node], spot);
    r->profile = before;
    r->home    = home;
}

bool
profiling_apply(struct profiling *r, uint32_t profile, const struct spot *spot)
{
    struct profiling_memo *memo = memo_of(r, node_of(spot), profile);
    uint32_t               errors = r->errors;

    if (memo == NULL || profile_ended(r))
        return true;
    if (memo->state == 0) {
        *memo = (struct profiling_memo){ .node = node_of(spot), .profile = profile };
        r->memo_count++;
    } else if (memo->state == MEMO_RUNNING || r->silent || memo->told) {
        r->outside++;                                    /* what was found is told elsewhere */
        if (memo->state == MEMO_WRONG && r->silent)
            r->errors++;
        return memo->state != MEMO_WRONG;
    }
    memo->state = MEMO_RUNNING;
    memo->told  = !r->silent;
    run(r, profile, spot);
    bool right = r->errors == errors;
    if ((memo = memo_of(r, node_of(spot), profile)) != NULL)      /* the table may have moved */
        memo->state = right ? MEMO_RIGHT : MEMO_WRONG;
    return right;
}

bool
profile_fits(struct profiling *r, uint32_t profile, const struct spot *spot)
{
    bool     silent = r->silent;
    uint32_t errors = r->errors, began = r->silent_errors, findings = r->findings;

    r->silent        = true;
    r->silent_errors = r->errors;
    bool fits        = profiling_apply(r, profile, spot);
    r->silent        = silent;
    r->silent_errors = began;
    r->errors        = errors;
    r->findings      = findings;
    return fits;
}

bool
profile_value_fits(struct profiling *r, const struct pack_node *n, const struct spot *spot)
{
    bool     silent = r->silent;
    uint32_t errors = r->errors, began = r->silent_errors, findings = r->findings;

    r->silent        = true;
    r->silent_errors = r->errors;
    profile_value(r, n, spot);
    bool fits        = r->errors == errors;
    r->silent        = silent;
    r->silent_errors = began;
    r->errors        = errors;
    r->findings      = findings;
    return fits;
}

void
profile_apply_canonical(struct profiling *r, const struct pack_canonical *one, const struct spot *spot)
{
    if (one->node == PACK_NONE)
        (void)profiling_apply(r, one->profile, spot);
    else
        profile_value(r, &r->pack->nodes[one->node], spot);
}

bool
profile_fits_canonical(struct profiling *r, const struct pack_canonical *one, const struct spot *spot)
{
    return one->node == PACK_NONE ? profile_fits(r, one->profile, spot) : profile_value_fits(r, &r->pack->nodes[one->node], spot);
}

/* ---- resources ------------------------------------------------------------------------------------ */

uint32_t
profile_structure(const struct profiling *r, struct span name)
{
    const struct pack      *p    = r->pack;
    const struct pack_slot *slot = pack_slot_of(p, &p->shapes[p->header->names_shape], tape_key_of(name), name);

    return slot == NULL ? PACK_NONE : slot->element;
}

struct spot
profiling_resource(const struct profiling *r, tape_node resource)
{
    struct span name  = walk_find_text(r->tape, resource, SPAN("resourceType"), r->arena);
    uint32_t    at    = profile_structure(r, name);
    bool        known = at != PACK_NONE && r->pack->structures[at].kind == PACK_RESOURCE;

    return (struct spot){ .value = resource, .shape = known ? r->pack->structures[at].shape : PACK_NONE };
}

void
profiling_declared(struct profiling *r, tape_node resource)
{
    tape_node   meta = walk_find(r->tape, resource, SPAN("meta"));
    tape_node   list = meta == TAPE_ABSENT ? TAPE_ABSENT : walk_find(r->tape, meta, SPAN("profile"));
    struct spot spot = profiling_resource(r, resource);

    if (walk_kind(r->tape, list) != TAPE_ARRAY || spot.shape == PACK_NONE)
        return;
    for (tape_node n = walk_first(r->tape, list); n != TAPE_ABSENT; n = walk_next(r->tape, n)) {
        struct span url     = tape_text(r->tape, n, r->arena);
        uint32_t    profile = pack_profile_named(r->pack, url);
        if (walk_kind(r->tape, n) != TAPE_STRING)
            continue;
        r->place = lookup_hash(url) | 1;
        if (profile != PACK_NONE)
            profiling_apply(r, profile, &spot);
        else if (profile_wrong(r, NULL, n, SEVERITY_WARNING, ISSUE_NOT_FOUND, "profile:unknown"))
            profile_tell(r, SPAN("want a profile that is among the definitions"), SPAN("have one that is not: it was not checked"),
                         SPAN("Add the package that defines it"));
    }
}

/* ---- vital signs ------------------------------------------------------------------------------ */

#define R4_PROFILE "http://hl7.org/fhir/StructureDefinition/"

static const struct { struct span code, profile; } vital_signs[] = {
#define VITAL_SIGN(code, name) { { code, sizeof(code) - 1 }, { R4_PROFILE name, sizeof(R4_PROFILE name) - 1 } },
#include "fhir/vital_signs.def"
#undef VITAL_SIGN
};

static void
apply_vital_sign(struct profiling *r, const struct spot *spot, tape_node coding)
{
    tape_node code = walk_find(r->tape, coding, SPAN("code"));

    if (walk_kind(r->tape, code) != TAPE_STRING)
        return;
    for (size_t i = 0; i < sizeof vital_signs / sizeof vital_signs[0]; i++) {
        if (!walk_is(r->tape, code, vital_signs[i].code)
            || !tape_text_eq(r->tape, walk_find(r->tape, coding, SPAN("system")), SPAN("http://loinc.org")))
            continue;
        uint32_t profile = pack_profile_named(r->pack, vital_signs[i].profile);
        if (profile != PACK_NONE)
            profiling_apply(r, profile, spot);
    }
}

/* R4 observation-vitalsigns.html: an Observation with one of these codes SHALL
 * conform to the profile, whether it claims so or not. */
static void
implied(struct profiling *r, const struct spot *spot)
{
    tape_node concept = walk_find(r->tape, spot->value, SPAN("code"));
    tape_node list    = walk_kind(r->tape, concept) == TAPE_OBJECT ? walk_find(r->tape, concept, SPAN("coding")) : TAPE_ABSENT;

    if (walk_kind(r->tape, list) != TAPE_ARRAY)
        return;
    for (tape_node n = walk_first(r->tape, list); n != TAPE_ABSENT; n = walk_next(r->tape, n))
        if (walk_kind(r->tape, n) == TAPE_OBJECT)
            apply_vital_sign(r, spot, n);
}

static void
apply_globals(struct profiling *r, const struct spot *spot)
{
    for (uint32_t i = 0; i < r->pack->counts[PACK_GLOBALS]; i++)
        if (r->pack->profiles[r->pack->globals[i]].structure == r->pack->shapes[spot->shape].structure)
            profiling_apply(r, r->pack->globals[i], spot);
}

/* What the caller names and nobody has is said once. */
static void
refuse_unknown(struct profiling *r, struct span url)
{
    if (profile_wrong(r, NULL, r->bundle->root, SEVERITY_WARNING, ISSUE_NOT_FOUND, "profile:unknown"))
        profile_tell(r, SPAN("want a profile that is among the definitions"), arena_copy(r->arena, url),
                     SPAN("Add the package that defines it"));
}

static bool
stands_alone(const struct profiling *r, const struct bundle_resource *resource)
{
    return resource->up == ENTRY_NONE || (!resource->contained && bundle_resource_at(r->bundle, resource->up)->node == r->bundle->root);
}

void
profiling_resources(struct profiling *r, const struct validate_options *options, uint32_t first, uint32_t end)
{
    size_t    count = options != NULL ? options->profile_count : 0;
    uint32_t  observation = profile_structure(r, SPAN("Observation")), consent = profile_structure(r, SPAN("Consent"));
    uint32_t *asked = arena_make_n(r->arena, count + 1, uint32_t);

    for (size_t k = 0; asked != NULL && k < count; k++) {
        asked[k] = pack_profile_named(r->pack, options->profiles[k]);
        if (asked[k] == PACK_NONE)
            refuse_unknown(r, options->profiles[k]);
    }
    r->no_memory |= asked == NULL;
    for (uint32_t i = first; i < end && !profile_ended(r); i++) {
        const struct bundle_resource *resource = bundle_resource_at(r->bundle, i);
        struct spot                   spot     = profiling_resource(r, resource->node);
        profiling_declared(r, resource->node);
        if (spot.shape != PACK_NONE && r->pack->shapes[spot.shape].structure == observation)
            implied(r, &spot);
        if (spot.shape == PACK_NONE || !stands_alone(r, resource))
            continue;
        if (r->pack->shapes[spot.shape].structure == consent)
            consent_rules(r->report, resource->node, options != NULL && options->consents_enforced);
        apply_globals(r, &spot);
        for (size_t k = 0; k < count; k++)
            if (asked[k] != PACK_NONE && r->pack->profiles[asked[k]].structure == r->pack->shapes[spot.shape].structure)
                profiling_apply(r, asked[k], &spot);
    }
}
