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
 */
#ifndef SLUICE_CONSENT_TEXT_FOLD_H
#define SLUICE_CONSENT_TEXT_FOLD_H

#include "base/span.h"

enum fold_form {
    FOLD_PLAIN  = 0,
    FOLD_MARKUP = 1,                     /* XHTML, HTML, XML */
    FOLD_URI    = 2,                     /* percent escapes; CamelCase splits */
};

#define FOLD_END   (-1)
#define FOLD_OTHER 0x7f

struct fold {
    struct span text;
    size_t      at;                      /* of the next character */
    size_t      start;                   /* of the one handed out last */
    enum fold_form form;
    int         pending;                 /* a character that waits behind a split; 0 none */
    bool        upper;                   /* the last one was a capital */
    bool        was_lower;
};

struct fold fold_over(struct span, enum fold_form);
int         fold_next(struct fold *);
/* Whether text of unknown form holds markup. */
bool        fold_looks_marked_up(struct span);

/* The next inside of a tag that is more than a name, of a comment or of a processing
 * instruction behind *at; false at the end. */
bool        fold_aside(struct span text, size_t *at, struct span *aside);

#endif
