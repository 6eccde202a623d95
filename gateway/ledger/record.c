/* gateway/ledger/record.c -- one record of the ledger, authored once. */
#include "gateway/ledger/record.h"

#include "base/digits.h"
#include "base/json_writer.h"
#include "gateway/ledger/digest.h"
#include "gateway/runtime/identity.h"

/* Rule 4: a record is bounded.  Text is cut, lists end, items are counted
 * instead of named once the record has grown to ITEMS_UNTIL. */
#define TEXT_MAX    2048u
#define LIST_MAX    64u
#define ITEMS_UNTIL ((size_t)192 * 1024)
#define BRIEF_TYPES 24u

static const char *const kinds[] = { "disclosure", "void", "denial", "filing", "review", "rows", "reading", "shredding" };

/* ---- small parts --------------------------------------------------------------------- */

void
record_time(int64_t epoch_ms, char out[RECORD_TIME])
{
    (void)digits_moment(epoch_ms, out);
}

/* RFC 9562 5.7: 48 bits of milliseconds, version 7, 74 random bits. */
struct span
record_event_id(struct arena *arena, int64_t now_ms)
{
    unsigned char b[16];
    char          text[DIGITS_UUID];

    random_draw(b + 6, sizeof b - 6);
    for (int i = 0; i < 6; i++)
        b[i] = (unsigned char)((uint64_t)now_ms >> (40 - 8 * i));
    b[6] = (unsigned char)(0x70 | (b[6] & 0x0f));
    b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
    return arena_copy(arena, span_from(text, digits_uuid(b, text)));
}

/* ---- the brief description -------------------------------------------------------------- */

struct tally {
    struct span type;
    size_t      count;
};

static size_t
tally_types(const struct record_item *items, size_t count, struct tally *out, size_t *others)
{
    size_t types = 0;

    *others = 0;
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;
        while (at < types && !span_eq(out[at].type, items[i].type))
            at++;
        if (at == BRIEF_TYPES) {
            (*others)++;
            continue;
        }
        if (at == types)
            out[types++] = (struct tally){ items[i].type, 0 };
        out[at].count++;
    }
    return types;
}

static void
add_words(enum language language, struct buf *out, const struct tally *t)
{
    static const char *const resource[2][2] = { { " resource", " resources" }, { " recurso", " recursos" } };
    struct span              words          = plain_items(language, t->type, t->count);

    buf_add_u64(out, t->count);
    buf_add_byte(out, ' ');
    if (!span_empty(words)) {
        buf_add(out, words);
        return;
    }
    buf_add(out, span_first(t->type, 64));
    buf_add_text(out, resource[language][t->count != 1]);
}

struct span
record_brief(enum language language, const struct record_item *items, size_t count, struct arena *arena)
{
    static const char *const ands[]   = { " and ", " y " };
    static const char *const more[]   = { " other resources", " recursos más" };
    struct tally tallies[BRIEF_TYPES];
    size_t       others;
    size_t       types = tally_types(items, count, tallies, &others);
    char         room[4096];
    struct buf   text  = { .at = room, .capacity = sizeof room, .max = sizeof room };
    size_t       parts = types + (others > 0);

    for (size_t i = 0; i < types; i++) {
        if (i > 0)
            buf_add_text(&text, i + 1 == parts ? ands[language] : ", ");
        add_words(language, &text, &tallies[i]);
    }
    if (others > 0) {
        buf_add_text(&text, ands[language]);
        buf_add_u64(&text, others);
        buf_add_text(&text, more[language]);
    }
    return arena_copy(arena, buf_span(&text));
}

/* ---- members ----------------------------------------------------------------------------- */

/* At most TEXT_MAX bytes, never cut inside a character. */
static struct span
clipped(struct span text)
{
    size_t end = TEXT_MAX;

    if (text.length <= TEXT_MAX)
        return text;
    while (end > 0 && ((unsigned char)text.at[end] & 0xc0) == 0x80)
        end--;
    return span_first(text, end);
}

static void
add_text(struct json_writer *w, const char *name, struct span text)
{
    json_text_if(w, name, clipped(text));
}

static void
add_time(struct json_writer *w, const char *name, int64_t at_ms)
{
    char text[RECORD_TIME];

    if (at_ms == 0)
        return;
    record_time(at_ms, text);
    json_text_if(w, name, span_of(text));
}

