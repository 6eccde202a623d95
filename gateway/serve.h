/* gateway/serve.h -- a running gateway, from the first thread to the last.
 *
 *   start   pack, signer, store, workers, loops, listeners, deliveries, ready
 *   run     until SIGTERM or SIGINT; SIGHUP reloads (validate, then swap)
 *   stop    no new connections, what is in flight ends (at most DRAIN_SECONDS),
 *           deliveries stop, loops end, the store commits what waits and closes
 *
 * Starting goes upward and stopping downward; whatever fails while starting
 * stops what had started.
 */
#ifndef SLUICE_GATEWAY_SERVE_H
#define SLUICE_GATEWAY_SERVE_H

#include "gateway/ops/config.h"

/* Takes the config's pin.  ready_fd: "READY=1\n" is written there once
 * requests are taken; -1: none.  Returns the exit code of the command. */
int serve_run(struct config *, int ready_fd);

#endif
