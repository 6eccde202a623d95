/* gateway/stages/review.c -- what waits for a person, and what they found, in an exchange.
 *
 * An item is about exactly these bytes of exactly this patient's, from this client, to this recipient,
 * held by this rule, consent and document, or by what was revoked at this moment: all of it is in its key, so that the same push
 * makes no second item, and a finding is gone when anything of it changes.
 *
 * Of one push and recipient REVIEW_MOST items are written; a sender cannot fill
 * the queue with one Bundle.  Findings are looked up for all.
 */
#include "gateway/stages/stages.h"

#include "consent/contained.h"
#include "consent/precedent.h"
#include "consent/review.h"
#include "consent/subject.h"
#include "gateway/ops/log.h"
#include "gateway/runtime/identity.h"

enum { REVIEW_MOST = 256, REVIEW_ROUNDS = 8 };

static struct store_review item_of(struct exchange *, const struct outgoing *, const struct review_cause *);
static struct span         item_key(struct exchange *, const struct store_review *, const struct review_cause *);
static enum status         apply_round(struct exchange *, struct outgoing *, const struct review_causes *, bool *news);
static void                say(struct exchange *, const struct review_cause *);
static bool                append(struct exchange *, struct store_review);

/* ---- what people found ------------------------------------------------------------------- */

/* A finding may bring up the next question: a suspect record that is none after all, with a
 * picture that nobody has seen. */
enum status
review_apply(struct exchange *ex, struct outgoing *out)
{
    struct review_causes causes;
    bool                 news = true;

    out->reviews      = NULL;
    out->review_count = 0;
    for (int round = 0; news && round < REVIEW_ROUNDS; round++) {
        enum status st = review_release(out->release, out->facts, ex->arena, &causes);
        if (st == ST_OK && causes.count > 0 && out->reviews == NULL
            && (out->reviews = arena_make_n(ex->arena, REVIEW_MOST, struct store_review)) == NULL)
            return ST_NO_MEMORY;
        if (st == ST_OK && causes.count > 0)
            st = apply_round(ex, out, &causes, &news);
        else
            news = false;
        if (st == ST_OK && news)
            st = release_make(ex->bundle, ex->references, ex->labeling, out->facts, ex->arena, &out->release);
        if (st != ST_OK)
            return st;
    }
    return ST_OK;
}

static struct determination
finding_about(const struct review_cause *cause, int finding)
{
    return (struct determination){
        .entry = cause->entry, .finding = (enum finding)finding, .rule = cause->rule,
        .consent  = cause->consent != NULL ? consent_reference(cause->consent) : (struct span){ NULL, 0 },
        .document = cause->by,
    };
}

/* Both are by entry: the new ones go among those that are there, all at once. */
static bool
add_findings(struct exchange *ex, struct outgoing *out, const struct determination *new, size_t count)
{
    const struct facts   *facts = out->facts;
    size_t                had   = facts->determination_count, from = 0, at = 0;
    struct determination *all   = arena_make_n(ex->arena, had + count, struct determination);

    if (all == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        while (from < had && facts->determinations[from].entry <= new[i].entry)
            all[at++] = facts->determinations[from++];
        all[at++] = new[i];
    }
    while (from < had)
        all[at++] = facts->determinations[from++];
    out->facts->determinations      = all;
    out->facts->determination_count = at;
    return true;
}

static bool
known_item(const struct outgoing *out, struct span key)
{
    for (size_t i = 0; i < out->review_count; i++)
        if (span_eq(out->reviews[i].key, key))
            return true;
    return false;
}

static enum status
apply_round(struct exchange *ex, struct outgoing *out, const struct review_causes *causes, bool *news)
{
    bool                  any   = store_review_found_any(ex->gateway->store);
    struct determination *found = any ? arena_make_n(ex->arena, causes->count, struct determination) : NULL;
    size_t                count = 0;

    if (any && found == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < causes->count && (any || out->review_count < REVIEW_MOST); i++) {
        const struct review_cause *cause   = &causes->all[i];
        struct store_review        item    = item_of(ex, out, cause);
        int                        finding = any && review_settles(cause->kind) ? store_review_finding(ex->gateway->store, item.key) : 0;
        if (finding != FINDING_NONE)
            found[count++] = finding_about(cause, finding);
        /* One that is settled comes with this push from now on. */
        if (out->review_count < REVIEW_MOST && !known_item(out, item.key))
            out->reviews[out->review_count++] = item;
    }
    if (causes->count > REVIEW_MOST)
        log_event(LOG_WARN_LEVEL, "review.more", LOG_F_ID("request", ex->request_id),
                  LOG_F_ID("recipient", out->recipient->title), LOG_F_COUNT("items", causes->count),
                  LOG_F_REASON("more waits for a person than one push may put into the queue"));
    *news = count > 0;
    if (*news && !add_findings(ex, out, found, count))
        return ST_NO_MEMORY;
    ex->relies_on_review = ex->relies_on_review || *news;
    return arena_status(ex->arena);
}

