#include "fhir/extension_rules.h"

#include "base/json_walk.h"
#include "fhir/extension_context.h"
#include "fhir/profile_run.h"

#define NOTHING   ((struct span){ NULL, 0 })
#define SEEN_ROWS 64u                    /* a power of 2 */

/* Definitions in places where they were found to be right. */
struct extensions_check {
    struct profiling       *run;
    enum unknown_extensions unknown;
    struct { uint64_t place; uint32_t profile; } seen[SEEN_ROWS];
};

static void check_extension(struct extensions_check *, const struct noted_reference *);
static void check_known(struct extensions_check *, const struct noted_reference *, uint32_t profile);
static void check_unknown(struct extensions_check *, const struct noted_reference *, struct span url);
static void check_part(struct extensions_check *, const struct noted_reference *, struct span url);

enum status
extension_rules(struct profiling *run, const struct noted_references *noted, enum unknown_extensions unknown)
{
    struct extensions_check c = { .run = run, .unknown = unknown };

    for (uint32_t i = 0; i < noted->count && !run->report->stopped; i++)
        check_extension(&c, &noted->all[i]);
    return run->no_memory ? ST_NO_MEMORY : arena_status(run->arena);
}

static void
add(struct extensions_check *c, tape_node node, enum severity severity, const char *rule, struct span wanted,
    struct span found, struct span hint)
{
    if (profile_wrong(c->run, NULL, node, severity, ISSUE_EXTENSION, rule))
        profile_tell(c->run, wanted, found, hint);
}

/* The extension that this one is a part of; ABSENT when it stands for itself. */
static tape_node
whole_of(const struct extensions_check *c, tape_node extension)
{
    tape_node list = c->run->bundle->parents[extension];
    tape_node up   = walk_kind(c->run->tape, list) == TAPE_ARRAY ? c->run->bundle->parents[list] : list;
    tape_node name = up != TAPE_ROOT && up != TAPE_ABSENT ? c->run->bundle->parents[up] : TAPE_ABSENT;

    if (walk_kind(c->run->tape, name) != TAPE_ARRAY)
        return TAPE_ABSENT;
    name = tape_name(c->run->tape, name);
    return tape_text_eq(c->run->tape, name, SPAN("extension")) || tape_text_eq(c->run->tape, name, SPAN("modifierExtension"))
               ? up : TAPE_ABSENT;
}

static bool
is_absolute(struct span url)
{
    size_t colon = span_find_byte(url, ':');

    return colon != SPAN_NOT_FOUND && colon > 0 && colon + 1 < url.length;
}

static void
check_extension(struct extensions_check *c, const struct noted_reference *noted)
{
    struct profiling *r    = c->run;
    tape_node         node = walk_kind(r->tape, noted->node) == TAPE_OBJECT ? walk_find(r->tape, noted->node, SPAN("url"))
                                                                             : TAPE_ABSENT;

    if (walk_kind(r->tape, node) != TAPE_STRING)
        return;
    struct span url  = walk_text(r->tape, node, r->arena);
    size_t      pipe = span_find_byte(url, '|');
    if (!is_absolute(url)) {
        if (whole_of(c, noted->node) != TAPE_ABSENT)
            check_part(c, noted, url);
        else
            add(c, noted->node, SEVERITY_ERROR, "extension-url", SPAN("want an absolute url for an extension that is no part of another"),
                SPAN("have a relative one"), NOTHING);
        return;
    }
    uint32_t profile = pack_profile_named(r->pack, pipe == SPAN_NOT_FOUND ? url : span_first(url, pipe));
    bool     known   = profile != PACK_NONE && (r->pack->profiles[profile].flags & PROFILE_EXTENSION);
    if (known && pipe != SPAN_NOT_FOUND)
        add(c, noted->node, SEVERITY_ERROR, "extension-url", SPAN("want the url of an extension without a version"),
            SPAN("have one with"), SPAN("Leave out | and what follows"));
    if (known)
        check_known(c, noted, profile);
    else
        check_unknown(c, noted, url);
}

/* ---- one that is defined ---------------------------------------------------------------------- */

