#include "consent/state_pack.h"

#include <string.h>

#include "consent/facts_reader.h"
#include "fhir/code_system.h"
#include "fhir/datatypes.h"
#include "fhir/resource_type.h"

static void read_head(struct reader *, tape_node, struct state_pack *);
static void read_effective(struct reader *, tape_node, struct state_pack *);
static void read_rules(struct reader *, tape_node, struct state_pack *);
static void read_rule(struct reader *, tape_node, struct state_rule *);
static void read_unless(struct reader *, tape_node, struct state_rule *);
static void read_effect(struct reader *, tape_node, struct state_rule *);
static void read_consent(struct reader *, tape_node, struct state_rule *);
static void read_condition(struct reader *, tape_node, const char *where, struct state_condition *);
static void read_labels(struct reader *, tape_node, const char *where, struct state_condition *);
static void read_types(struct reader *, tape_node, const char *where, struct state_condition *);
static void read_codes(struct reader *, tape_node, const char *where, struct state_condition *);
static void read_audience(struct reader *, tape_node, const char *where, struct state_condition *);
static void read_age(struct reader *, tape_node, const char *where, struct state_condition *);

static void        only(struct reader *, tape_node, const char *where, const char *const *names, size_t count);
static struct span wanted_text(struct reader *, tape_node, const char *where, const char *name);
static bool        count_of(struct reader *, tape_node, const char *where, const char *name, uint32_t most, uint32_t *out);
static bool        day_of(struct reader *, tape_node, const char *where, const char *name, int64_t *first_ms);
static tape_node   list_of(struct reader *, tape_node, const char *where, const char *name, size_t most, uint32_t *count);
static void        strange(struct reader *, tape_node, const char *where, const char *name, const char *wanted,
                           struct span near);

static const char *const effects[STATE_EFFECT_COUNT] = { "deny", "hold", "consent", "duration", "notice" };

enum status
state_pack_read(struct span json, struct arena *arena, struct issues *issues, const struct state_pack **out)
{
    struct reader r  = { .arena = arena, .issues = issues, .rule = "policy-pack" };
    enum status   st = reader_begin(&r, json);

    if (st != ST_OK)
        return st;
    const struct state_pack *pack = state_pack_at(&r, TAPE_ROOT, true);
    if (arena_spent(arena))
        return ST_NO_MEMORY;
    if (pack == NULL)
        return ST_MALFORMED;
    *out = pack;
    return ST_OK;
}

const struct state_pack *
state_pack_at(struct reader *r, tape_node root, bool warnings)
{
    struct state_pack *pack   = arena_make(r->arena, struct state_pack);
    bool               before = r->wrong;

    if (pack == NULL)
        return NULL;
    r->wrong = false;
    if (tape_kind(r->tape, root) == TAPE_OBJECT) {
        read_head(r, root, pack);
        read_rules(r, root, pack);
        if (!r->wrong && !arena_spent(r->arena))
            state_pack_lint(r, pack, warnings);
    } else {
        reader_finding(r, SEVERITY_ERROR, root, SPAN("$this"), SPAN("want an object: a policy pack"), (struct span){ 0 });
    }
    bool wrong = r->wrong;
    r->wrong   = before || wrong;
    return wrong || arena_spent(r->arena) ? NULL : pack;
}

const char *
state_effect_text(enum state_effect e)
{
    return e < STATE_EFFECT_COUNT ? effects[e] : "";
}

size_t
state_packs_rules(const struct state_pack *const *packs, size_t count)
{
    size_t rules = 0;

    for (size_t i = 0; i < count; i++)
        rules += packs[i]->rule_count;
    return rules;
}

int64_t
state_packs_valid_until(const struct state_pack *const *packs, size_t count, int64_t at_ms)
{
    int64_t until = INT64_MAX;

    for (size_t i = 0; i < count; i++) {
        if (packs[i]->off != NULL)
            continue;
        if (packs[i]->from_ms > at_ms && packs[i]->from_ms < until)
            until = packs[i]->from_ms;
        if (packs[i]->until_ms > at_ms && packs[i]->until_ms < until)
            until = packs[i]->until_ms;
    }
    return until;
}

/* ---- the head -------------------------------------------------------------------- */

