#include "consent/labeling_work.h"

#include <string.h>

#include "consent/server_address.h"
#include "consent/contact.h"
#include "fhir/lookup.h"

struct server { struct address address; uint32_t program; };

/* Programs that are looked for: the registered ones, and those that a consent
 * names which says itself that it is a Part 2 consent. */
struct registry {
    const struct program **programs;
    uint32_t               count;
    uint32_t               registered;   /* of them from the facts                            */
    const struct lookup   *names;        /* "Type/id" and absolute references -> program      */
    const struct lookup   *values;       /* identifier values -> index in identifiers         */
    const struct identifier **identifiers;
    const uint32_t        *identifier_of;/* -> program                                        */
    struct server         *servers;      /* base URLs, in the order of the programs           */
    size_t                 server_count;
    struct span           *elsewhere;    /* "https://ehr.example.org/", which is no program's: most URLs begin so */
    bool                   has_contacts;
    bool                   timed;        /* some row says when it was one (consent/program.h) */
    uint32_t              *family;       /* of a row: the first row of the same program (T5)  */
    bool                  *outside;      /* of a family: records from another time */
};

static void        add_consents(struct work *, struct registry *, uint32_t room);
static bool        index_programs(struct work *, struct registry *);
static bool        index_servers(struct work *, struct registry *);
static const struct program *by_name(const struct work *, struct span type_and_id);
static const struct program *by_identifier(const struct work *, struct span system, struct span value);
static const struct program *by_url(const struct work *, struct span url);
static void        add_members(struct work *, struct unit *);
static bool        add_owner(const struct work *, struct owners *, const struct program *);

static bool        index_times(struct work *, struct registry *);
static const struct program *row_for(const struct work *, uint32_t entry, const struct program *, bool held);
static uint32_t    family_of(const struct work *, const struct program *);

static void mark_directory(struct work *);
static void look_at_times(struct work *);
static bool from_another_time(const struct work *, const struct program *);
static void follow_membership(struct work *);
static void mark_practitioners(struct work *);
static void confirm_units(struct work *);
static void confirm_references(struct work *);
static void confirm_targets(struct work *, tape_node provenance, const struct program *);

/* ---- the registry ------------------------------------------------------------- */

enum status
source_registry(struct work *w)
{
    const struct facts *f    = w->facts;
    struct registry    *r    = arena_make(w->arena, struct registry);
    uint32_t            room = (uint32_t)f->program_count;

    if (r == NULL || (r->elsewhere = arena_make(w->arena, struct span)) == NULL)
        return ST_NO_MEMORY;
    /* The operator's word: of what a known non-program sends only what leads to a
     * registered program is Part 2 (part2.md D.1). */
    if (f->sender != SENDER_NOT_PROGRAM)
        room += (uint32_t)f->consent_count + w->bundle->count;
    r->programs = arena_make_n(w->arena, (size_t)room + 1, const struct program *);
    if (r->programs == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < f->program_count; i++)
        r->programs[r->count++] = &f->programs[i];
    r->registered = r->count;
    w->registry   = r;
    if (!index_programs(w, r) || !index_times(w, r))
        return ST_NO_MEMORY;
    if (f->sender != SENDER_NOT_PROGRAM) {
        add_consents(w, r, room);
        if (r->count > r->registered && !index_programs(w, r))
            return ST_NO_MEMORY;
    }
    return arena_status(w->arena);
}

/* "04-1234567" is 041234567, "ab 123 456" is AB123456: numbers are written in groups. */
static struct span
plain_number(const struct work *w, struct span value)
{
    char   text[40];
    size_t n = 0;
    bool   same = true;

    if (value.length < 6 || value.length > sizeof text)
        return value;
    for (size_t i = 0; i < value.length; i++) {
        char c = value.at[i];
        bool gap = c == ' ' || c == '-' || c == '.';
        same = same && !gap && !(c >= 'a' && c <= 'z');
        if (!gap)
            text[n++] = (char)(c >= 'a' && c <= 'z' ? c - 0x20 : c);
    }
    return same ? value : arena_copy(w->arena, span_from(text, n));
}

