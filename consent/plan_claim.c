/* consent/plan_claim.c -- Claim and ExplanationOfBenefit: numbers that point at
 * lines that went, and sums over them (C2, C8).
 *
 * R4 claim.html: item.diagnosisSequence, procedureSequence, careTeamSequence and
 * informationSequence hold the `sequence` of a line elsewhere in the claim.
 * The numbers of what stays are the sender's and stay (B2).
 *
 * A total is written anew only when it is the sum it seems to be: of item.net,
 * respectively of the adjudications of its category.  A claim whose total
 * cannot be recomputed goes as a whole, for the rest would tell the price of what went.
 */
#include "consent/plan_closure.h"

#include <string.h>

/* A decimal as an integer of `scale` digits behind the point. */
struct money { int64_t value; unsigned scale; };

#define MAX_SCALE 6u

static void close_sequences(struct closure *, tape_node claim, const char *lines, const char *numbers);
static bool close_totals(struct closure *, tape_node claim);
static bool lost_items(const struct closure *, tape_node claim);
static void close_responses(struct closure *, uint32_t claim);

void
claims_close(struct closure *w)
{
    static const char *const types[] = { "Claim", "ExplanationOfBenefit", NULL };

    for (uint32_t e = 0; e < w->bundle->count; e++) {
        tape_node resource = w->bundle->entries[e].resource;
        if (w->withheld[e] || !w->touched[e] || !span_in(w->bundle->entries[e].type, types))
            continue;
        close_sequences(w, resource, "diagnosis", "diagnosisSequence");
        close_sequences(w, resource, "procedure", "procedureSequence");
        close_sequences(w, resource, "careTeam", "careTeamSequence");
        close_sequences(w, resource, "supportingInfo", "informationSequence");
        if (!lost_items(w, resource))
            continue;
        close_responses(w, e);
        if (!close_totals(w, resource))
            closure_withhold(w, e, (struct why){ "C8", ENTRY_NONE, "its sums would tell of what went" });
    }
    closure_drain(w);
}

/* ---- numbers --------------------------------------------------------------------------- */

static bool
lost_line(const struct closure *w, tape_node lines, struct span number)
{
    for (tape_node n = tape_first(w->tape, lines); n != TAPE_ABSENT; n = tape_next(w->tape, n))
        if ((w->mark[n] & MARK_GONE)
            && span_eq(tape_extent(w->tape, tape_member(w->tape, n, SPAN("sequence"))), number))
            return true;
    return false;
}

static void
close_sequences(struct closure *w, tape_node claim, const char *lines_name, const char *numbers_name)
{
    tape_node lines = tape_member(w->tape, claim, span_of(lines_name));

    if (lines == TAPE_ABSENT || w->lost == NULL || (w->lost[lines] == 0 && !closure_gone(w, lines)))
        return;
    for (tape_node n = claim; n < tape_after(w->tape, claim); n++) {
        if (tape_kind(w->tape, n) != TAPE_ARRAY || !tape_text_eq(w->tape, tape_name(w->tape, n), span_of(numbers_name)))
            continue;
        for (tape_node i = tape_first(w->tape, n); i != TAPE_ABSENT; i = tape_next(w->tape, i))
            if (lost_line(w, lines, tape_extent(w->tape, i)))
                closure_cut(w, i, (struct why){ "C2", ENTRY_NONE, "it points at a line that went" });
    }
}

/* ---- sums ------------------------------------------------------------------------------- */

static bool
money_read(struct span text, struct money *out)
{
    struct span whole = span_split(&text, '.');
    struct span part  = text.at != NULL ? text : (struct span){ "", 0 };
    uint64_t    high = 0, low = 0;

    if (!span_to_u64(whole, &high) || high > 1000000000000u || part.length > MAX_SCALE
        || (part.length > 0 && !span_to_u64(part, &low)))
        return false;                                         /* signs and exponents as well: not summed */
    out->scale = (unsigned)part.length;
    out->value = (int64_t)high;
    for (unsigned i = 0; i < out->scale; i++)
        out->value *= 10;
    out->value += (int64_t)low;
    return true;
}

static bool
money_add(struct money *sum, struct span text)
{
    struct money more;

    if (!money_read(text, &more))
        return false;
    for (; sum->scale < more.scale; sum->scale++)
        sum->value *= 10;
    for (; more.scale < sum->scale; more.scale++)
        more.value *= 10;
    sum->value += more.value;
    return sum->value < INT64_MAX / 4;
}

static bool
money_eq(struct money a, struct money b)
{
    for (; a.scale < b.scale; a.scale++)
        a.value *= 10;
    for (; b.scale < a.scale; b.scale++)
        b.value *= 10;
    return a.value == b.value;
}

