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
#include "consent/instrument.h"
#include "fhir/issue.h"

#define FACTS_MAX_DOCUMENTS 256

struct identifier { struct span system, value; };

struct party {                                  /* who asks */
    struct span              reference;         /* "Organization/orgB" */
    const struct identifier *identifiers;
    size_t                   identifier_count;
    const struct span       *classes;           /* CE_PROVIDER … part2.md A, "Recipient classes" */
    size_t                   class_count;
    const struct span       *roles;             /* MEDICAL_PERSONNEL … roles.def; what the person does there */
    size_t                   role_count;
    struct span              legal_entity;      /* "Organization/hospital": whose workforce it is; or empty */
    const struct span       *member_of;         /* "Group/privileged" */
    size_t                   member_of_count;
    struct span              on_behalf_of;      /* "Organization/orgB", or empty */
    const struct span       *part_of;           /* "Organization/system" or "system|value": affiliate.h */
    size_t                   part_of_count;
    const struct span       *registered;        /* purposes that it may claim (purpose.h U5) … */
    size_t                   registered_count;
    bool                     bound;             /* … and no others; else nothing is known of a registration */
};

/* What an actor reference of a consent yields when it is looked up.  A
 * reference that is not in the list does not resolve. */
struct known_actor {
    struct span              reference;
    const struct identifier *identifiers;
    size_t                   identifier_count;
    const struct span       *members;           /* of a Group or CareTeam: their references */
    size_t                   member_count;
    struct span              part_of;           /* of an Organization, by reference; or empty */
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
    const struct span       *phones, *addresses;/* consent/contact.h */
    size_t                   phone_count, address_count;
    int64_t                  from_ms, until_ms; /* when it was one, until exclusive (consent/program.h); 0: not stated */
    struct span              id;                /* of this row, "oak"; may be empty */
    struct span              continues;         /* id of the row that this one came after; may be empty */
    bool                     unit;              /* identified unit of, or staff in, a general medical facility: 2.11 "Program" (2), (3) */
    bool                     holds_out, assisted; /* as the operator wrote; who is not both is not in the list */
};

enum sender_status { SENDER_UNKNOWN = 0, SENDER_NOT_PROGRAM, SENDER_PROGRAM };
enum label_mode    { LABELS_COMPUTED = 0, LABELS_GIVEN };
enum emission_mode { EMISSION_KEEP = 0, EMISSION_NONE, EMISSION_EMIT };    /* consent/emission.h */
enum legal_context { LEGAL_UNKNOWN = 0, LEGAL_NONE, LEGAL_INVESTIGATION, LEGAL_PROCEEDING };
enum against       { AGAINST_UNKNOWN = 0, AGAINST_PATIENT, AGAINST_NOBODY };   /* unknown reads as against the patient */

/* In what capacity the discloser holds this copy: HOLDER(name, code, words). */
enum holder {
    HOLDER_UNKNOWN = 0,                         /* read as SPECIFIC_CONSENT */
#define HOLDER(name, code, words) HOLDER_##name,
#include "consent/holders.def"
#undef HOLDER
    HOLDER_COUNT
};

const char *holder_code(enum holder);                       /* "H_PROGRAM"; empty: not known */

struct consent_source {                         /* a Consent resource from anywhere */
    const struct tape *tape;
    tape_node          node;
    struct span        patient;                 /* "Patient/p1" as the store knows it (Consent.patient may have been a
                                                   urn:uuid of its Bundle); empty: Consent.patient as written */
    const struct bundle *home;                  /* what it came in, where whom it names may be; NULL: not known */
    bool               home_lost;               /* it came in one that is not looked at: there is no room for it */
    bool               contained;               /* in the resource `around` (contained.h) */
    tape_node          around;
    const char        *refuses_only;            /* why it permits nothing, whatever it says; NULL */
    const struct tape *sent;                    /* as it was sent, where it is read otherwise (precedent.h); NULL: as above */
    tape_node          sent_node;
    const char        *again;                   /* what of an earlier version stands against it; NULL */
    int64_t            again_ms;                /* when the last of that was received */
    bool               told;                    /* its sender may be told of that */
    bool               terms_only;              /* how it was signed is not asked: its Bundle is not looked through */
};

/* A version of a Consent of which something stands (precedent.h). */
struct precedent {
    struct consent_source source;               /* .told: who sent it is who sends now */
    bool                  revokes;              /* else it refuses … */
    bool                  upholds;              /* … or a person found that what revoked or refused it before was an error */
    int64_t               at_ms;                /* received */
};

