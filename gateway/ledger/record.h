/* gateway/ledger/record.h -- one record of the ledger, authored once.
 *
 * The struct is what the stages know at the moment of a release, a denial or
 * a void; the bytes are what is hashed, kept and shown, for good.  Names of
 * the members are those of the field table that the fields come from
 * (42 CFR 2.22-2.25, 2.32, 2.51(c); 45 CFR 164.528(b)):
 *
 *   chain      prevHash, hash                 set by the ledger, not here
 *   core       eventId kind voids policyVersion valueSetVersion registryVersion
 *              consentStoreVersion tRequest tDecision tRelease patientId
 *              patientNameAtTime discloser{} recipient{} basis bases[] purpose
 *              purposeStatement itemsReleased[] briefDescription channel viaEHR
 *              decision payloadSha256 payloadBytes idempotencyKey requestId client
 *   consent    consentId consentVersion consentKind consentSha256 consentElements
 *              consentStateAtRelease otherConsents[]
 *   notice     noticeKind noticeVersion consentCopyOrExplanation{}
 *   on file    documents[]                   id, kind, version, sha256
 *   filings    act account why ended byPatient    a paper was filed, ended or reviewed; in the log of
 *              denials, which is the holder's own, with the documents[] that came or went
 *   reviews    review{}                      what a person did about an item of the review queue; in the log
 *              of denials, with withheldReasons[]: what had held it
 *   rows       rows[] first                  rows of the store that the log vouches for were written (store/vouch.c); in
 *              the log of denials.  first: rows of before there were records of them, and how many in all
 *   readings   act request shown[]           somebody was shown records of this log: interaction of FHIR, the request as
 *              it came, the eventIds; in the log of denials, with the recipient{} and the payload's digest and size
 *   shreddings act account why before leaves{} count    records that were destroyed, by runs of leaf numbers
 *              ("17-40") of each log; in the log of denials, and never destroyed itself
 *   emergency  emergency{}
 *   accounting inPart2Accounting inHipaaAccounting inIntermediaryList suspendedUntil
 *   patients   patients[]                    only of a release about several
 *   denials    withheldCount withheldReasons[]      in the log of denials only:
 *              a record of a release must not tell what was kept back
 *
 * Rules:
 *   1  Compact JSON in this order, no white space; empty members are left out,
 *      so a reader sees what was known.  Booleans are always there.
 *   2  Times are UTC with milliseconds: 2026-11-22T15:00:00.123Z
 *   3  The record begins with RECORD_PREFIX; the ledger writes the chain there
 *      (ledger.h), so nothing else may author records.
 *   4  At most RECORD_MAX_BYTES; a record that would be longer names the first
 *      items and counts the rest (`itemsNotListed`).
 *   5  patientId is the first patient of whom something leaves (in a denial: is
 *      withheld).  When it is of several, `patients` has all of them, and each
 *      element has the members that take the place of the record's in what that
 *      patient is told (ledger/extract.h); an item says whose it is by its number in
 *      `patients`, `patient`, and has none when it is nobody's (an Organization).
 *      patients[] is never cut short, since an accounting must be complete: a
 *      release whose patients do not fit in RECORD_PATIENTS_BYTES (some 2,000,
 *      more when ids are short) has no record, ST_TOO_LARGE, and does not leave.
 */
#ifndef SLUICE_GATEWAY_LEDGER_RECORD_H
#define SLUICE_GATEWAY_LEDGER_RECORD_H

#include "gateway/ledger/ledger.h"
#include "gateway/ledger/plain.h"

#define RECORD_PATIENTS_BYTES ((size_t)2 << 20)
#define RECORD_MAX_BYTES      ((size_t)256 * 1024 + RECORD_PATIENTS_BYTES)

enum record_kind { RECORD_DISCLOSURE = 0, RECORD_VOID, RECORD_DENIAL, RECORD_FILING, RECORD_REVIEW,
                   RECORD_ROWS, RECORD_READING, RECORD_SHREDDING };   /* from DENIAL on: in the log of denials */
