/* consent/plan_matter.c -- what withheld resources are about, and what others call them. */
#include "consent/plan_evidence.h"

#include <string.h>

/* One withheld resource: why, and the entry that it is or stands in.  `stays`: of others' (collect_others), whose
 * marks, numbers and files leave with it. */
struct matter { const struct labeled *labeled; uint32_t entry; bool stays; };

static void collect_matter(struct closure *, struct plan_evidence *, tape_node, const struct matter *);
static void collect_inner(struct closure *, struct plan_evidence *, const struct plan_inner *);
static void collect_others(struct closure *, struct plan_evidence *, uint32_t entry);
static void collect_displays(struct closure *, struct plan_evidence *);

void
matter_collect(struct closure *w, struct plan_evidence *e)
{
    for (uint32_t i = 0; e->any && i < w->bundle->count; i++)
        if (w->first[i] || (w->withheld[i] && w->support != NULL && w->support[i]))
            collect_matter(w, e, w->bundle->entries[i].resource,
                           &(struct matter){ &w->in->labeling->of[i], i, false });
    for (uint32_t i = 0; e->any && i < w->bundle->count; i++)
        if (patients_any(e->others[i]) && labels_sensitive(w->in->labeling->of[i].labels) != 0)
            collect_others(w, e, i);
    bool outer = e->any;
    for (size_t i = 0; i < w->in->inner_count; i++)
        collect_inner(w, e, &w->in->inner[i]);
    if (outer)
        collect_displays(w, e);
}

/* Whether its content, and not only where it comes from or which kind it is,
 * is why the resource is withheld. */
static bool
telling(const struct facts *facts, const struct labeled *l)
{
    if (l->foreign_count > 0)
        return true;
    if (facts->labels == LABELS_GIVEN)
        return labels_sensitive(l->labels) != 0
               || labels_confidentiality(l->labels) >= labels_confidentiality(LABEL_BIT(LABEL_R));
    for (size_t i = 0; i < l->evidence_count; i++)
        if (label_kind(l->evidence[i].label) == LABEL_SENSITIVITY && strcmp(l->evidence[i].rule, "P1") != 0)
            return true;
    return false;
}

static bool
text_tells(const struct plan_evidence *e, struct span text)
{
    return text_scan(text, e->names).hit;
}

enum concept
evidence_concept(const struct closure *w, tape_node leaf)
{
    static const struct { struct span path; enum concept concept; } mains[] = {
        { SPAN("code"), CONCEPT_STRONG }, { SPAN("medicationCodeableConcept"), CONCEPT_STRONG },
        { SPAN("vaccineCode"), CONCEPT_STRONG }, { SPAN("component.code"), CONCEPT_STRONG },
        { SPAN("condition.code"), CONCEPT_STRONG }, { SPAN("description"), CONCEPT_STRONG }, { SPAN("title"), CONCEPT_STRONG },
        { SPAN("type"), CONCEPT_WEAK }, { SPAN("serviceType"), CONCEPT_WEAK }, { SPAN("category"), CONCEPT_WEAK },
        { SPAN("class"), CONCEPT_WEAK }, { SPAN("name"), CONCEPT_WEAK }, { SPAN("topic"), CONCEPT_WEAK },
        { SPAN("deviceName.name"), CONCEPT_WEAK }, { SPAN("item.productOrService"), CONCEPT_WEAK },
    };
    static const char *const inside[] = { "", ".text", ".coding.display", ".coding.code", ".display", ".code",
                                          NULL };
    char        room[256];
    struct span path = closure_path(w, leaf, room, sizeof room);

    for (size_t i = 0; !span_empty(path) && i < sizeof mains / sizeof mains[0]; i++) {
        struct span main = mains[i].path;
        if (path.at[0] == main.at[0] && span_starts(path, main) && span_in(span_skip(path, main.length), inside))
            return mains[i].concept;
    }
    return CONCEPT_NONE;
}

