#include "consent/plan_scan.h"

#include "base/json_walk.h"
#include "consent/plan_text.h"
#include "fhir/path.h"

#include <string.h>


/* What a string is, by the name of its member. */
enum role {
    ROLE_TEXT = 0,
    ROLE_CODE,                           /* code, system, status …: no text                           */
    ROLE_URI,                            /* a URL or identifier: names, but no prose                  */
    ROLE_LINK,                           /* a URL that searches: codes count in it                    */
    ROLE_DATA,                           /* base64                                                    */
    ROLE_SKIP,
};

struct scan {
    struct closure          *w;
    struct plan_evidence *e;
    tape_node             leaf;
    uint32_t              entry;
    enum role             role;
    struct patient_set    whose;         /* whom it is about                                          */
    struct patient_set    of_entry;      /* whom its entry says that it is about; the same            */
    const uint32_t       *was;           /* of the result: its entries in the input; NULL: the same   */
    uint32_t              was_count;
    bool                  passed;        /* there is somebody else's, which is why it was not found   */
    label_set             own;           /* what the entry may say in its own right                   */
    bool                  narrative;
    bool                  found;
    struct why            why;
    struct span           text;          /* the reading at hand                                       */
    size_t                whole;         /* length of the string itself                               */
    uint32_t              names[16];     /* entries that the text names, for edges                    */
    unsigned              name_count;
    bool                  crowded;       /* … and there are more                                      */
    bool                  kept;          /* a decision that was carried lies in what is else scratch  */
    const bool           *gone;          /* of the result: names_of_withheld()                        */
    bool                  apart;         /* the reading at hand is made of words: it has no ids, no URLs */
};

static enum role role_of(const struct closure *, tape_node leaf);
static bool      read_one(void *with, struct span text);
static bool      judge(void *with, uint32_t phrase, size_t at, size_t length);
static bool      judge_entry(struct scan *, uint32_t first, size_t at, size_t length);
static bool      judge_program(struct scan *, const struct finding_of *);
static bool      judge_phrase(struct scan *, const struct finding_of *);
static bool      judge_code(struct scan *, const struct finding_of *, size_t length);
static bool      judge_family(struct scan *, struct span text);
static bool      is_of_another(const struct scan *, const struct finding_of *);
static bool      whole_identifier(const struct scan *, size_t length);
static bool      accept(struct scan *, const char *rule, uint32_t cause, const char *because);
static void      scan_leaf(struct closure *, struct plan_evidence *, tape_node leaf);
static void      scan_data(struct scan *, struct span base64);
static void      scan_consent(struct closure *, const struct plan_evidence *, uint32_t entry);

/* ---- walking ---------------------------------------------------------------------- */

static void
scan_range(struct closure *w, struct plan_evidence *e, tape_node from, tape_node end)
{
    const struct tape *t    = w->tape;
    const uint8_t     *mark = w->mark;

    for (tape_node n = from; n < end && !w->spent; n++) {
        while (n < end && !(mark[n] & MARK_GONE) && walk_kind(t, n) != TAPE_STRING)
            n++;
        if (n == end)
            break;
        if (mark[n] & MARK_GONE)
            n = tape_after(t, n) - 1;
        else if (!(mark[n] & MARK_LINK))
            scan_leaf(w, e, n);
    }
}

void
scan_strings(struct closure *w, struct plan_evidence *e)
{
    const struct references *refs    = w->in->references;
    tape_node                entries = w->bundle->type == BUNDLE_SINGLE
                                           ? TAPE_ABSENT : tape_member(w->tape, w->bundle->root, SPAN("entry"));

    w->edge_of = arena_make_n(w->arena, w->bundle->count, uint32_t);
    if (w->edge_of == NULL) {
        w->spent = true;
        return;
    }
    for (uint32_t i = 0; i < refs->count; i++)
        if (refs->all[i].to != ENTRY_NONE || refs->all[i].to_contained != TAPE_ABSENT)
            w->mark[refs->all[i].text != TAPE_ABSENT ? refs->all[i].text : refs->all[i].node] |= MARK_LINK;
    for (uint32_t i = 0; i < w->bundle->count; i++) {         /* an entry may name itself (P1 has looked at it) */
        const struct bundle_entry *b = &w->bundle->entries[i];
        w->mark[walk_find(w->tape, b->resource, SPAN("id"))] |= MARK_LINK;
        w->mark[walk_find(w->tape, b->entry, SPAN("fullUrl"))] |= MARK_LINK;
    }
    if (w->bundle->type == BUNDLE_SINGLE) {
        scan_range(w, e, w->bundle->root, tape_after(w->tape, w->bundle->root));
    } else {
        for (tape_node m = tape_first(w->tape, w->bundle->root); m != TAPE_ABSENT; m = tape_next(w->tape, m))
            if (m != entries)
                scan_range(w, e, m, tape_after(w->tape, m));
        for (uint32_t i = 0; i < w->bundle->count; i++) {
            tape_node n = w->bundle->entries[i].entry;
            scan_range(w, e, n, tape_after(w->tape, n));
        }
    }
    for (uint32_t i = 0; e->family != 0 && i < w->bundle->count; i++)
        if (!w->withheld[i] && span_eq_text(w->bundle->entries[i].type, "Consent"))
            scan_consent(w, e, i);
}

