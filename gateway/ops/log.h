/* gateway/ops/log.h -- events as JSON lines on stderr, without PHI by type.
 *
 * A field has a class; free text of a payload is not a class, so it cannot
 * be logged:
 *   LOG_ID      an id made by Sluice or configured (request id, client, recipient)
 *   LOG_CODE    a word of a fixed vocabulary (stage, status name, rule number)
 *   LOG_COUNT   a number; units are in the name (dur_us, bytes)
 *   LOG_REASON  a static sentence of our own source
 * {"ts":"…Z","lvl":"info","ev":"exchange.done","stage":"respond","dur_us":812}
 *
 * Thread-safe; whole lines in one write(2) of at most 4096 bytes: a field that
 * does not fit is left out.  Values are escaped, so a line is always one line and
 * valid JSON.  A thread that gathers writes its lines when it says so, when they
 * are 4096 bytes, and with the first that warns.
 */
#ifndef SLUICE_GATEWAY_OPS_LOG_H
#define SLUICE_GATEWAY_OPS_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

enum log_level { LOG_DEBUG_LEVEL = 0, LOG_INFO_LEVEL, LOG_WARN_LEVEL, LOG_ERROR_LEVEL };

enum log_class { LOG_END = 0, LOG_ID, LOG_CODE, LOG_COUNT, LOG_REASON };

struct log_field {
    enum log_class class;
    const char    *name;
    struct span    text;                 /* ID, CODE, REASON */
    int64_t        number;               /* COUNT            */
};

#define LOG_F_ID(name, span)     ((struct log_field){ LOG_ID, name, span, 0 })
#define LOG_F_CODE(name, text)   ((struct log_field){ LOG_CODE, name, span_of(text), 0 })
#define LOG_F_COUNT(name, n)     ((struct log_field){ LOG_COUNT, name, { 0, 0 }, (int64_t)(n) })
#define LOG_F_REASON(text)       ((struct log_field){ LOG_REASON, "reason", span_of(text), 0 })

/* log_event(LOG_INFO_LEVEL, "loop.start", LOG_F_COUNT("loops", n)); */
#define log_event(level, event, ...) \
    log_write((level), (event), (const struct log_field[]){ __VA_ARGS__ __VA_OPT__(,) { LOG_END, 0, { 0, 0 }, 0 } })

void log_write(enum log_level, const char *event, const struct log_field *fields);
void log_set_level(enum log_level);
bool log_level_named(struct span name, enum log_level *out);   /* "debug" "info" "warn" "error" */
void log_gather(bool);                   /* this thread, from now on */
void log_flush(void);
void log_set_fd(int fd);                 /* default 2 */

#endif