static void
check_invariant(struct extensions_check *c, const struct noted_reference *noted, uint32_t profile, uint32_t at, const struct extension_place *place)
{
    struct profiling   *r     = c->run;
    enum fhirpath_truth truth = extension_invariant(r, at, place, noted->node);

    if (truth == FHIRPATH_TRUE)
        return;
    r->place = ((uint64_t)at << 32 | profile) + 1;
    add(c, place->container, truth == FHIRPATH_FALSE ? SEVERITY_ERROR : SEVERITY_WARNING, "extension-context",
        arena_format(r->arena, "want the extension %.*s where %.*s", SPAN_PRINT(pack_span(r->pack, r->pack->profiles[profile].name)),
                     SPAN_PRINT(pack_span(r->pack, r->pack->contexts[at].expression))),
        truth == FHIRPATH_FALSE ? SPAN("it does not hold") : SPAN("it cannot be decided here"), NOTHING);
}

static void
check_context(struct extensions_check *c, const struct noted_reference *noted, uint32_t profile)
{
    struct profiling          *r    = c->run;
    const struct pack_profile *p    = &r->pack->profiles[profile];
    uint32_t                   row  = (uint32_t)((noted->place ^ profile) * 0x9e3779b97f4a7c15u >> 32) & (SEEN_ROWS - 1);
    bool                       kept = c->seen[row].place == noted->place && c->seen[row].profile == profile && noted->place != 0;

    /* A context that is an extension depends on the url around, which is no
     * place; what FHIRPath says depends on everything. */
    for (uint32_t i = 0; i < p->context_count; i++)
        kept = kept && r->pack->contexts[p->first_context + i].kind == CONTEXT_ELEMENT;
    if (kept && p->invariant_count == 0)
        return;
    struct extension_place place;
    extension_place_read(r, noted->node, &place);
    enum fhirpath_truth may = extension_may_stand(r, p, &place);
    if (may == FHIRPATH_TRUE) {
        c->seen[row].place   = noted->place;
        c->seen[row].profile = profile;
        for (uint32_t i = 0; i < p->invariant_count; i++)
            check_invariant(c, noted, profile, p->first_context + p->context_count + i, &place);
        return;
    }
    struct span list = NOTHING;
    for (uint32_t i = 0; i < p->context_count; i++)
        list = arena_join(r->arena, list, i > 0 ? SPAN(", ") : SPAN(""),
                          pack_span(r->pack, r->pack->contexts[p->first_context + i].expression));
    r->place = (uint64_t)profile + 1;
    add(c, place.container, may == FHIRPATH_FALSE ? SEVERITY_ERROR : SEVERITY_WARNING, "extension-context",
        arena_format(r->arena, "want the extension %.*s on %.*s", SPAN_PRINT(pack_span(r->pack, p->name)), SPAN_PRINT(list)),
        may == FHIRPATH_FALSE ? SPAN("have it on another element") : SPAN("it cannot be decided here"), NOTHING);
}

static void
check_known(struct extensions_check *c, const struct noted_reference *noted, uint32_t profile)
{
    const struct pack_profile *p        = &c->run->pack->profiles[profile];
    bool                       modifier = p->flags & PROFILE_MODIFIER;
    uint32_t                   at       = profile_structure(c->run, SPAN("Extension"));

    if (modifier != (noted->type != 0))
        add(c, noted->node, SEVERITY_ERROR, "extension-modifier",
            modifier ? SPAN("want a modifier extension in modifierExtension") : SPAN("want only modifier extensions in modifierExtension"),
            modifier ? SPAN("have it in extension") : SPAN("have one that is none"), NOTHING);
    check_context(c, noted, profile);
    if (at == PACK_NONE)
        return;
    struct spot spot = { .value = noted->node, .shape = c->run->pack->structures[at].shape };
    profiling_apply(c->run, profile, &spot);
}

/* ---- one that is not --------------------------------------------------------------------------- */

/* "http://hl7.org/fhir/5.0/StructureDefinition/extension-Patient.contact" (R4
 * versions.html#extensions). */
static bool
is_cross_version(struct span url)
{
    struct span base = SPAN("http://hl7.org/fhir/"), rest = SPAN("/StructureDefinition/extension-");

    if (!span_starts(url, base) || url.length < base.length + 3)
        return false;
    const char *version = url.at + base.length;
    return version[0] >= '1' && version[0] <= '6' && version[1] == '.' && version[2] >= '0' && version[2] <= '9'
        && span_starts(span_skip(url, base.length + 3), rest);
}

