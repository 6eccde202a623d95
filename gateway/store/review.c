/* gateway/store/review.c -- what waits for a person, and what people did about it.
 *
 * An item is written with the push that brought it, an act with the record of
 * it in the log of denials, and with the delivery that follows from it: all of it
 * is there, or nothing.
 */
#include "gateway/store/sqlite.h"

static enum status
before_vouch(struct store *s, struct span key, bool *there)
{
    sqlite3_stmt *q = s->statement[SQL_REVIEW_OF_KEY];

    bind_text(q, 1, key);
    enum status st = sql_row(s, SQL_REVIEW_OF_KEY);
    if (st != ST_OK)
        return st == ST_NOT_FOUND ? ST_OK : st;
    int64_t id = sqlite3_column_int64(q, 0);
    *there     = true;
    sql_reset(s, SQL_REVIEW_OF_KEY);
    return vouching_before(s, VOUCHED_REVIEW, id);
}

enum status
review_write(struct store *s, const struct store_review *r, int64_t inbox)
{
    sqlite3_stmt     *q       = s->statement[SQL_REVIEW_INSERT];
    const struct span texts[] = { r->client, r->recipient, r->patient, r->resource, r->sha256, r->rule, r->citation,
                                  r->because, r->consent, r->document, r->event_id };

    bool              there   = false;
    enum status       st      = before_vouch(s, r->key, &there);

    if (st != ST_OK)
        return st;
    bind_text(q, 1, r->key);
    bind_text(q, 2, r->kind);
    (void)sqlite3_bind_int64(q, 3, s->clock_ms);
    (void)sqlite3_bind_int64(q, 4, r->inbox != 0 ? r->inbox : inbox);
    for (int i = 0; i < (int)(sizeof texts / sizeof texts[0]); i++)
        bind_text(q, 5 + i, texts[i]);
    st = sql_run(s, SQL_REVIEW_INSERT);
    return st == ST_OK && !there ? vouching_new(s, VOUCHED_REVIEW) : st;
}

/* ---- acts ---------------------------------------------------------------------------- */

struct item {                            /* in s->temp */
    struct span key, recipient, resource, patient;
    int64_t     acts, inbox;
};

static enum status
item_read(struct store *s, int64_t id, struct item *out)
{
    sqlite3_stmt *q = s->statement[SQL_REVIEW_READ];

    (void)sqlite3_bind_int64(q, 1, id);
    enum status st = sql_row(s, SQL_REVIEW_READ);
    if (st != ST_OK)
        return st;
    *out = (struct item){ column_copy(q, 0, s->temp), column_copy(q, 3, s->temp), column_copy(q, 4, s->temp), column_copy(q, 5, s->temp),
                          sqlite3_column_int64(q, 1), sqlite3_column_int64(q, 2) };
    sql_reset(s, SQL_REVIEW_READ);
    return arena_status(s->temp);
}

enum status
review_act_check(struct store *s, const struct store_review_act *act)
{
    struct item item;

    if (act->tried || act->review == 0)
        return ST_OK;
    enum status st = item_read(s, act->review, &item);
    if (st != ST_OK)
        return st == ST_NOT_FOUND ? ST_CONFLICT : st;
    return item.acts == act->acts ? ST_OK : ST_CONFLICT;
}

/* ---- what was let go is delivered ------------------------------------------------------ */

struct standing {                        /* of what came with an item */
    struct store *store;
    int64_t       inbox;
    struct span   resource;
    bool          kept, older;           /* it is there; something of it has a newer version */
};

/* The newest version of this resource came in another push. */
static enum status
look_at(const struct content *c, uint32_t place, void *arg)
{
    struct standing *standing = arg;
    struct store    *s        = standing->store;
    struct walk      w        = walk_begin(LATE_RESOURCE, late_key_resource(c->type, c->id));
    struct span      name     = arena_join(s->temp, c->type, SPAN("/"), c->id);
    struct content   newest;
    int64_t          value, at_ms;
    enum status      st;

    (void)place;
    standing->kept |= !c->deleted && span_eq(name, standing->resource);
    while ((st = walk_next(s, &w, &value)) == ST_OK) {
        st = stored_content_read(s, value, s->temp, &newest, &at_ms);
        if (st != ST_OK)
            return st;
        if (!span_eq(newest.type, c->type) || !span_eq(newest.id, c->id))
            continue;
        standing->older |= WHERE_INBOX(value) > standing->inbox;
        return ST_OK;
    }
    return st == ST_NOT_FOUND ? ST_OK : st;
}

/* One that has a record and was not tried, and is due later, is on its way just now: its lease ended
 * when its record was written (deliver/delivery.c, settle). */
static enum status
waits_already(struct store *s, struct span recipient, struct span patient, int64_t inbox, bool *waits)
{
    sqlite3_stmt *q = s->statement[SQL_OUTBOX_WAITS];
    int           code;

    bind_text(q, 1, recipient);
    bind_text(q, 2, patient);
    (void)sqlite3_bind_int64(q, 3, inbox);
    (void)sqlite3_bind_int64(q, 4, s->clock_ms);
    *waits = false;
    while ((code = sqlite3_step(q)) == SQLITE_ROW)
        *waits |= outbox_rests(s, sqlite3_column_int64(q, 0));      /* it is decided anew before it leaves */
    (void)sqlite3_reset(q);
    return code == SQLITE_DONE ? ST_OK : sql_failed(s, code);
}

