/* gateway/ops/metrics.h -- counters and histograms in OpenMetrics text.
 *
 * Rows of metrics.def: name (prefix sluice_), type, unit, help, label name.
 * Updates are relaxed atomic adds on a shard of the thread's own and never
 * lock, except for the first one of a new label value.  Label values are from
 * fixed vocabularies or the configuration (stage, recipient, status), never
 * from a payload; they are copied.  A metric has at most 60 label values, what
 * comes after them counts as "other".  A metric with two labels has both names in its row,
 * with a comma, and is told both values the same way: "held-content,open".
 *
 * https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
 */
#ifndef SLUICE_GATEWAY_OPS_METRICS_H
#define SLUICE_GATEWAY_OPS_METRICS_H

#include <stdint.h>

#include "base/buf.h"

enum metric {
#define METRIC(id, name, type, unit, label, help) METRIC_##id,
#include "gateway/ops/metrics.def"
#undef METRIC
    METRIC_COUNT
};

/* `label` is the value of the metric's one label; NULL when it has none. */
void        metric_add(enum metric, const char *label, uint64_t n);
/* Gauges: to a value, or by a step of either sign; one gauge is moved by one
 * of the two only. */
void        metric_set(enum metric, const char *label, int64_t value);
void        metric_step(enum metric, const char *label, int64_t step);
void        metric_observe_us(enum metric, const char *label, uint64_t microseconds);
enum status metrics_print(struct buf *out) MUST_CHECK;   /* ends in "# EOF\n" */

#endif
