#include "gateway/terminology/answers.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/hash.h"
#include "gateway/runtime/identity.h"

#define WAYS 8u

struct entry {
    struct answer_key key;
    int64_t           until_ms;
    uint32_t          used;              /* when it was asked for, in uses of the table */
    enum answer       answer;
};

struct answers {
    pthread_mutex_t lock;
    uint64_t        secret[4];
    struct entry   *entries;
    uint32_t        sets;
    uint32_t        uses;
};

struct answers *
answers_new(void)
{
    struct answers *all = calloc(1, sizeof *all);

    if (all == NULL)
        return NULL;
    pthread_mutex_init(&all->lock, NULL);
    random_draw(all->secret, sizeof all->secret);
    return all;
}

void
answers_free(struct answers **all)
{
    if (*all == NULL)
        return;
    pthread_mutex_destroy(&(*all)->lock);
    free((*all)->entries);
    free(*all);
    *all = NULL;
}

void
answers_size(struct answers *all, uint32_t count)
{
    uint32_t      sets    = (count < ANSWERS_LEAST ? ANSWERS_LEAST : count) / WAYS;
    struct entry *entries = calloc((size_t)sets * WAYS, sizeof *entries);

    pthread_mutex_lock(&all->lock);
    free(all->entries);
    all->entries = entries;
    all->sets    = entries != NULL ? sets : 0;
    pthread_mutex_unlock(&all->lock);
}

/* None of the parts holds a space (fhir/term_questions.h Q3), so two questions
 * are never one text. */
static uint64_t
hash_of(const struct term_question *q, const uint64_t *secret)
{
    const struct span parts[] = { q->value_set, q->system, q->version, q->code };
    struct hash       h       = hash_begin(secret[0], secret[1]);

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        hash_add(&h, parts[i]);
        hash_add(&h, SPAN(" "));
    }
    return hash_end(&h);
}

struct answer_key
answers_key(const struct answers *all, const struct term_question *q)
{
    return (struct answer_key){ hash_of(q, all->secret), hash_of(q, all->secret + 2) };
}

static bool
same(struct answer_key a, struct answer_key b)
{
    return a.a == b.a && a.b == b.b;
}

/* The one of this key, or NULL and the one that would make room for it. */
static struct entry *
find(struct answers *all, struct answer_key key, int64_t now_ms, struct entry **room)
{
    struct entry *set = &all->entries[key.a % all->sets * WAYS];

    *room = set;
    for (struct entry *e = set; e < set + WAYS; e++) {
        if (e->answer != ANSWER_UNKNOWN && e->until_ms <= now_ms)
            e->answer = ANSWER_UNKNOWN;
        if (e->answer != ANSWER_UNKNOWN && same(e->key, key))
            return e;
        if ((*room)->answer == ANSWER_UNKNOWN)
            continue;
        if (e->answer == ANSWER_UNKNOWN || all->uses - e->used > all->uses - (*room)->used)
            *room = e;
    }
    return NULL;
}

enum answer
answers_get(struct answers *all, struct answer_key key, int64_t now_ms)
{
    enum answer   answer = ANSWER_UNKNOWN;
    struct entry *room;

    pthread_mutex_lock(&all->lock);
    struct entry *hit = all->sets > 0 ? find(all, key, now_ms, &room) : NULL;
    if (hit != NULL) {
        hit->used = ++all->uses;
        answer    = hit->answer;
    }
    pthread_mutex_unlock(&all->lock);
    return answer;
}

void
answers_put(struct answers *all, struct answer_key key, enum answer answer, int64_t now_ms, int64_t until_ms)
{
    struct entry *room;

    pthread_mutex_lock(&all->lock);
    if (all->sets > 0) {
        struct entry *hit = find(all, key, now_ms, &room);
        *(hit != NULL ? hit : room) = (struct entry){ key, until_ms, ++all->uses, answer };
    }
    pthread_mutex_unlock(&all->lock);
}
