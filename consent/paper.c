#include "consent/paper.h"

#include "base/sort.h"
#include "consent/basis.h"
#include "consent/facts_reader.h"
#include "fhir/datatypes.h"

static const struct { const char *one, *list; } kinds[PAPER_KINDS] = {
    [PAPER_NONE]         = { "", "" },
    [PAPER_DOCUMENT]     = { "document", "documents" },
    [PAPER_RELATIONSHIP] = { "relationship", "relationships" },
    [PAPER_RESTRICTION]  = { "restriction", "restrictions" },
    [PAPER_CIRCUMSTANCE] = { "circumstance", "circumstances" },
    [PAPER_EMERGENCY]    = { "emergency", "emergencies" },
    [PAPER_SUSPENSION]   = { "suspension", "suspensions" },
};

static void        read_lists(struct reader *, struct paper *all, size_t most, size_t *count);
static void        read_one(struct reader *, enum paper_kind, tape_node, struct paper *);
static void        check_one(struct reader *, tape_node, const struct paper *);
static void        check_names(struct reader *);
static void        check_ids(struct reader *, const struct paper *all, size_t count);
static const char *lacks(const struct paper *);
static bool        is_id(struct span);
static bool        is_reference(struct span, struct span type);

enum status
papers_read(struct span json, struct arena *arena, struct issues *issues, const struct paper **out, size_t *count)
{
    struct reader r    = { .arena = arena, .issues = issues };
    enum status   st   = reader_begin(&r, json);
    size_t        most = 0;

    *count = 0;
    if (st != ST_OK)
        return st;
    for (int k = PAPER_NONE + 1; k < PAPER_KINDS; k++)
        most += tape_children(r.tape, tape_member(r.tape, TAPE_ROOT, span_of(kinds[k].list)));
    struct paper *all = arena_make_n(arena, most < PAPERS_MOST * PAPER_KINDS ? most : PAPERS_MOST * PAPER_KINDS,
                                     struct paper);
    if (all == NULL)
        return ST_NO_MEMORY;
    read_lists(&r, all, most, count);
    *out = all;
    if (arena_spent(arena))
        return ST_NO_MEMORY;
    return r.wrong || issues_count(issues) > 0 ? ST_MALFORMED : ST_OK;
}

enum status
paper_read(enum paper_kind kind, struct span body, struct arena *arena, struct paper *out)
{
    struct reader r  = { .arena = arena, .issues = issues_new(arena, 1) };
    enum status   st = r.issues != NULL ? tape_read(body, &tape_default_limits, arena, &r.tape, NULL) : ST_NO_MEMORY;

    if (st != ST_OK)
        return st;
    read_one(&r, kind, TAPE_ROOT, out);
    if (arena_spent(arena))
        return ST_NO_MEMORY;
    return r.wrong ? ST_MALFORMED : ST_OK;
}

const char *
paper_kind_text(enum paper_kind kind)
{
    return kind < PAPER_KINDS ? kinds[kind].one : "";
}

const char *
paper_kind_list(enum paper_kind kind)
{
    return kind < PAPER_KINDS ? kinds[kind].list : "";
}

enum paper_kind
paper_kind_of(struct span text)
{
    for (int k = PAPER_NONE + 1; k < PAPER_KINDS; k++)
        if (span_eq_text(text, kinds[k].one) || span_eq_text(text, kinds[k].list))
            return (enum paper_kind)k;
    return PAPER_NONE;
}

const char *
paper_words(const struct paper *p)
{
    return p->kind == PAPER_DOCUMENT ? instrument_code(p->as.document.kind) : paper_kind_text(p->kind);
}

/* ---- suspensions --------------------------------------------------------------------- */

#define ORAL_DAYS 30                     /* 45 CFR 164.528(a)(2)(ii)(C) */

static void
read_suspension(struct reader *r, tape_node n, struct suspension *s)
{
    static const char *const names[] = { "id", "patient", "recipient", "agency", "statement", "from", "to" };
    const char              *where   = "suspensions";
    struct time_range        from, to;

    reader_names(r, n, where, NAMES(names));
    s->id        = reader_text(r, n, where, "id");
    s->patient   = reader_text(r, n, where, "patient");
    s->recipient = reader_text(r, n, where, "recipient");
    s->agency    = reader_text(r, n, where, "agency");
    s->written   = span_eq_text(reader_text(r, n, where, "statement"), "written");
    bool begins  = time_range_read(reader_text(r, n, where, "from"), &from);
    bool ends    = time_range_read(reader_text(r, n, where, "to"), &to);
    s->from_ms   = begins ? from.first_ms : INT64_MAX;
    s->until_ms  = ends ? to.last_ms : INT64_MIN;
    if (s->written)
        return;
    int64_t longest = begins ? from.first_ms + ORAL_DAYS * (int64_t)24 * 3600 * 1000 : INT64_MIN;
    s->until_ms     = ends && to.last_ms < longest ? to.last_ms : longest;
}