/* ---- items --------------------------------------------------------------------------------- */

static struct store_review
item_of(struct exchange *ex, const struct outgoing *out, const struct review_cause *cause)
{
    const struct bundle_entry *e     = cause->entry != ENTRY_NONE ? &ex->bundle->entries[cause->entry] : NULL;
    struct span                bytes = e != NULL && e->resource != TAPE_ABSENT ? tape_extent(ex->tape, e->resource) : ex->body;
    struct span                id    = e == NULL ? (struct span){ NULL, 0 } : ex->ids != NULL ? ex->ids[cause->entry] : e->id;
    struct store_review        item  = {
        .kind = span_of(review_code(cause->kind)), .client = ex->client->title,
        .patient = e != NULL && ex->patients != NULL ? ex->patients[cause->entry] : ex->patient,
        .resource = e != NULL ? arena_join(ex->arena, e->type, SPAN("/"), id) : SPAN("Bundle"),
        .sha256 = sha256_hex(ex->arena, &bytes, 1), .because = cause->because,
        .rule = span_of(cause->rule != RULE_NONE ? rule_number(cause->rule) : review_number(cause->kind)),
        .citation = span_of(cause->rule != RULE_NONE ? rule_citation(cause->rule) : review_citation(cause->kind)),
        .inbox = ex->due != NULL ? ex->due->inbox_id : 0,
    };

    if (out != NULL)
        item.recipient = out->recipient->title;
    if (cause->consent != NULL)
        item.consent = consent_reference(cause->consent);
    item.document = cause->by;
    if (cause->kind == REVIEW_EMERGENCY || cause->kind == REVIEW_LEGAL_AFTER)
        item.event_id = ex->due != NULL ? ex->due->event_id : (struct span){ NULL, 0 };
    item.key = item_key(ex, &item, cause);
    return item;
}

/* Each part with its length before it: no two lists of parts read alike.  The id is the sender's: what
 * this push made is not in it. */
static struct span
item_key(struct exchange *ex, const struct store_review *item, const struct review_cause *cause)
{
    const struct tape *tape  = NULL;
    struct span        proof = { NULL, 0 };
    struct span        name  = { NULL, 0 };

    if (cause->consent != NULL) {
        tape_node   node  = consent_node(cause->consent, &tape);
        struct span bytes = tape_extent(tape, node);
        proof             = sha256_hex(ex->arena, &bytes, 1);
    }
    if (cause->entry != ENTRY_NONE)
        name = arena_join(ex->arena, ex->bundle->entries[cause->entry].type, SPAN("/"), ex->bundle->entries[cause->entry].id);
    struct span since = cause->since_ms != 0 ? arena_format(ex->arena, "%lld", (long long)cause->since_ms) : (struct span){ NULL, 0 };
    struct span paper = cause->document != NULL ? cause->document->filed.sha256 : (struct span){ NULL, 0 };
    const struct span parts[] = { item->kind, item->rule, item->citation, item->client, item->recipient, item->patient, name,
                                  item->sha256, item->consent, proof, item->document, paper, since };
    enum { PARTS = sizeof parts / sizeof parts[0] };
    struct span all[2 * PARTS];
    size_t      count = cause->since_ms != 0 ? PARTS : PARTS - 1;
    for (size_t i = 0; i < count; i++) {
        all[2 * i]     = arena_format(ex->arena, "%zu:", parts[i].length);
        all[2 * i + 1] = parts[i];
    }
    return sha256_hex(ex->arena, all, 2 * count);
}

/* ---- Consents -------------------------------------------------------------------------------- */

/* One item a Consent and kind; what is wrong with it in its words. */
static bool
append_cause(struct exchange *ex, const struct review_cause *cause)
{
    struct store_review *last = ex->review_count > 0 ? &ex->reviews[ex->review_count - 1] : NULL;
    struct review_cause  own  = *cause;
    struct span          text = cause->paragraph != NULL
                                    ? arena_format(ex->arena, "%s: %.*s", cause->paragraph, SPAN_PRINT(cause->because))
                                    : cause->because;

    own.consent              = NULL;     /* it is what the item is about */
    struct store_review item = item_of(ex, NULL, &own);
    item.because             = text;
    if (last == NULL || !span_eq(last->key, item.key))
        return append(ex, item);
    last->because = arena_join(ex->arena, last->because, SPAN("; "), text);
    return true;
}

