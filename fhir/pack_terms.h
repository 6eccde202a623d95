/* fhir/pack_terms.h -- how terminology lies in a pack; private like pack_format.h.
 *
 *   SYSTEMS          one version of a CodeSystem each; versions of one url are a
 *                    chain, the one that counts first
 *   SYSTEM_SLOTS     hash table over the urls: index + 1 of the first of a chain
 *   CONCEPTS         codes, all of one system side by side
 *   CONCEPT_SLOTS    a hash table per system: concept + 1, counted from its first
 *   PARENTS          concepts that a concept is below, side by side
 *   DESIGNATIONS     further displays, sorted by concept
 *   VALUE_SETS, VALUE_SET_SLOTS   as for systems
 *   VALUE_PARTS      of a value set: one system (in one version) each
 *   MEMBERS          a hash table per value set: code -> part and what is said of it
 *
 * A value set is a function from codes to IN, OUT and UNDECIDED.  Per system
 * it is a list of exceptions (MEMBERS) and a fallback for all other codes:
 * OUT (a list), WHOLE (whatever the system has, not expanded) or UNDECIDED;
 * `rest` is the fallback for systems without a part.
 *
 * Texts that are only compared are offsets alone: each ends in NUL.
 */
#ifndef SLUICE_FHIR_PACK_TERMS_H
#define SLUICE_FHIR_PACK_TERMS_H

#include "fhir/pack_format.h"
#include "fhir/terminology.h"

/* Versions of one url that a pack may hold. */
#define PACK_VERSIONS 64u

enum pack_system_flag { SYSTEM_NOCASE = 1, SYSTEM_SUPPLEMENT = 2, SYSTEM_HIERARCHY = 4 };

/* What systems and value sets begin with: how they are found. */
struct pack_versioned {
    struct pack_text url, version;
    uint32_t         next;                   /* another version, PACK_NONE: the last */
    uint32_t         rank;                   /* of the versions of one url the highest counts */
};

struct pack_system {
    struct pack_versioned as;
    uint32_t         first_concept, concept_count;
    uint32_t         first_slot, slot_mask;
    uint16_t         content;                /* enum term_content */
    uint16_t         flags;
};

enum pack_concept_flag { CONCEPT_ABSTRACT = TERM_ABSTRACT, CONCEPT_INACTIVE = TERM_INACTIVE, CONCEPT_DESIGNATED = 4 };

struct pack_concept {
    uint32_t code, display;                  /* offsets of texts; display "" is none */
    uint32_t first_parent;
    uint16_t length;                         /* of the code */
    uint8_t  parent_count, flags;
};

struct pack_designation { uint32_t concept, text; };

enum pack_said { SAID_NOTHING = 0, SAID_IN, SAID_OUT, SAID_UNDECIDED, SAID_WHOLE };

struct pack_value_set {
    struct pack_versioned as;
    uint32_t         first_part, part_count;
    uint32_t         first_member, member_mask;
    uint8_t          rest, rest_why;         /* SAID_OUT or SAID_UNDECIDED */
    uint16_t         spare;
};

struct pack_value_part {
    struct pack_text system, version;        /* version "": any */
    uint32_t         index;                  /* of SYSTEMS; PACK_NONE: not there */
    uint8_t          fallback, why;          /* SAID_OUT, SAID_UNDECIDED or SAID_WHOLE */
    uint16_t         flags;                  /* SYSTEM_NOCASE */
};

struct pack_member {
    uint32_t code;
    uint16_t length, tag;                    /* tag: upper bits of the hash */
    uint16_t part;                           /* within the value set */
    uint8_t  said, why;                      /* SAID_NOTHING: an empty slot */
};

/* Whether all of terminology's offsets and indices are good; pack.c has
 * checked the sections themselves. */
bool pack_terms_good(const struct pack *);

/* terminology.c, for the compiler as well: a system in a version (PACK_NONE:
 * why), a concept of it, and whether a system has a code; of PACK_NONE the
 * checker of the url says. */
uint32_t           pack_system_find(const struct pack *, struct span url, struct span version, enum term_why *why);
uint32_t           pack_concept_find(const struct pack *, const struct pack_system *, struct span code, bool *other_case);
struct term_answer pack_code_in(const struct pack *, uint32_t system, struct span url, struct span code);

/* A hash of a code that does not see ASCII case, so that one table serves
 * systems with and without it.  The tables are ours: a sender chooses what is
 * asked, not what is in them, and a probe ends at the next empty slot. */
static inline uint64_t
pack_code_hash(struct span code)
{
    uint64_t hash = 0x9e3779b97f4a7c15u ^ code.length, word = 0;
    size_t   at   = 0;

    for (; at + 8 <= code.length; at += 8) {
        memcpy(&word, code.at + at, 8);
        hash = (hash ^ (word | UINT64_C(0x2020202020202020))) * 0xd6e8feb86659fd93u;
        hash ^= hash >> 32;
    }
    for (word = 0; at < code.length; at++)
        word = word << 8 | (unsigned char)(code.at[at] | 0x20);
    hash = (hash ^ word) * 0xd6e8feb86659fd93u;
    return hash ^ hash >> 29;
}

static inline uint16_t
pack_code_tag(uint64_t hash)
{
    return (uint16_t)(hash >> 48);
}

/* Systems and value sets alike. */
static inline const struct pack_versioned *
pack_versioned_at(const void *records, size_t size, uint32_t index)
{
    return (const struct pack_versioned *)(const void *)((const char *)records + (size_t)index * size);
}

/* A text that ends in NUL. */
static inline struct span
pack_text_at(const struct pack *p, uint32_t offset)
{
    return span_of(p->texts + offset);
}

#endif
