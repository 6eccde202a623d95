#include "consent/program.h"

#include "base/json_walk.h"

#define SOMEWHERE_MS ((int64_t)14 * 3600 * 1000)

/* Times that a resource states of itself, R4 4.0.1; of a choice every type.  Left out:
 * when something began or ended in the patient (onset, abatement), when it will be (due). */
static const struct span times[] = {
    SPAN("assertedDate"), SPAN("authored"), SPAN("authoredOn"), SPAN("billablePeriod"), SPAN("created"),
    SPAN("createdDateTime"), SPAN("date"), SPAN("dateAsserted"), SPAN("dateTime"), SPAN("detected"),
    SPAN("effectiveDateTime"), SPAN("effectiveInstant"), SPAN("effectivePeriod"), SPAN("end"),
    SPAN("identifiedDateTime"), SPAN("identifiedPeriod"), SPAN("issued"), SPAN("lastModified"),
    SPAN("occurrenceDateTime"), SPAN("occurrencePeriod"), SPAN("occurredDateTime"), SPAN("occurredPeriod"),
    SPAN("performedDateTime"), SPAN("performedPeriod"), SPAN("period"), SPAN("received"), SPAN("receivedTime"),
    SPAN("recorded"), SPAN("recordedDate"), SPAN("sent"), SPAN("servicedPeriod"), SPAN("start"),
    SPAN("started"), SPAN("whenHandedOver"), SPAN("whenPrepared"), SPAN("servicePeriod"),
};

static bool
is_time(struct span name)
{
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        if (times[i].length == name.length && times[i].at[0] == name.at[0] && span_eq(times[i], name))
            return true;
    return false;
}

static void
widen(struct made *m, int64_t first, int64_t last)
{
    m->when.first_ms = !m->known || first < m->when.first_ms ? first : m->when.first_ms;
    m->when.last_ms  = !m->known || last > m->when.last_ms ? last : m->when.last_ms;
    m->known         = true;
}

/* A dateTime, or a Period; what cannot be read may be any time. */
static void
add_time(struct made *m, const struct tape *t, tape_node n, struct arena *arena)
{
    struct time_range range = { INT64_MIN, INT64_MAX };

    if (tape_kind(t, n) == TAPE_STRING) {
        (void)time_range_read(tape_text(t, n, arena), &range);
        widen(m, range.first_ms, range.last_ms);
    } else if (tape_kind(t, n) == TAPE_OBJECT) {
        struct time_range end = range;
        (void)time_range_read(tape_member_text(t, n, SPAN("start"), arena), &range);
        (void)time_range_read(tape_member_text(t, n, SPAN("end"), arena), &end);
        if (range.first_ms != INT64_MIN || end.last_ms != INT64_MAX)
            widen(m, range.first_ms, end.last_ms);
    }
}

struct made
program_made(const struct tape *t, tape_node resource, struct arena *arena)
{
    struct made m = { { 0, 0 }, false };

    for (tape_node n = tape_first(t, resource); n != TAPE_ABSENT; n = tape_next(t, n))
        if (is_time(walk_escaped(t, n - 1) ? tape_text(t, n - 1, arena) : walk_raw(t, n - 1)))
            add_time(&m, t, n, arena);
    return m;
}

bool
program_counts(const struct program *p, const struct made *m, bool held)
{
    if (p == NULL || !m->known)
        return true;
    return (held || p->from_ms == 0 || m->when.last_ms >= p->from_ms)
        && (p->until_ms == 0 || m->when.first_ms < p->until_ms);
}

bool
programs_have_times(const struct facts *f)
{
    for (size_t i = 0; i < f->program_count; i++)
        if (f->programs[i].from_ms != 0 || f->programs[i].until_ms != 0)
            return true;
    return false;
}

static bool
read_day(struct span text, int64_t beside_ms, int64_t *ms)
{
    struct time_range range;

    if (!time_range_read(text, &range))
        return false;
    *ms = range.first_ms + (span_find_byte(text, 'T') == SPAN_NOT_FOUND ? beside_ms : 0);
    return true;
}

bool
program_begin_read(struct span text, int64_t *ms)
{
    return read_day(text, -SOMEWHERE_MS, ms);
}

bool
program_end_read(struct span text, int64_t *ms)
{
    return read_day(text, SOMEWHERE_MS, ms);
}
