/* gateway/store/store.h -- what the gateway needs from a database.
 *
 * SQLite is behind it now (store/sqlite.c); PostgreSQL comes behind the same
 * header.  No SQL and no sqlite3 type outside of store/.
 *
 * One store thread does all writing.  Units of work that wait are written in
 * one transaction and made durable by one commit (group commit, WAL,
 * synchronous=FULL), those of one turn of a loop together; each completion is
 * posted to the loop that asked.  A
 * unit is all or nothing: preconditions are looked at before its first write,
 * so one that fails leaves nothing, and its neighbours still commit.  When the commit fails
 * (disk full, I/O error) every unit of the batch fails with ST_UNAVAILABLE and
 * nothing of it is there; a failed fsync is fatal: the process ends, never
 * retries (decision 0009).  The same when the file was moved, deleted or replaced
 * while it is open, and then nothing is read either: not what is open, but what
 * stands in its place is what a restart finds.
 *
 * Ledger records that a unit carries become leaves of the tree inside the
 * same transaction (gateway/ledger/ledger.h), with a checkpoint per commit.
 *
 * Reads run on the store thread too, and see only what is durable: lookups,
 * consents and resources before the commit of the batch that they came with,
 * claims after it.
 *
 * `home` NULL: `done` runs on the store thread itself (tests, tools).
 */
#ifndef SLUICE_GATEWAY_STORE_STORE_H
#define SLUICE_GATEWAY_STORE_STORE_H

#include "base/arena.h"
#include "base/span.h"
#include "base/status.h"
#include "gateway/ledger/ledger.h"
#include "gateway/runtime/loop.h"

struct store;
struct store_step;                       /* store/classes.h */

struct store_options {
    const char *path;                    /* SQLite file */
    struct ledger_signer *signer;        /* NULL: reading only */
    bool        read_only;               /* command line beside a running gateway */
    uint32_t    answer_days;             /* how long answers and deliveries that are over are kept; 0: 30 */
};

/* The link of the store's queue; private. */
struct store_request {
    struct store_request *next;
    unsigned              kind;
};

enum status store_open(const struct store_options *, struct store **out, struct buf *why) MUST_CHECK;
enum status store_start(struct store *) MUST_CHECK;     /* the store thread */
void        store_close(struct store **);               /* commits what waits, checkpoints the WAL */
/* False after a write failed until one succeeds: /readyz, and 503 at once. */
bool        store_healthy(const struct store *);

/* ---- units of work ------------------------------------------------------ */

enum store_verb { STORE_PUT = 0, STORE_DELETE };

enum store_refusal { STORE_NOT_REFUSED = 0, STORE_OTHER_VERSION, STORE_OTHER_OWNER, STORE_IS_THERE };

/* Which current resources fit: of this type, with this identifier, and last
 * sent by the client that asks (what others sent is not its to find); or, with
 * `id`, of this type and id.  With `all`, whoever sent them: as many as there is room for. */
struct store_condition {
    struct span type;
    struct span system, value;           /* system empty: an identifier without one */
    struct span id;                      /* not empty: this, and no identifier */
    struct span *all;                    /* their ids; NULL: one is enough to know */
    uint32_t    room;
    uint32_t    matches;                 /* out: 0, 1; 2 for two or more; with `all`, how many are in it */
    bool        unsure;                  /* out, with `all`: there may be more */
    struct span found_id;                /* out: of the one */
    int64_t     version;                 /* out: of the one */
};
/* For store_resource.identifiers. */
int64_t store_identifier_key(struct span type, struct span system, struct span value);
#define STORE_IDENTIFIERS_MAX 256u       /* of one resource; more are not found by */

/* A resource as received.  Preconditions:
 *   if_version  -1 none; STORE_ANY_VERSION: it must exist; otherwise the current
 *               version must equal it (0: must not exist) or one of or_versions
 *   unless      nothing that is there fits it
 *   only_own    what there is must have come from the client of this unit's inbox
 * When one fails the unit fails ST_CONFLICT, `conflict` names the first such
 * resource, and `refused` says why of every one. */
#define STORE_ANY_VERSION (-2)

