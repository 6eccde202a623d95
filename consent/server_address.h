/* consent/server_address.h -- whose server an address is on.
 *
 * The parts of an address that say so (RFC 3986 6.2): scheme, user and the scheme's own
 * port do not, nor do the case and the last dot of a host, nor how it is escaped.  A base covers
 * itself and what is behind it and a slash, a question mark or a fragment; one without
 * port and path covers all ports of its host.
 */
#ifndef SLUICE_CONSENT_SERVER_ADDRESS_H
#define SLUICE_CONSENT_SERVER_ADDRESS_H

#include "base/span.h"

struct address { struct span host, port, path; };

/* Borrows the text; host is empty or all of it where it is no URL (a urn). */
struct address address_of(struct span url);
bool           address_same_host(const struct address *, const struct address *);
bool           address_is_under(const struct address *, const struct address *base);

#endif
