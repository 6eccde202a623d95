/* fhir/fhirpath_program.h -- what a compiled FHIRPath expression is; private to fhirpath*.c.
 *
 *     header | instructions | texts
 *
 * An instruction is 24 bytes and names its operands by index; operands come
 * before what uses them, so a program is a tree without circles, and its depth
 * is known before it runs.  Instruction 0 is $this.  The last one is the whole
 * expression.  Offsets of texts count from the first byte of the texts; a
 * text ends in a NUL as well.  A member name lies behind an underscore, so that the name
 * of its shadow is there, too, with the keys of both.
 */
#ifndef SLUICE_FHIR_FHIRPATH_PROGRAM_H
#define SLUICE_FHIR_FHIRPATH_PROGRAM_H

#include <stdint.h>

#include "base/span.h"

enum fhirpath_op {
    FHIRPATH_OP_THIS = 0,
    FHIRPATH_OP_INDEX, FHIRPATH_OP_TOTAL,            /* $index, $total                       */
    FHIRPATH_OP_EMPTY, FHIRPATH_OP_TRUE, FHIRPATH_OP_FALSE,
    FHIRPATH_OP_INTEGER,                             /* arg[0], arg[1]: low and high word    */
    FHIRPATH_OP_DECIMAL,                             /* text, as the next ones               */
    FHIRPATH_OP_STRING,
    FHIRPATH_OP_MOMENT,                              /* what: enum moment_kind               */
    FHIRPATH_OP_QUANTITY,                            /* text; arg[0], arg[1]: unit and its
                                                      * length; what: it is a calendar word  */
    FHIRPATH_OP_VARIABLE,                            /* text; what: enum fhirpath_known      */
    FHIRPATH_OP_NAME,                                /* input, text; arg[0], arg[1]: keys of
                                                      * the name and of its shadow;
                                                      * what: 1 in front of a path           */
    FHIRPATH_OP_ITEM,                                /* input[arg[0]]                        */
    FHIRPATH_OP_TYPE,                                /* input, text; what: enum fhirpath_cast;
                                                      * arg[0]: namespace; arg[1]: key       */
    FHIRPATH_OP_CALL,                                /* input, what: function, arguments     */
    FHIRPATH_OP_BINARY,                              /* input, arg[0]; what: enum            */
    FHIRPATH_OP_NEGATE, FHIRPATH_OP_PLUS,            /* input                                */
    FHIRPATH_OPS
};

struct fhirpath_instruction {
    uint8_t  op, what;
    uint16_t length;                     /* of the text; of a call: arguments, and from bit 8 on
                                          * which ones sort() takes in descending order */
    uint16_t where;                      /* in the source            */
    uint8_t  depth;                      /* one more than its operands' */
    uint8_t  spare;
    uint32_t input;
    uint32_t arg[3];                     /* arg[2]: offset of the text; of matches() and replaceMatches()
                                          * with a literal: the compiled expression */
};
_Static_assert(sizeof(struct fhirpath_instruction) == 24, "an instruction is 24 bytes");

#define FHIRPATH_ARGUMENTS 0xffu

enum fhirpath_cast      { FHIRPATH_IS = 1, FHIRPATH_IS_FUNCTION, FHIRPATH_AS, FHIRPATH_OF_TYPE };
enum fhirpath_namespace { FHIRPATH_ANY_NAMESPACE = 0, FHIRPATH_FHIR, FHIRPATH_SYSTEM };

/* Variables that R4 has; VS and EXT stand in front of a name. */
enum fhirpath_known {
    FHIRPATH_OTHER = 0, FHIRPATH_CONTEXT, FHIRPATH_RESOURCE, FHIRPATH_ROOT_RESOURCE, FHIRPATH_UCUM,
    FHIRPATH_SCT, FHIRPATH_LOINC, FHIRPATH_VS, FHIRPATH_EXT, FHIRPATH_KNOWN
};

/*        name           spelled    binds: the higher, the closer */
#define FHIRPATH_OPERATOR_LIST(X)      \
    X(IMPLIES,        "implies",  1)   \
    X(OR,             "or",       2)   \
    X(XOR,            "xor",      2)   \
    X(AND,            "and",      3)   \
    X(IN,             "in",       4)   \
    X(CONTAINS,       "contains", 4)   \
    X(EQUAL,          "=",        5)   \
    X(NOT_EQUAL,      "!=",       5)   \
    X(EQUIVALENT,     "~",        5)   \
    X(NOT_EQUIVALENT, "!~",       5)   \
    X(LESS,           "<",        6)   \
    X(LESS_EQUAL,     "<=",       6)   \
    X(GREATER,        ">",        6)   \
    X(GREATER_EQUAL,  ">=",       6)   \
    X(UNION,          "|",        7)   \
    X(ADD,            "+",        9)   \
    X(SUBTRACT,       "-",        9)   \
    X(CONCATENATE,    "&",        9)   \
    X(MULTIPLY,       "*",        10)  \
    X(DIVIDE,         "/",        10)  \
    X(DIV,            "div",      10)  \
    X(MOD,            "mod",      10)
#define FHIRPATH_BINDS_IS 8

enum fhirpath_operator {
    FHIRPATH_NO_OPERATOR = 0,
#define X(name, text, binds) FHIRPATH_OPERATOR_##name,
    FHIRPATH_OPERATOR_LIST(X)
#undef X
    FHIRPATH_OPERATORS
};

enum fhirpath_function {
#define FUNCTION(name, text, least, most) FHIRPATH_FUNCTION_##name,
#include "fhir/fhirpath_functions.def"
#undef FUNCTION
    FHIRPATH_FUNCTIONS
};

#define FHIRPATH_MAGIC             0x31505046u       /* "FPP1" read as little-endian */
#define FHIRPATH_MOST_INSTRUCTIONS 0xffffu

struct fhirpath_header {
    uint32_t magic, length;              /* of the whole program, a multiple of 4 */
    uint32_t count, texts;               /* instructions; bytes of the texts      */
    uint32_t source, source_length;
};

static inline const struct fhirpath_header *
fhirpath_header_of(struct span program)
{
    return (const void *)program.at;
}

static inline const struct fhirpath_instruction *
fhirpath_code_of(const struct fhirpath_header *h)
{
    return (const void *)(h + 1);
}

static inline const char *
fhirpath_texts_of(const struct fhirpath_header *h)
{
    return (const char *)(fhirpath_code_of(h) + h->count);
}

#endif