/* What of a Consent stands, whatever is sent of it afterwards (consent/precedent.h); bits. */
enum store_stands {
    STORE_STANDS_REFUSES = 1 << 0,       /* it takes the place of the version that refused before it */
    STORE_STANDS_REVOKES = 1 << 1,       /* kept for good */
    STORE_STANDS_ENDS    = 1 << 2,       /* what it refused is over */
    STORE_STANDS_UPHELD  = 1 << 3,       /* by a person's act: what revoked or refused it before was an error */
};
struct store_resource {
    enum store_verb verb;
    struct span     type, id, patient;   /* patient "Patient/p1" or empty */
    struct span     bytes;               /* exact */
    struct span     labels;              /* "SUD R", for later pulls */
    struct span     part2;               /* "confirmed" | "suspect" | "not" */
    int64_t         if_version;
    const int64_t  *or_versions;
    size_t          or_count;
    bool            only_own;
    struct store_condition *unless;      /* NULL: none */
    const int64_t  *identifiers;         /* keys, to be found by */
    size_t          identifier_count;
    unsigned        stands;              /* of a Consent: enum store_stands */
    struct span     links_of;            /* a Patient or a Person: the name that its links are of, "Patient/p1" */
    const struct span *links;            /* the Patients that it is linked with, each once; at most STORE_LINKS_MOST */
    size_t          link_count;
    const struct span *named;            /* a Patient: its names by identifier (fhir/reference.h), each once */
    size_t          named_count;
    enum store_refusal refused;          /* out */
    int64_t         version;             /* out: the one written */
    bool            created;             /* out: it was not there before */
};

/* Of one Patient; identities that are followed from one patient; of all patients of a Bundle. */
#define STORE_LINKS_MOST    128u
#define STORE_LINKED_MOST   64u
#define STORE_FOLLOWED_MOST 4096u

struct store_inbox {                     /* the body as it came, kept while a delivery may need it */
    struct span request_id, client, bundle_type, patient;
    struct span holder;                  /* code of consent/holders.def: in what capacity the client held what it sent;
                                            empty: not known.  It stands with the copy */
    struct span body;
    int64_t     id;                      /* out */
};

struct store_outbox {                    /* one delivery to one recipient */
    struct span recipient, patient;      /* ordering key: deliveries of one patient to one recipient in order */
    struct span idempotency_key;         /* outgoing */
    struct span event_id;                /* its ledger record; empty: not yet recorded (decided at release) */
    struct span payload_sha256;          /* hex */
    int64_t     due_ms;
    int64_t     lease_ms;                /* > 0: the inserter sends at once and holds the row until then */
    int64_t     id;                      /* out */
    bool        turn;                    /* out: nothing of this recipient and patient waits before it,
                                            so the lease holds; false: the claim loop will send it */
};

struct store_answer {                    /* first answer under an incoming Idempotency-Key */
    struct span client, key;
    struct span request_sha256;          /* hex of method, path and body: another request under the key is 422 */
    int         status;
    struct span content_type, body, location;
};

/* A paper on file (consent/paper.h) is filed, ended or marked as reviewed.  Each is a row
 * of its own that is never changed or taken away: the newest version of an id is what stands.
 *   FILING_ADD     the first version of an id, or, with `again`, the next one; kind and patient
 *                  of an id never change
 *   FILING_END     it is good for nothing from ended_ms on
 *   FILING_REVIEW  somebody has looked at it afterwards
 * A unit whose filings are refused fails ST_CONFLICT with STORE_CONFLICT_FILING, and nothing of it is there. */
enum store_filing_act { FILING_ADD = 1, FILING_END, FILING_REVIEW };
enum store_filing_refusal {
    FILING_NOT_REFUSED = 0,
    FILING_IS_THERE,                     /* ADD: and it is not said that it is to get a next version */
    FILING_NOT_THERE,                    /* END, REVIEW */
    FILING_OTHER_KIND, FILING_OTHER_PATIENT,
    FILING_IS_OVER,                      /* END: it ended before */
    FILING_PATIENTS,                     /* END, ADD again: only the patient may end it */
    FILING_NEEDS_NONE,                   /* REVIEW: it is no emergency */
};