static bool
is_narrative(const struct closure *w, tape_node leaf)
{
    return closure_named(w, leaf, SPAN("div")) && tape_kind(w->tape, w->parents[leaf]) == TAPE_OBJECT
        && closure_named(w, w->parents[leaf], SPAN("text"));
}

/* ---- a first look, that does not care where the text stands ---------------------------- */

struct look { const struct plan_evidence *e; struct arena *arena; bool found; };

static bool
look_phrase(void *with, uint32_t phrase, size_t at, size_t length)
{
    struct look *l = with;

    (void)at, (void)length;
    l->found = !l->e->of[phrase].dead && l->e->of[phrase].kind != FIND_LOCAL;
    return !l->found;
}

/* "OakRecoveryLetter.pdf": only for phrases that are words. */
static bool
look_apart(void *with, uint32_t phrase, size_t at, size_t length)
{
    struct look *l = with;

    return phrases_form(l->e->phrases, phrase) != PHRASE_WORDS || look_phrase(with, phrase, at, length);
}

static bool
look_one(void *with, struct span text)
{
    struct look *l = with;
    struct span  apart;

    phrases_scan(l->e->phrases, text, look_phrase, l);
    if (!l->found && text_apart(text, l->arena, &apart))
        phrases_scan(l->e->phrases, apart, look_apart, l);
    if (!l->found && l->e->phones && text_phones(text, l->arena, &apart))
        phrases_scan(l->e->phrases, apart, look_apart, l);
    if (!l->found && (l->e->family != 0 || l->e->suspect))
        l->found = text_scan(text, l->e->names).hit;
    return !l->found;
}

static bool
worth_judging(struct closure *w, struct plan_evidence *e, struct span text)
{
    struct look       l      = { e, w->arena, false };
    struct arena_mark before = arena_mark(w->arena);
    unsigned         *known  = memo_known(&e->memo, text);

    if (*known & (KNOWN_CLEAN | KNOWN_WORTH))
        return (*known & KNOWN_WORTH) != 0;
    (void)text_readings(text, w->arena, look_one, &l);
    if (arena_spent(w->arena))
        w->spent = true;
    arena_reset(w->arena, before);
    *known |= l.found ? KNOWN_WORTH : KNOWN_CLEAN;
    return l.found;
}

static bool
is_data(const struct closure *w, tape_node leaf)
{
    return closure_named(w, leaf, SPAN("data")) || closure_named(w, leaf, SPAN("valueBase64Binary"));
}

static void
scan_leaf(struct closure *w, struct plan_evidence *e, tape_node leaf)
{
    struct why  why;
    struct span text = walk_text(w->tape, leaf, w->arena);

    if (text.length < 3)
        return;
    if (is_narrative(w, leaf)) {
        closure_keep(w, &w->narratives, leaf);
        return;
    }
    bool     part = e->files != NULL
                && (closure_named(w, leaf, SPAN("data")) || closure_named(w, leaf, SPAN("hash"))
                    || closure_named(w, leaf, SPAN("url")));
    uint32_t file = part ? evidence_file(e, text, evidence_patients_at(w, e, bundle_entry_of(w->bundle, leaf), leaf)) : 0;
    if (file != 0) {
        closure_cut_text(w, leaf, (struct why){ "C7", file - 1, "it is another copy of a withheld attachment" });
        return;
    }
    bool data = text.length >= 16 && is_data(w, leaf);
    if (!data && ((*memo_known(&e->memo, text) & KNOWN_CLEAN) || !worth_judging(w, e, text)))
        w->mark[leaf] |= MARK_CLEAN;
    else if (scan_mentions(w, e, leaf, text, true, &why))
        closure_cut_text(w, leaf, why);
}

void
scan_narratives(struct closure *w, struct plan_evidence *e)
{
    uint32_t stamped = ENTRY_NONE;

    for (uint32_t i = 0; i < w->narratives.count && !w->spent; i++) {
        tape_node  div   = w->narratives.all[i];
        uint32_t   entry = bundle_entry_of(w->bundle, div);
        struct why why;
        if (closure_gone(w, div))
            continue;
        bool touched = entry != ENTRY_NONE && w->touched[entry];
        if (touched && stamped != entry)
            evidence_stamp(w, e, stamped = entry);
        struct span text = tape_text(w->tape, div, w->arena);
        if ((touched || worth_judging(w, e, text)) && scan_mentions(w, e, div, text, true, &why)
            && !narrative_cut_rows(w, e, div))
            closure_cut_text(w, div, why);
    }
}

