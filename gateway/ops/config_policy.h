/* gateway/ops/config_policy.h -- the policy packs that a configuration enables, read. */
#ifndef SLUICE_GATEWAY_OPS_CONFIG_POLICY_H
#define SLUICE_GATEWAY_OPS_CONFIG_POLICY_H

#include "gateway/ops/config_parse.h"

/* Of each `policy` section that is enabled the pack is read: one that cannot be
 * read, is refused, is not the one that is pinned, or would do nothing, is an
 * error.  where[i] is the place of section i. */
void config_read_policies(struct config *, struct arena *, const struct span *where, struct config_errors *);

#endif