static void
read_head(struct reader *r, tape_node root, struct state_pack *pack)
{
    static const char *const names[] = { "id", "version", "title", "jurisdiction", "appliesTo", "effective", "signedOff",
                                         "rules", "comment" };
    static const char *const tests[] = { "residence", "service", "custodian" };
    static const char *const signs[] = { "by", "on" };
    uint32_t                 count;

    only(r, root, "", NAMES(names));
    pack->id           = wanted_text(r, root, "", "id");
    pack->version      = wanted_text(r, root, "", "version");
    pack->title        = reader_text(r, root, "", "title");
    pack->jurisdiction = wanted_text(r, root, "", "jurisdiction");
    tape_node list = list_of(r, root, "", "appliesTo", 3, &count);
    for (tape_node n = tape_first(r->tape, list); n != TAPE_ABSENT; n = tape_next(r->tape, n)) {
        uint32_t bit = 0;
        for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
            bit |= tape_text_eq(r->tape, n, span_of(tests[i])) ? 1u << i : 0;
        if (bit == 0)
            strange(r, n, "", "appliesTo", "want one of \"residence\", \"service\", \"custodian\"", (struct span){ 0 });
        pack->applies_to |= bit;
    }
    if (pack->applies_to == 0)
        reader_finding(r, SEVERITY_ERROR, list == TAPE_ABSENT ? root : list, SPAN("appliesTo"),
                       SPAN("want a list of tests: \"residence\", \"service\", \"custodian\""),
                       SPAN("one that holds is enough"));
    read_effective(r, root, pack);
    tape_node sign = reader_member(r, root, "", "signedOff", TAPE_OBJECT);
    int64_t   on_ms;
    if (sign == TAPE_ABSENT) {
        pack->off = "nobody has signed it off";
        return;
    }
    only(r, sign, "signedOff", NAMES(signs));
    wanted_text(r, sign, "signedOff", "by");
    if (!day_of(r, sign, "signedOff", "on", &on_ms))
        wanted_text(r, sign, "signedOff", "on");
}

static void
read_effective(struct reader *r, tape_node root, struct state_pack *pack)
{
    static const char *const names[] = { "from", "until" };
    tape_node                node    = reader_member(r, root, "", "effective", TAPE_OBJECT);

    pack->until_ms = INT64_MAX;
    only(r, node, "effective", NAMES(names));
    if (!day_of(r, node, "effective", "from", &pack->from_ms))
        reader_finding(r, SEVERITY_ERROR, node == TAPE_ABSENT ? root : node, SPAN("effective.from"),
                       SPAN("want the day from which it is in force, such as 2026-07-01"), (struct span){ 0 });
    if (day_of(r, node, "effective", "until", &pack->until_ms) && pack->until_ms <= pack->from_ms)
        reader_finding(r, SEVERITY_ERROR, node, SPAN("effective.until"),
                       SPAN("want a day after `from`: the first on which it is no more in force"), (struct span){ 0 });
}

/* ---- rules ----------------------------------------------------------------------- */

static void
read_rules(struct reader *r, tape_node root, struct state_pack *pack)
{
    uint32_t           count;
    tape_node          list = list_of(r, root, "", "rules", STATE_MAX_RULES, &count);
    struct state_rule *all  = arena_make_n(r->arena, count, struct state_rule);

    if (count == 0)
        reader_finding(r, SEVERITY_ERROR, list == TAPE_ABSENT ? root : list, SPAN("rules"), SPAN("want at least one rule"),
                       (struct span){ 0 });
    for (tape_node n = tape_first(r->tape, list); n != TAPE_ABSENT && all != NULL && pack->rule_count < count;
         n = tape_next(r->tape, n)) {
        if (tape_kind(r->tape, n) != TAPE_OBJECT) {
            reader_finding(r, SEVERITY_ERROR, n, SPAN("rules"), SPAN("want objects in this list"), (struct span){ 0 });
            continue;
        }
        struct state_rule *rule = &all[pack->rule_count++];
        rule->pack = pack;
        rule->node = n;
        read_rule(r, n, rule);
    }
    pack->rules = all;
}

