/* gateway/store/match.c -- which current resources fit a condition. */
#include <string.h>

#include "base/json_tape.h"
#include "gateway/store/sqlite.h"

/* Versions of the past keep their entries in the index; whoever has more than
 * this of one identifier is not searched to the end. */
#define MOST_LOOKED_AT 2000u

int64_t
store_identifier_key(struct span type, struct span system, struct span value)
{
    uint64_t hash = span_hash(type);

    hash = (hash ^ span_hash(system)) * UINT64_C(1099511628211);
    hash = (hash ^ span_hash(value)) * UINT64_C(1099511628211);
    return (int64_t)(hash & INT64_MAX);  /* as contents_json.c reads them */
}

static enum status
current_find(struct store *s, struct span type, struct span id, struct arena *arena, struct content *out,
             int64_t *where)
{
    struct walk w = walk_begin(LATE_RESOURCE, late_key_resource(type, id));
    int64_t     at_ms;
    enum status st;

    while ((st = walk_next(s, &w, where)) == ST_OK) {
        st = stored_content_read(s, *where, arena, out, &at_ms);
        if (st != ST_OK || (span_eq(out->type, type) && span_eq(out->id, id)))
            return st;
    }
    return st;
}

static enum status
sent_by(struct store *s, int64_t inbox, struct span client, bool *yes)
{
    sqlite3_stmt *q = s->statement[SQL_INBOX_CLIENT];

    (void)sqlite3_bind_int64(q, 1, inbox);
    enum status st = sql_row(s, SQL_INBOX_CLIENT);
    if (st != ST_OK)
        return st == ST_NOT_FOUND ? ST_INTEGRITY : st;
    *yes = span_eq(column_span(q, 0), client);
    sql_reset(s, SQL_INBOX_CLIENT);
    return ST_OK;
}

static bool
is_identifier(const struct tape *t, tape_node node, const struct store_condition *c)
{
    tape_node system = tape_member(t, node, SPAN("system"));
    bool      none   = system == TAPE_ABSENT && span_empty(c->system);

    return (none || (tape_kind(t, system) == TAPE_STRING && tape_text_eq(t, system, c->system)))
        && tape_kind(t, tape_member(t, node, SPAN("value"))) == TAPE_STRING
        && tape_text_eq(t, tape_member(t, node, SPAN("value")), c->value);
}

/* A key is a hash: the bytes say whether it is so. */
static enum status
has_identifier(struct store *s, int64_t where, const struct content *found, const struct store_condition *c, bool *yes)
{
    const struct tape *t;
    struct span        bytes;
    enum status        st = stored_bytes_read(s, WHERE_INBOX(where), found, s->temp, &bytes);

    *yes = false;
    if (st == ST_OK)
        st = tape_read(bytes, &tape_default_limits, s->temp, &t, NULL);
    if (st != ST_OK)
        return st == ST_NO_MEMORY || st == ST_UNAVAILABLE ? st : ST_INTEGRITY;
    tape_node list = tape_member(t, TAPE_ROOT, SPAN("identifier"));
    if (tape_kind(t, list) == TAPE_OBJECT)
        *yes = is_identifier(t, list, c);
    else
        for (tape_node n = tape_first(t, list); n != TAPE_ABSENT && !*yes; n = tape_next(t, n))
            *yes = is_identifier(t, n, c);
    return ST_OK;
}

/* Whether what stands at `where` is current, of this client, and fits. */
static enum status
candidate(struct store *s, int64_t where, struct span client, struct store_condition *c, struct arena *arena)
{
    struct content found, current;
    int64_t        at_ms, newest;
    bool           yes = false;
    enum status    st  = stored_content_read(s, where, s->temp, &found, &at_ms);

    if (st != ST_OK || !span_eq(found.type, c->type))
        return st;
    st = current_find(s, found.type, found.id, s->temp, &current, &newest);
    if (st != ST_OK || newest != where || current.deleted)
        return st;
    yes = client.at == NULL;
    if (!yes)
        st = sent_by(s, WHERE_INBOX(where), client, &yes);
    if (st == ST_OK && yes)
        st = has_identifier(s, where, &current, c, &yes);
    if (st != ST_OK || !yes)
        return st;
    c->found_id = arena_copy(arena, current.id);
    if (c->all != NULL)
        c->all[c->matches] = c->found_id;
    c->matches++;
    c->version  = current.version;
    return arena_status(arena);
}

static enum status
match_identifier(struct store *s, struct span client, struct store_condition *c, struct arena *arena)
{
    struct walk w    = walk_begin(LATE_IDENTIFIER, store_identifier_key(c->type, c->system, c->value));
    uint32_t    most = c->all != NULL ? c->room : 2, looked = 0;
    int64_t     value, last = -1;
    enum status st = ST_OK;

    while (c->matches < most && (st = walk_next(s, &w, &value)) == ST_OK) {
        struct arena_mark mark = arena_mark(s->temp);
        if (++looked > MOST_LOOKED_AT && c->all == NULL)
            return ST_TOO_LARGE;
        if (looked > MOST_LOOKED_AT)
            break;
        if (value != last)               /* the same identifier twice in one resource */
            st = candidate(s, value, client, c, arena);
        last = value;
        arena_reset(s->temp, mark);
        if (st != ST_OK)
            return st;
    }
    c->unsure = c->all != NULL && st == ST_OK;
    return st == ST_NOT_FOUND ? ST_OK : st;
}

static enum status
match_id(struct store *s, struct store_condition *c, struct arena *arena)
{
    struct arena_mark mark = arena_mark(s->temp);
    struct content    current;
    int64_t           where;
    enum status       st = current_find(s, c->type, c->id, s->temp, &current, &where);

    if (st == ST_OK && !current.deleted) {
        c->matches  = 1;
        c->found_id = arena_copy(arena, c->id);
        c->version  = current.version;
    }
    arena_reset(s->temp, mark);
    return st == ST_NOT_FOUND ? ST_OK : st;
}

enum status
condition_match(struct store *s, struct span client, struct store_condition *c, struct arena *arena)
{
    c->matches  = 0;
    c->unsure   = false;
    c->found_id = (struct span){ NULL, 0 };
    c->version  = 0;
    return !span_empty(c->id) ? match_id(s, c, arena) : match_identifier(s, c->all != NULL ? ANYBODY : client, c, arena);
}

void
match_serve(struct store *s, struct store_match *m)
{
    struct span client = m->anybody ? ANYBODY : m->client.at != NULL ? m->client : SPAN("");

    m->status = ST_OK;
    for (size_t i = 0; i < m->count && m->status == ST_OK; i++)
        m->status = condition_match(s, client, m->conditions[i], m->arena);
}
