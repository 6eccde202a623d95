/* fhir/profile_bindings.c -- codes against the value sets that elements are bound to.
 *
 *   B1  required: a code that is not in the value set is an error; of a
 *       CodeableConcept one of its codings has to be in it
 *   B2  extensible: it is a warning, or an error when a maxValueSet leaves it out
 *   B3  what the definitions cannot decide is information, never right or wrong
 *   B4  an element without a code (a CodeableConcept with text alone) breaks a
 *       required binding; an extensible one lets it be
 *   B5  what somebody else has answered of B3 counts as if the definitions had
 *       said it (fhir/term_questions.h), in silent runs too
 */
#include "base/json_walk.h"
#include "fhir/lookup.h"
#include "fhir/profile_run.h"
#include "fhir/term_questions.h"
#include "fhir/terminology.h"

#define UCUM       "http://unitsofmeasure.org"
#define PLACE_UNIT UINT64_MAX                /* where no element is */

struct verdict { enum term_verdict is; enum term_why why; bool coded; struct span system, code, version; };

/* The value set that is wanted: as the binding names it, and in the tables. */
struct wanted { struct span canonical; uint32_t set; };

static struct wanted
wanted_of(const struct profiling *r, struct span canonical)
{
    return (struct wanted){ canonical, term_value_set(r->pack, canonical) };
}

/* Bindings name theirs by url; the same ones are asked again and again. */
static struct wanted
wanted_by(struct profiling *r, struct pack_text value_set)
{
    struct known_set *known = &r->sets[value_set.offset * 0x9e3779b9u >> 16 & (PROFILE_SETS - 1)];

    if (known->text != value_set.offset)
        *known = (struct known_set){ value_set.offset, term_value_set(r->pack, pack_span(r->pack, value_set)) };
    return (struct wanted){ pack_span(r->pack, value_set), known->set };
}

static struct verdict
verdict_of(struct term_answer answer, struct span system, struct span code)
{
    return (struct verdict){ answer.verdict, answer.why, true, system, code, PROFILE_NOTHING };
}

/* B5.  Without anybody to ask it is what the definitions say. */
static struct verdict
settled(const struct profiling *r, const struct wanted *w, struct verdict v)
{
    if (v.is != TERM_UNDECIDED || r->questions == NULL)
        return v;
    v.is = term_questions_ask(r->questions, &(struct term_question){ w->canonical, v.system, v.version, v.code, v.why,
                                                                     TERM_UNDECIDED, false }, r->silent);
    if (v.is == TERM_OUT)
        v.why = TERM_WHY_SERVER;
    return v;
}

static struct verdict
check_coding(const struct profiling *r, const struct wanted *w, tape_node coding)
{
    struct span code   = walk_find_text(r->tape, coding, SPAN("code"), r->arena);
    struct span system = walk_find_text(r->tape, coding, SPAN("system"), r->arena);

    if (span_empty(code))
        return (struct verdict){ .is = TERM_OUT, .why = TERM_WHY_NOT_LISTED };
    struct span    version = walk_find_text(r->tape, coding, SPAN("version"), r->arena);
    struct verdict v       = verdict_of(term_member(r->pack, w->set, system, version, code), system, code);
    v.version = version;
    return v;
}

/* The best of the codings: in, then undecided, then out. */
static struct verdict
best_coding(const struct profiling *r, const struct wanted *w, tape_node list, bool ask)
{
    struct verdict best = { .is = TERM_OUT, .why = TERM_WHY_NOT_LISTED };

    for (tape_node n = walk_first(r->tape, list); n != TAPE_ABSENT && best.is != TERM_IN; n = walk_next(r->tape, n)) {
        struct verdict one = walk_kind(r->tape, n) == TAPE_OBJECT ? check_coding(r, w, n) : best;
        if (ask)
            one = settled(r, w, one);
        if (one.is == TERM_IN || !best.coded || (one.is == TERM_UNDECIDED && best.is == TERM_OUT))
            best = one;
    }
    return best;
}

