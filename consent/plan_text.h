/* consent/plan_text.h -- the readings of one text.
 *
 * "meth&#97;done", "metha<b>done</b>", "meth%61done" and "meth\u0061done" all
 * show the same word to somebody.  Whoever looks for a word looks at every
 * reading: as it is, with entities resolved, with tags taken out (inline tags
 * join, block tags part), percent-decoded (RFC 3986 2.1), with JSON escapes
 * resolved; and at the readings of these, at most TEXT_MAX_DEPTH deep.  Of the
 * first two depths also as it is seen: without what is hidden, and with what is
 * turned the other way round (text_hidden.h).
 *
 * Tags stay in the reading as it is, so attributes and comments are seen too.
 */
#ifndef SLUICE_CONSENT_PLAN_TEXT_H
#define SLUICE_CONSENT_PLAN_TEXT_H

#include "base/arena.h"
#include "base/span.h"

#define TEXT_MAX_DEPTH 4
#define TEXT_MAX_UNPACKED ((size_t)8 << 20)     /* of one attachment, all layers together */

/* Answers false when enough is known: no further reading is made. */
typedef bool text_reading(void *with, struct span text);

/* False when a reading answered false.  Readings live in the arena, which the
 * caller may reset afterwards. */
bool text_readings(struct span text, struct arena *scratch, text_reading *, void *with);

/* Inline tags taken out, block tags as spaces; the text itself when there is no tag. */
struct span text_without_tags(struct span text, struct arena *scratch);

/* Words that are written together, apart: "OakRecoveryLetter2026" has four.  False
 * when there are none, or the arena is spent. */
bool text_apart(struct span text, struct arena *scratch, struct span *out);

/* The telephone numbers of a text as words, "tel5550100199": the last ten digits of ten
 * to fifteen, or seven written as three and four; separated by spaces, dots, hyphens,
 * parentheses and slashes, glued to no letter.  False when there are none. */
bool text_phones(struct span text, struct arena *scratch, struct span *out);

/* What an attachment says: base64 (RFC 4648, also the URL alphabet, with or
 * without padding and white space), gzip and zlib unpacked, UTF-16 as UTF-8, the text of RTF and
 * PDF; everything else as it is, and base64 inside of it once more.  Each is
 * read in all its readings.  False when a reading answered false. */
bool text_attachment(struct span base64, struct arena *scratch, text_reading *, void *with);

/* A mark that is hardly written twice by chance: eight or more letters and
 * digits, three digits or several changes between letters and digits.  COVID-19
 * and SARS-CoV-2 are none, nor is a date or a number. */
bool     text_unusual(struct span);
/* A single word that many records share ("visit", "normal"). */
bool     text_common(struct span);
unsigned text_words(struct span);

#endif
