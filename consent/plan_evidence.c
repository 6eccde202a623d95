#include "consent/plan_evidence.h"

#include <string.h>

#include "consent/canonical.h"
#include "consent/text.h"
#include "fhir/element.h"

#define MIND_FAMILY (LABEL_BIT(LABEL_MH) | LABEL_BIT(LABEL_PSY) | LABEL_BIT(LABEL_PSYTHPN))

static void        tell_whose(struct closure *, struct plan_evidence *);
static void        collect_patients(struct closure *, struct plan_evidence *);
static bool        matters_to_somebody(const struct closure *);
static void        closed_mentions(struct closure *, struct plan_evidence *);
static void        collect_entries(struct closure *, struct plan_evidence *);
static void        collect_programs(struct closure *, struct plan_evidence *);
static void        add_telecom(struct plan_evidence *, struct span text, uint32_t program);
static void        collect_directories(struct closure *, struct plan_evidence *);
static void        collect_directory(struct closure *, struct plan_evidence *, tape_node resource, uint32_t program);
static void        add_local(struct plan_evidence *, uint32_t phrase, uint32_t entry);

enum status
evidence_collect(struct closure *w, bool names, struct plan_evidence **out)
{
    const struct facts   *facts = w->in->facts;
    struct plan_evidence *e     = arena_make(w->arena, struct plan_evidence);
    struct labeling      *labeling = arena_make(w->arena, struct labeling);       /* the check of the result reads it, too */
    bool                  maybe = facts->program_count > 0 || w->in->inner_count > 0;

    *out = NULL;
    if (e == NULL || labeling == NULL)
        return ST_NO_MEMORY;
    *labeling  = *w->in->labeling;
    e->suspect = facts->labels == LABELS_COMPUTED && matters_to_somebody(w);
    for (uint32_t i = 0; i < w->bundle->count; i++) {
        e->any = e->any || w->withheld[i];
        maybe  = maybe || w->in->labeling->of[i].mention_count > 0;
    }
    if (!e->any && !e->suspect && !maybe)
        return ST_OK;
    e->arena        = w->arena;
    e->facts        = facts;
    e->names        = text_names_make(facts, NULL, 0, w->arena);
    e->labeling     = labeling;
    e->bundle       = w->bundle;
    e->withheld     = w->withheld;
    e->family_entry = ENTRY_NONE;
    e->phrases      = phrases_new(w->arena);
    e->local_of     = arena_make_n(w->arena, w->bundle->count, uint32_t);
    e->patient_of   = arena_make_n(w->arena, w->bundle->count, uint32_t);
    e->whose        = arena_make_n(w->arena, w->bundle->count, struct patient_set);
    e->others       = arena_make_n(w->arena, w->bundle->count, struct patient_set);
    e->patients     = arena_make_n(w->arena, MAX_PATIENTS, struct span);
    e->families     = arena_make_n(w->arena, MAX_PATIENTS + 1, label_set);
    e->opened       = arena_make_n(w->arena, facts->program_count + 1, bool);
    if (arena_spent(w->arena))
        return ST_NO_MEMORY;
    collect_patients(w, e);
    closed_mentions(w, e);
    if (!e->any && !e->suspect && e->family == 0 && facts->program_count == 0 && w->in->inner_count == 0)
        return ST_OK;
    if (names)
        collect_entries(w, e);
    collect_programs(w, e);
    collect_directories(w, e);
    matter_collect(w, e);
    own_collect(w, e);
    *out = e;
    return arena_status(w->arena);
}

static enum part2_status
status_of(const struct facts *facts)
{
    return facts->sender == SENDER_NOT_PROGRAM ? PART2_NOT : PART2_SUSPECT;
}

struct decision
evidence_asked(const struct closure *w, uint32_t entry, enum label l)
{
    const struct plan_ask *ask = w->in->ask;

    return ask == NULL ? (struct decision){ .verdict = VERDICT_DENY }
                       : ask->as_if(ask->with, entry, label_add(0, l), status_of(w->in->facts), NULL);
}

bool
evidence_closed(const struct closure *w, uint32_t entry, enum label l)
{
    return evidence_asked(w, entry, l).verdict < VERDICT_REDACT;
}