/* What the definitions say of all codings comes before any question (Q4). */
static struct verdict
check_concept(const struct profiling *r, const struct wanted *w, tape_node concept)
{
    tape_node list = walk_find(r->tape, concept, SPAN("coding"));

    if (walk_kind(r->tape, list) != TAPE_ARRAY)
        return (struct verdict){ .is = TERM_OUT, .why = TERM_WHY_NOT_LISTED };
    struct verdict best = best_coding(r, w, list, false);
    return best.is == TERM_UNDECIDED && r->questions != NULL ? best_coding(r, w, list, true) : best;
}

static struct verdict
check(const struct profiling *r, const struct wanted *w, const struct spot *spot)
{
    struct span type = profile_type_name(r, spot);

    if (walk_kind(r->tape, spot->value) == TAPE_STRING) {
        struct span    code = tape_text(r->tape, spot->value, r->arena);
        struct verdict v    = verdict_of(term_member_code(r->pack, w->set, code), PROFILE_NOTHING, code);
        if (v.is == TERM_UNDECIDED && r->questions != NULL)
            v.system = term_value_set_system(r->pack, w->set);
        return settled(r, w, v);
    }
    if (walk_kind(r->tape, spot->value) != TAPE_OBJECT)
        return (struct verdict){ .is = TERM_IN };
    if (span_eq_text(type, "CodeableConcept"))
        return check_concept(r, w, spot->value);
    if (span_eq_text(type, "Coding") || profile_type_is(r, type, SPAN("Quantity")))
        return settled(r, w, check_coding(r, w, spot->value));
    return (struct verdict){ .is = TERM_IN };
}

bool
profile_bound(struct profiling *r, const struct pack_binding *binding, const struct spot *spot)
{
    struct wanted  w = wanted_of(r, pack_span(r->pack, binding->value_set));
    struct verdict v = check(r, &w, spot);

    return v.is == TERM_IN && spot->value != TAPE_ABSENT;
}

enum term_verdict
profile_member(const struct profiling *r, struct span value_set, const struct spot *spot)
{
    struct wanted w = wanted_of(r, value_set);

    return check(r, &w, spot).is;
}

/* Three codes of the value set, to see what is meant. */
static struct span
hint(struct profiling *r, uint32_t set)
{
    struct span codes[3], text = PROFILE_NOTHING;
    bool        more  = false;
    uint32_t    count = set == TERM_NONE ? 0 : term_some_codes(r->pack, set, codes, 3, &more);

    for (uint32_t i = 0; i < count; i++)
        text = arena_join(r->arena, text, i == 0 ? SPAN("Its codes are ") : SPAN(", "), codes[i]);
    return count > 0 && more ? arena_join(r->arena, text, SPAN(" and others")) : text;
}

/* What stands where a code belongs may be anything.  It is repeated only when
 * it is a code that a code system here has, or a number, as LOINC's are. */
static bool
may_be_told(const struct profiling *r, const struct verdict *v)
{
    bool number = v->code.length <= 18;

    for (size_t i = 0; i < v->code.length; i++)
        number = number && ((v->code.at[i] >= '0' && v->code.at[i] <= '9') || v->code.at[i] == '-');
    return number || term_code(r->pack, v->system, PROFILE_NOTHING, v->code).verdict == TERM_IN;
}

static struct span
found(struct profiling *r, const struct verdict *v)
{
    if (v->is == TERM_UNDECIDED)
        return arena_format(r->arena, "it cannot be decided here: %s", term_why_text(v->why));
    if (!v->coded)
        return SPAN("have no code");
    if (may_be_told(r, v))
        return arena_format(r->arena, "have %.*s: %s", SPAN_PRINT(v->code), term_why_text(v->why));
    return arena_format(r->arena, "have another: %s", term_why_text(v->why));
}

static void
tell(struct profiling *r, const struct pack_node *n, struct pack_text value_set, const struct verdict *v, uint32_t set)
{
    profile_tell(r, arena_format(r->arena, "want %.*s to be a code of %.*s", SPAN_PRINT(profile_place(r, n)),
                                 SPAN_PRINT(pack_span(r->pack, value_set))),
                 found(r, v), v->is == TERM_UNDECIDED ? PROFILE_NOTHING : hint(r, set));
}

