/* consent/plan_own.c -- what resources that stay say of themselves is no secret of others. */
#include "consent/plan_evidence.h"

#include <string.h>

label_set
evidence_own_labels(const struct closure *w, uint32_t entry)
{
    const struct labeled *l    = &w->in->labeling->of[entry];
    label_set             mine = 0;

    if (l->part2 != PART2_NOT)
        return evidence_family(l->labels) | labels_substance_use();      /* a protected record that may leave */
    for (size_t i = 0; i < l->evidence_count; i++) {
        const struct evidence *v = &l->evidence[i];
        bool loose = strcmp(v->rule, "attachment") == 0 || strcmp(v->rule, "form") == 0
                     || (strcmp(v->rule, "text") == 0 && evidence_concept(w, v->node) == CONCEPT_NONE);
        if (v->label != LABEL_NONE && !loose)
            mine = label_add(mine, v->label);
    }
    return evidence_family(mine);
}

/* `whose`: the patients of whom it is said; without anybody: of all. */
static void
kill(struct plan_evidence *e, struct span text, unsigned kinds, struct patient_set whose, bool only_weak)
{
    for (uint32_t p = phrases_find(e->phrases, text, PHRASE_NONE); p != PHRASE_NONE;
         p = phrases_find(e->phrases, text, p))
        if ((kinds >> e->of[p].kind & 1) && (!only_weak || (e->of[p].flags & EVIDENCE_WEAK))
            && (e->of[p].patient == 0 || !patients_any(whose) || patients_have(whose, e->of[p].patient)))
            e->of[p].dead = true;
}

static bool
kill_mark(void *with, uint32_t phrase, size_t at, size_t length)
{
    struct plan_evidence *e = with;

    (void)at, (void)length;
    if (e->of[phrase].kind == FIND_TOKEN || e->of[phrase].kind == FIND_IDENTIFIER)
        e->of[phrase].dead = true;
    return true;
}

static bool
has_marks(const struct plan_evidence *e)
{
    return (e->kinds & (1u << FIND_TOKEN | 1u << FIND_IDENTIFIER)) != 0;
}

/* The marks in this text are no secret. */
static void
kill_marks(struct plan_evidence *e, struct span text)
{
    unsigned *known = has_marks(e) ? memo_known(&e->memo, text) : NULL;

    if (known == NULL || (*known & KNOWN_MARKS))
        return;
    phrases_scan(e->phrases, text, kill_mark, e);
    *known |= KNOWN_MARKS;
}

/* Whether a phrase of the set has just these words. */
static bool
is_phrase(struct plan_evidence *e, struct span text)
{
    unsigned *known = memo_known(&e->memo, text);

    if (!(*known & KNOWN_STRANGE) && phrases_find(e->phrases, text, PHRASE_NONE) == PHRASE_NONE)
        *known |= KNOWN_STRANGE;
    return !(*known & KNOWN_STRANGE);
}

/* A place that stays is called so as well. */
static bool
kill_name(void *with, uint32_t phrase, size_t at, size_t length)
{
    struct plan_evidence *e = with;

    (void)at, (void)length;
    if (e->of[phrase].kind == FIND_PROGRAM && (e->of[phrase].flags & EVIDENCE_WEAK))
        e->of[phrase].dead = true;
    return true;
}

/* Rows of one to four words, so that a hit of text_scan can be looked up. */
static void
add_own(struct plan_evidence *e, struct span text, uint32_t patient)
{
    size_t             starts[4] = { 0 };
    struct word_reader r         = { text, 0 };
    struct word        word;
    bool               is_new;

    for (unsigned n = 0; word_next(&r, &word); n++) {
        starts[n % 4] = word.at;
        for (unsigned k = 0; k < 4 && k <= n; k++) {
            size_t at = starts[(n - k) % 4];
            (void)phrases_add(e->own, span_from(text.at + at, word.at + word.length - at), PHRASE_WORDS, patient,
                              &is_new);
        }
    }
}

static void
add_own_for(struct plan_evidence *e, struct span text, struct patient_set whose)
{
    uint32_t patient = patients_next(whose, 0);

    do
        add_own(e, text, patient);
    while (patient != 0 && (patient = patients_next(whose, patient)) != 0);
}

/* What a resource may say of itself stands in few members; all others are
 * passed over at once. */
