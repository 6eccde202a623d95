/* gateway/store/read.c -- consents, kept answers and resources. */
#include <stdlib.h>
#include <string.h>

#include "gateway/store/classes.h"
#include "gateway/store/sqlite.h"

/* Above this a slice is read through an incremental handle, below it by
 * reading the whole body: opening a handle costs about as much as that. */
#define WHOLE_BODY_BYTES (64 * 1024)

/* ---- where bytes are -------------------------------------------------------------- */

static enum status
slice_through_handle(struct store *s, int64_t inbox, int64_t start, char *at, int64_t length)
{
    sqlite3_blob *blob = NULL;
    int           code = sqlite3_blob_open(s->db, "main", "inbox", "body", inbox, 0, &blob);

    if (code == SQLITE_OK)
        code = sqlite3_blob_read(blob, at, (int)length, (int)start);
    (void)sqlite3_blob_close(blob);
    return code == SQLITE_OK ? ST_OK : sql_failed(s, code);
}

static enum status
slice_of_whole(struct store *s, enum statement which, int64_t id, int64_t start, char *at, int64_t length)
{
    sqlite3_stmt *q = s->statement[which];

    (void)sqlite3_bind_int64(q, 1, id);
    enum status st = sql_row(s, which);
    if (st != ST_OK)
        return st == ST_NOT_FOUND ? ST_INTEGRITY : st;
    struct span bytes = column_span(q, 0);
    if ((uint64_t)start + (uint64_t)length > bytes.length)
        st = ST_INTEGRITY;
    else if (length > 0)
        memcpy(at, bytes.at + start, (size_t)length);
    sql_reset(s, which);
    return st;
}

static enum status
body_size(struct store *s, int64_t inbox, int64_t *size)
{
    sqlite3_stmt *q = s->statement[SQL_INBOX_LENGTH];

    (void)sqlite3_bind_int64(q, 1, inbox);
    enum status st = sql_row(s, SQL_INBOX_LENGTH);
    if (st != ST_OK)
        return st == ST_NOT_FOUND ? ST_INTEGRITY : st;
    *size = sqlite3_column_int64(q, 0);
    sql_reset(s, SQL_INBOX_LENGTH);
    return ST_OK;
}

enum status
stored_bytes_read(struct store *s, int64_t inbox, const struct content *c, struct arena *arena, struct span *out)
{
    int64_t     size = 0;
    char       *at   = arena_alloc(arena, (size_t)c->length + 1);
    enum status st   = at != NULL ? ST_OK : ST_NO_MEMORY;

    if (st == ST_OK && c->blob == 0)
        st = body_size(s, inbox, &size);
    if (st != ST_OK)
        return st;
    if (c->blob != 0)
        st = slice_of_whole(s, SQL_BLOB_READ, c->blob, 0, at, c->length);
    else if (size > WHOLE_BODY_BYTES)
        st = slice_through_handle(s, inbox, c->start, at, c->length);
    else
        st = slice_of_whole(s, SQL_INBOX_BODY, inbox, c->start, at, c->length);
    *out = span_from(at, (size_t)c->length);
    return st;
}

/* A push that is sent again asks for each of its resources where the last one
 * stands: all in one list, which is kept from one question to the next. */
static enum status
contents_load(struct store *s, int64_t inbox)
{
    sqlite3_stmt *q = s->statement[SQL_INBOX_CONTENTS];

    if (s->contents_of == inbox)
        return ST_OK;
    s->contents_of = 0;
    (void)sqlite3_bind_int64(q, 1, inbox);
    enum status st = sql_row(s, SQL_INBOX_CONTENTS);
    if (st != ST_OK)
        return st == ST_NOT_FOUND ? ST_INTEGRITY : st;
    buf_clear(&s->contents);
    buf_add(&s->contents, column_span(q, 1));
    s->contents_at_ms = sqlite3_column_int64(q, 0);
    sql_reset(s, SQL_INBOX_CONTENTS);
    st = buf_status(&s->contents);
    if (st == ST_OK)
        s->contents_of = inbox;
    return st;
}