/* ---- reading ------------------------------------------------------------------------ */

static void
read_lists(struct reader *r, struct paper *all, size_t most, size_t *count)
{
    check_names(r);
    for (int k = PAPER_NONE + 1; k < PAPER_KINDS && tape_kind(r->tape, TAPE_ROOT) == TAPE_OBJECT; k++) {
        tape_node list = reader_member(r, TAPE_ROOT, "", kinds[k].list, TAPE_ARRAY);
        if (tape_children(r->tape, list) > PAPERS_MOST) {
            reader_finding(r, SEVERITY_ERROR, list, span_of(kinds[k].list),
                           arena_format(r->arena, "want at most %d at once", PAPERS_MOST), SPAN("file them in parts"));
            continue;
        }
        for (tape_node n = tape_first(r->tape, list); n != TAPE_ABSENT && *count < most; n = tape_next(r->tape, n)) {
            read_one(r, (enum paper_kind)k, n, &all[*count]);
            check_one(r, n, &all[(*count)++]);
        }
    }
    if (*count == 0 && !r->wrong)
        reader_finding(r, SEVERITY_ERROR, TAPE_ROOT, SPAN("$this"), SPAN("want at least one paper"),
                       SPAN("lists of documents, relationships, restrictions, circumstances, emergencies or suspensions"));
    check_ids(r, all, *count);
}

static void
check_names(struct reader *r)
{
    const char *names[PAPER_KINDS - 1];

    for (int k = PAPER_NONE + 1; k < PAPER_KINDS; k++)
        names[k - 1] = kinds[k].list;
    if (tape_kind(r->tape, TAPE_ROOT) == TAPE_OBJECT)
        reader_names(r, TAPE_ROOT, "", NAMES(names));
    else
        reader_finding(r, SEVERITY_ERROR, TAPE_ROOT, SPAN("$this"), SPAN("want an object"), (struct span){ 0 });
}

static void
read_one(struct reader *r, enum paper_kind kind, tape_node n, struct paper *p)
{
    *p = (struct paper){ .kind = kind, .body = tape_extent(r->tape, n) };
    if (tape_kind(r->tape, n) != TAPE_OBJECT) {
        reader_finding(r, SEVERITY_ERROR, n, span_of(paper_kind_list(kind)), SPAN("want objects in this list"),
                       (struct span){ 0 });
        return;
    }
    switch (kind) {
    case PAPER_DOCUMENT:
        reader_document(r, n, &p->as.document);
        p->id      = p->as.document.id;
        p->patient = p->as.document.patient;
        break;
    case PAPER_RELATIONSHIP:
        reader_relationship(r, n, &p->as.relationship);
        p->id      = p->as.relationship.id;
        p->patient = p->as.relationship.patient;
        break;
    case PAPER_RESTRICTION:
        reader_restriction(r, n, &p->as.restriction);
        p->id      = p->as.restriction.id;
        p->patient = p->as.restriction.patient;
        break;
    case PAPER_CIRCUMSTANCE:
        reader_circumstance(r, n, &p->as.circumstance);
        p->id      = p->as.circumstance.id;
        p->patient = p->as.circumstance.patient;
        break;
    case PAPER_EMERGENCY:
        reader_emergency(r, n, &p->as.emergency);
        p->id      = p->as.emergency.id;
        p->patient = p->as.emergency.patient;
        break;
    case PAPER_SUSPENSION:
        read_suspension(r, n, &p->as.suspension);
        p->id      = p->as.suspension.id;
        p->patient = p->as.suspension.patient;
        break;
    case PAPER_NONE:
    case PAPER_KINDS:
        break;
    }
    p->lacks = lacks(p);
}

/* ---- P1 ----------------------------------------------------------------------------------- */

static void
want(struct reader *r, tape_node n, const struct paper *p, const char *name, const char *what)
{
    reader_finding(r, SEVERITY_ERROR, n, reader_expression(r, paper_kind_list(p->kind), name), span_of(what),
                   (struct span){ 0 });
}

static bool
ends_before_it_begins(struct reader *r, tape_node n)
{
    struct time_range from, to;

    return time_range_read(tape_member_text(r->tape, n, SPAN("from"), r->arena), &from)
           && time_range_read(tape_member_text(r->tape, n, SPAN("to"), r->arena), &to) && to.last_ms < from.first_ms;
}

static void
check_suspension(struct reader *r, tape_node n, const struct paper *p)
{
    struct span statement = tape_member_text(r->tape, n, SPAN("statement"), r->arena);
    struct time_range when;

    if (span_empty(p->as.suspension.recipient))
        want(r, n, p, "recipient", "want the recipient whom the patient is not told of");
    if (span_empty(p->as.suspension.agency))
        want(r, n, p, "agency", "want who made the statement (45 CFR 164.528(a)(2)(ii)(A))");
    if (!span_eq_text(statement, "written") && !span_eq_text(statement, "oral"))
        want(r, n, p, "statement", "want written or oral");
    for (int i = 0; i < 2; i++) {
        struct span text = tape_member_text(r->tape, n, span_of(i == 0 ? "from" : "to"), r->arena);
        if (!span_empty(text) && !time_range_read(text, &when))
            want(r, n, p, i == 0 ? "from" : "to", "want a date");
    }
}

