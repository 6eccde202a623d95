/* gateway/store/sqlite.c -- open, the store thread, one batch = one commit. */
#include "gateway/store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gateway/ledger/record.h"
#include "gateway/ops/log.h"
#include "gateway/ops/metrics.h"
#include "gateway/store/consented.h"
#include "gateway/store/migrations.h"
#include "gateway/store/vfs.h"

#define UNITS_PER_COMMIT    256          /* bounds how long a reader of the queue waits */
#define WAKE_IN_TURN        8            /* so many are not kept until the turn's end */
#define BUSY_MS             5000
#define PROBE_MS            1000         /* how often an unhealthy store tries to write */
#define CHECKPOINT_FRAMES   4000         /* 16 MiB of WAL */
#define ANSWER_DAYS         30u
#define DAY_MS              (INT64_C(24) * 60 * 60 * 1000)
#define ARENA_BYTES         ((size_t)512 << 20)
#define RECORD_SCRATCH      (2 * RECORD_MAX_BYTES)

#define HOLDER(link, type) ((struct type *)(void *)((char *)(link) - offsetof(struct type, request)))

/* ---- opening ------------------------------------------------------------------------ */

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

/* Counting every allocation costs a global lock; a sub-journal that spills to
 * a file costs system calls. */
static void
library_setup(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    (void)sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, -1);
    (void)store_vfs_register();          /* opening fails without it, and says so */
}

/* The file is made by us, with mode 0600; SQLite gives -wal and -shm the mode
 * of the file.  Closed before SQLite opens it: closing any descriptor of a file
 * drops this process's POSIX locks on it. */
static enum status
file_create(const char *path, struct buf *why)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);

    if (fd < 0) {
        buf_add_format(why, "store %s: %s", path, strerror(errno));
        return ST_UNAVAILABLE;
    }
    (void)close(fd);
    return ST_OK;
}

/* One writer: two gateways on one file would each believe to know the tree. */
static enum status
owner_lock(struct store *s, struct buf *why)
{
    char name[4096];

    if (snprintf(name, sizeof name, "%s-owner", s->path) >= (int)sizeof name)
        return ST_TOO_LARGE;
    s->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (s->lock_fd < 0) {
        buf_add_format(why, "store %s: %s", name, strerror(errno));
        return ST_UNAVAILABLE;
    }
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return ST_OK;
    buf_add_format(why, "store %s: another gateway has it open", s->path);
    return ST_UNAVAILABLE;
}