static void
add_phrase(struct closure *w, struct plan_evidence *e, tape_node leaf, struct span text, const struct matter *m)
{
    enum concept concept = evidence_concept(w, leaf);
    unsigned     words   = text_words(text);

    if (words == 0 || text.length < 4)
        return;
    bool tells = text_tells(e, text)
                 || (concept == CONCEPT_STRONG && telling(e->facts, m->labeled)
                     && (words > 1 || (text.length >= 5 && !text_common(text))));
    if (tells)
        evidence_add(e, text, PHRASE_WORDS, FIND_PHRASE, m->entry, 0);
    else if (concept != CONCEPT_NONE)
        evidence_add(e, text, PHRASE_WORDS, FIND_LOCAL, m->entry, 0);
}

/* Unusual marks in a text: runs of letters, digits, '-' and '_'. */
static void
add_tokens(struct plan_evidence *e, struct span text, uint32_t entry)
{
    size_t from = 0;

    for (size_t i = 0; i <= text.length; i++) {
        char c = i < text.length ? text.at[i] : ' ';
        if ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' || c == '_')
            continue;
        if (text_unusual(span_from(text.at + from, i - from)))
            evidence_add(e, span_from(text.at + from, i - from), PHRASE_LITERAL, FIND_TOKEN, entry, 0);
        from = i + 1;
    }
}

static bool
is_file_part(const struct closure *w, tape_node leaf)
{
    tape_node holder = w->parents[leaf];

    if (closure_named(w, leaf, SPAN("hash")) || closure_named(w, leaf, SPAN("data")))
        return true;
    return closure_named(w, leaf, SPAN("url"))
           && (tape_member(w->tape, holder, SPAN("contentType")) != TAPE_ABSENT
               || tape_member(w->tape, holder, SPAN("title")) != TAPE_ABSENT
               || tape_member(w->tape, holder, SPAN("hash")) != TAPE_ABSENT || closure_in(w, leaf, SPAN("attachment")));
}

static void
collect_leaf(struct closure *w, struct plan_evidence *e, tape_node n, const struct matter *m)
{
    static const char *const texts[] = { "display", "text", "title", "name", "description", "alias", NULL };
    static const char *const closed[] = { "reference", "system", "code", "id", "url", "versionId", "lastUpdated",
                                          "resourceType", "contentType", "profile", "source", "status",
                                          "questionnaire", "instantiatesCanonical", "instantiatesUri", NULL };
    struct span name = closure_name(w, n);
    struct span text = tape_text(w->tape, n, w->arena);

    if (m->stays && (is_file_part(w, n) || evidence_own_identifier(w, n)))
        return;
    if (is_file_part(w, n)) {
        evidence_add_file(w, e, text, m->entry);
        return;
    }
    if (span_eq_text(name, "code") && evidence_concept(w, n) != CONCEPT_NONE && text.length >= 4) {
        bool tells = evidence_concept(w, n) == CONCEPT_STRONG && telling(e->facts, m->labeled);
        evidence_add(e, text, PHRASE_LITERAL, FIND_CODE, m->entry, tells ? EVIDENCE_TELLS : 0);
    }
    if (evidence_own_identifier(w, n)) {
        bool narrow = text.length < 7 && !text_unusual(text);
        if (text.length >= 3)
            evidence_add(e, text, PHRASE_LITERAL, FIND_IDENTIFIER, m->entry, narrow ? EVIDENCE_NARROW : 0);
        return;
    }
    if (span_in(name, closed) || closure_in(w, n, SPAN("subject")) || closure_in(w, n, SPAN("patient")))
        return;                                               /* whose it is, is not what it is about */
    if (span_in(name, texts))
        add_phrase(w, e, n, text, m);
    if (!m->stays)
        add_tokens(e, text, m->entry);
}

