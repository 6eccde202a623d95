#include "consent/labeling_work.h"

#include <string.h>

/* Members that mean something here; everything else is walked through. */
enum element {
    E_OTHER = 0, E_RESOURCE_TYPE, E_CODING, E_CODE, E_SYSTEM, E_DISPLAY, E_TEXT, E_DIV, E_META, E_REFERENCE,
    E_IDENTIFIER, E_VALUE, E_UNIT, E_DATA, E_URL, E_TITLE, E_NAME, E_ALIAS, E_DESCRIPTION, E_TOPIC, E_CONCLUSION,
    E_CONTENT_STRING, E_VALUE_STRING, E_VALUE_CODE, E_VALUE_BOOLEAN, E_DETAIL, E_SUMMARY, E_ITEM, E_ANSWER,
    E_LINK_ID, E_ORIGIN, E_SIGNATURE, E_DOSAGE, E_REASON, E_SECTION, E_EXTENSION, E_MODIFIER, E_REVENUE, E_PLACE,
    E_MEDICATION, E_PRODUCT, E_PACKAGE, E_NOTE, E_VALUE_BASE64, E_VALUE_CONCEPT, E_INTERPRETATION, E_STATUS,
};

/* Where the walk is. */
struct where {
    enum element element;                /* the member that holds this object or array */
    unsigned     depth;                  /* objects between here and the resource      */
    tape_node    mention;                /* not ABSENT: what is found is a mention, and this is what says it */
    bool         reason;                 /* inside an indication or a dosage: its contexts count */
    bool         extension;
    label_set    asked;                  /* what the texts of the response's items around it ask about */
};

struct members {                         /* of one object */
    tape_node coding, code, system, display, text, div, value, unit, data, url, origin, link_id, answer,
              reference;                 /* or identifier */
    bool      other;                     /* members that no CodeableConcept has */
};

struct walk {
    struct work *w;
    struct unit *unit;
    uint32_t     next;                   /* the next unit that may be inside this one */
    struct asked asked;                  /* Questionnaires of a response              */
};

static void         walk_object(struct walk *, tape_node object, struct where);
static void         walk_member(struct walk *, tape_node value, enum element, struct where, struct members *);
static void         note_shown(struct walk *, tape_node object, tape_node display);
static void         read_meta(struct walk *, tape_node meta);
static bool         read_coding(struct walk *, tape_node coding, struct where, bool *quiet);
static void         read_concept(struct walk *, const struct members *, struct where);
static void         read_text(struct walk *, tape_node leaf, struct where);
static void         read_contexts(struct walk *, tape_node leaf);
static void         read_data(struct walk *, tape_node leaf, struct where);
static void         begin_response(struct walk *);
static void         read_answer(struct walk *, const struct members *, struct where);
static void         settle(struct walk *);
static enum element element_of(struct span name);

/* ---- units ------------------------------------------------------------------- */

void
content_label(struct work *w)
{
    for (uint32_t i = 0; i < w->unit_count; i++) {
        struct walk walk = { .w = w, .unit = &w->units[i], .next = i + 1 };
        if (walk.unit->entry == ENTRY_NONE)
            continue;
        if (w->facts->labels == LABELS_GIVEN) {
            read_meta(&walk, tape_member(w->tape, walk.unit->node, SPAN("meta")));
            continue;
        }
        if (walk.unit->kind == UNIT_RESPONSE)
            begin_response(&walk);
        walk_object(&walk, walk.unit->node, (struct where){ .mention = TAPE_ABSENT });
        settle(&walk);
    }
}

/* The caller has compared the length; the compiler knows it and makes no call. */
static inline __attribute__((always_inline)) bool
is(struct span s, const char *text)
{
    return memcmp(s.at, text, strlen(text)) == 0;
}

