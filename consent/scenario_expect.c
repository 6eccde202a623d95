#include "consent/scenario_work.h"

#include "base/buf.h"
#include "consent/obligation.h"
#include "fhir/path.h"

typedef void comparison(struct trial *, tape_node value);

static comparison compare_released, compare_withheld, compare_outcome, compare_rules, compare_verdicts, compare_part2,
    compare_labels, compare_present, compare_absent, compare_cuts, compare_untouched, compare_obliged, compare_free,
    compare_silent, compare_twin;

/* Those without a comparison are words for the reader, or belong to another row. */
static const struct expectation {
    const char     *name;
    enum tape_kind  kind;
    comparison     *compare;
} expectations[] = {
    { "releasedIds",               TAPE_ARRAY,  compare_released  },
    { "alsoAcceptableReleasedIds", TAPE_ARRAY,  NULL              },
    { "redactedIds",               TAPE_ARRAY,  compare_withheld  },
    { "outcome",                   TAPE_STRING, compare_outcome   },
    { "rules",                     TAPE_OBJECT, compare_rules     },
    { "verdicts",                  TAPE_OBJECT, compare_verdicts  },
    { "part2",                     TAPE_OBJECT, compare_part2     },
    { "labels",                    TAPE_OBJECT, compare_labels    },
    { "mustContain",               TAPE_ARRAY,  compare_present   },
    { "mustNotContain",            TAPE_ARRAY,  compare_absent    },
    { "elementRedaction",          TAPE_ARRAY,  compare_cuts      },
    { "untouched",                 TAPE_ARRAY,  compare_untouched },
    { "obligations",               TAPE_ARRAY,  compare_obliged   },
    { "noObligations",             TAPE_ARRAY,  compare_free      },
    { "silent",                    TAPE_TRUE,   compare_silent    },
    { "sameAs",                    TAPE_OBJECT, compare_twin      },
    { "decision",                  TAPE_STRING, NULL              },
    { "queued",                    TAPE_TRUE,   NULL              },
};

enum { EXPECTATIONS = sizeof expectations / sizeof expectations[0] };

void
trial_compare(struct trial *t, tape_node expected)
{
    unsigned compared = 0;

    if (tape_kind(t->tape, expected) != TAPE_OBJECT)
        trial_refuse(t, SPAN("expected: want an object"));
    for (tape_node n = tape_first(t->tape, expected); n != TAPE_ABSENT && !trial_refused(t); n = tape_next(t->tape, n)) {
        const struct expectation *e = NULL;
        for (size_t i = 0; i < EXPECTATIONS && e == NULL; i++)
            if (tape_text_eq(t->tape, tape_name(t->tape, n), span_of(expectations[i].name)))
                e = &expectations[i];
        if (e == NULL || tape_kind(t->tape, n) != e->kind) {
            struct span name = tape_text(t->tape, tape_name(t->tape, n), t->arena);
            trial_refuse(t, e == NULL ? arena_format(t->arena, "expected: there is no \"%.*s\"", SPAN_PRINT(name))
                                      : arena_format(t->arena, "expected.%s: want %s", e->name, tape_kind_name(e->kind)));
        } else if (e->compare != NULL) {
            e->compare(t, n);
            compared++;
        }
    }
    if (compared == 0)
        trial_refuse(t, SPAN("expected: nothing of it can be compared"));
}

/* ---- entries ----------------------------------------------------------------------- */

static const struct bundle *
document(const struct trial *t)
{
    return t->release->bundle;
}

static struct span
name_of(const struct trial *t, uint32_t entry)
{
    const struct bundle_entry *e = &document(t)->entries[entry];

    return span_empty(e->id) ? arena_format(t->arena, "%.*s at entry %u", SPAN_PRINT(e->type), entry)
                             : arena_join(t->arena, e->type, SPAN("/"), e->id);
}

/* "oud" or "Condition/oud" */
static bool
is_named(const struct trial *t, uint32_t entry, struct span id)
{
    const struct bundle_entry *e = &document(t)->entries[entry];

    return !span_empty(e->id) && (span_eq(e->id, id) || span_eq(name_of(t, entry), id));
}

/* S1 */
static uint32_t
find_entry(struct trial *t, struct span id)
{
    for (uint32_t e = 0; e < document(t)->count; e++)
        if (is_named(t, e, id))
            return e;
    trial_refuse(t, arena_format(t->arena, "expected: no entry has the id \"%.*s\"", SPAN_PRINT(id)));
    return ENTRY_NONE;
}

static bool
is_same(const struct trial *t, tape_node resource, const struct bundle_entry *e)
{
    return tape_text_eq(t->payload, tape_member(t->payload, resource, SPAN("id")), e->id)
        && tape_text_eq(t->payload, tape_member(t->payload, resource, SPAN("resourceType")), e->type);
}

