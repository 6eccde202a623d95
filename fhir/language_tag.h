/* fhir/language_tag.h -- language tags of BCP 47 (RFC 5646).
 *
 *     en   pt-BR   zh-Hant-TW   sl-rozaj-biske   de-CH-1901   x-local
 *
 * Well-formed by the grammar of RFC 5646 2.1, and valid by 2.2.9: every
 * language, extended language, script, region and variant is in the IANA
 * registry (fhir/term_languages.def) or in a range for private use, no variant
 * and no singleton comes twice.  Case does not count (2.1.1).  Not asked: what follows a
 * singleton, and whether a variant suits its prefix (a SHOULD).
 */
#ifndef SLUICE_FHIR_LANGUAGE_TAG_H
#define SLUICE_FHIR_LANGUAGE_TAG_H

#include <stdbool.h>

#include "base/span.h"

bool language_tag_good(struct span);

#endif
