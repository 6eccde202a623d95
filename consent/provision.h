/* consent/provision.h -- a Consent in compiled form.
 *
 * policy.c fills these structs, match.c and decision.c read them, nobody
 * changes them afterwards.
 *
 * A provision holds criteria: conditions of several kinds ("dimensions").
 * What a provision does not state itself it has from its parent, dimension by
 * dimension: "permit orgA [ deny SUD ]" denies SUD to orgA, and "permit N
 * [ permit bob: R ]" permits R to bob.  A dimension that a provision states
 * takes the place of the parent's.
 *
 * Zero is the safe value everywhere: a provision whose type cannot be read
 * denies, a match that nobody made is indeterminate.
 */
#ifndef SLUICE_CONSENT_PROVISION_H
#define SLUICE_CONSENT_PROVISION_H

#include "consent/consent_kind.h"
#include "consent/policy.h"
#include "consent/purpose.h"
#include "fhir/datatypes.h"

enum dimension {                         /* bits of `stated` and `unreadable` */
    DIMENSION_ACTOR       = 1 << 0,      /* who receives */
    DIMENSION_CUSTODIAN   = 1 << 1,      /* who discloses: actor with role CST */
    DIMENSION_PURPOSE     = 1 << 2,
    DIMENSION_ACTION      = 1 << 3,
    DIMENSION_LABEL       = 1 << 4,
    DIMENSION_CLASS       = 1 << 5,
    DIMENSION_CODE        = 1 << 6,
    DIMENSION_DATA_PERIOD = 1 << 7,
    DIMENSION_DATA        = 1 << 8,
    DIMENSION_STRANGE     = 1 << 9,      /* a member that R4 does not have here */
    DIMENSION_PERIOD      = 1 << 10,     /* provision.period; only ever unreadable */
};
/* Which data; the others say to whom and for what. */
#define DIMENSIONS_OF_DATA (DIMENSION_LABEL | DIMENSION_CLASS | DIMENSION_CODE | DIMENSION_DATA_PERIOD | DIMENSION_DATA)

enum provision_type { PROVISION_DENY = 0, PROVISION_PERMIT, PROVISION_SILENT };
enum data_meaning   { DATA_UNKNOWN = 0, DATA_INSTANCE, DATA_RELATED, DATA_DEPENDENTS, DATA_AUTHORED_BY };
enum action         { ACTION_ACCESS = 1 << 0, ACTION_DISCLOSE = 1 << 1, ACTION_OTHER = 1 << 2 };

/* A Reference to somebody or something, as a Consent writes it. */
struct target {
    struct span              reference;  /* "Organization/orgA", "urn:uuid:…", "#org", or empty */
    struct span              type;       /* Reference.type, else read from the reference */
    const struct identifier *identifiers;/* Reference.identifier, or those of the contained resource */
    size_t                   identifier_count;
    bool                     contained;  /* "#org" was found inside the Consent */
};

struct data_rule { enum data_meaning meaning; struct target target; };

struct criteria {
    uint32_t                stated;      /* DIMENSION_* bits, own or from the parent */
    uint32_t                unreadable;  /* of those: something in it could not be read */
    const struct target    *actors;
    size_t                  actor_count;
    const struct target    *custodians;
    size_t                  custodian_count;
    purpose_set             purposes;
    uint32_t                actions;     /* ACTION_* bits */
    label_set               labels;      /* as listed, without descendants */
    const struct coding    *foreign_labels;
    size_t                  foreign_label_count;
    const struct coding    *classes;
    size_t                  class_count;
    const struct coding    *codes;
    size_t                  code_count;
    const struct span      *code_texts;  /* CodeableConcept.text where there is no coding */
    size_t                  code_text_count;
    struct time_range       data_period;
    const struct data_rule *data;
    size_t                  data_count;
};

struct provision {
    const struct consent   *consent;
    const struct provision *parent;      /* NULL: the root provision */
    tape_node               node;        /* ABSENT: a consent without provision */
    uint32_t                index;       /* among its siblings */
    enum provision_type     type;
    bool                    ambiguous;   /* V5: criteria at a root without type */
    struct time_range       period;      /* in force; ends of time when not given */
    struct criteria         criteria;
    uint32_t                first_child; /* index into consent->provisions */
    uint32_t                child_count;
};

/* What a consent says where none of its criteria match, V4. */
enum base_rule { BASE_SILENT = 0, BASE_DENY, BASE_PERMIT };

enum statement {                         /* 42 CFR 2.31(a), as extensions of Consent; bits */
    STATEMENT_REVOCATION        = 1 << 0,/* (6)     right to revoke, and how                */
    STATEMENT_HIPAA             = 1 << 1,/* (4)(iii) redisclosure under HIPAA               */
    STATEMENT_REDISCLOSURE      = 1 << 2,/* (10)(i)  potential for redisclosure             */
    STATEMENT_REFUSAL           = 1 << 3,/* (10)(ii) consequences of refusing               */
    STATEMENT_NO_EXPIRY         = 1 << 4,/* (7)     expires "none"                          */
};

struct consent {
    const struct tape      *tape;
    tape_node               node;
    const struct tape      *sent;        /* the same as it was sent; tape, but for what stands against it (precedent.h) */
    tape_node               sent_node;
    const char             *again;       /* what stands against it; NULL */
    int64_t                 again_ms;    /* … since when */
    bool                    told;        /* … and its sender may be told */
    const struct bundle    *home;        /* where references are looked up that nobody knows; may be NULL */
    bool                    home_lost;   /* there was one, and it is not looked at */
    struct span             reference;   /* "Consent/c1"; "Consent" when it has no id */
    struct target           patient;
    const char             *unusable;    /* does not count at all: why; NULL when it may */
    const char             *denies_only; /* not understood: why it permits nothing (V1) */
    const char             *denies_all;  /* it denies everything, as a whole: why (V2, V7) */
    const char             *deficiency;  /* must not permit a Part 2 record: why (2.31(c)(2)) */
    bool                    dated;
    struct time_range       date;
    struct span             date_text;
    struct time_range       period;      /* of the root provision */
    int64_t                 ended_ms;    /* revoked or expired by an event; INT64_MAX */
    const char             *ended_how;
    enum base_rule          base;
    uint32_t                statements;  /* STATEMENT_* bits */
    enum consent_kind       kind;
    uint32_t                designated;  /* DESIGNATED_* bits: recipients by class; 0: none by class */
    int64_t                 revocable_from_ms; /* 2.35(c); INT64_MAX: not said */
    const struct span      *members;     /* of an intermediary, by reference */
    size_t                  member_count;
    bool                    treating_members; /* … or those with a treating provider relationship */
    bool                    revoked;     /* by its status */
    bool                    opt_out_stated; /* the right to opt out of fundraising, 2.31(a)(5)(iii) */
    bool                    shown_signed;/* W4 */
    bool                    doubted;     /* W5 */
    const struct span      *signers;     /* Consent.performer, by reference */
    size_t                  signer_count;
    const struct target    *organizations; /* who may disclose: Consent.organization */
    size_t                  organization_count;
    const struct provision *provisions;  /* [0] is the root; children stand together, behind their parent */
    uint32_t                provision_count;   /* 0: the consent is unusable */
    uint32_t                first_number;/* provisions count through all consents of the policy */
};

struct policy {
    const struct consent *consents;
    size_t                consent_count;
    uint32_t              provision_count;     /* of all consents */
};

#endif