void
scan_crowded(struct closure *w, struct plan_evidence *e)
{
    for (uint32_t i = 0; i < w->crowded.count && !w->spent; i++) {
        tape_node  leaf = w->crowded.all[i];
        struct why why;
        if (!closure_gone(w, leaf) && scan_mentions(w, e, leaf, tape_text(w->tape, leaf, w->arena), false, &why))
            closure_cut_text(w, leaf, why);
    }
}

/* ---- judging ----------------------------------------------------------------------- */

bool
scan_mentions(struct closure *w, struct plan_evidence *e, tape_node leaf, struct span text, bool edges,
              struct why *why)
{
    struct scan s = { .w = w, .e = e, .leaf = leaf, .entry = bundle_entry_of(w->bundle, leaf),
                      
                      .role = role_of(w, leaf), .whole = text.length };

    if (s.role == ROLE_SKIP)
        return false;
    s.narrative = is_narrative(w, leaf);
    s.whose     = evidence_patients_at(w, e, s.entry, leaf);
    s.of_entry  = patients_only(s.entry != ENTRY_NONE ? e->patient_of[s.entry] : 0);
    if (s.entry != ENTRY_NONE && (e->family != 0 || e->suspect))
        s.own = evidence_own_labels(w, s.entry);
    struct arena_mark before = arena_mark(w->arena);          /* the readings are scratch; nothing else is kept */
    if (s.role == ROLE_DATA)
        scan_data(&s, text);
    else
        (void)text_readings(text, w->arena, read_one, &s);
    if (arena_spent(w->arena))
        w->spent = true;
    if (!s.kept)
        arena_reset(w->arena, before);
    for (unsigned i = 0; edges && !s.found && i < s.name_count; i++)
        closure_edge_add(w, leaf, s.names[i]);
    if (edges && !s.found && s.crowded)
        closure_keep(w, &w->crowded, leaf);
    *why = s.why;
    return s.found;
}

static bool
read_one(void *with, struct span text)
{
    struct scan *s = with;
    struct span  apart;

    s->text = text;
    phrases_scan(s->e->phrases, text, judge, s);
    s->apart = true;
    if (!s->found && text_apart(text, s->w->arena, &apart))
        phrases_scan(s->e->phrases, apart, judge, s);
    if (!s->found && s->e->phones && text_phones(text, s->w->arena, &apart))
        phrases_scan(s->e->phrases, apart, judge, s);
    s->apart = false;
    if (!s->found && s->role == ROLE_TEXT)
        s->found = judge_family(s, text);
    return !s->found;
}

/* Answers whether to go on. */
static bool
judge(void *with, uint32_t phrase, size_t at, size_t length)
{
    struct scan             *s  = with;
    const struct finding_of *of = &s->e->of[phrase];

    if (of->dead || ((of->flags & EVIDENCE_NARROW) && !whole_identifier(s, length)))
        return true;
    if (s->apart && phrases_form(s->e->phrases, phrase) != PHRASE_WORDS)
        return true;
    if (is_of_another(s, of))
        return true;
    switch (of->kind) {
    case FIND_ENTRY:
        return !judge_entry(s, of->entry, at, length);
    case FIND_PROGRAM:
        return !judge_program(s, of);
    case FIND_IDENTIFIER:
        return !accept(s, "C5", of->entry, "it has an identifier of something withheld");
    case FIND_TOKEN:
        if (s->role == ROLE_CODE)
            return true;
        return !accept(s, "C5", of->entry, "it repeats a mark of something withheld");
    case FIND_PHRASE:
        return !judge_phrase(s, of);
    case FIND_LOCAL:
        if (!s->narrative || s->entry == ENTRY_NONE || s->e->stamp == NULL || s->e->stamp[phrase] != s->entry + 1)
            return true;
        return !accept(s, "C4", of->entry, "its narrative tells of what it referred to");
    case FIND_CODE:
        return !judge_code(s, of, length);
    }
    return true;
}

/* Somebody else's matter is no secret of this one's record; but an identifier refers to it, whoever says it.  A mark is
 * judged by what the entry itself says, as the check of the result (B4) can do as well. */
static bool
is_of_another(const struct scan *s, const struct finding_of *of)
{
    struct patient_set whose = of->kind == FIND_TOKEN ? s->of_entry : s->whose;

    return of->patient != 0 && patients_any(whose) && !patients_have(whose, of->patient) && of->kind != FIND_IDENTIFIER;
}

