/* gateway/store/read.c -- consents, kept answers and resources. */
#include <string.h>

#include "gateway/store/sqlite.h"

/* Above this a slice is read through an incremental handle, below it by
 * reading the whole body: opening a handle costs about as much as that. */
#define WHOLE_BODY_BYTES (64 * 1024)

static enum status
slice_through_handle(struct store *s, int64_t body, int64_t start, char *at, int64_t length)
{
    sqlite3_blob *blob = NULL;
    int           code = sqlite3_blob_open(s->db, "main", "body", "bytes", body, 0, &blob);

    if (code == SQLITE_OK)
        code = sqlite3_blob_read(blob, at, (int)length, (int)start);
    (void)sqlite3_blob_close(blob);
    return code == SQLITE_OK ? ST_OK : sql_failed(s, code);
}

static enum status
slice_of_whole(struct store *s, int64_t body, int64_t start, char *at, int64_t length)
{
    sqlite3_stmt *q = s->statement[SQL_BODY_READ];

    (void)sqlite3_bind_int64(q, 1, body);
    enum status st = sql_row(s, SQL_BODY_READ);
    if (st != ST_OK)
        return st == ST_NOT_FOUND ? ST_INTEGRITY : st;
    struct span bytes = column_span(q, 0);
    if (start >= 0 && length >= 0 && (uint64_t)start + (uint64_t)length <= bytes.length)
        memcpy(at, bytes.at + start, (size_t)length);
    else
        st = ST_INTEGRITY;
    sql_reset(s, SQL_BODY_READ);
    return st;
}

static enum status
body_size(struct store *s, int64_t body, int64_t *size)
{
    sqlite3_stmt *q = s->statement[SQL_BODY_LENGTH];

    (void)sqlite3_bind_int64(q, 1, body);
    enum status st = sql_row(s, SQL_BODY_LENGTH);
    if (st != ST_OK)
        return st == ST_NOT_FOUND ? ST_INTEGRITY : st;
    *size = sqlite3_column_int64(q, 0);
    sql_reset(s, SQL_BODY_LENGTH);
    return ST_OK;
}

static enum status
slice_read(struct store *s, struct arena *arena, int64_t body, int64_t start, int64_t length,
           struct span *out)
{
    int64_t     size;
    enum status st = body_size(s, body, &size);

    if (st != ST_OK)
        return st;
    if (start < 0 || length < 0 || length > size || start > size - length)
        return ST_INTEGRITY;
    char *at = arena_alloc(arena, (size_t)length + 1);
    if (at == NULL)
        return ST_NO_MEMORY;
    st = size <= WHOLE_BODY_BYTES ? slice_of_whole(s, body, start, at, length)
                                  : slice_through_handle(s, body, start, at, length);
    *out = span_from(at, (size_t)length);
    return st;
}

/* ---- consents --------------------------------------------------------------------- */

struct found {                           /* a row whose bytes are still to be read */
    struct store_row row;
    int64_t          body, start, length;
    struct found    *next;
};

static enum status
consents_list(struct store *s, struct store_consents *c, struct span patient, struct found ***end)
{
    sqlite3_stmt *q = s->statement[SQL_CONSENTS_OF];
    int           code;

    bind_text(q, 1, patient);
    while ((code = sqlite3_step(q)) == SQLITE_ROW) {
        struct found *f = arena_make(c->arena, struct found);
        if (f == NULL)
            break;
        f->row = (struct store_row){
            .type    = SPAN("Consent"),
            .id      = column_copy(q, 0, c->arena),
            .patient = patient,
            .version = sqlite3_column_int64(q, 1),
            .at_ms   = sqlite3_column_int64(q, 2),
            .labels  = column_copy(q, 3, c->arena),
            .part2   = column_copy(q, 4, c->arena),
        };
        f->body   = sqlite3_column_int64(q, 5);
        f->start  = sqlite3_column_int64(q, 6);
        f->length = sqlite3_column_int64(q, 7);
        **end     = f;
        *end      = &f->next;
        c->row_count++;
    }
    (void)sqlite3_reset(q);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return sql_failed(s, code);
    return arena_status(c->arena);
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
    struct found  *found = NULL;
    struct found **end   = &found;
    enum status    st    = ST_OK;

    for (size_t i = 0; i < c->patient_count && st == ST_OK; i++) {
        st = consents_newest(s, c, c->patients[i]);
        if (st == ST_OK && c->newest > 0)
            st = consents_list(s, c, c->patients[i], &end);
    }
    if (st != ST_OK)
        return st;
    c->rows = arena_make_n(c->arena, c->row_count, struct store_row);
    if (c->rows == NULL && c->row_count > 0)
        return ST_NO_MEMORY;
    size_t at = 0;
    for (struct found *f = found; f != NULL && st == ST_OK; f = f->next) {
        c->rows[at] = f->row;
        st          = slice_read(s, c->arena, f->body, f->start, f->length, &c->rows[at].bytes);
        at++;
    }
    return st;
}

void
consents_serve(struct store *s, struct store_consents *c)
{
    c->rows       = NULL;
    c->row_count  = 0;
    c->newest     = 0;
    c->generation = (uint64_t)s->durable.generation;
    c->status     = consents_collect(s, c);
}

/* ---- kept answers ------------------------------------------------------------------ */

void
lookup_serve(struct store *s, struct store_lookup *l)
{
    sqlite3_stmt *q = s->statement[SQL_ANSWER_FIND];

    bind_text(q, 1, l->client);
    bind_text(q, 2, l->key);
    l->status = sql_row(s, SQL_ANSWER_FIND);
    if (l->status != ST_OK)
        return;
    l->answer = (struct store_answer){
        .client         = l->client,
        .key            = l->key,
        .request_sha256 = column_copy(q, 0, l->arena),
        .status         = sqlite3_column_int(q, 1),
        .content_type   = column_copy(q, 2, l->arena),
        .location       = column_copy(q, 3, l->arena),
        .body           = column_copy(q, 4, l->arena),
    };
    sql_reset(s, SQL_ANSWER_FIND);
    l->status = arena_status(l->arena);
}

/* ---- resources --------------------------------------------------------------------- */

void
read_serve(struct store *s, struct store_read *r)
{
    enum statement which = r->version == 0 ? SQL_RESOURCE_CURRENT : SQL_RESOURCE_VERSION;
    sqlite3_stmt  *q     = s->statement[which];

    bind_text(q, 1, r->type);
    bind_text(q, 2, r->id);
    if (r->version != 0)
        (void)sqlite3_bind_int64(q, 3, r->version);
    r->status = sql_row(s, which);
    if (r->status != ST_OK)
        return;
    r->row = (struct store_row){
        .type    = r->type,
        .id      = r->id,
        .version = sqlite3_column_int64(q, 0),
        .at_ms   = sqlite3_column_int64(q, 1),
        .deleted = sqlite3_column_int(q, 2) != 0,
        .patient = column_copy(q, 3, r->arena),
        .labels  = column_copy(q, 4, r->arena),
        .part2   = column_copy(q, 5, r->arena),
    };
    int64_t body   = sqlite3_column_int64(q, 6);
    int64_t start  = sqlite3_column_int64(q, 7);
    int64_t length = sqlite3_column_int64(q, 8);
    sql_reset(s, which);
    r->status = arena_status(r->arena);
    if (r->status == ST_OK && !r->row.deleted)
        r->status = slice_read(s, r->arena, body, start, length, &r->row.bytes);
}
