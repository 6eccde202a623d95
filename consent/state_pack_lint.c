/* consent/state_pack_lint.c -- what is wrong or useless between the parts of a policy pack.
 *
 * Errors: two rules of one id, a jurisdiction that has no form of one.
 * Warnings: what is off and why, a rule that can never apply, one that another
 * rule makes useless, one that keeps the record from the patient, and a
 * condition on types alone, which text in other resources escapes.
 */
#include "consent/state_pack.h"

#include "consent/facts_reader.h"

static void say(struct reader *, enum severity, const struct state_rule *, struct span what, const char *hint);
static bool within(const struct state_condition *, const struct state_condition *);
static bool labels_within(label_set, label_set);
static bool codings_within(const struct coding *, size_t, const struct coding *, size_t);
static bool useless_beside(const struct state_rule *, const struct state_rule *other);
static bool excepted_as_much(const struct state_rule *, const struct state_rule *other);
static void lint_rule(struct reader *, const struct state_pack *, const struct state_rule *, bool warnings);
static void warn_of(struct reader *, const struct state_pack *, const struct state_rule *);
static bool spares_patient(const struct state_rule *);
static bool is_jurisdiction(struct span);

void
state_pack_lint(struct reader *r, const struct state_pack *pack, bool warnings)
{
    if (!is_jurisdiction(pack->jurisdiction))
        reader_finding(r, SEVERITY_ERROR, pack->rules[0].node, SPAN("jurisdiction"),
                       SPAN("want a state by ISO 3166-2, such as US-MN"), (struct span){ 0 });
    if (pack->off != NULL && warnings)
        reader_finding(r, SEVERITY_WARNING, pack->rules[0].node, SPAN("signedOff"),
                       SPAN("nobody has signed the pack off: it is off whatever the configuration says"),
                       SPAN("counsel writes who and when: \"signedOff\": { \"by\", \"on\" }"));
    for (size_t i = 0; i < pack->rule_count; i++)
        lint_rule(r, pack, &pack->rules[i], warnings);
}

static void
lint_rule(struct reader *r, const struct state_pack *pack, const struct state_rule *rule, bool warnings)
{
    for (const struct state_rule *other = pack->rules; other < rule; other++)
        if (span_eq(other->id, rule->id)) {
            say(r, SEVERITY_ERROR, rule, SPAN("want an id of its own for every rule: this one stands twice"), "");
            return;
        }
    if (warnings)
        warn_of(r, pack, rule);
}

static void
warn_of(struct reader *r, const struct state_pack *pack, const struct state_rule *rule)
{
    if (rule->off != NULL)
        say(r, SEVERITY_WARNING, rule, SPAN("the rule is off: its citation is not verified"),
            "whoever has read the law writes \"verified\": true");
    for (size_t i = 0; i < rule->unless_count; i++)
        if (within(&rule->when, &rule->unless[i]))
            say(r, SEVERITY_WARNING, rule, SPAN("the rule never applies: an exception covers all that `when` selects"), "");
    for (size_t i = 0; i < pack->rule_count; i++) {
        const struct state_rule *other = &pack->rules[i];
        if (other != rule && useless_beside(rule, other)) {
            say(r, SEVERITY_WARNING, rule,
                arena_format(r->arena, "the rule changes nothing: \"%.*s\" takes as much wherever it applies", SPAN_PRINT(other->id)),
                "");
            break;
        }
    }
    if (rule->effect != STATE_NOTICE && !spares_patient(rule))
        say(r, SEVERITY_WARNING, rule, SPAN("the rule keeps the record from the patient who asks for it"),
            "\"unless\": [ { \"recipientClass\": [ \"PATIENT\" ] } ]");
    if (rule->when.data.criteria.stated == DIMENSION_CLASS && rule->effect != STATE_NOTICE)
        say(r, SEVERITY_WARNING, rule, SPAN("types alone select it: what other resources say of it stays"),
            "select by label or code where there is one");
}

static void
say(struct reader *r, enum severity severity, const struct state_rule *rule, struct span what, const char *hint)
{
    reader_finding(r, severity, rule->node, arena_format(r->arena, "rules(%.*s)", SPAN_PRINT(rule->id)), what, span_of(hint));
}

