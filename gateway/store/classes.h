/* gateway/store/classes.h -- under which rules and registry what is stored was classified.
 *
 * Labels and Part 2 status of a resource are written with its push.  They hold
 * for the rules, the code sets, the registry and what was known of the sender at
 * that moment: a version, one number (ops/class_version.h).  When that changes,
 * a pass goes through all pushes in the order they came and classifies them again
 * (gateway/classify/).
 *
 *   S1  `class_epoch` says from which push on which version was used; a row is
 *       written only where it changes, so a push costs nothing more.
 *   S2  `class_now` holds what a resource is today where that differs from what its
 *       push says.  Pushes themselves are never rewritten.
 *   S3  `class_pass` is the pass: its version and the last push that it is through
 *       with.  A step of the pass (changes and mark) is one transaction, so a crash
 *       repeats a step and never skips one.
 *   S4  `class_confirmed` is never taken back: what became confirmed after it was
 *       stored as something else, and when.  Copies that left meanwhile are in the ledger.
 *   S5  A class is current when its push is behind the mark of a pass of today's version,
 *       or was written under it.  Whoever finds another has to label again before
 *       the resource leaves; deliveries always do (decision 0014).
 */
#ifndef SLUICE_GATEWAY_STORE_CLASSES_H
#define SLUICE_GATEWAY_STORE_CLASSES_H

#include "gateway/store/contents.h"
#include "gateway/store/store.h"

struct store_pass {
    uint64_t version;                    /* 0: there was none yet */
    int64_t  done_to;                    /* inbox id */
    int64_t  begun_ms, ended_ms;         /* ended 0: under way */
    uint64_t pushes, resources;          /* looked at */
    uint64_t changed, confirmed;         /* of these resources */
};

struct store_class {                     /* what one resource is now */
    uint32_t    place;
    struct span labels, part2;
    struct span type, id, patient, was;  /* for class_confirmed, when it became that: else empty */
    bool        as_stored;               /* the push says it already */
};

/* One step of the pass, in a store_unit. */
struct store_step {
    struct store_pass         pass;
    int64_t                   clear_from, clear_to;      /* pushes whose rows of class_now go first; inclusive */
    int64_t                   inbox;                     /* whose the classes are; several steps share a unit's turn */
    struct span               request_id;
    const struct store_class *classes;
    size_t                    count;
    struct store_step        *next;
};

/* ---- reading at once (own connection, this thread) ---- */

struct store_push {
    int64_t     id, at_ms;
    struct span client, request_id, patient, contents, body;
    uint64_t    version;                 /* it was classified under */
    int64_t     skipped_to;              /* pushes behind `after` up to here are of `version_now` */
};
/* The next push behind `after` that was not classified under `version_now`;
 * ST_NOT_FOUND: none, and skipped_to is the last there is. */
enum status store_push_next(struct store *, int64_t after, uint64_t version_now, struct arena *,
                            struct store_push *) MUST_CHECK;
/* What a resource is now when that differs from the push; ST_NOT_FOUND. */
enum status store_class_read(struct store *, int64_t inbox, uint32_t place, struct arena *, struct store_class *) MUST_CHECK;
/* The bytes of a resource that is no slice of its push's body. */
enum status store_blob_read(struct store *, int64_t blob, struct arena *, struct span *) MUST_CHECK;
enum status store_pass_read(struct store *, struct store_pass *) MUST_CHECK;
/* Pushes that are not current for this version. */
enum status store_pass_left(struct store *, uint64_t version, uint64_t *pushes) MUST_CHECK;

struct store_confirmed {
    int64_t     inbox, at_ms;
    struct span type, id, patient, request_id, was;
};
typedef bool confirmed_visitor(const struct store_confirmed *, void *arg);
enum status store_confirmed_visit(struct store *, confirmed_visitor *, void *arg) MUST_CHECK;

/* ---- unit.c ---- */
enum status class_step_write(struct store *, const struct store_step *) MUST_CHECK;
enum status class_epoch_write(struct store *, int64_t inbox, uint64_t version) MUST_CHECK;
/* Labels and status of a row as they are now, and the version that they are of. */
enum status class_of_row(struct store *, int64_t inbox, uint32_t place, struct arena *, struct store_row *) MUST_CHECK;

#endif
