#include "consent/plan_evidence.h"

#include <string.h>

#include "fhir/element.h"

#define SUD_FAMILY                                                                                           \
    (LABEL_BIT(LABEL_SUD) | LABEL_BIT(LABEL_ETH) | LABEL_BIT(LABEL_ETHUD) | LABEL_BIT(LABEL_OPIOIDUD))
#define MIND_FAMILY (LABEL_BIT(LABEL_MH) | LABEL_BIT(LABEL_PSY) | LABEL_BIT(LABEL_PSYTHPN))

/* One withheld resource: why, and the entry that it is or stands in. */
struct matter { const struct labeled *labeled; uint32_t entry; };

static void        collect_entries(struct closure *, struct plan_evidence *);
static void        collect_programs(struct closure *, struct plan_evidence *);
static void        collect_directories(struct closure *, struct plan_evidence *);
static void        collect_directory(struct closure *, struct plan_evidence *, tape_node resource, uint32_t program);
static void        collect_matter(struct closure *, struct plan_evidence *, tape_node, const struct matter *);
static void        collect_inner(struct closure *, struct plan_evidence *, const struct plan_inner *);
static void        collect_displays(struct closure *, struct plan_evidence *);
static void        collect_own(struct closure *, struct plan_evidence *);
static void        add(struct plan_evidence *, struct span, enum phrase_form, enum find, uint32_t, bool weak);
static void        add_local(struct plan_evidence *, uint32_t phrase, uint32_t entry);
static struct span trim(struct span);
static bool        telling(const struct facts *, const struct labeled *);
static bool        unusual(struct span);
static void        add_file(struct closure *, struct plan_evidence *, struct span, uint32_t entry);
static bool        common(struct span);
static unsigned    words_in(struct span);

enum status
evidence_collect(struct closure *w, bool names, struct plan_evidence **out)
{
    const struct facts   *facts = w->in->facts;
    bool                  any   = false;
    struct plan_evidence *e;

    *out = NULL;
    for (uint32_t i = 0; i < w->bundle->count; i++)
        any = any || w->withheld[i];
    bool suspect = facts->labels == LABELS_COMPUTED && facts->sender != SENDER_NOT_PROGRAM;
    if (!any && !suspect && facts->program_count == 0 && w->in->inner_count == 0)
        return ST_OK;
    e = arena_make(w->arena, struct plan_evidence);
    if (e == NULL || (e->phrases = phrases_new(w->arena)) == NULL)
        return ST_NO_MEMORY;
    e->arena        = w->arena;
    e->facts        = facts;
    e->labeling     = w->in->labeling;
    e->suspect      = suspect;
    e->any          = any;
    e->withheld     = w->withheld;
    e->local_of     = arena_make_n(w->arena, w->bundle->count, uint32_t);
    e->opened       = arena_make_n(w->arena, facts->program_count + 1, bool);
    if (arena_spent(w->arena))
        return ST_NO_MEMORY;
    e->family_entry = ENTRY_NONE;
    if (names)
        collect_entries(w, e);
    collect_programs(w, e);
    collect_directories(w, e);
    for (uint32_t i = 0; any && i < w->bundle->count; i++)
        if (w->withheld[i])
            collect_matter(w, e, w->bundle->entries[i].resource,
                           &(struct matter){ &w->in->labeling->of[i], i });
    for (size_t i = 0; i < w->in->inner_count; i++)
        collect_inner(w, e, &w->in->inner[i]);
    if (any)
        collect_displays(w, e);
    collect_own(w, e);
    *out = e;
    return arena_status(w->arena);
}

static void
add(struct plan_evidence *e, struct span text, enum phrase_form form, enum find kind, uint32_t entry, bool weak)
{
    bool     is_new;
    uint32_t phrase = phrases_add(e->phrases, trim(text), form, kind, &is_new);

    if (phrase == PHRASE_NONE)
        return;
    if (kind == FIND_LOCAL)
        add_local(e, phrase, entry);
    if (!is_new) {
        if (kind == FIND_ENTRY && e->of[phrase].entry != entry)
            e->of[phrase].dead = true;                        /* one id, two resources: it names neither */
        e->of[phrase].weak = e->of[phrase].weak && weak;
        return;
    }
    if (phrase >= e->of_room) {
        uint32_t room = e->of_room == 0 ? 64 : e->of_room * 2;
        void    *more = arena_grow(e->arena, e->of, e->of_room * sizeof *e->of, room * sizeof *e->of);
        if (more == NULL)
            return;
        e->of      = more;
        e->of_room = room;
    }
    e->of[phrase] = (struct finding_of){ kind, entry, false, weak };
}

