/* consent/facts.h -- everything that a decision depends on, beside the data.
 *
 * The request file R of the command line, and in the gateway the same struct
 * filled from registration, store and clock.  Nothing else may change an
 * answer: no clock, no store, no network below this line.
 *
 * A missing fact is an unknown fact, and unknown never permits what Part 2
 * protects.  A zeroed struct asks at the beginning of 1970, for nobody, for no
 * purpose, in an unknown legal context, with data of unknown origin: whatever
 * is or may be a Part 2 record is denied, the rest follows the site's default
 * (redaction rule P8).
 */
#ifndef SLUICE_CONSENT_FACTS_H
#define SLUICE_CONSENT_FACTS_H

#include "base/arena.h"
#include "base/json_tape.h"
#include "fhir/issue.h"

struct identifier { struct span system, value; };

struct party {                                  /* who asks */
    struct span              reference;         /* "Organization/orgB" */
    const struct identifier *identifiers;
    size_t                   identifier_count;
    const struct span       *classes;           /* CE_PROVIDER … part2.md A, "Recipient classes" */
    size_t                   class_count;
    const struct span       *member_of;         /* "Group/privileged" */
    size_t                   member_of_count;
    struct span              on_behalf_of;      /* "Organization/orgB", or empty */
};

/* What an actor reference of a consent yields when it is looked up.  A
 * reference that is not in the list does not resolve. */
struct known_actor {
    struct span              reference;
    const struct identifier *identifiers;
    size_t                   identifier_count;
    const struct span       *members;           /* of a Group or CareTeam: their references */
    size_t                   member_count;
};

struct program {                                /* a registered Part 2 program, 42 CFR 2.11 */
    const struct span       *references;        /* "Organization/part2program" */
    size_t                   reference_count;
    const struct identifier *identifiers;       /* NPI and others */
    size_t                   identifier_count;
    const struct span       *sources;           /* base URLs, compared with meta.source and fullUrl */
    size_t                   source_count;
    const struct span       *names;             /* names to look for in text */
    size_t                   name_count;
};

enum sender_status { SENDER_UNKNOWN = 0, SENDER_NOT_PROGRAM, SENDER_PROGRAM };
enum label_mode    { LABELS_COMPUTED = 0, LABELS_GIVEN };
enum legal_context { LEGAL_UNKNOWN = 0, LEGAL_NONE, LEGAL_INVESTIGATION, LEGAL_PROCEEDING };

struct consent_source {                         /* a Consent resource from anywhere */
    const struct tape *tape;
    tape_node          node;
    struct span        patient;                 /* "Patient/p1" as the store knows it (Consent.patient may have been a
                                                   urn:uuid of its Bundle); empty: Consent.patient as written */
    const struct bundle *home;                  /* what it came in, where whom it names may be; NULL: not known */
};

struct site_policy {                            /* the operator's switches; each makes it stricter */
    bool withhold_without_consent;              /* P8: what is not protected leaves by default */
    bool require_statements;                    /* demand the 2.31(a) statements as extensions */
    bool any_discloser;                         /* P7: any consent may release a record whose program is not known */
};

struct facts {
    int64_t                      at_ms;
    struct span                  patient;       /* "Patient/p1"; "*" or empty: each resource's own */
    struct party                 actor;
    const struct span           *purposes;      /* v3-ActReason codes; none: not stated */
    size_t                       purpose_count;
    struct span                  action;        /* "access" … may be empty */
    bool                         emergency;
    struct span                  emergency_declared_by, emergency_nature;
    enum legal_context           legal;         /* R without the member reads as LEGAL_NONE */
    enum label_mode              labels;
    enum sender_status           sender;
    struct span                  sender_organization;
    bool                         trust_labels;  /* meta.security of this sender is believed (P2) */
    const struct program        *programs;
    size_t                       program_count;
    const struct known_actor    *known_actors;
    size_t                       known_actor_count;
    const struct consent_source *consents;
    size_t                       consent_count;
    const uint32_t              *stale_entries; /* Consents of the bundle that are not current any more, */
    size_t                       stale_count;   /* ascending: they go along, and do not count           */
    struct site_policy           site;
};

/* Reads R, the request file.
 *
 *   { "at": instant,                              required, to the second at least, with a zone
 *     "actor": { "reference", "identifier": [], "class": [], "memberOf": [], "onBehalfOf" },   required
 *     "purpose": [ codes ],                       required, may be empty: not stated
 *     "patient": "Patient/p1" or "*", "action", "emergency": null or { "declaredBy", "nature" },
 *     "legalContext": "none" | "investigation" | "proceeding",
 *     "labels": "given" | "computed", "trustLabels": bool,
 *     "source": { "part2": "program" | "not-program" | "unknown", "organization" },
 *     "programs": [ { "reference", "identifier": [], "source", "name" } ],   each a text or a list
 *     "actors": { reference: resource }, "consents": [ Consent ],
 *     "site": { "withholdWithoutConsent": bool, "requireStatements": bool, "anyDiscloser": bool } }
 *
 *   F1  A required member that is missing, and a member of the wrong type, is an
 *       error; so is a name that is nearly a known one ("purposes"): a misspelt
 *       fact would silently be an unknown fact.
 *   F2  A member with any other name is a warning: it is not a fact.
 *   F3  "labels": "given" believes meta.security as it came in, so trust_labels
 *       is set; "trustLabels" sets it for computed labels (redaction rule P2).
 *   F4  legalContext left out reads as LEGAL_NONE, labels as LABELS_COMPUTED,
 *       everything else as unknown.
 *
 * The texts of *out borrow `json` and the arena.  ST_MALFORMED with errors
 * among the issues, *out untouched; ST_NO_MEMORY.
 */
enum status facts_read(struct span json, struct arena *, struct issues *, const struct facts **out) MUST_CHECK;

#endif
