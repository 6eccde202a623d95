/* inspect/readers.h -- one document in, text and inner documents out.
 *
 * Conservative: what a viewer shows, and what it does not show but holds:
 * hidden text, attributes, comments, annotations, form values, scripts,
 * metadata.  Text that one reader sees and another does not is in the answer.
 * Whatever of a document cannot be read makes it unreadable; what was read of it is
 * in the answer all the same.
 *
 *   packed   zlib     gzip and zlib, to ATTACHMENT_MAX_INFLATED; a document inside
 *   markup   libxml2  text with words put together across tags, attributes, comments; no
 *                     network, no DTD, no entities; one that declares entities is unreadable
 *   pdf      poppler  the text of each page, by its fonts' own tables; again with nothing hidden (pdf_whole.h)
 *            qpdf     every string and stream that can be reached: annotations, form fields,
 *                     outlines, actions, metadata, files inside
 *            ours     what content streams say literally, off the page and in earlier versions
 *   rtf      ours     consent/attachment_rtf.c
 *
 * Not sandboxed themselves: main.c does that before it calls them.
 */
#ifndef SLUICE_INSPECT_READERS_H
#define SLUICE_INSPECT_READERS_H

#include "inspect/frame.h"

void read_document(enum document_form, struct span bytes, struct answer *);
/* What the libraries load when first used, while it may still be loaded. */
void readers_warm(void);

void packed_read(struct span bytes, struct answer *);
void markup_read(struct span bytes, const char *encoding, struct answer *);    /* NULL: as declared */
void markup_warm(void);
void pdf_read(struct span bytes, struct answer *);
void pdf_warm(struct span pdf);           /* borrowed for good */
void rtf_read(struct span bytes, struct answer *);

#endif
