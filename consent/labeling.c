#include "consent/labeling_work.h"

#include <string.h>

static enum status     prepare(struct work *);
static enum unit_kind  kind_of(struct span type);
static void            read_roles(struct work *);
static const struct role_index *index_roles(struct arena *);
static enum status     read_names(struct work *);
static void            weigh_entry(struct work *, uint32_t entry);
static enum status     finish(struct work *, const struct labeling **out);
static const struct program *program_of_sender(const struct work *);

enum status
label_bundle(const struct bundle *bundle, const struct references *references, const struct facts *facts,
             struct arena *arena, const struct labeling **out)
{
    struct work w = { .bundle = bundle, .references = references, .facts = facts, .tape = bundle->tape,
                      .arena = arena };

    *out = NULL;
    /* Four times the body is what honest attachments unpack to; the rest is a bomb. */
    w.decode_left = tape_body(w.tape).length * 4 + ((size_t)1 << 20);
    w.trusted     = facts->trust_labels || facts->labels == LABELS_GIVEN;
    enum status st = prepare(&w);
    if (st == ST_OK)
        st = source_registry(&w);
    if (st == ST_OK) {
        source_directory(&w);
        st = read_names(&w);
    }
    if (st != ST_OK)
        return st;
    content_label(&w);
    source_read(&w);
    source_notice(&w);
    links_follow(&w);
    for (uint32_t i = 0; i < bundle->count; i++)
        weigh_entry(&w, i);
    return finish(&w, out);
}

enum status
label_inspected(const struct bundle *bundle, const struct references *references, const struct facts *facts,
                const struct inspected_asker *asker, struct arena *arena, const struct labeling **out)
{
    for (;;) {
        struct arena_mark before = arena_mark(arena);
        enum status       st     = label_bundle(bundle, references, facts, arena, out);
        if (st == ST_OK && inspected_goes_on(facts->inspected))
            asker->answer(facts->inspected, asker->with);
        else if (st == ST_OK && facts->inspected->fault)
            return ST_UNAVAILABLE;
        else
            return st == ST_OK && facts->inspected->refused ? ST_TOO_LARGE : st;
        arena_reset(arena, before);      /* the labels of half of it; each round answers a question at least */
    }
}

bool
labeled_of(const struct labeled *l, const struct program *program)
{
    bool of = l->program == program;

    for (size_t i = 0; i < l->other_count; i++)
        of |= l->others[i] == program;
    return of;
}

const struct program *
labeled_program(const struct labeled *l, size_t i)
{
    return i == 0 ? l->program : l->others[i - 1];
}

const char *
part2_text(enum part2_status status)
{
    return status == PART2_NOT ? "not" : status == PART2_CONFIRMED ? "confirmed" : "suspect";
}

/* ---- units ------------------------------------------------------------------------- */

static enum unit_kind
kind_of(struct span type)
{
#define KIND(type, kind) { type, sizeof(type) - 1, kind }
    static const struct { const char *type; uint8_t length; enum unit_kind kind; } rows[] = {
        KIND("Patient", UNIT_PATIENT), KIND("Observation", UNIT_OBSERVATION), KIND("Encounter", UNIT_ENCOUNTER),
        KIND("Organization", UNIT_DIRECTORY), KIND("Location", UNIT_DIRECTORY), KIND("HealthcareService", UNIT_DIRECTORY),
        KIND("Endpoint", UNIT_DIRECTORY), KIND("Device", UNIT_DIRECTORY), KIND("OrganizationAffiliation", UNIT_DIRECTORY),
        KIND("PractitionerRole", UNIT_ROLE), KIND("Practitioner", UNIT_PRACTITIONER),
        KIND("Composition", UNIT_COMPOSITION), KIND("EpisodeOfCare", UNIT_EPISODE), KIND("Person", UNIT_PATIENT),
        KIND("AllergyIntolerance", UNIT_ALLERGY), KIND("FamilyMemberHistory", UNIT_FAMILY),
        KIND("DiagnosticReport", UNIT_REPORT), KIND("Medication", UNIT_MEDICATION), KIND("Provenance", UNIT_PROVENANCE),
        KIND("Binary", UNIT_BINARY), KIND("DocumentReference", UNIT_DOCUMENT), KIND("Task", UNIT_TASK),
        KIND("Consent", UNIT_CONSENT), KIND("MessageHeader", UNIT_MESSAGE),
        KIND("Questionnaire", UNIT_FORM), KIND("QuestionnaireResponse", UNIT_RESPONSE),
    };
#undef KIND

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].length == type.length && memcmp(rows[i].type, type.at, type.length) == 0)
            return rows[i].kind;
    return UNIT_OTHER;
}

