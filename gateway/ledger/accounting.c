/* gateway/ledger/accounting.c -- an accounting of disclosures. */
#include "gateway/ledger/accounting_row.h"

#include <string.h>
#include <time.h>

#include "base/json_author.h"
#include "fhir/datatypes.h"
#include "gateway/ledger/extract.h"
#include "gateway/ledger/record.h"
#include "gateway/runtime/identity.h"

#define DAY_MS   ((int64_t)24 * 3600 * 1000)
#define DUE_DAYS 60                      /* 45 CFR 164.528(c)(1) */
#define DUE_INTERMEDIARY_DAYS 30         /* 42 CFR 2.24(b)(1) */
#define TEMP_BYTES   ((size_t)64 << 20)
#define GROUPS_MOST 10000u               /* lines that are looked through for each disclosure */

struct accounting {
    struct accounting_asked asked;
    struct arena           *arena;
    struct arena           *temp;        /* of one record */
    struct buf              body;        /* lines, as far as they are written */
    struct accounting_row  *first, **last;
    int64_t                 from_ms;
    struct span             from, due, name;
    uint64_t                count, suspended;
    struct span            *events;
    size_t                  event_count;
};

/* ---- words --------------------------------------------------------------------------- */

static bool
word_read(struct span text, const char *const *words, int count, int *out)
{
    for (int i = 0; i < count; i++) {
        if (words[i] != NULL && span_eq_text(text, words[i])) {
            *out = i;
            return true;
        }
    }
    return false;
}

bool
accounting_form_read(struct span text, enum accounting_form *out)
{
    static const char *const words[ACCOUNTING_FORMS] = { "text", "json", "csv", "html", "fhir" };
    int                      which;
    bool                     known = word_read(text, words, ACCOUNTING_FORMS, &which);

    if (known)
        *out = (enum accounting_form)which;
    return known;
}

static const char *const scope_words[ACCOUNTING_SCOPES] = {
    [ACCOUNTING_PART2] = "part2", [ACCOUNTING_HIPAA] = "hipaa", [ACCOUNTING_INTERMEDIARY] = "intermediary",
};

bool
accounting_scope_read(struct span text, enum accounting_scope *out)
{
    int  which;
    bool known = word_read(text, scope_words, ACCOUNTING_SCOPES, &which);

    if (known)
        *out = (enum accounting_scope)which;
    return known;
}

bool
accounting_sheet_read(struct span text, enum accounting_sheet *out)
{
    static const char *const words[SHEETS] = { [SHEET_A4] = "a4", [SHEET_LETTER] = "letter" };
    int                      which;
    bool                     known = word_read(text, words, SHEETS, &which);

    if (known)
        *out = (enum accounting_sheet)which;
    return known;
}

/* ---- begin --------------------------------------------------------------------------- */

/* How far back the law looks when nobody says: 42 CFR 2.25(a) and 2.24 three years before the request, 45 CFR
 * 164.528(a)(1) six.  Of February 29 it is the 28th, so that no day is missing. */
static int64_t
window_begin(enum accounting_scope scope, int64_t requested_ms)
{
    time_t    seconds = (time_t)(requested_ms / 1000);
    struct tm tm;

    if (scope == ACCOUNTING_ALL || gmtime_r(&seconds, &tm) == NULL)
        return INT64_MIN;
    tm.tm_year -= scope == ACCOUNTING_HIPAA ? 6 : 3;
    if (tm.tm_mon == 1 && tm.tm_mday == 29)
        tm.tm_mday = 28;
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    return (int64_t)timegm(&tm) * 1000;
}

static struct span
day(struct arena *arena, int64_t ms)
{
    return span_first(time_format(arena, ms), 10);
}

struct accounting *
accounting_begin(struct arena *arena, const struct accounting_asked *asked)
{
    struct accounting *a = arena_make(arena, struct accounting);

    if (a == NULL)
        return NULL;
    a->asked   = *asked;
    a->arena   = arena;
    a->temp    = arena_new("accounting", TEMP_BYTES);
    a->last    = &a->first;
    a->events  = arena_make_n(arena, RECORD_SHOWN, struct span);
    a->from_ms = asked->since_ms != INT64_MIN ? asked->since_ms : window_begin(asked->scope, asked->requested_ms);
    if (a->from_ms != INT64_MIN)
        a->from = day(arena, a->from_ms);
    if (asked->clock)
        a->due = day(arena, asked->requested_ms + DAY_MS * (asked->scope == ACCOUNTING_INTERMEDIARY ? DUE_INTERMEDIARY_DAYS : DUE_DAYS));
    buf_init(&a->body, ACCOUNTING_BYTES);
    if (arena_spent(arena) || a->temp == NULL)
        accounting_free(&a);
    return a;
}