static bool
index_programs(struct work *w, struct registry *r)
{
    size_t references = 0, identifiers = 0;

    for (uint32_t p = 0; p < r->count; p++) {
        references  += r->programs[p]->reference_count;
        identifiers += r->programs[p]->identifier_count;
    }
    struct lookup_item       *names  = arena_make_n(w->arena, references + 1, struct lookup_item);
    struct lookup_item       *values = arena_make_n(w->arena, identifiers + 1, struct lookup_item);
    uint32_t                 *of     = arena_make_n(w->arena, identifiers + 1, uint32_t);
    const struct identifier **ids    = arena_make_n(w->arena, identifiers + 1, const struct identifier *);
    uint32_t n = 0, v = 0;
    if (names == NULL || values == NULL || of == NULL || ids == NULL)
        return false;
    r->has_contacts = false;
    for (uint32_t p = 0; p < r->count; p++) {
        const struct program *program = r->programs[p];
        r->has_contacts |= program->phone_count + program->address_count > 0;
        for (size_t i = 0; i < program->reference_count; i++)
            names[n++] = (struct lookup_item){ .key = program->references[i], .value = p };
        for (size_t i = 0; i < program->identifier_count; i++) {
            ids[v]    = &program->identifiers[i];
            of[v]     = p;
            values[v] = (struct lookup_item){ .key = plain_number(w, program->identifiers[i].value), .value = v };
            v++;
        }
    }
    r->names         = lookup_build(names, n, w->arena);
    r->values        = lookup_build(values, v, w->arena);
    r->identifiers   = ids;
    r->identifier_of = of;
    return r->names != NULL && r->values != NULL && index_servers(w, r);
}

static bool
contains_nocase(struct span text, const char *needle)
{
    size_t n = strlen(needle);

    for (size_t i = 0; i + n <= text.length; i++)
        if ((text.at[i] | 0x20) == (needle[0] | 0x20) && span_eq_nocase(span_from(text.at + i, n), span_from(needle, n)))
            return true;
    return false;
}

/* "http://example.org/policies/part2-consent", "42 CFR Part 2". */
static bool
names_part2(struct span text)
{
    static const char *const words[] = { "part2", "part-2", "part 2", "42cfr2", "42-cfr-2", "cfr2" };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (contains_nocase(text, words[i]))
            return true;
    return false;
}

static bool
concept_names_part2(const struct tape *t, tape_node concept, struct arena *a)
{
    if (tape_kind(t, concept) == TAPE_ARRAY) {
        for (tape_node n = tape_first(t, concept); n != TAPE_ABSENT; n = tape_next(t, n))
            if (concept_names_part2(t, n, a))
                return true;
        return false;
    }
    tape_node codings = tape_member(t, concept, SPAN("coding"));
    for (tape_node n = tape_first(t, codings); n != TAPE_ABSENT; n = tape_next(t, n))
        if (span_starts(tape_member_text(t, n, SPAN("code"), a), SPAN("42CFRPart2")))
            return true;
    return names_part2(tape_member_text(t, concept, SPAN("text"), a));
}

/* Only a consent that says so speaks for a program: an ordinary privacy
 * consent names the clinic that keeps it. */
static bool
is_part2_consent(const struct tape *t, tape_node consent, struct arena *a)
{
    tape_node policies = tape_member(t, consent, SPAN("policy"));

    for (tape_node n = tape_first(t, policies); n != TAPE_ABSENT; n = tape_next(t, n))
        if (names_part2(tape_member_text(t, n, SPAN("uri"), a)) || names_part2(tape_member_text(t, n, SPAN("authority"), a)))
            return true;
    return concept_names_part2(t, tape_member(t, consent, SPAN("policyRule")), a)
        || concept_names_part2(t, tape_member(t, consent, SPAN("category")), a);
}

/* A program as far as a Reference tells of it. */
static void
add_program(struct work *w, struct registry *r, uint32_t room, const struct tape *t, tape_node reference)
{
    struct program    *p          = arena_make(w->arena, struct program);
    struct span       *text       = arena_make(w->arena, struct span);
    struct identifier *identifier = arena_make(w->arena, struct identifier);
    tape_node          id         = tape_member(t, reference, SPAN("identifier"));

    if (p == NULL || text == NULL || identifier == NULL || r->count == room)
        return;
    *text       = tape_member_text(t, reference, SPAN("reference"), w->arena);
    *identifier = (struct identifier){ tape_member_text(t, id, SPAN("system"), w->arena),
                                       tape_member_text(t, id, SPAN("value"), w->arena) };
    p->references       = text;
    p->reference_count  = !span_empty(*text) && text->at[0] != '#';
    p->identifiers      = identifier;
    p->identifier_count = !span_empty(identifier->value);
    if (p->reference_count + p->identifier_count == 0 || (p->reference_count > 0 && by_name(w, *text) != NULL)
        || (p->identifier_count > 0 && by_identifier(w, identifier->system, identifier->value) != NULL))
        return;                          /* nothing, or known already */
    r->programs[r->count++] = p;
}

static bool
is_custodian(const struct tape *t, tape_node actor, struct arena *a)
{
    tape_node codings = tape_member(t, tape_member(t, actor, SPAN("role")), SPAN("coding"));

    for (tape_node n = tape_first(t, codings); n != TAPE_ABSENT; n = tape_next(t, n))
        if (span_eq_text(tape_member_text(t, n, SPAN("code"), a), "CST"))
            return true;
    return false;
}

