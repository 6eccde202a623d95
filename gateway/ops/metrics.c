/* gateway/ops/metrics.c -- counters and histograms in OpenMetrics text. */
#include "gateway/ops/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/span.h"
#include "gateway/version.h"

enum type { COUNTER, GAUGE, HISTOGRAM };

enum { SHARDS = 16, SLOTS = 64, LABELS_MOST = 60, LABEL_BYTES = 64 };

/* Upper bounds, as text because OpenMetrics wants canonical numbers. */
static const struct { uint64_t microseconds; const char *text; } bounds[] = {
    { 100, "0.0001" },    { 250, "0.00025" },  { 500, "0.0005" },   { 1000, "0.001" },   { 2500, "0.0025" },
    { 5000, "0.005" },    { 10000, "0.01" },   { 25000, "0.025" },  { 50000, "0.05" },   { 100000, "0.1" },
    { 250000, "0.25" },   { 500000, "0.5" },   { 1000000, "1.0" },  { 2500000, "2.5" },  { 5000000, "5.0" },
    { 10000000, "10.0" },
};
enum { BOUNDS = sizeof bounds / sizeof bounds[0] };

/* A shard fills whole cache lines of its own, so that loops do not wait for
 * each other's. */
struct shard {
    _Alignas(64) atomic_uint_fast64_t value;               /* counter, gauge; sum of a histogram */
    atomic_uint_fast64_t buckets[BOUNDS + 1];
};

struct series {
    char         label[LABEL_BYTES];
    struct shard shards[SHARDS];
};

struct row {
    const char *name;
    enum type   type;
    const char *unit, *label, *help;
};

static const struct row rows[METRIC_COUNT] = {
#define METRIC(id, name, type, unit, label, help) { name, type, unit, label, help },
#include "gateway/ops/metrics.def"
#undef METRIC
};

static _Atomic(struct series *) table[METRIC_COUNT][SLOTS];
static pthread_mutex_t          making = PTHREAD_MUTEX_INITIALIZER;

static struct series *series_of(enum metric, const char *label);
static struct shard  *own_shard(struct series *);
static void           print_row(struct buf *, enum metric);

void
metric_add(enum metric metric, const char *label, uint64_t n)
{
    struct series *s = series_of(metric, label);
    if (s != NULL)
        atomic_fetch_add_explicit(&own_shard(s)->value, n, memory_order_relaxed);
}

void
metric_step(enum metric metric, const char *label, int64_t step)
{
    metric_add(metric, label, (uint64_t)step);             /* sums wrap around as they should */
}

void
metric_set(enum metric metric, const char *label, int64_t value)
{
    struct series *s = series_of(metric, label);
    if (s != NULL)
        atomic_store_explicit(&s->shards[0].value, (uint64_t)value, memory_order_relaxed);
}

void
metric_observe_us(enum metric metric, const char *label, uint64_t microseconds)
{
    struct series *s = series_of(metric, label);
    if (s == NULL)
        return;
    struct shard *shard = own_shard(s);
    size_t        i     = 0;
    while (i < BOUNDS && microseconds > bounds[i].microseconds)
        i++;
    atomic_fetch_add_explicit(&shard->buckets[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&shard->value, microseconds, memory_order_relaxed);
}

enum status
metrics_print(struct buf *out)
{
    buf_add_text(out, "# TYPE sluice_build info\n# HELP sluice_build Which Sluice this is\n"
                      "sluice_build_info{version=\"" SLUICE_VERSION "\"} 1\n");
    for (size_t i = 0; i < METRIC_COUNT; i++)
        print_row(out, (enum metric)i);
    buf_add_text(out, "# EOF\n");
    return buf_status(out);
}

/* ---- series ---------------------------------------------------------------- */

static struct shard *
own_shard(struct series *s)
{
    static atomic_uint           threads;
    static _Thread_local unsigned mine;
    if (mine == 0)
        mine = atomic_fetch_add(&threads, 1) % SHARDS + 1;
    return &s->shards[mine - 1];
}

static struct series *
make_series(enum metric metric, struct span label, size_t start)
{
    pthread_mutex_lock(&making);
    struct series *s = NULL;
    for (size_t i = 0; i < SLOTS && s == NULL; i++) {
        _Atomic(struct series *) *slot = &table[metric][(start + i) % SLOTS];
        s                              = atomic_load(slot);
        if (s != NULL && !span_eq_text(label, s->label))
            s = NULL;
        else if (s == NULL && (s = aligned_alloc(64, sizeof *s)) != NULL) {
            memset(s, 0, sizeof *s);
            memcpy(s->label, label.at, label.length);
            atomic_store(slot, s);
        }
    }
    pthread_mutex_unlock(&making);
    return s;
}

static size_t
series_count(enum metric metric)
{
    size_t count = 0;
    for (size_t i = 0; i < SLOTS; i++)
        count += atomic_load_explicit(&table[metric][i], memory_order_relaxed) != NULL;
    return count;
}

/* Open addressing; a slot that is taken stays taken. */
static struct series *
series_of(enum metric metric, const char *label)
{
    struct span text  = label != NULL ? span_first(span_of(label), LABEL_BYTES - 1) : SPAN("");
    size_t      start = (size_t)(span_hash(text) % SLOTS);
    for (size_t i = 0; i < SLOTS; i++) {
        struct series *s = atomic_load_explicit(&table[metric][(start + i) % SLOTS], memory_order_acquire);
        if (s == NULL)
            break;
        if (span_eq_text(text, s->label))
            return s;
    }
    if (series_count(metric) >= LABELS_MOST && !span_eq(text, SPAN("other")))
        return series_of(metric, "other");
    return make_series(metric, text, start);
}

/* ---- printing -------------------------------------------------------------- */

static uint64_t
total(const struct series *s, size_t bucket)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < SHARDS; i++)
        sum += atomic_load_explicit(bucket > BOUNDS ? &s->shards[i].value : &s->shards[i].buckets[bucket],
                                    memory_order_relaxed);
    return sum;
}