/* Cut, or let go with a notice. */
static bool
matters_in(const struct closure *w, uint32_t entry)
{
    static const enum label labels[] = { LABEL_SUD, LABEL_OPIOIDUD, LABEL_ETHUD };
    bool                    matters  = false;

    for (size_t i = 0; i < sizeof labels / sizeof labels[0] && !matters; i++) {
        struct decision say = evidence_asked(w, entry, labels[i]);
        matters             = say.verdict < VERDICT_REDACT || (say.obligations & OBLIGE_NOTICE) != 0;
    }
    return matters;
}

/* Whether there is a patient of whom the reader may not have records that tell
 * of substance use, or has them by consent: then text that does is looked for in
 * all that stays (P3).
 * Asked for the first record of each patient. */
static bool
matters_to_somebody(const struct closure *w)
{
    struct span names[MAX_PATIENTS];
    uint32_t    count = 0;

    for (uint32_t e = 0; e < w->bundle->count; e++) {
        const struct bundle_entry *b = &w->bundle->entries[e];
        uint32_t                   k = 0;
        if (w->withheld[e] || b->resource == TAPE_ABSENT || span_eq_text(b->type, "Patient"))
            continue;
        struct span name = entry_patient(w->in->references, e, NULL);
        while (k < count && !span_eq(names[k], name))
            k++;
        if (span_empty(name) || k < count)
            continue;
        if (k == MAX_PATIENTS || matters_in(w, e))
            return true;
        names[count++] = name;
    }
    for (uint32_t e = 0; count == 0 && e < w->bundle->count; e++)
        if (!w->withheld[e])                                  /* no record: whatever is there */
            return matters_in(w, e);
    return false;
}

/* Matter of one patient is no secret of another's record.  Numbers 1, 2 … in
 * the order they are met; over the bound everything is everybody's. */
static void
collect_patients(struct closure *w, struct plan_evidence *e)
{
    for (uint32_t i = 0; i < w->bundle->count; i++) {
        struct span name = entry_patient(w->in->references, i, NULL);
        if (!span_empty(name) && evidence_patient(e, name) == 0 && e->patient_count < MAX_PATIENTS)
            e->patients[e->patient_count++] = name;
        e->patient_of[i] = evidence_patient(e, name);
    }
    tell_whose(w, e);
}

/* Whoever refers to what has no patient speaks of it (consent/subject.h K1): a drug, a specimen, a form; and through
 * others without one: a Substance is of whom its Medication is. */
struct spread {
    const struct closure *w;
    const bool           *alone;         /* per entry: it has no patient                               */
    bool                  gone;          /* also what is withheld speaks                               */
    struct patient_set   *whose;         /* per entry                                                  */
    struct patient_set   *named;         /* per group of definitions (canonical.h); NULL: there are none */
    uint32_t             *stack, depth;
    bool                 *waits;
};

static void
spread_to(struct spread *s, uint32_t to, struct patient_set more)
{
    if (to == ENTRY_NONE || !s->alone[to] || !patients_any(patients_without(more, s->whose[to])))
        return;
    s->whose[to] = patients_both(s->whose[to], more);
    if (!s->waits[to]) {
        s->waits[to]            = true;
        s->stack[s->depth++] = to;
    }
}

/* Each group again only with patients that are new to it. */
static void
spread_named(struct spread *s, uint32_t from, struct patient_set whose)
{
    const struct canonicals *c = s->w->canonicals;

    for (uint32_t i = s->named != NULL ? c->first_from[from] : 0; s->named != NULL && i < c->first_from[from + 1]; i++) {
        struct patient_set *named = &s->named[c->all[i].group];
        if (!patients_any(patients_without(whose, *named)))
            continue;
        *named = patients_both(*named, whose);
        for (uint32_t at = c->all[i].group; at != LOOKUP_NONE; at = lookup_next(c->definitions, at))
            spread_to(s, lookup_value(c->definitions, at), *named);
    }
}

/* Of what stays, what stays speaks, as that is all that the twin has. */
static struct patient_set
speaker(const struct spread *s, uint32_t from)
{
    return from == ENTRY_NONE || (s->w->withheld[from] && !s->gone) ? patients_only(0) : s->whose[from];
}