static void
add_consent(struct work *w, struct registry *r, uint32_t room, const struct tape *t, tape_node consent)
{
    tape_node organizations = tape_member(t, consent, SPAN("organization"));
    tape_node actors = tape_member(t, tape_member(t, consent, SPAN("provision")), SPAN("actor"));

    if (!is_part2_consent(t, consent, w->arena))
        return;
    for (tape_node n = tape_first(t, organizations); n != TAPE_ABSENT; n = tape_next(t, n))
        add_program(w, r, room, t, n);
    for (tape_node n = tape_first(t, actors); n != TAPE_ABSENT; n = tape_next(t, n))
        if (is_custodian(t, n, w->arena))
            add_program(w, r, room, t, tape_member(t, n, SPAN("reference")));
}

static void
add_consents(struct work *w, struct registry *r, uint32_t room)
{
    for (size_t i = 0; i < w->facts->consent_count; i++)
        add_consent(w, r, room, w->facts->consents[i].tape, w->facts->consents[i].node);
    for (uint32_t i = 0; i < w->unit_count; i++)
        if (w->units[i].kind == UNIT_CONSENT)
            add_consent(w, r, room, w->tape, w->units[i].node);
}

/* ---- when it was a program (consent/program.h) --------------------------------------- */

static uint32_t
first_of_family(const struct registry *r, uint32_t row)
{
    while (r->family[row] != row)
        row = r->family[row];
    return row;
}

static void
join(struct registry *r, uint32_t a, uint32_t b)
{
    uint32_t one = first_of_family(r, a), other = first_of_family(r, b);

    r->family[one > other ? one : other] = one > other ? other : one;
}

/* T5: by reference, by identifier, and by what a row continues. */
static bool
index_families(struct work *w, struct registry *r)
{
    struct lookup_item *items = arena_make_n(w->arena, (size_t)r->count + 1, struct lookup_item);

    for (uint32_t p = 0; items != NULL && p < r->count; p++)
        items[p] = (struct lookup_item){ .key = r->programs[p]->id, .value = p };
    const struct lookup *ids = items != NULL ? lookup_build(items, r->count, w->arena) : NULL;
    if (ids == NULL)
        return false;
    for (uint32_t p = 0; p < r->count; p++) {
        const struct program *row = r->programs[p];
        uint32_t at = span_empty(row->continues) ? LOOKUP_NONE : lookup_find(ids, row->continues);
        if (at != LOOKUP_NONE)
            join(r, p, lookup_value(ids, at));
        for (size_t i = 0; i < row->reference_count; i++)
            join(r, p, lookup_value(r->names, lookup_find(r->names, row->references[i])));
        for (size_t i = 0; i < row->identifier_count; i++) {
            const struct program *first = by_identifier(w, row->identifiers[i].system, row->identifiers[i].value);
            join(r, p, first != NULL ? (uint32_t)(first - w->facts->programs) : p);
        }
    }
    for (uint32_t p = 0; p < r->count; p++)
        r->family[p] = first_of_family(r, p);
    return true;
}

/* T2: a record that states no time has that of its Encounter. */
static void
index_made(struct work *w)
{
    tape_node object;

    for (uint32_t i = 0; i < w->bundle->count; i++)
        if (w->bundle->entries[i].resource != TAPE_ABSENT)
            w->entries[i].made = program_made(w->tape, w->bundle->entries[i].resource, w->arena);
    for (uint32_t i = 0; i < w->references->count; i++) {
        const struct reference *r = &w->references->all[i];
        if (r->from == ENTRY_NONE || r->to == ENTRY_NONE || w->entries[r->from].made.known || !(w->roles[i] & ROLE_UP))
            continue;
        struct unit *to   = work_target(w, r);
        struct span  name = work_element(w, r->node, &object);
        if (to != NULL && to->kind == UNIT_ENCOUNTER && w->entries[r->to].made.known
            && (span_eq_text(name, "encounter") || span_eq_text(name, "context")))
            w->entries[r->from].made = w->entries[r->to].made;
    }
}

static bool
index_times(struct work *w, struct registry *r)
{
    r->timed = programs_have_times(w->facts);
    if (!r->timed)
        return true;
    r->family  = arena_make_n(w->arena, r->count, uint32_t);
    r->outside = arena_make_n(w->arena, r->count, bool);
    if (r->family == NULL || r->outside == NULL)
        return false;
    for (uint32_t p = 0; p < r->count; p++)
        r->family[p] = p;
    index_made(w);
    return index_families(w, r);
}

/* ENTRY_NONE: of no registered program, as one that only a consent names. */
static uint32_t
family_of(const struct work *w, const struct program *p)
{
    const struct facts *f = w->facts;

    if (!w->registry->timed || p == NULL || p < f->programs || p >= f->programs + f->program_count)
        return ENTRY_NONE;
    return w->registry->family[p - f->programs];
}

