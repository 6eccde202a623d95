/* fhir/pack_snapshots.h -- how snapshots lie in a pack; private like pack_format.h.
 *
 *   SNAPSHOTS        a StructureDefinition each, of every version; versions of
 *                    one url are a chain, the highest first
 *   SNAPSHOT_BYTES   their elements, a JSON array each (fhir/snapshot.h says
 *                    what is left of an element)
 *   SNAPSHOT_SLOTS   hash table over the urls: index + 1 of the first of a chain
 *
 * Only the compiler reads them: a definition that comes on top may rest on any
 * of these.  While the gateway runs nobody looks here.
 */
#ifndef SLUICE_FHIR_PACK_SNAPSHOTS_H
#define SLUICE_FHIR_PACK_SNAPSHOTS_H

#include "fhir/pack_format.h"

/* Versions of one url that a pack may hold. */
#define PACK_SNAPSHOT_VERSIONS 64u

struct pack_snapshot {
    struct pack_text url, version, type, base;   /* base: baseDefinition              */
    struct pack_text derivation, kind;           /* "constraint", "complex-type"      */
    uint32_t         first, length;              /* of SNAPSHOT_BYTES                 */
    uint32_t         next;                       /* another version, PACK_NONE: the last */
    uint32_t         abstract;
};

bool pack_snapshots_good(const struct pack *);

/* The highest version when `version` is empty; NULL when there is none. */
const struct pack_snapshot *pack_snapshot_named(const struct pack *, struct span url, struct span version);

#endif
