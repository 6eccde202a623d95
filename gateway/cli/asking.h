/* gateway/cli/asking.h -- a terminology server behind `sluice validate`.
 *
 * The server of a configuration, asked as the gateway asks it (terminology/
 * server.h: limits, memory, what counts as an answer), on a loop that runs while
 * the command waits.  One deadline for all questions of a document.
 */
#ifndef SLUICE_GATEWAY_CLI_ASKING_H
#define SLUICE_GATEWAY_CLI_ASKING_H

#include "gateway/cli/command.h"
#include "gateway/terminology/server.h"

struct asking {
    struct config      *config;
    struct loop        *loop;
    struct terminology *terminology;     /* NULL: nobody is asked */
    uint64_t            unanswered;      /* questions of all documents that have no answer */
};

/* With --terminology FILE; false after saying what is wrong with that. */
bool asking_open(struct asking *, const struct call *);
/* Says how many questions had no answer. */
void asking_close(struct asking *, const struct call *);
/* A list for a document; NULL: nobody is asked, or no memory. */
struct term_questions *asking_questions(struct asking *, struct arena *);
/* Waits for the answers; true when there is one, and the document is to be
 * validated again. */
bool asking_wait(struct asking *, struct term_questions *);

#endif