static struct span
money_write(struct money m, unsigned scale, struct arena *arena)
{
    long long power = 1;

    for (; m.scale < scale; m.scale++)
        m.value *= 10;
    for (unsigned i = 0; i < m.scale; i++)
        power *= 10;
    return m.scale == 0 ? arena_format(arena, "%lld", (long long)m.value)
                        : arena_format(arena, "%lld.%0*lld", (long long)m.value / power, (int)m.scale,
                                       (long long)m.value % power);
}

static bool
lost_items(const struct closure *w, tape_node claim)
{
    tape_node items = tape_member(w->tape, claim, SPAN("item"));

    return items != TAPE_ABSENT && w->lost != NULL && (w->lost[items] > 0 || closure_gone(w, items));
}

static struct span
code_of(struct closure *w, tape_node concept)
{
    tape_node coding = tape_first(w->tape, tape_member(w->tape, concept, SPAN("coding")));

    return tape_member_text(w->tape, coding, SPAN("code"), w->arena);
}

/* What one item adds to a total: of a category its adjudications, else net. */
static bool
item_adds(struct closure *w, tape_node item, struct span category, struct money *sum)
{
    if (span_empty(category) || span_eq_text(category, "submitted")) {
        tape_node net = tape_member(w->tape, tape_member(w->tape, item, SPAN("net")), SPAN("value"));
        return net == TAPE_ABSENT ? !span_empty(category) : money_add(sum, tape_extent(w->tape, net));
    }
    tape_node list = tape_member(w->tape, item, SPAN("adjudication"));
    for (tape_node n = tape_first(w->tape, list); n != TAPE_ABSENT; n = tape_next(w->tape, n)) {
        tape_node amount = tape_member(w->tape, tape_member(w->tape, n, SPAN("amount")), SPAN("value"));
        if (amount != TAPE_ABSENT && span_eq(code_of(w, tape_member(w->tape, n, SPAN("category"))), category)
            && !money_add(sum, tape_extent(w->tape, amount)))
            return false;
    }
    return true;
}

/* False when the amount is not the sum over the items. */
static bool
close_amount(struct closure *w, tape_node claim, tape_node money, struct span category)
{
    tape_node    value = tape_member(w->tape, money, SPAN("value"));
    tape_node    items = tape_member(w->tape, claim, SPAN("item"));
    struct money said, all = { 0, 0 }, left = { 0, 0 };
    struct span  text = tape_extent(w->tape, value);
    size_t       dot  = span_find_byte(text, '.');

    if (value == TAPE_ABSENT || !money_read(text, &said))
        return false;
    for (tape_node n = tape_first(w->tape, items); n != TAPE_ABSENT; n = tape_next(w->tape, n))
        if (!item_adds(w, n, category, &all)
            || (!closure_gone(w, n) && !item_adds(w, n, category, &left)))
            return false;
    if (!money_eq(said, all))
        return false;
    unsigned scale = dot == SPAN_NOT_FOUND ? 0 : (unsigned)(text.length - dot - 1);
    closure_edit(w, value, money_write(left, scale, w->arena), "C8");
    return true;
}

static bool
close_totals(struct closure *w, tape_node claim)
{
    tape_node total = tape_member(w->tape, claim, SPAN("total"));

    if (tape_member(w->tape, claim, SPAN("payment")) != TAPE_ABSENT
        || tape_member(w->tape, claim, SPAN("benefitBalance")) != TAPE_ABSENT)
        return false;
    if (tape_kind(w->tape, total) == TAPE_OBJECT)
        return close_amount(w, claim, total, (struct span){ NULL, 0 });
    for (tape_node n = tape_first(w->tape, total); n != TAPE_ABSENT; n = tape_next(w->tape, n)) {
        struct span category = code_of(w, tape_member(w->tape, n, SPAN("category")));
        if (span_empty(category) || !close_amount(w, claim, tape_member(w->tape, n, SPAN("amount")), category))
            return false;
    }
    return true;
}

/* An answer to a claim speaks of its items by number: it goes with them. */
static void
close_responses(struct closure *w, uint32_t claim)
{
    uint32_t count = references_to(w->in->references, claim);

    for (uint32_t i = 0; i < count; i++) {
        const struct reference *r = references_to_at(w->in->references, claim, i);
        if (r->from != ENTRY_NONE && r->from != claim && !w->withheld[r->from]
            && (span_eq_text(w->bundle->entries[r->from].type, "ClaimResponse")
                || span_eq_text(w->bundle->entries[r->from].type, "ExplanationOfBenefit")))
            closure_withhold(w, r->from, (struct why){ "C2", claim, "it answers lines that went" });
    }
}
