/* base/markup.h -- text inside of HTML and XML.
 *
 * What markup would take for itself becomes an entity.  What XML 1.0 (2.2
 * Char) has no place for, control characters and bytes that are not UTF-8,
 * becomes '?': a file name may hold anything.
 */
#ifndef SLUICE_BASE_MARKUP_H
#define SLUICE_BASE_MARKUP_H

#include "base/buf.h"

void markup_text(struct buf *, struct span text);
/* ` name="value"` */
void markup_attribute(struct buf *, const char *name, struct span value);

#endif
