/* gateway/store/sqlite.h -- inside of the SQLite store; only store/ includes it.
 *
 *   sqlite.c         open, thread, queue, one batch = one commit
 *   statements.c     prepared statements, binding, errors
 *   unit.c           what one unit writes
 *   contents.c       the list of resources of a push
 *   queue.c          outbox: whose turn, leases, outcomes
 *   read.c           consents, answers, resources
 *   filing.c         papers on file
 *   match.c          which resources fit a condition
 *   classes.c        what stored resources are under today's rules
 *   late.c, lookup.c indexes that are written behind
 *   ledger_rows.c    the ledger inside the transaction
 *   prune.c          what is kept for a time only
 *   shred.c          records that are destroyed
 *   place.c          whether the file is still in its place
 *   review.c         what waits for a person, and what people did
 *   findings.c       what they found, in memory
 *   vouch.c          which rows were written, as the log says it
 *   sound.c          schema, indexes and types are what the program made
 *   tool.c           reading at once, for the command line and for auditors
 *   newest.c         leaves, newest first
 *
 * Everything but tool.c and the queue's lock runs on one thread at a time:
 * the opener's until store_start, then the store thread.
 */
#ifndef SLUICE_GATEWAY_STORE_SQLITE_H
#define SLUICE_GATEWAY_STORE_SQLITE_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "gateway/ledger/checkpoint.h"
#include "gateway/ledger/record.h"
#include "gateway/ledger/tree.h"
#include "gateway/store/contents.h"
#include "gateway/store/late.h"
#include "gateway/store/store.h"

enum statement {
#define SQL(id, text) SQL_##id,
#include "gateway/store/statements.def"
#undef SQL
    SQL_COUNT
};

enum request_kind { REQUEST_UNIT = 1, REQUEST_CONSENTS, REQUEST_LOOKUP, REQUEST_READ, REQUEST_MATCH, REQUEST_CLAIM,
                    REQUEST_VERSIONS };

enum side_statement { SIDE_MARKS = 0, SIDE_LOOKUP, SIDE_SUBJECTS, SIDE_LEAF, SIDE_VOIDED, SIDE_COUNT };

struct lease {
    int64_t id;                          /* outbox; 0: free */
    int64_t until_ms;
    uint16_t share;                      /* whose: an index of shares */
};

struct share {                           /* of a recipient in the leases */
    uint64_t recipient;                  /* hash of its name; 0: free */
    uint32_t leases;
};
#define LEASE_SLOTS        16384u        /* a power of two; at most half are used */
#define LEASES_A_RECIPIENT 128u          /* twice the connections that deliveries have to one */
#define SHARES             1024u         /* a power of two; names of recipients are few and stay */

struct counters {                        /* the row `head` */
    int64_t generation, resources, last_inbox, last_blob, last_outbox, last_answer;
    int64_t late_inbox, late_answer, late_leaf[LEDGER_LOGS];     /* indexed up to here */
    int64_t class_version;               /* of the push that came last */
};

struct log_state {
    struct ledger_tree tree;
    uint64_t           committed;        /* size as of the last commit */
    uint64_t           past_size;        /* of the last checkpoint that was kept */
    int64_t            past_ms;
};

struct place {                           /* which file a path leads to */
    uint64_t device, inode;
    bool     there;
};

struct judged {                           /* by a person, about an item */
    uint64_t key[2];                     /* the first half of its key; 0, 0: free */
    int      finding;
};

struct findings {                        /* open addressing */
    pthread_mutex_t lock;
    struct judged   *all;
    uint32_t        room, used;
    _Atomic bool    any;
};
#define FOUND_PENDING 256u               /* acts of one batch */

struct vouching {                        /* rows that the unit wrote; in `vouched` */
    struct record_row *rows;
    size_t             count, room;
};

struct store {
    sqlite3              *db;
    sqlite3_stmt         *statement[SQL_COUNT];
    const struct ledger_signer *signer;
    char                 *path;
    const char           *wal_path;      /* SQLite's */
    struct place          file, wal;     /* as they were opened */
    int                   lock_fd;       /* the one writer of this file; -1 */
    bool                  read_only;
    int64_t               answer_keep_ms;