static enum element
element_of(struct span s)
{
    switch (s.length) {
    case 3:
        return is(s, "url") ? E_URL : is(s, "div") ? E_DIV : E_OTHER;
    case 4:
        return is(s, "code") ? E_CODE : is(s, "text") ? E_TEXT : is(s, "meta") ? E_META : is(s, "data") ? E_DATA
             : is(s, "name") ? E_NAME : is(s, "item") ? E_ITEM : is(s, "note") ? E_NOTE : is(s, "unit") ? E_UNIT
             : E_OTHER;
    case 5:
        return is(s, "value") ? E_VALUE : is(s, "title") ? E_TITLE : is(s, "alias") ? E_ALIAS
             : is(s, "topic") ? E_TOPIC : E_OTHER;
    case 6:
        return is(s, "system") ? E_SYSTEM : is(s, "coding") ? E_CODING : is(s, "answer") ? E_ANSWER
             : is(s, "linkId") ? E_LINK_ID : is(s, "origin") ? E_ORIGIN : is(s, "dosage") ? E_DOSAGE
             : is(s, "detail") ? E_DETAIL : is(s, "status") ? E_STATUS : E_OTHER;
    case 7:
        return is(s, "display") ? E_DISPLAY : is(s, "summary") ? E_SUMMARY : is(s, "section") ? E_SECTION
             : is(s, "revenue") ? E_REVENUE : E_OTHER;
    case 8:
        return is(s, "modifier") ? E_MODIFIER : E_OTHER;
    case 9:
        return is(s, "reference") ? E_REFERENCE : is(s, "extension") ? E_EXTENSION : is(s, "valueCode") ? E_VALUE_CODE
             : is(s, "signature") ? E_SIGNATURE : E_OTHER;
    case 10:
        return is(s, "identifier") ? E_IDENTIFIER : is(s, "reasonCode") ? E_REASON : is(s, "conclusion") ? E_CONCLUSION
             : is(s, "indication") ? E_REASON : is(s, "medication") ? E_MEDICATION : E_OTHER;
    case 11:
        return is(s, "valueString") ? E_VALUE_STRING : is(s, "description") ? E_DESCRIPTION
             : is(s, "packageCode") ? E_PACKAGE : E_OTHER;
    case 12:
        return is(s, "resourceType") ? E_RESOURCE_TYPE : is(s, "valueBoolean") ? E_VALUE_BOOLEAN : E_OTHER;
    case 13:
        return is(s, "contentString") ? E_CONTENT_STRING : is(s, "valueMarkdown") ? E_VALUE_STRING : E_OTHER;
    case 14:
        return is(s, "interpretation") ? E_INTERPRETATION : is(s, "valueHumanName") ? E_NOTE : E_OTHER;
    case 15:
        return is(s, "valueAnnotation") ? E_NOTE : E_OTHER;    /* text, and no concept: the plan's (C6) */
    case 16:
        return is(s, "productOrService") ? E_PRODUCT : E_OTHER;
    case 17:
        return is(s, "dosageInstruction") ? E_DOSAGE : is(s, "valueBase64Binary") ? E_VALUE_BASE64
             : is(s, "modifierExtension") ? E_EXTENSION : E_OTHER;
    case 19:
        return is(s, "itemCodeableConcept") ? E_MEDICATION : E_OTHER;
    case 20:
        return is(s, "valueCodeableConcept") ? E_VALUE_CONCEPT : E_OTHER;
    case 21:
        return is(s, "reasonCodeableConcept") ? E_REASON : E_OTHER;
    case 23:
        return is(s, "locationCodeableConcept") ? E_PLACE : E_OTHER;
    case 25:
        return is(s, "medicationCodeableConcept") ? E_MEDICATION : E_OTHER;
    default:
        return E_OTHER;
    }
}

/* ---- the walk ------------------------------------------------------------------- */

static struct where
inside(const struct walk *walk, struct where at, enum element e, tape_node value)
{
    at.depth++;
    if (e != E_OTHER)
        at.element = e;
    at.reason    |= e == E_DOSAGE || e == E_REASON || e == E_MEDICATION;
    at.extension |= e == E_EXTENSION;
    if (e == E_SECTION && walk->unit->kind == UNIT_COMPOSITION)
        at.mention = value;
    return at;
}

/* A label on one element of a resource (HL7 DS4P, extension-inline-sec-label): what it says
 * is a mention there, and not what the resource is.  ABSENT: no such extension, or one of
 * the resource itself. */
static tape_node
labelled_element(const struct walk *walk, tape_node extension)
{
    static const char  url[]   = "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-inline-sec-label";
    const tape_node   *parents = walk->w->bundle->parents;
    tape_node          list    = parents[extension];
    tape_node          holder  = walk_kind(walk->w->tape, list) == TAPE_ARRAY ? parents[list] : list;

    if (holder == walk->unit->node || !tape_text_eq(walk->w->tape, tape_member(walk->w->tape, extension, SPAN("url")), span_of(url)))
        return TAPE_ABSENT;
    return holder;
}

static void
walk_object(struct walk *walk, tape_node object, struct where at)
{
    const struct tape *t = walk->w->tape;
    struct members     m = { .coding = TAPE_ABSENT };
    tape_node          labelled = at.element == E_EXTENSION ? labelled_element(walk, object) : TAPE_ABSENT;

    if (labelled != TAPE_ABSENT && at.mention == TAPE_ABSENT)
        at.mention = labelled;

    if (at.element == E_SECTION || (walk->unit->kind == UNIT_PATIENT && at.mention == TAPE_ABSENT && at.depth == 1))
        at.mention = object;
    if (walk->unit->kind == UNIT_RESPONSE && at.element == E_ITEM)
        at.asked |= asked_words(walk->w, work_text(walk->w, tape_member(t, object, SPAN("text"))));
    for (tape_node n = walk_first(t, object); n != TAPE_ABSENT; n = walk_next(t, n))
        walk_member(walk, n, element_of(work_text(walk->w, n - 1)), at, &m);
    if (m.coding != TAPE_ABSENT
        || (m.text != TAPE_ABSENT && !m.other && m.div == TAPE_ABSENT && at.element != E_NOTE))
        read_concept(walk, &m, at);
    else if (m.code != TAPE_ABSENT && (m.system != TAPE_ABSENT || m.display != TAPE_ABSENT)
             && m.value == TAPE_ABSENT && m.unit == TAPE_ABSENT) {
        bool quiet = false;
        if (!read_coding(walk, object, at, &quiet) && !quiet && m.display != TAPE_ABSENT)
            read_text(walk, m.display, at);
    }
    if (m.display != TAPE_ABSENT && m.code == TAPE_ABSENT && m.reference == TAPE_ABSENT && at.element != E_CODING)
        note_shown(walk, object, m.display);
    if (m.data != TAPE_ABSENT && m.origin == TAPE_ABSENT)
        read_data(walk, m.data, at);
    if (m.url != TAPE_ABSENT && at.depth > 0 && !at.extension && walk->unit->kind != UNIT_PATIENT
        && walk_kind(t, m.url) == TAPE_STRING)
        read_text(walk, m.url, at);      /* of an Attachment: ".../MethadoneTaper.pdf" */
    if (m.answer != TAPE_ABSENT || m.link_id != TAPE_ABSENT)
        read_answer(walk, &m, at);
}

