/* gateway/store/migrations.h -- the schema, as numbered steps.
 *
 * PRAGMA user_version says which steps a file has had.  Each step runs in a
 * transaction of its own; a step that has been released is never edited, the
 * next one changes what it made.  A file from a newer Sluice is refused.
 */
#ifndef SLUICE_GATEWAY_STORE_MIGRATIONS_H
#define SLUICE_GATEWAY_STORE_MIGRATIONS_H

#include <sqlite3.h>

#include "base/buf.h"

/* What a void's record (ledger/record.h) names, for the index ledger_void and who asks it: no function that reads JSON may
 * be in a schema that is not trusted (SQLite, PRAGMA trusted_schema). */
#define MIGRATIONS_BEHIND "substr(record, instr(record, '\"voids\":\"') + 9)"
#define MIGRATIONS_VOIDED "CAST(substr(" MIGRATIONS_BEHIND ", 1, instr(" MIGRATIONS_BEHIND ", '\"') - 1) AS TEXT)"

int         migrations_latest(void);
/* Brings the file up to date. */
enum status migrations_run(sqlite3 *, struct buf *why) MUST_CHECK;
/* Reading only: ST_OK when the file is of this version. */
enum status migrations_check(sqlite3 *, struct buf *why) MUST_CHECK;

#endif