static void
print_value(struct buf *out, struct span text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.at[i] == '\n')
            buf_add_text(out, "\\n");
        else if (text.at[i] == '"' || text.at[i] == '\\')
            buf_add_format(out, "\\%c", text.at[i]);
        else
            buf_add_byte(out, text.at[i]);
    }
}

/* {stage="label",le="bound"}: whichever of the two there is.  A label with a comma
 * is two, and so is its value. */
static void
print_labels(struct buf *out, const struct row *row, const struct series *s, const char *bound)
{
    struct span names  = row->label != NULL ? span_of(row->label) : (struct span){ NULL, 0 };
    bool        two    = span_find_byte(names, ',') != SPAN_NOT_FOUND;
    struct span values = span_of(s->label);

    if (row->label == NULL && bound == NULL)
        return;
    buf_add_byte(out, '{');
    for (bool more = false; names.at != NULL; more = true) {
        struct span name  = span_split(&names, ',');
        struct span value = two ? span_split(&values, ',') : values;
        buf_add_format(out, "%s%.*s=\"", more ? "," : "", SPAN_PRINT(name));
        print_value(out, value);
        buf_add_byte(out, '"');
    }
    if (bound != NULL)
        buf_add_format(out, "%sle=\"%s\"", row->label != NULL ? "," : "", bound);
    buf_add_byte(out, '}');
}

static void
print_sample(struct buf *out, const struct row *row, const char *suffix, const struct series *s, const char *bound)
{
    buf_add_format(out, "sluice_%s%s", row->name, suffix);
    print_labels(out, row, s, bound);
    buf_add_byte(out, ' ');
}

static void
print_histogram(struct buf *out, const struct row *row, const struct series *s)
{
    uint64_t count = 0;
    for (size_t i = 0; i <= BOUNDS; i++) {
        count += total(s, i);
        print_sample(out, row, "_bucket", s, i < BOUNDS ? bounds[i].text : "+Inf");
        buf_add_format(out, "%llu\n", (unsigned long long)count);
    }
    uint64_t sum = total(s, SIZE_MAX);
    print_sample(out, row, "_count", s, NULL);
    buf_add_format(out, "%llu\n", (unsigned long long)count);
    print_sample(out, row, "_sum", s, NULL);
    buf_add_format(out, "%llu.%06llu\n", (unsigned long long)(sum / 1000000), (unsigned long long)(sum % 1000000));
}

static void
print_row(struct buf *out, enum metric metric)
{
    static const char *const types[] = { "counter", "gauge", "histogram" };
    const struct row        *row     = &rows[metric];

    buf_add_format(out, "# TYPE sluice_%s %s\n", row->name, types[row->type]);
    if (row->unit[0] != '\0')
        buf_add_format(out, "# UNIT sluice_%s %s\n", row->name, row->unit);
    buf_add_format(out, "# HELP sluice_%s %s\n", row->name, row->help);
    if (row->label == NULL)
        series_of(metric, NULL);                           /* what is not counted yet is 0, not absent */
    for (size_t i = 0; i < SLOTS; i++) {
        const struct series *s = atomic_load_explicit(&table[metric][i], memory_order_acquire);
        if (s == NULL)
            continue;
        if (row->type == HISTOGRAM) {
            print_histogram(out, row, s);
            continue;
        }
        print_sample(out, row, row->type == COUNTER ? "_total" : "", s, NULL);
        buf_add_format(out, row->type == COUNTER ? "%llu\n" : "%lld\n", (unsigned long long)total(s, SIZE_MAX));
    }
}