static void
add_list(struct json_writer *w, const char *name, const struct span *texts, size_t count)
{
    if (count == 0)
        return;
    json_array(w, name);
    for (size_t i = 0; i < count && i < LIST_MAX; i++)
        json_text(w, NULL, clipped(texts[i]));
    json_end(w);
}

static void
add_parties(struct json_writer *w, const struct disclosure *d)
{
    if (!span_empty(d->discloser.name) || !span_empty(d->discloser.system)) {
        json_object(w, "discloser");
        add_text(w, "name", d->discloser.name);
        add_text(w, "holderClass", d->discloser.holder_class);
        add_text(w, "system", d->discloser.system);
        json_end(w);
    }
    if (d->kind == RECORD_FILING || d->kind == RECORD_ROWS || d->kind == RECORD_SHREDDING)      /* nobody received anything */
        return;
    json_object(w, "recipient");
    add_text(w, "name", d->recipient.name);
    add_text(w, "reference", d->recipient.reference);
    add_text(w, "address", d->recipient.address);
    add_text(w, "endpoint", d->recipient.endpoint);
    add_list(w, "identifier", d->recipient.identifiers, d->recipient.identifier_count);
    add_list(w, "class", d->recipient.classes, d->recipient.class_count);
    add_text(w, "individual", d->recipient.individual);
    add_text(w, "role", d->recipient.role);
    json_end(w);
}

static void
add_bases(struct json_writer *w, const char *name, const struct record_basis *bases, size_t count)
{
    if (count == 0)
        return;
    json_array(w, name);
    for (size_t i = 0; i < count && i < LIST_MAX; i++) {
        json_object(w, NULL);
        add_text(w, "rule", bases[i].rule);
        add_text(w, "citation", bases[i].citation);
        add_text(w, "words", bases[i].words);
        if (bases[i].items > 0)
            json_integer(w, "items", bases[i].items);
        json_end(w);
    }
    json_end(w);
}

/* `basis` is one text: rule number and citation. */
static void
add_basis(struct json_writer *w, const struct record_basis *bases, size_t count)
{
    if (count == 0)
        return;
    json_join(w, "basis", span_first(bases[0].rule, 100), SPAN(" "), span_first(bases[0].citation, 150));
    add_bases(w, "bases", bases, count);
}

static void
add_purpose(struct json_writer *w, const struct disclosure *d)
{
    char       codes_room[512], words_room[1024];
    struct buf codes = { .at = codes_room, .capacity = sizeof codes_room, .max = sizeof codes_room };
    struct buf words = { .at = words_room, .capacity = sizeof words_room, .max = sizeof words_room };

    for (size_t i = 0; i < d->purpose_count && i < 8; i++) {
        if (i > 0) {
            buf_add_byte(&codes, ' ');
            buf_add_text(&words, ", ");
        }
        buf_add(&codes, span_first(d->purposes[i], 60));
        buf_add(&words, span_first(plain_purpose(LANGUAGE_ENGLISH, d->purposes[i]), 100));
    }
    add_text(w, "purpose", buf_span(&codes));
    add_text(w, "purposeStatement", span_empty(d->purpose_statement) ? buf_span(&words) : d->purpose_statement);
}

static void
add_items(struct json_writer *w, const struct disclosure *d)
{
    size_t i = 0;

    if (d->item_count == 0)
        return;
    json_array(w, "itemsReleased");
    for (; i < d->item_count && json_writer_length(w) < ITEMS_UNTIL; i++) {
        const struct record_item *item = &d->items[i];
        json_object(w, NULL);
        json_text(w, "type", clipped(item->type));
        add_text(w, "id", item->id);
        if (item->version > 0)
            json_integer(w, "version", item->version);
        add_text(w, "from", item->from);
        add_text(w, "to", item->to);
        if (item->patient > 0)
            json_integer(w, "patient", item->patient - 1);
        json_end(w);
    }
    json_end(w);
    if (i < d->item_count)
        json_integer(w, "itemsNotListed", (int64_t)(d->item_count - i));
}