static void
spread_from(struct spread *s, uint32_t from)
{
    const struct references *refs = s->w->in->references;
    uint32_t                 first, count = references_from(refs, from, &first);
    struct patient_set       whose = speaker(s, from);

    for (uint32_t i = first; i < first + count; i++)
        spread_to(s, refs->all[i].to, whose);
    spread_named(s, from, whose);
}

/* Several entries of one URL are pointed at by each reference to it. */
static void
spread_into(struct spread *s, uint32_t to)
{
    const struct references *refs = s->w->in->references;

    for (uint32_t i = 0; i < references_to(refs, to); i++)
        spread_to(s, to, speaker(s, references_to_at(refs, to, i)->from));
}

/* Each is met again only with patients that are new to it. */
static bool
collect_whose(struct closure *w, const struct plan_evidence *e, const bool *alone, bool gone, struct patient_set *whose)
{
    struct spread s = { .w = w, .alone = alone, .gone = gone, .whose = whose,
                        .stack = arena_make_n(w->arena, w->bundle->count, uint32_t),
                        .waits = arena_make_n(w->arena, w->bundle->count, bool) };

    if (w->canonicals != NULL)
        s.named = arena_make_n(w->arena, lookup_count(w->canonicals->definitions), struct patient_set);
    if (arena_spent(w->arena))
        return false;
    for (uint32_t i = 0; i < w->bundle->count; i++)
        whose[i] = patients_only(e->patient_of[i]);
    for (uint32_t i = 0; i < w->bundle->count; i++) {
        if (alone[i])
            spread_into(&s, i);
        else
            spread_named(&s, i, speaker(&s, i));
    }
    while (s.depth > 0) {
        uint32_t from = s.stack[--s.depth];
        s.waits[from] = false;
        spread_from(&s, from);
    }
    return true;
}

/* Of what goes everybody's, of what stays theirs who keep it. */
static void
tell_whose(struct closure *w, struct plan_evidence *e)
{
    bool               *alone = arena_make_n(w->arena, w->bundle->count, bool);
    struct patient_set *all   = arena_make_n(w->arena, w->bundle->count, struct patient_set);

    if (alone == NULL || all == NULL)
        return;
    for (uint32_t i = 0; i < w->bundle->count; i++)
        alone[i] = w->bundle->entries[i].resource != TAPE_ABSENT && span_empty(entry_patient(w->in->references, i, NULL));
    if (!collect_whose(w, e, alone, true, all) || !collect_whose(w, e, alone, false, e->whose))
        return;
    for (uint32_t i = 0; i < w->bundle->count; i++) {
        e->others[i] = w->withheld[i] ? patients_only(0) : patients_without(all[i], e->whose[i]);
        e->whose[i]  = w->withheld[i] ? all[i] : e->whose[i];
    }
}

uint32_t
evidence_patient(const struct plan_evidence *e, struct span name)
{
    for (uint32_t i = 0; i < e->patient_count && !span_empty(name); i++)
        if (span_eq(e->patients[i], name))
            return i + 1;
    return 0;
}

const struct plan_inner *
evidence_inner(const struct closure *w, tape_node node)
{
    size_t low = 0, high = w->in->inner_count;                /* in document order */

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (w->in->inner[middle].offset < node)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    const struct plan_inner *inner = &w->in->inner[low - 1];
    return node - inner->offset <= tape_count(inner->plan->bundle->tape) ? inner : NULL;
}

struct patient_set
evidence_patients_at(const struct closure *w, const struct plan_evidence *e, uint32_t entry, tape_node leaf)
{
    if (entry == ENTRY_NONE || e->patient_of[entry] != 0)
        return patients_only(entry == ENTRY_NONE ? 0 : e->patient_of[entry]);
    const struct plan_inner *inner = evidence_inner(w, leaf);
    if (inner == NULL)
        return e->whose[entry];
    return patients_only(evidence_patient(e, entry_patient(inner->plan->references, bundle_entry_of(inner->plan->bundle, leaf - inner->offset), NULL)));
}