    /* The store thread's. */
    struct digest        *digest;
    struct ledger_salts   salts;
    struct buf            scratch;       /* one record while it is sealed */
    struct log_state      log[LEDGER_LOGS];
    struct counters       now, durable;
    struct late          *late;
    uint32_t              late_seen;     /* entries that waited at the last step */
    struct counters       frozen_marks;  /* what was indexed when the frozen ones were frozen */
    struct arena         *list, *temp;   /* a contents list being written; entries being read */
    struct arena         *vouched;       /* not in temp, which is given back after each resource */
    struct buf            contents;      /* the list that was read last … */
    int64_t               contents_of, contents_at_ms;    /* … of this inbox row; 0: none */
    bool                  stale;         /* memory must be read again from the file */
    bool                  unreadable;    /* in this batch nothing is read */
    int                   error;         /* first SQLite error of this batch; 0: none */
    int64_t               clock_ms;      /* of this batch */
    uint32_t              commits;
    struct judged          pending[FOUND_PENDING];    /* by acts of this batch */
    uint32_t              pending_count;
    struct vouching       vouching;
    int64_t               reviewed;      /* generation right after the last act */
    int64_t               pruned_to;     /* deliveries up to this id were looked at */
    bool                  prune_more;    /* the last step found more than it took */
    int                   wal_frames;
    struct lease         *leases;
    uint32_t              lease_count;
    struct share          shares[SHARES];

    /* Shared. */
    pthread_t             thread;
    bool                  started;
    pthread_mutex_t       lock;
    pthread_cond_t        wake;
    struct store_request *first, *last;  /* under lock, as the next three */
    uint32_t              waiting;       /* that came since the thread took some last */
    bool                  hurry;         /* among them one that is not to wait for others */
    bool                  stop;
    _Atomic bool          healthy;
    _Atomic uint64_t      generation;    /* committed */
    struct filter        *consented;     /* its additions are the store thread's */
    struct findings       findings;

    /* Papers. */
    int64_t               filed_last;    /* no filing has a later generation; 0: there is none */
    bool                  common_stale;  /* one that is about nobody in particular was written */
    pthread_mutex_t       common_lock;   /* of the next */
    struct shelf         *common;        /* NULL with a count: what there is is not known */
    _Atomic size_t        common_count;  /* as of the last commit; not 0 also when it is not known */

    /* Reading at once. */
    pthread_mutex_t       side_lock;
    sqlite3              *side;
    sqlite3_stmt         *side_kept[SIDE_COUNT];     /* asked for every leaf */
};

/* ---- statements.c ----------------------------------------------------------- */
enum status   statements_prepare(struct store *, struct buf *why) MUST_CHECK;
void          statements_finalize(struct store *);
void          bind_text(sqlite3_stmt *, int at, struct span);
void          bind_blob(sqlite3_stmt *, int at, const void *bytes, size_t length);
struct span   column_span(sqlite3_stmt *, int column);            /* until the next step or reset */
struct span   column_copy(sqlite3_stmt *, int column, struct arena *);
/* One step and reset: for statements that give no row. */
enum status   sql_run(struct store *, enum statement) MUST_CHECK;
/* ST_OK: a row, reset it when read; ST_NOT_FOUND: none, already reset. */
enum status   sql_row(struct store *, enum statement) MUST_CHECK;
void          sql_reset(struct store *, enum statement);
/* What an SQLite error means for the unit that met it.  A failed fsync does not
 * return: the process ends with status 70 (decision 0009). */
enum status   sql_failed(struct store *, int code);

/* ---- prune.c ------------------------------------------------------------------- */
/* In a transaction, before counters are durable. */
enum status prune_step(struct store *) MUST_CHECK;

/* ---- shred.c ------------------------------------------------------------------- */
enum status shreds_write(struct store *, const struct store_unit *) MUST_CHECK;

/* ---- place.c ----------------------------------------------------------------- */
enum status place_note(struct store *, struct buf *why) MUST_CHECK;    /* after the first read */
/* ST_UNAVAILABLE: what is open is not what stands there. */
enum status place_check(struct store *) MUST_CHECK;
void        place_leave(struct store *);                               /* before the last close */

/* ---- unit.c ------------------------------------------------------------------ */
/* ST_CONFLICT: a precondition failed and nothing was written.  ST_UNAVAILABLE:
 * the batch is lost.  Anything else: this unit cannot be written, and the
 * batch has to be written again without it; ST_CANCELLED: for a precondition that
 * is looked at while writing (only_own: asking first would cost a search for every
 * resource, and it hardly ever fails). */