static enum status
connection_open(const char *path, bool read_only, sqlite3 **db, struct buf *why)
{
    static const char settings[] = "PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON;"
                                   "PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY;";
    static const char writing[]  = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                                   "PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864;";
    int flags = (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX;

    if (sqlite3_open_v2(path, db, flags, read_only ? NULL : STORE_VFS) != SQLITE_OK ||
        sqlite3_extended_result_codes(*db, 1) != SQLITE_OK ||
        sqlite3_busy_timeout(*db, BUSY_MS) != SQLITE_OK ||
        sqlite3_db_config(*db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) != SQLITE_OK ||
        sqlite3_exec(*db, settings, NULL, NULL, NULL) != SQLITE_OK ||
        (!read_only && sqlite3_exec(*db, writing, NULL, NULL, NULL) != SQLITE_OK)) {
        buf_add_format(why, "store %s: %s", path, *db != NULL ? sqlite3_errmsg(*db) : "no memory");
        return ST_UNAVAILABLE;
    }
    return ST_OK;
}

static int
on_wal(void *arg, sqlite3 *db, const char *name, int frames)
{
    struct store *s = arg;

    s->wal_frames = frames;
    (void)db;
    (void)name;
    return SQLITE_OK;
}

static enum status
counters_load(struct store *s)
{
    sqlite3_stmt *q  = s->statement[SQL_HEAD_READ];
    enum status   st = sql_row(s, SQL_HEAD_READ);

    if (st != ST_OK)
        return st == ST_NOT_FOUND ? ST_INTEGRITY : st;
    s->durable = (struct counters){
        .generation  = sqlite3_column_int64(q, 0),
        .resources   = sqlite3_column_int64(q, 1),
        .last_inbox  = sqlite3_column_int64(q, 2),
        .last_blob   = sqlite3_column_int64(q, 3),
        .last_outbox = sqlite3_column_int64(q, 4),
        .last_answer = sqlite3_column_int64(q, 5),
        .late_inbox  = sqlite3_column_int64(q, 6),
        .late_answer = sqlite3_column_int64(q, 7),
        .late_leaf   = { sqlite3_column_int64(q, 8), sqlite3_column_int64(q, 9) },
    };
    sql_reset(s, SQL_HEAD_READ);
    st = sql_row(s, SQL_EPOCH_LAST);
    if (st == ST_OK) {
        s->durable.class_version = sqlite3_column_int64(s->statement[SQL_EPOCH_LAST], 0);
        sql_reset(s, SQL_EPOCH_LAST);
    } else if (st != ST_NOT_FOUND) {
        return st;
    }
    s->now = s->durable;
    atomic_store(&s->generation, (uint64_t)s->durable.generation);
    return ST_OK;
}

static enum status
consented_load(struct store *s)
{
    sqlite3_stmt *q = s->statement[SQL_CONSENT_PATIENTS];
    int           code;

    s->consented = filter_new();
    if (s->consented == NULL)
        return ST_NO_MEMORY;
    while ((code = sqlite3_step(q)) == SQLITE_ROW)
        consented_add(s->consented, column_span(q, 0));
    (void)sqlite3_reset(q);
    return code == SQLITE_DONE ? links_load(s) : sql_failed(s, code);
}

static enum status vouch_once(struct store *);

static enum status
writer_open(struct store *s, struct buf *why)
{
    s->digest   = digest_new();
    s->leases   = calloc(LEASE_SLOTS, sizeof *s->leases);
    s->late     = late_new();
    s->list     = arena_new("store", ARENA_BYTES);
    s->temp     = arena_new("store", ARENA_BYTES);
    s->vouched  = arena_new("store", ARENA_BYTES);
    bool        memory = s->digest != NULL && s->leases != NULL && s->late != NULL && s->list != NULL &&
                  s->temp != NULL && s->vouched != NULL;
    enum status st     = memory ? file_create(s->path, why) : ST_NO_MEMORY;

    if (st == ST_OK)
        st = owner_lock(s, why);
    if (st == ST_OK)
        st = connection_open(s->path, false, &s->db, why);
    if (st == ST_OK)
        st = migrations_run(s->db, why);
    if (st == ST_OK)
        st = statements_prepare(s, why);
    if (st == ST_OK)
        st = counters_load(s);
    if (st == ST_OK)
        st = ledger_rows_open(s, why);
    if (st == ST_OK)
        st = late_load(s);
    if (st == ST_OK)
        st = known_load(s);
    if (st == ST_OK)
        st = consented_load(s);
    if (st == ST_OK)
        st = filings_load(s);
    if (st == ST_OK)
        st = found_open(s);
    if (st == ST_OK)
        st = place_note(s, why);
    if (st == ST_OK)
        (void)sqlite3_wal_hook(s->db, on_wal, s);
    return st == ST_OK ? vouch_once(s) : st;
}

static enum status
side_open(struct store *s, struct buf *why)
{
    enum status st = connection_open(s->path, true, &s->side, why);

    return st == ST_OK ? migrations_check(s->side, why) : st;
}

/* Recursive: a visitor of leaves may ask for a tile. */
static void
side_lock_init(pthread_mutex_t *lock)
{
    pthread_mutexattr_t kind;

    (void)pthread_mutexattr_init(&kind);
    (void)pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE);
    (void)pthread_mutex_init(lock, &kind);
    (void)pthread_mutexattr_destroy(&kind);
}

/* On the clock that nobody sets. */
static void
wake_init(pthread_cond_t *wake)
{
    pthread_condattr_t kind;

    (void)pthread_condattr_init(&kind);
    (void)pthread_condattr_setclock(&kind, CLOCK_MONOTONIC);
    (void)pthread_cond_init(wake, &kind);
    (void)pthread_condattr_destroy(&kind);
}

