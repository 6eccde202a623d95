/* consent/state_pack.h -- a policy pack: what a state's law asks for beyond 42 CFR Part 2 and HIPAA.
 *
 * One JSON object, written by a site and its counsel; docs/policy-packs.md is
 * the manual and has every member.
 *
 *     { "id", "version", "title", "jurisdiction": "US-XX",
 *       "appliesTo": [ "residence" | "service" | "custodian" ],
 *       "effective": { "from", "until" }, "signedOff": { "by", "on" }, "comment",
 *       "rules": [ { "id", "words", "citation", "verified": bool, "comment",
 *                    "when": CONDITION, "unless": [ CONDITION ],
 *                    "effect": "deny" | "hold" | "consent" | "duration" | "notice",
 *                    "consent": { "specific": bool, "withinDays", "kind" },
 *                    "notice": { "text", "version" } } ] }
 *     CONDITION  { "label": [], "type": [], "code": [ { "system", "code" } ], "part2": bool,
 *                  "recipientClass": [], "purpose": [], "patientAge": { "from", "under" }, "emergency": bool }
 *
 *   S1  A pack can only narrow: no effect permits, and what a decision of the
 *       steps before withholds stays withheld (42 CFR 2.20: state law cannot
 *       authorize what Part 2 prohibits).
 *   S2  Off unless somebody signed it off; a rule is off unless its citation was
 *       verified; a pack that is not in force at the moment does nothing.
 *   S3  A pack applies to a record when one of its tests does: where the patient
 *       lives, where the service was, who keeps the record.  A test that cannot be
 *       answered applies.
 *   S4  All that `when` lists has to hold, of each list one member.  What is not
 *       known holds.  Data that could not be inspected is held instead of denied.
 *   S5  An exception under `unless` holds only when all that it lists is known to.
 *   S6  Of several rules the most restrictive counts, of several alike the first.
 *   S7  Codes have the shape and the check digit of their system, labels,
 *       recipient classes and purposes are known ones, every name is one of the
 *       above: else the pack is refused as a whole.
 *
 * Bounds: STATE_MAX_*.  Lifetime: arena; the texts borrow what was read.
 */
#ifndef SLUICE_CONSENT_STATE_PACK_H
#define SLUICE_CONSENT_STATE_PACK_H

#include "consent/inquiry.h"

enum { STATE_MAX_PACKS = 64, STATE_MAX_RULES = 256, STATE_MAX_LIST = 256, STATE_MAX_UNLESS = 16, STATE_MAX_DAYS = 36500,
       STATE_MAX_TEXT = 8192 };

enum state_test {                        /* bits of applies_to; S3 */
    STATE_BY_RESIDENCE = 1 << 0,
    STATE_BY_SERVICE   = 1 << 1,
    STATE_BY_CUSTODIAN = 1 << 2,
};

/* In the order of how much they narrow. */
enum state_effect { STATE_DENY = 0, STATE_HOLD, STATE_CONSENT, STATE_DURATION, STATE_NOTICE, STATE_EFFECT_COUNT };

enum state_on {                          /* bits: what a condition lists */
    STATE_ON_DATA      = 1 << 0,         /* label, type, code */
    STATE_ON_PART2     = 1 << 1,
    STATE_ON_RECIPIENT = 1 << 2,
    STATE_ON_PURPOSE   = 1 << 3,
    STATE_ON_AGE       = 1 << 4,
    STATE_ON_EMERGENCY = 1 << 5,
};

struct state_condition {
    uint32_t         on;                 /* STATE_ON_* */
    struct provision data;               /* its criteria are the labels, types and codes */
    bool             part2, emergency;
    recipient_set    recipients;
    purpose_set      purposes;
    uint32_t         from_age, under_age;/* whole years; UINT32_MAX: no upper end */
};

struct state_rule {
    const struct state_pack      *pack;
    struct span                   id, words, citation;
    const char                   *off;   /* why it does nothing; NULL: it is on */
    struct state_condition        when;
    const struct state_condition *unless;
    size_t                        unless_count;
    enum state_effect             effect;
    bool                          specific;      /* the consent names the data that `when` names */
    uint32_t                      within_days;   /* of the signature; 0: no matter */
    kind_set                      kinds;         /* of the consent; 0: any */
    struct span                   notice, notice_version;
    tape_node                     node;          /* for findings */
};

struct state_pack {
    struct span              id, version, title, jurisdiction;
    uint32_t                 applies_to; /* STATE_BY_* */
    int64_t                  from_ms, until_ms;  /* [from, until) */
    const char              *off;        /* why it does nothing; NULL: it is on */
    const struct state_rule *rules;
    size_t                   rule_count;
};

/* Reads one.  ST_MALFORMED with errors among the issues, *out untouched;
 * warnings say what is off, never applies or is shadowed. */
enum status state_pack_read(struct span json, struct arena *, struct issues *, const struct state_pack **out) MUST_CHECK;
/* The same of a node of a request file, without the warnings; NULL after an error. */
struct reader;
const struct state_pack *state_pack_at(struct reader *, tape_node, bool warnings);
/* state_pack_lint.c: what is wrong or useless between the parts of one that could be read. */
void        state_pack_lint(struct reader *, const struct state_pack *, bool warnings);
size_t      state_packs_rules(const struct state_pack *const *, size_t count);
const char *state_effect_text(enum state_effect);
/* The next moment after `at_ms` at which one begins or ends; INT64_MAX: never. */
int64_t     state_packs_valid_until(const struct state_pack *const *, size_t count, int64_t at_ms);

#endif
