/* gateway/ops/account.h -- accounts and groups of this machine, by name or number. */
#ifndef SLUICE_GATEWAY_OPS_ACCOUNT_H
#define SLUICE_GATEWAY_OPS_ACCOUNT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"

/* False: there is none.  A number is taken as it stands. */
bool account_uid(struct span name, uid_t *out);
bool account_group(struct span name, gid_t *out);
/* "uid 1000" when it has no name. */
struct span account_name(uid_t, struct arena *);

#endif
