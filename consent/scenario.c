#include "consent/scenario_work.h"

#include "base/json_author.h"

enum { INSPECTED_BYTES = 256 << 20, FINDINGS_MOST = 20, REQUEST_BYTES = 64 << 20 };

static enum status run_case(struct trial *);
static void        check_names(struct trial *, tape_node object, const char *const *names, size_t count, const char *where);
static void        run_step(struct trial *);
static bool        read_facts(struct trial *);
static struct span request_of(struct trial *);
static void        finish(struct trial *);

#define NAMES(list) list, sizeof list / sizeof list[0]

/* Those of the shared cases among them: a title, why, and where a case is from. */
static const char *const case_names[] = {
    "id", "citation", "words", "title", "why", "tier", "basis", "request", "actors", "consents", "labels", "bundle",
    "expected", "requests", "environment",
};
static const char *const step_names[] = { "words", "request", "actors", "consents", "labels", "bundle", "expected" };

enum status
scenario_run(struct span json, struct arena *arena, const struct scenario **out)
{
    return scenario_run_asking(json, NULL, arena, out);
}

enum status
scenario_run_asking(struct span json, const struct inspected_asker *asker, struct arena *arena,
                    const struct scenario **out)
{
    struct trial      t     = { .asker = asker, .arena = arena, .out = arena_make(arena, struct scenario) };
    struct tape_error error = { 0 };

    *out = NULL;
    if (t.out == NULL)
        return ST_NO_MEMORY;
    t.out->result = SCENARIO_AGREES;
    enum status st = tape_read(json, &tape_default_limits, arena, &t.tape, &error);
    if (st == ST_NO_MEMORY)
        return st;
    if (st != ST_OK)
        trial_refuse(&t, arena_format(arena, "line %u, column %u: %s", error.line, error.column, tape_refusal_text(error.why)));
    else
        st = run_case(&t);
    if (st == ST_NO_MEMORY || arena_spent(arena))
        return ST_NO_MEMORY;
    finish(&t);
    *out = t.out;
    return ST_OK;
}

const char *
scenario_result_text(enum scenario_result result)
{
    static const char *const texts[] = { "refused", "differs", "left out", "agrees" };

    return (unsigned)result < sizeof texts / sizeof texts[0] ? texts[result] : "refused";
}

static enum status
run_case(struct trial *t)
{
    tape_node list = tape_member(t->tape, TAPE_ROOT, SPAN("requests"));

    t->base          = TAPE_ROOT;
    t->out->id       = tape_member_text(t->tape, TAPE_ROOT, SPAN("id"), t->arena);
    t->out->citation = tape_member_text(t->tape, TAPE_ROOT, SPAN("citation"), t->arena);
    t->out->words    = tape_member_text(t->tape, TAPE_ROOT, SPAN("words"), t->arena);
    if (span_empty(t->out->words))
        t->out->words = tape_member_text(t->tape, TAPE_ROOT, SPAN("title"), t->arena);
    if (tape_kind(t->tape, TAPE_ROOT) != TAPE_OBJECT)
        trial_refuse(t, SPAN("a case is a JSON object"));
    check_names(t, TAPE_ROOT, NAMES(case_names), "");
    if (tape_member(t->tape, TAPE_ROOT, SPAN("environment")) != TAPE_ABSENT) {
        t->out->result = trial_refused(t) ? SCENARIO_REFUSED : SCENARIO_LEFT_OUT;
        t->out->why    = trial_refused(t) ? t->out->why : SPAN("it is about something around the decision (environment)");
        return ST_OK;
    }
    uint32_t     count = list != TAPE_ABSENT ? tape_children(t->tape, list) : 1;
    struct span *words = arena_make_n(t->arena, count + 1, struct span);
    if (words == NULL)
        return ST_NO_MEMORY;
    t->out->step_words = words;
    if (list != TAPE_ABSENT && (tape_kind(t->tape, list) != TAPE_ARRAY || count == 0))
        trial_refuse(t, SPAN("requests: want a list of steps"));
    if (list != TAPE_ABSENT && tape_member(t->tape, TAPE_ROOT, SPAN("expected")) != TAPE_ABSENT)
        trial_refuse(t, SPAN("expected: with requests each of them has its own"));
    t->step = tape_first(t->tape, list);
    for (t->number = 0; t->number < count && !trial_refused(t) && t->status == ST_OK; t->number++) {
        words[t->number] = tape_member_text(t->tape, t->step, SPAN("words"), t->arena);
        if (t->step != TAPE_ABSENT)
            check_names(t, t->step, NAMES(step_names), "requests: ");
        if (!trial_refused(t))
            run_step(t);
        t->step = tape_next(t->tape, t->step);
    }
    t->out->steps = t->number;
    return t->status;
}

