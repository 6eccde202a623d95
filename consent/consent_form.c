#include "consent/consent_form.h"

#include <string.h>

#include "base/sha1.h"
#include "consent/attachment.h"
#include "consent/match.h"
#include "fhir/code_system.h"
#include "fhir/reference.h"

/* References times consents, of one Bundle. */
enum { MOST_LOOKS = 100000 };

static uint32_t entry_named(const struct bundle *, struct span reference);
static bool     disagrees(const struct tape *, tape_node attachment, struct arena *);
static bool     is_form(const struct tape *, tape_node resource, struct span type, struct arena *);
static bool     is_over(const struct tape *, tape_node resource);
static bool     names_consent(const struct bundle *, uint32_t form, const struct policy *, size_t *looks, struct arena *);

/* ---- beside a Consent ---------------------------------------------------------------------- */

const char *
consent_form_deficiency(const struct consent *c, struct arena *arena)
{
    tape_node   source = tape_member(c->tape, c->node, SPAN("sourceReference"));
    struct span named  = tape_member_text(c->tape, source, SPAN("reference"), arena);

    if (disagrees(c->tape, tape_member(c->tape, c->node, SPAN("sourceAttachment")), arena))
        return "its sourceAttachment is not what its hash says: not the form that was signed, 2.31(c)(2)";
    if (!span_empty(named) && c->home == NULL && c->home_lost)
        return "the document that its sourceReference names may be in a Bundle that is not looked at: there are too many, 2.31(c)(2)";
    if (span_empty(named) || c->home == NULL)
        return NULL;
    const struct bundle *b     = c->home;
    uint32_t             entry = entry_named(b, named);
    if (entry == ENTRY_NONE || !span_eq_text(b->entries[entry].type, "DocumentReference"))
        return NULL;
    tape_node list = tape_member(b->tape, b->entries[entry].resource, SPAN("content"));
    for (tape_node n = tape_first(b->tape, list); n != TAPE_ABSENT; n = tape_next(b->tape, n))
        if (disagrees(b->tape, tape_member(b->tape, n, SPAN("attachment")), arena))
            return "the document that its sourceReference names is not what its hash says: not the form that was signed, 2.31(c)(2)";
    return NULL;
}

static uint32_t
entry_named(const struct bundle *b, struct span reference)
{
    struct span base, type, id;
    uint32_t    entry = bundle_find_full_url(b, reference);

    if (entry == ENTRY_NONE && reference_split(reference, &base, &type, &id))
        entry = bundle_find(b, type, id);
    return entry;
}

/* F3, F4 */
static bool
disagrees(const struct tape *t, tape_node attachment, struct arena *arena)
{
    tape_node         data   = tape_member(t, attachment, SPAN("data"));
    tape_node         hash   = tape_member(t, attachment, SPAN("hash"));
    struct arena_mark before = arena_mark(arena);
    struct span       bytes, wanted;
    uint8_t           sum[SHA1_BYTES];
    bool              same = false;

    if (data == TAPE_ABSENT || hash == TAPE_ABSENT)
        return false;
    if (attachment_decode(tape_text(t, hash, arena), arena, &wanted) && wanted.length == SHA1_BYTES
        && attachment_decode(tape_text(t, data, arena), arena, &bytes)) {
        sha1(bytes, sum);
        same = memcmp(sum, wanted.at, SHA1_BYTES) == 0;
    }
    arena_reset(arena, before);
    return !same;
}

/* ---- without one ---------------------------------------------------------------------------- */