void
accounting_free(struct accounting **a)
{
    if (*a != NULL) {
        buf_release(&(*a)->body);
        arena_free(&(*a)->temp);
    }
    *a = NULL;
}

int64_t
accounting_from_ms(const struct accounting *a)
{
    return a->from_ms;
}

/* ---- which ---------------------------------------------------------------------------- */

static struct span
text_of(const struct accounting *a, const struct tape *t, tape_node object, const char *name)
{
    return tape_member_text(t, object, span_of(name), a->temp);
}

static bool
is_true(const struct tape *t, const char *name)
{
    return tape_kind(t, tape_member(t, TAPE_ROOT, span_of(name))) == TAPE_TRUE;
}

/* Rule 3. */
static bool
is_suspended(const struct accounting *a, const struct tape *t)
{
    tape_node         recipient = tape_member(t, TAPE_ROOT, SPAN("recipient"));
    struct span       until     = text_of(a, t, TAPE_ROOT, "suspendedUntil");
    struct span       name = text_of(a, t, recipient, "name"), reference = text_of(a, t, recipient, "reference");
    struct time_range range;

    if (!span_empty(until) && time_range_read(until, &range) && range.first_ms > a->asked.now_ms)
        return true;
    for (size_t i = 0; i < a->asked.suspension_count; i++) {
        const struct accounting_suspension *s = &a->asked.suspensions[i];
        if (s->until_ms >= a->asked.now_ms && (span_eq(s->recipient, name) || span_eq(s->recipient, reference)))
            return true;
    }
    return false;
}

/* part2 are those made with consent (2.25(a)); the others are flagged when they are recorded. */
static bool
of_scope(const struct accounting *a, const struct tape *t)
{
    if (a->asked.scope == ACCOUNTING_PART2)
        return is_true(t, "inPart2Accounting") || tape_member(t, TAPE_ROOT, SPAN("consentId")) != TAPE_ABSENT;
    return is_true(t, a->asked.scope == ACCOUNTING_HIPAA ? "inHipaaAccounting" : "inIntermediaryList");
}

static bool
in_scope(struct accounting *a, const struct tape *t)
{
    if (a->asked.scope == ACCOUNTING_ALL)
        return true;
    bool in = of_scope(a, t), suspended = in && is_suspended(a, t);
    a->suspended += suspended;
    return in && !suspended;
}

/* ---- a line --------------------------------------------------------------------------- */

/* The description in the reader's language: records have it in English. */
static struct span
described(const struct accounting *a, const struct tape *t)
{
    tape_node list  = tape_member(t, TAPE_ROOT, SPAN("itemsReleased"));
    size_t    count = 0, at = 0;

    if (a->asked.language == LANGUAGE_ENGLISH || tape_member(t, TAPE_ROOT, SPAN("itemsNotListed")) != TAPE_ABSENT)
        return text_of(a, t, TAPE_ROOT, "briefDescription");
    for (tape_node item = tape_first(t, list); item != TAPE_ABSENT; item = tape_next(t, item))
        count++;
    struct record_item *items = arena_make_n(a->temp, count, struct record_item);
    if (items == NULL)
        return (struct span){ NULL, 0 };
    for (tape_node item = tape_first(t, list); item != TAPE_ABSENT; item = tape_next(t, item))
        items[at++].type = text_of(a, t, item, "type");
    return record_brief(a->asked.language, items, count, a->temp);
}

