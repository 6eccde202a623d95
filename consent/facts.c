#include "consent/facts_reader.h"

#include <string.h>

#include "consent/program.h"
#include "fhir/datatypes.h"
#include "fhir/form.h"
#include "fhir/outcome.h"

static void read_root(struct reader *, struct facts *);
static void read_at(struct reader *, tape_node root, struct facts *);
static void read_actor(struct reader *, tape_node root, struct party *);
static void read_purposes(struct reader *, tape_node root, struct facts *);
static void read_emergency(struct reader *, tape_node root, struct facts *);
static void read_switches(struct reader *, tape_node root, struct facts *);
static void read_source(struct reader *, tape_node root, struct facts *);
static void read_programs(struct reader *, tape_node root, struct facts *);
static void read_known_actors(struct reader *, tape_node root, struct facts *);
static void read_consents(struct reader *, tape_node root, struct facts *);
static void read_forms(struct reader *, tape_node root, struct facts *);
static void read_site(struct reader *, tape_node root, struct site_policy *);
static uint32_t position_of(struct reader *, tape_node object, const char *name, const char *positions);

static const struct identifier *identifiers_of(struct reader *, tape_node object, const char *where,
                                               const char *name, size_t *count);
static const struct span *members_of(struct reader *, tape_node resource, size_t *count);

enum status
reader_begin(struct reader *r, struct span json)
{
    struct tape_error refused;
    enum status       st = tape_read(json, &tape_default_limits, r->arena, &r->tape, &refused);

    if (st == ST_OK || st == ST_NO_MEMORY)
        return st;
    outcome_add_refusal(r->issues, &refused);
    return ST_MALFORMED;
}

enum status
facts_read(struct span json, struct arena *arena, struct issues *issues, const struct facts **out)
{
    struct reader r  = { .arena = arena, .issues = issues };
    enum status   st = reader_begin(&r, json);

    if (st != ST_OK)
        return st;
    struct facts *facts = arena_make(arena, struct facts);
    if (facts == NULL)
        return ST_NO_MEMORY;
    read_root(&r, facts);
    if (arena_spent(arena))
        return ST_NO_MEMORY;
    if (r.wrong)
        return ST_MALFORMED;
    *out = facts;
    return ST_OK;
}

static void
read_emission(struct reader *r, tape_node root, struct facts *facts)
{
    static const char *const modes[] = { "keep", "none", "emit" };
    int                      mode    = reader_choice(r, root, "", "emit", NAMES(modes));

    facts->emission = mode > 0 ? (enum emission_mode)mode : EMISSION_KEEP;
}

static void
read_root(struct reader *r, struct facts *facts)
{
    static const char *const names[] = {
        "at", "patient", "actor", "purpose", "action", "emergency", "legalContext", "labels",
        "trustLabels", "source", "programs", "actors", "consents", "site", "againstPatient",
        "documents", "relationships", "restrictions", "circumstances", "emergencies", "links", "names",
        "jurisdiction", "packs", "emit", "questionnaires",
    };
    tape_node root = TAPE_ROOT;

    if (tape_kind(r->tape, root) != TAPE_OBJECT) {
        reader_finding(r, SEVERITY_ERROR, root, SPAN("$this"), SPAN("want an object"), (struct span){ 0 });
        return;
    }
    reader_names(r, root, "", NAMES(names));
    read_at(r, root, facts);
    read_actor(r, root, &facts->actor);
    read_purposes(r, root, facts);
    facts->patient = reader_text(r, root, "", "patient");
    facts->action  = reader_text(r, root, "", "action");
    read_emergency(r, root, facts);
    read_switches(r, root, facts);
    read_emission(r, root, facts);
    read_source(r, root, facts);
    read_programs(r, root, facts);
    read_known_actors(r, root, facts);
    read_consents(r, root, facts);
    read_forms(r, root, facts);
    read_site(r, root, &facts->site);
    reader_on_file(r, root, facts);
    reader_states(r, root, facts);
}

const char *
holder_code(enum holder holder)
{
    static const char *const codes[HOLDER_COUNT] = {
        [HOLDER_UNKNOWN] = "",
#define HOLDER(name, code, words) [HOLDER_##name] = code,
#include "consent/holders.def"
#undef HOLDER
    };

    return holder < HOLDER_COUNT ? codes[holder] : "";
}

/* ---- the members, in the order of the header -------------------------------- */

