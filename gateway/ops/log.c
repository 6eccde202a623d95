/* gateway/ops/log.c -- one event, one line, one write. */
#include "gateway/ops/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What does not fit is left out whole, field by field: a line is always valid
 * JSON, and a pipe takes a line of this length without mixing it with others
 * (PIPE_BUF). */
enum { LINE_BYTES = 4096, TAIL_BYTES = 3 };

static atomic_int threshold = LOG_INFO_LEVEL;
static atomic_int log_fd    = STDERR_FILENO;

struct line {
    char   at[LINE_BYTES];
    size_t length;
    bool   full;
};

static void add_field(struct line *, const struct log_field *);
static void add_text(struct line *, struct span);
static void add_quoted(struct line *, struct span);

static const char *const level_names[] = { "debug", "info", "warn", "error" };

void
log_set_level(enum log_level level)
{
    atomic_store(&threshold, level);
}

bool
log_level_named(struct span name, enum log_level *out)
{
    for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++)
        if (span_eq_text(name, level_names[i])) {
            *out = (enum log_level)i;
            return true;
        }
    return false;
}

void
log_set_fd(int fd)
{
    atomic_store(&log_fd, fd);
}

void
log_write(enum log_level level, const char *event, const struct log_field *fields)
{
    if ((int)level < atomic_load(&threshold))
        return;

    struct line     line = { .length = 0 };
    struct timespec now;
    struct tm       utc;
    char            stamp[64];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t n = strftime(stamp, sizeof stamp, "{\"ts\":\"%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(stamp + n, sizeof stamp - n, ".%03ldZ\",\"lvl\":\"", now.tv_nsec / 1000000);
    add_text(&line, span_of(stamp));
    add_text(&line, span_of(level_names[level]));
    add_text(&line, SPAN("\",\"ev\":"));
    add_quoted(&line, span_of(event));
    for (; fields->class != LOG_END; fields++)
        add_field(&line, fields);
    memcpy(line.at + line.length, "}\n", 2);
    line.length += 2;

    /* A reader that went away must not take the gateway with it. */
    ssize_t put;
    do
        put = write(atomic_load(&log_fd), line.at, line.length);
    while (put < 0 && errno == EINTR);
}

static void
add_field(struct line *line, const struct log_field *field)
{
    size_t before = line->length;
    char   number[32];
    add_text(line, SPAN(","));
    add_quoted(line, span_of(field->name));
    add_text(line, SPAN(":"));
    if (field->class == LOG_COUNT) {
        snprintf(number, sizeof number, "%lld", (long long)field->number);
        add_text(line, span_of(number));
    } else {
        add_quoted(line, field->text);
    }
    if (line->full) {
        line->length = before;
        line->full   = false;
    }
}

static void
add_text(struct line *line, struct span text)
{
    if (line->full || text.length > LINE_BYTES - TAIL_BYTES - line->length) {
        line->full = true;
        return;
    }
    if (text.length > 0)
        memcpy(line->at + line->length, text.at, text.length);
    line->length += text.length;
}

/* RFC 8259 7.  Bytes outside of ASCII are written as U+FFFD: ids and codes
 * have none, and half of a character would make the line unreadable. */
static void
add_quoted(struct line *line, struct span text)
{
    char escape[8];
    add_text(line, SPAN("\""));
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c == '"' || c == '\\') {
            escape[0] = '\\';
            escape[1] = (char)c;
            add_text(line, span_from(escape, 2));
        } else if (c >= 0x20 && c < 0x7f) {
            add_text(line, span_from(&text.at[i], 1));
        } else {
            snprintf(escape, sizeof escape, "\\u%04x", c < 0x80 ? c : 0xfffdu);
            add_text(line, span_of(escape));
        }
    }
    add_text(line, SPAN("\""));
}
