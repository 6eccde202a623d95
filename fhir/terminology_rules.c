/* fhir/terminology_rules.c -- CodeSystem, ValueSet, ConceptMap: do they hold together, and with what is here.
 *
 * R4 codesystem.html, valueset.html, conceptmap.html.  Codes of other systems
 * are looked up only where the pack has the system as a whole.
 */
#include "base/json_walk.h"
#include "fhir/definition_rules.h"
#include "fhir/element.h"
#include "fhir/pack_terms.h"
#include "fhir/profile_run.h"
#include "fhir/regex.h"

#define NOTHING ((struct span){ NULL, 0 })
/* Properties of one code system that are told apart. */
#define PROPERTIES_MOST 64u

static void
wrong(struct profiling *r, tape_node node, const char *rule, const char *wanted, const char *found)
{
    definition_tell(r, node, SEVERITY_ERROR, rule, wanted, found);
}

static bool
is_concept(const struct tape *t, const tape_node *parents, tape_node n)
{
    return tape_kind(t, n) == TAPE_OBJECT && tape_kind(t, parents[n]) == TAPE_ARRAY
        && tape_text_eq(t, tape_name(t, parents[n]), SPAN("concept"));
}

/* ---- CodeSystem --------------------------------------------------------------------------- */

struct property { struct span code, type; };

static uint32_t
properties_of(struct profiling *r, tape_node system, struct property *out)
{
    uint32_t count = 0;

    for (tape_node n = definition_items(r, system, "property"); n != TAPE_ABSENT && count < PROPERTIES_MOST; n = tape_next(r->tape, n)) {
        out[count] = (struct property){ definition_text(r, n, "code"), definition_text(r, n, "type") };
        for (uint32_t i = 0; i < count && !span_empty(out[count].code); i++)
            if (span_eq(out[i].code, out[count].code))
                wrong(r, n, "code-system-property", "want every property once", "have one twice");
        count++;
    }
    return count;
}

/* The value of a concept's property has the type that the property has. */
static void
check_properties(struct profiling *r, tape_node concept, const struct property *known, uint32_t count)
{
    for (tape_node n = definition_items(r, concept, "property"); n != TAPE_ABSENT; n = tape_next(r->tape, n)) {
        struct span    code  = definition_text(r, n, "code"), type = NOTHING;
        struct element value = element_choice(r->tape, n, SPAN("value"), &type);
        for (uint32_t i = 0; i < count && element_present(value); i++)
            if (span_eq(known[i].code, code) && !span_empty(known[i].type) && !span_eq_nocase(known[i].type, type)) {
                wrong(r, n, "code-system-property", "want a value of the type that the property has", "have one of another");
                break;
            }
    }
}

static void
check_supplement(struct profiling *r, tape_node concept, struct span whole)
{
    size_t      pipe    = span_find_byte(whole, '|');
    struct span system  = pipe == SPAN_NOT_FOUND ? whole : span_first(whole, pipe);
    struct span version = pipe == SPAN_NOT_FOUND ? NOTHING : span_skip(whole, pipe + 1);
    struct span code    = definition_text(r, concept, "code");

    if (!span_empty(code) && term_code(r->pack, system, version, code).verdict == TERM_OUT)
        wrong(r, concept, "code-system-supplement", "want a code that the supplemented code system has", "have another");
}

static void
check_count(struct profiling *r, tape_node system, struct span content, uint64_t concepts)
{
    tape_node at   = tape_member(r->tape, system, SPAN("count"));
    uint64_t  said = 0;

    if (concepts > 0 && span_eq_text(content, "not-present"))
        wrong(r, system, "code-system-content", "want no concepts where the content is not present", "have some");
    if (tape_kind(r->tape, at) == TAPE_NUMBER && span_to_u64(tape_raw(r->tape, at), &said) && said != concepts
        && span_eq_text(content, "complete"))
        wrong(r, at, "code-system-count", "want the number of concepts of a complete code system", "have another");
}

void
code_system_rules(struct profiling *r, tape_node resource)
{
    struct property known[PROPERTIES_MOST];
    uint32_t        count       = properties_of(r, resource, known);
    struct span     content     = definition_text(r, resource, "content");
    struct span     supplements = definition_text(r, resource, "supplements");
    tape_node       end         = tape_after(r->tape, resource);
    uint64_t        concepts    = 0;

    if (span_eq_text(content, "supplement") && span_empty(supplements))
        wrong(r, resource, "code-system-supplement", "want the code system that a supplement is for", "have none");
    tape_node list = tape_member(r->tape, resource, SPAN("concept"));
    for (tape_node n = list; list != TAPE_ABSENT && n < tape_after(r->tape, list) && n < end && !r->report->stopped; n++) {
        if (!is_concept(r->tape, r->bundle->parents, n))
            continue;
        concepts++;
        check_properties(r, n, known, count);
        if (span_eq_text(content, "supplement"))
            check_supplement(r, n, supplements);
    }
    check_count(r, resource, content, concepts);
}

/* ---- ValueSet ------------------------------------------------------------------------------ */

static bool
is_code_system(const struct profiling *r, struct span url)
{
    return term_value_set(r->pack, url) == TERM_NONE && term_content(r->pack, url, NOTHING) > TERM_CONTENT_NOT_PRESENT;
}