/* The whole value of an Identifier. */
static bool
whole_identifier(const struct scan *s, size_t length)
{
    return length == s->whole && closure_named(s->w, s->leaf, SPAN("value"))
           && closure_in(s->w, s->leaf, SPAN("identifier"));
}

static bool
accept(struct scan *s, const char *rule, uint32_t cause, const char *because)
{
    if (rule[0] == 'C' && closure_named(s->w, s->leaf, SPAN("reference")))
        rule = "C2";
    else if (rule[0] == 'C' && closure_in(s->w, s->leaf, SPAN("meta")))
        rule = "C9";
    else if (rule[0] == 'C' && closure_in(s->w, s->leaf, SPAN("extension")))
        rule = "C6";
    s->found = true;
    s->why   = (struct why){ rule, cause, because };
    return true;
}

static bool
judge_entry(struct scan *s, uint32_t first, size_t at, size_t length)
{
    struct span speaker = s->entry == ENTRY_NONE ? (struct span){ NULL, 0 }
                                                 : evidence_base(&s->w->bundle->entries[s->entry]);
    uint32_t    to      = evidence_named(s->w->bundle, s->w->withheld, first, s->text, at, length, speaker);

    if (to == ENTRY_NONE || evidence_same(s->w->bundle, s->entry, to))
        return false;
    if (s->w->withheld[to])
        return accept(s, "C5", to, "it names something withheld");
    for (unsigned i = 0; i < s->name_count; i++)
        if (s->names[i] == to)
            return false;
    if (s->name_count < sizeof s->names / sizeof s->names[0])
        s->names[s->name_count++] = to;
    else
        s->crowded = true;
    return false;
}

/* A patient named as the clinic is. */
static bool
own_name(const struct closure *w, tape_node leaf)
{
    uint32_t entry = bundle_entry_of(w->bundle, leaf);

    return entry != ENTRY_NONE && span_eq_text(w->bundle->entries[entry].type, "Patient")
           && closure_in(w, leaf, SPAN("name")) && !closure_in(w, leaf, SPAN("contact"));
}

/* Streets and people are called as clinics are. */
static bool
is_street_or_person(struct closure *w, tape_node leaf)
{
    static const char *const names[]  = { "line", "city", "district", "family", "given", NULL };
    static const char *const people[] = { "Patient", "RelatedPerson", "Person", NULL };

    if (span_in(closure_name(w, leaf), names))
        return true;
    tape_node holder = w->parents[leaf];
    return closure_named(w, leaf, SPAN("text"))
           && (closure_named(w, holder, SPAN("address"))
               || (closure_named(w, holder, SPAN("name")) && span_in(closure_type(w, closure_resource(w, leaf)), people)));
}

/* meta.source */
static bool
is_source(const struct closure *w, tape_node leaf)
{
    return closure_named(w, leaf, SPAN("source")) && closure_named(w, w->parents[leaf], SPAN("meta"));
}

/* The tie that leaves is a disclosure of its own: it has its basis, and the
 * notice and the copy of the consent go with it (42 CFR 2.32). */
static void
carry(struct scan *s, const struct decision *basis, struct span because)
{
    struct decision *d       = &s->w->decisions[s->entry];
    enum verdict     verdict = d->verdict;
    uint32_t         before  = d->obligations;

    if ((basis->obligations & ~before) == 0)
        return;
    *d             = *basis;
    d->verdict     = verdict;
    d->because     = because;            /* not scratch */
    d->obligations = basis->obligations | before;
    s->kept        = s->kept || basis->also_count > 0;
}

static bool
is_apart(const struct closure *w, const struct labeled *l, tape_node leaf)
{
    for (size_t i = 0; i < l->apart_count; i++)
        if (leaf >= l->apart[i].node && leaf < tape_after(w->tape, l->apart[i].node))
            return true;
    return false;
}

/* Who was no program when it was made, and is named there: a record of today's own words. */
static bool
of_another_time(const struct scan *s)
{
    const struct labeled *l = s->entry != ENTRY_NONE ? &s->e->labeling->of[s->entry] : NULL;

    if (l == NULL || l->apart_count == 0)
        return false;
    tape_node resource = s->w->bundle->entries[s->entry].resource;      /* else in fullUrl or request.url: its own name */
    return is_apart(s->w, l, s->leaf < resource || s->leaf >= tape_after(s->w->tape, resource) ? resource : s->leaf);
}

/* A document inside has judged its own mentions, each for its own patient. */
static bool
opened_inside(const struct scan *s, uint32_t program)
{
    const struct plan_inner *inner = evidence_inner(s->w, s->leaf);

    return inner != NULL && inner->plan->evidence != NULL && inner->plan->evidence->opened[program];
}