/* A Reference to nothing: it may name a program all the same. */
static void
note_shown(struct walk *walk, tape_node object, tape_node display)
{
    struct shown *s = arena_make(walk->w->arena, struct shown);

    if (s == NULL)
        return;
    *s = (struct shown){ walk->unit, object, display, walk->w->shown };
    walk->w->shown = s;
}

/* A resource inside this one is a unit of its own, and walked as such.  The
 * walk meets objects in document order, as units are. */
static bool
is_inner_resource(struct walk *walk, tape_node object)
{
    while (walk->next < walk->w->unit_count && walk->w->units[walk->next].node < object)
        walk->next++;
    return walk->next < walk->w->unit_count && walk->w->units[walk->next].node == object;
}

static void
walk_container(struct walk *walk, tape_node value, enum element e, struct where at)
{
    const struct tape *t = walk->w->tape;

    if (walk_kind(t, value) == TAPE_OBJECT) {
        if (!is_inner_resource(walk, value))
            walk_object(walk, value, at);
        return;
    }
    for (tape_node n = walk_first(t, value); n != TAPE_ABSENT; n = walk_next(t, n)) {
        enum tape_kind kind = walk_kind(t, n);
        if (kind == TAPE_OBJECT || kind == TAPE_ARRAY)
            walk_container(walk, n, e, at);
        else if (kind == TAPE_STRING && e == E_ALIAS)
            read_text(walk, n, at);
    }
}

/* Text that says what the resource is; of extensions and inner elements the
 * plan looks after the text (rules C5, C6). */
static bool
is_own_text(const struct walk *walk, enum element e, struct where at)
{
    if (at.extension || walk->unit->kind == UNIT_PATIENT)
        return false;
    switch (e) {
    case E_CONTENT_STRING: case E_VALUE_STRING: case E_CONCLUSION: case E_TITLE: case E_SUMMARY: case E_TOPIC:
        return at.element != E_SECTION;
    case E_DESCRIPTION: case E_DETAIL:
        return at.depth == 0;
    case E_NAME:
        return at.depth == 0;
    default:
        return false;
    }
}

static void
walk_member(struct walk *walk, tape_node n, enum element e, struct where at, struct members *m)
{
    const struct tape *t    = walk->w->tape;
    enum tape_kind     kind = walk_kind(t, n);

    switch (e) {
    case E_CODING:    m->coding    = n; return;
    case E_CODE:      if (kind == TAPE_STRING) { m->code = n; return; } break;
    case E_SYSTEM:    m->system    = n; m->other = true; return;
    case E_DISPLAY:   m->display   = n; m->other = true; return;
    case E_TEXT:      if (kind == TAPE_STRING) { m->text = n; return; } break;
    case E_DIV:       m->div       = n; return;
    case E_VALUE:     m->value     = n; m->other = true; break;
    case E_UNIT:      m->unit      = n; m->other = true; if (kind == TAPE_STRING) return; break;
    case E_DATA:      if (kind == TAPE_STRING && at.element != E_SIGNATURE) m->data = n; return;
    case E_ORIGIN:    m->origin    = n; break;
    case E_LINK_ID:   m->link_id   = n; m->other = true; return;
    case E_ANSWER:    m->answer    = n; m->other = true; break;
    case E_META:      if (at.depth == 0) { read_meta(walk, n); return; } break;
    case E_URL:       m->url       = n; m->other = true; return;
    case E_VALUE_BASE64: if (kind == TAPE_STRING) read_data(walk, n, at); return;
    case E_REFERENCE: m->reference = n; m->other = true; return;
    case E_IDENTIFIER: m->reference = n; m->other = true; break;
    case E_RESOURCE_TYPE: case E_STATUS: m->other = true; if (kind == TAPE_STRING) return; break;
    default:          m->other |= e != E_EXTENSION; break;
    }
    if (kind == TAPE_OBJECT || kind == TAPE_ARRAY)
        walk_container(walk, n, e, inside(walk, at, e, n));
    else if (kind == TAPE_STRING && is_own_text(walk, e, at)) {
        if (e == E_VALUE_STRING)
            at.element = E_VALUE_CONCEPT;
        read_text(walk, n, at);
    }
    else if (kind == TAPE_STRING && e == E_VALUE_CODE)
        (void)read_coding(walk, n, at, &(bool){ false });
}

/* ---- what is found ---------------------------------------------------------------- */

static void
tell(struct walk *walk, enum label l, tape_node node, const char *rule, struct span because, struct where at)
{
    struct unit *u = walk->unit;

    if (u->kind == UNIT_PATIENT || at.mention != TAPE_ABSENT) {
        work_mention(walk->w, u->entry, l, at.mention != TAPE_ABSENT ? at.mention : node);
        return;
    }
    u->labels = label_add(u->labels, l);
    work_label(walk->w, u->entry, l, node, rule, because);
}

