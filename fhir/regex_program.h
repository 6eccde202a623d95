/* fhir/regex_program.h -- what a compiled regular expression is; private to regex*.c.
 *
 *     header | instructions | ranges of the classes
 *
 * Jumps count from the instruction itself, so a block may be moved and copied.
 */
#ifndef SLUICE_FHIR_REGEX_PROGRAM_H
#define SLUICE_FHIR_REGEX_PROGRAM_H

#include <stdint.h>

enum regex_op {
    REGEX_MATCH = 0,
    REGEX_CHARACTER,                     /* x: the code point                        */
    REGEX_ANY,
    REGEX_CLASS, REGEX_NOT_CLASS,        /* x: first range, y: how many              */
    REGEX_SPLIT,                         /* go on at x, and when that fails at y     */
    REGEX_JUMP,                          /* x */
    REGEX_SAVE,                          /* x: 2 * group, + 1 at its end             */
    REGEX_START, REGEX_END, REGEX_WORD_EDGE, REGEX_NOT_WORD_EDGE,
    REGEX_OPS
};

struct regex_instruction { uint32_t op; int32_t x, y; };
struct regex_range       { uint32_t first, last; };

#define REGEX_MAGIC 0x31584752u          /* "RGX1" read as little-endian */

struct regex_header {
    uint32_t magic;
    uint32_t instructions, ranges;
    uint32_t any_case;                   /* (?i) */
};

#endif
