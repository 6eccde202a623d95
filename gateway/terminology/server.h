/* gateway/terminology/server.h -- a site's terminology server, asked for everybody.
 *
 * One for the gateway, at home on one loop: its HTTP client, the questions that
 * are out and the exchanges that wait are touched on that loop's thread only.
 *
 *     stage validate   terminology_recall()    any thread: what is remembered
 *     stage terminology  terminology_ask()     any thread: posted to the home loop
 *                          |   each question once, however many wait for it
 *                          v
 *                        ask->done             posted to the loop of the exchange:
 *                                              all answered, or the deadline passed
 *
 *   S1  Nobody waits longer than the deadline, and one deadline is for all
 *       questions of an exchange.  What is answered later is remembered.
 *   S2  A question that is out already is not sent again: whoever asks it waits
 *       for the same answer.
 *   S3  Bounded: TERMINOLOGY_QUESTIONS are out or wait for a connection, of
 *       which an exchange gets half of what is free at most; `connections`
 *       connections; a quarter of limits { max-queue } exchanges wait.  What is
 *       beyond stays undecided at once.
 *   S4  A question that nobody waits for any more is not sent.
 *   S5  A server that is down is asked once in failure-seconds (health.h), and
 *       nobody waits for one that is known to be down.
 *   S6  Whatever goes wrong, the exchange goes on: undecided is an answer.
 *
 * Lifetime: an ask lives in the arena of its exchange, and is not touched by
 * the exchange between terminology_ask() and done.
 */
#ifndef SLUICE_GATEWAY_TERMINOLOGY_SERVER_H
#define SLUICE_GATEWAY_TERMINOLOGY_SERVER_H

#include <event2/event_struct.h>

#include "fhir/term_questions.h"
#include "gateway/ops/config.h"
#include "gateway/runtime/loop.h"

#define TERMINOLOGY_QUESTIONS 2048u

struct exchange;
struct terminology;
struct terminology_waiter;

struct terminology_ask {
    struct task                done;     /* first; run on `home` */
    struct loop               *home;
    struct exchange           *exchange;         /* the caller's, for done */
    struct term_questions     *questions;        /* the open ones get their answers */
    uint32_t                   answered;         /* right or wrong; of done */
    /* the rest is the server's */
    struct task                begin;
    struct terminology        *terminology;
    struct terminology_waiter *waiters;  /* one a question */
    uint32_t                   left;     /* that have none yet */
    struct event               deadline;
};

/* Asks nobody until terminology_use().  NULL: no memory. */
struct terminology *terminology_new(struct loop *home);
void                terminology_free(struct terminology **);
/* On the home loop's thread, or before it runs: the server of this
 * configuration from now on; without a url, none.  Another one than before:
 * what is out is given up, what is remembered is forgotten. */
void                terminology_use(struct terminology *, struct config *);
/* On the home loop's thread, before it stops: nobody is asked from now on. */
void                terminology_end(struct terminology *);

/* Any thread: a struct term_questions' recall(), with the terminology as caller. */
void terminology_recall(void *terminology, struct term_question *);
/* For the open questions; NULL: no memory.  done() and home are the caller's. */
struct terminology_ask *terminology_ask_new(struct arena *, struct loop *home, struct term_questions *,
                                            void (*done)(struct task *));
/* Any thread.  done comes in any case. */
void terminology_ask(struct terminology *, struct terminology_ask *);

#endif