/* Both are on, or neither is: what is off makes nothing useless. */
static bool
useless_beside(const struct state_rule *rule, const struct state_rule *other)
{
    bool as_much = other->effect < rule->effect || (other->effect == rule->effect && other < rule);

    if (rule->effect == STATE_NOTICE || other->effect == STATE_NOTICE || (other->off != NULL && rule->off == NULL))
        return false;
    if (other->effect >= STATE_CONSENT && (other->kinds != rule->kinds || other->specific != rule->specific
                                           || other->within_days != rule->within_days || other->effect != rule->effect))
        return false;
    return as_much && within(&rule->when, &other->when) && excepted_as_much(rule, other);
}

/* Wherever the other one makes an exception, this one makes it too. */
static bool
excepted_as_much(const struct state_rule *rule, const struct state_rule *other)
{
    for (size_t i = 0; i < other->unless_count; i++) {
        bool too = false;
        for (size_t j = 0; j < rule->unless_count && !too; j++)
            too = within(&other->unless[i], &rule->unless[j]);
        if (!too)
            return false;
    }
    return true;
}

/* Whatever meets a meets b. */
static bool
within(const struct state_condition *a, const struct state_condition *b)
{
    const struct criteria *x = &a->data.criteria, *y = &b->data.criteria;

    if ((b->on & ~a->on) != 0 || (y->stated & ~x->stated) != 0)
        return false;
    if ((y->stated & DIMENSION_LABEL) != 0 && !labels_within(x->labels, y->labels))
        return false;
    if ((y->stated & DIMENSION_CLASS) != 0 && !codings_within(x->classes, x->class_count, y->classes, y->class_count))
        return false;
    if ((y->stated & DIMENSION_CODE) != 0 && !codings_within(x->codes, x->code_count, y->codes, y->code_count))
        return false;
    if ((b->on & STATE_ON_PART2) != 0 && a->part2 != b->part2)
        return false;
    if ((b->on & STATE_ON_EMERGENCY) != 0 && a->emergency != b->emergency)
        return false;
    if ((b->on & STATE_ON_RECIPIENT) != 0 && (a->recipients & ~b->recipients) != 0)
        return false;
    if ((b->on & STATE_ON_PURPOSE) != 0 && (a->purposes & ~b->purposes) != 0)
        return false;
    return (b->on & STATE_ON_AGE) == 0 || (a->from_age >= b->from_age && a->under_age <= b->under_age);
}

static bool
labels_within(label_set a, label_set b)
{
    label_set covered = 0;

    for (enum label l = LABEL_NONE + 1; l < LABEL_COUNT; l++)
        if (labels_have(b, l))
            covered |= label_kind(l) == LABEL_CONFIDENTIALITY ? LABEL_BIT(l) : label_closure(l);
    return (a & ~covered) == 0;
}

static bool
codings_within(const struct coding *a, size_t a_count, const struct coding *b, size_t b_count)
{
    for (size_t i = 0; i < a_count; i++) {
        bool found = false;
        for (size_t j = 0; j < b_count && !found; j++)
            found = span_eq(a[i].system, b[j].system) && span_eq(a[i].code, b[j].code);
        if (!found)
            return false;
    }
    return true;
}

static bool
spares_patient(const struct state_rule *rule)
{
    const recipient_set patient = RECIPIENT_BIT(RECIPIENT_PATIENT);

    if ((rule->when.on & STATE_ON_RECIPIENT) != 0 && (rule->when.recipients & patient) == 0)
        return true;
    for (size_t i = 0; i < rule->unless_count; i++)
        if ((rule->unless[i].on & STATE_ON_RECIPIENT) != 0 && (rule->unless[i].recipients & patient) != 0)
            return true;
    return false;
}

/* Two capital letters, a hyphen, one to three capitals or digits. */
static bool
is_jurisdiction(struct span text)
{
    if (text.length < 4 || text.length > 6 || text.at[2] != '-')
        return false;
    for (size_t i = 0; i < text.length; i++) {
        bool letter = text.at[i] >= 'A' && text.at[i] <= 'Z', digit = text.at[i] >= '0' && text.at[i] <= '9';
        if (i != 2 && !letter && !(digit && i > 2))
            return false;
    }
    return true;
}
