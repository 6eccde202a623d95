/* gateway/http/deny.h -- addresses that a name out of data may not lead to.
 *
 * Asked after DNS, for the very address that is about to be connected to, so
 * that a name which changes its answer between check and use gains nothing.
 * Denied: everything that is not a public unicast address (RFC 6890 and the
 * IANA special-purpose registries): this host, private and shared networks,
 * link-local, multicast, documentation, benchmarking, reserved; IPv4 inside
 * IPv6 (mapped, NAT64, 6to4) is judged by the IPv4 address; other families.
 */
#ifndef SLUICE_GATEWAY_HTTP_DENY_H
#define SLUICE_GATEWAY_HTTP_DENY_H

#include <stdbool.h>
#include <sys/socket.h>

bool address_denied(const struct sockaddr *);

#endif