static void
add_consent(struct json_writer *w, const struct disclosure *d, const struct record_consent *c,
            struct span explanation)
{
    if (c != NULL) {
        add_text(w, "consentId", c->id);
        add_text(w, "consentVersion", c->version);
        add_text(w, "consentKind", c->kind);
        add_text(w, "consentSha256", c->sha256);
        add_text(w, "consentElements", c->elements);
        add_text(w, "consentStateAtRelease", c->state);
    }
    add_text(w, "noticeKind", d->notice.kind);
    add_text(w, "noticeVersion", d->notice.version);
    if (!span_empty(explanation)) {
        json_object(w, "consentCopyOrExplanation");
        add_text(w, "sha256", explanation);
        json_end(w);
    }
}

static void
add_other_consents(struct json_writer *w, const struct disclosure *d)
{
    if (d->other_count == 0)
        return;
    json_array(w, "otherConsents");
    for (size_t i = 0; i < d->other_count; i++) {
        json_object(w, NULL);
        add_text(w, "consentId", d->others[i]->id);
        add_text(w, "consentVersion", d->others[i]->version);
        add_text(w, "consentKind", d->others[i]->kind);
        add_text(w, "consentSha256", d->others[i]->sha256);
        json_end(w);
    }
    json_end(w);
}

static void
add_emergency(struct json_writer *w, const struct record_emergency *e)
{
    if (e == NULL)
        return;
    json_object(w, "emergency");
    add_text(w, "declaredBy", e->declared_by);
    add_text(w, "medicalPersonnel", e->personnel);
    add_text(w, "affiliation", e->affiliation);
    add_text(w, "disclosedBy", e->discloser);
    add_text(w, "nature", e->nature);
    add_text(w, "whyConsentUnobtainable", e->why_unobtainable);
    json_end(w);
}

static void
add_papers(struct json_writer *w, const struct record_paper *papers, size_t count)
{
    if (count == 0)
        return;
    json_array(w, "documents");
    for (size_t i = 0; i < count; i++) {
        json_object(w, NULL);
        add_text(w, "id", papers[i].id);
        add_text(w, "kind", span_of(papers[i].kind));
        if (papers[i].version > 0)
            json_integer(w, "version", papers[i].version);
        add_text(w, "sha256", papers[i].sha256);
        json_end(w);
    }
    json_end(w);
}

static void
add_review(struct json_writer *w, const struct record_review *r)
{
    if (r == NULL)
        return;
    json_object(w, "review");
    json_integer(w, "item", r->item);
    add_text(w, "key", r->key);
    add_text(w, "kind", r->kind);
    add_text(w, "act", r->act);
    add_text(w, "reviewer", r->reviewer);
    add_text(w, "account", r->account);
    add_text(w, "role", r->role);
    add_text(w, "finding", r->finding);
    add_text(w, "why", r->why);
    add_text(w, "resource", r->resource);
    add_text(w, "sha256", r->sha256);
    json_end(w);
}

static void
add_rows(struct json_writer *w, const struct disclosure *d)
{
    char hex[64];

    if (d->rows_first > 0)
        json_integer(w, "first", (int64_t)d->rows_first);
    json_integer(w, "tables", (int64_t)d->rows_tables);
    json_array(w, "rows");
    for (size_t i = 0; i < d->row_count; i++) {
        json_object(w, NULL);
        json_text(w, "table", span_of(d->rows[i].table));
        json_integer(w, "id", d->rows[i].id);
        if (d->rows[i].was_there) {
            ledger_hash_hex(&d->rows[i].was, hex);
            json_text(w, "was", span_from(hex, sizeof hex));
        }
        if (d->rows[i].gone) {
            json_bool(w, "gone", true);
        } else {
            ledger_hash_hex(&d->rows[i].now, hex);
            json_text(w, "sha256", span_from(hex, sizeof hex));
        }
        json_end(w);
    }
    json_end(w);
}

static void
add_reading(struct json_writer *w, const struct disclosure *d)
{
    add_text(w, "act", d->act);
    json_text_if(w, "request", span_first(d->request, RECORD_REQUEST_BYTES));
    add_purpose(w, d);
    add_text(w, "channel", d->channel);
    json_array(w, "shown");
    for (size_t i = 0; i < d->shown_count && i < RECORD_SHOWN; i++)
        json_text(w, NULL, d->shown[i]);
    json_end(w);
    add_text(w, "payloadSha256", d->payload_sha256);
    json_integer(w, "payloadBytes", (int64_t)d->payload_bytes);
}