static void
read_at(struct reader *r, tape_node root, struct facts *facts)
{
    tape_node         node = tape_member(r->tape, root, SPAN("at"));
    struct span       text = tape_text(r->tape, node, r->arena);
    struct time_range range;

    /* A zone is asked for: "15:00" somewhere is no moment. */
    bool zoned = span_ends(text, SPAN("Z")) || span_find_byte(span_skip(text, 19), '+') != SPAN_NOT_FOUND
                 || span_find_byte(span_skip(text, 19), '-') != SPAN_NOT_FOUND;
    if (tape_kind(r->tape, node) == TAPE_STRING && zoned && time_range_read(text, &range)
        && range.last_ms - range.first_ms < 1000) {
        facts->at_ms = range.first_ms;
        return;
    }
    reader_finding(r, SEVERITY_ERROR, node == TAPE_ABSENT ? root : node, SPAN("at"),
            SPAN("want an instant with a zone, such as 2026-11-22T15:00:00Z"),
            SPAN("a decision is made for a moment; the wall clock is never asked"));
}

static void
read_actor(struct reader *r, tape_node root, struct party *actor)
{
    static const char *const names[] = { "reference", "identifier", "class", "memberOf", "partOf", "onBehalfOf", "role",
                                         "legalEntity", "registeredPurpose" };
    tape_node node = reader_member(r, root, "", "actor", TAPE_OBJECT);

    if (node == TAPE_ABSENT) {
        if (tape_member(r->tape, root, SPAN("actor")) == TAPE_ABSENT)
            reader_finding(r, SEVERITY_ERROR, root, SPAN("actor"), SPAN("want an object: who would receive the data"),
                    SPAN("name the recipient by reference or identifier"));
        return;
    }
    reader_names(r, node, "actor", NAMES(names));
    actor->reference    = reader_text(r, node, "actor", "reference");
    actor->identifiers  = identifiers_of(r, node, "actor", "identifier", &actor->identifier_count);
    actor->classes      = reader_texts(r, node, "actor", "class", false, &actor->class_count);
    actor->member_of    = reader_texts(r, node, "actor", "memberOf", false, &actor->member_of_count);
    actor->part_of      = reader_texts(r, node, "actor", "partOf", false, &actor->part_of_count);
    actor->on_behalf_of = reader_text(r, node, "actor", "onBehalfOf");
    actor->roles        = reader_texts(r, node, "actor", "role", false, &actor->role_count);
    actor->legal_entity = reader_text(r, node, "actor", "legalEntity");
    actor->registered   = reader_texts(r, node, "actor", "registeredPurpose", false, &actor->registered_count);
    actor->bound        = tape_member(r->tape, node, SPAN("registeredPurpose")) != TAPE_ABSENT;
}

static void
read_purposes(struct reader *r, tape_node root, struct facts *facts)
{
    if (tape_member(r->tape, root, SPAN("purpose")) == TAPE_ABSENT)
        reader_finding(r, SEVERITY_ERROR, root, SPAN("purpose"),
                SPAN("want a list of v3-ActReason codes, such as [\"TREAT\"]"),
                SPAN("write [] when no purpose was stated"));
    facts->purposes = reader_texts(r, root, "", "purpose", false, &facts->purpose_count);
}

static void
read_emergency(struct reader *r, tape_node root, struct facts *facts)
{
    static const char *const names[] = { "declaredBy", "nature", "affiliation", "discloser", "whyUnobtainable",
                                         "patientRefused" };
    tape_node node = reader_member(r, root, "", "emergency", TAPE_OBJECT);

    if (node == TAPE_ABSENT)
        return;
    reader_names(r, node, "emergency", NAMES(names));
    facts->emergency             = true;
    facts->emergency_declared_by = reader_text(r, node, "emergency", "declaredBy");
    facts->emergency_nature      = reader_text(r, node, "emergency", "nature");
    facts->emergency_affiliation = reader_text(r, node, "emergency", "affiliation");
    facts->emergency_discloser   = reader_text(r, node, "emergency", "discloser");
    facts->emergency_why         = reader_text(r, node, "emergency", "whyUnobtainable");
    facts->emergency_refused     = reader_flag(r, node, "emergency", "patientRefused");
}