static enum status
prepare(struct work *w)
{
    const struct bundle *b = w->bundle;

    w->unit_count = bundle_resources(b);
    w->units      = arena_make_n(w->arena, (size_t)w->unit_count + 1, struct unit);
    w->entries    = arena_make_n(w->arena, (size_t)b->count + 1, struct entry_work);
    w->unit_of    = arena_make_n(w->arena, (size_t)b->count + 1, uint32_t);
    w->roles      = arena_make_n(w->arena, (size_t)w->references->count + 1, uint8_t);
    w->memo       = arena_make_n(w->arena, MEMO_TEXTS, struct text_memo);
    w->codes      = arena_make_n(w->arena, MEMO_CODES, struct code_memo);
    w->role_index = index_roles(w->arena);
    if (w->units == NULL || w->entries == NULL || w->unit_of == NULL || w->roles == NULL || w->memo == NULL
        || w->codes == NULL || w->role_index == NULL)
        return ST_NO_MEMORY;
    for (uint32_t i = 0; i < b->count; i++)
        w->unit_of[i] = ENTRY_NONE;
    for (uint32_t i = 0; i < w->unit_count; i++) {
        struct unit *u = &w->units[i];
        u->node  = bundle_resource_at(b, i)->node;
        u->entry = bundle_entry_of(b, u->node);
        if (u->entry == ENTRY_NONE)
            continue;
        bool        own  = b->entries[u->entry].resource == u->node;
        struct span type = own ? b->entries[u->entry].type
                               : tape_member_text(w->tape, u->node, SPAN("resourceType"), w->arena);
        u->kind     = kind_of(type);
        u->contexts = u->kind == UNIT_ALLERGY ? CONTEXT_ALLERGY : u->kind == UNIT_FAMILY ? CONTEXT_FAMILY : 0;
        if (own)
            w->unit_of[u->entry] = i;
    }
    read_roles(w);
    return arena_status(w->arena);
}

struct role_row { const char *name, *parent; uint8_t length, parent_length, role; };

static const struct role_row role_rows[] = {
#define SOURCE_ELEMENT(name, parent)     { name, parent, sizeof(name) - 1, sizeof(parent) - 1, ROLE_SOURCE },
#define LINE_ELEMENT(name, parent)       { name, parent, sizeof(name) - 1, sizeof(parent) - 1, 0 },
#define MEMBER_ELEMENT(name)             { name, "", sizeof(name) - 1, 0, ROLE_MEMBER },
#define LINK_ELEMENT(name, direction)    { name, "", sizeof(name) - 1, 0, ROLE_##direction },
#define CONTENT_ELEMENT(name, role)      { name, "", sizeof(name) - 1, 0, ROLE_##role },
#include "consent/source_elements.def"
#undef SOURCE_ELEMENT
#undef LINE_ELEMENT
#undef MEMBER_ELEMENT
#undef LINK_ELEMENT
#undef CONTENT_ELEMENT
};

enum { ROLE_ROWS = sizeof role_rows / sizeof role_rows[0], ROLE_SLOTS = 64 };

/* The rows whose names begin alike and are equally long, in their order; 0
 * ends, n is row n - 1. */
struct role_index { uint8_t first[ROLE_SLOTS], next[ROLE_ROWS + 1]; };

_Static_assert(ROLE_ROWS < UINT8_MAX, "rows are numbered in a byte");

static unsigned
role_slot(const char *name, size_t length)
{
    return length > 0 ? (unsigned)(length * 5 + (unsigned char)name[0]) % ROLE_SLOTS : 0;
}

