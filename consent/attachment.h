/* consent/attachment.h -- what an attachment says (rule C7).
 *
 * base64 (RFC 4648, also the URL alphabet), then by what the bytes are, never by
 * what contentType says they are:
 *
 *   gzip, zlib      unpacked, bounded
 *   UTF-16          by its mark or by its zero bytes; UTF-8, Latin-1 and Windows-1252 as they are
 *   RTF             control words gone, \'hh and \uN resolved
 *   XML, HTML       as text, attributes and comments as well: a C-CDA's codes stand in attributes
 *   JSON            read by the tape: codes and all strings
 *   PDF             the text that its streams show, when its fonts say letters; not a picture of a page
 *   base64 inside   again, at most ATTACHMENT_DEPTH deep
 *
 * With a table of what a helper read (consent/inspected.h) packed data, RTF and PDF are
 * read there and nowhere in this process, and of XML and HTML it says what a
 * reader of markup sees, beside the text that we read; what it has not read is
 * unreadable until it has.  Without a table, in tests and fuzzers, they are read here,
 * as well as we can.
 *
 * Everything else (pictures, sound, ZIP, DICOM, encrypted or glyph-coded PDF)
 * and what exceeds the bounds is unreadable.
 */
#ifndef SLUICE_CONSENT_ATTACHMENT_H
#define SLUICE_CONSENT_ATTACHMENT_H

#include "consent/inspected.h"
#include "consent/text.h"

#define ATTACHMENT_DEPTH 4
#define ATTACHMENT_MAX_INFLATED ((size_t)8 << 20)

struct inspection {
    struct text_finding finding;         /* places are not those of the base64 */
    bool                unreadable;
};

/* The `data` of an Attachment, Binary or valueBase64Binary.  *budget: bytes
 * that may still be decoded; nothing of it stays in the arena.  The table may be NULL;
 * what is not in it yet is asked there. */
struct inspection attachment_inspect(struct span base64, const struct text_names *, struct inspected_table *,
                                     struct arena *, size_t *budget);
/* The bytes, in the arena; false when it is not base64, whole. */
bool attachment_decode(struct span base64, struct arena *, struct span *out) MUST_CHECK;
/* Bytes that are decoded already. */
struct inspection attachment_inspect_bytes(struct span bytes, const struct text_names *, struct inspected_table *,
                                           struct arena *, size_t *budget);

/* attachment_pdf.c, attachment_rtf.c: plain text in the arena; false when the
 * document cannot be read. */
bool pdf_text(struct span pdf, struct arena *, size_t *budget, struct span *text);
bool rtf_text(struct span rtf, struct arena *, struct span *text);
/* What the operators of one content stream show, unpacked already. */
bool pdf_content_text(struct span content, struct arena *, size_t *budget, struct span *text);

#endif
