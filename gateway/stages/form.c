/* gateway/stages/form.c -- the accepted form of what was sent.
 *
 * Deliveries are Bundles, so a single resource is put into one, around its
 * exact bytes.  Entries of a batch that were refused are cut, so that what
 * goes on is what was accepted.  Both make a new body, which is read again
 * by the same tape.
 */
#include "gateway/stages/stages.h"

#include "base/json_author.h"
#include "gateway/runtime/identity.h"

static enum step wrap_single(struct exchange *);
static enum step cut_refused(struct exchange *);

enum step
form_accept(struct exchange *ex)
{
    if (ex->entries == NULL) {
        ex->entry_count = ex->bundle->count;
        ex->entries     = arena_make_n(ex->arena, ex->bundle->count, struct intake_entry);
        if (ex->entries == NULL && ex->bundle->count > 0)
            return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    }
    if (ex->bundle->type == BUNDLE_SINGLE)
        return wrap_single(ex);
    if (ex->bundle->type == BUNDLE_BATCH)
        return cut_refused(ex);
    return STEP_NEXT;
}

/* POST: the sender's id is kept when there is one (docs/operations.md, "Ids"). */
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
    struct span url_text = author_literal(ex->arena, url);
    struct span body     = arena_format(
        ex->arena,
        "{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[{%s%.*s%s\"resource\":%.*s,"
        "\"request\":{\"method\":\"%s\",\"url\":%.*s}}]}",
        span_empty(full_url) ? "" : "\"fullUrl\":", SPAN_PRINT(full_url), span_empty(full_url) ? "" : ",",
        SPAN_PRINT(span_trim(ex->body)), update ? "PUT" : "POST", SPAN_PRINT(url_text));
    if (arena_spent(ex->arena))
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    ex->body = body;
    return parse_body(ex);
}

static enum step
cut_refused(struct exchange *ex)
{
    struct splices *edit = NULL;
    uint32_t        left = 0;

    for (uint32_t i = 0; i < ex->bundle->count; i++) {
        if (ex->entries[i].status < 400) {
            left++;
            continue;
        }
        if (edit == NULL)
            edit = splices_new(ex->tape, ex->arena);
        if (edit != NULL)
            splices_cut(edit, ex->bundle->entries[i].entry);
    }
    if (left == ex->bundle->count)
        return STEP_NEXT;
    if (left == 0)
        return STEP_ANSWER;              /* nothing was accepted: respond says why, entry by entry */
    if (edit == NULL || splices_seal(edit) != ST_OK)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    ex->body = splices_flat(edit, ex->arena);
    return parse_body(ex);
}