/* T3, T5: the row of this program that counts for the record; NULL: it was none then. */
static const struct program *
row_for(const struct work *w, uint32_t entry, const struct program *p, bool held)
{
    const struct registry *r      = w->registry;
    uint32_t               family = family_of(w, p);

    if (family == ENTRY_NONE || program_counts(p, &w->entries[entry].made, held))
        return p;
    for (uint32_t q = 0; q < r->registered; q++)
        if (r->family[q] == family && program_counts(r->programs[q], &w->entries[entry].made, held))
            return r->programs[q];
    return NULL;
}

/* ---- recognising a program ------------------------------------------------------- */

static const struct program *
by_name(const struct work *w, struct span name)
{
    uint32_t at = lookup_find(w->registry->names, name);

    return at == LOOKUP_NONE ? NULL : w->registry->programs[lookup_value(w->registry->names, at)];
}

/* A National Provider Identifier is the same number in every system; of the
 * others the system has to agree, unless one of the two does not say it. */
static bool
same_system(const struct identifier *program, struct span system, struct span value)
{
    enum code_system mine = code_system_of(program->system);

    if (span_empty(program->system) || span_empty(system) || span_eq(program->system, system))
        return true;
    if (mine == CODE_SYSTEM_NPI && (code_system_of(system) == CODE_SYSTEM_NPI || value.length == 10))
        return true;
    return mine != CODE_SYSTEM_UNKNOWN && mine == code_system_of(system);
}

static const struct program *
by_identifier(const struct work *w, struct span system, struct span value)
{
    const struct registry *r = w->registry;

    if (span_empty(value))
        return NULL;
    value = plain_number(w, value);
    for (uint32_t at = lookup_find(r->values, value); at != LOOKUP_NONE; at = lookup_next(r->values, at)) {
        uint32_t i = lookup_value(r->values, at);
        if (same_system(r->identifiers[i], system, value))
            return r->programs[r->identifier_of[i]];
    }
    return NULL;
}

static bool
index_servers(struct work *w, struct registry *r)
{
    size_t count = 0;

    for (uint32_t p = 0; p < r->count; p++)
        count += r->programs[p]->source_count;
    r->server_count = 0;
    *r->elsewhere   = (struct span){ NULL, 0 };
    r->servers      = arena_make_n(w->arena, count + 1, struct server);
    for (uint32_t p = 0; p < r->count && r->servers != NULL; p++)
        for (size_t i = 0; i < r->programs[p]->source_count; i++)
            r->servers[r->server_count++] = (struct server){ address_of(r->programs[p]->sources[i]), p };
    return r->servers != NULL;
}

static const struct program *
by_url(const struct work *w, struct span url)
{
    const struct registry *r = w->registry;

    if (r->server_count == 0 || url.length < 8 || (!span_empty(*r->elsewhere) && span_starts(url, *r->elsewhere)))
        return NULL;
    struct address mine  = address_of(url);
    bool           known = false;
    for (size_t i = 0; i < r->server_count; i++) {
        if (address_is_under(&mine, &r->servers[i].address))
            return r->programs[r->servers[i].program];
        known = known || address_same_host(&mine, &r->servers[i].address);
    }
    struct span origin = span_first(url, span_starts(mine.path, SPAN("/")) ? (size_t)(mine.path.at - url.at) + 1 : 0);
    if (!known && span_find(origin, SPAN("://")) != SPAN_NOT_FOUND)
        *r->elsewhere = origin;
    return NULL;
}

bool
source_has_servers(const struct work *w)
{
    return w->registry->server_count > 0;
}

const struct program *
source_of_url(const struct work *w, uint32_t entry, struct span url)
{
    return row_for(w, entry, by_url(w, url), true);
}

static const struct program *
by_text(const struct work *w, uint32_t from, struct span text)
{
    struct span base, type, id, own, unused;
    char        buffer[512];

    if (!reference_split(text, &base, &type, &id))
        return by_url(w, text);
    struct span           name = span_from(type.at, (size_t)(id.at + id.length - type.at));
    const struct program *p    = by_name(w, name);
    if (p == NULL && !span_empty(base))
        p = by_name(w, span_from(text.at, (size_t)(id.at + id.length - text.at)));
    if (p != NULL || !span_empty(base))
        return p != NULL ? p : by_url(w, text);
    /* A program that is registered with its URL, named from its own server. */
    if (from == ENTRY_NONE || !reference_split(w->bundle->entries[from].full_url, &own, &type, &unused)
        || span_empty(own) || own.length + 1 + name.length > sizeof buffer)
        return NULL;
    memcpy(buffer, own.at, own.length);
    buffer[own.length] = '/';
    memcpy(buffer + own.length + 1, name.at, name.length);
    return by_name(w, span_from(buffer, own.length + 1 + name.length));
}

