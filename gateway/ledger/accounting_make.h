/* gateway/ledger/accounting_make.h -- an accounting from the store, whole. */
#ifndef SLUICE_GATEWAY_LEDGER_ACCOUNTING_MAKE_H
#define SLUICE_GATEWAY_LEDGER_ACCOUNTING_MAKE_H

#include "gateway/ledger/accounting.h"

struct store;

/* Of the log as its newest checkpoint has it, which is filled in, as are the name of the source and what is suspended.  Texts of the result live in the
 * arena.  ST_INTEGRITY: a record is not what its index says.  ST_TOO_LARGE.  Reads with the tools' connection: on a
 * worker's or a command's thread. */
enum status accounting_make(struct store *, struct arena *, struct accounting_asked *, struct buf *out,
                            struct accounting_result *) MUST_CHECK;

#endif