static void
check_one(struct reader *r, tape_node n, const struct paper *p)
{
    if (tape_kind(r->tape, n) != TAPE_OBJECT)
        return;
    if (!is_id(p->id))
        want(r, n, p, "id", "want an id: letters, digits, \"-\" and \".\", 1 to 64 of them");
    if (!span_empty(p->patient) ? !is_reference(p->patient, SPAN("Patient/")) : p->kind != PAPER_DOCUMENT)
        want(r, n, p, "patient", "want the patient as the record knows it: \"Patient/ID\"");
    if (p->kind == PAPER_DOCUMENT && p->as.document.kind == INSTRUMENT_NONE)
        want(r, n, p, "kind", "want the kind of document");
    for (size_t i = 0; p->kind == PAPER_CIRCUMSTANCE && i < p->as.circumstance.doubt_count; i++)
        if (!is_reference(p->as.circumstance.doubts[i], SPAN("Consent/")))
            want(r, n, p, "doubts", "want consents as the record knows them: \"Consent/ID\"");
    if (p->kind == PAPER_RELATIONSHIP && p->as.relationship.kind == RELATIONSHIP_UNKNOWN)
        want(r, n, p, "kind", "want what it is evidenced by: encounter, appointment, referral or attribution");
    if (p->kind == PAPER_RELATIONSHIP && span_empty(p->as.relationship.provider))
        want(r, n, p, "provider", "want who treats the patient");
    if (p->kind == PAPER_SUSPENSION)
        check_suspension(r, n, p);
    if (p->kind != PAPER_EMERGENCY && ends_before_it_begins(r, n))      /* that one lacks it then, P2 */
        want(r, n, p, "to", "want an end that is not before `from`");
    if (p->body.length > PAPER_BYTES)
        want(r, n, p, "", "want at most 64 KiB a paper");
}

static int
by_id(const void *a, const void *b, const void *context)
{
    (void)context;
    return span_compare(*(const struct span *)a, *(const struct span *)b);
}

static void
check_ids(struct reader *r, const struct paper *all, size_t count)
{
    struct span *ids = arena_make_n(r->arena, count, struct span);

    for (size_t i = 0; ids != NULL && i < count; i++)
        ids[i] = all[i].id;
    if (ids != NULL)
        sort_in_place(ids, count, sizeof *ids, by_id, NULL);
    for (size_t i = 1; ids != NULL && i < count; i++)
        if (!span_empty(ids[i]) && span_eq(ids[i], ids[i - 1]))
            reader_finding(r, SEVERITY_ERROR, TAPE_ROOT, SPAN("$this"), SPAN("want an id of its own for every paper"),
                           arena_format(r->arena, "\"%.*s\" is there twice", SPAN_PRINT(ids[i])));
}

/* FHIR's id, so that it can stand wherever one can. */
static bool
is_id(struct span id)
{
    for (size_t i = 0; i < id.length; i++) {
        char c = id.at[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.'))
            return false;
    }
    return id.length >= 1 && id.length <= 64;
}

static bool
is_reference(struct span reference, struct span type)
{
    return span_starts(reference, type) && is_id(span_skip(reference, type.length));
}

/* ---- P2 ----------------------------------------------------------------------------------- */

static const char *
lacks(const struct paper *p)
{
    switch (p->kind) {
    case PAPER_DOCUMENT:
        if (p->as.document.from_ms == INT64_MAX)
            return "it does not say from when on it is in force";
        if (p->as.document.party_count == 0)
            return "it names nobody who may receive by it";
        return instrument_lacks(&p->as.document);
    case PAPER_RELATIONSHIP:
        return p->as.relationship.from_ms == INT64_MAX ? "it does not say since when, so it is no evidence" : NULL;
    case PAPER_RESTRICTION:
        return !p->as.restriction.agreed && !p->as.restriction.self_pay ? "it was declined, so it restricts nothing" : NULL;
    case PAPER_CIRCUMSTANCE:
        return p->as.circumstance.representation != REPRESENTATION_UNKNOWN && p->as.circumstance.from_ms == INT64_MAX
                   ? "it does not say since when the representation stands" : NULL;
    case PAPER_EMERGENCY:
        return emergency_lacks(&p->as.emergency);
    case PAPER_SUSPENSION:
        if (p->as.suspension.until_ms > INT64_MIN)
            return NULL;
        return p->as.suspension.written ? "it does not say until when (45 CFR 164.528(a)(2)(i))"
                                        : "it does not say when it was said (45 CFR 164.528(a)(2)(ii))";
    case PAPER_NONE:
    case PAPER_KINDS:
        break;
    }
    return "it is of no known kind";
}