enum status
consent_forms_alone(const struct bundle *b, const struct policy *policy, struct arena *arena, uint32_t *out, size_t most, size_t *count)
{
    bool  *named = arena_make_n(arena, b->count, bool);
    size_t looks = MOST_LOOKS;

    *count = 0;
    if (named == NULL && b->count > 0)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < policy->consent_count; i++) {
        const struct consent *c     = &policy->consents[i];
        tape_node             from  = tape_member(c->tape, c->node, SPAN("sourceReference"));
        struct span           text  = tape_member_text(c->tape, from, SPAN("reference"), arena);
        uint32_t              entry = span_empty(text) ? ENTRY_NONE : entry_named(b, text);
        if (entry != ENTRY_NONE)
            named[entry] = true;
    }
    for (uint32_t e = 0; e < b->count && *count < most; e++) {
        const struct bundle_entry *in     = &b->entries[e];
        struct arena_mark          before = arena_mark(arena);
        if (in->resource != TAPE_ABSENT && is_form(b->tape, in->resource, in->type, arena) && !is_over(b->tape, in->resource)
            && !named[e] && !names_consent(b, e, policy, &looks, arena))
            out[(*count)++] = e;
        arena_reset(arena, before);
    }
    return arena_status(arena);
}

bool
consent_form_any(const struct bundle *b, struct arena *arena)
{
    bool any = false;

    for (uint32_t e = 0; e < b->count && !any; e++)
        any = b->entries[e].resource != TAPE_ABSENT && is_form(b->tape, b->entries[e].resource, b->entries[e].type, arena);
    return any;
}

static bool
concept_is_form(const struct tape *t, tape_node concept, struct arena *arena)
{
    tape_node list = tape_member(t, concept, SPAN("coding"));

    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n)) {
        tape_node        code   = tape_member(t, n, SPAN("code"));
        enum code_system system = code_system_of(tape_member_text(t, n, SPAN("system"), arena));
        if ((system == CODE_SYSTEM_LOINC && tape_text_eq(t, code, SPAN("59284-0")))
            || (system == CODE_SYSTEM_ACTCODE && tape_text_eq(t, code, SPAN("42CFRPart2CD"))))
            return true;
    }
    return false;
}

/* F1 */
static bool
is_form(const struct tape *t, tape_node resource, struct span type, struct arena *arena)
{
    static const char *const types[]   = { "DocumentReference", "DiagnosticReport", "Media", "Composition" };
    static const char *const members[] = { "type", "category", "code" };
    bool                     is        = false;

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        is |= span_eq_text(type, types[i]);
    if (!is)
        return false;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        tape_node node = tape_member(t, resource, span_of(members[i]));
        if (tape_kind(t, node) == TAPE_OBJECT && concept_is_form(t, node, arena))
            return true;
        for (tape_node n = tape_kind(t, node) == TAPE_ARRAY ? tape_first(t, node) : TAPE_ABSENT; n != TAPE_ABSENT; n = tape_next(t, n))
            if (concept_is_form(t, n, arena))
                return true;
    }
    return false;
}

static bool
is_over(const struct tape *t, tape_node resource)
{
    static const char *const over[] = { "superseded", "entered-in-error", "cancelled", "not-done" };
    tape_node                status = tape_member(t, resource, SPAN("status"));
    bool                     is     = false;

    for (size_t i = 0; i < sizeof over / sizeof *over; i++)
        is |= tape_text_eq(t, status, span_of(over[i]));
    return is;
}

/* A Consent that is there: who names one that nobody has has entered none. */
static bool
names_consent(const struct bundle *b, uint32_t form, const struct policy *policy, size_t *looks, struct arena *arena)
{
    tape_node from = b->entries[form].resource;

    for (tape_node n = from; n < tape_after(b->tape, from); n++) {
        if (tape_kind(b->tape, n) != TAPE_NAME || !tape_text_eq(b->tape, n, SPAN("reference")))
            continue;
        struct span text  = tape_text(b->tape, n + 1, arena);
        uint32_t    entry = entry_named(b, text);
        if (entry != ENTRY_NONE && span_eq_text(b->entries[entry].type, "Consent"))
            return true;
        for (size_t i = 0; i < policy->consent_count && *looks > 0 && span_starts(text, SPAN("Consent/")); i++, --*looks)
            if (target_same_reference(text, consent_reference(&policy->consents[i])))
                return true;
    }
    return false;
}
