/* gateway/store/migrations.c -- the schema, as numbered steps. */
#include "gateway/store/migrations.h"

/* 1: everything of the first release.
 *
 * inbox     one row a push: who, what it contained (store/contents.h), and
 *           the body while something refers to it: a resource that is a slice
 *           of it, or a delivery that may have to be decided again.
 * blob      bytes of a resource that is no slice of a body.
 * lookup    the late index (store/late.h): kind, hash of what is looked for, where
 *           it is.  Rows behind the `late_*` marks of `head` are not in it yet.
 * consent   which Consents a patient has or had, when one was written, and
 *           where its current version is.
 * outbox    state: 0 waiting 1 sent 2 dead 3 parked 4 nothing left to send.
 *           head: the first that waits of its recipient and patient; only heads
 *           are claimed, so order holds.  The indexes hold rows that wait or are
 *           stuck and so stay small.  loose: its inbox body is there for
 *           deliveries only.
 * ledger_leaf    position = log << 56 | index in the tree.
 * ledger_tile    position = log << 60 | level << 52 | n: 256 hashes.
 * ledger_log     head of each log as of the last commit.
 * ledger_past    heads kept for later comparison, one now and then.
 * head      counters of the whole store, one row. */
static const char step_1[] =
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE head(one INTEGER PRIMARY KEY CHECK(one = 1), generation INTEGER NOT NULL,"
    " resources INTEGER NOT NULL, last_inbox INTEGER NOT NULL, last_blob INTEGER NOT NULL,"
    " last_outbox INTEGER NOT NULL, last_answer INTEGER NOT NULL, late_inbox INTEGER NOT NULL,"
    " late_answer INTEGER NOT NULL, late_disclosure INTEGER NOT NULL, late_denial INTEGER NOT NULL);"
    "INSERT INTO head VALUES(1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0);"
    "CREATE TABLE inbox(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, request_id TEXT NOT NULL,"
    " client TEXT NOT NULL, bundle_type TEXT NOT NULL, patient TEXT NOT NULL,"
    " first_outbox INTEGER NOT NULL, outbox_count INTEGER NOT NULL, contents TEXT NOT NULL, body BLOB);"
    "CREATE TABLE blob(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
    "CREATE TABLE lookup(kind INTEGER NOT NULL, key INTEGER NOT NULL, value INTEGER NOT NULL,"
    " PRIMARY KEY(kind, key, value)) WITHOUT ROWID;"
    "CREATE TABLE consent(patient TEXT NOT NULL, id TEXT NOT NULL, generation INTEGER NOT NULL,"
    " inbox INTEGER NOT NULL, place INTEGER NOT NULL, PRIMARY KEY(patient, id)) WITHOUT ROWID;"
    "CREATE TABLE outbox(id INTEGER PRIMARY KEY, inbox INTEGER NOT NULL, state INTEGER NOT NULL,"
    " head INTEGER NOT NULL, due INTEGER NOT NULL, attempts INTEGER NOT NULL,"
    " byte_left INTEGER NOT NULL, loose INTEGER NOT NULL, created INTEGER NOT NULL, changed INTEGER NOT NULL,"
    " recipient TEXT NOT NULL, patient TEXT NOT NULL, idempotency_key TEXT NOT NULL,"
    " event_id TEXT NOT NULL, payload_sha256 TEXT NOT NULL, reason TEXT NOT NULL);"
    "CREATE INDEX outbox_order ON outbox(recipient, patient) WHERE state = 0;"
    "CREATE INDEX outbox_due ON outbox(due) WHERE state = 0 AND head = 1;"
    "CREATE INDEX outbox_stuck ON outbox(state) WHERE state IN (2, 3);"
    "CREATE TABLE answer(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, client TEXT NOT NULL,"
    " key TEXT NOT NULL, request_sha256 TEXT NOT NULL, status INTEGER NOT NULL,"
    " content_type TEXT NOT NULL, location TEXT NOT NULL, body BLOB NOT NULL);"
    "CREATE TABLE ledger_leaf(position INTEGER PRIMARY KEY, at INTEGER NOT NULL,"
    " commitment BLOB NOT NULL, event_id TEXT NOT NULL, patient TEXT NOT NULL,"
    " recipient TEXT NOT NULL, kind TEXT NOT NULL, client TEXT NOT NULL, salt BLOB, record BLOB);"
    "CREATE TABLE ledger_tile(position INTEGER PRIMARY KEY, hashes BLOB NOT NULL);"
    "CREATE TABLE ledger_log(log INTEGER PRIMARY KEY, size INTEGER NOT NULL, chain BLOB NOT NULL,"
    " checkpoint TEXT NOT NULL);"
    "CREATE TABLE ledger_past(log INTEGER NOT NULL, size INTEGER NOT NULL, at INTEGER NOT NULL,"
    " checkpoint TEXT NOT NULL, PRIMARY KEY(log, size)) WITHOUT ROWID;";

/* 2: a release may be about several patients.
 *
 * ledger_subject  the patients beside the leaf's own by whom it is found; written
 *                 with the leaf, in order, so that the rows go to the end. */
static const char step_2[] =
    "CREATE TABLE ledger_subject(position INTEGER NOT NULL, patient TEXT NOT NULL,"
    " PRIMARY KEY(position, patient)) WITHOUT ROWID;";

/* 3: papers on file, and in what capacity a copy is held.
 *
 * filing   one row a version of a paper, also of its end (store.h, struct store_filing).  Rows
 *          stay as they are, but for `current`, which only the newest of an id has.
 * inbox.holder    what the sender was to what it sent. */
static const char step_3[] =
    "CREATE TABLE filing(number INTEGER PRIMARY KEY, id TEXT NOT NULL, version INTEGER NOT NULL,"
    " current INTEGER NOT NULL, kind INTEGER NOT NULL, act INTEGER NOT NULL, at INTEGER NOT NULL,"
    " generation INTEGER NOT NULL, patient TEXT NOT NULL, ended INTEGER NOT NULL, by_patient INTEGER NOT NULL,"
    " patients INTEGER NOT NULL, reviewed INTEGER NOT NULL, sha256 TEXT NOT NULL, who TEXT NOT NULL,"
    " why TEXT NOT NULL, body TEXT NOT NULL);"
    "CREATE UNIQUE INDEX filing_version ON filing(id, version);"
    "CREATE INDEX filing_current ON filing(patient) WHERE current = 1;"
    "CREATE INDEX filing_patient ON filing(patient, generation);"
    "ALTER TABLE inbox ADD COLUMN holder TEXT NOT NULL DEFAULT '';";

/* 4: classes have a version (store/classes.h). */
static const char step_4[] =
    "CREATE TABLE class_epoch(inbox INTEGER PRIMARY KEY, version INTEGER NOT NULL);"
    "CREATE TABLE class_now(inbox INTEGER NOT NULL, place INTEGER NOT NULL, labels TEXT NOT NULL,"
    " part2 TEXT NOT NULL, PRIMARY KEY(inbox, place)) WITHOUT ROWID;"
    "CREATE TABLE class_pass(one INTEGER PRIMARY KEY CHECK(one = 1), version INTEGER NOT NULL,"
    " done_to INTEGER NOT NULL, begun INTEGER NOT NULL, ended INTEGER NOT NULL, pushes INTEGER NOT NULL,"
    " resources INTEGER NOT NULL, changed INTEGER NOT NULL, confirmed INTEGER NOT NULL);"
    "CREATE TABLE class_confirmed(inbox INTEGER NOT NULL, place INTEGER NOT NULL, at INTEGER NOT NULL,"
    " type TEXT NOT NULL, id TEXT NOT NULL, patient TEXT NOT NULL, request_id TEXT NOT NULL,"
    " was TEXT NOT NULL, PRIMARY KEY(inbox, place)) WITHOUT ROWID;";

/* 5: what waits for a person.
 *
 * review      an item; key: what makes two the same.  state: 0 open 1 released 2 refused.  finding: what
 *             the next decisions are told.  acts: rows of review_act about it.
 * review_act  what was done or tried; never changed.  review 0: a try that named no item. */
static const char step_5[] =
    "CREATE TABLE review(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,"
    " state INTEGER NOT NULL, finding INTEGER NOT NULL, at INTEGER NOT NULL, seen INTEGER NOT NULL,"
    " changed INTEGER NOT NULL, times INTEGER NOT NULL, acts INTEGER NOT NULL, inbox INTEGER NOT NULL,"
    " client TEXT NOT NULL, recipient TEXT NOT NULL, patient TEXT NOT NULL, resource TEXT NOT NULL,"
    " sha256 TEXT NOT NULL, rule TEXT NOT NULL, citation TEXT NOT NULL, because TEXT NOT NULL,"
    " consent TEXT NOT NULL, document TEXT NOT NULL, event_id TEXT NOT NULL);"
    "CREATE INDEX review_state ON review(state, kind, at);"
    "CREATE INDEX review_found ON review(finding) WHERE finding <> 0;"
    "CREATE TABLE review_act(id INTEGER PRIMARY KEY, review INTEGER NOT NULL, at INTEGER NOT NULL,"
    " verb TEXT NOT NULL, reviewer TEXT NOT NULL, account TEXT NOT NULL, role TEXT NOT NULL,"
    " finding INTEGER NOT NULL, why TEXT NOT NULL, event_id TEXT NOT NULL);"
    "CREATE INDEX review_act_of ON review_act(review);"
    "CREATE TRIGGER review_act_kept BEFORE UPDATE ON review_act BEGIN SELECT RAISE(ABORT, 'kept'); END;"
    "CREATE TRIGGER review_act_stays BEFORE DELETE ON review_act BEGIN SELECT RAISE(ABORT, 'kept'); END;";

/* 6: what stands of a Consent, whatever is sent of it afterwards (consent/precedent.h).
 *
 * standing    versions that a revocation wrote, each for good; and of every id the newest version that
 *             refuses something, until a version says that the Consent is over.  kind: enum store_stands */
static const char step_6[] =
    "CREATE TABLE standing(patient TEXT NOT NULL, id TEXT NOT NULL, kind INTEGER NOT NULL, inbox INTEGER NOT NULL,"
    " place INTEGER NOT NULL, PRIMARY KEY(patient, id, kind, inbox, place)) WITHOUT ROWID;"
    "CREATE INDEX standing_of ON standing(id, kind);";

/* 7: links between Patients (store/linked.c). */
static const char step_7[] =
    "CREATE TABLE patient_link(patient TEXT NOT NULL, other TEXT NOT NULL, stands INTEGER NOT NULL,"
    " generation INTEGER NOT NULL, PRIMARY KEY(patient, other)) WITHOUT ROWID;"
    "CREATE INDEX patient_link_other ON patient_link(other, patient);";

/* 8: rows that the log vouches for have a number (store/vouch.c), never used again where rows go. */
static const char step_8[] =
    "ALTER TABLE consent RENAME TO consent_7;"
    "CREATE TABLE consent(number INTEGER PRIMARY KEY, patient TEXT NOT NULL, id TEXT NOT NULL, generation INTEGER NOT NULL,"
    " inbox INTEGER NOT NULL, place INTEGER NOT NULL, UNIQUE(patient, id));"
    "INSERT INTO consent SELECT NULL, * FROM consent_7 ORDER BY patient, id;"
    "DROP TABLE consent_7;"
    "ALTER TABLE standing RENAME TO standing_7;"
    "DROP INDEX standing_of;"
    "CREATE TABLE standing(number INTEGER PRIMARY KEY AUTOINCREMENT, patient TEXT NOT NULL, id TEXT NOT NULL,"
    " kind INTEGER NOT NULL, inbox INTEGER NOT NULL, place INTEGER NOT NULL, UNIQUE(patient, id, kind, inbox, place));"
    "CREATE INDEX standing_of ON standing(id, kind);"
    "INSERT INTO standing SELECT NULL, * FROM standing_7 ORDER BY patient, id, kind, inbox, place;"
    "DROP TABLE standing_7;"
    "ALTER TABLE patient_link RENAME TO patient_link_7;"
    "DROP INDEX patient_link_other;"
    "CREATE TABLE patient_link(number INTEGER PRIMARY KEY, patient TEXT NOT NULL, other TEXT NOT NULL, stands INTEGER NOT NULL,"
    " generation INTEGER NOT NULL, UNIQUE(patient, other));"
    "CREATE INDEX patient_link_other ON patient_link(other, patient);"
    "INSERT INTO patient_link SELECT NULL, * FROM patient_link_7 ORDER BY patient, other;"
    "DROP TABLE patient_link_7;";

/* 9: what auditors look through, newest first, and what a void took back.
 *
 * ledger_leaf_at    grows at its end; with the columns that a search asks first, so that those are read from it alone.
 * ledger_void       of voids only: the eventId that the record names. */
static const char step_9[] =
    "CREATE INDEX ledger_leaf_at ON ledger_leaf(at, position, kind, recipient);"
    "CREATE INDEX ledger_void ON ledger_leaf(" MIGRATIONS_VOIDED ") WHERE kind = 'void';";

static const char *const steps[] = { step_1, step_2, step_3, step_4, step_5, step_6, step_7, step_8, step_9 };

int
migrations_latest(void)
{
    return (int)(sizeof steps / sizeof steps[0]);
}

static int
version_of(sqlite3 *db)
{
    sqlite3_stmt *stmt    = NULL;
    int           version = -1;

    if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        version = sqlite3_column_int(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return version;
}

static enum status
newer(int version, struct buf *why)
{
    buf_add_format(why, "the store has schema version %d, this Sluice knows %d: use the newer program",
                   version, migrations_latest());
    return ST_UNSUPPORTED;
}

static enum status
failed(sqlite3 *db, struct buf *why, const char *what)
{
    buf_add_format(why, "%s: %s", what, sqlite3_errmsg(db));
    return ST_UNAVAILABLE;
}

static enum status
step_run(sqlite3 *db, int number, struct buf *why)
{
    char mark[64];

    (void)sqlite3_snprintf(sizeof mark, mark, "PRAGMA user_version = %d; COMMIT", number);
    if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return failed(db, why, "the store cannot be written");
    if (sqlite3_exec(db, steps[number - 1], NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_exec(db, mark, NULL, NULL, NULL) == SQLITE_OK)
        return ST_OK;
    enum status st = failed(db, why, "the schema could not be brought up to date");
    (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return st;
}

enum status
migrations_run(sqlite3 *db, struct buf *why)
{
    int version = version_of(db);

    if (version < 0)
        return failed(db, why, "the store cannot be read");
    if (version > migrations_latest())
        return newer(version, why);
    while (version < migrations_latest()) {
        enum status st = step_run(db, ++version, why);
        if (st != ST_OK)
            return st;
    }
    return ST_OK;
}

enum status
migrations_check(sqlite3 *db, struct buf *why)
{
    int version = version_of(db);

    if (version < 0)
        return failed(db, why, "the store cannot be read");
    if (version > migrations_latest())
        return newer(version, why);
    if (version < migrations_latest()) {
        buf_add_format(why, "the store has schema version %d, this Sluice needs %d: start the gateway once",
                       version, migrations_latest());
        return ST_UNSUPPORTED;
    }
    return ST_OK;
}