/* Units bound to a choice are asked of its quantities: R4's vital signs bind
 * component.value[x], of any type, to units. */
static bool
is_of_units(const struct profiling *r, const struct pack_node *n, uint32_t set, const struct verdict *v)
{
    struct span code;
    bool        more;

    return v->why == TERM_WHY_OTHER_SYSTEM && n->element != PACK_NONE && (r->pack->elements[n->element].flags & ELEMENT_CHOICE)
        && term_some_codes(r->pack, set, &code, 1, &more) == 1
        && term_member(r->pack, set, SPAN(UCUM), PROFILE_NOTHING, code).verdict == TERM_IN;
}

static void
check_set(struct profiling *r, const struct pack_node *n, struct pack_text value_set, bool required, const struct spot *spot)
{
    struct wanted  w = wanted_by(r, value_set);
    struct verdict v = check(r, &w, spot);

    if (v.is == TERM_IN || (!v.coded && !required) || is_of_units(r, n, w.set, &v))
        return;
    enum severity severity = v.is == TERM_UNDECIDED ? SEVERITY_INFORMATION : required ? SEVERITY_ERROR : SEVERITY_WARNING;
    if (profile_wrong(r, n, spot->value, severity, ISSUE_CODE_INVALID, v.is == TERM_UNDECIDED ? "binding:undecided" : "binding"))
        tell(r, n, value_set, &v, w.set);
}

/* A text alone is outside of no value set; a binding that is only preferred asks for no code. */
static bool
is_coded(const struct profiling *r, tape_node value)
{
    return walk_kind(r->tape, value) != TAPE_OBJECT || walk_find(r->tape, value, SPAN("coding")) != TAPE_ABSENT
        || walk_find(r->tape, value, SPAN("code")) != TAPE_ABSENT;
}

void
profile_binding(struct profiling *r, const struct pack_node *n, const struct spot *spot)
{
    const struct pack_binding *b = &r->pack->bindings[n->binding];

    if (spot->value == TAPE_ABSENT)
        return;
    if (b->strength <= STRENGTH_EXTENSIBLE)
        check_set(r, n, b->value_set, b->strength == STRENGTH_REQUIRED, spot);
    if (b->max_value_set.length > 0 && b->strength != STRENGTH_REQUIRED
        && (b->strength == STRENGTH_EXTENSIBLE || is_coded(r, spot->value)))
        check_set(r, n, b->max_value_set, true, spot);
}

/* Another text than the code system's makes two readers see two things.  A
 * warning: displays change from version to version, and a site may have its own. */
static void
check_display(struct profiling *r, tape_node coding, uint32_t concept)
{
    tape_node at = walk_find(r->tape, coding, SPAN("display"));

    if (at == TAPE_ABSENT || walk_kind(r->tape, at) != TAPE_STRING
        || term_display_known(r->pack, concept, tape_text(r->tape, at, r->arena)))
        return;
    r->place = (uint64_t)concept << 1 | 1;
    if (profile_wrong(r, NULL, at, SEVERITY_WARNING, ISSUE_CODE_INVALID, "display"))
        profile_tell(r, arena_format(r->arena, "want the display that the code system gives to %.*s: %.*s",
                                     SPAN_PRINT(term_concept_code(r->pack, concept)), SPAN_PRINT(term_display(r->pack, concept))),
                     SPAN("have another"), PROFILE_NOTHING);
}

/* A system that is not here may be one by another name, or no code system at
 * all. */
static bool
is_odd(const struct profiling *r, struct span system)
{
    return term_is_value_set_url(r->pack, system) || !span_empty(term_system_meant(system));
}

/* Most codings are of a few systems, whose codes are not here (LOINC, SNOMED CT). */
static const struct known_system *
known_system(struct profiling *r, struct span system)
{
    for (uint32_t i = 0; i < PROFILE_SYSTEMS; i++)
        if (span_eq(r->systems[i].url, system))
            return &r->systems[i];
    struct known_system *mine    = &r->systems[r->next_system];
    enum term_content    content = term_content(r->pack, system, PROFILE_NOTHING);
    r->next_system = (r->next_system + 1) % PROFILE_SYSTEMS;
    *mine = (struct known_system){ system, content != TERM_CONTENT_UNKNOWN && content != TERM_CONTENT_NOT_PRESENT,
                                   content == TERM_CONTENT_UNKNOWN && is_odd(r, system) };
    return mine;
}