static void
add_local(struct plan_evidence *e, uint32_t phrase, uint32_t entry)
{
    if (e->local_count == e->local_room) {
        uint32_t room = e->local_room == 0 ? 64 : e->local_room * 2;
        void    *more = arena_grow(e->arena, e->locals, e->local_room * sizeof *e->locals, room * sizeof *e->locals);
        if (more == NULL)
            return;
        e->locals     = more;
        e->local_room = room;
    }
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

/* A literal begins and ends with a word. */
static struct span
trim(struct span text)
{
    struct word_reader r     = { text, 0 };
    struct word        word  = { 0, 0, 0 };
    size_t             first = SPAN_NOT_FOUND, last = 0;

    while (word_next(&r, &word)) {
        if (first == SPAN_NOT_FOUND)
            first = word.at;
        last = word.at + word.length;
    }
    return first == SPAN_NOT_FOUND ? (struct span){ NULL, 0 } : span_from(text.at + first, last - first);
}

/* ---- names of entries and programs ---------------------------------------------------- */

static void
collect_entries(struct closure *w, struct plan_evidence *e)
{
    for (uint32_t i = 0; i < w->bundle->count; i++) {
        const struct bundle_entry *b     = &w->bundle->entries[i];
        uint32_t                   first = i;
        if (!span_empty(b->type) && !span_empty(b->id)) {
            struct span name = arena_format(w->arena, "%.*s/%.*s", SPAN_PRINT(b->type), SPAN_PRINT(b->id));
            first            = bundle_find(w->bundle, b->type, b->id);
            add(e, name, PHRASE_LITERAL, FIND_ENTRY, first == ENTRY_NONE ? i : first, false);
            if (unusual(b->id))
                add(e, b->id, PHRASE_LITERAL, FIND_ENTRY, first == ENTRY_NONE ? i : first, false);
        }
        if (b->full_url.length >= 8) {
            uint32_t same = bundle_find_full_url(w->bundle, b->full_url);
            add(e, b->full_url, PHRASE_LITERAL, FIND_ENTRY, same == ENTRY_NONE ? first : same, false);
        }
    }
}

static struct span
host_of(struct span url)
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
static void
add_name(struct plan_evidence *e, struct span name, uint32_t program)
{
    unsigned           words = words_in(name);
    struct word_reader r     = { name, 0 };
    struct word        first, second;

    if ((words >= 2 && name.length >= 6) || (words == 1 && name.length >= 5 && !common(name)))
        add(e, name, PHRASE_WORDS, FIND_PROGRAM, program, false);
    if (words < 3 || !word_next(&r, &first) || !word_next(&r, &second))
        return;
    struct span a = span_from(name.at + first.at, first.length), b = span_from(name.at + second.at, second.length);
    if (a.length >= 3 && b.length >= 4 && !says_kind(a) && !says_kind(b))
        add(e, span_from(name.at, second.at + second.length), PHRASE_WORDS, FIND_PROGRAM, program, true);
}

static void
add_program_identifier(struct plan_evidence *e, struct span value, uint32_t program)
{
    if (value.length >= 4)
        add(e, value, PHRASE_LITERAL, FIND_PROGRAM, program, false);
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
                add(e, name, PHRASE_LITERAL, FIND_PROGRAM, p, false);
            else
                add(e, arena_format(w->arena, "%.*s/%.*s", SPAN_PRINT(type), SPAN_PRINT(id)), PHRASE_LITERAL,
                    FIND_PROGRAM, p, false);
        }
        for (size_t i = 0; i < program->identifier_count; i++)
            add_program_identifier(e, program->identifiers[i].value, p);
        for (size_t i = 0; i < program->source_count; i++) {
            struct span host = host_of(program->sources[i]);
            add(e, program->sources[i], PHRASE_LITERAL, FIND_PROGRAM, p, false);
            if (span_find_byte(host, '.') != SPAN_NOT_FOUND)
                add(e, host, PHRASE_LITERAL, FIND_PROGRAM, p, true);
        }
        for (size_t i = 0; i < program->name_count; i++)
            add_name(e, program->names[i], p);
    }
}

static uint32_t
program_index(const struct facts *facts, const struct program *program)
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
    if (n->e->of[phrase].kind != FIND_PROGRAM || n->e->of[phrase].weak)
        return true;
    n->program = n->e->of[phrase].entry;
    return false;
}