static void
read_switches(struct reader *r, tape_node root, struct facts *facts)
{
    static const char *const contexts[] = { "none", "investigation", "proceeding" };
    static const char *const modes[]    = { "computed", "given" };
    int context = reader_choice(r, root, "", "legalContext", NAMES(contexts));
    int mode    = reader_choice(r, root, "", "labels", NAMES(modes));

    facts->legal  = context <= 0 ? LEGAL_NONE : context == 1 ? LEGAL_INVESTIGATION : LEGAL_PROCEEDING;
    facts->labels = mode == 1 ? LABELS_GIVEN : LABELS_COMPUTED;
    facts->trust_labels = reader_flag(r, root, "", "trustLabels") || facts->labels == LABELS_GIVEN;
}

static void
read_source(struct reader *r, tape_node root, struct facts *facts)
{
    static const char *const names[]    = { "part2", "organization", "holder" };
    static const char *const statuses[] = { "unknown", "not-program", "program" };
    static const char *const holders[]  = {
#define HOLDER(name, code, words) code,
#include "consent/holders.def"
#undef HOLDER
    };
    tape_node node = reader_member(r, root, "", "source", TAPE_OBJECT);

    if (node == TAPE_ABSENT)
        return;
    reader_names(r, node, "source", NAMES(names));
    int status = reader_choice(r, node, "source", "part2", NAMES(statuses));
    facts->sender = status == 1 ? SENDER_NOT_PROGRAM : status == 2 ? SENDER_PROGRAM : SENDER_UNKNOWN;
    facts->sender_organization = reader_text(r, node, "source", "organization");
    int holder    = reader_choice(r, node, "source", "holder", NAMES(holders));
    facts->holder = holder >= 0 ? (enum holder)(holder + 1) : HOLDER_UNKNOWN;
}

/* 0: not stated. */
static int64_t
day_of(struct reader *r, tape_node object, const char *name, bool (*day)(struct span, int64_t *))
{
    struct span text = reader_text(r, object, "programs", name);
    int64_t     ms   = 0;

    if (!span_empty(text) && !day(text, &ms))
        reader_finding(r, SEVERITY_ERROR, object, reader_expression(r, "programs", name), SPAN("want a date or an instant"),
                       (struct span){ 0 });
    return ms;
}

static void
read_programs(struct reader *r, tape_node root, struct facts *facts)
{
    static const char *const names[] = { "reference", "identifier", "source", "name", "phone", "address", "id", "continues",
                                         "from", "until", "unit" };
    tape_node       list  = reader_member(r, root, "", "programs", TAPE_ARRAY);
    uint32_t        count = tape_children(r->tape, list);
    struct program *all   = arena_make_n(r->arena, count, struct program);

    if (all == NULL)
        return;
    for (tape_node n = tape_first(r->tape, list); n != TAPE_ABSENT; n = tape_next(r->tape, n)) {
        if (tape_kind(r->tape, n) != TAPE_OBJECT) {
            reader_finding(r, SEVERITY_ERROR, n, SPAN("programs"), SPAN("want objects in this list"), (struct span){ 0 });
            continue;
        }
        struct program *p = &all[facts->program_count++];
        reader_names(r, n, "programs", NAMES(names));
        p->references  = reader_texts(r, n, "programs", "reference", true, &p->reference_count);
        p->identifiers = identifiers_of(r, n, "programs", "identifier", &p->identifier_count);
        p->sources     = reader_texts(r, n, "programs", "source", true, &p->source_count);
        p->names       = reader_texts(r, n, "programs", "name", true, &p->name_count);
        p->phones      = reader_texts(r, n, "programs", "phone", true, &p->phone_count);
        p->addresses   = reader_texts(r, n, "programs", "address", true, &p->address_count);
        p->id          = reader_text(r, n, "programs", "id");
        p->continues   = reader_text(r, n, "programs", "continues");
        p->from_ms     = day_of(r, n, "from", program_begin_read);
        p->until_ms    = day_of(r, n, "until", program_end_read);
        p->unit        = reader_flag(r, n, "programs", "unit");
    }
    facts->programs = all;
}

