/* gateway/version.h -- which Sluice this is, and under which rules it decides. */
#ifndef SLUICE_GATEWAY_VERSION_H
#define SLUICE_GATEWAY_VERSION_H

#define SLUICE_VERSION        "0.1.0"
/* Of the rules and code sets compiled in; it stands in every ledger record
 * (policyVersion, valueSetVersion) and changes when a rule or a row does. */
#define SLUICE_POLICY_VERSION "2026.1"

#endif
