/* consent/patient_set.h -- some of the patients of a Bundle, by number; private to plan_*.c.
 *
 * Patients are numbered 1, 2 … as they are met, up to MAX_PATIENTS: who comes later is not told apart from
 * others, has number 0, and is in no set.  A set without anybody means that it is not known who.
 */
#ifndef SLUICE_CONSENT_PATIENT_SET_H
#define SLUICE_CONSENT_PATIENT_SET_H

#include <stdbool.h>
#include <stdint.h>

enum { MAX_PATIENTS = 256, PATIENT_WORDS = MAX_PATIENTS / 64 };

struct patient_set { uint64_t words[PATIENT_WORDS]; };

static inline bool
patients_any(struct patient_set s)
{
    uint64_t any = 0;

    for (unsigned i = 0; i < PATIENT_WORDS; i++)
        any |= s.words[i];
    return any != 0;
}

static inline bool
patients_have(struct patient_set s, uint32_t patient)
{
    return patient != 0 && (s.words[(patient - 1) / 64] >> ((patient - 1) % 64) & 1);
}

/* 0: nobody. */
static inline struct patient_set
patients_only(uint32_t patient)
{
    struct patient_set s = { { 0 } };

    if (patient != 0)
        s.words[(patient - 1) / 64] = (uint64_t)1 << ((patient - 1) % 64);
    return s;
}

static inline struct patient_set
patients_both(struct patient_set a, struct patient_set b)
{
    for (unsigned i = 0; i < PATIENT_WORDS; i++)
        a.words[i] |= b.words[i];
    return a;
}

/* Those of `a` that are not in `b`. */
static inline struct patient_set
patients_without(struct patient_set a, struct patient_set b)
{
    for (unsigned i = 0; i < PATIENT_WORDS; i++)
        a.words[i] &= ~b.words[i];
    return a;
}

static inline bool
patients_meet(struct patient_set a, struct patient_set b)
{
    uint64_t shared = 0;

    for (unsigned i = 0; i < PATIENT_WORDS; i++)
        shared |= a.words[i] & b.words[i];
    return shared != 0;
}

/* The next one behind `patient`; the first behind 0; 0: there is none. */
static inline uint32_t
patients_next(struct patient_set s, uint32_t patient)
{
    for (uint32_t i = patient; i < MAX_PATIENTS; i++) {
        uint64_t rest = s.words[i / 64] >> (i % 64);
        if (rest == 0)
            i |= 63;
        else if (rest & 1)
            return i + 1;
    }
    return 0;
}

#endif