static void
check_filter(struct profiling *r, tape_node filter, struct span system, struct span version)
{
    struct span property = definition_text(r, filter, "property"), op = definition_text(r, filter, "op");
    struct span value    = definition_text(r, filter, "value");

    static const char *const of_concepts[] = { "is-a", "descendent-of", "is-not-a", "generalizes", "child-of", "descendent-leaf" };
    bool        walks = false;
    for (size_t i = 0; i < sizeof of_concepts / sizeof of_concepts[0]; i++)
        walks |= span_eq_text(op, of_concepts[i]);
    if (span_eq_text(op, "exists") && !span_eq_text(value, "true") && !span_eq_text(value, "false"))
        wrong(r, filter, "value-set-filter", "want true or false beside exists", "have something else");
    if (walks && span_eq_text(property, "concept") && term_code(r->pack, system, version, value).verdict == TERM_OUT)
        wrong(r, filter, "value-set-filter", "want a code that the code system has", "have another");
    if (span_eq_text(op, "regex") && span_eq_text(system, "http://snomed.info/sct"))
        wrong(r, filter, "value-set-filter", "want an operator that the code system has for this property", "have another");
    if (!span_eq_text(op, "regex"))
        return;
    struct span program;                                 /* what is refused here but is one has a group or an escape */
    const char *why = NULL;
    if (span_find(value, SPAN("(?")) == SPAN_NOT_FOUND && span_find(value, SPAN("\\")) == SPAN_NOT_FOUND
        && regex_compile(value, r->arena, &program, &why) == ST_MALFORMED)
        wrong(r, filter, "value-set-filter", "want a regular expression", "have none");
}

static void
check_include(struct profiling *r, tape_node include)
{
    tape_node   at      = tape_member(r->tape, include, SPAN("system"));
    struct span system  = definition_text(r, include, "system"), version = definition_text(r, include, "version");

    if (!span_empty(system) && !url_absolute(system))
        wrong(r, at, "value-set-system", "want an absolute URI of a code system", "have one that is not");
    else if (term_is_value_set_url(r->pack, system) && term_content(r->pack, system, NOTHING) == TERM_CONTENT_UNKNOWN)
        wrong(r, at, "value-set-system", "want a code system", "have a value set");
    for (tape_node n = definition_items(r, include, "valueSet"); n != TAPE_ABSENT; n = tape_next(r->tape, n))
        if (tape_kind(r->tape, n) == TAPE_STRING && is_code_system(r, tape_text(r->tape, n, r->arena)))
            wrong(r, n, "value-set-import", "want a value set", "have a code system");
    for (tape_node n = definition_items(r, include, "concept"); n != TAPE_ABSENT; n = tape_next(r->tape, n)) {
        struct span code = definition_text(r, n, "code");
        if (!span_empty(code) && term_code(r->pack, system, version, code).verdict == TERM_OUT)
            definition_tell(r, n, SEVERITY_WARNING, "value-set-code", "want a code that the code system has", "have another");
    }
    for (tape_node n = definition_items(r, include, "filter"); n != TAPE_ABSENT; n = tape_next(r->tape, n))
        check_filter(r, n, system, version);
}

void
value_set_rules(struct profiling *r, tape_node resource)
{
    tape_node compose = tape_member(r->tape, resource, SPAN("compose"));

    for (tape_node n = definition_items(r, compose, "include"); n != TAPE_ABSENT; n = tape_next(r->tape, n))
        check_include(r, n);
    for (tape_node n = definition_items(r, compose, "exclude"); n != TAPE_ABSENT; n = tape_next(r->tape, n))
        check_include(r, n);
}

/* ---- ConceptMap ---------------------------------------------------------------------------- */

static void
check_mapped(struct profiling *r, tape_node object, struct span system, struct span version)
{
    struct span code = definition_text(r, object, "code");

    if (!span_empty(code) && !span_empty(system) && term_content(r->pack, system, version) == TERM_CONTENT_COMPLETE
        && term_code(r->pack, system, version, code).verdict == TERM_OUT)
        wrong(r, object, "concept-map-code", "want a code that the code system of the group has", "have another");
}

void
concept_map_rules(struct profiling *r, tape_node resource)
{
    static const char *const sets[] = { "sourceCanonical", "targetCanonical", "sourceUri", "targetUri" };

    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
        if (is_code_system(r, definition_text(r, resource, sets[i])))
            wrong(r, tape_member(r->tape, resource, span_of(sets[i])), "concept-map-value-set", "want a value set", "have a code system");
    for (tape_node g = definition_items(r, resource, "group"); g != TAPE_ABSENT; g = tape_next(r->tape, g)) {
        struct span source = definition_text(r, g, "source"), source_version = definition_text(r, g, "sourceVersion");
        struct span target = definition_text(r, g, "target"), target_version = definition_text(r, g, "targetVersion");
        for (tape_node e = definition_items(r, g, "element"); e != TAPE_ABSENT; e = tape_next(r->tape, e)) {
            check_mapped(r, e, source, source_version);
            for (tape_node n = definition_items(r, e, "target"); n != TAPE_ABSENT; n = tape_next(r->tape, n))
                check_mapped(r, n, target, target_version);
        }
    }
}