static void
add_shredding(struct json_writer *w, const struct disclosure *d)
{
    static const char *const names[LEDGER_LOGS] = { [LEDGER_DISCLOSURES] = "disclosures", [LEDGER_DENIALS] = "denials" };
    char                     room[64];

    add_text(w, "act", d->act);
    add_text(w, "account", d->account);
    add_text(w, "why", d->why);
    add_time(w, "before", d->before_ms);
    json_object(w, "leaves");
    for (int log = 0; log < LEDGER_LOGS; log++) {
        json_array(w, names[log]);
        for (size_t i = 0; i < d->run_count[log]; i++) {
            const struct record_run *run  = &d->runs[log][i];
            struct buf               text = { .at = room, .capacity = sizeof room, .max = sizeof room };
            buf_add_u64(&text, run->first);
            buf_add_byte(&text, '-');
            buf_add_u64(&text, run->last);
            json_text(w, NULL, buf_span(&text));
        }
        json_end(w);
    }
    json_end(w);
    json_integer(w, "count", (int64_t)d->shredded);
}

/* ---- kinds --------------------------------------------------------------------------------- */

static void
add_core(struct json_writer *w, const struct disclosure *d)
{
    json_text(w, "eventId", d->event_id);
    json_text(w, "kind", span_of(kinds[d->kind]));
    add_text(w, "voids", d->voids);
    add_text(w, "voidReason", d->void_reason);
    add_text(w, "policyVersion", d->policy_version);
    add_text(w, "valueSetVersion", d->value_set_version);
    add_text(w, "registryVersion", d->registry_version);
    if (d->consent_store_version > 0)
        json_integer(w, "consentStoreVersion", (int64_t)d->consent_store_version);
    add_time(w, "tRequest", d->request_ms);
    add_time(w, "tDecision", d->decision_ms);
    add_time(w, "tRelease", d->release_ms);
    add_text(w, "patientId", d->patient);
    add_text(w, "patientNameAtTime", d->patient_name);
    add_parties(w, d);
    add_text(w, "requestId", d->request_id);
    add_text(w, "idempotencyKey", d->idempotency_key);
    add_text(w, "client", d->client);
}

static void
add_release(struct json_writer *w, const struct disclosure *d, struct span brief)
{
    add_basis(w, d->bases, d->basis_count);
    add_purpose(w, d);
    add_items(w, d);
    add_text(w, "briefDescription", brief);
    add_text(w, "channel", d->channel);
    json_bool(w, "viaEHR", d->via_ehr);
    add_text(w, "decision", d->decision);
    add_consent(w, d, d->consent, d->notice.explanation_sha256);
    add_other_consents(w, d);
    add_papers(w, d->papers, d->paper_count);
    add_emergency(w, d->emergency);
}

/* Rule 5: what one of several patients is told instead of the record's own. */
static void
add_patient(struct json_writer *w, const struct disclosure *d, const struct record_patient *p, struct span brief)
{
    json_object(w, NULL);
    json_text(w, "patientId", clipped(p->patient));
    add_text(w, "patientNameAtTime", p->name);
    json_integer(w, "items", (int64_t)p->item_count);
    if (d->kind == RECORD_DISCLOSURE) {
        add_basis(w, p->bases, p->basis_count);
        add_text(w, "briefDescription", brief);
        add_text(w, "decision", p->decision);
        if (p->consent != NULL)
            add_consent(w, d, p->consent, p->explanation_sha256);
        add_papers(w, p->papers, p->paper_count);
        add_emergency(w, p->emergency);
        json_bool(w, "inPart2Accounting", p->in_part2_accounting);
    }
    json_end(w);
}

/* The brief descriptions are made before the writer is open: both want the arena. */
static const struct span *
briefs_make(const struct disclosure *d, struct arena *arena)
{
    struct span *briefs = arena_make_n(arena, d->patient_count, struct span);

    for (size_t i = 0; i < d->patient_count && briefs != NULL; i++)
        briefs[i] = d->patients[i].items != NULL          /* a denial counts them only */
                        ? record_brief(LANGUAGE_ENGLISH, d->patients[i].items, d->patients[i].item_count, arena)
                        : SPAN("");
    return briefs;
}

