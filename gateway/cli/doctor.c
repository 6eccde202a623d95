/* gateway/cli/doctor.c -- one page of health: what would be looked at first.
 *
 * Looks and changes nothing.  Every line says ok, warn or fail, what was
 * looked at, and what to do about it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/json_author.h"
#include "consent/paper.h"
#include "fhir/code_system.h"
#include "gateway/cli/load.h"
#include "gateway/cli/run.h"
#include "gateway/http/tls.h"
#include "gateway/inspect/inspector.h"
#include "gateway/ops/control.h"
#include "gateway/store/store.h"

enum { ARENA_BYTES = 16 << 20, OUT_BYTES = 1 << 20, LINES_MOST = 256, WHY_BYTES = 4096 };

enum health { HEALTH_OK = 0, HEALTH_WARN, HEALTH_FAIL };

struct doctor {
    const struct call   *call;
    const struct config *config;
    struct arena        *arena;
    struct { enum health health; const char *part; struct span words; } lines[LINES_MOST];
    size_t               count;
    bool                 runs;           /* a gateway answers on the control socket */
};

static void note(struct doctor *, enum health, const char *part, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void
note(struct doctor *d, enum health health, const char *part, const char *format, ...)
{
    char    text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (d->count == LINES_MOST)
        return;
    d->lines[d->count].health  = health;
    d->lines[d->count].part    = part;
    d->lines[d->count++].words = arena_copy(d->arena, span_of(text));
}

/* ---- parts ------------------------------------------------------------------------- */

static void
look_at_gateway(struct doctor *d)
{
    struct buf answer, why;
    buf_init(&answer, OUT_BYTES);
    buf_init(&why, WHY_BYTES);
    d->runs = control_ask(d->config->admin.socket, "status", &answer, &why) == ST_OK;
    if (d->runs)
        note(d, HEALTH_OK, "gateway", "runs and answers on %.*s", SPAN_PRINT(d->config->admin.socket));
    else
        note(d, HEALTH_WARN, "gateway", "%.*s", SPAN_PRINT(buf_span(&why)));
    buf_release(&answer);
    buf_release(&why);
}

static void
look_at_configuration(struct doctor *d)
{
    struct config_errors *errors = config_errors_new(d->arena);
    if (errors == NULL)
        return;
    config_check_world(d->config, d->runs, errors);
    for (size_t i = 0; i < config_errors_count(errors); i++)
        note(d, HEALTH_FAIL, "configuration", "%.*s", SPAN_PRINT(config_errors_at(errors, i)));
    if (config_errors_count(errors) == 0)
        note(d, HEALTH_OK, "configuration", "%.*s", SPAN_PRINT(d->config->file));
}

/* A number that nobody has protects nobody (45 CFR 162.406: the last digit is a check digit). */
static void
look_at_programs(struct doctor *d)
{
    size_t wrong = 0;

    for (size_t i = 0; i < d->config->program_count; i++) {
        const struct program *p = &d->config->programs[i];
        for (size_t n = 0; n < p->identifier_count; n++) {
            if (code_system_of(p->identifiers[n].system) != CODE_SYSTEM_NPI || code_check_npi(p->identifiers[n].value))
                continue;
            wrong++;
            note(d, HEALTH_WARN, "programs", "\"%.*s\": %.*s is no NPI, its check digit is wrong",
                 SPAN_PRINT(d->config->program_titles[i]), SPAN_PRINT(p->identifiers[n].value));
        }
    }
    if (d->config->program_count == 0)
        note(d, HEALTH_WARN, "programs", "none is registered: only what senders say or contain tells what Part 2 protects");
    else if (wrong == 0)
        note(d, HEALTH_OK, "programs", "%zu registered", d->config->program_count);
}

static void
look_at_inspector(struct doctor *d)
{
    struct inspector_options options = inspector_configured(d->config, d->arena);
    struct buf               why;

    buf_init(&why, WHY_BYTES);
    if (inspector_works(&options, &why))
        note(d, HEALTH_OK, "document helper", "%s, and its sandbox holds", options.program);
    else
        note(d, HEALTH_FAIL, "document helper", "%.*s; the gateway does not start without it, and one that runs answers 503 to what holds PDF, RTF, HTML, XML or packed documents",
             SPAN_PRINT(buf_span(&why)));
    buf_release(&why);
}

static void
look_at_certificate(struct doctor *d, const char *part, struct span path)
{
    struct buf why;
    if (span_empty(path))
        return;
    buf_init(&why, WHY_BYTES);
    int days = tls_certificate_days(path.at, &why);
    if (why.length > 0)
        note(d, HEALTH_FAIL, part, "%.*s", SPAN_PRINT(buf_span(&why)));
    else
        note(d, days < 0 ? HEALTH_FAIL : days < 30 ? HEALTH_WARN : HEALTH_OK, part, "%s %s %d days", path.at,
             days < 0 ? "expired before" : "is valid for", days < 0 ? -days : days);
    buf_release(&why);
}

static void
look_at_certificates(struct doctor *d)
{
    look_at_certificate(d, "listen certificate", d->config->listen.certificate);
    look_at_certificate(d, "client CA", d->config->listen.client_ca);
    for (size_t i = 0; i < d->config->recipient_count; i++)
        look_at_certificate(d, "recipient certificate", d->config->recipients[i].certificate);
    look_at_certificate(d, "terminology certificate", d->config->terminology.certificate);
}

static void
look_at_key(struct doctor *d, const char *part, struct span path)
{
    struct stat about;
    if (stat(path.at, &about) != 0)
        note(d, HEALTH_FAIL, part, "%s: %s", path.at, strerror(errno));
    else if ((about.st_mode & 077) != 0)
        note(d, HEALTH_WARN, part, "%s may be read by others than its owner: chmod 600", path.at);
    else
        note(d, HEALTH_OK, part, "%s is its owner's alone", path.at);
}

struct on_file { uint64_t papers, due; };

static bool
count_paper(const struct store_filed *paper, void *arg)
{
    struct on_file *f = arg;

    f->papers++;
    f->due += paper->kind == PAPER_EMERGENCY && !paper->reviewed;
    return true;
}

/* 2.51(c) is written down at once; whether it was right somebody has to look at afterwards. */
static void
look_at_papers(struct doctor *d, struct store *store)
{
    struct store_filed_query all = { .kind = 0 };
    struct on_file           f   = { 0, 0 };

    if (store_filed_visit(store, &all, count_paper, &f) != ST_OK)
        note(d, HEALTH_FAIL, "on file", "the papers on file cannot be read");
    else if (f.due > 0)
        note(d, HEALTH_WARN, "on file", "%llu papers, %llu emergencies that nobody has looked at afterwards: "
             "sluice file ls --review", (unsigned long long)f.papers, (unsigned long long)f.due);
    else
        note(d, HEALTH_OK, "on file", "%llu papers", (unsigned long long)f.papers);
}

static void
look_at_store(struct doctor *d)
{
    struct store_options options = { .path = d->config->store.path.at, .read_only = true };
    struct store_counts  counts;
    struct store        *store = NULL;
    struct stat          about;
    struct buf           why;
    if (stat(options.path, &about) != 0) {
        note(d, HEALTH_WARN, "store", "%s is not there yet; the gateway makes it", options.path);
        return;
    }
    buf_init(&why, WHY_BYTES);
    if (store_open(&options, &store, &why) != ST_OK || store_counts_read(store, &counts) != ST_OK)
        note(d, HEALTH_FAIL, "store", "%s cannot be read: %.*s", options.path, SPAN_PRINT(buf_span(&why)));
    else
        note(d, counts.dead > 0 ? HEALTH_WARN : HEALTH_OK, "store",
             "%llu resources, %llu deliveries wait, %llu dead letters", (unsigned long long)counts.resources,
             (unsigned long long)counts.waiting, (unsigned long long)counts.dead);
    if (store != NULL)
        look_at_papers(d, store);
    store_close(&store);
    buf_release(&why);
}

/* The disk of the store: when it is full nothing can be taken. */
static void
look_at_machine(struct doctor *d)
{
    struct statvfs disk;
    struct rlimit  files;
    struct span    path  = d->config->store.path;
    struct span    dir   = arena_copy(d->arena, span_first(path, span_find_last_byte(path, '/') + 1));
    if (dir.at != NULL && statvfs(dir.at, &disk) == 0) {
        unsigned long long free_mib = (unsigned long long)disk.f_bavail * disk.f_frsize >> 20;
        note(d, free_mib < 64 ? HEALTH_FAIL : free_mib < 1024 ? HEALTH_WARN : HEALTH_OK, "disk", "%llu MiB are free in %s",
             free_mib, dir.at);
    }
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        note(d, files.rlim_cur < d->config->limits.max_connections + 64ull ? HEALTH_WARN : HEALTH_OK, "file descriptors",
             "%llu may be open, limits { max-connections } is %u", (unsigned long long)files.rlim_cur,
             d->config->limits.max_connections);
    /* A clock that was never set decides about consents as of 1970. */
    note(d, time(NULL) < 1767225600 ? HEALTH_FAIL : HEALTH_OK, "clock", "%lld seconds since 1970", (long long)time(NULL));
}

/* ---- the page ------------------------------------------------------------------------- */

static const char *const health_words[] = { "ok", "warn", "fail" };

static enum status
page_json(const struct doctor *d, struct buf *out)
{
    struct author *a    = author_new();
    author_value   list = author_add_array(author_object(a), "checks");
    for (size_t i = 0; i < d->count; i++) {
        author_value one = author_add_object(list, NULL);
        author_add_cstr(one, "health", health_words[d->lines[i].health]);
        author_add_cstr(one, "part", d->lines[i].part);
        author_add_text(one, "text", d->lines[i].words);
    }
    enum status st = author_print(a, out, AUTHOR_PRETTY);
    author_free(&a);
    buf_add_byte(out, '\n');
    return st;
}

static void
page_text(const struct doctor *d, struct buf *out)
{
    static const enum ink inks[] = { INK_GREEN, INK_YELLOW, INK_RED };
    for (size_t i = 0; i < d->count; i++) {
        call_ink(d->call, out, inks[d->lines[i].health], span_of(health_words[d->lines[i].health]));
        buf_add_format(out, "%s%s: %.*s\n", d->lines[i].health == HEALTH_OK ? "    " : "  ", d->lines[i].part,
                       SPAN_PRINT(d->lines[i].words));
    }
}

int
command_doctor(const struct call *call)
{
    struct config *config = load_config(call);
    if (config == NULL)
        return EXIT_CODE_CONFIG;
    struct doctor d    = { .call = call, .config = config, .arena = arena_new("doctor", ARENA_BYTES) };
    int           code = EXIT_CODE_DEPENDENCY;
    if (d.arena != NULL) {
        struct buf out;
        buf_init(&out, OUT_BYTES);
        look_at_gateway(&d);
        look_at_configuration(&d);
        look_at_programs(&d);
        look_at_inspector(&d);
        look_at_certificates(&d);
        look_at_key(&d, "listen key", config->listen.key);
        look_at_key(&d, "ledger key", config->ledger.key);
        look_at_store(&d);
        look_at_machine(&d);
        if (call_has(call, "json")) {
            if (page_json(&d, &out) == ST_OK)
                code = call_print_buf(call, &out);
        } else {
            page_text(&d, &out);
            code = call_print_buf(call, &out);
        }
        for (size_t i = 0; i < d.count && code == EXIT_CODE_OK; i++)
            if (d.lines[i].health == HEALTH_FAIL)
                code = EXIT_CODE_NEGATIVE;
        buf_release(&out);
    }
    arena_free(&d.arena);
    config_unpin(&config);
    return code;
}
