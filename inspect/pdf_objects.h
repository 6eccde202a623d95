/* inspect/pdf_objects.h -- every string and every stream that a PDF's trailer leads to.
 *
 * What a viewer can show and no page's text says: annotations, form values, outlines,
 * layers, alternative and actual text, actions and scripts, XFA, Info and XMP, file names
 * and the files inside.  Objects are met once; the walk has a stack of its own.
 *
 *   strings          as text, UTF-16 and PDFDocEncoding resolved (7.9.2)
 *   names, keys      as text, each once or so: destinations and fields may be names
 *   content streams  what their operators show (pages, forms, glyphs of Type 3 fonts)
 *   embedded files   as documents of their own (7.11.4)
 *   other streams    as text when they are text: XMP, XFA, scripts, rich text
 *   left out         pictures, font programs, character maps, colour profiles: no text in them
 */
#ifndef SLUICE_INSPECT_PDF_OBJECTS_H
#define SLUICE_INSPECT_PDF_OBJECTS_H

#include <qpdf/qpdf-c.h>

#include "inspect/frame.h"

/* `forms`: an array, to which the form XObjects are added. */
void pdf_objects(qpdf_data, qpdf_oh forms, struct answer *);
/* A part of its own, when there is anything in it. */
void pdf_add_text(struct answer *, struct span);

#endif
