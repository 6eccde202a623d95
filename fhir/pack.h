/* fhir/pack.h -- FHIR definitions as tables in one mapped block of bytes.
 *
 * StructureDefinitions, ValueSets and CodeSystems of FHIR packages are
 * compiled once (fhir/package.h) into a pack: position independent, sorted
 * tables with a header, a version and a SHA-256 of the sources, ready to be
 * mapped read-only and shared by all threads.  The validator runs these
 * tables and never reads definitions as JSON.
 *
 * A pack from another format version, of a wrong length or with an offset out
 * of bounds is refused by pack_open: every offset is checked once, there.
 */
#ifndef SLUICE_FHIR_PACK_H
#define SLUICE_FHIR_PACK_H

#include "base/arena.h"
#include "base/span.h"
#include "base/status.h"

struct pack;

/* The bytes are borrowed and must outlive the pack.  ST_INTEGRITY when they
 * are not a pack of this version. */
enum status pack_open(struct span bytes, struct arena *, const struct pack **out) MUST_CHECK;

#endif