/* S1: a name that nobody reads would be a statement that nobody checks. */
static void
check_names(struct trial *t, tape_node object, const char *const *names, size_t count, const char *where)
{
    if (tape_kind(t->tape, object) != TAPE_OBJECT)
        trial_refuse(t, arena_format(t->arena, "%swant an object", where));
    for (tape_node n = tape_first(t->tape, object); n != TAPE_ABSENT && !trial_refused(t); n = tape_next(t->tape, n)) {
        bool known = false;
        for (size_t i = 0; i < count && !known; i++)
            known = tape_text_eq(t->tape, tape_name(t->tape, n), span_of(names[i]));
        if (!known) {
            struct span name = tape_text(t->tape, tape_name(t->tape, n), t->arena);
            trial_refuse(t, arena_format(t->arena, "%sa case has no \"%.*s\"", where, SPAN_PRINT(name)));
        }
    }
}

/* ---- one step -------------------------------------------------------------------- */

static void
run_step(struct trial *t)
{
    tape_node bundle   = trial_member(t, "bundle");
    tape_node expected = t->step != TAPE_ABSENT ? tape_member(t->tape, t->step, SPAN("expected"))
                                                : tape_member(t->tape, t->base, SPAN("expected"));

    t->payload = NULL;
    if (!read_facts(t))
        return;
    if (bundle == TAPE_ABSENT)
        trial_refuse(t, SPAN("bundle: want a Bundle or a resource"));
    else if (trial_release(t, tape_extent(t->tape, bundle), &t->release) && !span_empty(t->release->payload)
             && tape_read(t->release->payload, &tape_default_limits, t->arena, &t->payload, NULL) != ST_OK)
        t->status = ST_NO_MEMORY;                      /* it was read before: only memory is left */
    if (!trial_refused(t) && t->status == ST_OK)
        trial_compare(t, expected);
}

static bool
read_facts(struct trial *t)
{
    struct issues *issues = issues_new(t->arena, FINDINGS_MOST);
    struct span    json   = request_of(t);

    if (issues == NULL || trial_refused(t) || t->status != ST_OK) {
        t->status = issues == NULL ? ST_NO_MEMORY : t->status;
        return false;
    }
    enum status st = facts_read(json, t->arena, issues, &t->facts);
    if (st == ST_NO_MEMORY)
        t->status = st;
    /* A warning names a fact that is not read. */
    if (issues_count(issues) > 0) {
        const struct issue *first = issues_at(issues, 0);
        trial_refuse(t, arena_format(t->arena, "request: %.*s: %.*s %.*s", SPAN_PRINT(first->expression),
                                     SPAN_PRINT(first->wanted), SPAN_PRINT(first->hint)));
    } else if (st != ST_OK) {
        trial_refuse(t, arena_format(t->arena, "request: %s", status_text(st)));
    }
    return st == ST_OK && !trial_refused(t);
}

static void
add_member(struct trial *t, struct buf *out, struct span name, tape_node value)
{
    if (out->length > 1 && out->at[out->length - 1] != '{')
        buf_add_byte(out, ',');
    buf_add(out, author_literal(t->arena, name));
    buf_add_byte(out, ':');
    buf_add(out, tape_extent(t->tape, value));
}

/* The members of an object of the case, then those of the step that replace or follow them. */
static void
add_merged(struct trial *t, struct buf *out, const char *of)
{
    tape_node below = tape_member(t->tape, t->base, span_of(of));
    tape_node above = t->step != TAPE_ABSENT ? tape_member(t->tape, t->step, span_of(of)) : TAPE_ABSENT;

    for (tape_node n = tape_first(t->tape, below); n != TAPE_ABSENT; n = tape_next(t->tape, n)) {
        struct span name = tape_text(t->tape, tape_name(t->tape, n), t->arena);
        if (tape_member(t->tape, above, name) == TAPE_ABSENT)
            add_member(t, out, name, n);
    }
    for (tape_node n = tape_first(t->tape, above); n != TAPE_ABSENT; n = tape_next(t->tape, n))
        add_member(t, out, tape_text(t->tape, tape_name(t->tape, n), t->arena), n);
}