/* By the bytes that leave, not by what the plan says of them; an entry without
 * an id can only be asked of the plan. */
static bool
leaves(const struct trial *t, uint32_t entry)
{
    const struct bundle_entry *e = &document(t)->entries[entry];

    if (t->payload == NULL)
        return false;
    if (span_empty(e->id))
        return t->release->plan->decisions[entry].verdict >= VERDICT_REDACT;
    if (document(t)->type == BUNDLE_SINGLE)
        return is_same(t, TAPE_ROOT, e);
    for (tape_node n = tape_first(t->payload, tape_member(t->payload, TAPE_ROOT, SPAN("entry"))); n != TAPE_ABSENT;
         n = tape_next(t->payload, n))
        if (is_same(t, tape_member(t->payload, n, SPAN("resource")), e))
            return true;
    return false;
}

static bool
lists(const struct trial *t, tape_node list, uint32_t entry)
{
    for (tape_node n = tape_first(t->tape, list); n != TAPE_ABSENT; n = tape_next(t->tape, n))
        if (is_named(t, entry, tape_text(t->tape, n, t->arena)))
            return true;
    return false;
}

static bool
check_ids(struct trial *t, tape_node list)
{
    for (tape_node n = tape_first(t->tape, list); n != TAPE_ABSENT && !trial_refused(t); n = tape_next(t->tape, n))
        find_entry(t, tape_text(t->tape, n, t->arena));
    return !trial_refused(t);
}

static void
differ_at(struct trial *t, const char *what, uint32_t entry, struct span expected, struct span got)
{
    const struct decision *d = &t->release->plan->decisions[entry];

    trial_differ(t, (struct scenario_difference){ .what = span_of(what), .entry = name_of(t, entry), .expected = expected,
                                                  .got = got, .rule = d->rule, .because = d->because });
}

static void
differ(struct trial *t, const char *what, struct span expected, struct span got)
{
    trial_differ(t, (struct scenario_difference){ .what = span_of(what), .expected = expected, .got = got });
}

static bool
exactly(const struct trial *t, tape_node ids)
{
    for (uint32_t e = 0; e < document(t)->count; e++)
        if (leaves(t, e) != lists(t, ids, e))
            return false;
    return true;
}

static void
compare_released(struct trial *t, tape_node ids)
{
    tape_node others = tape_member(t->tape, tape_member(t->tape, t->step != TAPE_ABSENT ? t->step : t->base, SPAN("expected")),
                                   SPAN("alsoAcceptableReleasedIds"));
    bool      right  = check_ids(t, ids) && exactly(t, ids);

    for (tape_node n = tape_first(t->tape, others); n != TAPE_ABSENT && check_ids(t, n); n = tape_next(t->tape, n))
        right = right || exactly(t, n);
    for (uint32_t e = 0; e < document(t)->count && !right && !trial_refused(t); e++)
        if (leaves(t, e) != lists(t, ids, e))
            differ_at(t, "releasedIds", e, leaves(t, e) ? SPAN("stays") : SPAN("leaves"),
                      leaves(t, e) ? SPAN("leaves") : SPAN("stays"));
    if (!right && !span_empty(t->release->leak))
        differ(t, "releasedIds", SPAN("a release"), arena_join(t->arena, SPAN("held by the last check: "), t->release->leak));
}

static void
compare_withheld(struct trial *t, tape_node ids)
{
    tape_node expected = tape_member(t->tape, t->step != TAPE_ABSENT ? t->step : t->base, SPAN("expected"));
    bool      exact    = tape_member(t->tape, expected, SPAN("releasedIds")) != TAPE_ABSENT;

    for (uint32_t e = 0; check_ids(t, ids) && e < document(t)->count && !exact; e++)
        if (leaves(t, e) && lists(t, ids, e))
            differ_at(t, "redactedIds", e, SPAN("stays"), SPAN("leaves"));
}

static void
compare_outcome(struct trial *t, tape_node value)
{
    const char *got = release_outcome_text(t->release->outcome);

    if (!tape_text_eq(t->tape, value, span_of(got)))
        differ(t, "outcome", tape_text(t->tape, value, t->arena), span_of(got));
}

/* { id: text }: a fact of each entry as a text. */
static void
compare_each(struct trial *t, const char *what, tape_node object, const char *(*fact)(const struct trial *, uint32_t entry))
{
    for (tape_node n = tape_first(t->tape, object); n != TAPE_ABSENT; n = tape_next(t->tape, n)) {
        uint32_t entry = find_entry(t, tape_text(t->tape, tape_name(t->tape, n), t->arena));
        if (entry == ENTRY_NONE)
            return;
        const char *got = fact(t, entry);
        if (!tape_text_eq(t->tape, n, span_of(got)))
            differ_at(t, what, entry, tape_text(t->tape, n, t->arena), span_of(got));
    }
}