enum status
stored_content_read(struct store *s, int64_t value, struct arena *arena, struct content *out, int64_t *at_ms)
{
    struct arena_mark mark = arena_mark(s->temp);
    enum status       st   = contents_load(s, WHERE_INBOX(value));

    if (st == ST_OK)
        st = contents_at(buf_span(&s->contents), WHERE_PLACE(value), s->temp, out);
    if (st == ST_OK) {
        *at_ms       = s->contents_at_ms;
        out->type    = arena_copy(arena, out->type);
        out->id      = arena_copy(arena, out->id);
        out->patient = arena_copy(arena, out->patient);
        out->labels  = arena_copy(arena, out->labels);
        out->part2   = arena_copy(arena, out->part2);
        st           = arena_status(arena);
    }
    if (arena != s->temp)
        arena_reset(s->temp, mark);
    return st;
}

static struct store_row
row_of(const struct content *c, int64_t at_ms)
{
    return (struct store_row){ .type = c->type, .id = c->id, .patient = c->patient, .labels = c->labels,
                               .part2 = c->part2, .version = c->version, .at_ms = at_ms,
                               .deleted = c->deleted };
}

/* ---- consents --------------------------------------------------------------------- */

struct found {
    struct store_row row;
    struct found    *next;
    struct content   content;            /* where its bytes are */
    int64_t          inbox;
};

/* What was found so far. */
struct finds {
    struct found *first, **end;
    size_t        count;
};

static enum status
client_read(struct store *s, int64_t inbox, struct arena *arena, struct span *out)
{
    sqlite3_stmt *q = s->statement[SQL_INBOX_CLIENT];

    (void)sqlite3_bind_int64(q, 1, inbox);
    enum status st = sql_row(s, SQL_INBOX_CLIENT);
    if (st != ST_OK)
        return st == ST_NOT_FOUND ? ST_INTEGRITY : st;
    *out = column_copy(q, 0, arena);
    sql_reset(s, SQL_INBOX_CLIENT);
    return arena_status(arena);
}

static enum status
consent_add(struct store *s, struct store_consents *c, struct span patient, int64_t where, unsigned standing,
            struct finds *all)
{
    struct content content;
    int64_t        at_ms;
    enum status    st = stored_content_read(s, where, c->arena, &content, &at_ms);

    if (st != ST_OK || content.deleted || !span_eq(content.patient, patient))
        return st;
    struct found *f = arena_make(c->arena, struct found);
    if (f == NULL)
        return ST_NO_MEMORY;
    f->row         = row_of(&content, at_ms);
    f->content     = content;
    f->inbox       = WHERE_INBOX(where);
    f->row.revokes = standing == STORE_STANDS_REVOKES;
    f->row.upheld  = standing == STORE_STANDS_UPHELD;
    if (c->with_clients || standing != 0)
        st = client_read(s, f->inbox, c->arena, &f->row.client);
    *all->end = f;
    all->end  = &f->next;
    all->count++;
    return st;
}

/* ---- their bytes, and the bodies that they came in ----------------------------------- */

static int
newest_first(const void *a, const void *b)
{
    const struct found *const *one = a, *const *two = b;

    return ((*one)->inbox < (*two)->inbox) - ((*one)->inbox > (*two)->inbox);
}

/* Out of a body that is in memory. */
static enum status
slices_of(struct store_home *home, struct found **all, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct content *c = &all[i]->content;
        if (c->blob != 0)
            continue;                    /* what is no slice of it came in no Bundle */
        if ((uint64_t)c->start + (uint64_t)c->length > home->body.length)
            return ST_INTEGRITY;
        all[i]->row.bytes = (struct span){ home->body.at + c->start, (size_t)c->length };
        all[i]->row.home  = (size_t)c->length < home->body.length ? home : NULL;
    }
    return ST_OK;
}

/* By one handle, which knows after its first way through the pages of a body where each is: as
 * many ways as slices would cost their number times the size. */