struct store_filing {
    enum store_filing_act act;
    struct span  id;
    unsigned     kind;                   /* ADD: enum paper_kind; out otherwise */
    struct span  patient, body, sha256;  /* ADD; sha256 in hex, of the body */
    bool         again, patients;        /* ADD; patients: only the patient may end it */
    bool         by_patient;             /* END, ADD again: the patient agreed or asked for it */
    int64_t      ended_ms;               /* END */
    struct span  who, why;               /* the account, and what it said */
    int64_t      version;                /* out */
    enum store_filing_refusal refused;   /* out */
};

struct store_filed {                     /* a version of a paper */
    struct span  id, patient, body, sha256, who, why;
    unsigned     kind;
    enum store_filing_act act;
    int64_t      version, at_ms;
    int64_t      ended_ms;               /* INT64_MAX: it was not ended */
    bool         ended_by_patient, patients, reviewed;
    bool         current;                /* the newest of its id */
};

/* Everything of one accepted push, in one transaction.  Lives in the arena
 * of the exchange until `done` ran. */
#define STORE_CONFLICT_KEY     ((uint32_t)-1)
#define STORE_CONFLICT_CONSENT ((uint32_t)-2)
#define STORE_CONFLICT_FILING  ((uint32_t)-3)

/* ---- what waits for a person (consent/review.h, docs/decisions/0032) ---- */

enum review_state { REVIEW_OPEN = 0, REVIEW_LET_GO, REVIEW_TURNED_DOWN };

/* An item.  One with the same key is the same: it is counted, and comes with this push from now on. */
struct store_review {
    struct span key;                     /* 64 hex digits */
    struct span kind, client, recipient, patient;
    struct span resource, sha256;        /* "Type/id", and of its bytes */
    struct span rule, citation, because, consent, document, event_id;
    int64_t     inbox;                   /* it came in; 0: in this unit's */
};

/* What a person did, or tried to do, about an item.  Its ledger record is among the records of the
 * same unit.  Let go, it is delivered again, unless it waits anyhow. */
struct store_review_act {
    int64_t           review;            /* 0: a try that named none */
    int64_t           acts;              /* precondition: so many were done about it, else ST_CONFLICT */
    bool              tried;             /* was not permitted: recorded, and nothing else */
    enum review_state to;
    int               finding;           /* enum finding of the next decisions; 0: none */
    bool              deliver;           /* what it let go is delivered */
    bool              upholds;           /* let go, the Consent that it is about is upheld; turned down, no more */
    struct span       verb, reviewer, account, role, why, event_id;
    bool              queued;            /* out: a delivery was put into the queue, or waits there */
    const char       *not_queued;        /* out: why not; NULL */
};
/* What a person found under this key: enum finding, 0: nothing.  Any thread, at once; what was committed
 * is there before the consent generation says so. */
int  store_review_finding(const struct store *, struct span key);
bool store_review_found_any(const struct store *);

/* A leaf whose record is destroyed: of a kind that nothing else rests on (disclosure, void, denial, reading), and one that is there.
 * The unit's records say that it is (ledger/record.h, kind shredding).  ST_CONFLICT: it is too new for its index
 * to have been written. */
struct store_shred { enum ledger_log log; uint64_t index; };

