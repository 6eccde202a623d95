/* fhir/bundle_table.h -- every Bundle of a document as a table of entries, and
 * how a reference inside of one resolves.
 *
 * R4 bundle.html#references, as the official validator reads it:
 *   an absolute reference     names the entry whose fullUrl it is;
 *   a relative one            is put behind the base of the fullUrl of its own
 *                             entry ("http://a.org/fhir/Patient/1" has the base
 *                             "http://a.org/fhir/"; a urn:uuid: or urn:oid: has
 *                             its scheme, to which only the id is put);
 *   one with "/_history/v"    wants that meta.versionId as well;
 *   a fragment behind         does not count.
 * A reference resolves in the nearest Bundle around it and in no other.  (What
 * the gateway follows, fhir/reference.h, is wider on purpose: it must find all
 * that could be meant.  Here is only what the standard says is meant.)
 *
 * Linear in entries, constant per reference.  Private to the validator.
 */
#ifndef SLUICE_FHIR_BUNDLE_TABLE_H
#define SLUICE_FHIR_BUNDLE_TABLE_H

#include "fhir/bundle.h"
#include "fhir/lookup.h"

struct bundle_table {
    tape_node                  node;     /* the Bundle */
    enum bundle_type           type;     /* UNKNOWN: another code */
    uint32_t                   count;
    const struct bundle_entry *entries;  /* of an inner Bundle: entry, resource, full_url, type, id */
    const struct lookup       *urls;     /* fullUrl   */
    const struct lookup       *names;    /* "Type/id" */
    const struct lookup       *versions; /* fullUrl + "/_history/" + versionId; made when it is asked for */
};

/* Where a resource is: `table` NULL outside of all Bundles.  A relative
 * reference in it is joined to `base`, or its id alone is (ids); homes with the
 * same number mean the same by the same text, 0: no base. */
struct home {
    struct bundle_table *table;
    uint32_t             entry, number;
    struct span          base;
    bool                 ids;
};

/* Resources first … end - 1 (bundle_resource_at): all of a document, those of
 * one entry, or the root alone. */
struct resource_range { uint32_t first, end; };

struct bundle_tables {
    const struct bundle  *bundle;
    struct resource_range range;
    uint32_t              count;
    struct bundle_table  *all;           /* in document order; the root, too, when it is a Bundle */
    struct home          *homes;         /* of the range; NULL when there is no Bundle            */
};

enum status  bundle_tables_read(const struct bundle *, struct resource_range, struct arena *,
                                struct bundle_tables *out) MUST_CHECK;
const struct home *bundle_tables_home(const struct bundle_tables *, uint32_t resource);
struct home  bundle_table_home(struct bundle_table *, uint32_t entry);      /* without a number */
struct bundle_table *bundle_tables_find(const struct bundle_tables *, tape_node bundle_resource);

enum resolution {
    RESOLUTION_NONE = 0,
    RESOLUTION_ONE,
    RESOLUTION_MANY,                     /* several entries have this fullUrl */
};

/* What a reference in a table's home names; *out is the (first) entry. */
enum resolution bundle_table_resolve(const struct home *, struct span reference, struct arena *, const struct tape *,
                                     uint32_t *out);
/* An entry of this type and id that the rules above do not lead to;
 * ENTRY_NONE when the text is not "Type/id…" or names none. */
uint32_t bundle_table_namesake(const struct bundle_table *, struct span reference, struct arena *);

/* "http://a.org/fhir/Patient/1" -> "http://a.org/fhir/"; empty when the URL is
 * not of that form. */
struct span rest_base(struct span full_url);
/* "scheme:" and something behind it. */
bool        url_absolute(struct span);

#endif