#define RECORD_REQUEST_BYTES 8192u       /* of a reading; cut behind it */
#define RECORD_SHOWN         1000u

struct record_item {                     /* something that left */
    struct span type, id;
    int64_t     version;                 /* 0: not known */
    struct span from, to;                /* clinically relevant dates, as they stood; may be empty */
    uint32_t    patient;                 /* number in `patients`, from 1; 0: nobody's, or of the one there is */
};

struct record_basis {                    /* a rule that let something go (or, in a denial, did not) */
    struct span rule;                    /* "R-01" */
    struct span citation;                /* "42 CFR 2.33(a)(2)" */
    struct span words;                   /* plain sentence */
    uint32_t    items;                   /* how many items rest on it; 0: not counted */
};

struct record_emergency {                /* 42 CFR 2.51(c) */
    struct span declared_by;             /* who declared it */
    struct span personnel, affiliation;  /* medical personnel, and their facility */
    struct span nature;
    struct span discloser;               /* who makes the disclosure, 2.51(c)(2) */
    struct span why_unobtainable;
};

struct record_paper {                    /* what on file something rests on (consent/paper.h) */
    struct span id, sha256;              /* sha256 of its bytes, hex */
    int64_t     version;
    const char *kind;                    /* "qsoa", "restriction" … */
};
#define RECORD_PAPERS 16u                /* of one release */
struct record_review {                   /* what a person did about an item of the review queue */
    int64_t     item;
    struct span key;                     /* what makes two items the same, SHA-256 */
    struct span kind, act;               /* "held-content"; "release" | "refuse" | "not-permitted" */
    struct span reviewer, account, role, finding, why;
    struct span resource, sha256;        /* what it is about, and of its bytes */
};

struct record_row {                      /* a row that was written */
    const char        *table;
    unsigned           which;            /* enum vouched_table (store/store.h); not in the record */
    int64_t            id;
    bool               was_there, gone;  /* gone: it was taken away, and there is no `now` */
    struct ledger_hash was, now;         /* digests; `was` of what stood there before, if it did */
};

struct record_run { uint64_t first, last; };     /* leaf numbers, both in it */
#define RECORD_RUNS 4000u                /* of both logs of one record */

struct record_consent {
    struct span id, version, kind;       /* "Consent/c1", "3", "tpo" | "specific" | … */
    struct span sha256;                  /* of its bytes, hex */
    struct span elements;                /* result of the check of 2.31(a) */
    struct span state;                   /* "active", checked at tRelease */
};

struct record_patient {                  /* one of several of whom something leaves */
    struct span                  patient, name;
    const struct record_item    *items;  /* this patient's; NULL in a denial, which counts them only */
    size_t                       item_count;
    const struct record_basis   *bases;  /* that these rest on */
    size_t                       basis_count;
    struct span                  decision;
    const struct record_consent *consent;            /* NULL: none */
    struct span                  explanation_sha256; /* of what went along about this consent */
    const struct record_paper   *papers;
    size_t                       paper_count;
    const struct record_emergency *emergency;
    bool                         in_part2_accounting;
};

