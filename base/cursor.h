/* base/cursor.h -- a sticky reader over a span.
 *
 * For small grammars: dates, headers, HL7 v2.  Every call either takes what
 * it names and moves on, or marks the cursor failed; a failed cursor takes
 * nothing more, so a whole production is read and asked once.
 *
 *     struct cursor c = cursor_over(text);
 *     unsigned year  = cursor_digits(&c, 4);
 *     cursor_expect(&c, '-');
 *     unsigned month = cursor_digits(&c, 2);
 *     return cursor_done(&c);           all taken, nothing failed
 */
#ifndef SLUICE_BASE_CURSOR_H
#define SLUICE_BASE_CURSOR_H

#include <stdbool.h>

#include "base/span.h"

struct cursor {
    struct span rest;
    bool        failed;
};

struct cursor cursor_over(struct span);
bool          cursor_more(const struct cursor *);          /* not failed and bytes left */
char          cursor_peek(const struct cursor *);          /* 0 at the end */
bool          cursor_accept(struct cursor *, char);        /* takes it if it is next */
void          cursor_expect(struct cursor *, char);        /* fails if it is not */
unsigned      cursor_digits(struct cursor *, unsigned count); /* exactly count, 1..9 */
struct span   cursor_until(struct cursor *, char stop);    /* up to stop or the end; stop stays */
struct span   cursor_while(struct cursor *, bool (*member)(char));
bool          cursor_done(const struct cursor *);

#endif