static enum status
add_patients(struct json_writer *w, const struct disclosure *d, const struct span *briefs)
{
    size_t start = json_writer_length(w);

    if (d->patient_count == 0)
        return ST_OK;
    json_array(w, "patients");
    for (size_t i = 0; i < d->patient_count; i++) {
        add_patient(w, d, &d->patients[i], briefs[i]);
        if (json_writer_length(w) - start > RECORD_PATIENTS_BYTES)
            return ST_TOO_LARGE;
    }
    json_end(w);
    return ST_OK;
}

static void
add_by_kind(struct json_writer *w, const struct disclosure *d, struct span brief)
{
    switch (d->kind) {
    case RECORD_VOID:
        break;
    case RECORD_FILING:
        add_text(w, "act", d->act);
        add_text(w, "account", d->account);
        add_text(w, "why", d->why);
        add_time(w, "ended", d->ended_ms);
        if (d->by_patient)
            json_bool(w, "byPatient", true);
        add_papers(w, d->papers, d->paper_count);
        break;
    case RECORD_REVIEW:
        add_review(w, d->review);
        add_bases(w, "withheldReasons", d->withheld, d->withheld_reason_count);
        break;
    case RECORD_ROWS:
        add_rows(w, d);
        break;
    case RECORD_SHREDDING:
        add_shredding(w, d);
        break;
    case RECORD_READING:
        add_reading(w, d);
        break;
    case RECORD_DISCLOSURE:
        add_release(w, d, brief);
        add_text(w, "payloadSha256", d->payload_sha256);
        json_integer(w, "payloadBytes", (int64_t)d->payload_bytes);
        json_bool(w, "inPart2Accounting", d->in_part2_accounting);
        json_bool(w, "inHipaaAccounting", d->in_hipaa_accounting);
        json_bool(w, "inIntermediaryList", d->in_intermediary_list);
        add_time(w, "suspendedUntil", d->suspended_until_ms);
        break;
    case RECORD_DENIAL:
        add_release(w, d, brief);
        json_integer(w, "withheldCount", (int64_t)d->withheld_count);
        add_bases(w, "withheldReasons", d->withheld, d->withheld_reason_count);
        break;
    }
}

/* The time that the index sorts by: when it happened. */
static int64_t
happened(const struct disclosure *d)
{
    if (d->release_ms != 0)
        return d->release_ms;
    return d->decision_ms != 0 ? d->decision_ms : d->request_ms;
}

/* The patients beside the first, as the record has them. */
static enum status
others_list(const struct disclosure *d, struct arena *arena, struct ledger_entry *out)
{
    if (d->patient_count < 2)
        return ST_OK;
    struct span *others = arena_make_n(arena, d->patient_count - 1, struct span);
    if (others == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 1; i < d->patient_count; i++)
        others[i - 1] = clipped(d->patients[i].patient);
    out->others      = others;
    out->other_count = d->patient_count - 1;
    return ST_OK;
}

enum status
record_author(const struct disclosure *d, struct arena *arena, struct ledger_entry *out)
{
    struct json_writer w;
    struct span        brief  = d->brief;
    const struct span *briefs = briefs_make(d, arena);

    if (span_empty(d->event_id) || (d->kind == RECORD_VOID && span_empty(d->voids)))
        return ST_MALFORMED;
    if (briefs == NULL && d->patient_count > 0)
        return ST_NO_MEMORY;
    if (span_empty(brief) && d->item_count > 0)
        brief = record_brief(LANGUAGE_ENGLISH, d->items, d->item_count, arena);
    json_writer_open(&w, arena);
    json_object(&w, NULL);
    json_raw(&w, span_skip(SPAN(RECORD_PREFIX), 1));
    add_core(&w, d);
    add_by_kind(&w, d, brief);
    enum status fits = add_patients(&w, d, briefs);
    if (fits == ST_OK)
        json_end(&w);
    struct span record = json_writer_close(&w);
    if (fits != ST_OK || span_empty(record))
        return fits != ST_OK ? fits : ST_NO_MEMORY;
    *out = (struct ledger_entry){
        .log       = d->kind >= RECORD_DENIAL ? LEDGER_DENIALS : LEDGER_DISCLOSURES,
        .record    = record,
        .event_id  = d->event_id,
        .patient   = clipped(d->patient),
        .recipient = d->recipient.name,
        .kind      = span_of(kinds[d->kind]),
        .at_ms     = happened(d),
        .client_of = d->client,
        .voids     = d->voids,
    };
    return others_list(d, arena, out);
}
