/* fhir/datatypes.h -- lexical rules of the R4 primitives, and time ranges.
 *
 * Rules: R4 datatypes.html#primitive and the regexes of the type
 * definitions, read strictly: real dates (leap years, no year 0000), seconds
 * 00..60, zone up to +-14:00, no 24:00.  Decimals stay text.
 */
#ifndef SLUICE_FHIR_DATATYPES_H
#define SLUICE_FHIR_DATATYPES_H

#include <string.h>

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

#define PRIMITIVE_STRING_MAX 1048576u
/* Most values are valid, and not doubtful, at a glance; false says nothing. */
static inline bool primitive_plain(const struct tape *, tape_node, enum primitive);

/* A date, dateTime or instant covers a stretch of time: 2026-11 is the whole
 * month (R4 datatypes.html#dateTime, search.html#date).  Milliseconds since
 * 1970-01-01T00:00:00Z, both ends inclusive.  Text without a zone is read as
 * UTC.  False, *out untouched, when the text is not one of the three. */
struct time_range { int64_t first_ms, last_ms; };
bool time_range_read(struct span text, struct time_range *out);
/* "2026-11-22T15:00:00.000Z" */
struct span time_format(struct arena *, int64_t ms);

/* No byte up to the space: eight at once, the last ones twice.  (Per byte,
 * the high bit of (b - 0x21) & ~b; a borrow comes from a byte that is one.) */
static inline uint64_t
primitive_spaces_in(uint64_t eight)
{
    return (eight - 0x2121212121212121u) & ~eight & 0x8080808080808080u;
}

static inline bool
primitive_one_word(struct span s)
{
    uint64_t eight, spaces = 0;
    uint32_t four;

    if (s.length >= 8) {
        for (size_t i = 0; i + 8 < s.length; i += 8) {
            memcpy(&eight, s.at + i, 8);
            spaces |= primitive_spaces_in(eight);
        }
        memcpy(&eight, s.at + s.length - 8, 8);
        return (spaces | primitive_spaces_in(eight)) == 0;
    }
    if (s.length >= 4) {
        memcpy(&four, s.at, 4);
        eight = four;
        memcpy(&four, s.at + s.length - 4, 4);
        return primitive_spaces_in(eight << 32 | four) == 0;
    }
    for (size_t i = 0; i < s.length; i++)
        if ((unsigned char)s.at[i] <= ' ')
            return false;
    return s.length > 0;
}

static inline bool
primitive_plain(const struct tape *t, tape_node node, enum primitive which)
{
    enum tape_kind kind = walk_kind(t, node);

    if (kind != TAPE_STRING || walk_escaped(t, node))
        return (which == PRIMITIVE_DECIMAL && kind == TAPE_NUMBER)
            || (which == PRIMITIVE_BOOLEAN && (kind == TAPE_TRUE || kind == TAPE_FALSE));
    struct span raw = walk_raw(t, node);
    switch (which) {
    case PRIMITIVE_STRING:
    case PRIMITIVE_MARKDOWN:         /* no escape: no control character, which the tape refuses */
        return raw.length > 0 && raw.length <= PRIMITIVE_STRING_MAX && (unsigned char)raw.at[0] > ' ';
    case PRIMITIVE_URI:
    case PRIMITIVE_URL:
    case PRIMITIVE_CANONICAL:        /* one with http: has nothing else to look at */
        return raw.length > 5 && memcmp(raw.at, "http", 4) == 0 && (raw.at[4] == ':' || raw.at[5] == ':')
            && primitive_one_word(raw);
    case PRIMITIVE_CODE:
        return primitive_one_word(raw);
    default:
        return false;
    }
}

#endif