/* Evidence that somebody treats a patient, 42 CFR 2.11 "treating provider relationship". */
enum relationship_kind { RELATIONSHIP_UNKNOWN = 0, RELATIONSHIP_ENCOUNTER, RELATIONSHIP_APPOINTMENT,
                         RELATIONSHIP_REFERRAL, RELATIONSHIP_ATTRIBUTION };
#define RELATIONSHIP_AHEAD_MS ((int64_t)366 * 24 * 3600 * 1000)      /* an appointment that is further away is none */
#define RELATIONSHIP_BACK_MS  (2 * RELATIONSHIP_AHEAD_MS)            /* an encounter that is older is none */
struct relationship {
    struct span            id, provider, patient;
    enum relationship_kind kind;
    int64_t                from_ms, to_ms;      /* INT64_MAX, INT64_MIN: not known, and then it is no evidence */
};

/* A restriction that the patient asked for, 42 CFR 2.26, 45 CFR 164.522(a). */
struct restriction {
    struct span        id, patient;             /* patient empty: whoever it is */
    const struct span *recipients;              /* references or recipient classes; none: everybody */
    size_t             recipient_count;
    const struct span *purposes;                /* none: every purpose of TPO */
    size_t             purpose_count;
    const struct span *items;                   /* "Type/id", ascending; none: all of it */
    size_t             item_count;
    bool               agreed;                  /* a request that was declined restricts nothing */
    bool               self_pay;                /* must be agreed to, and nobody but the patient ends it: 2.26(a)(6) */
    int64_t            from_ms, to_ms;          /* to: terminated; records from before stay restricted */
    struct filed       filed;
};

/* A medical emergency that somebody declared, 42 CFR 2.51, with what 2.51(c) has written down.
 * It stands for EMERGENCY_LONGEST_MS at most: who looks again needs a basis again. */
#define EMERGENCY_LONGEST_MS ((int64_t)72 * 3600 * 1000)
struct emergency {
    struct span        id, patient;
    const struct span *parties;                 /* medical personnel: references */
    size_t             party_count;
    struct span        declared_by, affiliation, discloser, nature, why;
    bool               refused;                 /* the patient was asked and refused */
    int64_t            from_ms, to_ms;
    struct filed       filed;
};

enum known { KNOWN_NOT = 0, KNOWN_NO, KNOWN_YES };      /* a fact that may be unknown */
enum representation { REPRESENTATION_UNKNOWN = 0, REPRESENTATION_PARENT, REPRESENTATION_GUARDIAN,
                      REPRESENTATION_POWER_OF_ATTORNEY, REPRESENTATION_EXECUTOR };

/* Two Patients that are the same person, as a Patient.link says (consent/linked.h). */
struct patient_link {
    struct span patient, other;
    bool        taken_back;                     /* `patient` had the link, and has it no more */
};

/* Who is named by an identifier that no Patient of the bundle has, and is known all the same: `name` as
 * entry_patient() (fhir/reference.h) and a conditional reference write it, "Patient?identifier=system|value". */
struct patient_name {
    struct span name, patient;
};

struct circumstance {                           /* of a patient, 2.14 and 2.15 */
    struct span         id, patient;
    enum known          deceased;
    enum known          minor_consents;         /* state law lets this minor consent alone */
    enum representation representation;
    const struct span  *representatives;        /* verified; references */
    size_t              representative_count;
    int64_t             from_ms, to_ms;         /* of the representation */
    const struct span  *doubts;                 /* consents that may be materially false, "Consent/c1" (signer.h W5) */
    size_t              doubt_count;
};

/* What a person found about one entry of the bundle that is decided (consent/review.h). */
enum finding { FINDING_NONE = 0, FINDING_CLEAR, FINDING_PART2, FINDING_LAWFUL, FINDING_REFUSED };
struct determination {
    uint32_t     entry;
    enum finding finding;
    unsigned     rule;                          /* enum rule that held or denied it */
    struct span  consent, document;             /* that held it: "Consent/c1", an instrument's id or a pack's rule; or empty */
};

/* States by ISO 3166-2 ("US-MN"), for policy packs; an empty list is not known. */
struct jurisdictions {
    const struct span *residence;               /* where the patient lives; none: Patient.address tells */
    size_t             residence_count;
    const struct span *service;                 /* where the service was */
    size_t             service_count;
    const struct span *custodian;               /* who keeps the record */
    size_t             custodian_count;
};