static void
tell_row(struct walk *walk, const struct code_row *row, tape_node node, struct where at)
{
    if (row->kind == KIND_SETTING && walk->unit->kind == UNIT_DIRECTORY)
        walk->unit->setting = label_add(walk->unit->setting, (enum label)row->label);
    tell(walk, (enum label)row->label, node, "code",
         work_sentence(walk->w, "code ", span_from(row->code, row->length), ": ", row->words), at);
}

/* HL7's own lists say in their displays what they say; their codes are words
 * like "active" and "laboratory". */
static bool
is_hl7_list(struct span system)
{
    return (span_starts(system, SPAN("http://terminology.hl7.org/")) || span_starts(system, SPAN("http://hl7.org/fhir/")))
        && span_find(system, SPAN("/sid/")) == SPAN_NOT_FOUND;
}

/* A URI is looked up once, not once a coding. */
static struct known_system
system_of(struct work *w, struct span uri)
{
    static const struct known_system none = { .system = CODE_SYSTEM_UNKNOWN };

    if (span_empty(uri))
        return none;
    struct known_system *slot = &w->systems[(uri.length + (unsigned char)uri.at[uri.length - 1]) % SYSTEM_SLOTS];
    if (!span_eq(slot->uri, uri)) {
        slot->uri    = uri;
        slot->system = code_system_of(uri);
        slot->list   = slot->system == CODE_SYSTEM_UNKNOWN && is_hl7_list(uri);
    }
    return *slot;
}

/* What the element says about a code whose system says nothing. */
static const struct code_row *
row_by_place(enum element e, struct span system, struct span code)
{
    switch (e) {
    case E_REVENUE:
        return code_find(CODE_SYSTEM_REVENUE, code);
    case E_PLACE:
        return code_find(CODE_SYSTEM_PLACE, code);
    case E_MODIFIER:
        return code_find_modifier(code);
    case E_PRODUCT:
        return code_find(CODE_SYSTEM_HCPCS, code);
    case E_PACKAGE:
        return code_find(CODE_SYSTEM_DRG, code);
    case E_MEDICATION:
        return span_empty(system) ? code_find(CODE_SYSTEM_RXNORM, code) : NULL;
    default:
        return NULL;
    }
}

/* In the system that the code's shape belongs to, when its own cannot be right
 * (part2.md G.0).  "F10" may be anything in a local list; "F10.20" is not. */
static const struct code_row *
row_by_shape(enum code_system s, struct span code)
{
    enum code_system shape;

    if (s != CODE_SYSTEM_UNKNOWN && code_well_formed(s, code))
        return NULL;
    shape = code_shape(code);
    if (shape == CODE_SYSTEM_UNKNOWN || shape == s || (shape == CODE_SYSTEM_ICD10CM && code.length < 4))
        return NULL;
    return code_find(shape, code);
}

/* The same few codes stand in every bundle: categories, states, vital signs. */
static const struct code_row *
row_in_system(struct work *w, enum code_system s, struct span code)
{
    struct code_memo *m = &w->codes[(code.length * 7 + (unsigned char)code.at[0] + (unsigned char)code.at[code.length - 1] * 5u
                                     + (unsigned char)code.at[code.length / 2] * 11u) % MEMO_CODES];

    if (m->system == s && span_eq(m->code, code))
        return m->row;
    m->system = s;
    m->code   = code;
    m->row    = code_find(s, code);
    if (m->row == NULL)
        m->row = row_by_shape(s, code);
    return m->row;
}

/* The row of a code: in its system; in the system that the element implies. */
static const struct code_row *
row_of(struct work *w, enum code_system s, enum element e, struct span system, struct span code)
{
    const struct code_row *row;

    if (e == E_MODIFIER && (s == CODE_SYSTEM_HCPCS || s == CODE_SYSTEM_CPT) && (row = code_find_modifier(code)) != NULL)
        return row;
    if (s != CODE_SYSTEM_UNKNOWN)
        return row_in_system(w, s, code);
    row = row_by_place(e, system, code);
    return row != NULL ? row : row_by_shape(s, code);
}

const struct code_row *
content_row(struct work *w, struct span system, struct span code)
{
    struct known_system known = system_of(w, system);

    return known.list || span_empty(code) ? NULL : row_of(w, known.system, E_OTHER, system, code);
}

static bool
is_drug(const struct code_row *row)
{
    return row->kind == KIND_DRUG || row->kind == KIND_METHADONE || row->kind == KIND_NALTREXONE;
}

/* The same code again, in another answer, waits for the same. */
static bool
is_pending(const struct unit *u, const struct code_row *row)
{
    for (unsigned i = 0; i < u->pending_count; i++)
        if (u->pending[i].row == row)
            return true;
    return false;
}