/* The host of a URL is the domain, or in it. */
static bool
is_in_domain(struct span url, struct span domain)
{
    size_t      scheme = span_find(url, SPAN("://"));
    struct span rest   = scheme != SPAN_NOT_FOUND ? span_skip(url, scheme + 3) : NOTHING;
    struct span host   = span_split(&rest, '/');

    return span_eq(host, domain)
        || (host.length > domain.length && span_ends(host, domain) && host.at[host.length - domain.length - 1] == '.');
}

/* Domains that are kept for samples (RFC 2606 2 and 3).  The others are those that
 * the official validator lets pass too (InstanceValidator.allowUnknownExtension):
 * acme.com, a company of samples; DICOM (nema.org) and HL7's tools, which have
 * extensions that no package defines. */
static bool
is_sample(struct span url)
{
    static const char *const domains[] = { "example.org", "example.com", "example.net", "example", "test", "invalid", "acme.com", "nema.org" };

    for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++)
        if (is_in_domain(url, span_of(domains[i])))
            return true;
    return span_starts(url, SPAN("http://hl7.org/fhir/tools/StructureDefinition/"))
        || span_eq_text(url, "http://hl7.org/fhir/StructureDefinition/structuredefinition-expression");
}

static void
check_unknown(struct extensions_check *c, const struct noted_reference *noted, struct span url)
{
    bool refused = c->unknown == UNKNOWN_EXTENSIONS_REFUSED && !is_sample(url);

    if (is_cross_version(url))
        return;
    add(c, noted->node, refused ? SEVERITY_ERROR : SEVERITY_INFORMATION, "extension-unknown",
        SPAN("want an extension that is defined here"), SPAN("have one that is not: it was not checked"),
        SPAN("Add the package that defines it"));
}

/* ---- a part of one ------------------------------------------------------------------------------- */

/* The node of a definition that stands for this part; *has_parts says whether the
 * definition has parts at all. */
static const struct pack_node *
part_node(const struct profiling *r, const struct pack_node *whole, struct span url, bool *has_parts)
{
    const struct pack       *p     = r->pack;
    const struct pack_shape *shape = &p->shapes[p->structures[profile_structure(r, SPAN("Extension"))].shape];
    const struct pack_slot  *list  = pack_slot_of(p, shape, tape_key_of(SPAN("extension")), SPAN("extension"));
    const struct pack_slot  *slot  = pack_slot_of(p, shape, tape_key_of(SPAN("url")), SPAN("url"));
    uint32_t                 at    = list != NULL ? pack_child(whole, list->element) : PACK_NONE;

    *has_parts = at != PACK_NONE && slot != NULL && p->nodes[at].slice_count > 0;
    for (uint32_t i = 0; *has_parts && i < p->nodes[at].slice_count; i++) {
        const struct pack_node *slice = &p->nodes[p->nodes[at].first_slice + i];
        uint32_t                fixed = pack_child(slice, slot->element);
        if (fixed != PACK_NONE && (p->nodes[fixed].flags & NODE_FIXED)
            && span_eq(pack_span(p, p->values[p->nodes[fixed].value].text), url))
            return slice;
    }
    return NULL;
}

/* From the extension that stands for itself down to this part. */
static void
check_part(struct extensions_check *c, const struct noted_reference *noted, struct span url)
{
    struct profiling *r     = c->run;
    tape_node         whole = whole_of(c, noted->node);
    struct span       name  = walk_find_text(r->tape, whole, SPAN("url"), r->arena);
    uint32_t          at    = is_absolute(name) ? pack_profile_named(r->pack, name) : PACK_NONE;
    bool              parts = false;

    /* Parts of parts are looked at by the profile. */
    if (at == PACK_NONE || !(r->pack->profiles[at].flags & PROFILE_EXTENSION) || r->pack->profiles[at].node == PACK_NONE)
        return;
    if (part_node(r, &r->pack->nodes[r->pack->profiles[at].node], url, &parts) == NULL && parts)
        add(c, noted->node, SEVERITY_ERROR, "extension-part", SPAN("want a part that the definition of the extension has"),
            SPAN("have another"), NOTHING);
}
