/* gateway/runtime/exchange.h -- one request or one delivery, from begin to end.
 *
 * Memory belongs to the exchange: one arena with a budget from the
 * configuration; spent means a clean 503.  Stages write what they found here
 * and read what earlier ones left; the comments say which stage sets what.
 *
 * An exchange belongs to one loop; only a run of pure stages may be on a
 * worker meanwhile.  It ends when the tail is through and every pin is gone
 * (a delivery that sends from this memory holds one), at the end of the turn.
 */
#ifndef SLUICE_GATEWAY_RUNTIME_EXCHANGE_H
#define SLUICE_GATEWAY_RUNTIME_EXCHANGE_H

#include "base/arena.h"
#include "consent/release.h"
#include "fhir/term_questions.h"
#include "fhir/validate.h"
#include "gateway/gateway.h"
#include "gateway/http/client.h"
#include "gateway/http/server.h"
#include "gateway/inspect/pool.h"
#include "gateway/runtime/pipeline.h"
#include "gateway/store/store.h"

#define EXCHANGE_HEADERS 8

struct terminology_ask;
struct record_consent;
struct record_item;
struct reading;                          /* stages/reading.h */
struct auditing;                         /* stages/auditing.h */
struct accounting_answer;                /* stages/accounting.c */
struct revoking;                         /* stages/revoke.c */
struct consulting;                       /* stages/consult.c */

enum intake {                            /* what the request asks for; by stage receive */
    INTAKE_NONE = 0,
    INTAKE_SYSTEM,                       /* POST /fhir: transaction, batch, or what else it holds */
    INTAKE_MESSAGE,                      /* POST /fhir/$process-message                           */
    INTAKE_CREATE,                       /* POST /fhir/{type}, also Bundle                        */
    INTAKE_UPDATE,                       /* PUT  /fhir/{type}/{id}                                */
    INTAKE_DELETE,
    INTAKE_VALIDATE,                     /* POST /fhir/$validate, /fhir/{type}/$validate          */
    INTAKE_ASYNC,                        /* GET  /fhir/$async/{key}: what became of it            */
    INTAKE_METADATA,                     /* GET  /fhir/metadata                                   */
    INTAKE_READ,                         /* GET  /fhir/Consent/{id}                               */
    INTAKE_VREAD,                        /* GET  /fhir/Consent/{id}/_history/{version}            */
    INTAKE_HISTORY,                      /* GET  /fhir/Consent/{id}/_history                      */
    INTAKE_SEARCH,                       /* GET  /fhir/Consent?…, POST /fhir/Consent/_search      */
    INTAKE_AUDIT_READ,                   /* GET  /fhir/AuditEvent/{id}                            */
    INTAKE_AUDIT_SEARCH,                 /* GET  /fhir/AuditEvent?…, POST /fhir/AuditEvent/_search */
    INTAKE_ACCOUNTING,                   /* GET  /fhir/Patient/{id}/$accounting                   */
    INTAKE_REVOKE,                       /* POST /fhir/Consent/{id}/$revoke; then an update       */
    INTAKE_SERVICES,                     /* GET  /cds-services                                    */
    INTAKE_CONSULT,                      /* POST /cds-services/patient-consent-consult            */
};

enum entry_act { ACT_NONE = 0, ACT_CREATE, ACT_UPDATE, ACT_DELETE };

enum prefer_return { PREFER_NOTHING = 0, PREFER_MINIMAL, PREFER_REPRESENTATION, PREFER_OUTCOME };

/* What a $validate asks for (R4 resource-operation-validate.html); by stages
 * receive and parse. */
#define ASKED_PROFILES 16u
enum validate_mode { MODE_NONE = 0, MODE_CREATE, MODE_UPDATE, MODE_DELETE, MODE_PROFILE };

struct validate_asked {
    enum validate_mode mode;
    struct span        profiles[ASKED_PROFILES];
    size_t             profile_count;
};

/* What becomes of one entry of the body as it was sent; by stages validate,
 * entries, record, commit. */
