/* gateway/stages/match.c -- conditional creates: is it there already?
 *
 * `If-None-Exist` and Bundle.entry.request.ifNoneExist (R4 http.html#ccreate):
 * none fits, it is created; one fits, it is 200 with its location and nothing
 * is created; several fit, 412.  Searched by are `identifier=system|value`, over
 * what this client sent last, and `_id`; everything else would need search,
 * and is 501 rather than ignored: ignored it would make duplicates.
 *
 * The entry goes on as it came, with its condition: whether a recipient has
 * the resource, only the recipient can say.  Other entries that refer to a
 * Patient who is there already are about that patient, so deliveries, which
 * are decided again from the body, ask again here.
 *
 * With them is asked who it is that a reference names by an identifier alone (stages/named.c).
 */
#include "gateway/stages/stages.h"

#include "gateway/http/query.h"

static enum step begin(struct exchange *, struct span client);
static void      on_matched(struct task *);

/* ---- reading a condition ----------------------------------------------------------- */

bool
condition_read(struct span query, struct span type, struct arena *arena, struct store_condition *out)
{
    struct span value = span_starts(query, SPAN("?")) ? span_skip(query, 1) : query;
    struct span name;

    *out = (struct store_condition){ .type = type };
    if (span_find_byte(value, '&') != SPAN_NOT_FOUND)
        return false;
    name  = span_split(&value, '=');
    value = query_decoded(value, arena);
    /* A comma means or, a backslash an escape: both are more than equality. */
    if (span_empty(value) || span_find_byte(value, ',') != SPAN_NOT_FOUND
        || span_find_byte(value, '\\') != SPAN_NOT_FOUND)
        return false;
    if (span_eq_text(name, "_id")) {
        out->id = value;
        return true;
    }
    if (!span_eq_text(name, "identifier") || span_find_byte(value, '|') == SPAN_NOT_FOUND)
        return false;
    out->system = span_split(&value, '|');
    out->value  = value;
    return !span_empty(value) && span_find_byte(value, '|') == SPAN_NOT_FOUND;
}

/* ---- the stage of a push ------------------------------------------------------------ */

static enum step
enter(struct exchange *ex)
{
    if (ex->intake == INTAKE_METADATA || ex->intake == INTAKE_DELETE)
        return STEP_NEXT;
    return begin(ex, ex->client->title);
}

static enum step
begin(struct exchange *ex, struct span client)
{
    size_t count = named_most(ex);

    for (size_t i = 0; i < ex->entry_count; i++)
        count += ex->entries[i].unless != NULL && ex->entries[i].status < 400;
    if (count == 0)
        return STEP_NEXT;
    ex->match = (struct store_match){
        .done.run = on_matched, .home = ex->loop, .arena = ex->arena, .client = client,
        .conditions = arena_make_n(ex->arena, count, struct store_condition *),
    };
    if (ex->match.conditions == NULL)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    for (size_t i = 0; i < ex->entry_count; i++)
        if (ex->entries[i].unless != NULL && ex->entries[i].status < 400)
            ex->match.conditions[ex->match.count++] = ex->entries[i].unless;
    long named = named_gather(ex, ex->match.conditions + ex->match.count);
    if (named < 0)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    ex->match.count += (size_t)named;
    if (ex->match.count == 0)
        return STEP_NEXT;
    store_find_matches(ex->gateway->store, &ex->match);
    return STEP_WAIT;
}

static void
on_matched(struct task *task)
{
    pipeline_resume((struct exchange *)(void *)((char *)task - offsetof(struct exchange, match.done)));
}

/* A create that was not needed changes nothing, and nothing goes on. */
static enum step
answer_single(struct exchange *ex, const struct store_condition *found)
{
    exchange_answer_json(ex, 200, (struct span){ NULL, 0 });
    response_add_location(ex, response_location_of(ex, found->type, found->found_id, found->version));
    return STEP_ANSWER;
}

static enum step
resume(struct exchange *ex)
{
    if (ex->match.status == ST_TOO_LARGE)
        return exchange_refuse_one(ex, 412, ISSUE_TOO_COSTLY, "If-None-Exist",
                                   "too many versions have this identifier to say which one is meant", NULL);
    if (ex->match.status != ST_OK)
        return exchange_fail(ex, ST_UNAVAILABLE, "the store cannot say whether it is there already");
    for (size_t i = 0; i < ex->entry_count; i++) {
        struct intake_entry *entry = &ex->entries[i];
        if (entry->unless == NULL || entry->status >= 400 || entry->unless->matches == 0)
            continue;
        if (entry->unless->matches > 1) {
            enum step step = entry_refuse_several(ex, i);
            if (step != STEP_NEXT)
                return step;
        } else if (!entries_ask(ex)) {
            return answer_single(ex, entry->unless);
        }
    }
    return STEP_NEXT;
}

const struct stage stage_match = { .name = "match", .enter = enter, .resume = resume };

/* ---- the stage of a delivery ---------------------------------------------------------- */

static enum step
enter_again(struct exchange *ex)
{
    ex->entry_count = ex->bundle->count;
    ex->entries     = arena_make_n(ex->arena, ex->bundle->count, struct intake_entry);
    ex->places      = arena_make_n(ex->arena, ex->bundle->count, uint32_t);
    if ((ex->entries == NULL || ex->places == NULL) && ex->bundle->count > 0)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    for (uint32_t i = 0; i < ex->bundle->count; i++) {
        const struct bundle_entry *e = &ex->bundle->entries[i];
        struct store_condition     c;
        ex->places[i] = i;
        if (e->request == TAPE_ABSENT || !span_eq_text(e->type, "Patient"))
            continue;
        struct span query = tape_member_text(ex->tape, e->request, SPAN("ifNoneExist"), ex->arena);
        if (span_empty(query) || !condition_read(query, e->type, ex->arena, &c))
            continue;
        ex->entries[i].unless = arena_make(ex->arena, struct store_condition);
        if (ex->entries[i].unless != NULL)
            *ex->entries[i].unless = c;
    }
    if (arena_spent(ex->arena))
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    return begin(ex, ex->due->client);
}

/* Whose record it is must be as clear as it was: else it waits. */
static enum step
resume_again(struct exchange *ex)
{
    for (size_t i = 0; i < ex->entry_count && ex->match.status == ST_OK; i++)
        if (ex->entries[i].unless != NULL && ex->entries[i].unless->matches > 1)
            ex->match.status = ST_CONFLICT;
    return ex->match.status == ST_OK ? STEP_NEXT
                                     : exchange_fail(ex, ST_UNAVAILABLE, "the patient cannot be told from another");
}

const struct stage stage_match_again = { .name = "match", .enter = enter_again, .resume = resume_again };