label_set
evidence_family_for(const struct plan_evidence *e, struct patient_set whose)
{
    label_set family = e->families[0];

    for (uint32_t patient = patients_next(whose, 0); patient != 0; patient = patients_next(whose, patient))
        family |= e->families[patient];
    return patients_any(whose) ? family : e->family;
}

label_set
evidence_family(label_set labels)
{
    label_set s = labels_sensitive(labels);

    if (s & LABEL_BIT(LABEL_BH))
        s |= labels_substance_use() | MIND_FAMILY;
    if (s & labels_substance_use())
        s |= labels_substance_use();
    if (s & MIND_FAMILY)
        s |= MIND_FAMILY;
    return s;
}

bool
evidence_kin(const struct plan_evidence *e, enum label said, label_set withheld)
{
    label_set kin = evidence_family(label_add(0, said));

    if (labels_have(withheld, said) || (withheld & (LABEL_BIT(LABEL_BH) | LABEL_BIT(LABEL_SPI))) != 0)
        return true;
    if ((kin & withheld) == 0)
        return false;
    return said == LABEL_SUD || said == LABEL_ETH || (kin & MIND_FAMILY) != 0
           || e->facts->labels == LABELS_GIVEN;              /* a given SUD means any substance */
}

/* The value of a business identifier of the resource itself, not of a logical
 * reference to something else. */
bool
evidence_own_identifier(const struct closure *w, tape_node leaf)
{
    static const char *const names[] = { "identifier", "masterIdentifier", "groupIdentifier",
                                         "accessionIdentifier", "setIdentifier", "requisition",
                                         "preAuthIdentifier", NULL };
    tape_node identifier = w->parents[leaf];
    tape_node holder     = w->parents[identifier];

    if (!closure_named(w, leaf, SPAN("value")) || tape_kind(w->tape, identifier) != TAPE_OBJECT)
        return false;
    if (tape_kind(w->tape, holder) == TAPE_ARRAY)
        holder = w->parents[holder];
    return span_in(closure_name(w, identifier), names) && holder == closure_resource(w, leaf);
}

/* ---- elements that labelling found to say it, in a resource that stays ----------------- */

/* Whether a text of the section says it: then the scan finds the row. */
static bool
section_says(struct closure *w, const struct plan_evidence *e, tape_node section)
{
    for (tape_node m = tape_first(w->tape, section); m != TAPE_ABSENT; m = tape_next(w->tape, m)) {
        if (closure_named(w, m, SPAN("entry")) || closure_named(w, m, SPAN("section")))
            continue;
        for (tape_node n = m; n < tape_after(w->tape, m); n++)
            if (tape_kind(w->tape, n) == TAPE_STRING && !closure_named(w, n, SPAN("code"))
                && text_scan(tape_text(w->tape, n, w->arena), e->names).hit)
                return true;             /* a code is no row, though "F11.20" in a text says it */
    }
    return false;
}

/* Cuts the mentions for a reader who may not have such a record; what is told
 * in words is found by the scan, so that it goes row by row. */
static void
closed_mentions(struct closure *w, struct plan_evidence *e)
{

    for (uint32_t k = 0; k < w->bundle->count; k++) {
        const struct labeled *l = &w->in->labeling->of[k];
        for (size_t i = 0; !w->withheld[k] && i < l->mention_count; i++) {
            const struct mention *m = &l->mentions[i];
            if (!evidence_closed(w, k, m->label))
                continue;
            e->family = label_add(e->family, m->label);
            e->families[e->patient_of[k]] = label_add(e->families[e->patient_of[k]], m->label);
            bool section = closure_named(w, m->node, SPAN("section"));
            if (closure_named(w, m->node, SPAN("text")) || (section && section_says(w, e, m->node)))
                continue;
            const char *rule = section ? "C4" : closure_named(w, m->node, SPAN("tag")) ? "C9" : "C5";
            struct why  why  = { rule, ENTRY_NONE, "it tells of what the reader may not have" };
            if (tape_kind(w->tape, m->node) == TAPE_STRING)
                closure_cut_text(w, m->node, why);
            else
                closure_cut(w, m->node, why);
        }
    }
}