/* Whoever may have the program's records of this patient may have its name. */
static bool
judge_program(struct scan *s, const struct finding_of *of)
{
    uint32_t               program = of->entry;
    const struct facts    *facts = s->e->facts;
    const struct plan_ask *ask   = s->w->in->ask;
    bool patient = s->entry != ENTRY_NONE && span_eq_text(s->w->bundle->entries[s->entry].type, "Patient");

    if (s->entry != ENTRY_NONE) {
        const struct labeled *l = &s->e->labeling->of[s->entry];
        if (labeled_of(l, &facts->programs[program]) || opened_inside(s, program)) {
            s->e->opened[program] = true;                     /* its own record, and permitted */
            return false;
        }
        if (of_another_time(s))
            return false;
        if ((of->flags & EVIDENCE_WEAK) && is_source(s->w, s->leaf))
            return false;                                     /* another base URL on the host: P1 has judged it */
        if (own_name(s->w, s->leaf) || ((of->flags & EVIDENCE_NAME) && is_street_or_person(s->w, s->leaf)))
            return false;
        struct decision say = { .verdict = VERDICT_DENY };
        if (ask != NULL)
            say = ask->as_if(ask->with, s->entry, labels_substance_use(), PART2_CONFIRMED, &facts->programs[program]);
        if (say.verdict >= VERDICT_REDACT) {
            s->e->opened[program] = true;
            if (of->flags == 0)
                carry(s, &say, SPAN("it names a Part 2 program, and the patient lets this recipient know"));
            return false;
        }
    }
    s->w->told[program] = true;
    return accept(s, patient ? "P5" : "C5", ENTRY_NONE, "it leads to a Part 2 program");
}

/* The concept that a resource states itself is labelling's to judge. */
static bool
own_statement(const struct scan *s)
{
    const struct closure *w = s->w;

    return evidence_concept(w, s->leaf) != CONCEPT_NONE || w->mark[w->parents[s->leaf]] & MARK_OWN
           || w->mark[closure_unit(w, s->leaf)] & MARK_OWN;
}

/* What a Questionnaire asks, and what a terminology defines: no record relates to a
 * patient by it (42 CFR 2.11, "Records").  Only in the places for it: the rest of such a
 * resource may tell of somebody. */
static bool
is_definition(const struct scan *s)
{
    static const char *const asked[]   = { "text", "prefix", NULL };
    static const char *const defined[] = { "display", "definition", NULL };
    const struct closure    *w         = s->w;

    if (s->entry == ENTRY_NONE || s->narrative || closure_in(w, s->leaf, SPAN("extension")))
        return false;
    struct span type = tape_member_text(w->tape, closure_resource(w, s->leaf), SPAN("resourceType"), w->arena);
    if (span_eq_text(type, "Questionnaire"))
        return span_in(closure_name(w, s->leaf), asked) && closure_named(w, w->parents[s->leaf], SPAN("item"));
    return (span_eq_text(type, "ValueSet") || span_eq_text(type, "CodeSystem"))
        && span_in(closure_name(w, s->leaf), defined)
        && (closure_in(w, s->leaf, SPAN("concept")) || closure_in(w, s->leaf, SPAN("contains")));
}

static bool
judge_phrase(struct scan *s, const struct finding_of *of)
{
    if (s->role == ROLE_CODE || (!s->narrative && own_statement(s)) || is_definition(s) || of_another_time(s))
        return false;
    return accept(s, s->narrative ? "C4" : "C5", of->entry, "it repeats what something withheld is about");
}

static bool
judge_code(struct scan *s, const struct finding_of *of, size_t length)
{
    if (s->role == ROLE_LINK)
        return length >= 5 && accept(s, "C8", of->entry, "its URL searches for a withheld code");
    if (!(of->flags & EVIDENCE_TELLS) || s->role != ROLE_CODE || length != s->whole || !closure_named(s->w, s->leaf, SPAN("code"))
        || own_statement(s))
        return false;
    return accept(s, "C5", of->entry, "it repeats the code of something withheld");
}

/* A resource that stays says the same of the same patient, or of nobody; there without
 * the markup that a narrative puts around a word or into it. */
static bool
explained(const struct plan_evidence *e, struct patient_set whose, struct span said, struct arena *scratch)
{
    if (e->own == NULL)
        return false;
    struct span words = text_without_tags(said, scratch);
    for (uint32_t p = phrases_find(e->own, words, PHRASE_NONE); p != PHRASE_NONE; p = phrases_find(e->own, words, p))
        if (phrases_kind(e->own, p) == 0 || patients_have(whose, phrases_kind(e->own, p)))
            return true;
    return false;
}

/* Whoever may have the record may have its words, with the notice. */
static bool
may_tell(struct scan *s, enum label said)
{
    struct decision say = { .verdict = VERDICT_DENY };

    if (s->entry != ENTRY_NONE)
        say = evidence_asked(s->w, s->entry, said);
    if (say.verdict < VERDICT_REDACT)
        return false;
    carry(s, &say, SPAN("its text tells of substance use, and the patient lets this recipient know"));
    return true;
}