enum status
store_open(const struct store_options *options, struct store **out, struct buf *why)
{
    struct store *s = calloc(1, sizeof *s);

    *out = NULL;
    if (s == NULL)
        return ST_NO_MEMORY;
    (void)pthread_once(&library_once, library_setup);
    s->lock_fd   = -1;
    s->read_only = options->read_only;
    s->signer    = options->signer;
    s->path      = strdup(options->path);
    uint32_t days     = options->answer_days > 0 ? options->answer_days : ANSWER_DAYS;
    s->answer_keep_ms = (int64_t)days * DAY_MS;
    buf_init(&s->scratch, RECORD_SCRATCH);
    buf_init(&s->contents, ARENA_BYTES);
    atomic_init(&s->healthy, true);
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)pthread_mutex_init(&s->common_lock, NULL);
    (void)pthread_mutex_init(&s->findings.lock, NULL);
    side_lock_init(&s->side_lock);
    wake_init(&s->wake);

    enum status st = ST_NO_MEMORY;
    if (s->path != NULL && !s->read_only && s->signer == NULL) {
        buf_add_text(why, "store: writing needs the ledger key");
        st = ST_UNAVAILABLE;
    } else if (s->path != NULL) {
        st = s->read_only ? ST_OK : writer_open(s, why);
        if (st == ST_OK)
            st = side_open(s, why);
    }
    if (st == ST_OK)
        *out = s;
    else
        store_close(&s);
    return st;
}

/* A spent arena stays spent: the unit that spent it failed, the next has a new
 * one. */
static void
arena_renew(struct arena **arena)
{
    if (*arena != NULL && !arena_spent(*arena))
        return;
    arena_free(arena);
    *arena = arena_new("store", ARENA_BYTES);
}

/* ---- one batch ------------------------------------------------------------------------ */

static int64_t
wall_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t
monotonic_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void
finished(struct loop *home, struct task *done)
{
    if (home != NULL)
        loop_post(home, done);
    else
        done->run(done);
}

static void
healthy_set(struct store *s, bool healthy)
{
    bool was = atomic_exchange(&s->healthy, healthy);

    if (was && !healthy)
        log_event(LOG_ERROR_LEVEL, "store.unavailable", LOG_F_COUNT("sqlite_code", s->error),
                  LOG_F_REASON(s->error == SQLITE_READONLY_DBMOVED
                                   ? "the store's file was moved, deleted or replaced: nothing is accepted until it "
                                     "is back; what is there now is opened by a restart"
                                   : "a commit failed: nothing is accepted until a write succeeds"));
    else if (!was && healthy)
        log_event(LOG_INFO_LEVEL, "store.available");
}