static void
add_for(struct plan_evidence *e, struct span text, enum phrase_form form, enum find kind, uint32_t entry,
        uint32_t patient, unsigned flags)
{
    bool is_new;

    struct finding_of *all = arena_more(e->arena, e->of, phrases_count(e->phrases), &e->of_room, sizeof *all);
    if (all == NULL)                                          /* first: no phrase is without its finding */
        return;
    e->of = all;
    uint32_t phrase = phrases_add(e->phrases, text, form, kind + patient * 16, &is_new);     /* a row a patient */
    if (phrase == PHRASE_NONE)
        return;
    if (kind == FIND_LOCAL)
        add_local(e, phrase, entry);
    if (!is_new) {
        struct finding_of *of = &e->of[phrase];
        if (kind == FIND_ENTRY && of->entry != entry)
            of->dead = true;                                  /* one id, two resources: it names neither */
        of->flags &= flags | EVIDENCE_TELLS;
        of->flags |= flags & EVIDENCE_TELLS;
        return;
    }
    e->kinds |= 1u << kind;
    e->of[phrase] = (struct finding_of){ kind, entry, patient, flags, false };
}

/* Of several patients it is the matter of each. */
void
evidence_add(struct plan_evidence *e, struct span text, enum phrase_form form, enum find kind, uint32_t entry,
             unsigned flags)
{
    struct patient_set whose   = kind == FIND_PROGRAM || kind == FIND_ENTRY ? patients_only(0) : e->whose[entry];
    uint32_t           patient = patients_next(whose, 0);

    do
        add_for(e, text, form, kind, entry, patient, flags);
    while (patient != 0 && (patient = patients_next(whose, patient)) != 0);
}

unsigned *
memo_known(struct memo *memo, struct span text)
{
    uint64_t tail = 0;

    if (text.length >= 8)
        memcpy(&tail, text.at + text.length - 8, 8);
    uint64_t     key  = key_of(text) ^ (tail * 0xd6e8feb86659fd93u);
    struct memo_text *known = &memo->texts[(size_t)(key >> 40) % (sizeof memo->texts / sizeof memo->texts[0])];
    if (known->text.length != text.length || !node_same_bytes(known->text.at, text.at, text.length))
        *known = (struct memo_text){ text, 0 };
    return &known->known;
}

static void
add_local(struct plan_evidence *e, uint32_t phrase, uint32_t entry)
{
    struct plan_local *all = arena_more(e->arena, e->locals, e->local_count, &e->local_room, sizeof *all);

    if (all == NULL)
        return;
    e->locals = all;
    e->locals[e->local_count] = (struct plan_local){ phrase, e->local_of[entry] };
    e->local_of[entry]        = ++e->local_count;
}

void
evidence_stamp(struct closure *w, struct plan_evidence *e, uint32_t entry)
{
    uint32_t first, count = references_from(w->in->references, entry, &first);

    if (e->stamp == NULL)
        e->stamp = arena_make_n(w->arena, phrases_count(e->phrases), uint32_t);
    if (e->stamp == NULL)
        return;
    for (uint32_t i = first; i < first + count; i++) {
        uint32_t to = w->in->references->all[i].to;
        if (to != ENTRY_NONE && w->withheld[to])
            for (uint32_t k = e->local_of[to]; k != 0; k = e->locals[k - 1].next)
                e->stamp[e->locals[k - 1].phrase] = entry + 1;
    }
}

/* ---- names of entries and programs ---------------------------------------------------- */

static void
collect_entries(struct closure *w, struct plan_evidence *e)
{
    for (uint32_t i = 0; i < w->bundle->count; i++) {
        const struct bundle_entry *b     = &w->bundle->entries[i];
        uint32_t                   first = i;
        if (!span_empty(b->type) && !span_empty(b->id)) {
            struct span name = bundle_entry_name(w->bundle, i);
            first            = bundle_first_same(w->bundle, i);
            evidence_add(e, name, PHRASE_LITERAL, FIND_ENTRY, first == ENTRY_NONE ? i : first, 0);
            if (text_unusual(b->id))
                evidence_add(e, b->id, PHRASE_LITERAL, FIND_ENTRY, evidence_same(w->bundle, first, i) ? first : i, 0);
        }
        if (b->full_url.length >= 8) {
            uint32_t same = bundle_first_full_url(w->bundle, i);
            evidence_add(e, b->full_url, PHRASE_LITERAL, FIND_ENTRY, same == ENTRY_NONE ? first : same, 0);
        }
    }
}