static void
collect_matter(struct closure *w, struct plan_evidence *e, tape_node resource, const struct matter *m)
{
    label_set family = labels_sensitive(m->labeled->labels);
    bool      part2  = m->labeled->part2 != PART2_NOT || labels_have(m->labeled->labels, LABEL_PART2);

    if (part2 && !labels_meet(family, labels_substance_use()))
        family |= LABEL_BIT(LABEL_SUD);                       /* 2.11: it says that somebody is a patient */
    if (family & ~e->family)
        e->family_entry = m->entry;
    e->family |= family;
    uint32_t patient = patients_next(e->whose[m->entry], 0);
    do
        e->families[patient] |= family;
    while (patient != 0 && (patient = patients_next(e->whose[m->entry], patient)) != 0);
    if (m->labeled->directory || resource == TAPE_ABSENT)
        return;
    for (tape_node n = resource; n < tape_after(w->tape, resource); n++)
        if (tape_kind(w->tape, n) == TAPE_STRING)
            collect_leaf(w, e, n, m);
}

/* A drug that stays with one patient's order is the matter of those whose orders are withheld, as it is where
 * nobody else takes it. */
static void
collect_others(struct closure *w, struct plan_evidence *e, uint32_t entry)
{
    struct patient_set whose = e->whose[entry];

    e->whose[entry] = e->others[entry];
    collect_matter(w, e, w->bundle->entries[entry].resource, &(struct matter){ &w->in->labeling->of[entry], entry, true });
    e->whose[entry] = whose;
}

/* What is withheld inside an entry that stays. */
static void
collect_inner(struct closure *w, struct plan_evidence *e, const struct plan_inner *inner)
{
    const struct plan *p     = inner->plan;
    struct patient_set outer_whose = e->whose[inner->entry];

    for (uint32_t i = 0; i < p->bundle->count; i++) {
        const struct bundle_entry *b = &p->bundle->entries[i];
        struct matter              m = { &inner->labeling->of[i], inner->entry, false };
        if (p->decisions[i].verdict >= VERDICT_REDACT || p->decisions[i].rule == RULE_CLOSURE
            || b->resource == TAPE_ABSENT)
            continue;
        e->any = true;
        if (e->patient_of[inner->entry] == 0)                 /* the container is about whom this part is about */
            e->whose[inner->entry] = patients_only(evidence_patient(e, entry_patient(p->references, i, NULL)));
        collect_matter(w, e, b->resource + inner->offset, &m);
        uint32_t outer = bundle_find(w->bundle, b->type, b->id);
        if (!span_empty(b->id) && (outer == ENTRY_NONE || w->withheld[outer]))
            evidence_add(e, arena_format(w->arena, "%.*s/%.*s", SPAN_PRINT(b->type), SPAN_PRINT(b->id)),
                         PHRASE_LITERAL, FIND_IDENTIFIER, inner->entry, 0);
    }
    e->whose[inner->entry] = outer_whose;
}

/* What others call it: displays of references to what is withheld. */
static void
collect_displays(struct closure *w, struct plan_evidence *e)
{
    const struct references *refs = w->in->references;

    for (uint32_t i = 0; i < refs->count; i++) {
        const struct reference *r       = &refs->all[i];
        struct span             display = { NULL, 0 };
        if (r->form == REFERENCE_URI)
            continue;
        display = tape_member_text(w->tape, r->node, SPAN("display"), w->arena);
        if (span_empty(display))
            continue;
        if (r->to == ENTRY_NONE) {
            uint32_t program = r->to_contained == TAPE_ABSENT ? evidence_program(e, r->value) : ENTRY_NONE;
            if (program != ENTRY_NONE)
                evidence_add_name(e, display, program);
        } else if (w->in->labeling->of[r->to].directory) {
            uint32_t program = evidence_program_of(w, r->to);
            if (program != ENTRY_NONE)
                evidence_add_name(e, display, program);
        } else if (w->withheld[r->to] && display.length >= 4) {
            bool tells = text_tells(e, display)
                         || (telling(e->facts, &w->in->labeling->of[r->to]) && text_words(display) > 1);
            evidence_add(e, display, PHRASE_WORDS, tells ? FIND_PHRASE : FIND_LOCAL, r->to, 0);
        }
    }
}