/* "Type?identifier=system|value" */
static const struct program *
by_query(const struct work *w, struct span query)
{
    (void)span_split(&query, '?');
    while (query.at != NULL) {
        struct span value = span_split(&query, '&');
        struct span name  = span_split(&value, '=');
        if (!span_eq_text(name, "identifier"))
            continue;
        struct span system = span_find_byte(value, '|') != SPAN_NOT_FOUND ? span_split(&value, '|') : span_from(NULL, 0);
        return by_identifier(w, system, value);
    }
    return NULL;
}

static const struct program *
by_reference(const struct work *w, const struct reference *r, bool resolved)
{
    const struct program *p = NULL;

    if (w->registry->count == 0)
        return NULL;
    if (r->form == REFERENCE_LOGICAL || r->form == REFERENCE_CONDITIONAL)
        return by_query(w, r->value);
    if (!resolved && r->form != REFERENCE_CONTAINED)
        p = by_text(w, r->from, r->value);
    if (p == NULL && r->form != REFERENCE_URI) {
        tape_node id = tape_member(w->tape, r->node, SPAN("identifier"));
        if (id != TAPE_ABSENT)
            p = by_identifier(w, tape_member_text(w->tape, id, SPAN("system"), w->arena),
                              tape_member_text(w->tape, id, SPAN("value"), w->arena));
    }
    return p;
}

static struct owners
owners_of_reference(const struct work *w, const struct reference *r)
{
    const struct unit *unit   = work_target(w, r);
    struct owners      owners = { .count = 0 };

    if (unit != NULL && unit->owners.count > 0)
        return unit->owners;
    owners.of[0] = by_reference(w, r, unit != NULL);
    owners.count = owners.of[0] != NULL;
    return owners;
}

/* A directory resource by what it says of itself. */
static void
add_members(struct work *w, struct unit *u)
{
    tape_node list = tape_member(w->tape, u->node, SPAN("identifier"));

    for (tape_node n = tape_first(w->tape, list); n != TAPE_ABSENT; n = tape_next(w->tape, n))
        (void)add_owner(w, &u->owners, by_identifier(w, tape_member_text(w->tape, n, SPAN("system"), w->arena),
                                                     tape_member_text(w->tape, n, SPAN("value"), w->arena)));
}

/* By its telephone or address (consent/contact.h). */
static const struct program *
by_contact(const struct work *w, tape_node resource)
{
    for (uint32_t p = 0; p < w->registry->count; p++)
        if (contact_is_of(w->registry->programs[p], w->tape, resource, w->arena))
            return w->registry->programs[p];
    return NULL;
}

/* Whom a consent is for is not where it comes from. */
static bool
is_source_element(const struct work *w, tape_node node, unsigned role, enum unit_kind kind)
{
    tape_node object;

    return (role & ROLE_SOURCE) != 0
        && (kind != UNIT_CONSENT || span_eq_text(work_element(w, node, &object), "organization"));
}

/* ---- marking ------------------------------------------------------------------------- */

/* `held`: it is on the program's server (T4). */
static void
confirm(struct work *w, uint32_t entry, const struct program *named, bool held, tape_node node, struct span because)
{
    struct entry_work    *e    = &w->entries[entry];
    const struct program *p    = row_for(w, entry, named, held);
    const char           *rule = "P1";

    if (p == NULL && named != NULL) {
        work_apart(w, entry, node, named);
        work_note(w, entry, LABEL_NONE, node, rule, SPAN("it was made when this was no Part 2 program"));
        return;
    }
    (void)work_program(w, entry, p);
    if (!e->confirmed || e->notes < 4)
        work_note(w, entry, LABEL_PART2, node, rule, because);
    e->confirmed = true;
    e->step      = 1;
    e->by_unit   = true;
    e->otherwise |= held || p == NULL || !p->unit;
}

static bool
is_directory(enum unit_kind kind)
{
    return kind == UNIT_DIRECTORY || kind == UNIT_ROLE || kind == UNIT_PRACTITIONER;
}

void
source_directory(struct work *w)
{
    mark_directory(w);
    follow_membership(w);
    mark_practitioners(w);
    look_at_times(w);
}

const struct program *
source_first_row(const struct work *w, const struct program *p)
{
    uint32_t family = family_of(w, p);

    return family == ENTRY_NONE ? p : w->registry->programs[family];
}

bool
source_former(const struct work *w, const struct unit *u)
{
    bool former = u->owners.count > 0;

    for (unsigned i = 0; i < u->owners.count && former; i++)
        former = from_another_time(w, u->owners.of[i]);
    return former;
}

void
source_read(struct work *w)
{
    /* Again: the content says which facilities treat substance use by their own word. */
    follow_membership(w);
    mark_practitioners(w);
    confirm_units(w);
    confirm_references(w);
}