static const struct role_index *
index_roles(struct arena *arena)
{
    struct role_index *index = arena_make(arena, struct role_index);

    for (unsigned n = ROLE_ROWS; index != NULL && n > 0; n--) {
        uint8_t *first = &index->first[role_slot(role_rows[n - 1].name, role_rows[n - 1].length)];
        index->next[n] = *first;
        *first         = (uint8_t)n;
    }
    return index;
}

/* *parents: whether the answer depended on the element around it. */
static uint8_t
role_of(const struct work *w, struct span name, tape_node object, bool *parents)
{
    struct span parent = { NULL, 0 };
    tape_node   unused;
    uint8_t     role = 0;

    *parents = false;
    for (unsigned n = w->role_index->first[role_slot(name.at, name.length)]; n > 0; n = w->role_index->next[n]) {
        const struct role_row *row = &role_rows[n - 1];
        if (row->length != name.length || memcmp(row->name, name.at, name.length) != 0)
            continue;
        if (row->parent_length > 0 && !*parents && object > TAPE_ROOT) {
            parent   = work_element(w, object, &unused);
            *parents = true;
        }
        if (row->parent_length > 0
            && (row->parent_length != parent.length || memcmp(row->parent, parent.at, parent.length) != 0))
            continue;
        if (row->role == 0)
            return 0;                                         /* LINE_ELEMENT */
        role |= row->role;
    }
    return role;
}

uint8_t
work_role(const struct work *w, tape_node node)
{
    tape_node   object;
    struct span name = work_element(w, node, &object);

    return role_of(w, name, object, &(bool){ false });
}

static void
read_roles(struct work *w)
{
    struct span last    = { NULL, 0 };
    bool        parents = true;
    uint8_t     role    = 0;
    tape_node   object;

    for (uint32_t i = 0; i < w->references->count; i++) {
        struct span name = work_element(w, w->references->all[i].node, &object);
        if (parents || !span_eq(name, last))
            role = role_of(w, name, object, &parents);
        last        = name;
        w->roles[i] = role;
    }
}

/* Names of programs for text: those of the facts, and those that their own
 * resources in the bundle bear. */
static enum status
read_names(struct work *w)
{
    enum { MORE_MAX = 32 };
    struct span more[MORE_MAX];
    size_t      count = 0;

    for (uint32_t i = 0; i < w->unit_count && count < MORE_MAX; i++) {
        const struct unit *u = &w->units[i];
        if (u->owners.count == 0 || u->kind != UNIT_DIRECTORY || source_former(w, u))
            continue;
        struct span name  = tape_member_text(w->tape, u->node, SPAN("name"), w->arena);
        tape_node   alias = tape_first(w->tape, tape_member(w->tape, u->node, SPAN("alias")));
        if (!span_empty(name))
            more[count++] = name;
        for (; alias != TAPE_ABSENT && count < MORE_MAX; alias = tape_next(w->tape, alias))
            more[count++] = tape_text(w->tape, alias, w->arena);
    }
    w->names = text_names_make(w->facts, more, count, w->arena);
    return arena_status(w->arena);
}

struct unit *
work_unit(const struct work *w, uint32_t entry, tape_node resource)
{
    if (resource == TAPE_ABSENT)
        return NULL;
    if (entry != ENTRY_NONE && w->bundle->entries[entry].resource == resource)
        return &w->units[w->unit_of[entry]];
    uint32_t i = bundle_resource_index(w->bundle, resource);
    return i != ENTRY_NONE && w->units[i].node == resource ? &w->units[i] : NULL;
}

struct unit *
work_target(const struct work *w, const struct reference *r)
{
    if (r->to_contained != TAPE_ABSENT)
        return work_unit(w, r->from, r->to_contained);
    return r->to != ENTRY_NONE ? work_unit(w, r->to, w->bundle->entries[r->to].resource) : NULL;
}

