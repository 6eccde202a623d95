/* base/json_names.h -- two members of one name; private to json_read.c.
 *
 * Rule T4.  A few names are compared each with each, by key.  Many go into a
 * table that is hashed with a key made of all of them, so that the cost is
 * that of reading them a few times more, whatever names a sender thinks up.
 * (A sort is safe, too, and took up to thirty times as long.)
 */
#ifndef SLUICE_BASE_JSON_NAMES_H
#define SLUICE_BASE_JSON_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "base/json_node.h"

/* The members of one object: closed ones, so that every skip is known. */
struct names {
    const char        *body;
    const struct node *nodes;
    uint32_t           object;
    uint32_t           count;
};

/* Scratch that names_twin needs, in bytes; 0 for a few. */
size_t names_scratch(uint32_t count);
/* The later one of two names that are equal after unescaping; 0 when there
 * is none.  The scratch is zero before and after. */
uint32_t names_twin(const struct names *, void *scratch);

/* key_of() for a name with escapes. */
uint64_t names_key_of_escaped(struct span raw);

#endif
