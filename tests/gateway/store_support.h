/* tests/gateway/store_support.h -- a store in a folder of its own, and calls that wait. */
#ifndef SLUICE_TESTS_GATEWAY_STORE_SUPPORT_H
#define SLUICE_TESTS_GATEWAY_STORE_SUPPORT_H

#include <fcntl.h>
#include <ftw.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/store/store.h"

struct scratch {
    char                  folder[64];
    char                  file[96], key[96];
    struct ledger_signer *signer;
    struct store         *store;
    struct arena         *arena;
    struct buf            why;
    unsigned              events;        /* eventIds handed out */
};

/* A completion that a test waits for; the store thread runs it (home NULL). */
struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t  wake;
    unsigned        left;
};
static struct waiter waiter = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 };

static void
on_done(struct task *done)
{
    (void)done;
    (void)pthread_mutex_lock(&waiter.lock);
    waiter.left--;
    (void)pthread_cond_signal(&waiter.wake);
    (void)pthread_mutex_unlock(&waiter.lock);
}

static inline void
expect_done(unsigned count)
{
    (void)pthread_mutex_lock(&waiter.lock);
    waiter.left += count;
    (void)pthread_mutex_unlock(&waiter.lock);
}

static inline void
wait_done(void)
{
    (void)pthread_mutex_lock(&waiter.lock);
    while (waiter.left > 0)
        (void)pthread_cond_wait(&waiter.wake, &waiter.lock);
    (void)pthread_mutex_unlock(&waiter.lock);
}

#define WAIT_FOR(t, call, request)         \
    do {                                   \
        (request)->home     = NULL;        \
        (request)->done.run = on_done;     \
        expect_done(1);                    \
        call((t)->store, (request));       \
        wait_done();                       \
    } while (0)

static inline enum status
submit(struct scratch *t, struct store_unit *u)
{
    WAIT_FOR(t, store_submit, u);
    return u->status;
}

static inline enum status
read_now(struct scratch *t, struct store_read *r)
{
    WAIT_FOR(t, store_read_resource, r);
    return r->status;
}

static inline enum status
lookup_now(struct scratch *t, struct store_lookup *l)
{
    WAIT_FOR(t, store_find_answer, l);
    return l->status;
}

static inline enum status
consents_now(struct scratch *t, struct store_consents *c)
{
    WAIT_FOR(t, store_load_consents, c);
    return c->status;
}

static inline enum status
claim_now(struct scratch *t, struct store_claim *c)
{
    WAIT_FOR(t, store_claim_due, c);
    return c->status;
}

#define assert_span(got, want)                                \
    do {                                                      \
        struct span assert_span_got = (got);                  \
        assert_int_equal(assert_span_got.length, strlen(want)); \
        assert_memory_equal(assert_span_got.at, want, strlen(want)); \
    } while (0)

static inline void
key_write(const char *path)
{
    EVP_PKEY *key  = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    FILE     *file = fopen(path, "we");

    if (key == NULL || file == NULL || PEM_write_PKCS8PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) != 1)
        abort();
    (void)fclose(file);
    EVP_PKEY_free(key);
}

static inline enum status
scratch_open(struct scratch *t)
{
    struct store_options options = { .path = t->file, .signer = t->signer };

    buf_clear(&t->why);
    enum status st = store_open(&options, &t->store, &t->why);
    return st == ST_OK ? store_start(t->store) : st;
}

static inline enum status
scratch_reopen(struct scratch *t)
{
    store_close(&t->store);
    return scratch_open(t);
}

static inline struct scratch *
scratch_new(void)
{
    struct scratch *t = calloc(1, sizeof *t);

    if (t == NULL)
        abort();
    (void)snprintf(t->folder, sizeof t->folder, "/tmp/sluice-store-XXXXXX");
    if (mkdtemp(t->folder) == NULL)
        abort();
    (void)snprintf(t->file, sizeof t->file, "%s/sluice.db", t->folder);
    (void)snprintf(t->key, sizeof t->key, "%s/ledger.key", t->folder);
    key_write(t->key);
    buf_init(&t->why, 4096);
    t->arena = arena_new("test", (size_t)64 << 20);
    if (ledger_signer_open(t->key, SPAN("test.example/log"), &t->signer, &t->why) != ST_OK)
        abort();
    return t;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void
scratch_free(struct scratch *t)
{
    store_close(&t->store);
    ledger_signer_free(&t->signer);
    arena_free(&t->arena);
    buf_release(&t->why);
    (void)nftw(t->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(t);
}

static inline int
scratch_setup(void **state)
{
    struct scratch *t = scratch_new();

    if (scratch_open(t) != ST_OK) {
        (void)fprintf(stderr, "%.*s\n", SPAN_PRINT(buf_span(&t->why)));
        return -1;
    }
    *state = t;
    return 0;
}

static inline int
scratch_teardown(void **state)
{
    scratch_free(*state);
    return 0;
}

/* A record of no particular content. */
static inline struct ledger_entry
some_record(struct scratch *t, enum ledger_log log, struct span patient)
{
    struct span id = arena_format(t->arena, "00000000-0000-7000-8000-%012u", ++t->events);

    return (struct ledger_entry){
        .log       = log,
        .event_id  = id,
        .patient   = patient,
        .recipient = SPAN("county-hie"),
        .kind      = log == LEDGER_DENIALS ? SPAN("denial") : SPAN("disclosure"),
        .at_ms     = 1795359600000,
        .client_of = SPAN("ehr"),
        .record    = arena_format(t->arena,
                                  RECORD_PREFIX ",\"eventId\":\"%.*s\",\"kind\":\"%s\",\"patientId\":\"%.*s\"}",
                                  SPAN_PRINT(id), log == LEDGER_DENIALS ? "denial" : "disclosure",
                                  SPAN_PRINT(patient)),
    };
}

#endif
