/* gateway/cli/progress.c -- a bar on stderr while many things are done. */
#include "gateway/cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BAR_WIDTH = 24 };

double
progress_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void
progress_open(struct progress *p, const char *doing, const char *bad_word, size_t total)
{
    *p = (struct progress){ .doing = doing, .bad_word = bad_word, .total = total, .begun = progress_seconds(),
                            .shown = total >= PROGRESS_FEWEST && isatty(STDERR_FILENO) == 1 };
}

void
progress_step(struct progress *p, size_t done, size_t bad)
{
    char   bar[BAR_WIDTH + 1];
    double now = p->shown ? progress_seconds() : 0;

    if (!p->shown || now - p->drawn < 0.1)
        return;
    size_t filled = done < p->total ? done * BAR_WIDTH / p->total : BAR_WIDTH;
    memset(bar, '-', BAR_WIDTH);
    memset(bar, '#', filled);
    bar[BAR_WIDTH] = '\0';
    p->drawn = now;
    fprintf(stderr, "\r%s [%s] %zu/%zu  %.0f/s  %zu %s\x1b[K", p->doing, bar, done, p->total,
            now > p->begun ? (double)done / (now - p->begun) : 0.0, bad, p->bad_word);
    fflush(stderr);
}

void
progress_close(struct progress *p)
{
    if (p->shown && p->drawn > 0)
        fputs("\r\x1b[K", stderr);
    fflush(stderr);
    p->shown = false;
}