static void
read_known_actors(struct reader *r, tape_node root, struct facts *facts)
{
    tape_node           list  = reader_member(r, root, "", "actors", TAPE_OBJECT);
    uint32_t            count = tape_children(r->tape, list);
    struct known_actor *all   = arena_make_n(r->arena, count, struct known_actor);

    if (all == NULL)
        return;
    for (tape_node n = tape_first(r->tape, list); n != TAPE_ABSENT; n = tape_next(r->tape, n)) {
        struct span reference = tape_text(r->tape, tape_name(r->tape, n), r->arena);
        if (tape_kind(r->tape, n) != TAPE_OBJECT) {
            reader_finding(r, SEVERITY_ERROR, n, SPAN("actors"), SPAN("want a resource for each reference"),
                    SPAN("leave out references that do not resolve"));
            continue;
        }
        struct known_actor *a = &all[facts->known_actor_count++];
        a->reference   = reference;
        a->identifiers = identifiers_of(r, n, "actors", "identifier", &a->identifier_count);
        a->members     = members_of(r, n, &a->member_count);
        a->part_of     = tape_member_text(r->tape, tape_member(r->tape, n, SPAN("partOf")), SPAN("reference"), r->arena);
    }
    facts->known_actors = all;
}

static void
read_consents(struct reader *r, tape_node root, struct facts *facts)
{
    tape_node              list  = reader_member(r, root, "", "consents", TAPE_ARRAY);
    uint32_t               count = tape_children(r->tape, list);
    struct consent_source *all   = arena_make_n(r->arena, count, struct consent_source);

    if (all == NULL)
        return;
    for (tape_node n = tape_first(r->tape, list); n != TAPE_ABSENT; n = tape_next(r->tape, n)) {
        if (!tape_text_eq(r->tape, tape_member(r->tape, n, SPAN("resourceType")), SPAN("Consent"))) {
            reader_finding(r, SEVERITY_ERROR, n, SPAN("consents"), SPAN("want Consent resources in this list"),
                    (struct span){ 0 });
            continue;
        }
        all[facts->consent_count++] = (struct consent_source){ .tape = r->tape, .node = n };
    }
    facts->consents = all;
}

static void
read_forms(struct reader *r, tape_node root, struct facts *facts)
{
    tape_node          list  = reader_member(r, root, "", "questionnaires", TAPE_ARRAY);
    uint32_t           count = tape_children(r->tape, list);
    struct known_form *all   = arena_make_n(r->arena, count, struct known_form);
    const tape_node   *parents;

    if (count == 0 || all == NULL || (parents = tape_parents(r->tape, r->arena)) == NULL)
        return;
    for (tape_node n = tape_first(r->tape, list); n != TAPE_ABSENT; n = tape_next(r->tape, n)) {
        bool               is_form = tape_text_eq(r->tape, tape_member(r->tape, n, SPAN("resourceType")), SPAN("Questionnaire"));
        const struct form *form    = is_form ? form_read(r->tape, parents, n, r->arena) : NULL;
        struct span        id      = tape_member_text(r->tape, n, SPAN("id"), r->arena);
        if (form == NULL) {
            reader_finding(r, SEVERITY_ERROR, n, SPAN("questionnaires"),
                           SPAN("want Questionnaire resources of at most 65536 items in this list"), (struct span){ 0 });
            continue;
        }
        all[facts->form_count++] = (struct known_form){
            form, span_empty(id) ? id : arena_join(r->arena, SPAN("Questionnaire/"), id) };
    }
    facts->forms = all;
}

static void
read_site(struct reader *r, tape_node root, struct site_policy *site)
{
    static const char *const names[] = {
#define SWITCH(number, field, fact, option, citation, question, words) fact,
#define CHOICE(number, field, fact, option, positions, citation, question, words) fact,
#include "consent/switches.def"
#undef SWITCH
#undef CHOICE
    };
    tape_node node = reader_member(r, root, "", "site", TAPE_OBJECT);

    if (node == TAPE_ABSENT)
        return;
    reader_names(r, node, "site", NAMES(names));
#define SWITCH(number, field, fact, option, citation, question, words) site->field = reader_flag(r, node, "site", fact);
#define CHOICE(number, field, fact, option, positions, citation, question, words) \
    site->field = position_of(r, node, fact, positions);
#include "consent/switches.def"
#undef SWITCH
#undef CHOICE
}

/* Which of "a|b|c"; the first when it is not there. */
static uint32_t
position_of(struct reader *r, tape_node object, const char *name, const char *positions)
{
    tape_node   node = reader_member(r, object, "site", name, TAPE_STRING);
    struct span rest = span_of(positions);

    if (node == TAPE_ABSENT)
        return 0;
    for (uint32_t i = 0; rest.at != NULL; i++)
        if (tape_text_eq(r->tape, node, span_split(&rest, '|')))
            return i;
    reader_finding(r, SEVERITY_ERROR, node, reader_expression(r, "site", name), arena_format(r->arena, "want one of %s", positions),
                   (struct span){ 0 });
    return 0;
}