enum status unit_write(struct store *, struct store_unit *) MUST_CHECK;

/* ---- queue.c ----------------------------------------------------------------- */
enum status outbox_insert(struct store *, struct store_outbox *, int64_t inbox, bool loose) MUST_CHECK;
enum status delivery_write(struct store *, struct store_delivery *) MUST_CHECK;
void        claim_serve(struct store *, struct store_claim *);
/* After the commit: leases of a unit begin or end. */
void        leases_follow(struct store *, const struct store_unit *);

/* ---- read.c ------------------------------------------------------------------ */
void        consents_serve(struct store *, struct store_consents *);
void        lookup_serve(struct store *, struct store_lookup *);
void        read_serve(struct store *, struct store_read *);
void        versions_serve(struct store *, struct store_versions *);
/* The entry at a place (WHERE); texts are copied into the arena. */
enum status stored_content_read(struct store *, int64_t value, struct arena *, struct content *,
                                int64_t *at_ms) MUST_CHECK;
/* The bytes of a content that is not deleted. */
enum status stored_bytes_read(struct store *, int64_t inbox, const struct content *, struct arena *,
                              struct span *out) MUST_CHECK;
/* ST_OK: there is an answer under this key, and its row is in SQL_ANSWER_READ. */
enum status answer_find(struct store *, struct span client, struct span key) MUST_CHECK;

/* ---- filing.c ------------------------------------------------------------------ */
enum status filings_load(struct store *) MUST_CHECK;          /* at the open */
/* Preconditions of all of them, before the first write: ST_CONFLICT and who was refused. */
enum status filings_allowed(struct store *, struct store_unit *) MUST_CHECK;
enum status filings_write(struct store *, struct store_unit *) MUST_CHECK;
/* None was filed after the generation that the unit's decisions know. */
enum status filings_unchanged(struct store *, struct store_unit *) MUST_CHECK;
/* After a commit, before its generation is published. */
void        filings_committed(struct store *);
/* linked.c.  The links of a Patient or Person that is written. */
enum status link_set(struct store *, struct span patient, struct span other, bool stands) MUST_CHECK;
bool        link_listed(const struct span *list, size_t count, struct span);
enum status links_write(struct store *, const struct store_resource *) MUST_CHECK;
enum status links_unchanged(struct store *, const struct span *patients, size_t count, int64_t as_of,
                            bool *unchanged) MUST_CHECK;
/* named.c.  Of a Patient that is written; of a unit's Consents, before its first write. */
enum status names_write(struct store *, const struct store_resource *) MUST_CHECK;
enum status names_find(struct store *, const struct store_unit *) MUST_CHECK;
enum status links_load(struct store *) MUST_CHECK;          /* into the filter */
enum status links_serve(struct store *, struct store_consents *) MUST_CHECK;
enum status filings_serve(struct store *, struct store_consents *) MUST_CHECK;
void        filings_free(struct store *);

/* ---- match.c --------------------------------------------------------------------- */
void        match_serve(struct store *, struct store_match *);
enum status condition_match(struct store *, struct span client, struct store_condition *, struct arena *) MUST_CHECK;
#define ANYBODY ((struct span){ NULL, 0 })              /* for client: whoever sent it */

/* ---- review.c -------------------------------------------------------------------- */
enum status review_write(struct store *, const struct store_review *, int64_t inbox) MUST_CHECK;
/* ST_CONFLICT: somebody else did something about it meanwhile. */
enum status review_act_check(struct store *, const struct store_review_act *) MUST_CHECK;
enum status review_act_write(struct store *, struct store_review_act *) MUST_CHECK;
/* A row of `standing`: kind is of enum store_stands, the place is that of the version.  To end it without a patient is to
 * end that of every patient with this id. */
enum status standing_set(struct store *, struct span patient, struct span id, unsigned kind, int64_t where) MUST_CHECK;
enum status standing_end(struct store *, struct span patient, struct span id, unsigned kind) MUST_CHECK;

/* ---- vouch.c -------------------------------------------------------------------- */
/* Every write to a vouched table (store.h) is between begin and end of its unit, and says so: before it changes
 * a row, after it inserted one.  `end` appends the record. */
