/* gateway/ops/review_text.c -- items of the review queue as JSON. */
#include "gateway/ops/review_text.h"

#include "base/digits.h"
#include "base/json_author.h"
#include "consent/review.h"
#include "gateway/runtime/identity.h"

#define ARENA_BYTES ((size_t)1 << 30)

const char *
review_finding_text(int finding)
{
    static const char *const texts[] = { NULL, "clear", "part2", "lawful", "refused" };

    return (unsigned)finding < sizeof texts / sizeof texts[0] ? texts[finding] : NULL;
}

int
review_state_of(struct span text)
{
    for (int s = REVIEW_OPEN; s <= REVIEW_TURNED_DOWN; s++)
        if (span_eq_text(text, review_state_text((enum review_state)s)))
            return s;
    return -1;
}

static void
add_if(author_value to, const char *name, struct span text)
{
    if (!span_empty(text))
        author_add_text(to, name, text);
}

static void
add_time(author_value to, const char *name, int64_t at_ms)
{
    char text[DIGITS_MOMENT];

    author_add_text(to, name, span_from(text, digits_moment(at_ms, text)));
}

static void
add_roles(author_value to, enum review_kind kind)
{
    author_value list = author_add_array(to, "roles");

    for (unsigned bit = 1; bit <= review_roles(kind); bit <<= 1)
        if ((review_roles(kind) & bit) != 0)
            author_add_cstr(list, NULL, review_role_code((enum review_role)bit));
}

static void
add_item(author_value to, const struct store_review_row *row)
{
    const struct store_review *item = &row->item;
    enum review_kind           kind = review_of_code(item->kind);

    author_add_integer(to, "id", row->id);
    author_add_text(to, "kind", item->kind);
    author_add_cstr(to, "state", review_state_text(row->state));
    author_add_cstr(to, "words", review_words(kind));
    author_add_cstr(to, "release", review_release_words(kind));
    author_add_bool(to, "settles", review_settles(kind));
    add_roles(to, kind);
    add_if(to, "rule", item->rule);
    add_if(to, "citation", item->citation);
    add_if(to, "because", item->because);
    add_if(to, "client", item->client);
    add_if(to, "recipient", item->recipient);
    add_if(to, "patient", item->patient);
    add_if(to, "resource", item->resource);
    add_if(to, "sha256", item->sha256);
    add_if(to, "consent", item->consent);
    add_if(to, "document", item->document);
    add_if(to, "eventId", item->event_id);
    add_time(to, "since", row->at_ms);
    add_time(to, "lastSeen", row->seen_ms);
    author_add_integer(to, "times", row->times);
    author_add_cstr(to, "finding", review_finding_text(row->finding));
    if (row->acts > 0)
        add_time(to, "changed", row->changed_ms);
}

static enum status
finish(struct author **a, enum status st, struct buf *out)
{
    if (st == ST_OK)
        st = author_print(*a, out, AUTHOR_COMPACT);
    if (st == ST_OK)
        buf_add_byte(out, '\n');
    author_free(a);
    return st;
}

enum status
review_text_list(struct store *s, const struct store_review_filter *filter, struct buf *out)
{
    struct store_review_filter bounded = *filter;
    struct store_review_row   *rows    = NULL;
    size_t                     count   = 0;
    struct arena              *arena   = arena_new("review", ARENA_BYTES);
    struct author             *a       = author_new();
    author_value               root    = author_object(a);

    if (bounded.limit == 0 || bounded.limit > REVIEW_LIST_MOST)
        bounded.limit = REVIEW_LIST_MOST;
    enum status  st   = arena != NULL ? store_review_list(s, &bounded, arena, &rows, &count) : ST_NO_MEMORY;
    author_value list = author_add_array(root, "items");
    for (size_t i = 0; i < count && st == ST_OK; i++)
        add_item(author_add_object(list, NULL), &rows[i]);
    author_add_bool(root, "more", count == bounded.limit);
    st = finish(&a, st, out);
    arena_free(&arena);
    return st;
}

static enum status
one_row(struct store *s, int64_t id, struct arena *arena, struct store_review_row **row)
{
    struct store_review_filter one   = { .id = id, .state = -1, .limit = 1 };
    size_t                     count = 0;
    enum status                st    = id > 0 ? store_review_list(s, &one, arena, row, &count) : ST_NOT_FOUND;

    return st == ST_OK && count == 0 ? ST_NOT_FOUND : st;
}

enum status
review_text_show(struct store *s, int64_t id, struct buf *out)
{
    struct store_review_row *row   = NULL;
    struct store_review_did *acts  = NULL;
    size_t                   count = 0;
    struct arena            *arena = arena_new("review", ARENA_BYTES);
    struct author           *a     = author_new();
    author_value             root  = author_object(a);
    enum status              st    = arena != NULL ? one_row(s, id, arena, &row) : ST_NO_MEMORY;

    if (st == ST_OK)
        st = store_review_acts(s, id, arena, &acts, &count);
    if (st == ST_OK)
        add_item(root, row);
    author_value list = author_add_array(root, "acts");
    for (size_t i = 0; i < count && st == ST_OK; i++) {
        author_value act = author_add_object(list, NULL);
        add_time(act, "at", acts[i].at_ms);
        author_add_text(act, "act", acts[i].verb);
        add_if(act, "reviewer", acts[i].reviewer);
        add_if(act, "account", acts[i].account);
        add_if(act, "role", acts[i].role);
        author_add_cstr(act, "finding", review_finding_text(acts[i].finding));
        add_if(act, "why", acts[i].why);
        add_if(act, "eventId", acts[i].event_id);
    }
    st = finish(&a, st, out);
    arena_free(&arena);
    return st;
}

enum status
review_text_content(struct store *s, int64_t id, struct buf *out)
{
    struct store_review_row *row   = NULL;
    struct span              bytes = { NULL, 0 };
    struct arena            *arena = arena_new("review", ARENA_BYTES);
    enum status              st    = arena != NULL ? one_row(s, id, arena, &row) : ST_NO_MEMORY;

    if (st == ST_OK)
        st = store_review_bytes(s, row, arena, &bytes);
    if (st == ST_OK && !span_eq(sha256_hex(arena, &bytes, 1), row->item.sha256))
        st = ST_INTEGRITY;
    if (st == ST_OK) {
        buf_add(out, bytes);
        st = buf_status(out);
    }
    arena_free(&arena);
    return st;
}
