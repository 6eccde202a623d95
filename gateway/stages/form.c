/* gateway/stages/form.c -- the accepted form of what was sent.
 *
 * Deliveries are Bundles, so a single resource is put into one, around its
 * exact bytes.  Entries that were refused are cut, so that what goes on is what
 * was accepted; so are deletions, which are recorded and not passed on: a
 * deletion says that something was there (rule C1).  Both make a new body,
 * which is read again by the same tape.
 *
 * When the store refuses an entry of a batch, the exchange comes back here and
 * goes on without it (stage commit).
 */
#include "gateway/stages/stages.h"

#include "base/json_author.h"
#include "gateway/runtime/identity.h"

static void      forget_round(struct exchange *);
static enum step wrap_single(struct exchange *);
static enum step cut_entries(struct exchange *);
static enum step nothing_taken(struct exchange *);

static enum step
enter(struct exchange *ex)
{
    if (ex->intake == INTAKE_METADATA || ex->intake == INTAKE_DELETE)
        return STEP_NEXT;
    forget_round(ex);
    if (ex->places == NULL) {
        ex->places = arena_make_n(ex->arena, ex->bundle->count, uint32_t);
        if (ex->places == NULL && ex->bundle->count > 0)
            return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
        for (uint32_t i = 0; i < ex->bundle->count; i++)
            ex->places[i] = i;
    }
    if (ex->bundle->type == BUNDLE_SINGLE)
        return wrap_single(ex);
    return entries_ask(ex) ? cut_entries(ex) : STEP_NEXT;
}

const struct stage stage_form = { .name = "form", .pure = true, .enter = enter };

/* What the stages behind this one found out about a form that was not taken. */
static void
forget_round(struct exchange *ex)
{
    ex->resource_count = 0;
    ex->outgoing_count = 0;
    ex->own_consents   = 0;
    ex->whole          = NULL;
    ex->patient        = (struct span){ NULL, 0 };
    ex->consents       = (struct store_consents){ .rows = NULL };
    ex->unit           = (struct store_unit){ .answer = NULL };
    for (size_t i = 0; i < ex->entry_count; i++)
        ex->entries[i].resource = NULL;
}

/* POST: the sender's id is kept when there is one (docs/decisions/0015-ids-of-the-sender.md). */
static enum step
wrap_single(struct exchange *ex)
{
    const struct bundle_entry *one = &ex->bundle->entries[0];
    struct span id     = span_empty(one->id) ? uuid_new(ex->arena) : one->id;
    bool        update = ex->intake == INTAKE_UPDATE;
    struct span name   = span_empty(one->id)
                             ? arena_format(ex->arena, "urn:uuid:%.*s", SPAN_PRINT(id))
                             : arena_format(ex->arena, "%.*s/%.*s", SPAN_PRINT(one->type), SPAN_PRINT(id));
    struct span url    = update ? arena_format(ex->arena, "%.*s/%.*s", SPAN_PRINT(one->type), SPAN_PRINT(id))
                                : one->type;
    struct span full_url = span_empty(one->id) ? author_literal(ex->arena, name) : (struct span){ 0 };
    struct span unless   = ex->entries[0].unless != NULL
                               ? author_literal(ex->arena, http_request_header(ex->request, SPAN("If-None-Exist")))
                               : (struct span){ 0 };
    struct span url_text = author_literal(ex->arena, url);
    struct span body     = arena_format(
        ex->arena,
        "{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[{%s%.*s%s\"resource\":%.*s,"
        "\"request\":{\"method\":\"%s\",\"url\":%.*s%s%.*s}}]}",
        span_empty(full_url) ? "" : "\"fullUrl\":", SPAN_PRINT(full_url), span_empty(full_url) ? "" : ",",
        SPAN_PRINT(span_trim(ex->body)), update ? "PUT" : "POST", SPAN_PRINT(url_text),
        span_empty(unless) ? "" : ",\"ifNoneExist\":", SPAN_PRINT(unless));
    if (arena_spent(ex->arena))
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    ex->body = body;
    return parse_body(ex);
}

static enum step
cut_entries(struct exchange *ex)
{
    struct splices *edit = NULL;
    uint32_t        left = 0, deletions = 0;

    for (size_t i = 0; i < ex->entry_count; i++)
        deletions += ex->entries[i].act == ACT_DELETE && ex->entries[i].status < 400;
    for (uint32_t i = 0; i < ex->bundle->count; i++) {
        const struct intake_entry *entry = &ex->entries[ex->places[i]];
        if (entry->status < 400 && entry->act != ACT_DELETE) {
            ex->places[left++] = ex->places[i];
            continue;
        }
        if (entry->status >= 400)
            review_refused(ex, i);
        if (edit == NULL)
            edit = splices_new(ex->tape, ex->arena);
        if (edit != NULL)
            splices_cut(edit, ex->bundle->entries[i].entry);
    }
    if (left + deletions == 0 && ex->entry_count > 0)
        return nothing_taken(ex);
    if (left == ex->bundle->count)
        return STEP_NEXT;
    if (edit == NULL || splices_seal(edit) != ST_OK)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    ex->body = splices_flat(edit, ex->arena);
    return parse_body(ex);
}

static enum step
nothing_taken(struct exchange *ex)
{
    struct span body;

    if (response_author(ex, &body) != ST_OK)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    exchange_answer_json(ex, response_status(ex), body);
    return STEP_ANSWER;
}