void        vouching_begin(struct store *);
enum status vouching_before(struct store *, enum vouched_table, int64_t id) MUST_CHECK;
/* The same by two texts that name it; `there`: whether it is. */
enum status vouching_named(struct store *, enum vouched_table, enum statement number, struct span one, struct span two,
                           bool *there) MUST_CHECK;
enum status vouching_new(struct store *, enum vouched_table) MUST_CHECK;     /* the row that was inserted last */
enum status vouching_end(struct store *) MUST_CHECK;
/* In a transaction, of a store of before: all rows that are there. */
enum status vouching_first(struct store *, unsigned from) MUST_CHECK;      /* from this table on */

/* ---- found.c --------------------------------------------------------------------- */
enum status found_open(struct store *) MUST_CHECK;
void        found_close(struct store *);
/* Of an act: counts from the commit on. */
enum status found_pend(struct store *, struct span key, int finding) MUST_CHECK;
void        found_committed(struct store *);
/* Whether it waits for that delivery and nobody is sending it. */
bool        outbox_rests(struct store *, int64_t id);

/* ---- lookup.c ------------------------------------------------------------------ */
struct walk {                            /* the values of a key, newest first */
    enum late_kind kind;
    int64_t        key;
    uint32_t       at;
    bool           in_table;
    int64_t        before;
};
/* After the open: the keys that the table holds (late.h, rule 4). */
enum status known_load(struct store *) MUST_CHECK;
struct walk walk_begin(enum late_kind, int64_t key);
enum status walk_next(struct store *, struct walk *, int64_t *value) MUST_CHECK;   /* ST_NOT_FOUND: no more */
/* In a transaction: writes some of what is frozen; then, when it is committed,
 * late_committed(). */
enum status late_step(struct store *) MUST_CHECK;
void        late_committed(struct store *);
/* Between commits. */
void        late_freeze_all(struct store *);
/* Makes the entries again from the rows behind the marks. */
enum status late_load(struct store *) MUST_CHECK;
#define WHERE(inbox, place)  ((inbox) << PLACE_BITS | (int64_t)(place))
#define WHERE_INBOX(value)   ((value) >> PLACE_BITS)
#define WHERE_PLACE(value)   ((uint32_t)((value) & ((1 << PLACE_BITS) - 1)))

/* ---- tool_ledger.c: the tools' connection; with side_lock held -------------------- */
/* Prepared once; reset when read.  NULL: it cannot be. */
sqlite3_stmt *side_kept(struct store *, enum side_statement);
/* Up to where the late index of this log goes. */
enum status   side_mark(struct store *, enum ledger_log, int64_t *mark) MUST_CHECK;
/* LEAF_COLUMNS -> leaf, until the next step. */
#define LEAF_COLUMNS "position, commitment, salt, record, event_id, patient, recipient, kind, client, at"
bool          side_leaf(sqlite3_stmt *, enum ledger_log, struct ledger_leaf *out);

/* ---- ledger_rows.c ------------------------------------------------------------- */
/* First start: writes origin and key.  Else ST_INTEGRITY when they differ, or
 * when the stored checkpoint does not fit the stored leaves. */
enum status ledger_rows_open(struct store *, struct buf *why) MUST_CHECK;
/* Reads the edge of each tree again from the rows. */
enum status ledger_rows_load(struct store *) MUST_CHECK;
enum status ledger_rows_append(struct store *, struct ledger_entry *) MUST_CHECK;
/* Of how many tables rows are vouched for from the beginning on, and that those of all are from now on. */
enum status ledger_rows_vouched(struct store *, unsigned *tables) MUST_CHECK;
enum status ledger_rows_vouch(struct store *) MUST_CHECK;
#define STORE_ROWS_ALL "6"              /* what meta says then: VOUCHED_TABLES */
_Static_assert(VOUCHED_TABLES == 6, "STORE_ROWS_ALL says how many tables are vouched for");
/* Before the commit: a checkpoint for each log that grew. */
enum status ledger_rows_sign(struct store *) MUST_CHECK;
#define LEAF_POSITION(log, index)        ((int64_t)((uint64_t)(log) << 56 | (index)))
#define TILE_POSITION(log, level, n)     ((int64_t)((uint64_t)(log) << 60 | (uint64_t)(level) << 52 | (n)))

#endif