struct store_unit {
    struct task            done;         /* posted to home */
    struct loop           *home;
    enum status            status;       /* out: ST_OK, ST_CONFLICT, ST_UNAVAILABLE … */
    uint32_t               conflict;     /* out: index of the resource; STORE_CONFLICT_KEY: the
                                            Idempotency-Key was taken meanwhile;
                                            STORE_CONFLICT_CONSENT: see consents_as_of */
    /* Precondition: no Consent of these patients and no link of theirs was written after that
     * generation, and no paper filed that is about them or about nobody in
     * particular (0: not asked).  So a release cannot be recorded on consents
     * that were revoked while it was being decided. */
    const struct span     *consent_patients;
    size_t                 consent_patient_count;
    uint64_t               consents_as_of;
    bool                   relies_on_review;   /* … nor was anything reviewed since */
    uint64_t               consent_generation; /* out: right after this unit */
    struct store_inbox    *inbox;        /* NULL: none */
    struct store_resource *resources;
    size_t                 resource_count;
    struct ledger_entry   *records;
    size_t                 record_count;
    struct store_outbox   *outbox;
    size_t                 outbox_count;
    struct store_filing   *filings;
    size_t                 filing_count;
    struct store_answer   *answer;       /* NULL: no key was sent */
    const struct store_shred *shreds;
    size_t                 shred_count;
    const struct store_review *reviews;
    size_t                 review_count;
    struct store_review_act *review_act; /* NULL: none */
    /* On the store thread, after versions are known and before the commit:
     * authors answer->body.  May be NULL.  Runs again when the batch had to be
     * written a second time without a unit that failed; the last run counts. */
    void                 (*finish)(struct store_unit *);
    /* Deliveries: outcome of a try, written with what follows from it. */
    struct store_delivery *deliveries;
    size_t                 delivery_count;
    uint64_t               class_version;/* the resources were labelled under (store/classes.h) */
    const struct store_step *class_step; /* of the pass that labels again; NULL: none */
    bool                   may_wait;     /* nobody waits for it: written with the next, at most
                                            STORE_LINGER_MS from now */
    struct store_request   request;      /* private */
};
void store_submit(struct store *, struct store_unit *);
/* The same on a thread that may wait: a command's, the control socket's.  unit->status. */
enum status store_submit_and_wait(struct store *, struct store_unit *) MUST_CHECK;
#define STORE_LINGER_MS 10

enum delivery_state { DELIVERY_WAITING = 0, DELIVERY_SENT, DELIVERY_DEAD, DELIVERY_PARKED, DELIVERY_NOTHING };

/* Update of an outbox row; ends its lease.  Empty spans leave what is there.
 * A unit may carry records beside it, when delivery decided again. */
struct store_delivery {
    int64_t             id;
    enum delivery_state state;
    uint32_t            attempts;
    int64_t             due_ms;          /* of WAITING */
    struct span         reason;          /* "http 503", "connect" */
    struct span         event_id;        /* new release: its record */
    struct span         idempotency_key, payload_sha256;
    bool                byte_may_have_left;
    bool                follows;         /* out: another delivery of that recipient waits for this to end */
};

/* ---- reading (posted back to home; memory of the given arena) ----------- */

struct store_row {                       /* one resource version */
    struct span type, id, patient, bytes, labels, part2;
    int64_t     version, at_ms;
    bool        deleted;
    struct store_home *home;             /* of store_load_consents only; NULL: none, or no room for it */
    bool        home_lost;               /* there was no room for it */
    uint64_t    class_version;           /* that labels and part2 are of; of store_read_resource only */
    struct span client;                  /* who sent it; where it is asked for */
    bool        revokes, upheld;         /* of store_consents.standing: a revocation wrote it, a person upheld it; else it refuses */
};

/* The body that a Consent came in among others: whom and what it names may be in it.  Each is read once, one home
 * for all that came in it; the newest first, as many as fit in STORE_HOME_BYTES and an eighth of what the
 * arena has left.  Of the others there is none: whom they name by their Bundle alone is not known,
 * and nobody is permitted anything by that name. */
#define STORE_HOME_BYTES (16u << 20)

struct bundle;
struct store_home {
    struct span          body;
    const struct bundle *bundle;         /* the reader's: once it has looked, what it made of it */
    bool                 looked;
};

struct store_link {                      /* between two Patients, as a stored one says or said */
    struct span patient, other;
    bool        stands;                  /* false: it was taken back */
};

/* `everybody`: of whom Consents and papers are read: the patients, with those that the Bundle links them with behind
 * them; NULL: the patients.  With `with_links` it is made longer by whom stored links lead to, as
 * far as STORE_LINKED_MOST allows; ST_TOO_LARGE: more than STORE_FOLLOWED_MOST. */