static struct accounting_row
row_of(const struct accounting *a, const struct tape *t)
{
    tape_node             recipient = tape_member(t, TAPE_ROOT, SPAN("recipient"));
    enum language         language  = a->asked.language;
    struct accounting_row row       = {
        .when        = text_of(a, t, TAPE_ROOT, "tRelease"),
        .recipient   = text_of(a, t, recipient, "name"),
        .address     = text_of(a, t, recipient, "address"),
        .description = described(a, t),
        .purpose     = text_of(a, t, TAPE_ROOT, "purposeStatement"),
        .basis       = text_of(a, t, TAPE_ROOT, "basis"),
        .event_id    = text_of(a, t, TAPE_ROOT, "eventId"),
        .times       = 1,
    };
    struct span codes = text_of(a, t, TAPE_ROOT, "purpose");

    row.last   = row.when;
    row.reason = plain_reason(language, row.basis);
    if (span_empty(row.reason))
        row.reason = text_of(a, t, tape_first(t, tape_member(t, TAPE_ROOT, SPAN("bases"))), "words");
    if (language != LANGUAGE_ENGLISH && !span_empty(codes))
        row.purpose = plain_purposes(language, codes, a->temp);
    return row;
}

/* Text on a terminal, as of cli/desk.h: control characters could move the cursor or forge a line. */
static void
add_plain(struct buf *out, struct span text)
{
    for (size_t i = 0; i < text.length; i++)
        buf_add_byte(out, (unsigned char)text.at[i] < ' ' || text.at[i] == 0x7f ? '?' : text.at[i]);
}

static void
add_text_row(struct buf *out, const struct accounting_row *row)
{
    const struct { const char *name; struct span value; } parts[] = {
        { "\n    what     ", row->description }, { "\n    why      ", row->purpose }, { "\n    allowed  ", row->reason },
        { "\n    rule     ", row->basis }, { "\n    event    ", row->event_id },
    };

    add_plain(out, row->when);
    buf_add_text(out, "  to ");
    add_plain(out, row->recipient);
    if (!span_empty(row->address)) {
        buf_add_text(out, ", ");
        add_plain(out, row->address);
    }
    if (row->times > 1) {
        buf_add_format(out, "\n    times    %llu, the last ", (unsigned long long)row->times);
        add_plain(out, row->last);
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        buf_add_text(out, parts[i].name);
        add_plain(out, parts[i].value);
    }
    buf_add_byte(out, '\n');
}

static void
add_csv_field(struct buf *out, struct span text, bool last)
{
    buf_add_byte(out, '"');
    if (!span_empty(text) && strchr("=+-@\t\r", text.at[0]) != NULL)
        buf_add_byte(out, '\'');
    for (size_t i = 0; i < text.length; i++) {
        if (text.at[i] == '"')
            buf_add_byte(out, '"');
        buf_add_byte(out, text.at[i]);
    }
    buf_add_text(out, last ? "\"\r\n" : "\",");
}

static void
add_csv_row(struct buf *out, const struct accounting_row *row)
{
    char              room[24];
    struct buf        number   = { .at = room, .capacity = sizeof room, .max = sizeof room };
    const struct span fields[] = { row->when, row->recipient, row->address, row->description, row->purpose, row->basis, row->event_id, row->reason };

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        add_csv_field(out, fields[i], false);
    buf_add_u64(&number, row->times);
    add_csv_field(out, buf_span(&number), false);
    add_csv_field(out, row->last, true);
}

static void
add_row(struct accounting *a, const struct accounting_row *row)
{
    switch (a->asked.form) {
    case ACCOUNTING_TEXT: add_text_row(&a->body, row); break;
    case ACCOUNTING_CSV:  add_csv_row(&a->body, row); break;
    case ACCOUNTING_HTML: page_row(&a->body, &a->asked, row); break;
    case ACCOUNTING_JSON: case ACCOUNTING_FHIR: case ACCOUNTING_FORMS: break;
    }
}

/* ---- groups ---------------------------------------------------------------------------- */

static bool
same(const struct accounting_row *a, const struct accounting_row *b)
{
    return span_eq(a->recipient, b->recipient) && span_eq(a->address, b->address) && span_eq(a->purpose, b->purpose)
        && span_eq(a->basis, b->basis);
}

/* Everything of a row that stays while the tape goes. */
static struct accounting_row *
row_copy(struct arena *arena, const struct accounting_row *row)
{
    struct accounting_row *copy  = arena_make(arena, struct accounting_row);
    struct span           *texts[] = { &copy->when, &copy->recipient, &copy->address, &copy->description, &copy->purpose,
                                       &copy->basis, &copy->reason, &copy->event_id, &copy->last };

    if (copy == NULL)
        return NULL;
    *copy = *row;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        *texts[i] = arena_copy(arena, *texts[i]);
    return copy;
}