/* ---- members by type ------------------------------------------------------------ */

/* F1, F2 */
void
reader_names(struct reader *r, tape_node object, const char *where, const char *const *names, size_t count)
{
    for (tape_node n = tape_first(r->tape, object); n != TAPE_ABSENT; n = tape_next(r->tape, n)) {
        struct span name  = tape_text(r->tape, tape_name(r->tape, n), r->arena);
        const char *meant = NULL;
        bool        known = false;

        for (size_t i = 0; i < count && !known; i++) {
            known = span_eq_text(name, names[i]);
            if (meant == NULL && reader_nearly(name, names[i]))
                meant = names[i];
        }
        if (known)
            continue;
        struct span at = reader_expression(r, where, arena_text(r->arena, name));
        if (meant != NULL)
            reader_finding(r, SEVERITY_ERROR, n, at, SPAN("there is no fact of this name"),
                    arena_format(r->arena, "did you mean \"%s\"?", meant));
        else
            reader_finding(r, SEVERITY_WARNING, n, at, SPAN("there is no fact of this name; it is not read"),
                    (struct span){ 0 });
    }
}

bool
reader_nearly(struct span name, const char *known)
{
    enum { LONGEST = 32 };
    size_t row[LONGEST + 1];
    size_t length = strlen(known);

    if (name.length > LONGEST || length > LONGEST)
        return false;
    if (span_eq_nocase(name, span_of(known)))
        return true;
    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 1; i <= name.length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= length; j++) {
            size_t changed = diagonal + (name.at[i - 1] != known[j - 1]);
            diagonal = row[j];
            size_t shifted = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = changed < shifted ? changed : shifted;
        }
    }
    /* Short names are all near to each other. */
    return row[length] <= (length > 4 ? 2u : 1u);
}

/* The member when it is there and of that kind; null is not there. */
tape_node
reader_member(struct reader *r, tape_node object, const char *where, const char *name, enum tape_kind wanted)
{
    tape_node      node = tape_member(r->tape, object, span_of(name));
    enum tape_kind kind = tape_kind(r->tape, node);

    if (kind == TAPE_NOTHING || kind == TAPE_NULL)
        return TAPE_ABSENT;
    if (kind == wanted)
        return node;
    reader_finding(r, SEVERITY_ERROR, node, reader_expression(r, where, name),
            arena_format(r->arena, "want %s %s", wanted == TAPE_ARRAY || wanted == TAPE_OBJECT ? "an" : "a",
                         tape_kind_name(wanted)), (struct span){ 0 });
    return TAPE_ABSENT;
}

struct span
reader_text(struct reader *r, tape_node object, const char *where, const char *name)
{
    return tape_text(r->tape, reader_member(r, object, where, name, TAPE_STRING), r->arena);
}

bool
reader_flag(struct reader *r, tape_node object, const char *where, const char *name)
{
    tape_node node = tape_member(r->tape, object, span_of(name));

    if (tape_kind(r->tape, node) == TAPE_FALSE)
        return false;
    return reader_member(r, object, where, name, TAPE_TRUE) != TAPE_ABSENT;
}

/* Which of the choices; -1 when the member is not there. */
int
reader_choice(struct reader *r, tape_node object, const char *where, const char *name,
          const char *const *choices, size_t count)
{
    tape_node   node = reader_member(r, object, where, name, TAPE_STRING);
    struct span list = { 0 };

    if (node == TAPE_ABSENT)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (tape_text_eq(r->tape, node, span_of(choices[i])))
            return (int)i;
    for (size_t i = 0; i < count; i++)
        list = arena_format(r->arena, "%.*s%s\"%s\"", SPAN_PRINT(list), i > 0 ? ", " : "want one of ", choices[i]);
    reader_finding(r, SEVERITY_ERROR, node, reader_expression(r, where, name), list, (struct span){ 0 });
    return -1;
}