static void
weigh_row(struct walk *walk, const struct code_row *row, tape_node node, struct where at)
{
    struct unit *u = walk->unit;

    switch ((enum code_tier)row->tier) {
    case TIER_T1:
        if (code_excused(row, u->contexts & (at.element == E_REASON ? CONTEXT_ALLERGY : CONTEXT_ALLERGY | CONTEXT_FAMILY)))
            break;                       /* why somebody asks for a family history is about the patient */
        if (!code_has_trap(row)) {
            tell_row(walk, row, node, at);
            break;
        }
        /* fall through */
    case TIER_T2:
        if (is_pending(u, row))
            break;
        if (at.mention != TAPE_ABSENT || u->pending_count == PENDING_MAX)
            tell_row(walk, row, node, at);
        else
            u->pending[u->pending_count++] = (struct pending){ row, node };
        break;
    case TIER_T3:
        if (u->waiting == NULL && !(is_drug(row) && (u->contexts & CONTEXT_ALLERGY))) {
            u->waiting      = row;
            u->waiting_node = node;
        }
        break;
    case TIER_CONTEXT:
        u->contexts |= row->kind == KIND_PAIN ? CONTEXT_PAIN : CONTEXT_WEIGHT;
        break;
    case TIER_NOT:
    case TIER_NONE:
        break;
    }
}

/* HL7 v3 ObservationInterpretation (R4 valueset-observation-interpretation): NEG, ND. */
static bool
is_negative_code(struct span code)
{
    return span_eq_text(code, "NEG") || span_eq_text(code, "ND");
}

struct triple { tape_node system, code, display; };

static struct triple
triple_of(const struct work *w, tape_node coding)
{
    const struct tape *t = w->tape;
    struct triple      c = { TAPE_ABSENT, TAPE_ABSENT, TAPE_ABSENT };

    for (tape_node n = walk_first(t, coding); n != TAPE_ABSENT; n = walk_next(t, n))
        switch (element_of(work_text(w, n - 1))) {
        case E_SYSTEM:
            c.system = n;
            break;
        case E_CODE:
            c.code = n;
            break;
        case E_DISPLAY:
            c.display = n;
            break;
        default:
            break;
        }
    return c;
}

/* A Coding, or a bare code as a string.  True when the code is in a table: it
 * speaks, and nobody reads its text.  *quiet: it is a label or a code of HL7's own,
 * whose text says nothing either. */
static bool
read_coding(struct walk *walk, tape_node coding, struct where at, bool *quiet)
{
    const struct tape *t      = walk->w->tape;
    struct triple      c      = { .code = coding };
    if (walk_kind(t, coding) == TAPE_OBJECT)
        c = triple_of(walk->w, coding);
    tape_node           node   = c.code;
    struct span         code   = work_text(walk->w, node);
    struct span         system = work_text(walk->w, c.system);
    struct known_system known  = system_of(walk->w, system);
    enum code_system    s      = known.system;

    if (span_empty(code))
        return false;
    if (s == CODE_SYSTEM_ACTCODE || s == CODE_SYSTEM_CONFIDENTIALITY || span_eq_text(code, "42CFRPart2")) {
        enum label l = label_of_coding(system, code);
        *quiet = true;
        /* Which kinds of record a Consent speaks of says nothing about what there is;
         * one that exists because of them is the plan's (rule P6). */
        if (walk->unit->kind != UNIT_CONSENT
            && (label_kind(l) == LABEL_SENSITIVITY || label_kind(l) == LABEL_LAW))
            tell(walk, l, node, "code", work_sentence(walk->w, "a code names the label ", span_of(label_code(l)), "", ""), at);
        return l != LABEL_NONE;
    }
    if (at.element == E_INTERPRETATION && is_negative_code(code))
        walk->unit->contexts |= CONTEXT_NEGATIVE;
    const struct code_row *row = known.list ? NULL : row_of(walk->w, s, at.element, system, code);
    if (row == NULL) {
        if (!at.extension)
            walk->unit->stated = true;
        if (s == CODE_SYSTEM_UNKNOWN && code.length >= 6 && !known.list)
            read_text(walk, node, at);       /* a local code may be a word: "opioid-use-disorder" */
        return false;
    }
    walk->unit->stated = true;
    weigh_row(walk, row, node, at);
    return true;
}

/* What display and text state about a code that waits for it. */
static void
read_concept_contexts(struct walk *walk, const struct members *m, struct where at)
{
    const struct tape *t      = walk->w->tape;
    unsigned           before = walk->unit->contexts;

    for (tape_node n = walk_first(t, m->coding); n != TAPE_ABSENT; n = walk_next(t, n))
        read_contexts(walk, tape_member(t, n, SPAN("display")));
    read_contexts(walk, m->text);
    /* Pain, named in what is no indication and no medication, excuses no drug. */
    if (!at.reason && walk->unit->kind != UNIT_MEDICATION)
        walk->unit->contexts = before | (walk->unit->contexts & (CONTEXT_CAFFEINE | CONTEXT_NEGATIVE));
}

static void
read_concept(struct walk *walk, const struct members *m, struct where at)
{
    const struct tape *t      = walk->w->tape;
    unsigned           waits  = walk->unit->pending_count;
    bool               speaks = false, quiet = false;

    for (tape_node n = walk_first(t, m->coding); n != TAPE_ABSENT; n = walk_next(t, n))
        speaks |= read_coding(walk, n, at, &quiet);
    if (walk->unit->pending_count != waits || (speaks && at.reason) || at.element == E_VALUE_CONCEPT)
        read_concept_contexts(walk, m, at);
    if (speaks || quiet)
        return;
    for (tape_node n = walk_first(t, m->coding); n != TAPE_ABSENT; n = walk_next(t, n)) {
        tape_node display = tape_member(t, n, SPAN("display"));
        if (display != TAPE_ABSENT)
            read_text(walk, display, at);
    }
    if (m->text != TAPE_ABSENT)
        read_text(walk, m->text, at);
}