enum saying { SAYING_NOTHING = 0, SAYING_LINK, SAYING_ID, SAYING_VALUE, SAYING_TEXT, SAYING_NAME, SAYING_CODE, SAYING_PLACE };

static enum saying
saying_of(const struct closure *w, tape_node leaf)
{
    const struct tape *t     = w->tape;
    tape_node          name  = closure_name_node(w, leaf);
    const uint64_t     known = walk_name_bit(SPAN("reference")) | walk_name_bit(SPAN("code")) | walk_name_bit(SPAN("display"))
                         | walk_name_bit(SPAN("text")) | walk_name_bit(SPAN("id")) | walk_name_bit(SPAN("value"))
                         | walk_name_bit(SPAN("name")) | walk_name_bit(SPAN("line")) | walk_name_bit(SPAN("title"))
                         | walk_name_bit(SPAN("alias")) | walk_name_bit(SPAN("address")) | walk_name_bit(SPAN("lotNumber"))
                         | walk_name_bit(SPAN("description")) | walk_name_bit(SPAN("subscriberId"))
                         | walk_name_bit(SPAN("serialNumber"));

    if (!(known & walk_bit(t, name)))
        return SAYING_NOTHING;
    return walk_called(t, name, SPAN("reference"))     ? SAYING_LINK
         : walk_called(t, name, SPAN("code"))          ? SAYING_CODE
         : walk_called(t, name, SPAN("display"))       ? SAYING_TEXT
         : walk_called(t, name, SPAN("text"))          ? SAYING_TEXT
         : walk_called(t, name, SPAN("id"))            ? SAYING_ID
         : walk_called(t, name, SPAN("value"))         ? SAYING_VALUE
         : walk_called(t, name, SPAN("name"))          ? SAYING_NAME
         : walk_called(t, name, SPAN("line"))          ? SAYING_PLACE
         : walk_called(t, name, SPAN("title"))         ? SAYING_TEXT
         : walk_called(t, name, SPAN("alias"))         ? SAYING_TEXT
         : walk_called(t, name, SPAN("address"))       ? SAYING_PLACE
         : walk_called(t, name, SPAN("lotNumber"))     ? SAYING_ID
         : walk_called(t, name, SPAN("description"))   ? SAYING_TEXT
         : walk_called(t, name, SPAN("subscriberId"))  ? SAYING_ID
         : walk_called(t, name, SPAN("serialNumber"))  ? SAYING_ID
         : SAYING_NOTHING;
}

static bool
is_place(struct closure *w, tape_node leaf)
{
    static const char *const places[] = { "Organization", "Location", "HealthcareService", "Practitioner",
                                          "PractitionerRole", "Endpoint", NULL };

    return span_in(closure_type(w, closure_resource(w, leaf)), places);
}

/* The display of a reference to whoever did it, or where, and who is not withheld: who
 * did this as well is called so by this resource itself. */
static bool
names_party(const struct closure *w, tape_node leaf)
{
    static const char *const parties[] = { "Practitioner", "PractitionerRole", "Organization", "Location",
                                           "HealthcareService", "RelatedPerson", "Person", "Patient", NULL };
    static const char *const roles[]   = { "performer", "author", "authenticator", "custodian", "requester", "recorder",
                                           "asserter", "actor", "individual", "location", "serviceProvider", "provider",
                                           "facility", "insurer", "organization", "managingOrganization", "who",
                                           "onBehalfOf", "member", "sender", "receiver", NULL };
    tape_node                holder = w->parents[leaf];

    if (!closure_named(w, leaf, SPAN("display")))
        return false;
    const struct reference *r = references_find(w->in->references, holder);
    if (r != NULL && r->to != ENTRY_NONE && w->withheld[r->to])
        return false;
    if (r != NULL && !span_empty(r->type))
        return span_in(r->type, parties);
    return span_in(closure_name(w, holder), roles);
}

