/* gateway/ops/log.c -- one event, one line; the lines of a loop's turn in one write. */
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

/* What this thread gathers. */
static _Thread_local bool   gathering;
static _Thread_local size_t gathered;
static _Thread_local char   lines[LINE_BYTES];

static atomic_int threshold = LOG_INFO_LEVEL;
static atomic_int log_fd    = STDERR_FILENO;

struct line {
    char   at[LINE_BYTES];
    size_t length;
    bool   full;
};

static void put(const char *, size_t);
static void add_time(struct line *);
static void add_field(struct line *, const struct log_field *);
static void add_text(struct line *, struct span);
static void add_number(struct line *, int64_t);
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

    /* Only what is written of it is read: 4 KB need not be zeroed for 200 bytes. */
    struct line line __attribute__((uninitialized));
    line.length = 0;
    line.full   = false;
    add_time(&line);
    add_text(&line, span_of(level_names[level]));
    add_text(&line, SPAN("\",\"ev\":"));
    add_quoted(&line, span_of(event));
    for (; fields->class != LOG_END; fields++)
        add_field(&line, fields);
    memcpy(line.at + line.length, "}\n", 2);
    line.length += 2;

    if (line.length > LINE_BYTES - gathered)
        log_flush();
    if (!gathering) {
        put(line.at, line.length);
        return;
    }
    memcpy(lines + gathered, line.at, line.length);
    gathered += line.length;
    if (level >= LOG_WARN_LEVEL)
        log_flush();
}

void
log_gather(bool on)
{
    log_flush();
    gathering = on;
}

void
log_flush(void)
{
    if (gathered > 0)
        put(lines, gathered);
    gathered = 0;
}

/* A reader that went away must not take the gateway with it. */
static void
put(const char *at, size_t length)
{
    ssize_t done;

    do
        done = write(atomic_load(&log_fd), at, length);
    while (done < 0 && errno == EINTR);
}

/* The second is put into words once for all lines of it. */
static void
add_time(struct line *line)
{
    static _Thread_local time_t second;
    static _Thread_local char   words[40];
    struct timespec             now;
    struct tm                   utc;

    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec != second || words[0] == '\0') {
        gmtime_r(&now.tv_sec, &utc);
        strftime(words, sizeof words, "{\"ts\":\"%Y-%m-%dT%H:%M:%S.", &utc);
        second = now.tv_sec;
    }
    unsigned ms        = (unsigned)(now.tv_nsec / 1000000);
    char     digits[3] = { (char)('0' + ms / 100), (char)('0' + ms / 10 % 10), (char)('0' + ms % 10) };
    add_text(line, span_of(words));
    add_text(line, span_from(digits, 3));
    add_text(line, SPAN("Z\",\"lvl\":\""));
}

static void
add_field(struct line *line, const struct log_field *field)
{
    size_t before = line->length;
    add_text(line, SPAN(","));
    add_quoted(line, span_of(field->name));
    add_text(line, SPAN(":"));
    if (field->class == LOG_COUNT) {
        add_number(line, field->number);
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

static void
add_number(struct line *line, int64_t number)
{
    char     digits[20];
    size_t   at   = sizeof digits;
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (number < 0)
        digits[--at] = '-';
    add_text(line, span_from(&digits[at], sizeof digits - at));
}

static bool
is_plain(char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void
add_escape(struct line *line, unsigned char c)
{
    char escape[8];

    if (c == '"' || c == '\\')
        snprintf(escape, sizeof escape, "\\%c", c);
    else
        snprintf(escape, sizeof escape, "\\u%04x", c < 0x80 ? c : 0xfffdu);
    add_text(line, span_of(escape));
}

/* RFC 8259 7.  Bytes outside of ASCII are written as U+FFFD: ids and codes
 * have none, and half of a character would make the line unreadable. */
static void
add_quoted(struct line *line, struct span text)
{
    size_t at = 0;

    add_text(line, SPAN("\""));
    while (at < text.length) {
        size_t from = at;
        while (at < text.length && is_plain(text.at[at]))
            at++;
        add_text(line, span_from(text.at + from, at - from));
        if (at < text.length)
            add_escape(line, (unsigned char)text.at[at++]);
    }
    add_text(line, SPAN("\""));
}