/* ---- text ------------------------------------------------------------------------- */

static bool
says_negative(struct span text)
{
    static const char *const words[] = { "negative", "not detected", "none detected", "neg", "absent", "not present" };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (span_eq_nocase(span_trim(text), span_of(words[i])))
            return true;
    return false;
}

static void
read_contexts(struct walk *walk, tape_node leaf)
{
    struct text_finding f    = { .labels = 0 };
    struct span         text = work_text(walk->w, leaf);

    if (span_empty(text))
        return;
    text_read(text, FOLD_PLAIN, NULL, &f);
    walk->unit->contexts |= f.contexts;
    if (says_negative(text))
        walk->unit->contexts |= CONTEXT_NEGATIVE;
}

static void
tell_labels(struct walk *walk, label_set labels, tape_node leaf, const char *rule, const char *words, struct where at)
{
    for (int l = 1; labels != 0 && l < LABEL_COUNT; l++)
        if (labels_have(labels, (enum label)l))
            tell(walk, (enum label)l, leaf, rule,
                 work_sentence(walk->w, words, span_of(label_display((enum label)l)), "", ""), at);
}

/* Displays repeat: a text that was read lately is not read again. */
static struct text_finding
text_once(struct work *w, struct span text)
{
    struct text_finding f = { .labels = 0 };
    struct text_memo   *m = NULL;

    if (text.length > 0 && text.length <= 128) {
        uint64_t key = key_of(text) + 3 * key_of(span_skip(text, text.length / 2));
        m = &w->memo[(size_t)(key >> 40) % MEMO_TEXTS];
        if (span_eq(m->text, text))
            return m->finding;
    }
    text_read_any(text, w->names, &f);
    if (m != NULL)
        *m = (struct text_memo){ text, f };
    return f;
}

static void
read_text(struct walk *walk, tape_node leaf, struct where at)
{
    struct unit        *u = walk->unit;
    struct text_finding f;

    f = text_once(walk->w, work_text(walk->w, leaf));
    u->stated = true;
    if (at.reason)
        u->contexts |= f.contexts;
    if (at.element == E_VALUE_CONCEPT && says_negative(work_text(walk->w, leaf)))
        u->contexts |= CONTEXT_NEGATIVE;
    if (!text_found(&f) || ((u->contexts & CONTEXT_FAMILY) && at.element != E_REASON))
        return;
    label_set labels = f.labels;
    if (!(u->contexts & CONTEXT_ALLERGY)) {
        labels |= f.medication;
        if (f.drugs != 0 && at.mention == TAPE_ABSENT) {
            u->drugs    |= f.drugs;
            u->drug_node = leaf;
            /* What this very text states counts for it: "buprenorphine patch". */
            if (text_drug_labels(f.drugs, f.contexts) == 0)
                u->contexts |= f.contexts;
        }
    }
    if (f.program && u->kind != UNIT_PATIENT)
        labels = label_add(labels, LABEL_SUD);
    if (f.note)
        walk->w->entries[u->entry].counseling_note = true;
    if (u->kind == UNIT_DIRECTORY)
        u->setting |= labels & labels_substance_use();
    tell_labels(walk, labels, leaf, "text", "its text tells of ", at);
}

/* ---- answers ------------------------------------------------------------------------ */

static void
begin_response(struct walk *walk)
{
    struct work *w = walk->w;

    walk->asked = asked_of(w, walk->unit);
    if (!walk->asked.unknown)
        return;
    w->entries[walk->unit->entry].uninspected = true;
    work_note(w, walk->unit->entry, LABEL_NONE, walk->unit->node, "form",
              SPAN("what it answers could not be read: its Questionnaire is too long, or too many have its name"));
}

/* Begins with a word that says that it is not so. */
static bool
denies(struct span said)
{
    static const char *const words[] = { "no", "none", "never", "not", "n", "na", "nil", "negative", "denies", "denied", "false",
                                         "nothing", "unknown", "declined", "refused", "absent" };
    size_t length = 0;

    said = span_trim(said);
    while (length < said.length && ((said.at[length] | 32) >= 'a' && (said.at[length] | 32) <= 'z'))
        length++;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (span_eq_nocase(span_first(said, length), span_of(words[i])))
            return true;
    return false;
}

/* "0", "0.0", "-0", "0e1" */
static bool
is_zero(struct span number)
{
    for (size_t i = 0; i < number.length && number.at[i] != 'e' && number.at[i] != 'E'; i++)
        if (number.at[i] >= '1' && number.at[i] <= '9')
            return false;
    return true;
}

static struct asked_option
option_of(struct walk *walk, tape_node coding, struct question *q)
{
    struct asked_option none = { .display = { NULL, 0 } };
    struct triple       c    = triple_of(walk->w, coding);

    if (q == NULL || c.code == TAPE_ABSENT)
        return none;
    return asked_option(walk->w, q, c.system != TAPE_ABSENT ? work_text(walk->w, c.system) : span_from(NULL, 0),
                        work_text(walk->w, c.code));
}

/* No, Never, Not at all of LOINC's answer lists (fhir/instrument.def). */
static bool
is_no(struct span code)
{
    return span_eq_text(code, "LA32-8") || span_eq_text(code, "LA6270-8") || span_eq_text(code, "LA6568-5");
}