static void
undo(struct store *s)
{
    if (sqlite3_get_autocommit(s->db) == 0)
        (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    s->now           = s->durable;
    s->contents_of   = 0;
    s->pruned_to     = 0;
    s->pending_count = 0;
    s->stale         = true;
    arena_renew(&s->list);
    arena_renew(&s->temp);
    arena_renew(&s->vouched);
}

/* After an undo, what is in memory (counters, trees, late index) is ahead of the
 * file. */
static enum status
refresh(struct store *s)
{
    s->error = 0;
    if (!s->stale)
        return ST_OK;
    enum status st = counters_load(s);
    if (st == ST_OK)
        st = ledger_rows_load(s);
    if (st == ST_OK)
        st = late_load(s);
    s->stale = st != ST_OK;
    return st;
}

static enum status
begin(struct store *s)
{
    enum status st = refresh(s);

    s->clock_ms = wall_ms();
    return st == ST_OK ? sql_run(s, SQL_BEGIN) : st;
}

static enum status
counters_write(struct store *s)
{
    sqlite3_stmt *q = s->statement[SQL_HEAD_WRITE];

    if (memcmp(&s->now, &s->durable, sizeof s->now) == 0)
        return ST_OK;
    (void)sqlite3_bind_int64(q, 1, s->now.generation);
    (void)sqlite3_bind_int64(q, 2, s->now.resources);
    (void)sqlite3_bind_int64(q, 3, s->now.last_inbox);
    (void)sqlite3_bind_int64(q, 4, s->now.last_blob);
    (void)sqlite3_bind_int64(q, 5, s->now.last_outbox);
    (void)sqlite3_bind_int64(q, 6, s->now.last_answer);
    (void)sqlite3_bind_int64(q, 7, s->now.late_inbox);
    (void)sqlite3_bind_int64(q, 8, s->now.late_answer);
    (void)sqlite3_bind_int64(q, 9, s->now.late_leaf[LEDGER_DISCLOSURES]);
    (void)sqlite3_bind_int64(q, 10, s->now.late_leaf[LEDGER_DENIALS]);
    return sql_run(s, SQL_HEAD_WRITE);
}

static enum status
commit(struct store *s)
{
    enum status st = ledger_rows_sign(s);

    if (st == ST_OK)
        st = late_step(s);
    if (st == ST_OK)
        st = counters_write(s);
    if (st == ST_OK)
        st = prune_step(s);
    if (st == ST_OK)
        st = place_check(s);
    if (st == ST_OK)
        st = sql_run(s, SQL_COMMIT);
    if (st != ST_OK)
        return st;
    s->durable = s->now;
    late_committed(s);
    for (int log = 0; log < LEDGER_LOGS; log++)
        s->log[log].committed = s->log[log].tree.edge.size;
    filings_committed(s);
    found_committed(s);
    atomic_store(&s->generation, (uint64_t)s->durable.generation);
    return ST_OK;
}

/* Units that are out of the batch keep the status that put them out. */
/* A store of before records vouched for its rows, once: for those that are there. */
static enum status
vouch_once(struct store *s)
{
    unsigned    tables = 0;
    enum status st     = ledger_rows_vouched(s, &tables);

    if (st != ST_OK || tables == VOUCHED_TABLES)
        return st;
    struct arena_mark mark = arena_mark(s->vouched);
    st = begin(s);
    if (st == ST_OK)
        st = vouching_first(s, tables);
    if (st == ST_OK)
        st = ledger_rows_vouch(s);
    if (st == ST_OK)
        st = commit(s);
    arena_reset(s->vouched, mark);
    arena_renew(&s->temp);
    arena_renew(&s->vouched);
    return st;
}

static enum status
units_write(struct store *s, struct store_unit *const *units, size_t count, bool *out)
{
    enum status st = begin(s);

    for (size_t i = 0; i < count && st == ST_OK; i++) {
        if (out[i])
            continue;
        units[i]->status = unit_write(s, units[i]);
        if (units[i]->status == ST_OK)
            continue;
        out[i] = units[i]->status != ST_UNAVAILABLE;
        if (units[i]->status != ST_CONFLICT)
            st = out[i] ? ST_CANCELLED : ST_UNAVAILABLE;
    }
    return st == ST_OK ? commit(s) : st;
}

static void
units_commit(struct store *s, struct store_unit *const *units, size_t count)
{
    bool        out[UNITS_PER_COMMIT] = { false };
    int64_t     started               = monotonic_us();
    enum status st;

    /* ST_CANCELLED: a unit could not be written for a reason of its own; again,
     * without it.  Each round puts one out, so this ends. */
    while ((st = units_write(s, units, count, out)) == ST_CANCELLED)
        undo(s);
    if (st != ST_OK)
        undo(s);
    healthy_set(s, st == ST_OK);
    for (size_t i = 0; i < count; i++) {
        if (!out[i])
            units[i]->status = st == ST_OK ? ST_OK : ST_UNAVAILABLE;
        else if (units[i]->status == ST_CANCELLED)
            units[i]->status = ST_CONFLICT;
        if (units[i]->status == ST_OK)
            leases_follow(s, units[i]);
    }
    if (st == ST_OK) {
        metric_add(METRIC_COMMITS, NULL, 1);
        metric_add(METRIC_COMMIT_BATCH, NULL, count);
        metric_observe_us(METRIC_COMMIT_SECONDS, NULL, (uint64_t)(monotonic_us() - started));
        metric_set(METRIC_LEDGER_SIZE, "disclosures", (int64_t)s->log[LEDGER_DISCLOSURES].committed);
        metric_set(METRIC_LEDGER_SIZE, "denials", (int64_t)s->log[LEDGER_DENIALS].committed);
    }
    for (size_t i = 0; i < count; i++)
        finished(units[i]->home, &units[i]->done);
}

/* WAL pages go back into the file.  Done by us and not by SQLite inside a
 * commit, which would swallow a failed fsync. */
static void
wal_checkpoint(struct store *s, int mode)
{
    int code = sqlite3_wal_checkpoint_v2(s->db, NULL, mode, NULL, NULL);

    s->wal_frames = 0;
    if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY)
        (void)sql_failed(s, code);
}

