/* consent/text_hidden.h -- what markup hides from a reader's eye, or turns around.
 *
 * "her<span style="display:none">x</span>oin" is heroin to whoever sees it, and
 * "&#x202E;nioreh&#x202C;" too.  The fold reads such a text twice: as it is
 * stored, and as it is seen (text_fold.h).
 *
 *   H1  Hidden is the inside of an element with the attribute `hidden`; with a
 *       style of display:none, visibility:hidden or collapse, opacity 0, a color
 *       that is transparent, a font, width or height of 0, a negative indent or
 *       offset, a clip; of script, style and template.  Comments, escapes and
 *       entities in a style are read as a browser reads them.
 *   H2  Turned is the inside of `bdo dir="rtl"` and of a style with
 *       unicode-bidi: bidi-override and direction: rtl.
 *   H3  An element that is not closed reaches to the end.  One of nothing
 *       (`<br/>`) hides nothing.
 *
 * In doubt something counts as hidden: it is read all the same, and what is
 * seen without it as well.  Sources: CSS 2.2, CSS Fonts 4, CSS Writing Modes 4,
 * HTML "hidden", Unicode UAX #9 (RLO).
 */
#ifndef SLUICE_CONSENT_TEXT_HIDDEN_H
#define SLUICE_CONSENT_TEXT_HIDDEN_H

#include <stdint.h>

#include "base/span.h"

enum hiding { HIDING_NONE = 0, HIDING_HIDDEN, HIDING_TURNED };

/* Of a start tag, by what stands between '<' and '>'. */
enum hiding hiding_of(struct span tag);
/* The next start tag behind *at that hides or turns something; *at is where it stands,
 * or the end of the text. */
enum hiding hiding_next(struct span text, size_t *at);
/* Where the element ends whose start tag stands at `start` and ends at `behind`:
 * *inside is what it holds; returns the offset behind its end tag. */
size_t      hiding_element(struct span text, size_t start, size_t behind, struct span *inside);

#endif