const struct span *
reader_texts(struct reader *r, tape_node object, const char *where, const char *name, bool one_is_fine,
         size_t *count)
{
    tape_node node = tape_member(r->tape, object, span_of(name));

    *count = 0;
    if (one_is_fine && tape_kind(r->tape, node) == TAPE_STRING) {
        struct span *one = arena_make(r->arena, struct span);
        if (one != NULL) {
            *one   = tape_text(r->tape, node, r->arena);
            *count = 1;
        }
        return one;
    }
    tape_node    list = reader_member(r, object, where, name, TAPE_ARRAY);
    struct span *all  = arena_make_n(r->arena, tape_children(r->tape, list), struct span);
    for (tape_node n = tape_first(r->tape, list); n != TAPE_ABSENT && all != NULL; n = tape_next(r->tape, n)) {
        if (tape_kind(r->tape, n) == TAPE_STRING)
            all[(*count)++] = tape_text(r->tape, n, r->arena);
        else
            reader_finding(r, SEVERITY_ERROR, n, reader_expression(r, where, name), SPAN("want strings in this list"),
                    (struct span){ 0 });
    }
    return all;
}

/* A list of Identifiers, or one alone as in Reference.identifier. */
static const struct identifier *
identifiers_of(struct reader *r, tape_node object, const char *where, const char *name, size_t *count)
{
    tape_node node = tape_member(r->tape, object, span_of(name));
    bool      one  = tape_kind(r->tape, node) == TAPE_OBJECT;
    tape_node list = one ? TAPE_ABSENT : reader_member(r, object, where, name, TAPE_ARRAY);
    struct identifier *all = arena_make_n(r->arena, one ? 1 : tape_children(r->tape, list), struct identifier);

    *count = 0;
    for (tape_node n = one ? node : tape_first(r->tape, list); n != TAPE_ABSENT && all != NULL;
         n = one ? TAPE_ABSENT : tape_next(r->tape, n)) {
        struct identifier found = {
            .system = tape_member_text(r->tape, n, SPAN("system"), r->arena),
            .value  = tape_member_text(r->tape, n, SPAN("value"), r->arena),
        };
        if (!span_empty(found.value))
            all[(*count)++] = found;
        else if (strcmp(where, "actors") != 0)       /* resources may hold identifiers without one */
            reader_finding(r, SEVERITY_ERROR, n, reader_expression(r, where, name),
                    SPAN("want identifiers with a system and a value"), (struct span){ 0 });
    }
    return all;
}

/* Group.member.entity, CareTeam.participant.member */
static const struct span *
members_of(struct reader *r, tape_node resource, size_t *count)
{
    bool      group = tape_text_eq(r->tape, tape_member(r->tape, resource, SPAN("resourceType")), SPAN("Group"));
    tape_node list  = tape_member(r->tape, resource, group ? SPAN("member") : SPAN("participant"));
    struct span *all = arena_make_n(r->arena, tape_children(r->tape, list), struct span);

    *count = 0;
    for (tape_node n = tape_first(r->tape, list); n != TAPE_ABSENT && all != NULL; n = tape_next(r->tape, n)) {
        tape_node   who  = tape_member(r->tape, n, group ? SPAN("entity") : SPAN("member"));
        struct span text = tape_member_text(r->tape, who, SPAN("reference"), r->arena);
        bool        out  = tape_kind(r->tape, tape_member(r->tape, n, SPAN("inactive"))) == TAPE_TRUE;
        if (!span_empty(text) && !out)
            all[(*count)++] = text;
    }
    return all;
}

/* ---- findings -------------------------------------------------------------------- */

void
reader_finding(struct reader *r, enum severity severity, tape_node node, struct span expression, struct span wanted,
        struct span hint)
{
    struct issue issue = {
        .severity = severity, .code = ISSUE_INVALID, .rule = r->rule != NULL ? r->rule : "request-file", .expression = expression,
        .wanted = wanted, .hint = hint, .times = 1,
    };
    if (severity == SEVERITY_ERROR)
        r->wrong = true;
    issue.found = arena_format(r->arena, "have %s", node == TAPE_ROOT && !span_eq_text(expression, "$this")
                                                        ? "nothing"
                                                        : tape_kind_name(tape_kind(r->tape, node)));
    tape_line_column(tape_body(r->tape), tape_offset(r->tape, node), &issue.line, &issue.column);
    issues_add(r->issues, &issue);
}

struct span
reader_expression(struct reader *r, const char *where, const char *name)
{
    return arena_format(r->arena, "%s%s%s", where, where[0] != '\0' ? "." : "", name != NULL ? name : "");
}