struct store_consents {                  /* all current Consents of these patients */
    struct task         done;
    struct loop        *home;
    struct arena       *arena;           /* touched by the store thread until done runs */
    const struct span  *patients;
    size_t              patient_count;
    const struct span  *everybody;
    size_t              everybody_count;
    bool                with_clients;    /* rows name who sent them */
    bool                with_links;
    struct store_link  *links;           /* out */
    size_t              link_count;
    enum status         status;
    struct store_row   *rows;
    size_t              row_count;
    struct store_row   *standing;        /* in the order in which they were written, with who sent them; of what
                                            refuses those that are not current any more */
    size_t              standing_count;
    struct store_filed *filed;           /* the papers that stand and are about these patients */
    size_t              filed_count;
    uint64_t            generation;      /* of consents: grows with every Consent written, and with every filing */
    uint64_t            newest;          /* when one of these patients' was written last; 0: never */
    struct store_request request;        /* private */
};
void store_load_consents(struct store *, struct store_consents *);
/* The papers that stand and are about nobody in particular, read once for all who decide with
 * them; at once, on any thread.  Read the generation before.  It lives until it is let go, also
 * when the store is closed.  ST_OK and NULL: there is none.  ST_UNAVAILABLE: what there is
 * is not known. */
struct paper;
struct store_shelf {
    const struct store_filed *rows;
    const struct paper       *papers;    /* the same, read (consent/paper.h) */
    size_t                    count;
};
enum status store_shelf_pin(struct store *, const struct store_shelf **out) MUST_CHECK;
void        store_shelf_unpin(const struct store_shelf **);         /* NULL inside is fine */
/* Whether the store has no Consent of any of these patients, no link of theirs and no paper about them, and never had one,
 * as of *generation; answered at once, on any thread.  False: it may have, or is
 * not well; store_load_consents tells (store/consented.h). */
bool store_never_consented(const struct store *, const struct span *patients, size_t count,
                           uint64_t *generation);
/* Grows with every committed Consent, whole store; an atomic read.  A payload
 * made under another generation has to be decided again before it leaves. */
uint64_t store_consent_generation(const struct store *);

struct store_lookup {                    /* the kept answer of an Idempotency-Key */
    struct task         done;
    struct loop        *home;
    struct arena       *arena;
    struct span         client, key;
    enum status         status;          /* ST_NOT_FOUND: first time */
    struct store_answer answer;
    struct store_request request;        /* private */
};
void store_find_answer(struct store *, struct store_lookup *);

struct store_read {                      /* one resource, current or a version */
    struct task       done;
    struct loop      *home;
    struct arena     *arena;
    struct span       type, id;
    int64_t           version;           /* 0: current */
    enum status       status;            /* ST_NOT_FOUND */
    struct store_row  row;
    struct store_request request;      /* private */
};
void store_read_resource(struct store *, struct store_read *);

/* The versions of one resource, newest first, deletions among them; each names who sent it. */
struct store_versions {
    struct task       done;
    struct loop      *home;
    struct arena     *arena;
    struct span       type, id;
    int64_t           below;             /* 0: from the newest on; else what is older than this version */
    uint32_t          max;               /* rows at most */
    enum status       status;            /* ST_NOT_FOUND: none */
    struct store_row *rows;
    size_t            row_count;
    bool              more;              /* there are older ones */
    struct store_request request;        /* private */
};
void store_list_versions(struct store *, struct store_versions *);

struct store_match {                     /* conditions, all at one moment */
    struct task              done;
    struct loop             *home;
    struct arena            *arena;
    struct span              client;
    bool                     anybody;    /* what others sent as well */
    struct store_condition **conditions;
    size_t                   count;
    enum status              status;     /* ST_TOO_LARGE: one has too many versions to look through */
    struct store_request     request;    /* private */
};
void store_find_matches(struct store *, struct store_match *);

/* Due deliveries: at most `max`, at most one per (recipient, patient), none
 * that another claim holds; the lease ends at lease_ms and then it is due again.
 * A recipient has 128 leases at most, those of pushes among them: the others of one
 * that hangs stay in the store, and keep nobody else from theirs.
 * Deliveries without a patient have no order among each other.  Leases are the
 * memory of the store thread: after a restart nothing is leased. */
struct store_due {
    struct span recipient, patient, idempotency_key, event_id, payload_sha256;
    struct span client, request_id, bundle_type, holder, body;   /* of the inbox row */
    int64_t     id, inbox_id;
    uint32_t    attempts;
    bool        byte_may_have_left;
};
struct store_claim {
    struct task       done;
    struct loop      *home;
    struct arena     *arena;
    int64_t           now_ms, lease_ms;
    uint32_t          max;
    bool              all;               /* at a start: everything that waits, at once */
    enum status       status;
    struct store_due *rows;
    size_t            row_count;
    int64_t           next_due_ms;       /* INT64_MAX: nothing waits */
    struct store_request request;        /* private */
};
void store_claim_due(struct store *, struct store_claim *);