/* What may be done after everybody has his answer. */
static void
housekeeping(struct store *s)
{
    filings_committed(s);                /* when they could not be read after the commit */
    if (s->late->count >= LATE_ENTRIES && s->late->frozen_count == 0 && !s->stale)
        late_freeze_all(s);
    if (s->wal_frames >= CHECKPOINT_FRAMES)
        wal_checkpoint(s, SQLITE_CHECKPOINT_PASSIVE);
    arena_renew(&s->list);
    arena_renew(&s->temp);
    arena_renew(&s->vouched);
}

/* ---- the thread ------------------------------------------------------------------------- */

/* When memory could not be read again after a failure, or the file is not in its
 * place, an answer would be made of less than there is: there is none then. */
static void
read_serve_one(struct store *s, struct store_request *r)
{
    struct store_consents *consents = HOLDER(r, store_consents);
    struct store_lookup   *lookup   = HOLDER(r, store_lookup);
    struct store_read     *read     = HOLDER(r, store_read);
    struct store_match    *match    = HOLDER(r, store_match);
    struct store_claim    *claim    = HOLDER(r, store_claim);
    struct store_versions *versions = HOLDER(r, store_versions);
    bool                   readable = !s->stale && !s->unreadable;

    switch ((enum request_kind)r->kind) {
    case REQUEST_CONSENTS:
        consents->status = ST_UNAVAILABLE;
        if (readable)
            consents_serve(s, consents);
        finished(consents->home, &consents->done);
        break;
    case REQUEST_LOOKUP:
        lookup->status = ST_UNAVAILABLE;
        if (readable)
            lookup_serve(s, lookup);
        finished(lookup->home, &lookup->done);
        break;
    case REQUEST_READ:
        read->status = ST_UNAVAILABLE;
        if (readable)
            read_serve(s, read);
        finished(read->home, &read->done);
        break;
    case REQUEST_MATCH:
        match->status = ST_UNAVAILABLE;
        if (readable)
            match_serve(s, match);
        finished(match->home, &match->done);
        break;
    case REQUEST_VERSIONS:
        versions->status = ST_UNAVAILABLE;
        if (readable)
            versions_serve(s, versions);
        finished(versions->home, &versions->done);
        break;
    case REQUEST_CLAIM:
        claim->status = ST_UNAVAILABLE;
        if (readable)
            claim_serve(s, claim);
        finished(claim->home, &claim->done);
        break;
    case REQUEST_UNIT:
        break;
    }
}

/* Reads that came with the batch, then its units, then its claims. */
static void
batch_run(struct store *s, struct store_request *list)
{
    struct store_unit     *units[UNITS_PER_COMMIT];
    size_t                 count  = 0;
    struct store_request  *claims = NULL, **claims_end = &claims;
    struct store_request  *next;

    s->unreadable = refresh(s) != ST_OK || place_check(s) != ST_OK;
    if (s->unreadable)
        healthy_set(s, false);
    for (struct store_request *r = list; r != NULL; r = next) {
        next    = r->next;
        r->next = NULL;
        if (r->kind == REQUEST_UNIT) {
            units[count++] = HOLDER(r, store_unit);
        } else if (r->kind == REQUEST_CLAIM) {
            *claims_end = r;
            claims_end  = &r->next;
        } else {
            read_serve_one(s, r);
        }
    }
    if (count > 0)
        units_commit(s, units, count);
    for (struct store_request *r = claims; r != NULL; r = next) {
        next = r->next;
        read_serve_one(s, r);
    }
    housekeeping(s);
}