static void
own_leaf(struct closure *w, struct plan_evidence *e, tape_node n, struct patient_set whose, bool same_family)
{
    enum saying saying = saying_of(w, n);
    struct span phones;

    if (saying == SAYING_NOTHING)
        return;
    struct span text = walk_text(w->tape, n, w->arena);
    if (saying == SAYING_LINK) {
        const struct reference *r = has_marks(e) ? references_find(w->in->references, w->parents[n]) : NULL;
        if (r != NULL && r->to != ENTRY_NONE && !w->withheld[r->to])
            kill_marks(e, text);
        return;
    }
    if (saying == SAYING_ID || (saying == SAYING_VALUE && evidence_own_identifier(w, n))
        || (saying == SAYING_TEXT && names_party(w, n))) {
        kill_marks(e, text);
        return;
    }
    if (saying == SAYING_NAME && is_place(w, n))
        phrases_scan(e->phrases, text, kill_name, e);
    if (saying == SAYING_VALUE && e->phones && is_place(w, n) && text_phones(text, w->arena, &phones))
        phrases_scan(e->phrases, phones, kill_name, e);
    if (!same_family && !is_phrase(e, text))
        return;
    if (saying == SAYING_CODE) {
        if (evidence_concept(w, n) != CONCEPT_NONE)
            kill(e, text, 1u << FIND_CODE, whose, false);
    } else if (saying == SAYING_VALUE || saying == SAYING_PLACE) {
        if (is_place(w, n))
            kill(e, text, 1u << FIND_PROGRAM, whose, true);
    } else if (evidence_concept(w, n) != CONCEPT_NONE || (w->mark[w->parents[n]] & MARK_OWN)
               || (w->mark[closure_unit(w, n)] & MARK_OWN)) {
        kill(e, text, 1u << FIND_PHRASE | 1u << FIND_LOCAL, whose, false);
        if (same_family && e->own != NULL)
            add_own_for(e, text, whose);
    }
}

/* Who somebody is, is no mark of a record about them: telecom, address, name. */
static void
own_person(struct closure *w, struct plan_evidence *e, tape_node resource)
{
    static const char *const prose[] = { "text", "extension", "modifierExtension", "contained", "meta", NULL };

    for (tape_node m = tape_first(w->tape, resource); m != TAPE_ABSENT; m = tape_next(w->tape, m)) {
        if (span_in(closure_name(w, m), prose))
            continue;
        for (tape_node n = m; n < tape_after(w->tape, m); n++)
            if (tape_kind(w->tape, n) == TAPE_NAME && tape_text_eq(w->tape, n, SPAN("extension")))
                n = tape_after(w->tape, n + 1) - 1;
            else if (tape_kind(w->tape, n) == TAPE_STRING)
                kill_marks(e, tape_text(w->tape, n, w->arena));
    }
}

void
own_collect(struct closure *w, struct plan_evidence *e)
{
    static const char *const people[] = { "Patient", "RelatedPerson", "Person", "Practitioner", NULL };

    label_set   family = e->family | (e->suspect ? labels_substance_use() : 0);
    struct span server = { NULL, 0 };                         /* "https://ehr.example.org/" */

    if (family != 0)
        e->own = phrases_new(w->arena);
    for (uint32_t i = 0; i < w->bundle->count; i++) {
        const struct labeled      *l = &w->in->labeling->of[i];
        const struct bundle_entry *b = &w->bundle->entries[i];
        if (w->withheld[i] || l->directory || b->resource == TAPE_ABSENT)
            continue;
        if (e->patient_of[i] == 0 && !span_empty(entry_patient(w->in->references, i, NULL)))
            continue;                                         /* of one who is not told apart: it excuses nobody */
        for (size_t k = 0; k < l->evidence_count; k++)
            if (l->evidence[k].label != LABEL_NONE && strcmp(l->evidence[k].rule, "code") == 0)
                w->mark[closure_unit(w, l->evidence[k].node)] |= MARK_OWN;
        if (span_empty(server) || !span_starts(b->full_url, server)) {           /* mostly that of the entry before */
            struct span host = evidence_host(b->full_url);
            kill(e, host, 1u << FIND_PROGRAM, patients_only(0), true);
            size_t end = host.length > 0 ? (size_t)(host.at - b->full_url.at) + host.length : b->full_url.length;
            server     = span_first(b->full_url, end < b->full_url.length ? end + 1 : 0);
        }
        bool same_family = (evidence_own_labels(w, i) & family) != 0;
        if (!e->any && !same_family)
            continue;                                         /* only programs to look for */
        kill_marks(e, b->full_url);
        if (span_in(b->type, people))
            own_person(w, e, b->resource);
        tape_node end = tape_after(w->tape, b->resource);
        for (tape_node n = walk_next_string(w->tape, b->resource, end); n < end; n = walk_next_string(w->tape, n + 1, end))
            own_leaf(w, e, n, e->whose[i], same_family);
    }
}