/* Rows of one program, also where no row says when (program.h T5). */
static bool
same_program(const struct work *w, const struct program *a, const struct program *b)
{
    bool same = a == b || (family_of(w, a) != ENTRY_NONE && family_of(w, a) == family_of(w, b));

    for (size_t i = 0; i < a->reference_count && !same; i++)
        for (size_t j = 0; j < b->reference_count && !same; j++)
            same = span_eq(a->references[i], b->references[j]);
    for (size_t i = 0; i < a->identifier_count && !same; i++)
        for (size_t j = 0; j < b->identifier_count && !same; j++)
            same = span_eq(plain_number(w, a->identifiers[i].value), plain_number(w, b->identifiers[j].value))
                   && same_system(&a->identifiers[i], b->identifiers[j].system, b->identifiers[j].value);
    return same;
}

static bool
is_registered(const struct work *w, const struct program *p)
{
    return p >= w->facts->programs && p < w->facts->programs + w->facts->program_count;
}

/* Whether it is news. */
static bool
add_owner(const struct work *w, struct owners *o, const struct program *p)
{
    if (p == NULL || o->count == OWNERS_MAX || (o->count > 0 && !(is_registered(w, p) && is_registered(w, o->of[0]))))
        return false;
    for (unsigned i = 0; i < o->count; i++)
        if (same_program(w, o->of[i], p))
            return false;
    o->of[o->count++] = p;
    return true;
}

static bool
add_owners(const struct work *w, struct owners *o, const struct owners *more)
{
    bool news = false;

    for (unsigned i = 0; i < more->count; i++)
        news |= add_owner(w, o, more->of[i]);
    return news;
}

static void
mark_directory(struct work *w)
{
    for (uint32_t i = 0; w->registry->count > 0 && i < w->unit_count; i++) {
        struct unit *u = &w->units[i];
        if (!is_directory(u->kind) || u->entry == ENTRY_NONE)
            continue;
        const struct bundle_entry *e = &w->bundle->entries[u->entry];
        bool own = e->resource == u->node;
        struct owners *o = &u->owners;
        if (own && !add_owner(w, o, by_name(w, bundle_entry_name(w->bundle, u->entry))))
            (void)add_owner(w, o, by_name(w, e->full_url));
        add_members(w, u);
        if (o->count == 0 && own)
            (void)add_owner(w, o, by_url(w, e->full_url));
        if (o->count == 0 && w->registry->has_contacts)
            (void)add_owner(w, o, by_contact(w, u->node));
        o->itself = o->count > 0;
    }
}

/* What belongs to a program is the program's, at most four steps down; what belongs to two is of both. */
static void
follow_membership(struct work *w)
{
    bool more = true;

    for (int step = 0; more && step < 4; step++) {
        more = false;
        for (uint32_t i = 0; i < w->references->count; i++) {
            const struct reference *r = &w->references->all[i];
            struct unit            *u = w->roles[i] & ROLE_MEMBER ? work_unit(w, r->from, r->from_resource) : NULL;
            if (u == NULL || !is_directory(u->kind) || u->kind == UNIT_PRACTITIONER || u->owners.itself)
                continue;
            const struct owners theirs = owners_of_reference(w, r);
            more |= add_owners(w, &u->owners, &theirs);
            struct unit *target = work_target(w, r);
            if (target != NULL && target->setting != 0 && u->setting == 0) {
                u->setting = target->setting;
                more       = true;
            }
        }
    }
}

/* A practitioner is the program's when every role in the bundle is. */
static void
mark_practitioner(struct work *w, struct unit *u)
{
    struct owners owners  = { .each = true };
    label_set     setting = 0;
    uint32_t      roles = 0, theirs = 0, settings = 0;

    for (uint32_t i = 0; i < references_to(w->references, u->entry); i++) {
        const struct reference *r    = references_to_at(w->references, u->entry, i);
        struct unit            *role = work_unit(w, r->from, r->from_resource);
        if (role == NULL || role->kind != UNIT_ROLE)
            continue;
        roles++;
        theirs   += role->owners.count > 0;
        settings += role->setting != 0;
        setting  |= role->setting;
        (void)add_owners(w, &owners, &role->owners);
    }
    if (roles > 0 && theirs == roles)
        u->owners = owners;
    if (roles > 0 && settings == roles)
        u->setting |= setting;
}

static void
mark_practitioners(struct work *w)
{
    for (uint32_t i = 0; i < w->unit_count; i++)
        if (w->units[i].kind == UNIT_PRACTITIONER && w->units[i].entry != ENTRY_NONE && !w->units[i].owners.itself)
            mark_practitioner(w, &w->units[i]);
}