static uint32_t
program_named(const struct plan_evidence *e, struct span text)
{
    struct named n = { e, ENTRY_NONE };

    phrases_scan(e->phrases, text, name_program, &n);
    return n.program;
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
            collect_directory(w, e, w->bundle->entries[i].resource,
                              program_index(w->in->facts, w->in->labeling->of[i].program));
    for (uint32_t i = 0; w->in->facts->program_count > 0 && i < bundle_resources(w->bundle); i++) {
        const struct bundle_resource *r = bundle_resource_at(w->bundle, i);
        if (!r->contained || !span_in(closure_type(w, r->node), kinds))
            continue;
        tape_node identifiers = tape_member(w->tape, r->node, SPAN("identifier"));
        for (tape_node n = tape_first(w->tape, identifiers); n != TAPE_ABSENT; n = tape_next(w->tape, n)) {
            uint32_t p = program_named(e, tape_member_text(w->tape, n, SPAN("value"), w->arena));
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

    add_name(e, tape_member_text(w->tape, name, SPAN("text"), w->arena), program);
    if (!span_empty(family) && given != TAPE_ABSENT) {
        struct span first = tape_text(w->tape, given, w->arena);
        add_name(e, arena_format(w->arena, "%.*s %.*s", SPAN_PRINT(first), SPAN_PRINT(family)), program);
        add_name(e, arena_format(w->arena, "%.*s, %.*s", SPAN_PRINT(family), SPAN_PRINT(first)), program);
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
            add_name(e, text, program);
        else if (closure_named(w, n, SPAN("value")) && closure_in(w, n, SPAN("identifier")))
            add_program_identifier(e, text, program);
        else if (closure_named(w, n, SPAN("value")) && closure_in(w, n, SPAN("telecom")) && text.length >= 7)
            add(e, text, PHRASE_WORDS, FIND_PROGRAM, program, true);
        else if (closure_named(w, n, SPAN("line")) && words_in(text) >= 2 && text.length >= 8)
            add(e, text, PHRASE_WORDS, FIND_PROGRAM, program, true);
        else if (closure_named(w, n, SPAN("address")) && text.length >= 12)
            add(e, text, PHRASE_LITERAL, FIND_PROGRAM, program, true);
    }
}

/* ---- withheld matter -------------------------------------------------------------------- */

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

label_set
evidence_family(label_set labels)
{
    label_set s = labels_sensitive(labels);

    if (s & LABEL_BIT(LABEL_BH))
        s |= SUD_FAMILY | MIND_FAMILY;
    if (s & SUD_FAMILY)
        s |= SUD_FAMILY;
    if (s & MIND_FAMILY)
        s |= MIND_FAMILY;
    return s;
}

static bool
text_tells(const struct plan_evidence *e, struct span text)
{
    return text_scan(text, e->facts).hit;
}

enum concept
evidence_concept(const struct closure *w, tape_node leaf)
{
    static const struct { const char *path; enum concept concept; } mains[] = {
        { "code", CONCEPT_STRONG }, { "medicationCodeableConcept", CONCEPT_STRONG },
        { "vaccineCode", CONCEPT_STRONG }, { "component.code", CONCEPT_STRONG },
        { "condition.code", CONCEPT_STRONG }, { "description", CONCEPT_STRONG }, { "title", CONCEPT_STRONG },
        { "type", CONCEPT_WEAK }, { "serviceType", CONCEPT_WEAK }, { "category", CONCEPT_WEAK },
        { "class", CONCEPT_WEAK }, { "name", CONCEPT_WEAK }, { "topic", CONCEPT_WEAK },
        { "deviceName.name", CONCEPT_WEAK }, { "item.productOrService", CONCEPT_WEAK },
    };
    static const char *const inside[] = { "", ".text", ".coding.display", ".coding.code", ".display", ".code",
                                          NULL };
    char        room[256];
    struct span path = closure_path(w, leaf, room, sizeof room);

    for (size_t i = 0; i < sizeof mains / sizeof mains[0]; i++) {
        struct span main = span_of(mains[i].path);
        if (span_starts(path, main) && span_in(span_skip(path, main.length), inside))
            return mains[i].concept;
    }
    return CONCEPT_NONE;
}

static void
add_phrase(struct closure *w, struct plan_evidence *e, tape_node leaf, struct span text, const struct matter *m)
{
    enum concept concept = evidence_concept(w, leaf);
    unsigned     words   = words_in(text);

    if (words == 0 || text.length < 4)
        return;
    bool tells = text_tells(e, text)
                 || (concept == CONCEPT_STRONG && telling(e->facts, m->labeled)
                     && (words > 1 || (text.length >= 5 && !common(text))));
    if (tells)
        add(e, text, PHRASE_WORDS, FIND_PHRASE, m->entry, false);
    else if (concept != CONCEPT_NONE)
        add(e, text, PHRASE_WORDS, FIND_LOCAL, m->entry, false);
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
        if (unusual(span_from(text.at + from, i - from)))
            add(e, span_from(text.at + from, i - from), PHRASE_LITERAL, FIND_TOKEN, entry, false);
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

/* The value of a business identifier of the resource itself, not of a logical
 * reference to something else. */
static bool
own_identifier(const struct closure *w, tape_node leaf)
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

static void
collect_leaf(struct closure *w, struct plan_evidence *e, tape_node n, const struct matter *m)
{
    static const char *const texts[] = { "display", "text", "title", "name", "description", "alias", NULL };
    static const char *const closed[] = { "reference", "system", "code", "id", "url", "versionId", "lastUpdated",
                                          "resourceType", "contentType", "profile", "source", "status", NULL };
    struct span name = closure_name(w, n);
    struct span text = tape_text(w->tape, n, w->arena);

    if (is_file_part(w, n)) {
        add_file(w, e, text, m->entry);
        return;
    }
    if (span_eq_text(name, "code") && evidence_concept(w, n) != CONCEPT_NONE && text.length >= 3) {
        bool tells = evidence_concept(w, n) == CONCEPT_STRONG && telling(e->facts, m->labeled);
        add(e, text, PHRASE_LITERAL, FIND_CODE, m->entry, !tells);
    }
    if (own_identifier(w, n)) {
        if (text.length >= 5)
            add(e, text, PHRASE_LITERAL, FIND_IDENTIFIER, m->entry, false);
        return;
    }
    if (span_in(name, closed) || (w->mark[n] & MARK_LINK) || closure_in(w, n, SPAN("subject")) || closure_in(w, n, SPAN("patient")))
        return;
    if (span_in(name, texts))
        add_phrase(w, e, n, text, m);
    add_tokens(e, text, m->entry);
}

static void
collect_matter(struct closure *w, struct plan_evidence *e, tape_node resource, const struct matter *m)
{
    label_set family = evidence_family(m->labeled->labels);

    if (m->labeled->part2 != PART2_NOT || labels_have(m->labeled->labels, LABEL_PART2))
        family |= SUD_FAMILY;                                 /* 2.11: it says that somebody is a patient */
    if (family & ~e->family)
        e->family_entry = m->entry;
    e->family |= family;
    if (m->labeled->directory || resource == TAPE_ABSENT)
        return;
    for (tape_node n = resource; n < tape_after(w->tape, resource); n++)
        if (tape_kind(w->tape, n) == TAPE_STRING)
            collect_leaf(w, e, n, m);
}

/* What is withheld inside an entry that stays. */
static void
collect_inner(struct closure *w, struct plan_evidence *e, const struct plan_inner *inner)
{
    const struct plan *p = inner->plan;

    for (uint32_t i = 0; i < p->bundle->count; i++) {
        const struct bundle_entry *b = &p->bundle->entries[i];
        struct matter              m = { &inner->labeling->of[i], inner->entry };
        if (p->decisions[i].verdict >= VERDICT_REDACT || p->decisions[i].rule == RULE_CLOSURE
            || b->resource == TAPE_ABSENT)
            continue;
        e->any = true;
        collect_matter(w, e, b->resource + inner->offset, &m);
        uint32_t outer = bundle_find(w->bundle, b->type, b->id);
        if (!span_empty(b->id) && (outer == ENTRY_NONE || w->withheld[outer]))
            add(e, arena_format(w->arena, "%.*s/%.*s", SPAN_PRINT(b->type), SPAN_PRINT(b->id)), PHRASE_LITERAL,
                FIND_IDENTIFIER, inner->entry, false);
    }
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
            uint32_t program = r->to_contained == TAPE_ABSENT ? program_named(e, r->value) : ENTRY_NONE;
            if (program != ENTRY_NONE)
                add_name(e, display, program);
        } else if (w->in->labeling->of[r->to].directory) {
            uint32_t program = program_index(w->in->facts, w->in->labeling->of[r->to].program);
            if (program != ENTRY_NONE)
                add_name(e, display, program);
        } else if (w->withheld[r->to] && display.length >= 4) {
            bool tells = text_tells(e, display) || (telling(e->facts, &w->in->labeling->of[r->to]) && words_in(display) > 1);
            add(e, display, PHRASE_WORDS, tells ? FIND_PHRASE : FIND_LOCAL, r->to, false);
        }
    }
}

/* ---- what resources that stay say of themselves ------------------------------------------ */

label_set
evidence_own_labels(const struct closure *w, uint32_t entry)
{
    const struct labeled *l    = &w->in->labeling->of[entry];
    label_set             mine = 0;

    if (l->part2 != PART2_NOT)
        return evidence_family(l->labels) | SUD_FAMILY;      /* a protected record that may leave */
    for (size_t i = 0; i < l->evidence_count; i++) {
        const struct evidence *v = &l->evidence[i];
        bool loose = strcmp(v->rule, "attachment") == 0
                     || (strcmp(v->rule, "text") == 0 && evidence_concept(w, v->node) == CONCEPT_NONE);
        if (v->label != LABEL_NONE && !loose)
            mine = label_add(mine, v->label);
    }
    return evidence_family(mine);
}

static void
kill(struct plan_evidence *e, struct span text, unsigned kinds, bool only_weak)
{
    for (uint32_t p = phrases_find(e->phrases, text, PHRASE_NONE); p != PHRASE_NONE;
         p = phrases_find(e->phrases, text, p))
        if ((kinds >> e->of[p].kind & 1) && (!only_weak || e->of[p].weak))
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

/* A place that stays is called so as well. */
static bool
kill_name(void *with, uint32_t phrase, size_t at, size_t length)
{
    struct plan_evidence *e = with;

    (void)at, (void)length;
    if (e->of[phrase].kind == FIND_PROGRAM && e->of[phrase].weak)
        e->of[phrase].dead = true;
    return true;
}

/* Rows of one to four words, so that a hit of text_scan can be looked up. */
static void
add_own(struct plan_evidence *e, struct span text)
{
    size_t             starts[4] = { 0 };
    struct word_reader r         = { text, 0 };
    struct word        word;
    bool               is_new;

    for (unsigned n = 0; word_next(&r, &word); n++) {
        starts[n % 4] = word.at;
        for (unsigned k = 0; k < 4 && k <= n; k++) {
            size_t at = starts[(n - k) % 4];
            (void)phrases_add(e->own, span_from(text.at + at, word.at + word.length - at), PHRASE_WORDS, 0,
                              &is_new);
        }
    }
}

/* What a resource may say of itself stands in few members; all others are
 * passed over at once. */
enum saying { SAYING_NOTHING = 0, SAYING_ID, SAYING_VALUE, SAYING_TEXT, SAYING_NAME, SAYING_CODE, SAYING_PLACE };

static enum saying
saying_of(const struct closure *w, tape_node leaf)
{
    static const struct { const char *name; uint8_t length, saying; } rows[] = {
        { "id", 2, SAYING_ID }, { "code", 4, SAYING_CODE }, { "text", 4, SAYING_TEXT }, { "name", 4, SAYING_NAME },
        { "line", 4, SAYING_PLACE }, { "value", 5, SAYING_VALUE }, { "title", 5, SAYING_TEXT },
        { "alias", 5, SAYING_TEXT }, { "display", 7, SAYING_TEXT }, { "address", 7, SAYING_PLACE },
        { "description", 11, SAYING_TEXT },
    };
    struct span name = closure_name(w, leaf);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].length == name.length && memcmp(rows[i].name, name.at, name.length) == 0)
            return (enum saying)rows[i].saying;
    return SAYING_NOTHING;
}

