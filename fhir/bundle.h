/* fhir/bundle.h -- a Bundle (or one resource alone) as entries.
 *
 *     tape_read() -> bundle_read() -> references_read() -> labels, decisions …
 *
 * A document that is a single resource reads as a bundle of type
 * BUNDLE_SINGLE with one entry, so that everything behind works on entries.
 * Reading checks only what is needed to walk safely:
 *   the root, and every entry.resource, is an object with a resourceType;
 *   entry is an array of objects; request, response and search are objects.
 * Rules bdl-1..12 are validate's.
 *
 * A resource is recognised by place and form: the root, an item of `contained`
 * or a `resource` or `outcome` member, that is an object with a resourceType.
 * (R4 has resources nowhere else: DomainResource.contained, Bundle.entry,
 * Parameters.parameter, Bundle.entry.response.outcome.)
 *
 * Lifetime: arena; borrows the tape.  Immutable, threads may share it.
 */
#ifndef SLUICE_FHIR_BUNDLE_H
#define SLUICE_FHIR_BUNDLE_H

#include "base/arena.h"
#include "base/json_tape.h"
#include "fhir/issue.h"

enum bundle_type {
    BUNDLE_UNKNOWN = 0,
    BUNDLE_SINGLE,                       /* not a Bundle: one resource */
    BUNDLE_DOCUMENT, BUNDLE_MESSAGE, BUNDLE_TRANSACTION, BUNDLE_TRANSACTION_RESPONSE,
    BUNDLE_BATCH, BUNDLE_BATCH_RESPONSE, BUNDLE_HISTORY, BUNDLE_SEARCHSET, BUNDLE_COLLECTION,
};

#define ENTRY_NONE ((uint32_t)-1)

/* Texts are unescaped and live as long as the arena. */
struct bundle_entry {
    tape_node   entry;                   /* the item of Bundle.entry; ABSENT in SINGLE      */
    tape_node   resource;                /* ABSENT in an entry that has none (a DELETE)     */
    struct span type, id;                /* of the resource; id may be empty.  Without resource:
                                          * what request.url, response.location or fullUrl name */
    struct span full_url;
    tape_node   request, response, search;
    struct span method, url;             /* of request; "POST", "Patient/1"                 */
};

/* The members of an item of any Bundle.entry; ABSENT what it has not. */
struct entry_parts { tape_node full_url, resource, request, response, search; };
struct entry_parts entry_parts(const struct tape *, tape_node item);

struct lookup;                           /* fhir/lookup.h */

struct bundle {
    const struct tape         *tape;
    const tape_node           *parents;  /* tape_parents() */
    enum bundle_type           type;
    tape_node                  root;
    uint32_t                   count;
    const struct bundle_entry *entries;
    const struct bundle_index *index;    /* private */
};

/* ST_MALFORMED with a finding when it cannot be walked. */
enum status bundle_read(const struct tape *, struct arena *, struct issues *,
                        const struct bundle **out) MUST_CHECK;
const char      *bundle_type_text(enum bundle_type);
enum bundle_type bundle_type_named(struct span code);         /* BUNDLE_UNKNOWN: none of R4's nine */

/* Lookup in about constant time; ENTRY_NONE when absent.  With several hits
 * (history, a hostile sender) the first; the next functions give the
 * following ones: of the same fullUrl, of the same type and id. */
uint32_t bundle_find_full_url(const struct bundle *, struct span full_url);
uint32_t bundle_next_full_url(const struct bundle *, uint32_t entry);
uint32_t bundle_find(const struct bundle *, struct span type, struct span id);
uint32_t bundle_next_same(const struct bundle *, uint32_t entry);
/* What the find functions give for the fullUrl, and for the type and id, of an entry. */
uint32_t bundle_first_full_url(const struct bundle *, uint32_t entry);
uint32_t bundle_first_same(const struct bundle *, uint32_t entry);
/* The same for "Type/id" as one text; and the other way round: "Type/id" of
 * an entry, empty when one of the two is missing. */
uint32_t    bundle_find_name(const struct bundle *, struct span type_and_id);
struct span bundle_entry_name(const struct bundle *, uint32_t entry);
/* The same as tables: fullUrl, "Type/id" -> entry. */
const struct lookup *bundle_full_urls(const struct bundle *);
const struct lookup *bundle_names(const struct bundle *);
/* Which entry holds this node; ENTRY_NONE outside of all. */
uint32_t bundle_entry_of(const struct bundle *, tape_node);
/* The nearest resource around a node: a contained one, a nested one, or the
 * entry's.  ABSENT outside of all. */
tape_node bundle_resource_of(const struct bundle *, tape_node);

/* Every resource of the document, in document order: entries' own, contained
 * ones, those inside Parameters and inside Bundles that are entries. */
struct bundle_resource {
    tape_node node;
    uint32_t  up;                        /* index of the resource around it; ENTRY_NONE: the root      */
    uint32_t  container;                 /* index of itself, or when contained of what contains it     */
    bool      contained;                 /* an item of `contained`                                     */
};
uint32_t                      bundle_resources(const struct bundle *);
const struct bundle_resource *bundle_resource_at(const struct bundle *, uint32_t index);
/* Index of the nearest resource around a node; ENTRY_NONE outside of all. */
uint32_t                      bundle_resource_index(const struct bundle *, tape_node);

#endif
