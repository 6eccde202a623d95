/* gateway/stages/auditing.h -- which AuditEvents a read or a search asks for.
 *
 * R4 auditevent.html, search.html.  AuditEvents are made from the records of both logs when they are asked for
 * (ledger/audit_event.h).  Rules:
 *   1  A client whose scope names AuditEvent (`system/AuditEvent.rs`) sees those of everybody, and nobody else any.
 *   2  What a void took back did not happen: it is not found, by no id.
 *   3  Newest first.  A page begins behind a place in that order (store.h, struct leaf_place), so it stays what it was
 *      while newer ones come.  A page ends when it is full, and also when AUDIT_LOOKS leaves were looked at or
 *      AUDIT_READS records were read: then it may have few or none, and `next` all the same.
 *   4  A parameter that is not understood is refused, as in stages/reading.h.
 *   5  What is shown is in the log, with the request and the eventIds, before a byte of it leaves
 *      (ledger/record.h, kind reading); also when nothing was found.
 *
 *   patient            a reference or an id; patient:identifier  system|value: who is known by an identifier alone
 *   date               recorded, with eq ne gt lt ge le sa eb, up to 4 times
 *   agent              agent.who: a reference, or the value of its identifier; agent:identifier  system|value
 *   agent-name         how agent.name begins, small or capital: the title of a recipient or client
 *   entity             entity.what: a reference; one with _history means that version
 *   source             source.observer, as agent; source:identifier
 *   type subtype outcome action purpose     codes, with system| or without; a comma is an or.  purpose: purposeOfEvent;
 *                      R4 has none of that name
 *   _id                one
 *   _count, page       0 to 200, 50; ours, from the link
 *   _sort              -date alone
 *
 * Pure.
 */
#ifndef SLUICE_GATEWAY_STAGES_AUDITING_H
#define SLUICE_GATEWAY_STAGES_AUDITING_H

#include "gateway/stages/reading.h"

#define AUDIT_CODES  8u
#define AUDIT_LOOKS  200000u
#define AUDIT_READS  2000u
#define AUDIT_BYTES  ((size_t)4 << 20)  /* of a page; one that is larger is alone on its page */

enum audit_codes { AUDIT_TYPE = 0, AUDIT_SUBTYPE, AUDIT_OUTCOME, AUDIT_ACTION, AUDIT_PURPOSE, AUDIT_TOKENS };

struct audit_code { struct span system, code; bool any_system; };   /* code empty: any of the system */
struct audit_token { struct audit_code codes[AUDIT_CODES]; size_t count; };
/* A Reference: by its text, or by its identifier. */
struct audit_reference { struct span text, system, value; bool asked, any_system; };

struct auditing {
    /* asked */
    struct span            host, form;
    struct span            patient, id, agent_name;
    struct audit_token     tokens[AUDIT_TOKENS];
    struct audit_reference agent, entity, source;
    struct period_asked    dates[READING_PERIODS];
    size_t                 date_count;
    struct leaf_place      before;
    uint32_t               count;
    bool                   counted, paged;
    /* what the worker does with it (stages/audit.c) */
    struct exchange       *exchange;
    struct job             job;
    struct span            origin;       /* of the log of disclosures */
    struct buf             event;        /* the one that is being made */
    struct span           *events, *ids; /* count + 1 of each */
    uint32_t               found, reads;
    size_t                 bytes;
    struct store_newest    newest;
    struct span            about;        /* of a read: the patient of the event */
    enum status            status;
};

/* False: not understood. */
bool auditing_take(struct auditing *, struct arena *, struct span name, struct span value, const char **why);
/* Times that an event must be between, for the store; `ne` is left to auditing_dates(). */
void auditing_span(const struct auditing *, int64_t *from_ms, int64_t *to_ms);
bool auditing_dates(const struct auditing *, int64_t at_ms);
/* By what the index knows of a leaf. */
bool auditing_name(const struct auditing *, struct span recipient);
/* By all the rest; `event` is the tape of an AuditEvent. */
bool auditing_fits(const struct auditing *, const struct tape *event, struct arena *);
/* "1763989999123-72057594037927936" */
struct span auditing_page(struct arena *, struct leaf_place);

#endif