/* The sender is told all the same (N7 of stages/named.c); nobody has to look at it. */
static bool
patient_is_known(const struct exchange *ex, const struct review_cause *cause)
{
    struct span name = cause->kind == REVIEW_PATIENT ? entry_patient(ex->references, cause->entry, NULL) : SPAN("");

    return !span_empty(name) && !span_eq(patient_known_as(&ex->facts, name), name);
}

/* What another push brought is not the sender's to know (decision 0039). */
static bool
is_told(const struct review_cause *cause)
{
    return cause->kind != REVIEW_NARROWED && (cause->kind != REVIEW_REVIVED || consent_told(cause->consent));
}

enum status
review_own_consents(struct exchange *ex)
{
    const struct policy   *policy = ex->outgoing_count > 0 ? ex->outgoing[0].release->policy : NULL;
    struct consent_source *own    = NULL;
    struct review_causes   causes;
    size_t                 count = 0;
    enum status            st    = ST_OK;

    if (ex->intake == INTAKE_DELETE)     /* a Consent that goes brings no Bundle, and lacks nothing any more */
        return ST_OK;
    if (revoking_in_writing(ex))         /* what it lacks now is what was revoked; what was only said waits */
        return ST_OK;
    if (ex->rounds > 0)                  /* it goes on with what was said, and waits, in the first */
        return ST_OK;
    if (policy == NULL)
        own = arena_make_n(ex->arena, ex->bundle->count + ex->facts.precedent_count
                                          + contained_consents(ex->bundle, ex->references, NULL), struct consent_source);
    for (uint32_t i = 0; own != NULL && i < ex->bundle->count; i++)
        if (span_eq_text(ex->bundle->entries[i].type, "Consent") && ex->bundle->entries[i].resource != TAPE_ABSENT)
            own[count++] = (struct consent_source){ .tape = ex->tape, .node = ex->bundle->entries[i].resource, .home = ex->bundle,
                                                    .patient = entry_patient(ex->references, i, NULL) };
    if (own != NULL)
        st = precedents_apply(&ex->facts, ex->references, own, &count, ex->arena);
    if (own != NULL && st == ST_OK)
        count += contained_consents(ex->bundle, ex->references, own + count);
    if (policy == NULL && st == ST_OK)
        st = own != NULL ? policy_compile(own, count, ex->arena, &policy) : ST_NO_MEMORY;
    if (st == ST_OK)
        st = review_consents(policy, ex->bundle, &ex->facts, ex->arena, &causes);
    for (size_t i = 0; st == ST_OK && i < causes.count; i++) {
        if (!patient_is_known(ex, &causes.all[i]) && !append_cause(ex, &causes.all[i]))
            return ST_NO_MEMORY;
        if (is_told(&causes.all[i]))
            say(ex, &causes.all[i]);
    }
    return st == ST_OK ? arena_status(ex->arena) : st;
}

static enum issue_code
issue_of(enum review_kind kind)
{
    switch (kind) {
    case REVIEW_FOREIGN:   return ISSUE_STRUCTURE;
    case REVIEW_MALFORMED: return ISSUE_VALUE;
    case REVIEW_MODIFIER:  return ISSUE_NOT_SUPPORTED;
    case REVIEW_REVIVED:   return ISSUE_CONFLICT;
    case REVIEW_PATIENT:
    case REVIEW_ACTOR:     return ISSUE_NOT_FOUND;
    default:               return ISSUE_BUSINESS_RULE;
    }
}

/* Where it stands in what was sent: a single resource was put into a Bundle here. */
static struct span
place_of(struct exchange *ex, const struct review_cause *cause)
{
    struct span member = tape_text(ex->tape, tape_name(ex->tape, cause->node), ex->arena);
    struct span base   = entries_ask(ex) && ex->intake == INTAKE_SYSTEM
                             ? arena_format(ex->arena, "Bundle.entry[%u].resource", ex->places[cause->entry])
                         : ex->whole != NULL || ex->intake == INTAKE_SYSTEM || ex->intake == INTAKE_MESSAGE
                             ? arena_format(ex->arena, "Bundle.entry[%u].resource", cause->entry)
                             : ex->bundle->entries[cause->entry].type;

    if (span_empty(member) || cause->node == ex->bundle->entries[cause->entry].resource)
        return base;
    return arena_join(ex->arena, base, SPAN("."), member);
}