struct disclosure {
    enum record_kind           kind;
    struct span                event_id; /* record_event_id() */
    struct span                voids;    /* VOID: the eventId taken back */
    struct span                void_reason; /* "no connection was made" */
    int64_t                    request_ms, decision_ms, release_ms;   /* epoch ms; 0: none */
    struct span                request_id, idempotency_key, client;   /* client: who pushed or asked */
    struct span                policy_version, value_set_version, registry_version;
    uint64_t                   consent_store_version;                 /* consent generation */
    struct span                patient;          /* "Patient/p1" */
    struct span                patient_name;     /* as it was then */
    const struct record_patient *patients;       /* all, in order, when there are several; `patient` is the first */
    size_t                     patient_count;
    struct {
        struct span name;                        /* legal entity */
        struct span holder_class;                /* "H_PROGRAM" … capacity in which it holds the copy */
        struct span system;                      /* named individual or system acting */
    } discloser;
    struct {
        struct span        name;                 /* title of the section in the configuration */
        struct span        reference, address, endpoint;
        const struct span *identifiers;          /* "system|value" */
        size_t             identifier_count;
        const struct span *classes;
        size_t             class_count;
        struct span        individual, role;
    } recipient;
    const struct record_basis *bases;            /* the first is the record's `basis` */
    size_t                     basis_count;
    const struct span         *purposes;         /* v3-ActReason codes */
    size_t                     purpose_count;
    struct span                purpose_statement;/* empty: made from the codes */
    const struct record_item  *items;            /* released, or in a denial nothing */
    size_t                     item_count;
    struct span                brief;            /* empty: made from the items */
    struct span                channel;          /* "FHIR push", "FHIR read" … */
    bool                       via_ehr;
    struct span                decision;         /* "permit" | "partial"; "deny" | "hold" */
    struct span                payload_sha256;   /* hex, of the HTTP body */
    uint64_t                   payload_bytes;
    const struct record_consent *consent;        /* NULL: none */
    const struct record_consent *const *others;  /* further ones that the release rests on */
    size_t                     other_count;
    struct {
        struct span kind, version;               /* "N1" | "N2" */
        struct span explanation_sha256;          /* of the copy or explanation that went along */
    } notice;
    struct span                act, account, why;/* FILING only: "filed", by whom, why; READING: act */
    int64_t                    ended_ms;         /* FILING: when what is ended ends; 0: it is not ended */
    bool                       by_patient;       /* FILING: the patient agreed to it */
    const struct record_paper *papers;           /* on file, that it rests on or was stopped by */
    size_t                     paper_count;
    const struct record_emergency *emergency;    /* NULL: none; of several patients it is each one's own */
    bool                       in_part2_accounting, in_hipaa_accounting, in_intermediary_list;
    int64_t                    suspended_until_ms;   /* 164.528(a)(2); 0: not */
    struct span                request;          /* READING only: "GET /fhir/AuditEvent?patient=Patient/p1" */
    const struct span         *shown;            /* READING only: eventIds, at most RECORD_SHOWN */
    size_t                     shown_count;
    int64_t                    before_ms;        /* SHREDDING: what is older; act, account and why as well */
    const struct record_run   *runs[LEDGER_LOGS];
    size_t                     run_count[LEDGER_LOGS];
    uint64_t                   shredded;         /* how many leaves the runs have */
    const struct record_review *review;      /* REVIEW only */
    const struct record_row   *rows;             /* ROWS only */
    size_t                     row_count;
    uint64_t                   rows_first;       /* ROWS: 0: they were written just now */
    uint64_t                   rows_tables;      /* ROWS: of how many tables rows are vouched for */
    uint64_t                   withheld_count;       /* DENIAL only */
    const struct record_basis *withheld;             /* DENIAL only: reasons */
    size_t                     withheld_reason_count;
};

/* A new eventId: UUID version 7 (RFC 9562 5.7), lower case; its first 48 bits
 * are now_ms, so that an index of them grows at its end. */
struct span record_event_id(struct arena *, int64_t now_ms);

/* The bytes, and with them the whole entry for struct store_unit.records:
 * log (DENIAL and what follows it go to the denials), index copies, time. */
enum status record_author(const struct disclosure *, struct arena *, struct ledger_entry *out) MUST_CHECK;

/* "2 conditions, 1 medication request and 4 observations" */
struct span record_brief(enum language, const struct record_item *, size_t count, struct arena *);
/* 2026-11-22T15:00:00.123Z; `out` has room for RECORD_TIME bytes, NUL included. */
#define RECORD_TIME 28
void record_time(int64_t epoch_ms, char out[RECORD_TIME]);

#endif