static bool
judge_family(struct scan *s, struct span text)
{
    const struct plan_evidence *e      = s->e;
    label_set                   family = evidence_family_for(e, s->whose);
    size_t                      at     = 0;

    if ((family == 0 && !e->suspect) || (!s->narrative && own_statement(s)))
        return false;
    while (at < text.length) {
        struct text_hit hit = text_scan(span_skip(text, at), e->names);
        if (!hit.hit)
            return false;
        struct span words = span_first(span_skip(text, at + hit.at), hit.length);
        bool        own   = (evidence_family(label_add(0, hit.label)) & s->own) != 0 || explained(e, s->whose, words, s->w->arena);
        if (!own && family != 0 && evidence_kin(e, hit.label, family) && !is_definition(s))
            return accept(s, s->narrative ? "C4" : "C5", e->family_entry, "its text tells of withheld matter");
        if (!own && e->suspect && labels_have(labels_substance_use(), hit.label)
            && !is_definition(s) && !may_tell(s, hit.label))
            return accept(s, s->e->facts->sender == SENDER_NOT_PROGRAM ? "C5" : "P3", ENTRY_NONE,
                          "its text tells of what the reader may not have");
        at += hit.at + (hit.length > 0 ? hit.length : 1);
    }
    return false;
}

/* ---- what a string is ----------------------------------------------------------------- */

/* Attachment.url, Extension.url: the name of a file or of an element says what is in it. */
static bool
tells_by_its_address(const struct closure *w, tape_node leaf)
{
    return closure_named(w, leaf, SPAN("url")) && w->parents[leaf] != closure_resource(w, leaf);
}

static enum role
role_of(const struct closure *w, tape_node leaf)
{
    static const char *const codes[] = { "code", "status", "intent", "contentType", "language", "use", "method",
                                         "mode", "gender", "unit", "hash", "xmlns", "lifecycleStatus", "priority",
                                         "criticality", "lastUpdated", "creation", "recorded", "when", "date",
                                         "start", "end", NULL };
    static const char *const uris[] = { "system", "url", "uri", "reference", "fullUrl", "source", "id",
                                        "valueUri", "valueUrl", "valueCanonical", "valueOid", "valueUuid",
                                        "valueId", "endpoint", "instantiatesCanonical", "instantiatesUri",
                                        "versionId", "etag", NULL };
    struct span name = closure_name(w, leaf);

    if (span_eq_text(name, "resourceType"))
        return ROLE_SKIP;
    if (span_eq_text(name, "id") || span_eq_text(name, "fullUrl")) {
        uint32_t entry = bundle_entry_of(w->bundle, leaf);
        if (entry != ENTRY_NONE && span_eq_text(w->bundle->entries[entry].type, "Patient"))
            return ROLE_SKIP;                                 /* the twin has it, too */
    }
    if (span_eq_text(name, "code"))
        return closure_in(w, leaf, SPAN("tag")) ? ROLE_TEXT : ROLE_CODE;
    if (span_in(name, codes))
        return ROLE_CODE;
    if (span_eq_text(name, "ifNoneExist") || span_eq_text(name, "location") || span_eq_text(name, "valueUrl")
        || (span_eq_text(name, "url") && (closure_in(w, leaf, SPAN("link")) || closure_in(w, leaf, SPAN("request")))))
        return ROLE_LINK;
    if (tells_by_its_address(w, leaf))
        return ROLE_TEXT;
    if (span_in(name, uris))
        return ROLE_URI;
    if (span_eq_text(name, "valueBase64Binary"))
        return ROLE_DATA;
    if (span_eq_text(name, "data"))
        return closure_in(w, leaf, SPAN("signature"))                                             ? ROLE_SKIP
               : tape_member(w->tape, w->parents[leaf], SPAN("origin")) != TAPE_ABSENT ? ROLE_CODE
                                                                                       : ROLE_DATA;
    return ROLE_TEXT;
}

/* ---- attachments (C7) ------------------------------------------------------------------- */

static void
scan_data(struct scan *s, struct span base64)
{
    s->role = ROLE_TEXT;
    (void)text_attachment(base64, s->w->arena, read_one, s);
    if (s->found)
        s->why.rule = "C7";
}

/* ---- consents about withheld matter (P6) --------------------------------------------------- */

/* A Consent that regulates exactly the kind of record that is withheld exists
 * because of it. */