struct intake_entry {
    enum entry_act         act;
    struct span            type, id;     /* that a DELETE names                               */
    int64_t                if_version;   /* as of store_resource                              */
    const int64_t         *or_versions;
    size_t                 or_count;
    struct store_condition *unless;      /* ifNoneExist; with one match that is what there is */
    struct store_resource *resource;     /* NULL: nothing to store                            */
    int                    status;       /* 201, 200, 204, or the error                       */
    const struct issues   *issues;       /* of a refused batch entry                          */
};

/* An answer that holds, or holds back, what is known of a patient; by stages read, audit
 * and consult, recorded by stage disclose before a byte of it leaves. */
struct giving {
    struct span               patient;   /* "Patient/p1", or empty */
    const struct record_item *items;     /* what the answer holds */
    size_t                    item_count;
    size_t                    withheld;  /* what was there and is not in it */
    bool                      denied;    /* nothing is given, whatever there was */
    struct span               rule, citation, words;         /* why */
    struct span               brief, channel;
    const struct span        *purposes;
    size_t                    purpose_count;
    struct span               name;      /* recipient, when it is not who asks */
    struct span               reference; /* and how consents refer to it */
    const struct record_consent *consent;
    bool                      accounted; /* 42 CFR 2.25 */
    struct span               log_act;   /* not empty: the log itself was read (ledger/record.h, kind reading) */
    struct span               log_request;
    const struct span        *log_shown; /* eventIds */
    size_t                    log_shown_count;
};

/* One recipient of this exchange; by stages route, decide, redact, commit. */
struct outgoing {
    const struct config_recipient *recipient;
    uint32_t                       recipient_index;
    struct facts                  *facts;
    const struct release          *release;
    struct span                    sha256;            /* hex, of release->payload       */
    struct span                    idempotency_key;
    struct span                    event_id;
    struct store_outbox           *row;               /* NULL: nothing leaves           */
    struct store_review           *reviews;           /* of it, what waits for a person */
    size_t                         review_count;
    /* delivery of it */
    struct exchange               *exchange;
    struct http_call               call;
    struct store_unit              unit;
    struct store_delivery          result;
    struct span                    patient;
    uint32_t                       attempts;          /* tries made                     */
    int64_t                        outbox_id;
    bool                           byte_may_have_left; /* in an earlier try             */
    int64_t                        lease_ms;          /* until then nobody else sends it */
    bool                           withdrawn;         /* this try: its turn came too late */
};