static const char *
rule_at(const struct trial *t, uint32_t entry)
{
    return rule_number(t->release->plan->decisions[entry].rule);
}

static const char *
verdict_at(const struct trial *t, uint32_t entry)
{
    return verdict_text(t->release->plan->decisions[entry].verdict);
}

static const char *
part2_at(const struct trial *t, uint32_t entry)
{
    return part2_text(t->release->labeling->of[entry].part2);
}

static void
compare_rules(struct trial *t, tape_node value)
{
    compare_each(t, "rules", value, rule_at);
}

static void
compare_verdicts(struct trial *t, tape_node value)
{
    compare_each(t, "verdicts", value, verdict_at);
}

static void
compare_part2(struct trial *t, tape_node value)
{
    compare_each(t, "part2", value, part2_at);
}

static void
compare_labels(struct trial *t, tape_node value)
{
    const char *codes[LABEL_COUNT];

    for (tape_node n = tape_first(t->tape, value); n != TAPE_ABSENT; n = tape_next(t->tape, n)) {
        uint32_t entry = find_entry(t, tape_text(t->tape, tape_name(t->tape, n), t->arena));
        if (entry == ENTRY_NONE)
            return;
        size_t      count = labels_codes(t->release->labeling->of[entry].labels, codes, LABEL_COUNT);
        struct span got   = SPAN("");
        for (size_t i = 0; i < count; i++)
            got = arena_format(t->arena, "%.*s%s%s", SPAN_PRINT(got), i > 0 ? " " : "", codes[i]);
        for (tape_node c = tape_first(t->tape, n); c != TAPE_ABSENT; c = tape_next(t->tape, c)) {
            bool has = false;
            for (size_t i = 0; i < count && !has; i++)
                has = tape_text_eq(t->tape, c, span_of(codes[i]));
            if (!has)
                differ_at(t, "labels", entry, tape_text(t->tape, c, t->arena), got);
        }
    }
}

/* ---- bytes --------------------------------------------------------------------------- */

static void
compare_strings(struct trial *t, const char *what, tape_node list, bool wanted)
{
    for (tape_node n = tape_first(t->tape, list); n != TAPE_ABSENT; n = tape_next(t->tape, n)) {
        struct span text = tape_text(t->tape, n, t->arena);
        bool        has  = span_find(t->release->payload, text) != SPAN_NOT_FOUND;
        if (span_empty(text))
            trial_refuse(t, arena_format(t->arena, "expected.%s: want texts", what));
        else if (has != wanted)
            differ(t, what, arena_format(t->arena, "%s\"%.*s\"", wanted ? "" : "not ", SPAN_PRINT(text)),
                   has ? SPAN("it is in what leaves") : SPAN("it is not in what leaves"));
    }
}

static void
compare_present(struct trial *t, tape_node list)
{
    compare_strings(t, "mustContain", list, true);
}

static void
compare_absent(struct trial *t, tape_node list)
{
    compare_strings(t, "mustNotContain", list, false);
}

static void
compare_cuts(struct trial *t, tape_node list)
{
    const struct plan *plan = t->release->plan;

    for (tape_node n = tape_first(t->tape, list); n != TAPE_ABSENT; n = tape_next(t->tape, n)) {
        bool found = false;
        for (size_t i = 0; i < plan->cut_count && !found; i++)
            found = tape_text_eq(t->tape, n, path_of(document(t)->tape, document(t)->parents, plan->cuts[i].node, t->arena));
        if (!found)
            differ(t, "elementRedaction", tape_text(t->tape, n, t->arena), SPAN("not cut"));
    }
}

static void
compare_untouched(struct trial *t, tape_node list)
{
    for (tape_node n = tape_first(t->tape, list); n != TAPE_ABSENT; n = tape_next(t->tape, n)) {
        uint32_t entry = find_entry(t, tape_text(t->tape, n, t->arena));
        if (entry == ENTRY_NONE)
            return;
        struct span bytes = tape_extent(document(t)->tape, document(t)->entries[entry].resource);
        if (!leaves(t, entry))
            differ_at(t, "untouched", entry, SPAN("leaves byte for byte"), SPAN("stays"));
        else if (span_find(t->release->payload, bytes) == SPAN_NOT_FOUND)
            differ_at(t, "untouched", entry, SPAN("leaves byte for byte"), SPAN("leaves changed"));
    }
}

/* ---- obligations ------------------------------------------------------------------------ */