static void
scan_consent(struct closure *w, const struct plan_evidence *e, uint32_t entry)
{
    tape_node resource = w->bundle->entries[entry].resource;
    tape_node from     = tape_member(w->tape, resource, SPAN("provision"));

    for (tape_node n = from; from != TAPE_ABSENT && n < tape_after(w->tape, from); n++) {
        if (tape_kind(w->tape, n) != TAPE_OBJECT || !closure_named(w, n, SPAN("securityLabel")))
            continue;
        enum label l = label_of_coding(tape_member_text(w->tape, n, SPAN("system"), w->arena),
                                       tape_member_text(w->tape, n, SPAN("code"), w->arena));
        bool law = l == LABEL_PART2 && labels_meet(e->family, labels_substance_use());
        if (law || labels_meet(evidence_family(label_add(0, l)), e->family)) {
            closure_withhold(w, entry, (struct why){ "P6", e->family_entry, "it regulates what is withheld" });
            return;
        }
    }
}

/* ---- the result, once more (B4) --------------------------------------------------------------- */

/* Per entry: it is withheld, or another one of its name is.  What names none of these names
 * nothing withheld, whoever says it. */
static const bool *
names_of_withheld(const struct plan_evidence *e, struct arena *arena)
{
    const struct bundle *b    = e->bundle;
    bool                *gone = arena_make_n(arena, (size_t)b->count + 1, bool);

    for (uint32_t i = 0; gone != NULL && i < b->count; i++) {
        if (!e->withheld[i] || gone[i])                       /* gone: so are all of its name */
            continue;
        gone[i] = true;
        for (uint32_t k = bundle_first_same(b, i); k != ENTRY_NONE; k = bundle_next_same(b, k))
            gone[k] = true;
    }
    return gone;
}

static bool
names_withheld(const struct scan *s, uint32_t first, size_t at, size_t length)
{
    if (!s->gone[first])
        return false;
    uint32_t    entry   = bundle_entry_of(s->w->bundle, s->leaf);
    struct span speaker = entry == ENTRY_NONE ? (struct span){ NULL, 0 }
                                              : evidence_base(&s->w->bundle->entries[entry]);
    uint32_t    to      = evidence_named(s->e->bundle, s->e->withheld, first, s->text, at, length, speaker);

    return to != ENTRY_NONE && s->e->withheld[to];
}

static struct patient_set
patients_of_result(const struct scan *s)
{
    uint32_t entry = bundle_entry_of(s->w->bundle, s->leaf);

    if (s->was != NULL)
        entry = entry < s->was_count ? s->was[entry] : ENTRY_NONE;       /* what goes along is about nobody */
    return patients_only(entry != ENTRY_NONE ? s->e->patient_of[entry] : 0);
}

static bool
judge_strong(void *with, uint32_t phrase, size_t at, size_t length)
{
    struct scan             *s  = with;
    const struct finding_of *of = &s->e->of[phrase];

    if (of->dead || (of->flags & EVIDENCE_NARROW))
        return true;
    if (of->kind == FIND_TOKEN)
        s->of_entry = patients_of_result(s);
    if (of->kind == FIND_TOKEN && is_of_another(s, of))
        s->passed = true;
    else if (of->kind == FIND_IDENTIFIER || of->kind == FIND_TOKEN)
        s->found = true;
    else if (of->kind == FIND_ENTRY)
        s->found = names_withheld(s, of->entry, at, length);
    else if (of->kind == FIND_PROGRAM)
        s->found = !s->e->opened[of->entry] && !(of->flags & EVIDENCE_WEAK)
                   && !((of->flags & EVIDENCE_NAME) && is_street_or_person(s->w, s->leaf));
    return !s->found;
}

static bool
read_strong(void *with, struct span text)
{
    struct scan *s = with;

    s->text = text;
    phrases_scan(s->e->phrases, text, judge_strong, s);
    return !s->found;
}

/* Where the scan of the input has let it stand. */
static bool
may_not_say(struct scan *s)
{
    enum role role = role_of(s->w, s->leaf);

    return role != ROLE_SKIP && role != ROLE_CODE && !own_name(s->w, s->leaf);
}

/* Of a record that stays: who was no program when it was made, and is named there. */
static void
open_former(struct plan_evidence *e, const struct labeled *l, struct arena *arena)
{
    const struct tape *t = e->bundle->tape;

    for (size_t i = 0; i < l->apart_count; i++)
        for (tape_node n = l->apart[i].node; n < tape_after(t, l->apart[i].node); n++) {
            uint32_t program = tape_kind(t, n) == TAPE_STRING ? evidence_program(e, tape_text(t, n, arena)) : ENTRY_NONE;
            if (program != ENTRY_NONE)
                e->opened[program] = true;
        }
}

/* Whose record stays is known, also where it says so in its fullUrl alone. */
static void
open_what_stays(struct plan_evidence *e, struct arena *arena)
{
    for (uint32_t i = 0; i < e->bundle->count; i++) {
        const struct labeled *l = &e->labeling->of[i];
        if (!e->withheld[i] && l->apart_count > 0)
            open_former(e, l, arena);
        for (size_t k = 0; !e->withheld[i] && !l->directory && k <= l->other_count; k++) {
            uint32_t program = evidence_program_index(e->facts, labeled_program(l, k));
            if (program != ENTRY_NONE)
                e->opened[program] = true;
        }
    }
}