struct span
work_element(const struct work *w, tape_node node, tape_node *object)
{
    tape_node up = w->bundle->parents[node];

    if (walk_kind(w->tape, up) == TAPE_ARRAY) {
        node = up;
        up   = w->bundle->parents[up];
    }
    *object = up;
    return walk_kind(w->tape, up) == TAPE_OBJECT ? work_text(w, node - 1) : span_from(NULL, 0);
}

/* ---- evidence ----------------------------------------------------------------------- */

void
work_note(struct work *w, uint32_t entry, enum label label, tape_node node, const char *rule, struct span because)
{
    struct entry_work *e = &w->entries[entry];
    struct note       *n;

    if (e->notes == EVIDENCE_MAX) {
        /* What it says itself is not crowded out by what stands inside of it (plan_nested.h N1). */
        if (bundle_resource_of(w->bundle, node) == w->bundle->entries[entry].resource)
            e->last->evidence = (struct evidence){ label, node, rule, because };
        return;
    }
    n = arena_make(w->arena, struct note);
    if (n == NULL)
        return;
    n->evidence = (struct evidence){ label, node, rule, because };
    if (e->last != NULL)
        e->last->next = n;
    else
        e->first = n;
    e->last = n;
    e->notes++;
}

void
work_label(struct work *w, uint32_t entry, enum label label, tape_node node, const char *rule, struct span because)
{
    w->entries[entry].labels = label_add(w->entries[entry].labels, label);
    work_note(w, entry, label, node, rule, because);
}

bool
work_program(struct work *w, uint32_t entry, const struct program *p)
{
    struct entry_work *e = &w->entries[entry];

    if (p == NULL || p == e->program)
        return false;
    if (e->program == NULL) {
        e->program = p;
        return true;
    }
    for (unsigned i = 0; i < e->other_count; i++)
        if (e->others[i] == p || e->others[i] == NULL)
            return false;
    e->others[e->other_count] = e->other_count + 1 < OTHERS_MAX ? p : NULL;
    e->other_count++;
    return true;
}

void
work_mention(struct work *w, uint32_t entry, enum label label, tape_node node)
{
    struct said *s;

    for (s = w->entries[entry].said; s != NULL && s->mention.node == node; s = s->next)
        if (s->mention.label == label)
            return;
    s = arena_make(w->arena, struct said);
    if (s == NULL)
        return;
    *s = (struct said){ { label, node }, w->entries[entry].said };
    w->entries[entry].said = s;
}

void
work_apart(struct work *w, uint32_t entry, tape_node node, const struct program *program)
{
    struct apart_item *a = arena_make(w->arena, struct apart_item);

    if (a == NULL)
        return;
    *a = (struct apart_item){ { node, program }, w->entries[entry].apart };
    w->entries[entry].apart = a;
    w->entries[entry].apart_count++;
}

struct span
work_sentence(struct work *w, const char *a, struct span b, const char *c, const char *d)
{
    const struct span parts[] = { span_of(a), b, span_of(c), span_of(d) };
    size_t            length = 0, at = 0;

    for (size_t i = 0; i < 4; i++)
        length += parts[i].length;
    char *text = arena_alloc(w->arena, length);
    if (text == NULL)
        return span_from(NULL, 0);
    for (size_t i = 0; i < 4; i++) {
        if (parts[i].length > 0)
            memcpy(text + at, parts[i].at, parts[i].length);
        at += parts[i].length;
    }
    return span_from(text, length);
}

/* ---- the truth table (part2.md D.1) ------------------------------------------------------ */

static const struct program *
program_of_sender(const struct work *w)
{
    const struct facts   *f     = w->facts;
    const struct made     now   = { { f->at_ms, f->at_ms }, true };
    const struct program *found = NULL;

    for (size_t i = 0; i < f->program_count; i++)
        for (size_t r = 0; r < f->programs[i].reference_count; r++)
            if (span_eq(f->programs[i].references[r], f->sender_organization)
                && (found == NULL || !program_counts(found, &now, false)))
                found = &f->programs[i];
    if (found != NULL)
        return found;
    return f->program_count == 1 ? &f->programs[0] : NULL;
}

