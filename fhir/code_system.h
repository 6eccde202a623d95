/* fhir/code_system.h -- which code system a Coding means, and the plain form of its code.
 *
 * Senders write one system in many ways: URL, OID, URN, an old URL, http for
 * https, a slash at the end, a version behind `|`, the two letters of HL7 v2.
 * All spellings of one system give one enum; rows of code_system.def.
 *
 * A code has one plain form in a system: no dot in ICD ("F11.20" is "F1120"), upper
 * case, no white space, no bytes outside of ASCII (zero-width characters hide
 * codes), revenue codes with four digits.
 *
 * Two systems carry a check digit that a spreadsheet or a typist breaks:
 *   SNOMED CT  Verhoeff over the whole SCTID (SNOMED CT Technical Guide 5.6)
 *   LOINC      mod 10 over the digits before the hyphen (LOINC Users' Guide, app. C)
 */
#ifndef SLUICE_FHIR_CODE_SYSTEM_H
#define SLUICE_FHIR_CODE_SYSTEM_H

#include "base/span.h"

enum code_system {
    CODE_SYSTEM_UNKNOWN = 0,
#define CODE_SYSTEM(name, plain, url) CODE_SYSTEM_##name,
#define ALIAS(name, key)
#include "fhir/code_system.def"
#undef CODE_SYSTEM
#undef ALIAS
    CODE_SYSTEM_COUNT
};

/* CODE_SYSTEM_UNKNOWN for an empty or a foreign URI. */
enum code_system code_system_of(struct span uri);
const char      *code_system_name(enum code_system);     /* "ICD-10-CM" */
const char      *code_system_url(enum code_system);      /* "http://hl7.org/fhir/sid/icd-10-cm" */

/* The plain form of a code.  A code longer than CODE_MAX folds to nothing. */
#define CODE_MAX 24
struct code { char text[CODE_MAX]; uint8_t length; };

struct code code_fold(enum code_system, struct span code);
struct span code_span(const struct code *);

/* The system that a code of this shape can only belong to, UNKNOWN when the
 * shape says nothing (RxNorm and CPT are just digits).  For a code without a system, in
 * a local system, or in one whose codes look different. */
enum code_system code_shape(struct span code);
/* False when the code cannot be one of this system: wrong characters, wrong
 * length, wrong check digit. */
bool             code_well_formed(enum code_system, struct span code);
bool             code_check_snomed(struct span digits);
bool             code_check_loinc(struct span code);     /* "17856-6" */
/* National Provider Identifier: ten digits, Luhn over 80840 + NPI (45 CFR 162.406). */
bool             code_check_npi(struct span digits);

#endif