/* A case may say more than the code: "notice-2.32(a)". */
static enum obligation
obligation_named(struct span text)
{
    static const struct { const char *word; enum obligation obligation; } words[] = {
        { "copy-or-explanation-of-consent-2.32", OBLIGE_CONSENT_COPY },
    };

    for (unsigned bit = 0; bit < 31; bit++) {
        const char *code = obligation_code((enum obligation)(1u << bit));
        if (code != NULL && span_starts(text, span_of(code)))
            return (enum obligation)(1u << bit);
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (span_starts(text, span_of(words[i].word)))
            return words[i].obligation;
    return 0;
}

static void
compare_obligations(struct trial *t, const char *what, tape_node list, bool wanted)
{
    for (tape_node n = tape_first(t->tape, list); n != TAPE_ABSENT; n = tape_next(t->tape, n)) {
        struct span     text = tape_text(t->tape, n, t->arena);
        enum obligation one  = obligation_named(text);
        bool            met  = (t->release->obligations & one) != 0;
        bool            told = one != OBLIGE_NOTICE
                  || span_find(t->release->payload, span_of(obligation_notice_long)) != SPAN_NOT_FOUND
                  || span_find(t->release->payload, span_of(obligation_notice_short)) != SPAN_NOT_FOUND;
        if (one == 0)
            trial_refuse(t, arena_format(t->arena, "expected.%s: there is no obligation \"%.*s\"", what, SPAN_PRINT(text)));
        else if (met != wanted)
            differ(t, what, text, met ? SPAN("it is one") : SPAN("it is none"));
        else if (told != wanted && one == OBLIGE_NOTICE)
            differ(t, what, text, told ? SPAN("the notice is in what leaves") : SPAN("the notice is not in what leaves"));
    }
}

static void
compare_obliged(struct trial *t, tape_node list)
{
    compare_obligations(t, "obligations", list, true);
}

static void
compare_free(struct trial *t, tape_node list)
{
    compare_obligations(t, "noObligations", list, false);
}

/* ---- the same as without it ---------------------------------------------------------- */

/* S3.  Of a JSON document; ends with it. */
static struct span
without_space(struct trial *t, struct span json)
{
    char  *out    = arena_alloc(t->arena, json.length + 1);
    size_t length = 0;
    bool   quoted = false;

    if (out == NULL) {
        t->status = ST_NO_MEMORY;
        return (struct span){ NULL, 0 };
    }
    for (size_t i = 0; i < json.length; i++) {
        char c = json.at[i];
        if (quoted && c == '\\' && i + 1 < json.length) {
            out[length++] = c;
            c             = json.at[++i];
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
            continue;
        }
        out[length++] = c;
    }
    return span_from(out, length);
}

static void
compare_with(struct trial *t, const char *what, struct span twin)
{
    const struct release *other = NULL;

    if (!trial_release(t, twin, &other))
        return;
    struct span ours = without_space(t, t->release->payload), theirs = without_space(t, other->payload);
    size_t      at   = 0;
    if (span_eq(ours, theirs) || t->status != ST_OK)
        return;
    while (at < ours.length && at < theirs.length && ours.at[at] == theirs.at[at])
        at++;
    differ(t, what, arena_format(t->arena, "as if it had never been there (%zu bytes)", theirs.length),
           arena_format(t->arena, "%zu bytes, another from byte %zu on (without white space)", ours.length, at));
}

/* The document without the entries that stay. */
static struct span
without_withheld(struct trial *t, tape_node list)
{
    const struct bundle *b     = document(t);
    struct span          whole = tape_body(b->tape), items = tape_extent(b->tape, list), twin;
    struct buf           out;
    bool                 first = true;

    buf_init(&out, whole.length + 1);
    buf_add(&out, span_from(whole.at, (size_t)(items.at - whole.at)));
    buf_add_byte(&out, '[');
    for (uint32_t e = 0; e < b->count; e++) {
        if (!leaves(t, e))
            continue;
        if (!first)
            buf_add_byte(&out, ',');
        buf_add(&out, tape_extent(b->tape, b->entries[e].entry));
        first = false;
    }
    buf_add_byte(&out, ']');
    buf_add(&out, span_skip(whole, (size_t)(items.at - whole.at) + items.length));
    if (buf_status(&out) != ST_OK)
        t->status = buf_status(&out);
    twin = arena_copy(t->arena, buf_span(&out));
    buf_release(&out);
    return twin;
}

static void
compare_silent(struct trial *t, tape_node value)
{
    tape_node list = tape_member(document(t)->tape, document(t)->root, SPAN("entry"));

    (void)value;
    if (list == TAPE_ABSENT)
        trial_refuse(t, SPAN("expected.silent: want a Bundle with entries"));
    else if (t->payload != NULL)                       /* nothing says nothing */
        compare_with(t, "silent", without_withheld(t, list));
}

static void
compare_twin(struct trial *t, tape_node value)
{
    compare_with(t, "sameAs", tape_extent(t->tape, value));
}
