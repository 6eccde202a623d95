/* base/json_tape.h -- strict reading of JSON: bytes -> a table of contents.
 *
 * A tape is one fixed-size node (16 bytes) per value, in document order, each
 * remembering where its bytes start and end.  It copies nothing and converts
 * nothing: 1.50 stays four bytes of text.
 *
 *     {"a":[1,"x"]}      1 object  2 name a  3 array  4 number  5 string
 *
 * Accepted language: RFC 8259, and less.  A document is refused when two
 * readers could disagree about it (docs/decisions/0004-strict-json.md):
 *   T1  invalid UTF-8, overlong forms, surrogates in UTF-8 (RFC 3629 3)
 *   T2  a byte order mark (RFC 8259 8.1 lets a reader choose; we refuse)
 *   T3  a lone surrogate in \u escapes; \u0000
 *   T4  the same member name twice in one object, compared after unescaping
 *   T5  bytes after the value other than white space
 *   T6  control characters in strings, numbers that RFC 8259 6 does not have,
 *       numbers longer than max_number bytes, exponents that carry a number
 *       past 10^308 or below -308: infinity to one reader, null to the next
 *   T7  depth, bytes or nodes over the limits: refused before memory grows
 * Names that differ from a known FHIR name only in case are refused one layer
 * up, by the validator, which knows the names.
 *
 * Untrusted JSON is read here and nowhere else.
 *
 * Lifetime: the tape lives in the arena; the bytes are borrowed and must
 * outlive it.  A tape is immutable and may be read by several threads.
 * Nothing after the last byte of the body is read: no padding is asked for.
 */
#ifndef SLUICE_BASE_JSON_TAPE_H
#define SLUICE_BASE_JSON_TAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"
#include "base/status.h"

struct tape;
typedef uint32_t tape_node;                    /* 0 is "absent", the root is 1 */

#define TAPE_ABSENT ((tape_node)0)
#define TAPE_ROOT   ((tape_node)1)

enum tape_kind {
    TAPE_NOTHING = 0,                          /* kind of TAPE_ABSENT */
    TAPE_NULL, TAPE_FALSE, TAPE_TRUE, TAPE_NUMBER, TAPE_STRING,
    TAPE_ARRAY, TAPE_OBJECT,
    TAPE_NAME,                                 /* a member's name: the node before its value */
};

struct tape_limits {
    size_t   max_bytes;                        /* never more than TAPE_MAX_BYTES */
    uint32_t max_nodes;
    uint32_t max_depth;                        /* containers inside each other */
    uint32_t max_number;                       /* bytes of one number */
};

/* Offsets are 31 bits. */
#define TAPE_MAX_BYTES    ((size_t)0x7fffffff)
#define TAPE_MAX_EXPONENT 308u
/* 64 MiB, 16 Mi nodes, depth 64, numbers of 128 characters. */
extern const struct tape_limits tape_default_limits;

/* Why a document was refused, and where (byte offset; line and column count
 * from 1, column in bytes).  tape_refusal_text() is one sentence for a human
 * and holds no text of the document. */
/*        name              text                                                            */
#define TAPE_REFUSAL_LIST(X)                                                                 \
    X(NONE,              "the document was read")                                            \
    X(EMPTY,             "there is no JSON value")                                           \
    X(BOM,               "the document starts with a byte order mark; send UTF-8 without it") \
    X(UTF8,              "a string holds bytes that are not valid UTF-8")                    \
    X(CONTROL,           "a string holds a control character that is not escaped")           \
    X(ESCAPE,            "a string holds an escape that JSON does not have")                 \
    X(SURROGATE,         "a \\u escape is half of a surrogate pair")                         \
    X(NUL,               "\\u0000 is not allowed")                                           \
    X(UNTERMINATED,      "the document ends inside a string, an array or an object")         \
    X(NUMBER,            "this is not a number that JSON has")                               \
    X(NUMBER_LENGTH,     "a number has too many characters")                                 \
    X(MAGNITUDE,         "a number is too large or too small for many readers")              \
    X(LITERAL,           "this is neither a value nor true, false or null")                  \
    X(PUNCTUATION,       "a comma, a colon or a bracket is missing or too many")             \
    X(NAME,              "a member name in double quotes is expected here")                  \
    X(DUPLICATE,         "this object has two members of the same name")                     \
    X(TRAILING,          "there are bytes after the end of the JSON value")                  \
    X(DEPTH,             "arrays and objects are nested too deeply")                         \
    X(SIZE,              "the document is too large")                                        \
    X(NODES,             "the document has too many values")                                 \
    X(MEMORY,            "there is not enough memory for this document")

