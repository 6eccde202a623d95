/* gateway/ledger/check.h -- the part of verifying that store and folder share; inside of ledger/. */
#ifndef SLUICE_GATEWAY_LEDGER_CHECK_H
#define SLUICE_GATEWAY_LEDGER_CHECK_H

#include "gateway/ledger/shredded.h"
#include "gateway/ledger/tiles.h"
#include "gateway/ledger/verify.h"

#define CHECK_PROBLEMS 20u

struct check_mark {                      /* the root of the first `size` leaves has to be this */
    uint64_t           size;
    struct ledger_hash root;
    bool               other;            /* the checkpoint of V7, not one that was kept */
};
#define CHECK_MARKS 4096u

struct check {
    const struct verify_options *options;
    enum ledger_log              log;
    const char                  *name;           /* "disclosures", "denials" */
    struct digest               *digest;
    struct ledger_tree          *tree;
    struct arena                *arena;          /* scratch of one leaf */
    struct verify_log           *result;
    struct buf                  *report;
    uint32_t                     problems;
    bool                         readable;       /* there is a checkpoint that the key signed */
    struct checkpoint            head;
    struct ledger_hash           chain;
    bool                         chain_known;
    const struct shredded       *shredded;       /* V13 */
    uint64_t                     unrecorded_first;
    uint64_t                     next;           /* index expected */
    struct check_mark           *marks;          /* by size */
    size_t                       mark_count, mark_next;
    ledger_on_tile              *on_tile;        /* V5 */
    void                        *on_tile_arg;
};

/* V7: the checkpoints of the options, and which log each is of. */
struct check_others {
    struct check_other { enum ledger_log log; struct checkpoint head; } all[VERIFY_OTHERS];
    size_t             count;
};
/* ST_INTEGRITY: the key did not sign one. */
enum status check_others_read(const struct verify_options *, struct check_others *, struct buf *report) MUST_CHECK;

enum status check_begin(struct check *, const struct verify_options *, enum ledger_log,
                        struct verify_log *, struct buf *report) MUST_CHECK;
void        check_end(struct check *);
void        check_problem(struct check *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* V1. */
void        check_head(struct check *, struct span note);
/* V8, V7: other heads of this log; before the first leaf. */
void        check_past_add(struct check *, const struct checkpoint *);
void        check_others_add(struct check *, const struct check_others *);
/* Of this leaf's index V2; with a record V4 as well.  `leaf` is the hash that goes
 * into the tree.  `sound`: V3 held; then the chain is looked at. */
void        check_leaf(struct check *, uint64_t index, const unsigned char *salt, struct span record,
                       const struct ledger_hash *leaf, bool sound);
/* V2, V6, V7 after the last leaf. */
void        check_finish(struct check *);
/* V9, once the log of denials was looked at. */
enum status filings_check(struct check *, struct store *, bool destroyed) MUST_CHECK;
/* V10, the same way. */
enum status reviews_check(struct check *, struct store *, bool destroyed) MUST_CHECK;
/* V11, the same way. */
enum status rows_check(struct check *, struct store *) MUST_CHECK;
/* Both logs are of one ledger; then: ST_OK and problems is ST_INTEGRITY. */
enum status check_verdict(enum status, struct verify_result *, struct buf *report) MUST_CHECK;

#endif
