#include "consent/revocation.h"

#include "base/json_splice.h"
#include "base/json_writer.h"
#include "consent/provision.h"

#define ACT_REASON    "http://terminology.hl7.org/CodeSystem/v3-ActReason"
#define PARTICIPATION "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"

struct work {
    const struct tape       *tape;
    const struct revocation *r;
    struct arena            *arena;
    struct splices          *edit;
    const struct consent    *consent;
    bool                     ends;       /* the extension "revoked" goes with the account of it */
};

static enum revocation_outcome whole(struct work *);
static enum revocation_outcome in_part(struct work *);
static void add_items(struct work *, const char *array, const struct span *items, size_t count);
static struct span moment_extension(struct work *, const char *name);
static struct span account(struct work *);

bool
revocation_in_part(const struct revocation *r)
{
    return !span_empty(r->recipient) || !span_empty(r->identifier.value) || !span_empty(r->purpose)
        || !span_empty(r->provision);
}

enum revocation_outcome
revoke(const struct tape *tape, const struct revocation *r, struct arena *arena, struct span *out)
{
    struct consent_source source = { .tape = tape, .node = TAPE_ROOT };
    struct work           w      = { .tape = tape, .r = r, .arena = arena };
    const struct policy  *policy = NULL;

    *out = (struct span){ NULL, 0 };
    if (policy_compile(&source, 1, arena, &policy) != ST_OK || policy_consents(policy) != 1
        || !tape_text_eq(tape, tape_member(tape, TAPE_ROOT, SPAN("resourceType")), SPAN("Consent")))
        return REVOCATION_IMPOSSIBLE;
    w.consent = policy_consent(policy, 0);
    w.edit    = splices_new(tape, arena);
    if (w.edit == NULL)
        return REVOCATION_IMPOSSIBLE;
    enum revocation_outcome outcome = revocation_in_part(r) ? in_part(&w) : whole(&w);
    if (outcome != REVOCATION_MADE)
        return outcome;
    struct span items[] = { account(&w), w.ends ? moment_extension(&w, "revoked") : (struct span){ NULL, 0 } };
    add_items(&w, "extension", items, w.ends ? 2 : 1);
    if (arena_spent(arena) || span_empty(items[0]) || splices_seal(w.edit) != ST_OK)
        return REVOCATION_IMPOSSIBLE;
    *out = splices_flat(w.edit, arena);
    return span_empty(*out) ? REVOCATION_IMPOSSIBLE : REVOCATION_MADE;
}

/* ---- what there is ------------------------------------------------------------------- */

static bool
has_extension(const struct work *w, const char *array, const char *name)
{
    const struct tape *t    = w->tape;
    struct span        want = arena_join(w->arena, SPAN(CONSENT_EXTENSION), span_of(name));

    for (tape_node n = tape_first(t, tape_member(t, TAPE_ROOT, span_of(array))); n != TAPE_ABSENT; n = tape_next(t, n))
        if (tape_text_eq(t, tape_member(t, n, SPAN("url")), want))
            return true;
    return false;
}

static bool
ended(const struct work *w)
{
    static const char *const over[] = { "inactive", "rejected", "entered-in-error" };

    for (size_t i = 0; i < sizeof over / sizeof *over; i++)
        if (tape_text_eq(w->tape, tape_member(w->tape, TAPE_ROOT, SPAN("status")), span_of(over[i])))
            return true;
    return has_extension(w, "extension", "revoked") || has_extension(w, "modifierExtension", "revoked");
}

static bool
permits(const struct provision *p)
{
    return p->type == PROVISION_PERMIT || (p->parent == NULL && p->consent->base == BASE_PERMIT);
}

static bool
permits_anything(const struct consent *c)
{
    bool any = c->base == BASE_PERMIT;

    for (uint32_t i = 0; i < c->provision_count; i++)
        any = any || permits(&c->provisions[i]);
    return any;
}

