/* gateway/ledger/export.h -- the ledger as a folder that a stranger can verify.
 *
 *     DIR/records.ndjson          a line a leaf in tree order
 *     DIR/tiles/<L>/<N>[.p/<W>]   c2sp.org/tlog-tiles
 *     DIR/checkpoint              c2sp.org/tlog-checkpoint
 *     DIR/public-key.pem          a convenience: trust the copy you were given elsewhere
 *     DIR/README                  the format, enough to write a verifier from
 *     DIR/verify.py               one, of nothing but Python and its `cryptography`
 *     DIR/denials/…               records.ndjson, tiles, checkpoint of the log of denials
 *
 * The folder holds PHI: directories are made with mode 0700, files 0600.  It is
 * of one moment, also while a gateway writes.  docs/verify-the-log.md.
 */
#ifndef SLUICE_GATEWAY_LEDGER_EXPORT_H
#define SLUICE_GATEWAY_LEDGER_EXPORT_H

#include "gateway/ledger/checkpoint.h"
#include "gateway/store/store.h"

typedef void ledger_progress(void *arg, enum ledger_log, uint64_t done, uint64_t total);

struct export_options {
    const char          *dir;            /* made; must not hold anything yet */
    struct ledger_public key;
    ledger_progress     *progress;       /* may be NULL */
    void                *arg;
};
struct export_result {
    uint64_t size[LEDGER_LOGS];
};

/* ST_CONFLICT: the folder is not empty; ST_IO: it cannot be written;
 * ST_INTEGRITY: the store's leaves do not fit its checkpoint. */
enum status ledger_export(struct store *, const struct export_options *, struct export_result *,
                          struct buf *why) MUST_CHECK;

extern const char ledger_export_readme[], ledger_export_verifier[];

#endif