static bool
is_place(struct closure *w, tape_node leaf)
{
    static const char *const places[] = { "Organization", "Location", "HealthcareService", "Practitioner",
                                          "PractitionerRole", "Endpoint", NULL };

    return span_in(closure_type(w, closure_resource(w, leaf)), places);
}

static void
own_leaf(struct closure *w, struct plan_evidence *e, tape_node n, bool same_family)
{
    enum saying saying = saying_of(w, n);

    if (saying == SAYING_NOTHING)
        return;
    struct span text = tape_text(w->tape, n, w->arena);
    if (saying == SAYING_ID || (saying == SAYING_VALUE && own_identifier(w, n))) {
        phrases_scan(e->phrases, text, kill_mark, e);
        return;
    }
    if (saying == SAYING_NAME && is_place(w, n))
        phrases_scan(e->phrases, text, kill_name, e);
    if (!same_family && phrases_find(e->phrases, text, PHRASE_NONE) == PHRASE_NONE)
        return;
    if (saying == SAYING_CODE) {
        if (evidence_concept(w, n) != CONCEPT_NONE)
            kill(e, text, 1u << FIND_CODE, false);
    } else if (saying == SAYING_VALUE || saying == SAYING_PLACE) {
        if (is_place(w, n))
            kill(e, text, 1u << FIND_PROGRAM, true);
    } else if (evidence_concept(w, n) != CONCEPT_NONE || (w->mark[w->parents[n]] & MARK_OWN)
               || (w->mark[closure_unit(w, n)] & MARK_OWN)) {
        kill(e, text, 1u << FIND_PHRASE | 1u << FIND_LOCAL, false);
        if (same_family && e->own != NULL)
            add_own(e, text);
    }
}