static enum status
slices_through_handle(struct store *s, struct arena *arena, struct found **all, size_t count, int64_t size)
{
    sqlite3_blob *blob = NULL;
    int           code = sqlite3_blob_open(s->db, "main", "inbox", "body", all[0]->inbox, 0, &blob);
    enum status   st   = ST_OK;

    for (size_t i = 0; i < count && code == SQLITE_OK && st == ST_OK; i++) {
        const struct content *c  = &all[i]->content;
        char                 *at = c->blob == 0 ? arena_alloc(arena, (size_t)c->length + 1) : NULL;
        if (c->blob != 0)
            continue;
        if (at == NULL)
            st = ST_NO_MEMORY;
        else
            code = sqlite3_blob_read(blob, at, (int)c->length, (int)c->start);
        all[i]->row.bytes     = span_from(at, (size_t)c->length);
        all[i]->row.home_lost = (int64_t)c->length < size;
    }
    (void)sqlite3_blob_close(blob);
    return code == SQLITE_OK ? st : sql_failed(s, code);
}

/* Those of one body. */
static enum status
slices_read(struct store *s, struct store_consents *c, struct found **all, size_t count, size_t *room)
{
    int64_t     size = 0;
    enum status st   = body_size(s, all[0]->inbox, &size);

    if (st != ST_OK || (uint64_t)size > *room)
        return st == ST_OK ? slices_through_handle(s, c->arena, all, count, size) : st;
    struct store_home *home = arena_make(c->arena, struct store_home);
    char              *at   = arena_alloc(c->arena, (size_t)size + 1);
    if (home == NULL || at == NULL)
        return ST_NO_MEMORY;
    home->body = span_from(at, (size_t)size);
    *room -= (size_t)size;
    st = size > 0 ? slice_of_whole(s, SQL_INBOX_BODY, all[0]->inbox, 0, at, size) : ST_OK;
    return st == ST_OK ? slices_of(home, all, count) : st;
}

/* Each body once for all that came in it, current or not and of whichever patient; the newest
 * while there is room. */
static enum status
bodies_read(struct store *s, struct store_consents *c, const struct finds *current, const struct finds *standing)
{
    size_t         count = 0, share = arena_left(c->arena) / 8;
    size_t         room  = share < STORE_HOME_BYTES ? share : STORE_HOME_BYTES;
    struct found **all   = arena_make_n(c->arena, current->count + standing->count, struct found *);
    enum status    st    = ST_OK;

    if (all == NULL && current->count + standing->count > 0)
        return ST_NO_MEMORY;
    for (struct found *f = current->first; f != NULL; f = f->next)
        all[count++] = f;
    for (struct found *f = standing->first; f != NULL; f = f->next)
        all[count++] = f;
    for (size_t i = 0; i < count && st == ST_OK; i++)
        if (all[i]->content.blob != 0)
            st = stored_bytes_read(s, all[i]->inbox, &all[i]->content, c->arena, &all[i]->row.bytes);
    if (count > 1)
        qsort(all, count, sizeof *all, newest_first);
    for (size_t from = 0, to; from < count && st == ST_OK; from = to) {
        bool sliced = false;
        for (to = from; to < count && all[to]->inbox == all[from]->inbox; to++)
            sliced = sliced || all[to]->content.blob == 0;
        if (sliced)
            st = slices_read(s, c, all + from, to - from, &room);
    }
    return st;
}

/* ---- of whom ------------------------------------------------------------------------- */

static enum status
consents_list(struct store *s, struct store_consents *c, struct span patient, struct finds *all)
{
    sqlite3_stmt *q  = s->statement[SQL_CONSENTS_OF];
    enum status   st = ST_OK;
    int           code;

    bind_text(q, 1, patient);
    while ((code = sqlite3_step(q)) == SQLITE_ROW && st == ST_OK)
        st = consent_add(s, c, patient, WHERE(sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1)), 0, all);
    (void)sqlite3_reset(q);
    return st != ST_OK || code == SQLITE_DONE ? st : sql_failed(s, code);
}