/* An older push may not go out behind a newer one of the same records. */
static enum status
deliver_again(struct store *s, const struct item *item, struct store_review_act *act)
{
    struct standing standing = { .store = s, .inbox = item->inbox, .resource = item->resource };
    sqlite3_stmt   *q        = s->statement[SQL_INBOX_KEPT];
    bool            waits    = false;

    (void)sqlite3_bind_int64(q, 1, item->inbox);
    enum status st = sql_row(s, SQL_INBOX_KEPT);
    if (st != ST_OK && st != ST_NOT_FOUND)
        return st;
    bool        kept     = st == ST_OK && sqlite3_column_int(q, 2) != 0;
    struct span patient  = st == ST_OK ? column_copy(q, 0, s->temp) : (struct span){ NULL, 0 };
    struct span contents = st == ST_OK ? column_copy(q, 1, s->temp) : (struct span){ NULL, 0 };
    if (st == ST_OK)
        sql_reset(s, SQL_INBOX_KEPT);
    st = arena_status(s->temp);
    if (st == ST_OK && kept)
        st = contents_visit(contents, s->temp, look_at, &standing);
    if (st == ST_OK && kept)
        st = waits_already(s, item->recipient, patient, item->inbox, &waits);
    if (st != ST_OK)
        return st;
    if (!kept || !standing.kept)
        act->not_queued = "what it came with is not kept any more; it counts from the next push on";
    else if (standing.older)
        act->not_queued = "a newer version of what came with it is there; it counts from the next push on";
    act->queued = act->not_queued == NULL;
    if (!act->queued || waits)
        return ST_OK;
    struct store_outbox row = { .recipient = item->recipient, .patient = patient, .due_ms = s->clock_ms };
    return outbox_insert(s, &row, item->inbox, false);
}

/* ---- a Consent that is upheld (consent/precedent.h L7) ---------------------------------------- */

struct sought { struct span resource; uint32_t at; bool found; };

static enum status
place_look_at(const struct content *c, uint32_t place, void *arg)
{
    struct sought *wanted = arg;
    struct span    id     = wanted->resource;

    if (!c->deleted && span_eq(c->type, span_split(&id, '/')) && span_eq(c->id, id)) {
        wanted->at    = place;
        wanted->found = true;
    }
    return ST_OK;
}

/* The version that the person saw.  ST_CONFLICT: it is not kept any more. */
static enum status
uphold(struct store *s, const struct item *item, bool stands)
{
    struct sought wanted = { .resource = item->resource };
    struct span   id     = item->resource;
    sqlite3_stmt *q      = s->statement[SQL_INBOX_KEPT];

    (void)span_split(&id, '/');
    if (!stands)
        return standing_end(s, item->patient, id, STORE_STANDS_UPHELD);
    (void)sqlite3_bind_int64(q, 1, item->inbox);
    enum status st = sql_row(s, SQL_INBOX_KEPT);
    if (st != ST_OK)
        return st == ST_NOT_FOUND ? ST_CONFLICT : st;
    struct span contents = column_copy(q, 1, s->temp);
    sql_reset(s, SQL_INBOX_KEPT);
    st = arena_status(s->temp);
    if (st == ST_OK)
        st = contents_visit(contents, s->temp, place_look_at, &wanted);
    if (st != ST_OK || !wanted.found)
        return st == ST_OK ? ST_CONFLICT : st;
    return standing_set(s, item->patient, id, STORE_STANDS_UPHELD, WHERE(item->inbox, wanted.at));
}

/* ---- writing an act ---------------------------------------------------------------------- */

static enum status
act_insert(struct store *s, const struct store_review_act *act)
{
    sqlite3_stmt *q = s->statement[SQL_REVIEW_ACT];

    (void)sqlite3_bind_int64(q, 1, act->review);
    (void)sqlite3_bind_int64(q, 2, s->clock_ms);
    bind_text(q, 3, act->verb);
    bind_text(q, 4, act->reviewer);
    bind_text(q, 5, act->account);
    bind_text(q, 6, act->role);
    (void)sqlite3_bind_int(q, 7, act->finding);
    bind_text(q, 8, act->why);
    bind_text(q, 9, act->event_id);
    enum status st = sql_run(s, SQL_REVIEW_ACT);
    return st == ST_OK ? vouching_new(s, VOUCHED_REVIEW_ACT) : st;
}

enum status
review_act_write(struct store *s, struct store_review_act *act)
{
    sqlite3_stmt *q  = s->statement[SQL_REVIEW_UPDATE];
    enum status   st = act_insert(s, act);
    struct item   item;

    act->queued     = false;
    act->not_queued = NULL;
    if (st != ST_OK || act->tried || act->review == 0)
        return st;
    st = item_read(s, act->review, &item);
    if (st == ST_OK)
        st = vouching_before(s, VOUCHED_REVIEW, act->review);
    if (st != ST_OK)
        return st;
    (void)sqlite3_bind_int64(q, 1, act->review);
    (void)sqlite3_bind_int(q, 2, (int)act->to);
    (void)sqlite3_bind_int(q, 3, act->finding);
    (void)sqlite3_bind_int64(q, 4, s->clock_ms);
    st = sql_run(s, SQL_REVIEW_UPDATE);
    if (st == ST_OK && act->upholds)
        st = uphold(s, &item, act->to == REVIEW_LET_GO);
    if (st == ST_OK && act->deliver)
        st = deliver_again(s, &item, act);
    s->now.generation++;                 /* whatever was decided before is decided again before it leaves */
    return st == ST_OK ? found_pend(s, item.key, act->finding) : st;
}