static void
read_rule(struct reader *r, tape_node node, struct state_rule *rule)
{
    static const char *const names[] = { "id", "words", "citation", "verified", "when", "unless", "effect", "consent",
                                         "notice", "comment" };

    only(r, node, "rules", NAMES(names));
    rule->id       = wanted_text(r, node, "rules", "id");
    rule->words    = wanted_text(r, node, "rules", "words");
    rule->citation = reader_text(r, node, "rules", "citation");
    if (span_empty(span_trim(rule->citation)))
        reader_finding(r, SEVERITY_ERROR, node, SPAN("rules.citation"), SPAN("want the law that the rule comes from"),
                       SPAN("a rule without a source is no rule"));
    if (!reader_flag(r, node, "rules", "verified"))
        rule->off = "its citation is not verified";
    tape_node when = reader_member(r, node, "rules", "when", TAPE_OBJECT);
    if (when != TAPE_ABSENT)
        read_condition(r, when, "rules.when", &rule->when);
    read_unless(r, node, rule);
    read_effect(r, node, rule);
}

static void
read_unless(struct reader *r, tape_node node, struct state_rule *rule)
{
    uint32_t                count;
    tape_node               list = list_of(r, node, "rules", "unless", STATE_MAX_UNLESS, &count);
    struct state_condition *all  = arena_make_n(r->arena, count, struct state_condition);

    for (tape_node n = tape_first(r->tape, list); n != TAPE_ABSENT && all != NULL && rule->unless_count < count;
         n = tape_next(r->tape, n)) {
        struct state_condition *c = &all[rule->unless_count++];
        if (tape_kind(r->tape, n) == TAPE_OBJECT)
            read_condition(r, n, "rules.unless", c);
        if (c->on == 0)
            reader_finding(r, SEVERITY_ERROR, n, SPAN("rules.unless"), SPAN("want objects that list something"),
                           SPAN("an exception without a condition would always hold"));
    }
    rule->unless = all;
}

static void
read_effect(struct reader *r, tape_node node, struct state_rule *rule)
{
    static const char *const names[] = { "text", "version" };
    tape_node effect = tape_member(r->tape, node, SPAN("effect"));
    tape_node notice = reader_member(r, node, "rules", "notice", TAPE_OBJECT);

    rule->effect = STATE_EFFECT_COUNT;
    for (enum state_effect e = STATE_DENY; e < STATE_EFFECT_COUNT; e++)
        if (tape_text_eq(r->tape, effect, span_of(effects[e])))
            rule->effect = e;
    if (rule->effect == STATE_EFFECT_COUNT) {
        reader_finding(r, SEVERITY_ERROR, effect == TAPE_ABSENT ? node : effect, SPAN("rules.effect"),
                       SPAN("want one of \"deny\", \"hold\", \"consent\", \"duration\", \"notice\""),
                       SPAN("a pack can only narrow; it permits nothing"));
        return;
    }
    read_consent(r, node, rule);
    if (notice != TAPE_ABSENT) {
        only(r, notice, "rules.notice", NAMES(names));
        rule->notice         = wanted_text(r, notice, "rules.notice", "text");
        rule->notice_version = wanted_text(r, notice, "rules.notice", "version");
    }
    if ((rule->effect == STATE_NOTICE) != (notice != TAPE_ABSENT))
        reader_finding(r, SEVERITY_ERROR, notice == TAPE_ABSENT ? node : notice, SPAN("rules.notice"),
                       SPAN("want a notice with the effect \"notice\" and with no other"),
                       SPAN("write a rule of its own for the notice"));
}

