/* inspect/pdf_fonts.h -- whether a font says which letters it draws (ISO 32000-1, 9.10.2).
 *
 * Without ToUnicode a code is a letter only by its encoding: a composite font
 * has glyph numbers; of a simple one the names of `Differences` may be numbers in
 * disguise (/g23, /a65); a Type 3 font without names draws anything; an
 * embedded symbolic TrueType font without an encoding has codes of its own.
 */
#ifndef SLUICE_INSPECT_PDF_FONTS_H
#define SLUICE_INSPECT_PDF_FONTS_H

#include <qpdf/qpdf-c.h>
#include <stdbool.h>

bool pdf_font_speaks(qpdf_data, qpdf_oh font);
/* "/eacute", "/uni00E9", "/afii10017"; not "/g23". */
bool pdf_glyph_speaks(const char *name);

#endif
