/* consent/match.h -- does a provision speak of this recipient, this purpose, this record?
 *
 * Three answers.  Indeterminate (M1) counts as a match for a deny and as none
 * for a permit: what cannot be known never releases.
 *
 *   M1  Indeterminate: an actor that does not resolve, a purpose that the
 *       request does not state, a date that the record does not have, content
 *       that could not be inspected, a criterion in a wrong form.
 *   M2  Actor.  References are the same when they are equal without version, or
 *       when one is relative and the other ends in the same Type/id.
 *       Identifiers are the same by system and value, a system by whichever of its names
 *       (urn:oid:2.16.840.1.113883.4.6 is us-npi); use, type and period are
 *       not identity, and a display never is.  The requester answers to its own reference and
 *       identifiers, to the organization that it acts for, to the legal entity
 *       whose workforce it is (a consent that names the hospital names its
 *       departments, not the other way round), and to the groups it is a member of.  An actor that resolves and shares nothing of that
 *       is somebody else; so is one of a kind that the requester cannot be (a
 *       RelatedPerson is no organization).  A reference to one who is known here with the identifier of another
 *       contradicts itself: indeterminate.  Same reference, but another
 *       identifier of the same system: indeterminate.
 *   M3  Rank: a rule names an individual, an organization (or group), or nobody.
 *   M4  Purpose: a permit has to cover every purpose that is asserted, a deny
 *       needs one.  What stands below a purpose in the tree is covered with it
 *       (purpose.h U1); for a Part 2 record some purposes have to be named (U2).
 *       No permit covers a purpose that is claimed beyond a registration (U5).
 *   M5  Action: what happens here is a disclosure that gives access.  A rule on
 *       "disclose" or "access" is a rule on it; a request may say which.
 *   M6  Labels: a deny needs one label, a permit must cover every sensitivity
 *       label; confidentiality is ordered (label.h L1, L2).  A permit that lists
 *       only confidentiality is a ceiling.  A record from a program says
 *       substance use, whatever its codes (2.12(a)(1)(i)), and is at least R.
 *   M7  Class: resource type, profile, media type of the content, or a code that
 *       types the document.
 *   M8  Code: found in the record, contained resources and referenced Medication
 *       included, by canonical system and plain code; ICD by prefix.
 *   M9  dataPeriod: a permit covers a record whose clinical date lies inside, a
 *       deny one of which any date touches it.
 *   M10 data: instance; related (what the target refers to; for Encounter,
 *       EpisodeOfCare and CarePlan also what refers to it, IHE PCF); dependents
 *       (what refers to the target); authoredby.
 *   M12 A refusal reaches what is part of whom it names (affiliate.h).
 *   M11 Whose data it is goes with the data, and so does what carries it: a
 *       permit that is limited to some data, of which something can be read, still covers the Patient itself,
 *       the Composition of a document and the MessageHeader of a message
 *       (without them it would be none, bdl-11, bdl-12).
 */
#ifndef SLUICE_CONSENT_MATCH_H
#define SLUICE_CONSENT_MATCH_H

#include "consent/labeling.h"
#include "consent/provision.h"

enum match { MATCH_UNKNOWN = 0, MATCH_NO, MATCH_YES };
enum rank  { RANK_NOBODY = 0, RANK_ORGANIZATION, RANK_INDIVIDUAL };

struct affiliation {                     /* what somebody is part of (affiliate.h); references may be empty */
    struct known_actor *all;
    size_t              count;
};

struct asker {                           /* who asks, looked up once per request */
    const struct facts      *facts;
    const struct references *references; /* of the bundle; may be NULL */
    const struct identifier *identifiers;/* own ones and of whom it acts for */
    size_t                   identifier_count;
    struct affiliation       above;      /* of them and of whom it acts for; for refusals alone (affiliate.h, M12) */
    purpose_set              purposes;
    size_t                   strange_purposes;  /* codes that are in no table, or beyond the registration */
    struct arena            *arena;
};

/* What of a provision does not depend on the record. */
struct audience {
    enum match match;
    enum match actor;                    /* that dimension alone */
    enum rank  rank;
    uint32_t   failed;                   /* DIMENSION_* that said no or unknown */
    bool       part2_purpose;            /* the purposes are covered for a Part 2 record, too */
};

enum status     asker_make(const struct facts *, const struct references *, struct arena *,
                           struct asker *out) MUST_CHECK;
struct audience match_audience(const struct provision *, const struct asker *);

/* One entry, seen as a record that somebody asks for. */
struct record {
    const struct asker   *asker;
    const struct labeled *labeled;
    const struct program *program;       /* of those whose record it is, the one that is asked about */
    const struct tape    *tape;
    uint32_t              entry;
    const struct bundle_entry *in;
    tape_node             resource;
    struct span           type;
    bool                  carrier;       /* M11 */
};

struct record record_of(const struct labeling *, uint32_t entry, const struct asker *);
enum match    match_data(const struct provision *, const struct record *);
/* Its content could not be inspected, and no person did it for this consent. */
bool          match_unseen(const struct record *, const struct consent *);
/* A record of another program is outside of what a consent speaks for (P7). */
enum match    match_custodian(const struct provision *, const struct record *);
bool          consent_speaks_for(const struct provision *, const struct record *);

/* Kept apart by who wrote it: a counseling note, 42 CFR 2.11; a psychotherapy note, 45 CFR 164.501. */
bool          labeled_note(const struct labeled *);
/* It has dates, and all of them are after that moment. */
bool          record_begins_after(const struct record *, int64_t ms);

bool target_same_reference(struct span a, struct span b);                    /* M2 */
bool identifier_same(const struct identifier *, const struct identifier *);  /* M2; one without a value is nobody's */
/* Any of the ones is any of the others. */
bool identifiers_share(const struct identifier *, size_t, const struct identifier *, size_t);
bool asker_answers_to(const struct asker *, struct span reference);          /* M2, by reference alone */
/* The target's identifiers, looked up in known actors and in the consent's own bundle.
 * False when it does not resolve. */
bool target_resolve(const struct target *, const struct consent *, const struct asker *,
                    const struct identifier **identifiers, size_t *count);

#endif
