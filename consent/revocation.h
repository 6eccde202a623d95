/* consent/revocation.h -- a revocation as the next version of its Consent.
 *
 * 42 CFR 2.31(a)(6), 2.33(a)(2): no new release once a written revocation was
 * received; what was released before in reliance stays as it was.
 *
 *   W1  Whole, of a Consent that refuses nothing: status inactive, and the
 *       extension "revoked" with the moment of receipt (policy.h).
 *   W2  Whole, of a Consent that also refuses something (a permit of some data says no
 *       to the rest, weigh.h K5), or that cannot be read:
 *       with status inactive its refusals would end as well, and to withdraw a
 *       permission is not to permit.  It stays active and gets a
 *       modifierExtension, with which it denies what it denies and permits
 *       nothing (policy.h V1); whoever else reads it must not use it either
 *       (R4 extensibility.html#modifierExtension).
 *   W3  In part, by recipient, purpose or provision: a nested refusal with the
 *       moment of receipt as the start of its period, in every provision that
 *       permits, since the deepest that matches decides (weigh.h K2).  What is
 *       not named stays as it was.
 *   W4  Said and not written, it is no revocation under Part 2: the Consent is
 *       held by the modifierExtension "held", so nothing new leaves on it, and a
 *       written one can follow (a refusal in part is the same either way).
 *   W5  Of criminal justice consents (2.35(c)) the status stays: they say from
 *       when they can be revoked, and policy.h keeps them until then; one that also
 *       refuses something gets refusals as of W3 from that day on.
 *   W6  Asked again, what stands is no new version.
 *   W7  Every version says who, when it was received and recorded, in which form
 *       and why: extension "revocation".
 *
 *   W8  It outlives the version: precedent.h.
 *
 * Nothing here widens: bytes that are there stay, but for the status.
 */
#ifndef SLUICE_CONSENT_REVOCATION_H
#define SLUICE_CONSENT_REVOCATION_H

#include "consent/policy.h"

enum revocation_form { REVOCATION_FORM_UNKNOWN = 0, REVOCATION_WRITTEN, REVOCATION_SAID };

struct revocation {
    int64_t              received_ms;    /* by anybody who works for the holder, not when it was keyed */
    int64_t              received_last_ms; /* the last moment at which that may have been: a day is known without its time */
    int64_t              recorded_ms;
    enum revocation_form form;           /* unknown reads as said */
    struct span          who;            /* reference; empty: not told */
    struct span          reason;
    struct span          recorded_by;
    struct span          recipient;      /* reference, or … */
    struct identifier    identifier;     /* … identifier; both empty: every recipient */
    struct span          purpose;        /* v3-ActReason code; empty: every purpose */
    struct span          provision;      /* "provision.provision[0]"; empty: all of it */
};

enum revocation_outcome {
    REVOCATION_IMPOSSIBLE = 0,           /* no memory, or no Consent */
    REVOCATION_MADE,                     /* *out is the next version */
    REVOCATION_STANDS,                   /* it was revoked before, or never of effect: nothing to write */
    REVOCATION_OF_NOTHING,               /* it permits nothing: to lift a refusal is no revocation */
    REVOCATION_NOT_FOUND,                /* no such provision, or it permits nothing */
};

bool                    revocation_in_part(const struct revocation *);
enum revocation_outcome revoke(const struct tape *consent, const struct revocation *, struct arena *,
                               struct span *out) MUST_CHECK;

#endif