static void
read_consent(struct reader *r, tape_node node, struct state_rule *rule)
{
    static const char *const names[] = { "specific", "withinDays", "kind" };
    static const char *const kinds[] = { "general", "counseling-notes", "proceedings", "criminal-justice",
                                         "central-registry", "pdmp", "intermediary" };
    tape_node consent = reader_member(r, node, "rules", "consent", TAPE_OBJECT);

    if (consent != TAPE_ABSENT) {
        only(r, consent, "rules.consent", NAMES(names));
        int kind       = reader_choice(r, consent, "rules.consent", "kind", NAMES(kinds));
        rule->kinds    = kind >= 0 ? KIND_BIT((enum consent_kind)kind) : 0;
        rule->specific = reader_flag(r, consent, "rules.consent", "specific");
        count_of(r, consent, "rules.consent", "withinDays", STATE_MAX_DAYS, &rule->within_days);
    }
    if (consent != TAPE_ABSENT && rule->effect != STATE_CONSENT && rule->effect != STATE_DURATION)
        reader_finding(r, SEVERITY_ERROR, consent, SPAN("rules.consent"),
                       SPAN("want this with the effects \"consent\" and \"duration\" only"), (struct span){ 0 });
    if (rule->effect == STATE_DURATION && rule->within_days == 0)
        reader_finding(r, SEVERITY_ERROR, node, SPAN("rules.consent.withinDays"),
                       SPAN("want how many days after its signature a consent is good"), (struct span){ 0 });
    if (rule->specific && (rule->when.data.criteria.stated & (DIMENSION_LABEL | DIMENSION_CODE)) == 0)
        reader_finding(r, SEVERITY_ERROR, consent, SPAN("rules.consent.specific"),
                       SPAN("want labels or codes in `when`: what the consent has to name"), (struct span){ 0 });
}

/* ---- conditions ------------------------------------------------------------------ */

static void
read_condition(struct reader *r, tape_node node, const char *where, struct state_condition *c)
{
    static const char *const names[] = { "label", "type", "code", "part2", "recipientClass", "purpose", "patientAge",
                                         "emergency" };

    only(r, node, where, NAMES(names));
    read_labels(r, node, where, c);
    read_types(r, node, where, c);
    read_codes(r, node, where, c);
    read_audience(r, node, where, c);
    read_age(r, node, where, c);
    if (c->data.criteria.stated != 0)
        c->on |= STATE_ON_DATA;
    if (tape_member(r->tape, node, SPAN("part2")) != TAPE_ABSENT) {
        c->part2 = reader_flag(r, node, where, "part2");
        c->on |= STATE_ON_PART2;
    }
    if (tape_member(r->tape, node, SPAN("emergency")) != TAPE_ABSENT) {
        c->emergency = reader_flag(r, node, where, "emergency");
        c->on |= STATE_ON_EMERGENCY;
    }
}

static void
read_labels(struct reader *r, tape_node node, const char *where, struct state_condition *c)
{
    uint32_t  count;
    tape_node list = list_of(r, node, where, "label", STATE_MAX_LIST, &count);

    for (tape_node n = tape_first(r->tape, list); n != TAPE_ABSENT; n = tape_next(r->tape, n)) {
        struct span text  = tape_text(r->tape, n, r->arena);
        enum label  found = label_of_coding((struct span){ 0 }, text), near = LABEL_NONE;
        if (found != LABEL_NONE && label_kind(found) != LABEL_HANDLING) {
            c->data.criteria.labels |= LABEL_BIT(found);
            c->data.criteria.stated |= DIMENSION_LABEL;
            continue;
        }
        for (enum label l = LABEL_NONE + 1; l < LABEL_COUNT && near == LABEL_NONE; l++)
            near = reader_nearly(text, label_code(l)) && label_kind(l) != LABEL_HANDLING ? l : LABEL_NONE;
        strange(r, n, where, "label", "want security labels that Sluice knows, such as \"HIV\" (consent/labels.def)",
                near != LABEL_NONE ? span_of(label_code(near)) : (struct span){ 0 });
    }
}

static void
read_types(struct reader *r, tape_node node, const char *where, struct state_condition *c)
{
    uint32_t       count;
    tape_node      list = list_of(r, node, where, "type", STATE_MAX_LIST, &count);
    struct coding *all  = arena_make_n(r->arena, count, struct coding);

    for (tape_node n = tape_first(r->tape, list); n != TAPE_ABSENT && all != NULL && c->data.criteria.class_count < count;
         n = tape_next(r->tape, n)) {
        struct span text = tape_text(r->tape, n, r->arena);
        if (!resource_type_known(text)) {
            strange(r, n, where, "type", "want names of R4 resource types", (struct span){ 0 });
            continue;
        }
        all[c->data.criteria.class_count++] = (struct coding){ .code = text };
        c->data.criteria.stated |= DIMENSION_CLASS;
    }
    c->data.criteria.classes = all;
}

