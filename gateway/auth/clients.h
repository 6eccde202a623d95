/* gateway/auth/clients.h -- who is asking, and what may this client do.
 *
 * A client certificate alone authenticates: its subject CN names a `client`
 * section.  Scopes are SMART's (SMART App Launch 2.0, scopes-and-launch-context):
 * `system/<type or *>.<letters of cruds>`, the letters in that order; the 1.0
 * words read, write and * are taken as rs, cud and cruds.  No scope, no right.
 * A star for the type does not include AuditEvent, nor reading Consent: a consent
 * can say by itself that somebody is a patient of a program (42 CFR 2.13(c)), so
 * who reads them is named.
 *
 * Duties are what scopes cannot say:
 *   compliance          reads and revokes Consents of every source, and is told why
 *   consult             asks for decisions about itself
 *   consult-for-others  asks for decisions about anybody, as who enforces them does
 *
 * `c` without `u`: ids are the sender's (decision 0015), so creating can meet
 * a record that is there.  Such a client may push again what it sent itself,
 * which makes the next version, and never writes over what came from another
 * client (store.h, only_own).
 */
#ifndef SLUICE_GATEWAY_AUTH_CLIENTS_H
#define SLUICE_GATEWAY_AUTH_CLIENTS_H

#include "gateway/ops/config.h"

/* NULL: nobody. */
const struct config_client *client_by_certificate(const struct config *, struct span common_name);
uint32_t                    client_index(const struct config *, const struct config_client *);
/* Whether a scope gives any right at all. */
bool scope_grants(struct span scope);
const struct config_client *client_by_title(const struct config *, struct span title);
enum duty { DUTY_NONE = 0, DUTY_COMPLIANCE, DUTY_CONSULT, DUTY_CONSULT_FOR_OTHERS };
bool client_has(const struct config_client *, enum duty);
/* Whether it may see, of somebody's Consents, one that `source` sent. */
bool client_sees(const struct config_client *, struct span source);
/* right is one of 'c' 'r' 'u' 'd' 's'. */
bool client_may(const struct config_client *, char right, struct span resource_type);

#endif