/* `request`, `actors`, `consents` and `labels` together make R. */
static struct span
request_of(struct trial *t)
{
    struct buf  out;
    struct span json;

    buf_init(&out, REQUEST_BYTES);
    buf_add_byte(&out, '{');
    add_merged(t, &out, "request");
    if (trial_member(t, "actors") != TAPE_ABSENT) {
        buf_add_text(&out, out.length > 1 ? ",\"actors\":{" : "\"actors\":{");
        add_merged(t, &out, "actors");
        buf_add_byte(&out, '}');
    }
    if (trial_member(t, "consents") != TAPE_ABSENT)
        add_member(t, &out, SPAN("consents"), trial_member(t, "consents"));
    if (trial_member(t, "labels") != TAPE_ABSENT)
        add_member(t, &out, SPAN("labels"), trial_member(t, "labels"));
    buf_add_byte(&out, '}');
    if (buf_status(&out) != ST_OK)
        t->status = buf_status(&out);
    json = arena_copy(t->arena, buf_span(&out));
    buf_release(&out);
    return json;
}

/* What was read for one document is of no use for the next. */
static enum status
release_asking(struct trial *t, const struct bundle *bundle, const struct references *references,
               const struct release **out)
{
    struct inspected_table table = { .max_bytes = INSPECTED_BYTES };
    struct facts          *facts = arena_make(t->arena, struct facts);
    const struct labeling *labeling;

    if (t->asker == NULL)
        return release_make(bundle, references, NULL, t->facts, t->arena, out);
    if (facts == NULL)
        return ST_NO_MEMORY;
    *facts           = *t->facts;
    facts->inspected = &table;
    enum status st   = label_inspected(bundle, references, facts, t->asker, t->arena, &labeling);
    if (st == ST_OK)
        st = release_make(bundle, references, labeling, facts, t->arena, out);
    facts->inspected = NULL;
    inspected_release(&table);
    return st;
}

bool
trial_release(struct trial *t, struct span document, const struct release **out)
{
    struct issues           *issues = issues_new(t->arena, FINDINGS_MOST);
    const struct tape       *tape;
    const struct bundle     *bundle;
    const struct references *references;

    if (issues == NULL) {
        t->status = ST_NO_MEMORY;
        return false;
    }
    enum status st = tape_read(document, &tape_default_limits, t->arena, &tape, NULL);
    if (st == ST_OK)
        st = bundle_read(tape, t->arena, issues, &bundle);
    if (st == ST_MALFORMED && issues_count(issues) > 0) {
        trial_refuse(t, arena_format(t->arena, "bundle: %.*s: %.*s", SPAN_PRINT(issues_at(issues, 0)->expression),
                                     SPAN_PRINT(issues_at(issues, 0)->wanted)));
        return false;
    }
    if (st == ST_OK)
        st = references_read(bundle, t->arena, &references);
    if (st == ST_OK)
        st = release_asking(t, bundle, references, out);
    if (st == ST_NO_MEMORY)
        t->status = st;
    else if (st != ST_OK)
        trial_refuse(t, arena_format(t->arena, "bundle: %s", status_text(st)));
    return st == ST_OK;
}

tape_node
trial_member(const struct trial *t, const char *name)
{
    tape_node own = t->step != TAPE_ABSENT ? tape_member(t->tape, t->step, span_of(name)) : TAPE_ABSENT;

    return own != TAPE_ABSENT ? own : tape_member(t->tape, t->base, span_of(name));
}

/* ---- what came of it ------------------------------------------------------------- */

void
trial_refuse(struct trial *t, struct span why)
{
    if (trial_refused(t))
        return;
    t->out->result = SCENARIO_REFUSED;
    t->out->why    = why;
}

bool
trial_refused(const struct trial *t)
{
    return t->out->result == SCENARIO_REFUSED;
}

void
trial_differ(struct trial *t, struct scenario_difference difference)
{
    size_t count = t->out->difference_count;

    struct scenario_difference *more = arena_more(t->arena, t->differences, (uint32_t)count, &t->room, sizeof *more);

    if (more == NULL) {
        t->status = ST_NO_MEMORY;
        return;
    }
    t->differences           = more;
    difference.step          = t->number;
    t->differences[count]    = difference;
    t->out->difference_count = count + 1;
}

static void
finish(struct trial *t)
{
    t->out->differences = t->differences;
    if (t->out->result == SCENARIO_AGREES && t->out->difference_count > 0)
        t->out->result = SCENARIO_DIFFERS;
}
