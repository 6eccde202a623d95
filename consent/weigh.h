/* consent/weigh.h -- what all consents of one patient say about one record.
 *
 *   K1  Only consents that count (policy.h V1) and are of the record's own
 *       patient (subject.h); of several patients all must permit, of what tells of no patient one.
 *   K2  Inside one consent the deepest matching provision decides on its
 *       branch, and any of them beats the base decision.  Between branches a
 *       permit wins only when it refines the deny: it states all that the deny
 *       states, and more or a narrower recipient.  A deny of somebody who does
 *       not resolve does not speak against a recipient whom the same consent
 *       names.
 *   K3  Between consents: explicit beats base.  A rule that names the
 *       individual beats one that names the organization beats one that names
 *       nobody.  A deny of certain data (label, class, code, period, instance)
 *       yields only to a newer permit of at least its rank that names the
 *       recipient or data of the same kind.  A consent of a special kind
 *       (consent_kind.h) also ends with a later refusal of everything: who
 *       signs that takes back what reaches furthest.  One for the criminal justice system
 *       does from when it can be revoked, 2.35(c).
 *   K4  Otherwise the newer one wins; on a tie, or without a date, deny.
 *   K5  A root permit that is limited to some data says no to the rest, as a
 *       base decision.  Naming the same recipient again, later and narrower,
 *       takes back an older permit without limits (CV-22).
 *   K6  Indeterminate (match.h M1): a deny matches, a permit does not.
 *   K7  Nothing matched: deny for Part 2 records, the site's default for others.
 * A permit that stands must beat every deny.  So the order of consents never
 * matters, one more deny never widens, and one more permit never narrows.
 *
 * P7  A consent releases records of the programs that it speaks for
 *     (Consent.organization, custodian actor), never another program's (42 CFR
 *     2.31(a)(2)).  A record of several programs needs each of them released,
 *     by one consent or by several.  When the record's program is not known,
 *     the consent has to name the sender, or, where the sender is known to be
 *     no program or is not known at all, every registered program; where
 *     nothing is known of either, whom it names is believed.  Switch:
 *     site_policy.any_discloser (decision 0019).
 *
 *   K8  Only a consent of a kind that is fit for what is asked releases a Part 2
 *       record (consent_kind.h): one for counseling notes, for proceedings.  Of
 *       every kind it still denies.
 *   K9  A consent for an intermediary (2.31(a)(4)(ii)) reaches its participants,
 *       as far as it names them or they are known to treat the patient, when the
 *       intermediary is who discloses.
 *
 *   K10 A consent that designates recipients by class reaches, where it names
 *       nobody, who is of the class: a treating provider by evidence
 *       (relationship.h), a plan or payer by its registration, who operates the
 *       program by role or as its service organization.
 *
 *   K11 A record that a Part 2 program is known to have made leaves by a permit
 *       that names who may have it, or a class (2.31(a)(4)); where the site demands
 *       the elements of 2.31(a), so does one that may be a program's, and a
 *       purpose has to be stated (2.31(a)(5)).
 *
 *   K12 What another identity of the patient refuses is heard, what it permits is
 *       not (linked.h).
 *
 * Everything that does not depend on the record is looked up once, by
 * weigher_make(), and whose a consent is once for records in a row of one patient:
 * a thousand consents cost a thousand steps a record.
 */
#ifndef SLUICE_CONSENT_WEIGH_H
#define SLUICE_CONSENT_WEIGH_H

#include "consent/linked.h"
#include "consent/relationship.h"

/* What one consent, or a branch of it, says about one record. */
enum says { SAYS_NOTHING = 0, SAYS_DENY, SAYS_PERMIT };

