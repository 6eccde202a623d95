/* gateway/cli/desk.h -- what the commands that read the store have in common.
 *
 *     struct desk d;
 *     int code = desk_open(call, &d);       configuration and store, reading only
 *     if (code == EXIT_CODE_OK)
 *         …
 *     return desk_close(call, &d, code);    says d.why, if there is anything
 *
 * Works whether the gateway runs or not.
 */
#ifndef SLUICE_GATEWAY_CLI_DESK_H
#define SLUICE_GATEWAY_CLI_DESK_H

#include "base/json_tape.h"
#include "gateway/cli/load.h"
#include "gateway/ledger/checkpoint.h"
#include "gateway/store/store.h"

struct desk {
    struct config *config;
    struct store  *store;
    struct arena  *arena;
    struct buf     why, out;
};

int  desk_open(const struct call *, struct desk *);
/* No gateway runs: whoever may write the store and read the key may write what a gateway would.  Says what is wrong. */
struct desk_store { struct store *store; struct ledger_signer *signer; };
int  desk_store_open(const struct call *, const struct config *, struct arena *, struct desk_store *);
void desk_store_close(struct desk_store *);
int  desk_close(const struct call *, struct desk *, int code);
/* The exit code of what the store or the ledger answered. */
int  desk_code(enum status);
/* The public half of `ledger { key }`; the private key is not needed for it
 * and is not used. */
int  desk_key(struct desk *, struct ledger_public *);
/* A --since or --until: any FHIR date or dateTime; false after saying so.  Not
 * given: `*at_ms` stays. */
bool desk_time(const struct call *, const char *option, bool end, int64_t *at_ms);

/* A --patient, or an argument that names one: "Patient/p1", "p1" for it, or a URL or URN as a consent may have it; false
 * after saying so.  `text` may be NULL: empty. */
bool desk_patient(const struct call *, const char *text, struct arena *, struct span *out);

/* Text of a record on a terminal: control characters, which could move the
 * cursor or forge a line, become '?'. */
void desk_plain(struct buf *, struct span text, size_t width);   /* width: filled up with blanks; 0: none */
/* A string member, empty when there is none. */
struct span desk_member(const struct desk *, const struct tape *, tape_node, const char *name);

#endif
