/* gateway/gateway.h -- what every exchange of a running gateway shares.
 *
 * Immutable after start, but for the configuration snapshot: that is swapped
 * under a lock by a reload, and exchanges pin the one they began with.
 */
#ifndef SLUICE_GATEWAY_GATEWAY_H
#define SLUICE_GATEWAY_GATEWAY_H

#include <pthread.h>
#include <stdatomic.h>

#include "fhir/pack.h"
#include "gateway/ops/config.h"
#include "gateway/runtime/loop.h"
#include "gateway/runtime/worker.h"
#include "gateway/store/store.h"

struct deliver;
struct pace;
struct http_server;
struct inspectors;
struct pass;                             /* classify/pass.h */
struct terminology;

struct gateway {
    pthread_mutex_t    config_lock;
    struct config     *config;           /* under config_lock */
    const struct pack *pack;
    struct store      *store;
    struct workers    *workers;
    struct inspectors *inspectors;       /* inspect/pool.h */
    struct deliver    *deliver;
    struct terminology *terminology;
    struct pass        *pass;
    struct pace       *pace;             /* auth/pace.h */
    struct loop      **loops;
    uint32_t           loop_count;
    struct http_server **servers;        /* one a loop; their counts may be asked from any thread */
    _Atomic uint32_t   exchanges;        /* in flight, deliveries among them */
    _Atomic uint32_t   unanswered;       /* requests: what max-queue bounds */
    _Atomic bool       draining;
};

struct config *gateway_config(struct gateway *);     /* pinned; config_unpin() when done */
/* Validate, then swap (SIGHUP, `sluice reload`).  ST_MALFORMED: the file is
 * wrong; ST_CONFLICT: it changes what only a restart can; errors say which. */
enum status    gateway_reload(struct gateway *, struct config_errors *) MUST_CHECK;

#endif
