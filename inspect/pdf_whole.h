/* inspect/pdf_whole.h -- the same PDF with nothing hidden: what poppler says of it is text that a page need not show.
 *
 * Text by a composite font is numbers that only its ToUnicode makes letters of, and
 * poppler alone reads those.  What poppler leaves out nobody would see: text off the page or outside its
 * CropBox, of a layer that is off, of a note's appearance, of a form that no page draws.  So qpdf
 * writes the document again: pages without end, no layers, and each form on a page of its own.
 */
#ifndef SLUICE_INSPECT_PDF_WHOLE_H
#define SLUICE_INSPECT_PDF_WHOLE_H

#include <qpdf/qpdf-c.h>

#include "base/span.h"

/* Changes the document.  `forms`: an array of the form XObjects.  The bytes are q's; empty: it could not be written. */
struct span pdf_whole(qpdf_data q, qpdf_oh forms);

#endif
