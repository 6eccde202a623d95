/* gateway/ops/config.h -- the configuration: typed sections, checked, immutable.
 *
 * Read with libconfuse from one file (and its includes); every option is a
 * row of options.def: section, name, type, unit, minimum, maximum, default,
 * reloadable, secret, help.  Errors carry file and line and, for an unknown
 * name, the nearest known one.
 *
 * A value may be `file:PATH` (the content of a file, one trailing newline
 * taken off) or `$NAME` (environment); both are resolved at load, so that
 * secrets stay out of the file.  Paths are relative to the file's folder.
 *
 * A loaded config is an immutable snapshot with a generation number.  Reload
 * is validate-then-swap: a new snapshot replaces the old one only when it is
 * wholly valid and changes no option that is not reloadable; exchanges pin
 * the snapshot that they began with.
 */
#ifndef SLUICE_GATEWAY_OPS_CONFIG_H
#define SLUICE_GATEWAY_OPS_CONFIG_H

#include "fhir/pack.h"
#include "base/arena.h"
#include "base/buf.h"
#include "consent/facts.h"

struct config_client {                   /* who may connect, and what is known of it */
    struct span        title;            /* name of the section */
    struct span        certificate_cn;   /* subject CN of its TLS certificate */
    struct span        jwks;             /* path, for SMART Backend Services */
    const struct span *scopes;
    size_t             scope_count;
    enum sender_status part2;            /* "program" | "not-program" | "unknown" (default) */
    enum holder        holder;           /* in what capacity it holds what it sends; unknown (default) */
    bool               trust_labels;
    struct span        consent_ids;      /* how the ids of its Consents begin; empty: not said (decision 0039) */
    struct party       party;            /* identifier, reference, class: who asks */
    const struct span *duties;           /* "compliance" …: auth/clients.h */
    size_t             duty_count;
    const struct span *purposes;
    size_t             purpose_count;
    const struct span *jurisdictions;    /* "US-MN": where it works and keeps records */
    size_t             jurisdiction_count;
};

struct config_recipient {
    struct span        title;
    struct span        url;              /* https or, on loopback, http */
    struct span        ca;               /* path of PEM; empty: the system's */
    struct span        certificate, key; /* client certificate for mutual TLS, optional */
    struct party       party;
    const struct span *purposes;
    size_t             purpose_count;
    const struct span *deliver;          /* bundle types that it takes */
    size_t             deliver_count;
    uint32_t           attempts;         /* tries before a delivery is a dead letter */
    struct span        notify;           /* "bundle" */
    enum emission_mode emission;         /* `labels`: security labels on what leaves */
    struct span        address;          /* postal address, for accounting; may be empty */
};

struct config_policy {                   /* a policy pack (docs/policy-packs.md) */
    struct span title, file, sha256;     /* sha256: the file has to have it; empty: not pinned */
    bool        enabled;
    struct span found_sha256;            /* of an enabled one, hex */
};

/* What becomes of a push that is readable and not valid; the order of the
 * choices in options.def. */
enum route_validation { ROUTE_REFUSES = 0, ROUTE_WARNS, ROUTE_ACCEPTS };

struct config_route {
    struct span        title;
    const uint32_t    *from;             /* indexes of clients */
    size_t             from_count;
    const uint32_t    *to;               /* indexes of recipients */
    size_t             to_count;
    enum route_validation validation;
};

struct config_reviewer {
    struct span        title;            /* name in records */
    struct span        account;          /* of this machine, name or uid */
    const struct span *roles;            /* codes of consent/review.h */
    size_t             role_count;
};