/* By its code, its display, or the display that the Questionnaire has for the code. */
static bool
coding_affirms(struct walk *walk, tape_node coding, struct question *q)
{
    struct triple c    = triple_of(walk->w, coding);
    struct span   code = c.code != TAPE_ABSENT ? work_text(walk->w, c.code) : span_from(NULL, 0);
    struct span   said = c.display != TAPE_ABSENT ? work_text(walk->w, c.display) : option_of(walk, coding, q).display;

    if (span_empty(said))
        said = code;
    return !span_empty(said) && !is_no(code) && !denies(said) && !(said.at[0] == '0' && is_zero(said));
}

static bool
value_affirms(struct walk *walk, tape_node value, struct question *q)
{
    const struct tape *t = walk->w->tape;

    switch (walk_kind(t, value)) {
    case TAPE_TRUE:
        return true;
    case TAPE_NUMBER:
        return !is_zero(tape_extent(t, value));
    case TAPE_STRING:
        return !span_empty(span_trim(work_text(walk->w, value))) && !denies(work_text(walk->w, value));
    case TAPE_OBJECT: {
        tape_node quantity = tape_member(t, value, SPAN("value"));
        return walk_kind(t, quantity) == TAPE_NUMBER ? !is_zero(tape_extent(t, quantity))
             : tape_member(t, value, SPAN("code")) == TAPE_ABSENT && tape_member(t, value, SPAN("display")) == TAPE_ABSENT
                 ? true : coding_affirms(walk, value, q);
    }
    default:
        return false;
    }
}

/* The value[x] of an answer; ABSENT when there is none. */
static tape_node
value_of(const struct walk *walk, tape_node answer)
{
    const struct tape *t = walk->w->tape;

    if (walk_kind(t, answer) != TAPE_OBJECT)
        return TAPE_ABSENT;
    for (tape_node n = walk_first(t, answer); n != TAPE_ABSENT; n = walk_next(t, n))
        if (span_starts(work_text(walk->w, n - 1), SPAN("value")))
            return n;
    return TAPE_ABSENT;
}

struct said_by { bool any, yes; };       /* there is an answer; one that says that it is so */

/* Whoever answers "daily" or "2019" says that it is so as whoever answers "yes". */
static struct said_by
answers_say(struct walk *walk, tape_node answers, struct question *q)
{
    const struct tape *t    = walk->w->tape;
    struct said_by     said = { false, false };
    tape_node          from = walk_kind(t, answers) == TAPE_ARRAY ? walk_first(t, answers) : answers;

    for (tape_node a = from; a != TAPE_ABSENT && !said.yes; a = a == answers ? TAPE_ABSENT : walk_next(t, a)) {
        tape_node value = value_of(walk, a);
        said.any |= value != TAPE_ABSENT;
        said.yes  = value != TAPE_ABSENT && value_affirms(walk, value, q);
    }
    return said;
}

/* An answer that is but the code of an option says what the option says. */
static void
read_option(struct walk *walk, tape_node coding, struct question *q, struct where at)
{
    struct work        *w      = walk->w;
    struct triple       c      = triple_of(w, coding);
    struct asked_option option = option_of(walk, coding, q);

    if (span_empty(option.display) && span_empty(option.system))
        return;
    const struct code_row *row = content_row(w, option.system, work_text(w, c.code));
    if (row != NULL && c.system == TAPE_ABSENT)
        weigh_row(walk, row, c.code, at);
    if (row == NULL && c.display == TAPE_ABSENT && !denies(option.display))
        tell_labels(walk, asked_words(w, option.display), c.code, "form", "the answer that its code stands for tells of ", at);
}

static void
read_options(struct walk *walk, tape_node answers, struct question *q, struct where at)
{
    const struct tape *t    = walk->w->tape;
    tape_node          from = walk_kind(t, answers) == TAPE_ARRAY ? walk_first(t, answers) : answers;

    for (tape_node a = from; a != TAPE_ABSENT; a = a == answers ? TAPE_ABSENT : walk_next(t, a)) {
        tape_node value = value_of(walk, a);
        if (walk_kind(t, value) == TAPE_OBJECT && tape_member(t, value, SPAN("code")) != TAPE_ABSENT)
            read_option(walk, value, q, at);
    }
}

/* What the Questionnaire asked (labeling_work.h, Q1 to Q5). */
static void
read_asked(struct walk *walk, struct asked_form *form, const struct members *m, struct where at)
{
    struct question *q = asked_question(walk->w, form, work_text(walk->w, m->link_id));

    if (q == NULL)
        return;
    struct said_by said = answers_say(walk, m->answer, q);
    for (unsigned i = 0; i < q->row_count; i++)
        if (said.yes || (said.any && q->rows[i].whatever))
            weigh_row(walk, q->rows[i].row, m->link_id, at);
    if (said.yes)
        tell_labels(walk, q->words, m->link_id, "form", "it answers a question of its Questionnaire about ", at);
    read_options(walk, m->answer, q, at);
}

/* A question is known by its linkId, by its text and those around it, or by the Questionnaire.
 * The question alone says nothing about who was asked; an answer that affirms it does. */