/* W2; a root that is ambiguous denies what it matches (policy.h V5), and one that permits some
 * data says no to the rest (weigh.h K5).  Where it is not said whose it is, nothing was read: who
 * knows the patient from elsewhere (facts.h) reads it. */
static bool
refuses_something(const struct consent *c)
{
    bool any = c->base == BASE_DENY || c->unusable != NULL;

    for (uint32_t i = 0; i < c->provision_count; i++)
        any = any || c->provisions[i].type == PROVISION_DENY || c->provisions[i].ambiguous
           || c->provisions[i].criteria.unreadable != 0
           || (i == 0 && (c->provisions[i].criteria.stated & DIMENSIONS_OF_DATA) != 0);
    return any;
}

/* ---- what is written ------------------------------------------------------------------- */

/* Of the root; a member that is there in a wrong form could not be read, and its place is taken. */
static void
add_items(struct work *w, const char *array, const struct span *items, size_t count)
{
    tape_node   list = tape_member(w->tape, TAPE_ROOT, span_of(array));
    struct span all  = count > 1 ? arena_join(w->arena, items[0], SPAN(","), items[1]) : items[0];

    if (tape_kind(w->tape, list) == TAPE_ARRAY) {
        for (size_t i = 0; i < count; i++)
            splices_add_item(w->edit, list, items[i]);
        return;
    }
    all = arena_join(w->arena, SPAN("["), all, SPAN("]"));
    if (list != TAPE_ABSENT)
        splices_replace(w->edit, list, all);
    else
        splices_add_member(w->edit, TAPE_ROOT, arena_join(w->arena, SPAN("\""), span_of(array), SPAN("\":"), all));
}

static struct span
moment_extension(struct work *w, const char *name)
{
    struct span        at = time_format(w->arena, w->r->received_ms);
    struct json_writer j;

    json_writer_open(&j, w->arena);
    json_object(&j, NULL);
    json_join(&j, "url", SPAN(CONSENT_EXTENSION), span_of(name));
    json_text(&j, "valueDateTime", at);
    json_end(&j);
    return json_writer_close(&j);
}

static void
part(struct json_writer *j, const char *url, const char *value, struct span text)
{
    if (span_empty(text))
        return;
    json_object(j, NULL);
    json_text(j, "url", span_of(url));
    json_text(j, value, text);
    json_end(j);
}

static void
who_part(struct json_writer *j, const char *url, struct span reference, struct identifier id)
{
    if (span_empty(reference) && span_empty(id.value))
        return;
    json_object(j, NULL);
    json_text(j, "url", span_of(url));
    json_object(j, "valueReference");
    json_text_if(j, "reference", reference);
    if (!span_empty(id.value)) {
        json_object(j, "identifier");
        json_text_if(j, "system", id.system);
        json_text(j, "value", id.value);
        json_end(j);
    }
    json_end(j);
    json_end(j);
}

/* W7 */
static struct span
account(struct work *w)
{
    const struct revocation *r        = w->r;
    struct span              received = time_format(w->arena, r->received_ms);
    struct span              recorded = time_format(w->arena, r->recorded_ms);
    struct span              latest   = r->received_last_ms > r->received_ms ? time_format(w->arena, r->received_last_ms)
                                                                             : (struct span){ NULL, 0 };
    struct json_writer       j;

    json_writer_open(&j, w->arena);
    json_object(&j, NULL);
    json_join(&j, "url", SPAN(CONSENT_EXTENSION), SPAN("revocation"));
    json_array(&j, "extension");
    part(&j, "received", "valueDateTime", received);
    part(&j, "receivedAtLatest", "valueDateTime", latest);
    part(&j, "recorded", "valueInstant", recorded);
    part(&j, "form", "valueCode", r->form == REVOCATION_WRITTEN ? SPAN("written") : SPAN("said"));
    who_part(&j, "who", r->who, (struct identifier){ .value = { NULL, 0 } });
    part(&j, "recordedBy", "valueString", r->recorded_by);
    part(&j, "reason", "valueString", r->reason);
    who_part(&j, "recipient", r->recipient, r->identifier);
    part(&j, "purpose", "valueCode", r->purpose);
    part(&j, "provision", "valueString", r->provision);
    json_end(&j);
    json_end(&j);
    return json_writer_close(&j);
}