struct exchange {
    struct gateway               *gateway;
    struct config                *config;            /* pinned */
    struct loop                  *loop;
    struct arena                 *arena;
    struct http_request          *request;           /* NULL in a claimed delivery */
    uint32_t                      pins;
    /* driver */
    const struct pipeline        *pipeline;
    const struct stage *const    *at;
    struct job                    job;
    enum step                     job_step;
    const struct stage           *back_to;           /* of STEP_BACK */
    bool                          in_tail, large, on_worker, asked;
    const char                   *failed_stage;
    int64_t                       spent_us, waits_since_us, begun_us;
    struct task                   end_task;
    /* receive */
    enum intake                   intake;
    struct span                   request_id;
    struct span                   path_type, path_id;
    enum prefer_return            prefer_return;
    bool                          prefer_async;
    struct validate_asked         to_validate;           /* of $validate; parse adds what the body says */
    struct span                   body;              /* immutable from here */
    int64_t                       at_ms;             /* the moment of decision; moved on by a wait in stage terminology */
    struct issues                *issues;
    /* authenticate */
    const struct config_client   *client;            /* whose record this is about: mostly who asks */
    const struct config_client   *asker;             /* who sent the request */
    struct store_lookup           lookup;
    struct span                   idempotency_key;   /* incoming */
    struct span                   request_sha256;
    /* read, audit, accounting, revoke, consult; disclose */
    struct reading               *reading;
    struct auditing              *auditing;
    struct accounting_answer     *accounting;
    struct revoking              *revoking;
    struct consulting            *consulting;
    struct giving                *giving;            /* NULL: the answer is no release */
    /* parse */
    const struct tape            *tape;
    const struct bundle          *bundle;
    const struct references      *references;
    /* validate, terminology */
    struct issues                *parsed;            /* what parse found, when issues may be found twice */
    struct term_questions        *terms;             /* NULL: nobody would be asked */
    struct terminology_ask       *terms_asked;       /* NULL: not yet */
    /* label */
    struct facts                  facts;             /* of the sender; recipients copy it */
    const struct labeling        *labeling;
    /* label, inspect */
    struct inspected_table        inspected;         /* documents that the helper read, or has to */
    struct inspecting             inspecting;
    /* entries */
    struct intake_entry          *entries;           /* of the body as it was sent */
    size_t                        entry_count;
    struct store_match            match;
    struct store_condition      **named;             /* who is named by an identifier that no Patient of the bundle has */
    const struct lookup          *named_index;       /* their names (fhir/reference.h) -> named; NULL: nobody is */
    /* form */
    uint32_t                     *places;            /* entry of the bundle -> of entries */
    uint32_t                      rounds;            /* times that it went back to form */
    /* record */
    struct span                  *ids;               /* of each entry, as the record knows it */
    struct span                  *patients;          /* Patient/ID of each entry, the same way; empty: none */
    struct store_resource        *resources;
    size_t                        resource_count;
    struct store_resource        *whole;             /* the Bundle itself, when it is kept as one */
    struct span                   patient;           /* of its first resource that has one; orders deliveries */
    uint32_t                      own_consents;
    /* decide */
    struct store_consents         consents;
    const struct store_shelf     *shelf;             /* pinned; NULL: nothing is on file about nobody in particular */
    struct span                  *patient_names;     /* consents.patients as the bundle calls them */
    const struct lookup          *patient_index;     /* consents.patients -> entries that are about them */
    uint32_t                     *patient_of;        /* of each entry: number in consents.patients, from 1; 0: none */
    /* route, redact */
    struct outgoing              *outgoing;
    size_t                        outgoing_count;
    struct store_review          *reviews;           /* Consents that lack something, or were refused */
    size_t                        review_count, review_room;
    bool                          relies_on_review;  /* something leaves, or stays, by what a person found */
    /* commit */
    struct store_unit             unit;
    struct store_inbox            inbox;
    struct store_answer           kept_answer;
    /* respond */
    struct http_answer            answer;
    struct http_header            answer_headers[EXCHANGE_HEADERS];
    struct buf                    answer_body;
    const struct store_due       *due;               /* a claimed delivery */
    int64_t                       lease_ms;          /* of its row */
    void                        (*ended)(struct exchange *);   /* just before the memory goes; may be NULL */
    void                         *ended_arg;
};

/* NULL when there is no memory: the caller answers 503 itself. */
struct exchange *exchange_new(struct gateway *, struct loop *, struct http_request *, size_t body_bytes);
/* Too many in flight: 429 and the end. */
void             exchange_overloaded(struct exchange *);
/* Counts it as a request that waits for its answer, and says how many there are
 * (limits { max-queue }); until it is answered or over. */
uint32_t         exchange_asked(struct exchange *);
void             exchange_answered(struct exchange *);
void             exchange_pin(struct exchange *);
void             exchange_unpin(struct exchange *);  /* the last one frees it at the end of the turn */
void             exchange_end(struct exchange *);    /* by the driver: the tail is through */

struct exchange *exchange_of_job(struct job *);
int64_t          exchange_clock_us(void);            /* monotonic */

/* Our fault or a dependency's: the answer becomes status_http(st) with an
 * OperationOutcome of `why` (a static sentence). */
enum step exchange_fail(struct exchange *, enum status, const char *why);
/* The sender's: this HTTP status with the findings collected so far. */
enum step exchange_refuse(struct exchange *, int http_status);
/* The same with one finding. */
enum step exchange_refuse_one(struct exchange *, int http_status, enum issue_code, const char *rule,
                              const char *what, const char *hint);
/* Text of the answer; body is printed into answer_body. */
void exchange_answer_json(struct exchange *, int http_status, struct span body);
void exchange_answer_header(struct exchange *, struct span name, struct span value);

#endif