static void
collect_own(struct closure *w, struct plan_evidence *e)
{
    if (e->family != 0)
        e->own = phrases_new(w->arena);
    for (uint32_t i = 0; i < w->bundle->count; i++) {
        const struct labeled      *l = &w->in->labeling->of[i];
        const struct bundle_entry *b = &w->bundle->entries[i];
        if (w->withheld[i] || l->directory || b->resource == TAPE_ABSENT)
            continue;
        for (size_t k = 0; k < l->evidence_count; k++)
            if (l->evidence[k].label != LABEL_NONE && strcmp(l->evidence[k].rule, "code") == 0)
                w->mark[closure_unit(w, l->evidence[k].node)] |= MARK_OWN;
        kill(e, host_of(b->full_url), 1u << FIND_PROGRAM, true);
        if (!e->any)
            continue;                                         /* only programs to look for */
        bool same_family = (evidence_own_labels(w, i) & e->family) != 0;
        for (tape_node n = b->resource; n < tape_after(w->tape, b->resource); n++)
            if (tape_kind(w->tape, n) == TAPE_STRING)
                own_leaf(w, e, n, same_family);
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

static void
add_file(struct closure *w, struct plan_evidence *e, struct span text, uint32_t entry)
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
    *slot = (struct plan_file){ file_hash(text), entry + 1 };
}

uint32_t
evidence_file(const struct plan_evidence *e, struct span text)
{
    return e->files == NULL || text.length < 8 ? 0 : file_slot(e->files, e->file_mask, file_hash(text))->entry;
}

/* ---- what a text is worth ------------------------------------------------------------------- */

/* A mark that is hardly written twice by chance: eight or more letters and
 * digits, three digits or several changes between letters and digits.  COVID-19
 * and SARS-CoV-2 are none, nor is a date or a number. */
static bool
unusual(struct span text)
{
    unsigned letters = 0, digits = 0, changes = 0;
    int      last    = 0;

    if (text.length < 8)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        char c    = text.at[i];
        int  kind = c >= '0' && c <= '9' ? 1 : (c | 0x20) >= 'a' && (c | 0x20) <= 'z' ? 2 : 0;
        digits += kind == 1;
        letters += kind == 2;
        if (kind != 0) {
            changes += last != 0 && kind != last;
            last = kind;
        }
    }
    return letters >= 1 && (digits >= 3 || (digits >= 2 && changes >= 3));
}

/* Single words that many records share. */
static bool
common(struct span text)
{
    static const char *const words[] = {
        "active", "normal", "abnormal", "other", "unknown", "positive", "negative", "assessment", "problem",
        "encounter", "visit", "report", "history", "condition", "procedure", "medication", "observation",
        "patient", "routine", "screening", "treatment", "therapy", "counseling", "clinic", "hospital",
        "pharmacy", "laboratory", "reception", "outpatient", "inpatient", "ambulatory", "emergency", "center",
        "department", "office", "health", "medical", "general", "primary", "complete", "final", "summary",
        "document", "consent", "insurance", "support", "program", "practice", "physician", "doctor", "nurse",
        "glucose", "weight", "height", "creatinine", "depression", "anxiety", "diagnosis", "disorder", NULL
    };

    for (size_t i = 0; words[i] != NULL; i++)
        if (span_eq_nocase(text, span_of(words[i])))
            return true;
    return false;
}

static unsigned
words_in(struct span text)
{
    struct word_reader r = { text, 0 };
    struct word        word;
    unsigned           n = 0;

    while (word_next(&r, &word))
        n++;
    return n;
}