struct span
evidence_host(struct span url)
{
    size_t scheme = span_find(url, SPAN("://"));

    if (scheme == SPAN_NOT_FOUND)
        return (struct span){ NULL, 0 };
    struct span rest = span_skip(url, scheme + 3);
    struct span host = span_split(&rest, '/');
    return span_split(&host, ':');
}

/* Words that say what kind of place it is, not which one. */
static bool
says_kind(struct span word)
{
    static const char *const kinds[] = {
        "hospital", "general", "medical", "university", "community", "county", "memorial", "regional", "health",
        "healthcare", "clinic", "center", "centre", "department", "dept", "saint", "st", "the", "city", "state",
        "national", "veterans", "childrens", "primary", "family", "practice", "unit", "ward", "building", NULL };

    for (size_t i = 0; kinds[i] != NULL; i++)
        if (span_eq_nocase(word, span_of(kinds[i])))
            return true;
    return false;
}

/* The name, and of a longer one its first two words, if these are a name of
 * their own ("Oak Recovery" of "Oak Recovery Center, Inc."). */
void
evidence_add_name(struct plan_evidence *e, struct span name, uint32_t program)
{
    unsigned           words = text_words(name);
    struct word_reader r     = { name, 0 };
    struct word        first, second;

    if ((words >= 2 && name.length >= 6) || (words == 1 && name.length >= 5 && !text_common(name)))
        evidence_add(e, name, PHRASE_WORDS, FIND_PROGRAM, program, words < 3 ? EVIDENCE_NAME : 0);
    if (words < 3 || !word_next(&r, &first) || !word_next(&r, &second))
        return;
    struct span a = span_from(name.at + first.at, first.length), b = span_from(name.at + second.at, second.length);
    if (a.length >= 3 && b.length >= 4 && !says_kind(a) && !says_kind(b))
        evidence_add(e, span_from(name.at, second.at + second.length), PHRASE_WORDS, FIND_PROGRAM, program,
                     EVIDENCE_WEAK | EVIDENCE_NAME);
}

static void
add_program_identifier(struct plan_evidence *e, struct span value, uint32_t program)
{
    if (value.length >= 3)
        evidence_add(e, value, PHRASE_LITERAL, FIND_PROGRAM, program, value.length < 7 ? EVIDENCE_NARROW : 0);
}

static void
collect_programs(struct closure *w, struct plan_evidence *e)
{
    const struct facts *facts = w->in->facts;

    for (uint32_t p = 0; p < facts->program_count; p++) {
        const struct program *program = &facts->programs[p];
        for (size_t i = 0; i < program->reference_count; i++) {
            struct span base, type, id, name = program->references[i];
            if (!reference_split(name, &base, &type, &id))
                evidence_add(e, name, PHRASE_LITERAL, FIND_PROGRAM, p, 0);
            else
                evidence_add(e, arena_format(w->arena, "%.*s/%.*s", SPAN_PRINT(type), SPAN_PRINT(id)),
                             PHRASE_LITERAL, FIND_PROGRAM, p, 0);
        }
        for (size_t i = 0; i < program->identifier_count; i++)
            add_program_identifier(e, program->identifiers[i].value, p);
        for (size_t i = 0; i < program->source_count; i++) {
            struct span host = evidence_host(program->sources[i]);
            evidence_add(e, program->sources[i], PHRASE_LITERAL, FIND_PROGRAM, p, 0);
            if (span_find_byte(host, '.') != SPAN_NOT_FOUND)
                evidence_add(e, host, PHRASE_LITERAL, FIND_PROGRAM, p, EVIDENCE_WEAK);
        }
        for (size_t i = 0; i < program->name_count; i++)
            evidence_add_name(e, program->names[i], p);
        for (size_t i = 0; i < program->phone_count; i++)
            add_telecom(e, program->phones[i], p);
        for (size_t i = 0; i < program->address_count; i++) {
            struct span rest = program->addresses[i], line = span_split(&rest, '|');
            if (text_words(line) >= 2 && line.length >= 8)
                evidence_add(e, line, PHRASE_WORDS, FIND_PROGRAM, p, EVIDENCE_WEAK);
        }
    }
}

