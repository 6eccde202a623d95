/* tests/support/twin.h -- templates -> a Bundle and its twin (tests/consent/twins/README.md).
 *
 * Written without any of the code under test but the tape, which reads the
 * templates: the twin is printed, not cut.
 */
#ifndef SLUICE_TESTS_SUPPORT_TWIN_H
#define SLUICE_TESTS_SUPPORT_TWIN_H

#include "tests/support/check.h"

#include "base/json_tape.h"

struct twin_style {
    uint64_t seed;
    bool     pretty;                     /* a line a value, indented                      */
    unsigned indent;
    bool     spaced;                     /* white space around colons                     */
    unsigned references;                 /* 0 relative, 1 absolute, 2 urn:uuid            */
    bool     long_ids;                   /* UUIDs                                         */
    bool     roomy;                      /* white space before commas and closing brackets    */
    bool     escapes;                    /* some characters as \u00XX                     */
    uint32_t turn;                       /* entries begin with this one                   */
};

struct twin_style twin_style_of(uint64_t seed);
/* "$S3" of a seed: what may not be found; "$K3": what must be found. */
struct span twin_token(struct arena *, uint64_t seed, char kind, char digit);
/* The Bundle (hidden parts in) or the twin (hidden parts out). */
struct span twin_print(const struct tape *, tape_node, const struct twin_style *, bool hidden, struct arena *);

/* Whether the text is found in any reading of the bytes: as it is, in base64,
 * gzip, UTF-16, percent, JSON escapes, entities, between tags. */
bool twin_finds(struct span bytes, struct span token, struct arena *);

#endif