static enum part2_status
status_of(const struct work *w, const struct entry_work *e)
{
    if (e->confirmed)
        return PART2_CONFIRMED;
    /* Whose claim is neither believed nor refuted is unknown, and unknown protects. */
    if (e->claimed)
        return PART2_SUSPECT;
    if (w->facts->sender == SENDER_NOT_PROGRAM)
        return PART2_NOT;
    return labels_meet(e->labels, labels_substance_use() | LABEL_BIT(LABEL_PART2)) ? PART2_SUSPECT : PART2_NOT;
}

/* R for what is sensitive, N for the rest (part2.md D.3); what was given stays
 * unless the source says more. */
static void
add_confidentiality(struct work *w, uint32_t i)
{
    const label_set    below = LABEL_BIT(LABEL_U) | LABEL_BIT(LABEL_L) | LABEL_BIT(LABEL_M) | LABEL_BIT(LABEL_N);
    struct entry_work *e     = &w->entries[i];
    int                level = labels_confidentiality(e->labels);
    bool               given = w->facts->labels == LABELS_GIVEN && !e->confirmed;

    if (given || w->bundle->entries[i].resource == TAPE_ABSENT)
        return;
    if (labels_sensitive(e->labels) == 0 && !labels_have(e->labels, LABEL_PART2))
        e->labels = level == 0 ? label_add(e->labels, LABEL_N) : e->labels;
    else if (level < labels_confidentiality(LABEL_BIT(LABEL_R)))
        e->labels = label_add(e->labels & ~below, LABEL_R);
}

/* H-6.  A drug that others take as well, a code that many have: from such a unit they tell. */
static bool
is_source_only(const struct work *w, const struct entry_work *e, const struct unit *u)
{
    bool only = e->confirmed && e->by_unit && !e->otherwise && !e->claimed && !e->directory && !e->counseling_note && !e->uninspected
             && w->facts->sender != SENDER_PROGRAM && w->facts->labels == LABELS_COMPUTED && u != NULL && u->drugs == 0
             && u->pending_count == 0 && u->waiting == NULL && tape_member(w->tape, u->node, SPAN("contained")) == TAPE_ABSENT
             && u->kind != UNIT_PATIENT && u->kind != UNIT_CONSENT && !labels_have(e->labels, LABEL_PART2)
             && (labels_sensitive(e->labels) & ~(e->facility_notes > 0 ? labels_substance_use() : 0)) == 0;
    unsigned own = 0;

    for (const struct note *n = e->first; n != NULL && only; n = n->next)
        own += strcmp(n->evidence.rule, "P1") != 0;
    return only && own == e->facility_notes;
}

static void
weigh_entry(struct work *w, uint32_t i)
{
    struct entry_work *e       = &w->entries[i];
    bool               patient = w->unit_of[i] != ENTRY_NONE && w->units[w->unit_of[i]].kind == UNIT_PATIENT;

    if (w->facts->sender == SENDER_PROGRAM) {
        if (!e->confirmed)
            work_note(w, i, LABEL_PART2, w->bundle->entries[i].resource, "P1",
                      SPAN("a standalone Part 2 program sent it"));
        e->confirmed     = true;
        e->ties_patient |= patient;
        (void)work_program(w, i, program_of_sender(w));
    }
    e->source_only = is_source_only(w, e, w->unit_of[i] != ENTRY_NONE ? &w->units[w->unit_of[i]] : NULL);
    e->part2       = status_of(w, e);
    /* That somebody is a patient there says that substance use is treated (2.11, disclose). */
    if (e->confirmed)
        e->labels |= LABEL_BIT(LABEL_PART2)
                   | (labels_meet(e->labels, labels_substance_use()) ? 0 : LABEL_BIT(LABEL_SUD));
    if (labels_have(e->labels, LABEL_PSYTHPN)
        && labels_meet(e->labels, labels_substance_use() | LABEL_BIT(LABEL_PART2)))
        e->counseling_note = true;
    add_confidentiality(w, i);
}

/* ---- the result ------------------------------------------------------------------------ */