uint32_t
evidence_program_index(const struct facts *facts, const struct program *program)
{
    return program == NULL || program < facts->programs || program >= facts->programs + facts->program_count
               ? ENTRY_NONE : (uint32_t)(program - facts->programs);
}

/* Takes the program that a text names; used with phrases_scan. */
struct named { const struct plan_evidence *e; uint32_t program; };

static bool
name_program(void *with, uint32_t phrase, size_t at, size_t length)
{
    struct named *n = with;

    (void)at, (void)length;
    if (n->e->of[phrase].kind != FIND_PROGRAM || n->e->of[phrase].flags != 0)
        return true;
    n->program = n->e->of[phrase].entry;
    return false;
}

uint32_t
evidence_program(const struct plan_evidence *e, struct span text)
{
    struct named n = { e, ENTRY_NONE };

    phrases_scan(e->phrases, text, name_program, &n);
    return n.program;
}

uint32_t
evidence_program_of(struct closure *w, uint32_t directory)
{
    const struct labeled *l = &w->in->labeling->of[directory];
    const struct program *p = l->program;

    for (size_t i = 0; i <= l->other_count && l->other_count > 0; i++)
        if (labeled_program(l, i) != NULL && closure_open(w, labeled_program(l, i)) == (l->each && !w->withheld[directory])) {
            p = labeled_program(l, i);
            break;
        }
    return evidence_program_index(w->in->facts, p);
}

/* Entries that labelling calls the program's own, and contained resources that
 * carry one of its identifiers. */
static void
collect_directories(struct closure *w, struct plan_evidence *e)
{
    static const char *const kinds[] = { "Organization", "Location", "HealthcareService", "Endpoint",
                                         "Practitioner", "PractitionerRole", NULL };

    for (uint32_t i = 0; i < w->bundle->count; i++)
        if (w->in->labeling->of[i].directory)
            collect_directory(w, e, w->bundle->entries[i].resource, evidence_program_of(w, i));
    for (uint32_t i = 0; w->in->facts->program_count > 0 && i < bundle_resources(w->bundle); i++) {
        const struct bundle_resource *r = bundle_resource_at(w->bundle, i);
        if (!r->contained || !span_in(closure_type(w, r->node), kinds))
            continue;
        tape_node identifiers = tape_member(w->tape, r->node, SPAN("identifier"));
        for (tape_node n = tape_first(w->tape, identifiers); n != TAPE_ABSENT; n = tape_next(w->tape, n)) {
            uint32_t p = evidence_program(e, tape_member_text(w->tape, n, SPAN("value"), w->arena));
            if (p != ENTRY_NONE)
                collect_directory(w, e, r->node, p);
        }
    }
}

static void
collect_person(struct closure *w, struct plan_evidence *e, tape_node name, uint32_t program)
{
    struct span family = tape_member_text(w->tape, name, SPAN("family"), w->arena);
    tape_node   given  = tape_first(w->tape, tape_member(w->tape, name, SPAN("given")));

    evidence_add_name(e, tape_member_text(w->tape, name, SPAN("text"), w->arena), program);
    if (!span_empty(family) && given != TAPE_ABSENT) {
        struct span first = tape_text(w->tape, given, w->arena);
        evidence_add_name(e, arena_format(w->arena, "%.*s %.*s", SPAN_PRINT(first), SPAN_PRINT(family)), program);
        evidence_add_name(e, arena_format(w->arena, "%.*s, %.*s", SPAN_PRINT(family), SPAN_PRINT(first)), program);
    }
}

