/* gateway/stages/consulting.h -- what a consult asks: CDS Hooks 2.0, hook patient-consent-consult.
 *
 * The hook and the shape of its context and card are those of LEAP-CDS
 * (sdhealthconnect/leap-cds, README, "CDS Hook Interface") and of ASU SHARES
 * (asushares/cds, src/schemas/patient-consent-consult-hook-*.schema.json):
 *
 *   hook, hookInstance      required (CDS Hooks 2.0 "HTTP Request"); any text for the latter,
 *                           since LEAP's own example is no UUID
 *   context.patientId       [ { system, value } ]; or one text, a Patient's id, as in CDS Hooks' own hooks
 *   context.actor           [ { system, value } ]; empty: who asks
 *   context.purposeOfUse    v3-ActReason codes, a list or one text
 *   context.category        [ { system, code } ]; consents about privacy are all that is decided on
 *   context.class           [ { system, code } ], resource types; LEAP's README writes `value` for `code`
 *   context.content         SHARES: data to redact.  Not taken: here a decision is asked, and data is pushed
 *
 *   Q1  A member that is not known is refused: one that was passed over would widen.
 *   Q2  Who asks is who the certificate says.  An actor that is none of its own
 *       registered identifiers is somebody else, for whom the duty
 *       `consult-for-others` is needed.
 *   Q3  A purpose is a claim: what the registration does not cover is refused.
 *   Q4  One patient: identifiers that lead to two, or to nobody, are answered as a
 *       refusal by the consents would be.
 *   Q5  There are two cards, permit and deny, and the deny card is one text: no
 *       consent, no patient, a consent that says no look the same (42 CFR 2.13(c)(2)).
 *       It says CONSENT_DENY and not NO_CONSENT, since clients go on by default of
 *       their own on that.  Only the duty `compliance` is told which, and why.
 *   Q6  A permit says what it does not reach as REDACT, LEAP's one obligation, whether
 *       a consent refuses that or does not speak of it: the same words.  What cannot be
 *       said so (a refusal by code, by period, of one record) makes it a deny.
 *   Q7  Permits rest on a consent; what leaves without one (rule P8, emergencies) is not
 *       spoken of.
 */
#ifndef SLUICE_GATEWAY_STAGES_CONSULTING_H
#define SLUICE_GATEWAY_STAGES_CONSULTING_H

#include "gateway/runtime/exchange.h"

#define CONSULT_SERVICE  "patient-consent-consult"
#define CONSULT_BYTES    65536u
#define CONSULT_PATIENTS 16u
#define CONSULT_ACTORS   16u
#define CONSULT_PURPOSES 8u
#define CONSULT_CLASSES  16u

struct consulting {
    struct exchange        *exchange;
    struct identifier       patients[CONSULT_PATIENTS];
    size_t                  patient_count;
    struct identifier       actors[CONSULT_ACTORS];
    size_t                  actor_count;
    struct span             purposes[CONSULT_PURPOSES];
    size_t                  purpose_count;
    struct span             classes[CONSULT_CLASSES];       /* resource types */
    size_t                  class_count;
    bool                    other_category;                 /* none of those asked for is about privacy */
    bool                    content;
    /* who is meant */
    struct party            actor;
    struct span             actor_name;                     /* title in the configuration, or what was asked for */
    bool                    self;
    bool                    astray;                         /* Q3, Q4: to be answered with the deny card */
    struct span             patient;                        /* "Patient/p1"; never empty */
    bool                    found;                          /* … and it is somebody's */
    struct store_match      match;
    struct store_condition *conditions;
};

/* Pure; for tests and fuzzing.  False: *why is a static sentence. */
bool consulting_read(const struct tape *, struct arena *, struct consulting *out, const char **why);
/* Who is asked for (Q2) and for what (Q3); STEP_FAIL: refused. */
enum step consulting_who(struct exchange *);

#endif