struct form;                                    /* fhir/form.h */
struct pack;                                    /* fhir/pack.h */

/* A Questionnaire beside those of the Bundle: what a bare answer in it is an answer to. */
struct known_form {
    const struct form *form;
    struct span        name;                    /* "Questionnaire/7" where the data came from; empty: it has none there */
};

struct state_pack;                              /* consent/state_pack.h */

/* The site's switches, rows of switches.def: zero is the default. */
struct site_policy {
#define SWITCH(number, field, fact, option, citation, question, words) bool field;
#define CHOICE(number, field, fact, option, positions, citation, question, words) uint32_t field;
#include "consent/switches.def"
#undef SWITCH
#undef CHOICE
};
enum state_by      { STATE_BY_ANY = 0, STATE_BY_RESIDENCE_ALONE, STATE_BY_SERVICE_ALONE, STATE_BY_CUSTODIAN_ALONE };
enum operator_role { OPERATOR_UNANSWERED = 0, OPERATOR_QSO, OPERATOR_BUSINESS_ASSOCIATE, OPERATOR_INTERMEDIARY };

struct inspected_table;                  /* consent/inspected.h */

struct facts {
    int64_t                      at_ms;
    struct inspected_table      *inspected;     /* documents that a helper read; questions gather there.  NULL: read here */
    int64_t                      file_changes_ms;/* when something on file ends or begins that the lists below do not
                                                   show; 0: not known to */
    struct span                  patient;       /* "Patient/p1"; "*" or empty: each resource's own */
    struct party                 actor;
    const struct span           *purposes;      /* v3-ActReason codes; none: not stated */
    size_t                       purpose_count;
    struct span                  action;        /* "access" … may be empty */
    bool                         emergency;
    struct span                  emergency_declared_by, emergency_nature;
    struct span                  emergency_affiliation;  /* facility of the medical personnel, 2.51(c)(1) */
    struct span                  emergency_discloser;    /* individual who discloses, 2.51(c)(2); empty: the system */
    struct span                  emergency_why;          /* why consent cannot be obtained */
    bool                         emergency_refused;      /* the patient was asked and refused */
    enum legal_context           legal;         /* R without the member reads as LEGAL_NONE */
    enum against                 against;
    enum label_mode              labels;
    enum sender_status           sender;
    struct span                  sender_organization;
    enum holder                  holder;
    enum emission_mode           emission;      /* security labels on what leaves */
    bool                         trust_labels;  /* meta.security of this sender is believed (P2) */
    const struct program        *programs;
    size_t                       program_count;
    const struct known_form     *forms;
    size_t                       form_count;
    const struct pack           *definitions;   /* of the Questionnaires of the loaded packages; NULL */
    const struct known_actor    *known_actors;
    size_t                       known_actor_count;
    const struct consent_source *consents;
    size_t                       consent_count;
    const struct precedent      *precedents;    /* in the order in which they came */
    size_t                       precedent_count;
    const struct instrument     *documents;     /* at most FACTS_MAX_DOCUMENTS, as of each of the next three */
    size_t                       document_count;
    const struct relationship   *relationships;
    size_t                       relationship_count;
    const struct restriction    *restrictions;
    size_t                       restriction_count;
    const struct circumstance   *circumstances;
    size_t                       circumstance_count;
    const struct emergency      *emergencies;   /* on file; `emergency` above is what who asks says */
    size_t                       emergency_count;
    const struct patient_link   *links;         /* beside those of the bundle */
    size_t                       link_count;
    const struct patient_name   *names;         /* by name, each once; the one Patient who has the identifier */
    size_t                       name_count;
    const uint32_t              *stale_entries; /* Consents of the bundle that are not current any more, */
    size_t                       stale_count;   /* ascending: they go along, and do not count           */
    const struct determination  *determinations;/* by entry, ascending */
    size_t                       determination_count;
    struct site_policy           site;
    struct jurisdictions         jurisdictions;
    const struct state_pack *const *packs;      /* policy packs that are enabled; step 11 */
    size_t                       pack_count;
};

