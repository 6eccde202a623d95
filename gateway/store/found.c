/* gateway/store/found.c -- what people found about items of the review queue, in memory.
 *
 * A decision asks for it on any thread and cannot wait for the store thread.
 * There are as many as people made, so they fit.  A key is SHA-256: of its
 * first half no two are alike.
 */
#include <stdlib.h>

#include "gateway/store/sqlite.h"

enum { FIRST_ROOM = 64 };

static bool
digits_read(struct span key, uint64_t out[2])
{
    if (key.length < 32)
        return false;
    for (int half = 0; half < 2; half++) {
        out[half] = 0;
        for (int i = 0; i < 16; i++) {
            char c = key.at[half * 16 + i];
            if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
                return false;
            out[half] = out[half] << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
        }
    }
    return (out[0] | out[1]) != 0;
}

static struct judged *
slot_of(const struct findings *f, const uint64_t key[2])
{
    uint32_t at = (uint32_t)(((key[0] ^ key[1]) * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (f->room - 1);

    while ((f->all[at].key[0] | f->all[at].key[1]) != 0
           && (f->all[at].key[0] != key[0] || f->all[at].key[1] != key[1]))
        at = (at + 1) & (f->room - 1);
    return &f->all[at];
}

static bool
grow(struct findings *f)
{
    struct findings larger = { .room = f->room > 0 ? f->room * 2 : FIRST_ROOM, .used = f->used };

    larger.all = calloc(larger.room, sizeof *larger.all);
    if (larger.all == NULL)
        return false;
    for (uint32_t i = 0; i < f->room; i++)
        if ((f->all[i].key[0] | f->all[i].key[1]) != 0)
            *slot_of(&larger, f->all[i].key) = f->all[i];
    free(f->all);
    f->all  = larger.all;
    f->room = larger.room;
    return true;
}

/* Room for what is pending is made before the commit: behind it nothing may fail. */
static bool
reserve(struct findings *f, uint32_t more)
{
    bool made = true;

    (void)pthread_mutex_lock(&f->lock);
    while (made && (f->used + more) * 2 > f->room)
        made = grow(f);
    (void)pthread_mutex_unlock(&f->lock);
    return made;
}

static void
put(struct findings *f, const struct judged *one)
{
    struct judged *at = slot_of(f, one->key);

    f->used += (at->key[0] | at->key[1]) == 0;
    *at = *one;
    atomic_store(&f->any, true);
}

enum status
found_pend(struct store *s, struct span key, int finding)
{
    struct judged *one = &s->pending[s->pending_count];

    if (s->pending_count == FOUND_PENDING || !reserve(&s->findings, s->pending_count + 1))
        return ST_NO_MEMORY;
    if (!digits_read(key, one->key))
        return ST_INTEGRITY;
    one->finding = finding;
    s->pending_count++;
    return ST_OK;
}

void
found_committed(struct store *s)
{
    if (s->pending_count == 0)
        return;
    (void)pthread_mutex_lock(&s->findings.lock);
    for (uint32_t i = 0; i < s->pending_count; i++)
        put(&s->findings, &s->pending[i]);
    (void)pthread_mutex_unlock(&s->findings.lock);
    s->pending_count = 0;
    s->reviewed      = s->durable.generation;
}

enum status
found_open(struct store *s)
{
    sqlite3_stmt *q  = s->statement[SQL_REVIEW_FOUND];
    enum status   st = ST_OK;
    int           code;

    while ((code = sqlite3_step(q)) == SQLITE_ROW && st == ST_OK) {
        struct judged one = { .finding = sqlite3_column_int(q, 1) };
        if (!reserve(&s->findings, 1))
            st = ST_NO_MEMORY;
        else if (!digits_read(column_span(q, 0), one.key))
            st = ST_INTEGRITY;
        else
            put(&s->findings, &one);
    }
    (void)sqlite3_reset(q);
    return st != ST_OK || code == SQLITE_DONE ? st : sql_failed(s, code);
}

void
found_close(struct store *s)
{
    free(s->findings.all);
    s->findings.all = NULL;
    (void)pthread_mutex_destroy(&s->findings.lock);
}

bool
store_review_found_any(const struct store *s)
{
    return atomic_load(&s->findings.any);
}

int
store_review_finding(const struct store *s, struct span key)
{
    struct findings *f = (struct findings *)(uintptr_t)&s->findings;
    uint64_t         digits[2];
    int              finding = 0;

    if (!atomic_load(&f->any) || !digits_read(key, digits))
        return 0;
    (void)pthread_mutex_lock(&f->lock);
    finding = slot_of(f, digits)->finding;
    (void)pthread_mutex_unlock(&f->lock);
    return finding;
}