static void
refuse_odd_system(struct profiling *r, tape_node coding, struct span system)
{
    tape_node at = walk_find(r->tape, coding, SPAN("system"));

    r->place = lookup_hash(system) | 1;
    if (term_is_value_set_url(r->pack, system)) {
        if (profile_wrong(r, NULL, at, SEVERITY_ERROR, ISSUE_CODE_INVALID, "coding-value-set"))
            profile_tell(r, SPAN("want a code system in Coding.system"), SPAN("have a value set"), PROFILE_NOTHING);
    } else if (profile_wrong(r, NULL, at, SEVERITY_WARNING, ISSUE_CODE_INVALID, "coding-alias")) {
        profile_tell(r, SPAN("want the URI that FHIR gives to the code system"), SPAN("have another name of it"),
                     arena_format(r->arena, "It is %.*s", SPAN_PRINT(term_system_meant(system))));
    }
}

/* A system that is here as a whole and does not have the code: whoever reads
 * it finds nothing (R4 terminologies.html#unbound). */
void
profiling_coding(struct profiling *r, tape_node coding)
{
    tape_node   at     = walk_find(r->tape, coding, SPAN("code"));
    struct span system = walk_find_text(r->tape, coding, SPAN("system"), r->arena);
    uint32_t    concept;

    if (at == TAPE_ABSENT || span_empty(system) || walk_kind(r->tape, at) != TAPE_STRING)
        return;
    const struct known_system *known = known_system(r, system);
    if (known->odd)
        refuse_odd_system(r, coding, system);
    if (!known->here)
        return;
    struct term_answer answer = term_code_place(r->pack, system, walk_find_text(r->tape, coding, SPAN("version"), r->arena),
                                                tape_text(r->tape, at, r->arena), &concept);
    if (answer.verdict == TERM_OUT && profile_wrong(r, NULL, at, SEVERITY_ERROR, ISSUE_CODE_INVALID, "code-unknown"))
        profile_tell(r, SPAN("want a code that its code system has"), arena_format(r->arena, "have another: %s", term_why_text(answer.why)),
                     PROFILE_NOTHING);
    if (concept != TERM_NONE)
        check_display(r, coding, concept);
}

/* A warning: R4 does not bind Quantity.code, and `unit` says to a human what
 * was measured; but nobody can convert what is no unit. */
void
profiling_quantity(struct profiling *r, tape_node quantity)
{
    tape_node   at     = walk_find(r->tape, quantity, SPAN("code"));
    struct span system = walk_find_text(r->tape, quantity, SPAN("system"), r->arena);

    if (at == TAPE_ABSENT || span_empty(system) || walk_kind(r->tape, at) != TAPE_STRING)
        return;
    /* Units are few.  Those of UCUM alone are remembered: the code says which. */
    struct known_value *row = span_eq_text(system, UCUM) ? known_row(&r->good, PLACE_UNIT, at) : NULL;
    if (row != NULL && known_has(&r->good, row, PLACE_UNIT, at))
        return;
    struct term_answer answer = term_code(r->pack, system, PROFILE_NOTHING, tape_text(r->tape, at, r->arena));
    if (row != NULL && answer.verdict == TERM_IN)
        known_keep(&r->good, row, PLACE_UNIT, at);
    if (answer.verdict == TERM_OUT && profile_wrong(r, NULL, at, SEVERITY_WARNING, ISSUE_CODE_INVALID, "unit-unknown"))
        profile_tell(r, SPAN("want a unit of the system that is named"),
                     arena_format(r->arena, "have another: %s", term_why_text(answer.why)),
                     answer.why == TERM_WHY_SYNTAX ? SPAN("UCUM has mm[Hg] for mmHg, /min for beats/minute, {score} for what is only counted")
                                                   : PROFILE_NOTHING);
}