/* identifier[].system on the program's server. */
static const struct program *
by_identifier_system(const struct work *w, tape_node resource, tape_node *where)
{
    tape_node list = walk_find(w->tape, resource, SPAN("identifier"));

    for (tape_node n = tape_kind(w->tape, list) == TAPE_OBJECT ? list : tape_first(w->tape, list); n != TAPE_ABSENT;
         n = n == list ? TAPE_ABSENT : tape_next(w->tape, n)) {
        const struct program *p = by_url(w, tape_member_text(w->tape, n, SPAN("system"), w->arena));
        *where = n;
        if (p != NULL)
            return p;
    }
    return NULL;
}

/* Most are HL7's, and nobody's server. */
static const struct program *
by_definition(const struct work *w, struct span url)
{
    return span_starts(url, SPAN("http://hl7.org/")) || span_starts(url, SPAN("http://terminology.hl7.org/")) ? NULL : by_url(w, url);
}

/* meta.tag[].system, meta.profile[] on the program's server. */
static const struct program *
by_tag(const struct work *w, tape_node meta, tape_node *where)
{
    tape_node tags = tape_member(w->tape, meta, SPAN("tag")), profiles = tape_member(w->tape, meta, SPAN("profile"));

    for (tape_node n = tape_first(w->tape, tags); n != TAPE_ABSENT; n = tape_next(w->tape, n)) {
        const struct program *p = by_definition(w, tape_member_text(w->tape, n, SPAN("system"), w->arena));
        *where = n;
        if (p != NULL)
            return p;
    }
    for (tape_node n = tape_first(w->tape, profiles); n != TAPE_ABSENT; n = tape_next(w->tape, n)) {
        const struct program *p = by_definition(w, tape_text(w->tape, n, w->arena));
        *where = n;
        if (p != NULL)
            return p;
    }
    return NULL;
}

/* A record here that names it was made when it was no program: its directory is that record's as well, and
 * goes or stays with those that point at it (C3), whatever else is here (program.h, T8). */
static bool
from_another_time(const struct work *w, const struct program *p)
{
    uint32_t family = family_of(w, p);

    return family != ENTRY_NONE && w->registry->outside[family];
}

static void
confirm_unit(struct work *w, struct unit *u)
{
    const struct bundle_entry *e      = &w->bundle->entries[u->entry];
    struct entry_work         *entry  = &w->entries[u->entry];
    tape_node                  source = TAPE_ABSENT, where = TAPE_ABSENT;
    bool                       own    = e->resource == u->node;

    for (unsigned i = 0; i < u->owners.count; i++) {
        if (from_another_time(w, u->owners.of[i])) {
            work_apart(w, u->entry, u->node, u->owners.of[i]);
            continue;
        }
        entry->directory |= own;
        entry->each |= own && u->owners.each && u->owners.count > 1;
        if (own || w->units[w->unit_of[u->entry]].kind != UNIT_PATIENT)
            confirm(w, u->entry, u->owners.of[i], false, u->node,
                    own ? SPAN("it is a registered Part 2 program or part of one")
                        : SPAN("it contains a registered Part 2 program"));
    }
    const struct program *p = own ? by_url(w, e->full_url) : NULL;
    if (p != NULL) {
        /* Its very address is the tie between patient and program (P5). */
        entry->ties_patient |= u->kind == UNIT_PATIENT;
        confirm(w, u->entry, p, true, u->node, SPAN("its fullUrl is on the server of a registered Part 2 program"));
    }
    if (u->kind == UNIT_PATIENT || w->registry->server_count == 0)
        return;
    tape_node meta = walk_find(w->tape, u->node, SPAN("meta"));
    source = walk_find(w->tape, meta, SPAN("source"));
    p = source != TAPE_ABSENT ? by_url(w, tape_text(w->tape, source, w->arena)) : NULL;
    if (p != NULL)
        confirm(w, u->entry, p, true, source, SPAN("its meta.source is the server of a registered Part 2 program"));
    p = meta != TAPE_ABSENT ? by_tag(w, meta, &where) : NULL;
    if (p != NULL)
        confirm(w, u->entry, p, true, where, SPAN("its tag or profile is a registered Part 2 program's"));
    p = by_identifier_system(w, u->node, &where);
    if (p != NULL)
        confirm(w, u->entry, p, true, where, SPAN("its identifier was given by a registered Part 2 program"));
}

static void
confirm_units(struct work *w)
{
    for (uint32_t i = 0; w->registry->count > 0 && i < w->unit_count; i++)
        if (w->units[i].entry != ENTRY_NONE)
            confirm_unit(w, &w->units[i]);
}

static void
suspect(struct work *w, struct unit *u, label_set labels, tape_node node, const char *rule, const char *because)
{
    u->labels |= labels;
    for (int l = 1; l < LABEL_COUNT; l++)
        if (labels_have(labels, (enum label)l)) {
            work_label(w, u->entry, (enum label)l, node, rule, span_of(because));
            w->entries[u->entry].facility_notes++;
        }
}