/* A warning: it is kept, and it was not refused. */
static void
say(struct exchange *ex, const struct review_cause *cause)
{
    struct intake_entry *entry = ex->intake == INTAKE_SYSTEM && entries_ask(ex) ? &ex->entries[ex->places[cause->entry]] : NULL;
    struct issues       *to    = ex->issues;

    if (entry != NULL) {
        to            = entry->issues != NULL ? issues_copy(entry->issues) : issues_new(ex->arena, 16);
        entry->issues = to != NULL ? to : entry->issues;
    }
    if (to == NULL)
        return;
    (void)issues_add(to, &(struct issue){
        .severity = SEVERITY_WARNING, .code = issue_of(cause->kind), .expression = place_of(ex, cause), .wanted = cause->because,
        .rule = cause->paragraph != NULL ? cause->paragraph : review_number(cause->kind),
        .hint = cause->kind == REVIEW_REVIVED
                    ? SPAN("it is kept; a new signature has a dateTime, with its time, behind that; what was recorded in "
                           "error is sent as entered-in-error first, or the privacy officer finds it so")
                : cause->kind == REVIEW_SCANNED
                    ? SPAN("it is kept, and a person is asked to read it; send a Consent that names it as its sourceReference")
                : cause->kind == REVIEW_PATIENT
                    ? SPAN("it is kept; name the patient by reference, or send the Patient that has the identifier with it")
                    : SPAN("it is kept and denies what it denies; send its next version to mend it"),
        .times = 1 });
}

/* ---- what was refused --------------------------------------------------------------------------- */

void
review_refused(struct exchange *ex, uint32_t entry)
{
    const struct bundle_entry *e = &ex->bundle->entries[entry];

    if (!span_eq_text(e->type, "Consent") || e->resource == TAPE_ABSENT)
        return;
    struct review_cause cause   = { .kind = REVIEW_REFUSED, .entry = entry, .node = TAPE_ABSENT,
                                    .because = span_of(review_words(REVIEW_REFUSED)) };
    struct span        *ids     = ex->ids, *patients = ex->patients;
    ex->ids                     = NULL;  /* nothing was stored, so there are none yet */
    ex->patients                = NULL;
    struct store_review item    = item_of(ex, NULL, &cause);
    ex->ids                     = ids;
    ex->patients                = patients;
    item.patient = tape_member_text(ex->tape, tape_member(ex->tape, e->resource, SPAN("patient")), SPAN("reference"), ex->arena);
    (void)append(ex, item);
}

static bool
append(struct exchange *ex, struct store_review item)
{
    for (size_t i = 0; i < ex->review_count; i++)
        if (span_eq(ex->reviews[i].key, item.key))
            return true;
    if (ex->review_count == REVIEW_MOST)
        return true;
    if (ex->review_count == ex->review_room) {
        size_t larger = ex->review_room > 0 ? ex->review_room * 2 : 8;
        ex->reviews   = arena_grow(ex->arena, ex->reviews, ex->review_room * sizeof item, larger * sizeof item);
        ex->review_room = larger;
    }
    if (ex->reviews == NULL)
        return false;
    ex->reviews[ex->review_count++] = item;
    return true;
}

enum status
review_collect(struct exchange *ex, struct store_unit *unit)
{
    size_t count = ex->review_count;

    unit->relies_on_review = ex->relies_on_review;
    for (size_t i = 0; i < ex->outgoing_count; i++)
        count += ex->outgoing[i].review_count;
    if (count == 0)
        return ST_OK;
    struct store_review *all = arena_make_n(ex->arena, count, struct store_review);
    size_t               n   = 0;
    if (all == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < ex->review_count; i++)
        all[n++] = ex->reviews[i];
    for (size_t i = 0; i < ex->outgoing_count; i++)
        for (size_t k = 0; k < ex->outgoing[i].review_count; k++) {
            all[n] = ex->outgoing[i].reviews[k];
            bool after = span_eq_text(all[n].kind, review_code(REVIEW_EMERGENCY))
                         || span_eq_text(all[n].kind, review_code(REVIEW_LEGAL_AFTER));
            if (after && ex->due == NULL)
                all[n].event_id = ex->outgoing[i].event_id;
            n++;
        }
    unit->reviews      = all;
    unit->review_count = n;
    return arena_status(ex->arena);
}