/* At most UNITS_PER_COMMIT requests from the front of the queue. */
static struct store_request *
queue_take(struct store *s)
{
    struct store_request *list = s->first;
    struct store_request *last = list;

    for (size_t i = 1; i < UNITS_PER_COMMIT && last->next != NULL; i++)
        last = last->next;
    s->first   = last->next;
    last->next = NULL;
    if (s->first == NULL)
        s->last = NULL;
    s->hurry   = s->first != NULL;
    s->waiting = 0;
    return list;
}

/* An unhealthy store takes no units (the caller answers 503), so it has to find
 * out by itself when it may write again. */
static void
probe(struct store *s)
{
    enum status st = begin(s);

    if (st == ST_OK) {
        (void)sqlite3_bind_int64(s->statement[SQL_PROBE], 1, s->clock_ms);
        st = sql_run(s, SQL_PROBE);
    }
    if (st == ST_OK)
        st = place_check(s);
    if (st == ST_OK)
        st = sql_run(s, SQL_COMMIT);
    if (st != ST_OK)
        undo(s);
    healthy_set(s, st == ST_OK);
}

/* What may wait has waited long enough when nothing else came meanwhile.  Without
 * work a healthy store looks after its file, so that /readyz tells before the next
 * push does. */
static void
wait_for_work(struct store *s)
{
    int64_t         us    = monotonic_us() + (s->first != NULL ? STORE_LINGER_MS : PROBE_MS) * 1000;
    struct timespec until = { us / 1000000, us % 1000000 * 1000 };

    if (pthread_cond_timedwait(&s->wake, &s->lock, &until) != ETIMEDOUT)
        return;
    s->hurry = s->first != NULL;
    if (s->hurry)
        return;
    (void)pthread_mutex_unlock(&s->lock);
    s->error = 0;
    filings_committed(s);
    if (!atomic_load(&s->healthy))
        probe(s);
    else if (place_check(s) != ST_OK)
        healthy_set(s, false);
    (void)pthread_mutex_lock(&s->lock);
}

static void *
thread_main(void *arg)
{
    struct store *s = arg;

    (void)pthread_mutex_lock(&s->lock);
    for (;;) {
        while (!s->hurry && !s->stop)
            wait_for_work(s);
        if (s->first == NULL)
            break;
        struct store_request *list = queue_take(s);
        (void)pthread_mutex_unlock(&s->lock);
        batch_run(s, list);
        (void)pthread_mutex_lock(&s->lock);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return NULL;
}

enum status
store_start(struct store *s)
{
    sigset_t all, before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    int failed = pthread_create(&s->thread, NULL, thread_main, s);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0)
        return ST_UNAVAILABLE;
    (void)pthread_setname_np(s->thread, "store");
    s->started = true;
    return ST_OK;
}

static void
wake(void *arg)
{
    struct store *s = arg;

    (void)pthread_cond_signal(&s->wake);
}

/* What a turn of a loop asks for comes to one commit: the thread is woken at its
 * end, or when enough came that the others would wait for no good. */
static void
enqueue(struct store *s, struct store_request *r, enum request_kind kind, struct loop *home, bool may_wait)
{
    r->kind = (unsigned)kind;
    r->next = NULL;
    (void)pthread_mutex_lock(&s->lock);
    bool lingers = may_wait && s->first != NULL;         /* the thread knows of one before it */
    if (s->first == NULL)
        s->first = r;
    else
        s->last->next = r;
    s->last   = r;
    s->hurry  = s->hurry || !may_wait;
    bool many = ++s->waiting == WAKE_IN_TURN && s->hurry;
    (void)pthread_mutex_unlock(&s->lock);
    if (home == NULL || many)
        wake(s);
    else if (!lingers)
        loop_once(home, wake, s);
}