static enum status
standing_list(struct store *s, struct store_consents *c, struct span patient, struct finds *all)
{
    sqlite3_stmt *q  = s->statement[SQL_STANDING_OF];
    enum status   st = ST_OK;
    int           code;

    bind_text(q, 1, patient);
    (void)sqlite3_bind_int(q, 2, STORE_STANDS_REFUSES);
    while ((code = sqlite3_step(q)) == SQLITE_ROW && st == ST_OK)
        st = consent_add(s, c, patient, WHERE(sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1)),
                         (unsigned)sqlite3_column_int(q, 2), all);
    (void)sqlite3_reset(q);
    return st != ST_OK || code == SQLITE_DONE ? st : sql_failed(s, code);
}

static enum status
rows_of(const struct finds *all, struct arena *arena, struct store_row **rows, size_t *count)
{
    size_t at = 0;

    *count = all->count;
    *rows  = arena_make_n(arena, all->count, struct store_row);
    if (*rows == NULL && all->count > 0)
        return ST_NO_MEMORY;
    for (const struct found *f = all->first; f != NULL; f = f->next)
        (*rows)[at++] = f->row;
    return ST_OK;
}

static enum status
consents_newest(struct store *s, struct store_consents *c, struct span patient)
{
    sqlite3_stmt *q = s->statement[SQL_CONSENT_NEWEST];

    bind_text(q, 1, patient);
    enum status st = sql_row(s, SQL_CONSENT_NEWEST);
    if (st != ST_OK)
        return st;
    uint64_t newest = (uint64_t)sqlite3_column_int64(q, 0);
    sql_reset(s, SQL_CONSENT_NEWEST);
    c->newest = newest > c->newest ? newest : c->newest;
    return ST_OK;
}

static enum status
consents_collect(struct store *s, struct store_consents *c)
{
    struct finds all      = { .end = &all.first };
    struct finds standing = { .end = &standing.first };
    enum status  st       = ST_OK;

    for (size_t i = 0; i < c->everybody_count && st == ST_OK; i++) {
        st = consents_newest(s, c, c->everybody[i]);
        if (st == ST_OK && c->newest > 0)
            st = consents_list(s, c, c->everybody[i], &all);
        if (st == ST_OK && c->newest > 0)
            st = standing_list(s, c, c->everybody[i], &standing);
    }
    if (st == ST_OK)
        st = bodies_read(s, c, &all, &standing);
    if (st == ST_OK)
        st = rows_of(&all, c->arena, &c->rows, &c->row_count);
    return st == ST_OK ? rows_of(&standing, c->arena, &c->standing, &c->standing_count) : st;
}

void
consents_serve(struct store *s, struct store_consents *c)
{
    c->rows       = NULL;
    c->row_count  = 0;
    c->standing       = NULL;
    c->standing_count = 0;
    c->newest     = 0;
    c->generation = (uint64_t)s->durable.generation;
    c->filed       = NULL;
    c->filed_count = 0;
    c->links       = NULL;
    c->link_count  = 0;
    if (c->everybody == NULL) {
        c->everybody       = c->patients;
        c->everybody_count = c->patient_count;
    }
    c->status = c->with_links ? links_serve(s, c) : ST_OK;
    if (c->status == ST_OK)
        c->status = consents_collect(s, c);
    if (c->status == ST_OK && s->filed_last > 0)
        c->status = filings_serve(s, c);
}

/* ---- kept answers ------------------------------------------------------------------ */

enum status
answer_find(struct store *s, struct span client, struct span key)
{
    struct walk   w = walk_begin(LATE_ANSWER, late_key_answer(client, key));
    sqlite3_stmt *q = s->statement[SQL_ANSWER_READ];
    int64_t       id;
    enum status   st;

    while ((st = walk_next(s, &w, &id)) == ST_OK) {
        (void)sqlite3_bind_int64(q, 1, id);
        st = sql_row(s, SQL_ANSWER_READ);
        if (st == ST_NOT_FOUND)
            continue;                    /* expired */
        if (st != ST_OK || (span_eq(column_span(q, 0), client) && span_eq(column_span(q, 1), key)))
            return st;
        sql_reset(s, SQL_ANSWER_READ);
    }
    return st;
}