enum tape_refusal {
#define X(name, text) TAPE_REFUSED_##name,
    TAPE_REFUSAL_LIST(X)
#undef X
};

struct tape_error {
    enum tape_refusal why;
    size_t            where;
    uint32_t          line;
    uint32_t          column;
};

/* ST_OK and *out; else *out is NULL and *error says why (error may be NULL).
 * ST_MALFORMED, ST_TOO_LARGE (SIZE, NODES, DEPTH) or ST_NO_MEMORY. */
enum status tape_read(struct span body, const struct tape_limits *, struct arena *,
                      const struct tape **out, struct tape_error *error) MUST_CHECK;
/* The same, with the scalar string scanner; for the test that both give the
 * same tape. */
enum status tape_read_scalar(struct span body, const struct tape_limits *, struct arena *,
                             const struct tape **out, struct tape_error *error) MUST_CHECK;
const char *tape_refusal_text(enum tape_refusal);
const char *tape_refusal_name(enum tape_refusal);

struct span    tape_body(const struct tape *);
uint32_t       tape_count(const struct tape *);              /* nodes, the root included; last node is count */
enum tape_kind tape_kind(const struct tape *, tape_node);
const char    *tape_kind_name(enum tape_kind);               /* "object", "string" … */

/* Walking.  Of an object, first and next hand out the members' values;
 * tape_name() of a value is its name node.  All take TAPE_ABSENT and give it. */
tape_node tape_first(const struct tape *, tape_node container);
tape_node tape_next(const struct tape *, tape_node sibling);
tape_node tape_name(const struct tape *, tape_node value);   /* ABSENT for items and the root */
tape_node tape_member(const struct tape *, tape_node object, struct span name);
tape_node tape_item(const struct tape *, tape_node array, uint32_t index);
uint32_t  tape_index(const struct tape *, tape_node container, tape_node child);   /* which one it is, from 0 */
uint32_t  tape_children(const struct tape *, tape_node container);   /* members or items */
/* The first node behind this value and all that is inside it: a subtree is
 * the half-open range node .. tape_after(node). */
tape_node tape_after(const struct tape *, tape_node);
/* parents[n] is the container of node n (of a name: its object), parents[1]
 * is 0; count + 1 entries.  Built on request, O(nodes).  NULL: arena spent. */
const tape_node *tape_parents(const struct tape *, struct arena *);

/* Bytes as received: of a string or name without its quotes, escapes as they
 * came.  Never compare these: use the functions below (condition 3 of the
 * design: escapes hide codes).  A lint bans tape_raw in consent/. */
struct span tape_raw(const struct tape *, tape_node);
/* All bytes of the value, quotes and brackets included: what gets cut. */
struct span tape_extent(const struct tape *, tape_node);
size_t      tape_offset(const struct tape *, tape_node);
bool        tape_escaped(const struct tape *, tape_node);    /* string has a backslash */
bool        tape_integer(const struct tape *, tape_node);    /* number without . e E */

/* Text after unescaping.  tape_text borrows the body when there is no escape
 * and copies into the arena otherwise; empty for anything but strings and
 * names. */
bool        tape_text_eq(const struct tape *, tape_node, struct span unescaped);
struct span tape_text(const struct tape *, tape_node, struct arena *);
/* Member lookup and text in one: empty when absent or not a string. */
struct span tape_member_text(const struct tape *, tape_node object, struct span name, struct arena *);

/* A number for a member's name: equal names (after unescaping) have equal keys,
 * most others differ.  For tables that know many names; compare the text as
 * well.  The tape has it at hand, so it costs nothing. */
uint32_t    tape_key(const struct tape *, tape_node name);
uint32_t    tape_key_of(struct span unescaped);

/* Line and column of an offset, counted from 1. */
void tape_line_column(struct span body, size_t offset, uint32_t *line, uint32_t *column);

#endif