/* Whether the string at this place of the input, which is this in the result, may hold something. */
static bool
may_hold(struct scan *s, struct memo *memo, tape_node leaf, struct span text, bool escaped)
{
    unsigned  none  = 0;
    unsigned *known = escaped ? &none : memo_known(memo, text);

    s->leaf   = leaf;
    s->passed = false;
    if (text.length < 3 || (*known & KNOWN_CLEAN))
        return false;
    if (text.length >= 16 && is_data(s->w, leaf))
        (void)text_attachment(text, s->w->arena, read_strong, s);
    else
        (void)text_readings(text, s->w->arena, read_strong, s);
    if (!s->found && !s->passed)
        *known |= KNOWN_CLEAN;
    return s->found;
}

bool
scan_finds_nothing(const struct plan *plan, const struct tape *result, const tape_node *now, const tape_node *edited,
                   struct arena *arena)
{
    const struct bundle  *b    = plan->bundle;
    struct plan_evidence *e    = plan->evidence;
    struct closure        w    = { .bundle = b, .tape = b->tape, .parents = b->parents, .arena = arena };
    struct memo          *memo = arena_make(arena, struct memo);
    struct scan           s    = { .w = &w, .e = e, .gone = names_of_withheld(e, arena) };
    bool                  some = memo == NULL || s.gone == NULL;

    open_what_stays(e, arena);
    tape_node end = tape_count(b->tape) + 1;
    for (tape_node n = walk_next_string(b->tape, b->root, end); n < end && !some; n = walk_next_string(b->tape, n + 1, end)) {
        if (now[n] == TAPE_ABSENT || (plan->mark[n] & MARK_CLEAN))
            continue;
        struct arena_mark before = arena_mark(arena);
        some = may_hold(&s, memo, n, walk_text(result, now[n], arena), walk_escaped(result, now[n])) || arena_spent(arena);
        arena_reset(arena, before);
    }
    for (size_t i = 0; i < plan->edit_count && !some && !arena_spent(arena); i++)
        if (edited[i] != TAPE_ABSENT && tape_kind(result, edited[i]) != TAPE_NUMBER)
            some = tape_kind(result, edited[i]) != TAPE_STRING
                || may_hold(&s, memo, plan->edits[i].node, tape_text(result, edited[i], arena), true);
    return !some;
}

bool
scan_leaks(const struct plan *plan, const struct bundle *result, struct arena *arena, struct span *where)
{
    struct plan_evidence *e = plan->evidence;
    struct closure           w = { .bundle = result, .tape = result->tape, .parents = result->parents, .arena = arena };
    struct memo          *memo = arena_make(arena, struct memo);
    const bool           *gone = names_of_withheld(e, arena);
    uint32_t             *was  = arena_make_n(arena, e->bundle->count, uint32_t), kept = 0;
    tape_node             meta = result->type == BUNDLE_SINGLE ? TAPE_ABSENT
                                                              : tape_member(w.tape, result->root, SPAN("meta"));

    /* Its entries are those that stay, in order, and behind them what goes along. */
    for (uint32_t i = 0; was != NULL && i < e->bundle->count; i++)
        if (!e->withheld[i])
            was[kept++] = i;
    open_what_stays(e, arena);
    for (tape_node n = result->root; memo != NULL && gone != NULL && n <= tape_count(w.tape) && !arena_spent(arena); n++) {
        if (n == meta && meta != TAPE_ABSENT) {
            n = tape_after(w.tape, n) - 1;                    /* notices and the consent's scope name things */
            continue;
        }
        if (tape_kind(w.tape, n) != TAPE_STRING)
            continue;
        struct scan       s      = { .w = &w, .e = e, .leaf = n, .gone = gone, .was = was, .was_count = kept };
        struct arena_mark before = arena_mark(arena);
        struct span       text   = tape_text(w.tape, n, arena);
        unsigned          none   = 0;
        unsigned         *known  = tape_escaped(w.tape, n) ? &none : memo_known(memo, text);   /* else it is scratch */
        if (text.length < 3 || (*known & KNOWN_CLEAN))
            continue;
        if (text.length >= 16 && is_data(&w, n))
            (void)text_attachment(text, arena, read_strong, &s);
        else
            (void)text_readings(text, arena, read_strong, &s);
        arena_reset(arena, before);
        if (!s.found && !s.passed)
            *known |= KNOWN_CLEAN;
        s.found = s.found && may_not_say(&s);
        if (s.found) {
            *where = path_of(w.tape, w.parents, n, arena);
            return true;
        }
    }
    return false;
}