/* S7 */
static void
read_codes(struct reader *r, tape_node node, const char *where, struct state_condition *c)
{
    static const char *const names[] = { "system", "code", "display" };
    uint32_t       count;
    tape_node      list = list_of(r, node, where, "code", STATE_MAX_LIST, &count);
    struct coding *all  = arena_make_n(r->arena, count, struct coding);

    for (tape_node n = tape_first(r->tape, list); n != TAPE_ABSENT && all != NULL && c->data.criteria.code_count < count;
         n = tape_next(r->tape, n)) {
        if (tape_kind(r->tape, n) == TAPE_OBJECT)
            only(r, n, where, NAMES(names));
        struct coding    found  = { .system = tape_member_text(r->tape, n, SPAN("system"), r->arena),
                                    .code   = tape_member_text(r->tape, n, SPAN("code"), r->arena) };
        enum code_system system = code_system_of(found.system);
        struct code      folded = code_fold(system, found.code);
        /* An ICD code stands for all below it, so a category is a code here. */
        bool prefix = system == CODE_SYSTEM_ICD10CM || system == CODE_SYSTEM_ICD10 || system == CODE_SYSTEM_ICD9CM;
        if (system == CODE_SYSTEM_UNKNOWN)
            strange(r, n, where, "code", "want codes with a system that Sluice knows", (struct span){ 0 });
        else if (folded.length < (prefix ? 3u : 1u) || !code_well_formed(system, found.code))
            reader_finding(r, SEVERITY_ERROR, n, reader_expression(r, where, "code"),
                           arena_format(r->arena, "want a code of %s", code_system_name(system)),
                           SPAN("its shape or check digit is wrong"));
        else {
            all[c->data.criteria.code_count++] = found;
            c->data.criteria.stated |= DIMENSION_CODE;
        }
    }
    c->data.criteria.codes = all;
}

static void
read_audience(struct reader *r, tape_node node, const char *where, struct state_condition *c)
{
    uint32_t  count;
    tape_node list = list_of(r, node, where, "recipientClass", STATE_MAX_LIST, &count);

    for (tape_node n = tape_first(r->tape, list); n != TAPE_ABSENT; n = tape_next(r->tape, n)) {
        enum recipient class = recipient_of(tape_text(r->tape, n, r->arena));
        if (class == RECIPIENT_NONE)
            strange(r, n, where, "recipientClass", "want recipient classes, such as \"HEALTH_PLAN\" (consent/recipients.def)",
                    (struct span){ 0 });
        else
            c->recipients |= RECIPIENT_BIT(class);
        c->on |= STATE_ON_RECIPIENT;
    }
    list = list_of(r, node, where, "purpose", STATE_MAX_LIST, &count);
    for (tape_node n = tape_first(r->tape, list); n != TAPE_ABSENT; n = tape_next(r->tape, n)) {
        enum purpose purpose = purpose_of(tape_text(r->tape, n, r->arena));
        if (purpose == PURPOSE_NONE)
            strange(r, n, where, "purpose", "want purposes of use, such as \"TREAT\" (consent/purposes.def)", (struct span){ 0 });
        c->purposes |= PURPOSE_BIT(purpose);
        c->on |= STATE_ON_PURPOSE;
    }
}

static void
read_age(struct reader *r, tape_node node, const char *where, struct state_condition *c)
{
    static const char *const names[] = { "from", "under" };
    tape_node                age     = reader_member(r, node, where, "patientAge", TAPE_OBJECT);

    c->under_age = UINT32_MAX;
    if (age == TAPE_ABSENT)
        return;
    only(r, age, where, NAMES(names));
    bool from  = count_of(r, age, where, "from", 150, &c->from_age);
    bool under = count_of(r, age, where, "under", 150, &c->under_age);
    c->on |= STATE_ON_AGE;
    if ((!from && !under) || c->from_age >= c->under_age)
        reader_finding(r, SEVERITY_ERROR, age, reader_expression(r, where, "patientAge"),
                       SPAN("want whole years: `from` and the age that is no more in, `under`"), (struct span){ 0 });
}

/* ---- members --------------------------------------------------------------------- */