static void
add_modifier(struct work *w, const char *name)
{
    struct span item = moment_extension(w, name);

    add_items(w, "modifierExtension", &item, 1);
}

static enum revocation_outcome
whole(struct work *w)
{
    const struct consent *c       = w->consent;
    tape_node             status  = tape_member(w->tape, TAPE_ROOT, SPAN("status"));
    bool                  written = w->r->form == REVOCATION_WRITTEN;

    if (ended(w) || (!written && has_extension(w, "modifierExtension", "held")))
        return REVOCATION_STANDS;
    if (c->unusable == NULL && !permits_anything(c) && refuses_something(c))
        return REVOCATION_OF_NOTHING;
    if (c->kind == KIND_CRIMINAL_JUSTICE && written && refuses_something(c))
        return in_part(w);               /* W5: of all that it permits, and from then on */
    if (c->kind == KIND_CRIMINAL_JUSTICE && written) {
        w->ends = true;
    } else if (!written) {
        add_modifier(w, "held");
    } else if (refuses_something(c)) {
        add_modifier(w, "revoked");
    } else {
        w->ends = true;
        if (status != TAPE_ABSENT)
            splices_replace(w->edit, status, SPAN("\"inactive\""));
        else
            splices_add_member(w->edit, TAPE_ROOT, SPAN("\"status\":\"inactive\""));
    }
    return REVOCATION_MADE;
}

/* ---- in part ---------------------------------------------------------------------------- */

static struct span
refusal(struct work *w)
{
    const struct revocation *r    = w->r;
    int64_t                  from = w->consent->kind == KIND_CRIMINAL_JUSTICE
                                     && w->consent->revocable_from_ms != INT64_MAX
                                     && w->consent->revocable_from_ms > r->received_ms
                                         ? w->consent->revocable_from_ms : r->received_ms;
    struct span              at   = time_format(w->arena, from);
    struct json_writer       j;

    json_writer_open(&j, w->arena);
    json_object(&j, NULL);
    json_text(&j, "type", SPAN("deny"));
    json_object(&j, "period");
    json_text(&j, "start", at);
    json_end(&j);
    if (!span_empty(r->recipient) || !span_empty(r->identifier.value)) {
        json_array(&j, "actor");
        json_object(&j, NULL);
        json_object(&j, "role");
        json_array(&j, "coding");
        json_object(&j, NULL);
        json_text(&j, "system", SPAN(PARTICIPATION));
        json_text(&j, "code", SPAN("IRCP"));
        json_end(&j);
        json_end(&j);
        json_end(&j);
        json_object(&j, "reference");
        json_text_if(&j, "reference", r->recipient);
        if (!span_empty(r->identifier.value)) {
            json_object(&j, "identifier");
            json_text_if(&j, "system", r->identifier.system);
            json_text(&j, "value", r->identifier.value);
            json_end(&j);
        }
        json_end(&j);
        json_end(&j);
        json_end(&j);
    }
    if (!span_empty(r->purpose)) {
        json_array(&j, "purpose");
        json_object(&j, NULL);
        json_text(&j, "system", SPAN(ACT_REASON));
        json_text(&j, "code", r->purpose);
        json_end(&j);
        json_end(&j);
    }
    json_end(&j);
    return json_writer_close(&j);
}

