/* consent/text_fold.h -- text as a stream of plain characters.
 *
 * What a reader sees as "heroin" may be stored as "Her&#111;in", "he<b>roin</b>",
 * with a soft hyphen or a zero-width space inside, in full-width or Cyrillic letters
 * that look the same.  The stream hands out lower-case ASCII:
 *
 *   letters and digits   folded: case, accents, full width, mathematical alphabets, homoglyphs
 *   ' '                  white space of any kind, and the edge of an inline thing that splits words
 *   '\n'                 end of a line or of a block element (p, div, li, td, br ...)
 *   punctuation          as it is, dashes as '-', quotes as '\''
 *   FOLD_OTHER           a letter that folds to none of these
 *
 * Invisible characters (Unicode Cf, combining marks) are not handed out at
 * all.  In markup tags are not handed out; what stands in tags and comments
 * is text of its own: fold_aside().
 *
 * A text that hides or turns some of itself (text_hidden.h; U+202E) has a
 * second reading: fold_over_seen() hands out what is seen, hidden elements left
 * out and turned runs the other way round; what is hidden is text of its own:
 * fold_hidden().  Whether it is needed is known behind the first: fold.seen_otherwise.
 */
#ifndef SLUICE_CONSENT_TEXT_FOLD_H
#define SLUICE_CONSENT_TEXT_FOLD_H

#include <stdint.h>

#include "base/span.h"

enum fold_form {
    FOLD_PLAIN  = 0,
    FOLD_MARKUP = 1,                     /* XHTML, HTML, XML */
    FOLD_URI    = 2,                     /* percent escapes; CamelCase splits */
};

#define FOLD_TURNED_MAX 512              /* a longer turned run is turned piece by piece, parted at a blank */
#define FOLD_END   (-1)
#define FOLD_OTHER 0x7f

struct fold_turned { char at[FOLD_TURNED_MAX]; };        /* capitals are capitals here */

struct fold {
    struct span text;
    size_t      at;                      /* of the next character */
    size_t      start;                   /* of the one handed out last */
    enum fold_form form;
    int         pending;                 /* a character that waits behind a split; 0 none */
    bool        upper;                   /* the last one was a capital */
    bool        was_lower;
    bool        seen_otherwise;          /* something so far is hidden or turned */
    struct fold_turned *turned;          /* of the second reading; NULL in the first */
    uint16_t    turned_left;             /* of *turned that is not handed out yet */
    size_t      turned_from, turned_to;  /* the run that it is, in the text */
    size_t      turned_end;              /* of a turned element; 0: none is open */
};

struct fold fold_over(struct span, enum fold_form);
/* The second reading; copies of the fold share *turned, and may look one character ahead. */
struct fold fold_over_seen(struct span, enum fold_form, struct fold_turned *);
int         fold_next(struct fold *);
/* Whether text of unknown form holds markup. */
bool        fold_looks_marked_up(struct span);

/* The next inside of a tag that is more than a name, of a comment or of a processing
 * instruction behind *at; false at the end. */
bool        fold_aside(struct span text, size_t *at, struct span *aside);
/* The next inside of an element that is hidden, behind *at; false at the end. */
bool        fold_hidden(struct span text, size_t *at, struct span *inside);
/* Behind the tag, comment or beginning of CDATA that stands at `at`. */
size_t      fold_tag_end(struct span text, size_t at);

#endif