static void
read_answer(struct walk *walk, const struct members *m, struct where at)
{
    struct span link = work_text(walk->w, m->link_id);

    if (m->answer == TAPE_ABSENT)
        return;
    if (link.length > 0 && link.at[0] == '/')
        link = span_skip(link, span_find_last_byte(link, '/') + 1);
    const struct code_row *row = code_find(CODE_SYSTEM_LOINC, link);
    if (row != NULL)
        weigh_row(walk, row, m->link_id, at);
    else if (at.asked != 0 && answers_say(walk, m->answer, NULL).yes)
        tell_labels(walk, at.asked, m->text != TAPE_ABSENT ? m->text : m->answer, "text", "an answer affirms a question about ", at);
    for (unsigned i = 0; i < walk->asked.count && m->link_id != TAPE_ABSENT; i++)
        read_asked(walk, walk->asked.of[i], m, at);
    if (row == NULL && walk->asked.count == 0 && m->text == TAPE_ABSENT)
        asked_nowhere(walk->w, walk->unit, m->answer);
}

/* ---- attachments -------------------------------------------------------------------- */

static void
read_data(struct walk *walk, tape_node leaf, struct where at)
{
    struct work      *w    = walk->w;
    struct span       data = work_text(w, leaf);
    struct inspection i;

    if (span_empty(data))
        return;
    walk->unit->stated = true;
    i = attachment_inspect(data, w->names, w->facts->inspected, w->arena, &w->decode_left);
    label_set labels = i.finding.labels | i.finding.medication | text_drug_labels(i.finding.drugs, i.finding.contexts);
    if (i.finding.program)
        labels = label_add(labels, LABEL_SUD);
    tell_labels(walk, labels, leaf, "attachment", "its attachment tells of ", at);
    if (i.unreadable && walk->unit->kind != UNIT_PATIENT) {
        w->entries[walk->unit->entry].uninspected = true;
        work_note(w, walk->unit->entry, LABEL_NONE, leaf, "attachment", SPAN("it holds content that could not be read"));
    }
}

/* ---- meta ---------------------------------------------------------------------------- */

static void
add_foreign(struct work *w, uint32_t entry, struct span system, struct span code)
{
    struct foreign *f = arena_make(w->arena, struct foreign);

    if (f == NULL)
        return;
    *f = (struct foreign){ { system, code }, w->entries[entry].foreign };
    w->entries[entry].foreign = f;
}

/* A security label as it came: believed, or a statement of the sender like
 * any other code. */
static void
read_security(struct walk *walk, tape_node coding)
{
    struct work       *w      = walk->w;
    struct entry_work *e      = &w->entries[walk->unit->entry];
    struct span        system = tape_member_text(w->tape, coding, SPAN("system"), w->arena);
    struct span        code   = tape_member_text(w->tape, coding, SPAN("code"), w->arena);
    enum label         l      = label_of_coding(system, code);

    if (l == LABEL_NONE) {
        if (!span_empty(code))
            add_foreign(w, walk->unit->entry, system, code);
        return;
    }
    if (l == LABEL_PART2 && !w->trusted) {
        e->claimed = true;
        work_label(w, walk->unit->entry, l, coding, "code", SPAN("its sender labels it 42CFRPart2, and is not known as a labeller"));
        return;
    }
    if (l == LABEL_PART2) {
        e->confirmed = true;
        e->step      = e->step == 0 ? 1 : e->step;
    }
    walk->unit->labels = label_add(walk->unit->labels, l);
    work_label(w, walk->unit->entry, l, coding, l == LABEL_PART2 ? "P2" : "code",
               work_sentence(w, "it came with the label ", span_of(label_code(l)), "", ""));
}

static void
read_meta(struct walk *walk, tape_node meta)
{
    const struct tape *t    = walk->w->tape;
    tape_node          list = tape_member(t, meta, SPAN("security"));
    struct where       tag  = { .mention = TAPE_ABSENT };

    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n))
        read_security(walk, n);
    if (walk->w->facts->labels == LABELS_GIVEN)
        return;
    walk->w->extended = walk->w->extended || tape_member(t, meta, SPAN("extension")) != TAPE_ABSENT;
    list = tape_member(t, meta, SPAN("tag"));
    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n)) {
        bool quiet  = false;
        tag.mention = n;
        if (!read_coding(walk, n, tag, &quiet) && !quiet) {
            tape_node display = tape_member(t, n, SPAN("display"));
            if (display != TAPE_ABSENT)
                read_text(walk, display, tag);
        }
    }
}

/* ---- when a unit is read -------------------------------------------------------------- */

static void
settle(struct walk *walk)
{
    struct unit *u  = walk->unit;
    struct where at = { .mention = TAPE_ABSENT };

    for (unsigned i = 0; i < u->pending_count; i++)
        if (!code_excused(u->pending[i].row, u->contexts))
            tell_row(walk, u->pending[i].row, u->pending[i].node, at);
    tell_labels(walk, text_drug_labels(u->drugs, u->contexts), u->drug_node, "text", "a medication in its text is used for ", at);
    /* A resource that states nothing but its narrative is its narrative. */
    if (u->stated || u->kind == UNIT_PATIENT || u->kind == UNIT_COMPOSITION)
        return;
    tape_node div = tape_member(walk->w->tape, tape_member(walk->w->tape, u->node, SPAN("text")), SPAN("div"));
    if (div != TAPE_ABSENT)
        read_text(walk, div, at);
}
