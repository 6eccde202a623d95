/* gateway/ledger/verify.h -- is the ledger what it was.
 *
 * Reads every leaf once, in order, with bounded memory, and computes everything
 * again.  A problem says where and what; the first 20 of a log are listed.
 *
 *   V1  the checkpoint is signed by the key under its origin
 *   V2  leaves count from 0 without gap to the size that the checkpoint says
 *   V3  each record fits its commitment (in a folder: its tile)
 *   V4  the chain inside the records holds
 *   V5  tiles are those of the leaves: none missing, none wrong, none too many
 *   V6  the root is the checkpoint's
 *   V7  with other checkpoints, the anchor's (anchor.h) among them: one is the beginning of the other; one
 *       that is newer than the log means that the log was rolled back
 *   V8  in a store also: the copies beside the record (eventId, patient, further
 *       patients, recipient, kind, client, time), by which accountings find it, are the record's;
 *       a void is found by the patients of what it takes back; it is found by
 *       them; the heads that were kept fit; size and chain beside the head are its own
 *   V13 what was destroyed is what records of kind shredding say, and nothing that they name is still there.  With
 *       `strict` a destroyed record that none of them names is a problem; else it is told, and no more: another
 *       program may have destroyed it by the law of its own
 *   V9  in a store also: the papers on file are those of the filings in the log, in the
 *       same order, by the same acts and with the same bytes; the newest version of each
 *       stands.  Not asked when records of the log of denials were destroyed that V13 does not know of
 *   V10 in a store also: what people did about the review queue is what the log says, in the
 *       same order, and each item is as the last of it left it.  Not asked as V9 is not
 *   V11 in a store also: every row of the tables of papers, items and acts is in every column as the
 *       log says that it was written (store/vouch.c), none is missing, none is too many, and none was
 *       changed between two times that it was written
 *   V12 in a store also: tables, indexes and triggers are those that the program makes; of the tables
 *       that are compared, indexes hold what the rows hold, and values have their column's type
 */
#ifndef SLUICE_GATEWAY_LEDGER_VERIFY_H
#define SLUICE_GATEWAY_LEDGER_VERIFY_H

#include "gateway/ledger/export.h"

#define VERIFY_OTHERS 32u

struct verify_options {
    struct ledger_public key;
    struct span          others[VERIFY_OTHERS];  /* V7: signed notes */
    size_t               other_count;
    bool                 strict;         /* V13 */
    ledger_progress     *progress;       /* may be NULL */
    void                *arg;
};

struct verify_log {
    char               origin[256];      /* empty: there is no readable checkpoint */
    uint64_t           size, shredded;
    uint64_t           unrecorded;       /* of the shredded, V13 */
    struct ledger_hash root;             /* as the checkpoint says */
};

struct verify_result {
    struct verify_log log[LEDGER_LOGS];
    uint32_t          problems;
};

/* ST_OK: everything holds.  ST_INTEGRITY: `report` has a line a problem.  Else
 * it could not be read, and `report` says why. */
enum status ledger_verify_folder(const char *dir, const struct verify_options *, struct verify_result *,
                                 struct buf *report) MUST_CHECK;
enum status ledger_verify_store(struct store *, const struct verify_options *, struct verify_result *,
                                struct buf *report) MUST_CHECK;

#endif
