/* gateway/ops/metrics.h -- counters and histograms in OpenMetrics text.
 *
 * Rows of metrics.def: name (prefix sluice_), type, unit, help, label names.
 * Updates are atomic adds on per-loop slots and never lock.  Label values are
 * from fixed vocabularies or the configuration (stage, recipient, status),
 * never from a payload.
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
void        metric_set(enum metric, const char *label, int64_t value);
void        metric_observe_us(enum metric, const char *label, uint64_t microseconds);
enum status metrics_print(struct buf *out) MUST_CHECK;   /* ends in "# EOF\n" */

#endif