struct voice {
    enum says               says;
    bool                    explicit;    /* a criterion matched; else it is the base decision */
    bool                    limit;       /* K5: the rest of a limited permit */
    bool                    uncertain;   /* the actor was indeterminate */
    bool                    opt_out;     /* K3: of everything, in a consent that permits nothing */
    bool                    unseen;      /* a deny only because the content could not be inspected */
    bool                    linked;      /* K12: of another identity of the patient */
    enum rank               rank;
    uint32_t                stated;      /* DIMENSION_* */
    const struct consent   *consent;
    const struct provision *provision;
    const struct consent *const *also;   /* permit: of the other programs and patients, each once; none is `consent` */
    size_t                  also_count;
};

enum {
    MAX_REFUSALS = 2 * 3 * 32,           /* kinds: explicit or not, rank, which of five dimensions of data */
};

/* Refusals that every permit meets in the same way, as one: the newest of them. */
struct refusal {
    bool      explicit;
    enum rank rank;
    uint32_t  data;                      /* DIMENSIONS_OF_DATA that they state  */
    int64_t   last_ms;                   /* of their dates; INT64_MAX without one */
};

/* What the consents of one patient say about one record.  Permits stand in a
 * list, refusals by kind: a thousand consents cost a thousand steps. */
struct voices {
    struct voice  *permits;              /* scratch, one per consent */
    size_t         permit_count;
    struct refusal refusals[MAX_REFUSALS];
    size_t         refusal_count;
    bool           limited[RANK_INDIVIDUAL + 1];   /* K5, by rank */
    int64_t        limit_ms[RANK_INDIVIDUAL + 1];  /* of those with a date the newest */
    struct voice   refusing;             /* the refusal that is shown */
    bool           opted_out;
    int64_t        opted_out_ms;         /* the last; INT64_MAX without a date */
    int64_t        at_ms;
    bool           explicit;
};

/* A consent of somebody whom a link names. */
struct kin {
    uint32_t group, identity;            /* linked_group(); the first consent of the same subject */
    uint32_t consent;
};

struct weigher {
    const struct policy *policy;
    const struct facts  *facts;
    struct arena        *arena;
    struct asker         asker;
    struct whose         whose;
    struct audience     *audiences;      /* by consent->first_number + provision */
    struct subject      *patients;       /* by consent */
    const struct lookup *by_entry, *by_key;      /* of the patients -> consent: same_subject() is one of the two */
    const char         **unusable;       /* by consent */
    kind_set             kinds;          /* which may release a Part 2 record, for what is asked now */
    struct kin          *kin;            /* K12: consents of linked identities, by person and identity; NULL: none */
    uint32_t             kin_count;
    struct voices       *aside;          /* scratch: what another identity says */
    uint32_t            *theirs;         /* consents of the patient who was asked about last, in their order */
    uint32_t             theirs_count;
    uint32_t            *mine;           /* of them those that count */
    uint32_t             mine_count;
    struct subject       mine_of;
    bool                 mine_known;
    struct voice        *branches;       /* scratch, by provision of one consent */
    struct voices        voices;         /* scratch */
};

enum status  weigher_make(const struct policy *, const struct facts *, const struct references *, struct arena *,
                          struct weigher *out) MUST_CHECK;
/* Each consent once, the first one first; nobody else has the list while it grows.  False: no memory. */
struct consents { const struct consent **all; uint32_t count, room; };
bool consents_add(struct consents *, const struct consent *, struct arena *);
bool voice_add(struct consents *, const struct voice *, struct arena *);
/* For each program whose record it is (P7).  r->program is left at the one that was not released. */
struct voice weigh_all(struct weigher *, struct record *, const struct subject *);
/* Whether the consents of this patient permit the record, and one that could be the
 * basis of it meets something more (for each program whose record it is, P7). */
bool         weigh_any(struct weigher *, struct record *, const struct subject *,
                       bool (*meets)(const struct voice *, const void *with), const void *with);
/* Whether a consent of this patient, under any identity (K12), has been revoked, and may have
 * been the one by which a copy was received. */
bool         weigher_revoked(struct weigher *, const struct subject *);
/* Why no consent covers it, in words. */
struct span  why_silent(struct weigher *, const struct record *, const struct subject *, size_t count);

#endif