/* ---- add ------------------------------------------------------------------------------- */

struct added {                           /* of a record, as long as its tape is there */
    struct accounting_row row;
    struct span           name;
    bool                  in;
};

static enum status
add_record(struct accounting *a, const struct tape *t, struct added *out)
{
    enum status st = ST_OK;

    *out = (struct added){ .in = in_scope(a, t) };
    if (!out->in)
        return ST_OK;
    out->row  = row_of(a, t);
    out->name = text_of(a, t, TAPE_ROOT, "patientNameAtTime");
    if (a->asked.form == ACCOUNTING_JSON) {
        buf_add_text(&a->body, a->count > 0 ? "," : "");
        buf_add(&a->body, tape_body(t));
    } else if (a->asked.form == ACCOUNTING_FHIR) {
        buf_add_format(&a->body, "%s{\"fullUrl\":\"urn:uuid:%.*s\",\"resource\":", a->count > 0 ? "," : "", SPAN_PRINT(out->row.event_id));
        st = audit_event_author(t, &a->asked.source, a->temp, &a->body);
        buf_add_byte(&a->body, '}');
    } else if (!a->asked.grouped) {
        add_row(a, &out->row);
    }
    return st;
}

static bool
is_grouped(const struct accounting *a)
{
    return a->asked.grouped && a->asked.form != ACCOUNTING_JSON && a->asked.form != ACCOUNTING_FHIR;
}

/* Into the group that it belongs to, or a new one. */
static void
group(struct accounting *a, const struct accounting_row *row)
{
    uint64_t looked = 0;

    for (struct accounting_row *g = a->first; g != NULL && looked < GROUPS_MOST; g = g->next, looked++)
        if (same(g, row)) {
            g->times++;
            g->last = arena_copy(a->arena, row->when);
            return;
        }
    *a->last = row_copy(a->arena, row);
    if (*a->last != NULL)
        a->last = &(*a->last)->next;
}

static enum status
keep(struct accounting *a, const struct added *added)
{
    if (!span_empty(added->name) && !span_eq(added->name, a->name))
        a->name = arena_copy(a->arena, added->name);
    if (a->event_count < RECORD_SHOWN)
        a->events[a->event_count++] = arena_copy(a->arena, added->row.event_id);
    a->count++;
    if (is_grouped(a))
        group(a, &added->row);
    return arena_spent(a->arena) ? ST_NO_MEMORY : buf_status(&a->body);
}

static enum status
add_own_part(struct accounting *a, struct span record)
{
    const struct tape *t;
    struct span        own;
    struct added       added;
    enum status        st = tape_read(record, &tape_default_limits, a->temp, &t, NULL);

    if (st == ST_OK)
        st = record_extract(t, a->asked.patient, a->temp, &own);
    if (st == ST_OK)
        st = tape_read(own, &tape_default_limits, a->temp, &t, NULL);
    if (st == ST_OK)
        st = add_record(a, t, &added);
    if (st == ST_OK && added.in)
        st = keep(a, &added);
    return st == ST_OK ? arena_status(a->temp) : st;
}

enum status
accounting_add(struct accounting *a, struct span record)
{
    struct arena_mark mark = arena_mark(a->temp);
    enum status       st   = add_own_part(a, record);

    arena_reset(a->temp, mark);
    return st;
}

/* ---- finish ------------------------------------------------------------------------------ */

/* The three lines of a checkpoint (c2sp.org/tlog-checkpoint). */
static struct page_facts
facts_of(struct accounting *a)
{
    struct span       note  = a->asked.checkpoint;
    struct page_facts facts = {
        .patient = a->asked.patient, .name = a->name, .from = a->from, .due = a->due, .count = a->count,
        .prepared = time_format(a->arena, a->asked.now_ms),
    };

    if (a->asked.requested_ms != a->asked.now_ms)
        facts.requested = day(a->arena, a->asked.requested_ms);
    facts.origin = span_split(&note, '\n');
    facts.size   = span_split(&note, '\n');
    facts.head   = span_split(&note, '\n');
    return facts;
}

