/* fhir/pack.h -- FHIR definitions as tables in one mapped block of bytes.
 *
 * StructureDefinitions, ValueSets and CodeSystems of FHIR packages are
 * compiled once (fhir/package.h) into a pack: position independent tables
 * with a header, a version, a checksum and the SHA-256 of the sources, ready
 * to be mapped read-only and shared by all threads.  The validator runs these
 * tables and never reads definitions as JSON.
 *
 * A pack from another format version, of a wrong length, with a wrong
 * checksum or with an offset out of bounds is refused by pack_open: every
 * offset is checked once, there, so that a walk need not look again.
 *
 * What lies where: fhir/pack_format.h.
 */
#ifndef SLUICE_FHIR_PACK_H
#define SLUICE_FHIR_PACK_H

#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"
#include "base/status.h"

struct pack;

/* The bytes are borrowed, must outlive the pack and begin on a multiple of 8
 * (a mapping, an arena).  ST_INTEGRITY when they are not a pack of this
 * version. */
enum status pack_open(struct span bytes, struct arena *, const struct pack **out) MUST_CHECK;

/* "hl7.fhir.r4.core#4.0.1": what it was compiled from; and its SHA-256, as 32
 * bytes. */
/* A number for these very bytes: another pack has another. */
uint64_t    pack_identity(const struct pack *);
struct span pack_about(const struct pack *);
struct span pack_sources(const struct pack *);

/* Definitions, for listings and tests. */
enum pack_kind { PACK_KIND_NONE = 0, PACK_KIND_PRIMITIVE, PACK_KIND_COMPLEX, PACK_KIND_RESOURCE };

uint32_t       pack_count(const struct pack *);
struct span    pack_name(const struct pack *, uint32_t index);             /* "Patient" */
struct span    pack_url(const struct pack *, uint32_t index);
enum pack_kind pack_kind(const struct pack *, uint32_t index);
bool           pack_abstract(const struct pack *, uint32_t index);
/* The type that a profile or type of this canonical url ("url|version" too) is
 * for: "Observation"; empty when there is none. */
struct span    pack_profile_type(const struct pack *, struct span canonical);
/* Whether this is the name of a resource type that a document may have. */
bool           pack_resource_named(const struct pack *, struct span name);

#endif