/* Reads R, the request file.
 *
 *   { "at": instant,                              required, to the second at least, with a zone
 *     "actor": { "reference", "identifier": [], "class": [], "memberOf": [], "partOf": [], "onBehalfOf",      required
 *                "role": [ codes of roles.def ], "legalEntity": "Organization/x",
 *                "registeredPurpose": [ codes ] },          a purpose beyond them is claimed and covers nothing
 *     "purpose": [ codes ],                       required, may be empty: not stated
 *     "patient": "Patient/p1" or "*", "action", "emergency": null or { "declaredBy", "nature",
 *                "affiliation", "discloser", "whyUnobtainable", "patientRefused": bool },
 *     "legalContext": "none" | "investigation" | "proceeding", "againstPatient": bool,
 *     "labels": "given" | "computed", "trustLabels": bool, "emit": "keep" | "none" | "emit",
 *     "source": { "part2": "program" | "not-program" | "unknown", "organization",
 *                 "holder": code of holders.def },
 *     "programs": [ { "reference", "identifier": [], "source", "name",       each a text or a list
 *                     "phone", "address": "line|postal code",                       consent/contact.h
 *                     "id", "continues": id of another row, "from", "until",        consent/program.h
 *                     "unit": bool } ],                                             of a general medical facility
 *     "actors": { reference: resource }, "consents": [ Consent ], "questionnaires": [ Questionnaire ],
 *     "documents": [ { "id", "kind": code of instruments.def, "from", "to", "party": [ references ], "discloser",
 *                      "patient", "items": [ "Type/id" ], "types": [ resource types ], "section",
 *                      "says": [ codes of says.def ] } ],
 *     "relationships": [ { "id", "provider", "patient", "kind": "encounter" | "appointment" | "referral" | "attribution",
 *                          "from", "to" } ],
 *     "restrictions": [ { "id", "patient", "recipient": [ references or classes ], "purpose": [ codes ],
 *                         "items": [ "Type/id" ], "agreed": bool, "selfPay": bool, "from", "to" } ],
 *     "circumstances": [ { "id", "patient", "deceased": bool, "minor": { "consentsAlone": bool },
 *                          "representative": { "party": [ references ], "basis": "parent" | "guardian" |
 *                                              "power-of-attorney" | "executor", "from", "to" },
 *                          "doubts": [ "Consent/ID" ] } ],
 *     "emergencies": [ { "id", "patient", "party": [ references ], "declaredBy", "affiliation", "discloser", "nature",
 *                        "whyUnobtainable", "patientRefused": bool, "from", "to" } ],
 *     "links": [ { "patient", "other", "takenBack": bool } ],       consent/linked.h
 *     "names": [ { "name": "Patient?identifier=system|value", "patient" } ],        consent/subject.h
 *     "jurisdiction": { "residence", "service", "custodian" },     "US-MN", each a text or a list
 *     "packs": [ policy pack ],                                     docs/policy-packs.md; enabled by standing here
 *     "site": { names of switches.def: bool, or a position } }
 *
 *   F1  A required member that is missing, and a member of the wrong type, is an
 *       error; so is a name that is nearly a known one ("purposes"): a misspelt
 *       fact would silently be an unknown fact.
 *   F2  A member with any other name is a warning: it is not a fact.
 *   F3  "labels": "given" believes meta.security as it came in, so trust_labels
 *       is set; "trustLabels" sets it for computed labels (redaction rule P2).
 *   F4  againstPatient left out reads as true; "holder" left out as H_PROGRAM when
 *       the sender is a program.  legalContext left out reads as LEGAL_NONE, labels as LABELS_COMPUTED,
 *       everything else as unknown.
 *
 *   F5  Claims: who asks, for what, in which role, whether it is an emergency,
 *       and in which legal context.  On file: programs, consents, documents,
 *       relationships, restrictions, circumstances, emergencies, links, names, the capacity in which
 *       the copy is held.  In a request file all of them are what its writer says;
 *       in the gateway claims are bound to the client's registration, and what
 *       is on file comes from configuration and store (consent/paper.h).  What nobody
 *       has filed is empty, and denies.
 *   F6  At most FACTS_MAX_DOCUMENTS of each list of what is on file; more are an error.
 *
 * The texts of *out borrow `json` and the arena.  ST_MALFORMED with errors
 * among the issues, *out untouched; ST_NO_MEMORY.
 */
enum status facts_read(struct span json, struct arena *, struct issues *, const struct facts **out) MUST_CHECK;

/* The next moment (epoch ms, exclusive) at which something on file begins, ends
 * or grows old; INT64_MAX: never. */
int64_t facts_valid_until(const struct facts *);

#endif