void
store_submit(struct store *s, struct store_unit *u)
{
    enqueue(s, &u->request, REQUEST_UNIT, u->home, u->may_wait);
}

void
store_load_consents(struct store *s, struct store_consents *c)
{
    enqueue(s, &c->request, REQUEST_CONSENTS, c->home, false);
}

void
store_find_answer(struct store *s, struct store_lookup *l)
{
    enqueue(s, &l->request, REQUEST_LOOKUP, l->home, false);
}

void
store_read_resource(struct store *s, struct store_read *r)
{
    enqueue(s, &r->request, REQUEST_READ, r->home, false);
}

void
store_list_versions(struct store *s, struct store_versions *v)
{
    enqueue(s, &v->request, REQUEST_VERSIONS, v->home, false);
}

void
store_find_matches(struct store *s, struct store_match *m)
{
    enqueue(s, &m->request, REQUEST_MATCH, m->home, false);
}

void
store_claim_due(struct store *s, struct store_claim *c)
{
    enqueue(s, &c->request, REQUEST_CLAIM, c->home, false);
}

bool
store_healthy(const struct store *s)
{
    return atomic_load(&s->healthy);
}

uint64_t
store_consent_generation(const struct store *s)
{
    return atomic_load(&s->generation);
}

bool
store_never_consented(const struct store *s, const struct span *patients, size_t count, uint64_t *generation)
{
    *generation = atomic_load(&s->generation);                /* consented.h, rule 3: before */
    if (s->consented == NULL || !atomic_load(&s->healthy))
        return false;
    for (size_t i = 0; i < count; i++)
        if (consented_may(s->consented, patients[i]))
            return false;
    return true;
}

/* ---- closing ------------------------------------------------------------------------------ */

static void
thread_end(struct store *s)
{
    if (!s->started)
        return;
    (void)pthread_mutex_lock(&s->lock);
    s->stop = true;
    (void)pthread_mutex_unlock(&s->lock);
    wake(s);
    (void)pthread_join(s->thread, NULL);
}

/* So that the next start has nothing to make again.  When it fails the rows
 * are still the truth. */
static void
late_write_all(struct store *s)
{
    enum status st = ST_OK;

    while (st == ST_OK && !s->stale && (s->late->frozen_count > 0 || s->late->count > 0)) {
        if (s->late->frozen_count == 0)
            late_freeze_all(s);
        st = begin(s);
        if (st == ST_OK)
            st = commit(s);
    }
    if (st != ST_OK)
        undo(s);
}

void
store_close(struct store **store)
{
    struct store *s = *store;

    if (s == NULL)
        return;
    thread_end(s);
    for (int i = 0; i < SIDE_COUNT; i++)
        (void)sqlite3_finalize(s->side_kept[i]);
    (void)sqlite3_close(s->side);
    if (s->started)
        late_write_all(s);
    statements_finalize(s);
    if (s->started) {
        wal_checkpoint(s, SQLITE_CHECKPOINT_TRUNCATE);
        place_leave(s);
    }
    (void)sqlite3_close(s->db);
    if (s->lock_fd >= 0)
        (void)close(s->lock_fd);
    digest_free(&s->digest);
    explicit_bzero(&s->salts, sizeof s->salts);
    buf_release(&s->scratch);
    buf_release(&s->contents);
    found_close(s);
    late_free(&s->late);
    filter_free(&s->consented);
    filings_free(s);
    arena_free(&s->list);
    arena_free(&s->temp);
    arena_free(&s->vouched);
    free(s->leases);
    free(s->path);
    (void)pthread_cond_destroy(&s->wake);
    (void)pthread_mutex_destroy(&s->lock);
    (void)pthread_mutex_destroy(&s->common_lock);
    (void)pthread_mutex_destroy(&s->side_lock);
    free(s);
    *store = NULL;
}