/* A name in a source element: of a program, or of a facility that says what it
 * treats.  Where somebody came from or went to is no name of whose record it is:
 * the plan cuts it as any other text (C5). */
static void
confirm_display(struct work *w, struct unit *u, tape_node node, struct span display)
{
    struct text_finding f = { .labels = 0 };
    tape_node           object;
    struct span         name  = work_element(w, node, &object);
    bool                other = span_eq_text(name, "origin") || span_eq_text(name, "destination");

    text_read_any(display, w->names, &f);
    if (f.program && !other && !w->entries[u->entry].confirmed)
        confirm(w, u->entry, w->registry->registered == 1 ? w->registry->programs[0] : NULL, false, node,
                SPAN("the name of a registered Part 2 program stands where it comes from"));
    suspect(w, u, f.labels & labels_substance_use(), node, "text",
            "the name of where it comes from tells of substance use treatment");
}

/* What a facility says of itself (taxonomy, name), or its display: substance use
 * of what kind, and of a program that nobody registered that it is one. */
static void
suspect_reference(struct work *w, const struct reference *r, struct unit *u)
{
    struct unit *target = work_target(w, r);
    struct span  display;

    if (w->facts->labels == LABELS_GIVEN)
        return;
    if (target != NULL) {
        suspect(w, u, target->setting, r->node, "code", "it comes from a facility that says that it treats substance use");
        return;
    }
    display = r->form != REFERENCE_URI ? tape_member_text(w->tape, r->node, SPAN("display"), w->arena) : span_from(NULL, 0);
    if (!span_empty(display))
        confirm_display(w, u, r->node, display);
}

static bool
has_source(const struct unit *u)
{
    return u != NULL && u->entry != ENTRY_NONE && u->kind != UNIT_PATIENT && !is_directory(u->kind);
}

/* Before directory resources are judged: whether records here are not of the
 * program's time.  A record that says nothing of time is. */
static void
look_at_times(struct work *w)
{
    for (uint32_t i = 0; w->registry->timed && i < w->references->count; i++) {
        const struct reference *r = &w->references->all[i];
        struct unit            *u = w->roles[i] & ROLE_SOURCE ? work_unit(w, r->from, r->from_resource) : NULL;
        if (!has_source(u) || !is_source_element(w, r->node, w->roles[i], u->kind))
            continue;
        const struct owners theirs = owners_of_reference(w, r);
        for (unsigned k = 0; k < theirs.count; k++) {
            uint32_t family = family_of(w, theirs.of[k]);
            if (family != ENTRY_NONE && row_for(w, u->entry, theirs.of[k], false) == NULL)
                w->registry->outside[family] = true;
        }
    }
}

static void
confirm_references(struct work *w)
{
    tape_node object;

    for (uint32_t i = 0; i < w->references->count; i++) {
        const struct reference *r = &w->references->all[i];
        struct unit            *u = w->roles[i] & ROLE_SOURCE ? work_unit(w, r->from, r->from_resource) : NULL;
        if (!has_source(u) || !is_source_element(w, r->node, w->roles[i], u->kind))
            continue;
        const struct owners theirs = owners_of_reference(w, r);
        for (unsigned k = 0; k < theirs.count; k++)
            confirm(w, u->entry, theirs.of[k], false, r->node,
                    work_sentence(w, "its ", work_element(w, r->node, &object), " is a registered Part 2 program", ""));
        suspect_reference(w, r, u);                           /* a name of the same says no more */
        for (unsigned k = 0; k < theirs.count && u->kind == UNIT_PROVENANCE; k++)
            confirm_targets(w, u->node, theirs.of[k]);
    }
    for (const struct shown *s = w->shown; s != NULL; s = s->next)
        if (has_source(s->unit) && is_source_element(w, s->object, work_role(w, s->object), s->unit->kind))
            confirm_display(w, s->unit, s->object, work_text(w, s->display));
}

/* P1: a Provenance that says so. */
static void
confirm_targets(struct work *w, tape_node provenance, const struct program *p)
{
    uint32_t  first, entry = bundle_entry_of(w->bundle, provenance);
    uint32_t  count = references_from(w->references, entry, &first);
    tape_node object;

    for (uint32_t i = first; i < first + count; i++) {
        const struct reference *r = &w->references->all[i];
        if (r->to == ENTRY_NONE || r->from_resource != provenance
            || !span_eq_text(work_element(w, r->node, &object), "target"))
            continue;
        struct unit *target = work_target(w, r);
        if (target != NULL && target->kind != UNIT_PATIENT && !is_directory(target->kind))
            confirm(w, r->to, p, false, w->bundle->entries[r->to].resource,
                    SPAN("a Provenance says that it is from a registered Part 2 program"));
    }
}
