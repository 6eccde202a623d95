/* gateway/ledger/plain.h -- codes in the words of a letter (words.def), in English and in Spanish.
 *
 * Records are written with the English ones, and stay as they are; an accounting says the same again in the language of its reader.
 */
#ifndef SLUICE_GATEWAY_LEDGER_PLAIN_H
#define SLUICE_GATEWAY_LEDGER_PLAIN_H

#include "base/arena.h"

enum language { LANGUAGE_ENGLISH = 0, LANGUAGE_SPANISH };

/* "en", "es", also as the first tag of an Accept-Language ("es-US,es;q=0.9"); false: another. */
bool        language_read(struct span text, enum language *out);
const char *language_tag(enum language);

/* "treatment"; the code itself when unknown. */
struct span plain_purpose(enum language, struct span code);
/* Of codes with blanks between: "treatment, payment for health care". */
struct span plain_purposes(enum language, struct span codes, struct arena *);
/* "conditions"; empty when the type is not known. */
struct span plain_items(enum language, struct span type, uint64_t count);
/* Why the law allowed it, by the number that `basis` begins with; empty when it is not known. */
struct span plain_reason(enum language, struct span basis);

#endif
