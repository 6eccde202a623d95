#include "consent/signer.h"

#include "consent/match.h"
#include "consent/provision.h"
#include "consent/subject.h"
#include "fhir/lookup.h"
#include "fhir/reference.h"

static void read_evidence(struct consent *);
static bool is_verified(const struct consent *);
static bool is_signature(const struct tape *, tape_node);

void
signer_read(struct consent *c, struct arena *arena)
{
    read_evidence(c);
    tape_node    list    = tape_member(c->tape, c->node, SPAN("performer"));
    struct span *signers = arena_make_n(arena, tape_children(c->tape, list) + 1, struct span);

    if (signers == NULL)
        return;
    for (tape_node n = tape_first(c->tape, list); n != TAPE_ABSENT; n = tape_next(c->tape, n))
        signers[c->signer_count++] = tape_member_text(c->tape, n, SPAN("reference"), arena);
    c->signers = signers;
}

static void
read_evidence(struct consent *c)
{
    const struct tape *t    = c->tape;
    tape_node          list = tape_member(t, c->node, SPAN("extension"));

    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n)) {
        tape_node url       = tape_member(t, n, SPAN("url"));
        tape_node signature = tape_member(t, n, SPAN("valueSignature"));
        if (tape_text_eq(t, url, SPAN(CONSENT_EXTENSION "doubted")))
            c->doubted |= tape_kind(t, tape_member(t, n, SPAN("valueBoolean"))) != TAPE_FALSE;
        if (tape_text_eq(t, url, SPAN(CONSENT_EXTENSION "signature")))
            c->shown_signed |= is_signature(t, signature);
    }
    c->shown_signed = c->shown_signed || is_verified(c);
}

static bool
is_verified(const struct consent *c)
{
    tape_node list = tape_member(c->tape, c->node, SPAN("verification"));
    bool      form = tape_member(c->tape, c->node, SPAN("sourceAttachment")) != TAPE_ABSENT
                || tape_member(c->tape, c->node, SPAN("sourceReference")) != TAPE_ABSENT;

    for (tape_node n = tape_first(c->tape, list); form && n != TAPE_ABSENT; n = tape_next(c->tape, n))
        if (tape_kind(c->tape, tape_member(c->tape, n, SPAN("verified"))) == TAPE_TRUE)
            return true;
    return false;
}

/* ---- by a Provenance of its Bundle ------------------------------------------------------------- */

#define REFERENCE_HISTORY "/_history/"

enum { KEYS = 3 };

struct show {
    struct consent              *consents;
    const struct consent_source *sources;
    const struct lookup         *known;    /* those not known to be signed: by Bundle and id, with its version, by Bundle and bytes */
    bool                        *walked;   /* by position in it: all of this key are shown */
    struct arena                *arena;
};

static struct span
key_in(const struct bundle *home, struct span what, struct arena *arena)
{
    return arena_join(arena, (struct span){ (const char *)&home, sizeof home }, what);
}

/* Of a body not the bytes but their hash, behind what no id begins with. */
static struct span
key_of_body(const struct bundle *home, struct span body, struct arena *arena)
{
    uint64_t hash = lookup_hash(body);

    return key_in(home, arena_join(arena, SPAN("\n"), (struct span){ (const char *)&hash, sizeof hash }), arena);
}

/* As it was sent, whatever it is read as. */
static struct span
body_of(const struct consent_source *s)
{
    return s->sent != NULL ? tape_extent(s->sent, s->sent_node) : tape_extent(s->tape, s->node);
}

/* The first with this key, if it is asked for the first time: what many share is walked once. */
static uint32_t
first_of(struct show *s, struct span key)
{
    uint32_t at = lookup_find(s->known, key);

    if (at == LOOKUP_NONE || s->walked[at])
        return LOOKUP_NONE;
    s->walked[at] = true;
    return at;
}

static void
show_same_body(struct show *s, const struct bundle *b, struct span body)
{
    for (uint32_t at = first_of(s, key_of_body(b, body, s->arena)); at != LOOKUP_NONE; at = lookup_next(s->known, at)) {
        uint32_t i = lookup_value(s->known, at);
        s->consents[i].shown_signed |= span_eq(body_of(&s->sources[i]), body);
    }
}

