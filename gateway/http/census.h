/* gateway/http/census.h -- how many connections there are, in all and from whom.
 *
 * The listeners of all loops share one census, because SO_REUSEPORT spreads
 * the connections of a client over all of them.  A client is an IPv4 address
 * or the first 64 bits of an IPv6 address.  Any thread; touched when a
 * connection comes and when it goes.
 */
#ifndef SLUICE_GATEWAY_HTTP_CENSUS_H
#define SLUICE_GATEWAY_HTTP_CENSUS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct http_census;

/* Maxima of 0: no limit. */
struct http_census *http_census_new(uint32_t max_connections, uint32_t max_per_client);
void                http_census_free(struct http_census **);     /* after all servers */

/* Zeroed memory refuses. */
enum census_answer {
    CENSUS_FULL = 0,                     /* not counted: close at once                       */
    CENSUS_CROWDED,                      /* counted: over max_per_client, answer 429         */
    CENSUS_WELCOME,                      /* counted                                          */
};

/* Twice max_per_client is CENSUS_FULL too. */
enum census_answer http_census_enter(struct http_census *, const struct sockaddr *);
void               http_census_leave(struct http_census *, const struct sockaddr *);

#endif
