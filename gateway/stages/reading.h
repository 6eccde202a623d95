/* gateway/stages/reading.h -- what a read or a search asks for, and which Consents answer it.
 *
 * R4 http.html#read, #vread, #history, #search; search.html.  Rules:
 *   1  A client sees the Consents that it sent itself; with the duty `compliance`
 *      those of every source (auth/clients.h).  A version is seen by the same rule.
 *   2  What is not seen, was deleted or never was there is the same answer: 404, or
 *      a searchset without it.  Either way a denial record is written, so that the
 *      time tells nothing and somebody who guesses ids is in the log.
 *   3  An answer is about one patient: a search names `patient` or one `_id`, a
 *      history shows the versions about whom the newest one is about.
 *   4  A parameter that is not understood is refused: one that was passed over would
 *      widen the answer (R4 search.html#errors leaves that to the server).
 *   5  Resources leave byte for byte as they came; versions are in ETag, link and
 *      Bundle.entry.response.
 *
 *   patient   a reference or an id                     status   codes, comma for or
 *   _id       one id                                   actor    a reference, or an id
 *   period    eq ne gt lt ge le sa eb, up to 4 times   _count   0 to 200, 50
 *   page      where the next page begins; ours, from the link
 *
 *   6  A reference by URL is to this gateway when it has its host and path.  Of
 *      another server nobody is known here: as with a patient who does not exist.
 *      One that names a version is refused: R4 search.html#reference has no such form.
 *
 * Room for other types: what a type may be searched by, and who sees it, is all
 * that is about Consents here.
 */
#ifndef SLUICE_GATEWAY_STAGES_READING_H
#define SLUICE_GATEWAY_STAGES_READING_H

#include "fhir/datatypes.h"
#include "gateway/runtime/exchange.h"

#define READING_PERIODS  4u
#define READING_STATUSES 8u

enum prefix { PREFIX_EQ = 0, PREFIX_NE, PREFIX_GT, PREFIX_LT, PREFIX_GE, PREFIX_LE, PREFIX_SA, PREFIX_EB };
struct period_asked { enum prefix prefix; struct time_range range; };

struct reading {
    struct span         patient;         /* "Patient/p1" */
    struct span         id, page;
    struct span         actor_base, actor_type, actor_id;   /* base empty: ours */
    struct span         host;            /* as the request calls this gateway */
    struct span         statuses[READING_STATUSES];
    size_t              status_count;
    struct period_asked periods[READING_PERIODS];
    size_t              period_count;
    uint32_t            count;           /* of entries on a page */
    bool                counted;         /* … as was asked */
    int64_t             version;         /* of a vread, or where a page of a history begins */
    struct span         form;            /* parameters of a _search */
    struct exchange    *exchange;        /* whose this is */
    struct store_versions versions;
    struct store_consents consents;
};

/* By receive: the version of a vread; the form of a _search. */
enum step reading_version(struct exchange *, struct span version);
enum step reading_form(struct exchange *);
/* Pure; for tests.  False: not understood. */
bool      reading_take(struct reading *, struct arena *, struct span name, struct span value, const char **why);
bool      period_matches(struct period_asked, struct time_range resource);
/* A date with a prefix; false: not understood. */
bool      period_read(struct span value, struct period_asked *out);
/* A `patient` of a search, once: "Patient/p1", "p1", a URL of this gateway; of another server as it is.  `host`: as the
 * request calls this gateway. */
bool      reading_patient(struct span value, struct span host, struct arena *, struct span *patient, const char **why);
/* The parameters that a POST to _search brings; 415 for other bodies. */
enum step search_form(struct exchange *, struct span *form);

#endif