/* Behind the id what no id has in it; an empty version is that of a Consent which does not say its own. */
static struct span
key_of_version(const struct bundle *home, struct span id, struct span version, struct arena *arena)
{
    return key_in(home, arena_join(arena, id, SPAN(REFERENCE_HISTORY), version), arena);
}

static struct span
version_of(const struct consent_source *s, struct arena *arena)
{
    const struct tape *t = s->sent != NULL ? s->sent : s->tape;

    return tape_member_text(t, tape_member(t, s->sent != NULL ? s->sent_node : s->node, SPAN("meta")), SPAN("versionId"), arena);
}

static void
show_all(struct show *s, struct span key)
{
    for (uint32_t at = first_of(s, key); at != LOOKUP_NONE; at = lookup_next(s->known, at))
        s->consents[lookup_value(s->known, at)].shown_signed = true;
}

static void
show_same_id(struct show *s, const struct bundle *b, struct span reference)
{
    struct span base, type, id;

    /* a whole URL is that server's Consent, and an entry by its fullUrl or none here */
    if (!reference_split(reference, &base, &type, &id) || !span_empty(base) || !span_eq_text(type, "Consent"))
        return;
    struct span rest = span_skip(reference, (size_t)(id.at + id.length - reference.at));
    if (!span_starts(rest, SPAN(REFERENCE_HISTORY))) {
        show_all(s, key_in(b, id, s->arena));
        return;
    }
    show_all(s, key_of_version(b, id, span_skip(rest, sizeof REFERENCE_HISTORY - 1), s->arena));
    show_all(s, key_of_version(b, id, SPAN(""), s->arena));
}

/* The target is an entry by its fullUrl, or whatever has its type and id. */
static void
show_target(struct show *s, const struct bundle *b, struct span reference)
{
    uint32_t entry = bundle_find_full_url(b, reference);

    if (entry != ENTRY_NONE && span_eq_text(b->entries[entry].type, "Consent"))
        show_same_body(s, b, tape_extent(b->tape, b->entries[entry].resource));
    show_same_id(s, b, reference);
}

/* Both are there in every Signature (R4 datatypes.html#Signature). */
static bool
is_signature(const struct tape *t, tape_node signature)
{
    return tape_member(t, signature, SPAN("when")) != TAPE_ABSENT && tape_member(t, signature, SPAN("who")) != TAPE_ABSENT;
}

static bool
signs(const struct tape *t, tape_node provenance)
{
    tape_node list = tape_member(t, provenance, SPAN("signature"));
    bool      any  = false;

    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT && !any; n = tape_next(t, n))
        any = is_signature(t, n);
    return any;
}

static void
show_bundle(struct show *s, const struct bundle *b)
{
    for (uint32_t e = 0; e < b->count; e++) {
        tape_node resource = b->entries[e].resource;
        if (!span_eq_text(b->entries[e].type, "Provenance") || !signs(b->tape, resource))
            continue;
        tape_node list = tape_member(b->tape, resource, SPAN("target"));
        for (tape_node n = tape_first(b->tape, list); n != TAPE_ABSENT; n = tape_next(b->tape, n)) {
            struct arena_mark before = arena_mark(s->arena);
            show_target(s, b, tape_member_text(b->tape, n, SPAN("reference"), s->arena));
            arena_reset(s->arena, before);
        }
    }
}

/* Those not known to be signed, under every key; `keys` has room for KEYS each. */
static uint32_t
keys_of(const struct show *s, size_t count, struct lookup_item *keys)
{
    uint32_t n = 0;

    for (size_t i = 0; i < count; i++) {
        const struct bundle *b = s->consents[i].home;
        struct span          base, type, id;
        if (s->consents[i].shown_signed || s->sources[i].terms_only || b == NULL)
            continue;
        keys[n++] = (struct lookup_item){ .key = key_of_body(b, body_of(&s->sources[i]), s->arena), .value = (uint32_t)i };
        if (!reference_split(s->consents[i].reference, &base, &type, &id))
            continue;
        keys[n++] = (struct lookup_item){ .key = key_in(b, id, s->arena), .value = (uint32_t)i };
        keys[n++] = (struct lookup_item){ .key = key_of_version(b, id, version_of(&s->sources[i], s->arena), s->arena), .value = (uint32_t)i };
    }
    return n;
}