static void
finish_text(struct accounting *a, const struct page_facts *f, struct buf *out)
{
    buf_add_text(out, "Accounting of disclosures for ");
    add_plain(out, f->patient);
    if (!span_empty(f->due))
        buf_add_format(out, ", due by %.*s (45 CFR 164.528(c)(1))", SPAN_PRINT(f->due));
    if (!span_empty(f->from))
        buf_add_format(out, "\nfrom %.*s on", SPAN_PRINT(f->from));
    buf_add_text(out, "\n\n");
    buf_add(out, buf_span(&a->body));
    buf_add_format(out, "%s%llu disclosures\n", a->count > 0 ? "\n" : "", (unsigned long long)a->count);
    if (!span_empty(f->origin))
        buf_add_format(out, "log %.*s, %.*s records, root %.*s\n", SPAN_PRINT(f->origin), SPAN_PRINT(f->size), SPAN_PRINT(f->head));
}

static void
finish_json(struct accounting *a, const struct page_facts *f, struct buf *out)
{
    buf_add_format(out, "{\"patient\":%.*s,", SPAN_PRINT(author_literal(a->arena, f->patient)));
    if (a->asked.scope != ACCOUNTING_ALL)
        buf_add_format(out, "\"scope\":\"%s\",", scope_words[a->asked.scope]);
    if (!span_empty(f->due))
        buf_add_format(out, "\"dueBy\":\"%.*s\",", SPAN_PRINT(f->due));
    if (!span_empty(f->from))
        buf_add_format(out, "\"from\":\"%.*s\",", SPAN_PRINT(f->from));
    buf_add_format(out, "\"checkpoint\":%.*s,\"disclosures\":[", SPAN_PRINT(author_literal(a->arena, a->asked.checkpoint)));
    buf_add(out, buf_span(&a->body));
    buf_add_text(out, "]}\n");
}

static void
finish_fhir(struct accounting *a, const struct page_facts *f, struct buf *out)
{
    buf_add_format(out, "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"timestamp\":\"%.*s\"", SPAN_PRINT(f->prepared));
    if (a->count > 0) {
        buf_add_text(out, ",\"entry\":[");
        buf_add(out, buf_span(&a->body));
        buf_add_byte(out, ']');
    }
    buf_add_text(out, "}\n");
}

static void
finish_html(struct accounting *a, const struct page_facts *f, struct buf *out)
{
    page_begin(out, &a->asked, f);
    buf_add(out, buf_span(&a->body));
    page_end(out, &a->asked, f);
}

/* Rule 5. */
static struct span
add_digest(struct accounting *a, struct buf *out)
{
    struct span all = buf_span(out);
    struct span hex = sha256_hex(a->arena, &all, 1);

    if (a->asked.form == ACCOUNTING_HTML)
        buf_add_format(out, "<footer>%s%.*s</footer>\n</body>\n</html>\n", said(a->asked.language, SAID_SHA256), SPAN_PRINT(hex));
    else
        buf_add_format(out, "SHA-256 of the above: %.*s\n", SPAN_PRINT(hex));
    return hex;
}

enum status
accounting_finish(struct accounting *a, struct buf *out, struct accounting_result *result)
{
    for (const struct accounting_row *row = a->first; row != NULL; row = row->next)
        add_row(a, row);
    struct page_facts facts = facts_of(a);
    bool              page  = a->asked.form == ACCOUNTING_TEXT || a->asked.form == ACCOUNTING_HTML;

    *result = (struct accounting_result){ .count = a->count, .suspended = a->suspended, .events = a->events, .event_count = a->event_count };
    switch (a->asked.form) {
    case ACCOUNTING_TEXT: finish_text(a, &facts, out); break;
    case ACCOUNTING_JSON: finish_json(a, &facts, out); break;
    case ACCOUNTING_FHIR: finish_fhir(a, &facts, out); break;
    case ACCOUNTING_HTML: finish_html(a, &facts, out); break;
    case ACCOUNTING_CSV:
        buf_add_text(out, "\"date\",\"recipient\",\"address\",\"description\",\"purpose\",\"basis\",\"eventId\",\"reason\",\"times\",\"last\"\r\n");
        buf_add(out, buf_span(&a->body));
        break;
    case ACCOUNTING_FORMS: break;
    }
    if (page)
        result->page_sha256 = add_digest(a, out);
    if (arena_spent(a->arena))
        return ST_NO_MEMORY;
    return buf_status(&a->body) != ST_OK ? buf_status(&a->body) : buf_status(out);
}