/* ---- reading at once, for the command line (own connection, this thread) -- */

struct store_queue_row {
    int64_t     id;
    struct span recipient, patient, state, reason, idempotency_key, request_id;
    uint32_t    attempts;
    int64_t     due_ms, created_ms;
};
enum status store_queue_list(struct store *, struct arena *, const char *state,
                             struct store_queue_row **rows, size_t *count) MUST_CHECK;
/* Versions of papers, in the order in which they were filed; stops when the visitor says false.
 * The texts are valid inside the visitor only. */
typedef bool filed_visitor(const struct store_filed *, void *arg);
struct store_filed_query {
    unsigned    kind;                    /* 0: any */
    struct span patient, id;             /* empty: any */
    bool        history;                 /* every version, not the newest alone */
    bool        by_id;                   /* in the order of ids, and of the versions of each */
};
enum status store_filed_visit(struct store *, const struct store_filed_query *, filed_visitor *, void *arg) MUST_CHECK;
/* What waits for a person. */
struct store_review_row {
    struct store_review item;
    int64_t             id, at_ms, seen_ms, changed_ms, times, acts;
    enum review_state   state;
    int                 finding;
};
struct store_review_filter {
    int64_t     id;                      /* 0: any */
    struct span kind, patient, recipient;
    int         state;                   /* -1: any */
    int64_t     after;                   /* ids above it */
    uint32_t    limit;                   /* 0: no limit */
};
enum status store_review_list(struct store *, const struct store_review_filter *, struct arena *,
                              struct store_review_row **rows, size_t *count) MUST_CHECK;
struct store_review_did {                /* an act, as it was recorded */
    int64_t     review, at_ms;
    struct span verb, reviewer, account, role, why, event_id;
    int         finding;
};
/* In order; of all items when `review` is below 0. */
enum status store_review_acts(struct store *, int64_t review, struct arena *, struct store_review_did **,
                              size_t *count) MUST_CHECK;
/* The resource that it is about, as it came; ST_NOT_FOUND: it is not kept. */
enum status store_review_bytes(struct store *, const struct store_review_row *, struct arena *,
                               struct span *out) MUST_CHECK;
/* Tables whose rows the log vouches for (store/vouch.c), in the order of their numbers. */
enum vouched_table { VOUCHED_FILING = 0, VOUCHED_REVIEW, VOUCHED_REVIEW_ACT, VOUCHED_CONSENT, VOUCHED_STANDING, VOUCHED_LINK,
                     VOUCHED_TABLES };
#define VOUCHED_AT_FIRST 3u             /* so many were there before records said how many are */
struct store_vouched {
    int64_t            id;
    struct span        words;            /* what it is: "review, item 7" */
    struct ledger_hash digest;           /* of all its columns, as they stand */
};
typedef bool vouched_visitor(const struct store_vouched *, void *arg);
const char *store_vouched_name(enum vouched_table);
enum status store_vouched_visit(struct store *, enum vouched_table, vouched_visitor *, void *arg) MUST_CHECK;
/* What makes the store say one thing to a verifier and another to the gateway (store/sound.c): a line a finding. */
typedef void sound_visitor(struct span words, void *arg);
enum status store_sound_visit(struct store *, sound_visitor *, void *arg) MUST_CHECK;
typedef void review_counter(struct span kind, enum review_state, uint64_t count, void *arg);
enum status store_review_count(struct store *, review_counter *, void *arg) MUST_CHECK;
enum status store_review_oldest(struct store *, uint64_t *open, int64_t *at_ms) MUST_CHECK;    /* 0: none is open */
const char *review_state_text(enum review_state);

/* Counts for metrics and status. */
struct store_counts { uint64_t waiting, dead, resources, inbox; };
enum status store_counts_read(struct store *, struct store_counts *) MUST_CHECK;
/* What is read between hold and let_go is of one moment, also while a gateway
 * writes.  For tools: a long hold keeps the WAL from being reused. */