/* Member by member the same refusal, of an earlier day. */
static bool
is_refusal(const struct work *w, tape_node have, tape_node want, const struct tape *wanted)
{
    const struct tape *t = w->tape;
    struct time_range  start, from;

    if (tape_children(t, have) != tape_children(wanted, want))
        return false;
    for (tape_node n = tape_first(wanted, want); n != TAPE_ABSENT; n = tape_next(wanted, n)) {
        struct span name = tape_text(wanted, tape_name(wanted, n), w->arena);
        tape_node   mine = tape_member(t, have, name);
        if (mine == TAPE_ABSENT)
            return false;
        if (!span_eq_text(name, "period") && !span_eq(tape_extent(t, mine), tape_extent(wanted, n)))
            return false;
    }
    tape_node period = tape_member(t, have, SPAN("period"));
    tape_node when   = tape_member(wanted, want, SPAN("period"));
    return tape_children(t, period) == 1
        && time_range_read(tape_member_text(t, period, SPAN("start"), w->arena), &start)
        && time_range_read(tape_member_text(wanted, when, SPAN("start"), w->arena), &from) && start.first_ms <= from.first_ms;
}

static bool
has_refusal(const struct work *w, tape_node provision, const struct tape *wanted)
{
    const struct tape *t = w->tape;

    for (tape_node n = tape_first(t, tape_member(t, provision, SPAN("provision"))); n != TAPE_ABSENT; n = tape_next(t, n))
        if (is_refusal(w, n, TAPE_ROOT, wanted))
            return true;
    return false;
}

static void
refuse_in(struct work *w, tape_node provision, struct span child)
{
    tape_node   list = tape_member(w->tape, provision, SPAN("provision"));
    struct span all  = arena_join(w->arena, SPAN("["), child, SPAN("]"));

    if (provision == TAPE_ABSENT)        /* OPTIN without a provision: the root is the refusal */
        splices_add_member(w->edit, TAPE_ROOT, arena_join(w->arena, SPAN("\"provision\":"), child));
    else if (tape_kind(w->tape, list) == TAPE_ARRAY)
        splices_add_item(w->edit, list, child);
    else
        splices_add_member(w->edit, provision, arena_join(w->arena, SPAN("\"provision\":"), all));
}

/* An opt-in whose root refuses something permits the rest by policyRule, and what stands below the root counts
 * only where the root does: both refusals get a root around them that says what the opt-in says. */
static void
refuse_beside(struct work *w, tape_node root, struct span child)
{
    splices_replace(w->edit, root, arena_join(w->arena, SPAN("{\"type\":\"permit\",\"provision\":["), tape_extent(w->tape, root),
                                              arena_join(w->arena, SPAN(","), child, SPAN("]}"))));
}

/* Whether `p` is the provision of this path, or below it. */
static bool
under(const struct provision *p, struct span path, struct arena *arena)
{
    for (; p != NULL; p = p->parent)
        if (span_empty(path) || span_eq(provision_path(p, arena), path))
            return true;
    return false;
}

static enum revocation_outcome
in_part(struct work *w)
{
    const struct consent *c     = w->consent;
    struct span           child = refusal(w);
    const struct tape    *wanted;
    size_t                found = 0, made = 0;

    if (ended(w) || c->unusable != NULL)
        return REVOCATION_STANDS;
    if (tape_read(child, &tape_default_limits, w->arena, &wanted, NULL) != ST_OK)
        return REVOCATION_IMPOSSIBLE;
    for (uint32_t i = 0; i < c->provision_count; i++) {
        const struct provision *p = &c->provisions[i];
        if (!permits(p) || !under(p, w->r->provision, w->arena))
            continue;
        found++;
        if (p->node != TAPE_ABSENT && (is_refusal(w, p->node, TAPE_ROOT, wanted) || has_refusal(w, p->node, wanted)))
            continue;                    /* OPTIN with a root that is the refusal; or with it below */
        if (p->node != TAPE_ABSENT && p->parent == NULL && p->type == PROVISION_DENY)
            refuse_beside(w, p->node, child);
        else
            refuse_in(w, p->node, child);
        made++;
    }
    if (found == 0)
        return span_empty(w->r->provision) ? REVOCATION_OF_NOTHING : REVOCATION_NOT_FOUND;
    return made > 0 ? REVOCATION_MADE : REVOCATION_STANDS;
}
