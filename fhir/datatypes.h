/* fhir/datatypes.h -- lexical rules of the R4 primitives, and time ranges.
 *
 * Rules: R4 datatypes.html#primitive and the regexes of the type
 * definitions, read strictly: real dates (leap years, no year 0000), seconds
 * 00..60, zone up to +-14:00, no 24:00.  Decimals stay text.
 */
#ifndef SLUICE_FHIR_DATATYPES_H
#define SLUICE_FHIR_DATATYPES_H

#include "base/arena.h"
#include "base/json_walk.h"

/*         FHIR name       JSON kind      */
#define PRIMITIVE_LIST(X)                  \
    X(BOOLEAN,      "boolean",      FLAG)  \
    X(INTEGER,      "integer",      NUMBER)\
    X(STRING,       "string",       STRING)\
    X(DECIMAL,      "decimal",      NUMBER)\
    X(URI,          "uri",          STRING)\
    X(URL,          "url",          STRING)\
    X(CANONICAL,    "canonical",    STRING)\
    X(BASE64BINARY, "base64Binary", STRING)\
    X(INSTANT,      "instant",      STRING)\
    X(DATE,         "date",         STRING)\
    X(DATETIME,     "dateTime",     STRING)\
    X(TIME,         "time",         STRING)\
    X(CODE,         "code",         STRING)\
    X(OID,          "oid",          STRING)\
    X(ID,           "id",           STRING)\
    X(MARKDOWN,     "markdown",     STRING)\
    X(UNSIGNEDINT,  "unsignedInt",  NUMBER)\
    X(POSITIVEINT,  "positiveInt",  NUMBER)\
    X(UUID,         "uuid",         STRING)\
    X(XHTML,        "xhtml",        STRING)

enum primitive {
    PRIMITIVE_NONE = 0,
#define X(name, text, kind) PRIMITIVE_##name,
    PRIMITIVE_LIST(X)
#undef X
};

enum primitive primitive_named(struct span fhir_name);       /* PRIMITIVE_NONE: not one */
const char    *primitive_name(enum primitive);
/* Right JSON kind and right lexical form.  *wanted (may be NULL) becomes a
 * static sentence "want …" when it is not. */
bool primitive_valid(const struct tape *, tape_node, enum primitive, struct arena *scratch,
                     const char **wanted);

/* A string or markdown that is valid but SHOULD not be so: white space alone,
 * or control characters other than tab, CR and LF (R4 datatypes.html#string). */
bool primitive_doubtful(const struct tape *, tape_node, enum primitive, struct arena *scratch);

/* Most strings, at a glance: no escape (so no control character either: the
 * tape refuses those), something in front, and not over the limit of R4. */
#define PRIMITIVE_STRING_MAX 1048576u
static inline bool
primitive_plain(const struct tape *t, tape_node node)
{
    struct span raw = walk_raw(t, node);

    return walk_kind(t, node) == TAPE_STRING && !walk_escaped(t, node) && raw.length > 0
        && raw.length <= PRIMITIVE_STRING_MAX && (unsigned char)raw.at[0] > 0x20;
}

/* A date, dateTime or instant covers a stretch of time: 2026-11 is the whole
 * month (R4 datatypes.html#dateTime, search.html#date).  Milliseconds since
 * 1970-01-01T00:00:00Z, both ends inclusive.  Text without a zone is read as
 * UTC.  False, *out untouched, when the text is not one of the three. */
struct time_range { int64_t first_ms, last_ms; };
bool time_range_read(struct span text, struct time_range *out);
/* "2026-11-22T15:00:00.000Z" */
struct span time_format(struct arena *, int64_t ms);

#endif