enum status
signers_show(struct consent *all, const struct consent_source *sources, size_t count, struct arena *arena)
{
    struct show         s     = { all, sources, NULL, arena_make_n(arena, KEYS * count + 1, bool), arena };
    struct lookup_item *keys  = arena_make_n(arena, KEYS * count + 1, struct lookup_item);
    struct lookup_item *homes = arena_make_n(arena, KEYS * count + 1, struct lookup_item);

    if (s.walked == NULL || keys == NULL || homes == NULL)
        return ST_NO_MEMORY;
    uint32_t n = keys_of(&s, count, keys);
    for (uint32_t i = 0; i < n; i++)
        homes[i] = (struct lookup_item){ .key = key_in(all[keys[i].value].home, SPAN(""), arena), .value = keys[i].value };
    const struct lookup *bundles = lookup_build(homes, n, arena);
    s.known = lookup_build(keys, n, arena);
    if (s.known == NULL || bundles == NULL)
        return ST_NO_MEMORY;
    for (uint32_t at = 0; at < lookup_count(bundles); at++)
        if (lookup_first(bundles, at) == at)
            show_bundle(&s, all[lookup_value(bundles, at)].home);
    return arena_status(arena);
}

bool
signer_legacy(const struct consent *c, const struct facts *facts)
{
    bool named = false;

    if (!facts->site.legacy_named || !c->dated || c->date.last_ms >= PART2_RULE_COMPLIANCE_MS || c->designated != 0)
        return false;
    for (uint32_t i = 0; i < c->provision_count; i++) {
        if (c->provisions[i].type != PROVISION_PERMIT)
            continue;
        if ((c->provisions[i].criteria.stated & DIMENSION_ACTOR) == 0)
            return false;
        named = true;
    }
    return named;
}

static bool
signed_by(const struct consent *c, struct span who)
{
    for (size_t i = 0; i < c->signer_count && !span_empty(who); i++)
        if (target_same_reference(c->signers[i], who))
            return true;
    return false;
}

/* The parent that another identity's papers name has another RelatedPerson here: that one has signed is all
 * that is asked. */
const char *
signer_linked_deficiency(const struct consent *c, const struct circumstance *k)
{
    bool patient = signed_by(c, c->patient.reference) || signed_by(c, k->patient);

    if (k->minor_consents == KNOWN_YES && !patient)
        return "the minor, who alone signs as is on file for another identity, has not, 2.14(a)";
    if (k->minor_consents == KNOWN_NO && (!patient || c->signer_count < 2))
        return "minor and parent both sign as is on file for another identity, and have not, 2.14(b)";
    return NULL;
}

/* Whoever it is about: the paper names the consent itself. */
static bool
doubted_on_file(const struct consent *c, const struct facts *facts)
{
    struct span own = consent_reference(c);

    for (size_t i = 0; i < facts->circumstance_count; i++)
        for (size_t d = 0; d < facts->circumstances[i].doubt_count; d++)
            if (span_eq(facts->circumstances[i].doubts[d], own))
                return true;
    return false;
}

const char *
signer_deficiency(const struct consent *c, const struct facts *facts)
{
    if (c->doubted || doubted_on_file(c, facts))
        return "it is doubted: it is known, or could be by reasonable diligence, to be materially false, 2.31(c)(4)";
    if (facts->site.require_signature && !c->shown_signed)
        return "nothing shows that it was signed, 2.31(a)(8)";
    for (size_t i = 0; i < facts->circumstance_count; i++) {
        const struct circumstance *k = &facts->circumstances[i];
        if (!target_same_reference(patient_known_as(facts, k->patient), patient_known_as(facts, c->patient.reference)))
            continue;
        bool patient = signed_by(c, k->patient), other = false;
        for (size_t r = 0; r < k->representative_count; r++)
            other = other || signed_by(c, k->representatives[r]);
        bool authority = other && c->dated && c->date.first_ms >= k->from_ms && c->date.first_ms <= k->to_ms;
        if (k->minor_consents == KNOWN_YES && !patient)
            return "the minor, who alone signs, has not, 2.14(a)";
        if (k->minor_consents == KNOWN_NO && !(patient && authority))
            return "minor and parent both sign, and have not, 2.14(b)";
        if (!patient && !authority && other)
            return "who signed for the patient could not on that day, 2.31(c)(4)";
        if (!patient && !authority && c->signer_count > 0 && k->representative_count > 0)
            return "who signed is not known to act for the patient, 2.15(a)";
    }
    return NULL;
}