struct config {
    uint64_t generation;
    uint64_t class_version, registry_version;    /* of what labelling depends on (classify/classify.h) */
    struct span file;                    /* as given on the command line */
    struct { struct span address; uint16_t port; struct span certificate, key, client_ca; } listen;
    struct { struct span address; uint16_t port; struct span socket, socket_group; } admin;
    struct { struct span engine, path, conninfo; } store;
    struct {                             /* path of PKCS#8 PEM; checkpoint origin line; folder */
        struct span        key, origin, anchor;
        uint32_t           anchor_seconds, retention_years;
        const struct span *legal_hold;
        size_t             legal_hold_count;
    } ledger;
    struct { struct span dir; const struct span *profiles; size_t profile_count; } packages;
    struct {                             /* empty url: nobody is asked */
        struct span url, ca, certificate, key, token;
        uint32_t    deadline_ms, connections, answers;
        uint32_t    right_seconds, wrong_seconds, failure_seconds;
    } terminology;
    struct { struct span program; uint32_t processes; uint64_t memory_bytes; uint32_t cpu_seconds; } inspect;
    const struct pack *pack;             /* the definitions with these packages: set by who loads the
                                          * configuration, before anybody else sees it */
    struct {
        size_t   max_body_bytes;         /* 413 above, also after gunzip */
        size_t   exchange_bytes;         /* arena budget of one exchange */
        uint32_t max_connections;
        uint32_t max_connections_per_client;
        uint32_t idle_seconds;
        uint32_t loops;                  /* 0: one a core */
        uint32_t workers;
        size_t   worker_bytes;           /* bodies from this size on go to a worker */
        uint32_t asks_a_minute;          /* of one client: reads and consults, before 429 */
        uint32_t max_queue;              /* exchanges in flight before 429 */
    } limits;
    struct { struct span level; } log;   /* "debug" "info" "warn" "error" */
    struct site_policy             site;
    const struct program          *programs;
    size_t                         program_count;
    const struct span             *program_titles;
    const struct known_actor      *known_actors;   /* programs, clients and recipients: what a
                                                      Consent's actor reference may resolve to */
    size_t                         known_actor_count;
    const struct config_client    *clients;
    size_t                         client_count;
    const struct config_recipient *recipients;
    size_t                         recipient_count;
    const struct config_route     *routes;
    size_t                         route_count;
    struct config_policy          *policies;
    size_t                         policy_count;
    const struct state_pack *const *packs;         /* of the policies that are enabled */
    size_t                         pack_count;
    struct span                    pack_names;     /* " id/version/first 16 digits of its SHA-256" each, for the record */
    const struct config_reviewer  *reviewers;
    size_t                         reviewer_count;
};

/* Where and what is wrong, one text an error, at most 100:
 * "sluice.conf:12: unknown option `adress` in `listen`; did you mean `address`?" */
struct config_errors;                    /* lives in the arena; NULL when that is spent */
struct config_errors *config_errors_new(struct arena *);
void                  config_error(struct config_errors *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
size_t                config_errors_count(const struct config_errors *);
struct span           config_errors_at(const struct config_errors *, size_t);

/* Syntax, names, types, ranges and references between sections.  The snapshot
 * is heap-owned and counted: load gives one pin, config_unpin drops it.
 * Not reentrant: libconfuse's scanner has one state. */
struct config *config_load(const char *path, struct config_errors *);
void           config_pin(struct config *);              /* any thread */
void           config_unpin(struct config **);           /* any thread; NULL is fine */
/* Whether a running gateway may go from one to the other: an error for every
 * option that changed and is not reloadable. */
bool           config_may_replace(const struct config *running, const struct config *next,
                                  struct config_errors *);
/* What only the outside world can say: certificates, keys, ports, store,
 * packages.  `sluice config check`, and serve before it starts.  running:
 * a gateway with this configuration is up, so its ports are taken and that
 * is fine. */
void           config_check_world(const struct config *, bool running, struct config_errors *);
/* Whether documents can be read here: without it the gateway does not start, for it would answer 503 to each.
 * Apart, since a reload starts no helper and must not hang on one. */
void           config_check_helper(const struct config *, struct config_errors *);

/* The merged result as a configuration file.  `***` stands for secrets and
 * for whatever came by file: or from the environment. */
enum status    config_print(const struct config *, struct buf *out) MUST_CHECK;
enum status    config_print_json(const struct config *, struct buf *out) MUST_CHECK;
/* From the rows of options.def: a file to start from, and
 * docs/reference/configuration.md. */
enum status    config_print_sample(struct buf *out) MUST_CHECK;
enum status    config_print_reference(struct buf *out) MUST_CHECK;

#endif