void
lookup_serve(struct store *s, struct store_lookup *l)
{
    sqlite3_stmt *q = s->statement[SQL_ANSWER_READ];

    l->status = answer_find(s, l->client, l->key);
    if (l->status != ST_OK)
        return;
    l->answer = (struct store_answer){
        .client         = l->client,
        .key            = l->key,
        .request_sha256 = column_copy(q, 2, l->arena),
        .status         = sqlite3_column_int(q, 3),
        .content_type   = column_copy(q, 4, l->arena),
        .location       = column_copy(q, 5, l->arena),
        .body           = column_copy(q, 6, l->arena),
    };
    sql_reset(s, SQL_ANSWER_READ);
    l->status = arena_status(l->arena);
}

/* ---- resources --------------------------------------------------------------------- */

/* Values come newest first, so the first that fits is the current version. */
static enum status
version_find(struct store *s, const struct store_read *r, struct content *out, int64_t *at_ms, int64_t *where)
{
    struct walk w = walk_begin(LATE_RESOURCE, late_key_resource(r->type, r->id));
    enum status st;

    while ((st = walk_next(s, &w, where)) == ST_OK) {
        st = stored_content_read(s, *where, r->arena, out, at_ms);
        if (st != ST_OK)
            return st;
        if (span_eq(out->type, r->type) && span_eq(out->id, r->id) &&
            (r->version == 0 || r->version == out->version))
            return ST_OK;
    }
    return st;
}

void
read_serve(struct store *s, struct store_read *r)
{
    struct content c;
    int64_t        at_ms, where;

    r->status = version_find(s, r, &c, &at_ms, &where);
    if (r->status != ST_OK)
        return;
    r->row = row_of(&c, at_ms);
    if (!c.deleted)
        r->status = stored_bytes_read(s, WHERE_INBOX(where), &c, r->arena, &r->row.bytes);
    if (r->status == ST_OK)
        r->status = class_of_row(s, WHERE_INBOX(where), WHERE_PLACE(where), r->arena, &r->row);
}

/* ---- versions ---------------------------------------------------------------------- */

static enum status
version_add(struct store *s, struct store_versions *v, int64_t where, struct found ***end)
{
    struct content c;
    int64_t        at_ms;
    enum status    st = stored_content_read(s, where, v->arena, &c, &at_ms);

    if (st != ST_OK || !span_eq(c.type, v->type) || !span_eq(c.id, v->id) || (v->below > 0 && c.version >= v->below))
        return st;
    if (v->row_count == v->max) {
        v->more = true;
        return ST_OK;
    }
    struct found *f = arena_make(v->arena, struct found);
    if (f == NULL)
        return ST_NO_MEMORY;
    f->row = row_of(&c, at_ms);
    st     = client_read(s, WHERE_INBOX(where), v->arena, &f->row.client);
    if (st == ST_OK && !c.deleted)
        st = stored_bytes_read(s, WHERE_INBOX(where), &c, v->arena, &f->row.bytes);
    **end = f;
    *end  = &f->next;
    v->row_count++;
    return st;
}

void
versions_serve(struct store *s, struct store_versions *v)
{
    struct walk   w     = walk_begin(LATE_RESOURCE, late_key_resource(v->type, v->id));
    struct found *first = NULL, **end = &first;
    int64_t       where;
    size_t        at    = 0;

    v->row_count = 0;
    v->more      = false;
    v->status    = ST_OK;
    while (v->status == ST_OK && !v->more && (v->status = walk_next(s, &w, &where)) == ST_OK)
        v->status = version_add(s, v, where, &end);
    if (v->status != ST_OK && v->status != ST_NOT_FOUND)
        return;
    v->rows   = arena_make_n(v->arena, v->row_count, struct store_row);
    v->status = v->row_count == 0 ? ST_NOT_FOUND : v->rows == NULL ? ST_NO_MEMORY : ST_OK;
    for (const struct found *f = first; f != NULL && v->rows != NULL; f = f->next)
        v->rows[at++] = f->row;
}
