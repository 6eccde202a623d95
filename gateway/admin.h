/* gateway/admin.h -- the admin listener: plain HTTP, loopback by default.
 *
 *   GET /livez    200 while the process turns its loops
 *   GET /readyz   200 when a push would be taken; 503 with the reason otherwise
 *   GET /metrics  OpenMetrics text
 */
#ifndef SLUICE_GATEWAY_ADMIN_H
#define SLUICE_GATEWAY_ADMIN_H

#include "gateway/http/server.h"

/* The handler; arg is the struct gateway. */
void admin_request(struct http_request *, void *arg);

#endif
