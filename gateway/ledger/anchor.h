/* gateway/ledger/anchor.h -- the heads of the log, kept where the database is not.
 *
 * A database that is put back to an older copy is whole in itself: every record fits, the head is
 * signed.  It is found by a head that somebody kept elsewhere.  The anchor is that head, kept by the
 * gateway itself in a folder on another disk or machine (`ledger { anchor }`).
 *
 *   A1  DIR/disclosures and DIR/denials each hold the newest signed head of their log, a C2SP
 *       tlog-checkpoint.  They are written whole or not at all: a file beside, fsync, rename, fsync of DIR.
 *   A2  Written when something was added, `anchor-seconds` after it at most, and when the gateway ends.
 *   A3  Before it starts the gateway asks that its log goes on from the anchor: it has as many leaves, and the
 *       root of the first of them is the anchor's.  Else it does not start: what was recorded behind the
 *       copy is missing, and a log that goes on would be a second history.
 *   A4  A folder that cannot be written stops nothing: a record is durable in the store before a byte leaves.  It is
 *       logged and counted (sluice_anchor_failures).
 *   A5  An anchor that is not there is none yet.  Whoever has to start from an older copy takes the files away, keeps
 *       them, and says so: with them everybody sees what is missing.
 */
#ifndef SLUICE_GATEWAY_LEDGER_ANCHOR_H
#define SLUICE_GATEWAY_LEDGER_ANCHOR_H

#include "gateway/ledger/checkpoint.h"
#include "gateway/store/store.h"

extern const char *const anchor_names[LEDGER_LOGS];      /* "disclosures", "denials" */

/* A1.  ST_IO and `why`. */
enum status anchor_write(const char *dir, enum ledger_log, struct span note, struct buf *why) MUST_CHECK;
/* ST_NOT_FOUND: none yet (A5).  ST_TOO_LARGE: no note is that long. */
enum status anchor_read(const char *dir, enum ledger_log, struct arena *, struct span *note, struct buf *why) MUST_CHECK;
/* A3.  ST_INTEGRITY and `why`; `key` and `origin` are the log's own. */
enum status anchor_check(struct store *, const char *dir, const struct ledger_signer *, struct buf *why) MUST_CHECK;

/* A2, on a thread of its own.  NULL: no memory, or no thread. */
struct anchor_keeper;
struct anchor_keeper *anchor_keeper_start(struct store *, struct span dir, uint32_t seconds);
void                  anchor_keeper_stop(struct anchor_keeper **);       /* writes what is new; NULL inside is fine */

#endif