enum status store_hold(struct store *) MUST_CHECK;
void        store_let_go(struct store *);

/* Streams ledger leaves in tree order; stops when the visitor says false.  The
 * leaf's texts are valid inside the visitor only. */
typedef bool ledger_visitor(const struct ledger_leaf *, void *arg);
enum status store_ledger_visit(struct store *, enum ledger_log, uint64_t from, ledger_visitor *,
                               void *arg) MUST_CHECK;
/* The same, only those that are about this patient ("Patient/p1"), alone or
 * among others, and the voids of such. */
enum status store_ledger_visit_patient(struct store *, enum ledger_log, struct span patient,
                                       ledger_visitor *, void *arg) MUST_CHECK;
/* The leaf of an eventId, in the arena; ST_NOT_FOUND. */
enum status store_ledger_find(struct store *, struct span event_id, struct arena *, enum ledger_log *,
                              struct ledger_leaf *) MUST_CHECK;
/* Leaves of both logs from the newest on: by their time, then by log and number (store/newest.c).  A place in that order
 * stays one while newer leaves come.
 *
 *   peek   by index, time, kind and recipient alone, which cost little: whether the leaf is asked for
 *   take   the whole leaf; false: it is not taken, and nothing behind it is looked at
 *
 * Texts are valid inside of the two only. */
struct leaf_place { int64_t at_ms, position; };
typedef bool leaf_peek(enum ledger_log, const struct ledger_leaf *, void *arg);
typedef bool leaf_take(enum ledger_log, const struct ledger_leaf *, void *arg);
struct store_newest {
    struct span       patient;           /* as of store_ledger_visit_patient; empty: anybody */
    int64_t           from_ms, to_ms;    /* both inclusive */
    struct leaf_place before;            /* only what is behind it; INT64_MAX twice: from the newest on */
    uint32_t          most;              /* leaves that are peeked at; then it ends */
    leaf_peek        *peek;
    leaf_take        *take;
    void             *arg;
    struct leaf_place end;               /* out: behind it nothing was looked at */
    bool              more;              /* out: because it was enough, and not because there are no more */
};
enum status store_ledger_newest(struct store *, struct store_newest *) MUST_CHECK;
/* Whether a void took this release back. */
enum status store_ledger_voided(struct store *, struct span event_id, bool *voided) MUST_CHECK;
/* The patients beside the leaf's own by whom it is found, in the order of
 * memcmp, in the arena. */
enum status store_ledger_subjects(struct store *, enum ledger_log, uint64_t index, struct arena *,
                                  struct span **patients, size_t *count) MUST_CHECK;
/* The signed head as of the last commit. */
enum status store_ledger_checkpoint(struct store *, enum ledger_log, struct arena *,
                                    struct span *checkpoint) MUST_CHECK;
/* What stands beside the head: size and chain of this log; rows of heads and of tiles of both logs. */
struct store_ledger_beside { uint64_t size, heads, tiles; struct ledger_hash chain; };
enum status store_ledger_beside(struct store *, enum ledger_log, struct store_ledger_beside *) MUST_CHECK;
/* Heads that were kept, by size; `checkpoint` is valid inside the visitor only. */
typedef bool checkpoint_visitor(uint64_t size, struct span checkpoint, void *arg);
enum status store_ledger_past(struct store *, enum ledger_log, checkpoint_visitor *, void *arg) MUST_CHECK;
/* 256 hashes of a full tile; ST_NOT_FOUND. */
enum status store_ledger_tile(struct store *, enum ledger_log, unsigned level, uint64_t n,
                              struct ledger_hash hashes[256]) MUST_CHECK;
/* Whether the leaf is found by its eventId and by its patients. */
enum status store_ledger_indexed(struct store *, enum ledger_log, const struct ledger_leaf *, bool *) MUST_CHECK;
/* The root of the first `size` leaves, of which there are as many.  ST_INTEGRITY: a row of the tree is missing. */
enum status store_ledger_root(struct store *, enum ledger_log, uint64_t size, struct ledger_hash *out) MUST_CHECK;
struct merkle_proof;
enum status store_ledger_prove(struct store *, enum ledger_log, uint64_t index, uint64_t size,
                               struct merkle_proof *out) MUST_CHECK;

#endif