/* As it is written, and a telephone number by its digits, with and without the area. */
static void
add_telecom(struct plan_evidence *e, struct span text, uint32_t program)
{
    struct span keys;

    evidence_add(e, text, PHRASE_WORDS, FIND_PROGRAM, program, EVIDENCE_WEAK);
    if (!text_phones(text, e->arena, &keys))
        return;
    e->phones = true;
    for (struct span key = span_split(&keys, ' '); !span_empty(key); key = span_split(&keys, ' ')) {
        evidence_add(e, key, PHRASE_WORDS, FIND_PROGRAM, program, EVIDENCE_WEAK);
        if (key.length == sizeof "tel5550100199" - 1)
            evidence_add(e, arena_join(e->arena, SPAN("tel"), span_skip(key, sizeof "tel555" - 1)), PHRASE_WORDS,
                         FIND_PROGRAM, program, EVIDENCE_WEAK);
    }
}

static void
collect_directory(struct closure *w, struct plan_evidence *e, tape_node resource, uint32_t program)
{
    const struct tape *t   = w->tape;
    tape_node          end = tape_after(t, resource);

    if (program == ENTRY_NONE)
        return;
    for (tape_node n = resource; n < end; n++) {
        if (tape_kind(t, n) != TAPE_STRING) {
            if (tape_kind(t, n) == TAPE_OBJECT && closure_named(w, n, SPAN("name")))
                collect_person(w, e, n, program);
            continue;
        }
        struct span text = tape_text(t, n, w->arena);
        if (closure_named(w, n, SPAN("name")) || closure_named(w, n, SPAN("alias")))
            evidence_add_name(e, text, program);
        else if (closure_named(w, n, SPAN("value")) && closure_in(w, n, SPAN("identifier")))
            add_program_identifier(e, text, program);
        else if (closure_named(w, n, SPAN("value")) && closure_in(w, n, SPAN("telecom")) && text.length >= 7)
            add_telecom(e, text, program);
        else if (closure_named(w, n, SPAN("line")) && text_words(text) >= 2 && text.length >= 8)
            evidence_add(e, text, PHRASE_WORDS, FIND_PROGRAM, program, EVIDENCE_WEAK);
        else if (closure_named(w, n, SPAN("address")) && text.length >= 12)
            evidence_add(e, text, PHRASE_LITERAL, FIND_PROGRAM, program, EVIDENCE_WEAK);
    }
}

/* ---- attachments --------------------------------------------------------------------------- */

/* Of the text without white space: base64 may be folded. */
static uint64_t
file_hash(struct span text)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (size_t i = 0; i < text.length; i++)
        if (text.at[i] != ' ' && text.at[i] != '\n' && text.at[i] != '\r' && text.at[i] != '\t')
            hash = (hash ^ (unsigned char)text.at[i]) * 0x100000001b3u;
    return hash;
}

static struct plan_file *
file_slot(struct plan_file *files, uint32_t mask, uint64_t hash)
{
    uint32_t i = (uint32_t)(hash >> 20) & mask;

    while (files[i].entry != 0 && files[i].hash != hash)
        i = (i + 1) & mask;
    return &files[i];
}

void
evidence_add_file(struct closure *w, struct plan_evidence *e, struct span text, uint32_t entry)
{
    if (text.length < 8)
        return;
    if (e->files == NULL || e->file_count * 2 > e->file_mask) {
        uint32_t          mask = e->files == NULL ? 63 : e->file_mask * 2 + 1;
        struct plan_file *more = arena_make_n(w->arena, (size_t)mask + 1, struct plan_file);
        if (more == NULL)
            return;
        for (uint32_t i = 0; e->files != NULL && i <= e->file_mask; i++)
            if (e->files[i].entry != 0)
                *file_slot(more, mask, e->files[i].hash) = e->files[i];
        e->files     = more;
        e->file_mask = mask;
    }
    struct plan_file *slot = file_slot(e->files, e->file_mask, file_hash(text));
    if (slot->entry == 0)
        e->file_count++;
    *slot = (struct plan_file){ file_hash(text), entry + 1, patients_both(slot->whose, e->whose[entry]),
                                 slot->anybodys || !patients_any(e->whose[entry]) };
}

uint32_t
evidence_file(const struct plan_evidence *e, struct span text, struct patient_set whose)
{
    if (e->files == NULL || text.length < 8)
        return 0;
    const struct plan_file *f = file_slot(e->files, e->file_mask, file_hash(text));
    return f->anybodys || !patients_any(whose) || patients_meet(f->whose, whose) ? f->entry : 0;
}