/* S7: a name that is not known would be a condition that nobody asks for. */
static void
only(struct reader *r, tape_node object, const char *where, const char *const *names, size_t count)
{
    for (tape_node n = tape_first(r->tape, object); n != TAPE_ABSENT; n = tape_next(r->tape, n)) {
        struct span name  = tape_text(r->tape, tape_name(r->tape, n), r->arena);
        const char *meant = NULL;
        bool        known = false;
        for (size_t i = 0; i < count; i++) {
            known = known || span_eq_text(name, names[i]);
            if (meant == NULL && reader_nearly(name, names[i]))
                meant = names[i];
        }
        if (!known)
            reader_finding(r, SEVERITY_ERROR, n, reader_expression(r, where, arena_text(r->arena, name)),
                           SPAN("a policy pack has no member of this name here"),
                           meant != NULL ? arena_format(r->arena, "did you mean \"%s\"?", meant) : (struct span){ 0 });
    }
}

static struct span
wanted_text(struct reader *r, tape_node object, const char *where, const char *name)
{
    struct span text = reader_text(r, object, where, name);

    if (span_empty(span_trim(text)))
        reader_finding(r, SEVERITY_ERROR, object, reader_expression(r, where, name), SPAN("want a text"), (struct span){ 0 });
    if (text.length > STATE_MAX_TEXT)
        reader_finding(r, SEVERITY_ERROR, object, reader_expression(r, where, name),
                       arena_format(r->arena, "want at most %d bytes", STATE_MAX_TEXT), (struct span){ 0 });
    return text;
}

static bool
count_of(struct reader *r, tape_node object, const char *where, const char *name, uint32_t most, uint32_t *out)
{
    tape_node   node  = reader_member(r, object, where, name, TAPE_NUMBER);
    struct span text  = node != TAPE_ABSENT ? tape_extent(r->tape, node) : (struct span){ 0 };
    uint64_t    value = 0;

    if (node == TAPE_ABSENT)
        return false;
    for (size_t i = 0; i < text.length; i++)
        value = text.at[i] >= '0' && text.at[i] <= '9' && value <= most ? value * 10 + (uint64_t)(text.at[i] - '0')
                                                                        : (uint64_t)most + 1;
    if (value == 0 || value > most || text.length > 9) {
        reader_finding(r, SEVERITY_ERROR, node, reader_expression(r, where, name),
                       arena_format(r->arena, "want a whole number from 1 to %u", most), (struct span){ 0 });
        return false;
    }
    *out = (uint32_t)value;
    return true;
}

static bool
day_of(struct reader *r, tape_node object, const char *where, const char *name, int64_t *first_ms)
{
    tape_node         node = reader_member(r, object, where, name, TAPE_STRING);
    struct span       text = tape_text(r->tape, node, r->arena);
    struct time_range day;

    if (node == TAPE_ABSENT)
        return false;
    if (text.length != 10 || !time_range_read(text, &day)) {
        reader_finding(r, SEVERITY_ERROR, node, reader_expression(r, where, name), SPAN("want a day: YYYY-MM-DD"),
                       (struct span){ 0 });
        return false;
    }
    *first_ms = day.first_ms;
    return true;
}

/* A list of at most so many; an empty one is an error: it would select nothing or everything. */
static tape_node
list_of(struct reader *r, tape_node object, const char *where, const char *name, size_t most, uint32_t *count)
{
    tape_node list = reader_member(r, object, where, name, TAPE_ARRAY);

    *count = tape_children(r->tape, list);
    if (list != TAPE_ABSENT && (*count == 0 || *count > most)) {
        reader_finding(r, SEVERITY_ERROR, list, reader_expression(r, where, name),
                       arena_format(r->arena, "want 1 to %zu in this list", most),
                       *count == 0 ? SPAN("leave it out instead") : (struct span){ 0 });
        *count = 0;
        return TAPE_ABSENT;
    }
    return list;
}

static void
strange(struct reader *r, tape_node node, const char *where, const char *name, const char *wanted, struct span near)
{
    struct span text = tape_text(r->tape, node, r->arena);

    reader_finding(r, SEVERITY_ERROR, node, reader_expression(r, where, name), span_of(wanted),
                   !span_empty(near) ? arena_format(r->arena, "did you mean \"%.*s\"?", SPAN_PRINT(near))
                   : text.length > 0 && text.length <= 64
                       ? arena_format(r->arena, "\"%.*s\" is none", SPAN_PRINT(text))
                       : (struct span){ 0 });
}