static bool
copy_lists(struct work *w, const struct entry_work *e, struct labeled *l)
{
    size_t mentions = 0, n = 0;

    for (const struct said *s = e->said; s != NULL; s = s->next)
        mentions++;
    for (const struct foreign *f = e->foreign; f != NULL; f = f->next)
        l->foreign_count++;
    struct evidence *evidence = e->notes > 0 ? arena_make_n(w->arena, e->notes, struct evidence) : NULL;
    struct mention  *said     = mentions > 0 ? arena_make_n(w->arena, mentions, struct mention) : NULL;
    struct apart    *apart    = e->apart_count > 0 ? arena_make_n(w->arena, e->apart_count, struct apart) : NULL;
    struct coding   *foreign  = l->foreign_count > 0 ? arena_make_n(w->arena, l->foreign_count, struct coding) : NULL;
    if (arena_spent(w->arena))
        return false;
    for (const struct note *note = e->first; note != NULL; note = note->next)
        evidence[l->evidence_count++] = note->evidence;
    for (const struct said *s = e->said; s != NULL; s = s->next)
        said[l->mention_count++] = s->mention;
    for (const struct foreign *f = e->foreign; f != NULL; f = f->next)
        foreign[n++] = f->coding;
    for (const struct apart_item *a = e->apart; a != NULL; a = a->next)
        apart[l->apart_count++] = a->apart;
    l->apart    = apart;
    l->evidence = evidence;
    l->mentions = said;
    l->foreign  = foreign;
    return true;
}

enum { TIES_APART = 32 };                /* programs of before that one record names */

static bool
add_tie(struct work *w, const struct program **ties, size_t *count, const struct program *p)
{
    const struct program *first = p != NULL ? source_first_row(w, p) : NULL;

    for (size_t i = 0; i < *count && first != NULL; i++)
        first = ties[i] == first ? NULL : first;
    if (first != NULL)
        ties[(*count)++] = first;
    return first != NULL;
}

static bool
copy_ties(struct work *w, struct labeled *l)
{
    size_t                 most = (l->program != NULL) + l->other_count + l->apart_count;
    const struct program **ties = most > 0 ? arena_make_n(w->arena, most, const struct program *) : NULL;

    if (ties == NULL)
        return most == 0;
    (void)add_tie(w, ties, &l->tie_count, l->program);
    for (size_t i = 0; i < l->other_count; i++)
        (void)add_tie(w, ties, &l->tie_count, l->others[i]);
    for (size_t i = 0, kept = 0; i < l->apart_count && kept < TIES_APART; i++)
        kept += add_tie(w, ties, &l->tie_count, l->apart[i].program);
    l->ties = ties;
    return true;
}

static enum status
finish(struct work *w, const struct labeling **out)
{
    struct labeling *labeling = arena_make(w->arena, struct labeling);
    struct labeled  *of       = arena_make_n(w->arena, (size_t)w->bundle->count + 1, struct labeled);

    if (labeling == NULL || of == NULL || arena_spent(w->arena))
        return ST_NO_MEMORY;
    for (uint32_t i = 0; i < w->bundle->count; i++) {
        const struct entry_work *e = &w->entries[i];
        const struct program **others = e->other_count > 0 ? arena_make_n(w->arena, e->other_count, const struct program *)
                                                           : NULL;
        for (unsigned k = 0; others != NULL && k < e->other_count; k++)
            others[k] = e->others[k];
        of[i] = (struct labeled){ .others = others, .other_count = others != NULL ? e->other_count : 0, .labels = e->labels, .part2 = e->part2, .program = e->program,
                                  .source_only = e->source_only, .shared = e->shared && w->facts->sender != SENDER_PROGRAM, .directory = e->directory,
                                  .each = e->each && e->other_count + 1 == w->units[w->unit_of[i]].owners.count,
                                  .counseling_note = e->counseling_note,
                                  .uninspected = e->uninspected, .ties_patient = e->ties_patient };
        if (!copy_lists(w, e, &of[i]) || !copy_ties(w, &of[i]))
            return ST_NO_MEMORY;
    }
    *labeling = (struct labeling){ w->bundle, of };
    *out      = labeling;
    return ST_OK;
}
