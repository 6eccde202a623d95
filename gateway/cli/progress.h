/* gateway/cli/progress.h -- a bar on stderr while many things are done.
 *
 *     validating [#######-------------] 700/2000  412/s  3 invalid
 *
 * Only on a terminal, only from PROGRESS_FEWEST things on, and drawn at most
 * ten times a second.  It goes when it is over.
 */
#ifndef SLUICE_GATEWAY_CLI_PROGRESS_H
#define SLUICE_GATEWAY_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

#define PROGRESS_FEWEST 5u

struct progress {
    const char *doing, *bad_word;        /* "validating", "invalid" */
    size_t      total;
    double      begun, drawn;            /* seconds, monotonic */
    bool        shown;                   /* nothing is drawn without it */
};

double progress_seconds(void);           /* the clock that it uses */

void progress_open(struct progress *, const char *doing, const char *bad_word, size_t total);
void progress_step(struct progress *, size_t done, size_t bad);
void progress_close(struct progress *);

#endif
