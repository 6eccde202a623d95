/* gateway/deliver/deliver.h -- what was accepted goes out: at least once, in order.
 *
 *   D1  A release is one payload to one recipient under one Idempotency-Key; its
 *       ledger record is durable before its first byte leaves (stage commit).
 *   D2  Deliveries of one patient to one recipient go in the order accepted.
 *   D3  Decided again at the moment of release: right after the commit the
 *       payload in memory goes, when no Consent was written since, no period of a
 *       consent ended or began, and the configuration is the same; in every other
 *       case the delivery is claimed from the store and decided anew.
 *   D4  The same payload goes under the same key and adds no record.  A
 *       different one is a new release: new key, new record; the old record is taken
 *       back by a void when no byte of it can have left.
 *   D5  2xx is delivered.  400, 405, 406, 410..415, 422 can not get better: dead letter.
 *       Everything else is tried again: within 1 s, then doubling to 30 s at
 *       most, jittered by half; Retry-After is honoured when it is later.  After
 *       `attempts` tries: dead letter, and a void when no byte can have left.
 *   D6  A start tries everything that waits at once.
 *   D7  A recipient that hangs makes others wait for a connection.  When its turn
 *       comes, a delivery is sent only if D3 still holds and its lease outlasts
 *       the try; otherwise it goes back to the queue, and is decided anew.
 *
 *   D8  That a delivery arrived is written with what is committed next, at most
 *       STORE_LINGER_MS later: nobody waits for it.
 *
 * A try that dies with the process leaves its row leased; the lease ends and
 * the same bytes go again under the same key.
 */
#ifndef SLUICE_GATEWAY_DELIVER_DELIVER_H
#define SLUICE_GATEWAY_DELIVER_DELIVER_H

#include "gateway/gateway.h"
#include "gateway/http/client.h"
#include "gateway/runtime/pipeline.h"

#define DELIVER_LEASE_MS 60000           /* longer than a try may take (client total_seconds) */

struct deliver;
struct exchange;
struct outgoing;

struct deliver *deliver_new(struct gateway *);           /* NULL: no memory */
enum status     deliver_start(struct deliver *) MUST_CHECK;   /* on the thread that starts the loops */
/* No new claims; what is under way ends or is cancelled with its loop. */
void            deliver_stop(struct deliver *);
/* Any thread, after deliver_stop(): the store has still to answer what it was asked before. */
bool            deliver_asking(const struct deliver *);
void            deliver_free(struct deliver **);
/* On a loop's own thread, before it stops: ends its client. */
void            deliver_end_loop(struct deliver *, struct loop *);

/* After the commit, on the loop of the exchange: sends what is due now. */
void deliver_now(struct deliver *, struct exchange *);
/* Any thread: something may be due. */
void deliver_wake(struct deliver *);

/* One try; false when it could not even be armed: then out->call says why and
 * `done` is not called. */
bool deliver_send(struct deliver *, struct outgoing *, void (*done)(struct http_call *));
/* What follows from a try: fills out->result; tries counts it. */
void deliver_judge(struct outgoing *, int64_t now_ms);
/* It was withdrawn when its lease was over: the row is somebody else's, and
 * nothing may be written of this try. */
bool deliver_lost(const struct outgoing *, int64_t now_ms);
/* Milliseconds to wait before try number `attempts` + 1; `random` jitters. */
int64_t deliver_backoff_ms(uint32_t attempts, int64_t retry_after_seconds, uint32_t random);

extern const struct pipeline delivery;

#endif
