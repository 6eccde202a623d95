/* fhir/xhtml.h -- the text of a narrative, by whitelist.
 *
 * R4 narrative.html: a Narrative's div is one XHTML <div> with the elements
 * and attributes of fhir/xhtml.def, and nothing that acts.  One pass over the
 * unescaped text, with a fixed stack and no memory of its own.
 *
 *   FORM     well-formed XML (XML 1.0): one <div xmlns="http://www.w3.org/1999/xhtml">
 *            and nothing beside it but comments; tags that match, attributes
 *            once and in quotes, no control characters; at most XHTML_DEPTH
 *            elements inside each other.  Of the entities XML's own five and
 *            numbers: &nbsp; is none.  No "]]>" in text, no DOCTYPE, no
 *            processing instruction.
 *   TXT_1    elements and attributes of the whitelist, no block in a <p>
 *   URL      a link or an image has a URL (RFC 3986): not empty, white space and
 *            quotes escaped; data: in base64 (RFC 2397)
 *   PLACE    each where HTML 4.0 has it: an <li> in a list, a <td> in a row, no
 *            block inside of a line.  R4 says what a narrative may have and not
 *            where: no reason to refuse it, and the first alone is told
 *   TXT_2    some text that is not white space, or an image
 *   ACTIVE   no script in disguise: no <script>, <iframe> … and no on*
 *            attribute; no javascript:, vbscript: or data: URL, data: images
 *            excepted; no style that imports or computes; no comment or CDATA
 *            that an HTML reader ends earlier than an XML reader does
 *
 * Comments and CDATA sections are taken otherwise, as text is.
 */
#ifndef SLUICE_FHIR_XHTML_H
#define SLUICE_FHIR_XHTML_H

#include "base/span.h"

#define XHTML_DEPTH       128u
#define XHTML_MOST_FAULTS 8u
#define XHTML_NAMESPACE   "http://www.w3.org/1999/xhtml"

enum xhtml_rule { XHTML_FORM = 0, XHTML_TXT_1, XHTML_TXT_2, XHTML_ACTIVE, XHTML_URL, XHTML_PLACE };

struct xhtml_fault {
    enum xhtml_rule rule;
    uint32_t        offset;              /* bytes into the text                       */
    const char     *wanted;              /* "want …", static                          */
    struct span     name;                /* of the element or attribute, where HTML has it; may be empty */
};

/* After a FORM fault the rest is not looked at.  What the narrative says about
 * its language is there without a fault as well; borrowed from it. */
struct xhtml_faults {
    uint32_t           count;            /* kept; there may have been more */
    struct xhtml_fault at[XHTML_MOST_FAULTS];
    struct span        lang, xml_lang;   /* of the div; may be empty              */
    bool               sections;         /* a <div> right inside of it has either */
};

/* Called for each link to "#x" and each id or name that one may lead to (the
 * texts borrow the narrative); ones with a character reference inside are left
 * out. */
struct xhtml_anchors {
    void (*met)(void *with, struct span name, bool link);
    void *with;
};

/* True when there is no fault but PLACE.  faults and anchors may be NULL.  FHIRPath's
 * htmlChecks() is this answer. */
bool xhtml_check(struct span text, struct xhtml_faults *, const struct xhtml_anchors *);

#endif
