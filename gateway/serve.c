#include "gateway/auth/pace.h"
#include "gateway/serve.h"

#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "gateway/admin.h"
#include "gateway/classify/pass.h"
#include "gateway/cli/exit.h"
#include "gateway/deliver/deliver.h"
#include "gateway/gateway.h"
#include "gateway/http/census.h"
#include "gateway/http/server.h"
#include "gateway/inspect/pool.h"
#include "gateway/ledger/anchor.h"
#include "gateway/ops/control.h"
#include "gateway/ops/definitions.h"
#include "gateway/ops/log.h"
#include "gateway/ops/site_pack.h"
#include "gateway/runtime/exchange.h"
#include "gateway/stages/stages.h"
#include "gateway/terminology/server.h"

#define DRAIN_SECONDS  20
#define MAX_WHY_BYTES  4096
/* Packages whose site.pack is not of them are compiled into memory and stay. */
#define PACK_BYTES     ((size_t)1 << 30)

struct serving {
    struct gateway        gateway;
    struct arena         *arena;         /* of the process: definitions */
    struct ledger_signer *signer;
    struct anchor_keeper *anchor;        /* NULL: none is configured */
    struct tls_server    *tls;
    struct http_census   *census;        /* one for the listeners of all loops */
    pthread_mutex_t       reloading;     /* SIGHUP and `sluice reload` may come together */
    struct http_server   *admin;
    struct control       *control;
    struct buf            why;
    uint32_t              loops_running;
    int                   signals;       /* signalfd */
    bool                  delivering;
};

static enum status start(struct serving *);
static void        run(struct serving *, int ready_fd);
static void        stop(struct serving *);
static enum status listener_tls(const struct config *, struct tls_server **, struct buf *why);

int
serve_run(struct config *config, int ready_fd)
{
    struct serving s = { .gateway.config = config, .signals = -1 };

    pthread_mutex_init(&s.gateway.config_lock, NULL);
    pthread_mutex_init(&s.reloading, NULL);
    buf_init(&s.why, MAX_WHY_BYTES);
    enum status st = start(&s);
    if (st == ST_OK)
        run(&s, ready_fd);
    else
        fprintf(stderr, "sluice serve: %.*s\n", (int)s.why.length, s.why.length > 0 ? s.why.at : "");
    stop(&s);
    return st == ST_OK ? EXIT_CODE_OK : st == ST_INTEGRITY ? EXIT_CODE_INTEGRITY : EXIT_CODE_DEPENDENCY;
}

/* ---- on a loop's thread, from here --------------------------------------- */

struct errand {
    struct task     task;
    struct serving *serving;
    uint32_t        loop;
    void          (*run)(struct serving *, uint32_t loop);
    sem_t           done;
};

static void
on_errand(struct task *task)
{
    struct errand *e = (struct errand *)(void *)task;

    e->run(e->serving, e->loop);
    sem_post(&e->done);
}

/* Runs it on the loop and waits. */
static void
on_loop(struct serving *s, uint32_t loop, void (*run_there)(struct serving *, uint32_t))
{
    struct errand e = { .task.run = on_errand, .serving = s, .loop = loop, .run = run_there };

    sem_init(&e.done, 0, 0);
    loop_post(s->gateway.loops[loop], &e.task);
    while (sem_wait(&e.done) != 0 && errno == EINTR)
        continue;
    sem_destroy(&e.done);
}

/* ---- requests ------------------------------------------------------------ */

static void
on_request(struct http_request *request, void *arg)
{
    struct gateway  *gateway = arg;
    struct exchange *ex      = exchange_new(gateway, http_request_loop(request), request,
                                            http_request_head(request)->body.length);

    if (ex == NULL) {
        http_respond(request, &(struct http_answer){ .status = 503, .close = true });
        http_request_free(&request);
        return;
    }
    if (exchange_asked(ex) > ex->config->limits.max_queue) {
        exchange_overloaded(ex);
        return;
    }
    pipeline_start(ex, &inbound);
}

/* ---- start --------------------------------------------------------------- */

/* Core files would hold PHI. */
static void
no_core_files(void)
{
    const struct rlimit none = { 0, 0 };

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
}

/* The soft limit of a shell or a unit is often 1,024 descriptors, which is
 * less than the connections that the configuration allows. */
static void
all_files_that_are_allowed(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

/* Blocked before any thread is made, so that all inherit it and only the
 * signalfd sees them. */
static enum status
take_signals(struct serving *s)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    s->signals = signalfd(-1, &set, SFD_CLOEXEC);
    if (s->signals >= 0)
        return ST_OK;
    buf_add_text(&s->why, "no signal descriptor");
    return ST_NO_MEMORY;
}

static enum status
start_store(struct serving *s)
{
    const struct config *config = s->gateway.config;
    enum status st = ledger_signer_open(config->ledger.key.at, config->ledger.origin, &s->signer, &s->why);

    if (st != ST_OK)
        return st;
    st = store_open(&(struct store_options){ .path = config->store.path.at, .signer = s->signer },
                    &s->gateway.store, &s->why);
    if (st == ST_OK && !span_empty(config->ledger.anchor))
        st = anchor_check(s->gateway.store, config->ledger.anchor.at, s->signer, &s->why);
    if (st == ST_OK)
        st = store_start(s->gateway.store);
    if (st == ST_OK && !span_empty(config->ledger.anchor)) {
        s->anchor = anchor_keeper_start(s->gateway.store, config->ledger.anchor, config->ledger.anchor_seconds);
        st        = s->anchor != NULL ? ST_OK : ST_NO_MEMORY;
    }
    return st;
}

/* That it works was seen before (config_check_helper()). */
static enum status
start_inspectors(struct serving *s)
{
    const struct config     *config  = s->gateway.config;
    struct inspector_options options = inspector_configured(config, s->arena);

    options.logs = true;
    s->gateway.inspectors = inspectors_new(&options, config->inspect.processes, config->limits.max_queue);
    return s->gateway.inspectors != NULL ? ST_OK : ST_NO_MEMORY;
}

static enum status
start_loops(struct serving *s)
{
    struct gateway *g     = &s->gateway;
    long            cores = sysconf(_SC_NPROCESSORS_ONLN);

    g->loop_count = g->config->limits.loops > 0 ? g->config->limits.loops : (uint32_t)(cores > 0 ? cores : 1);
    g->loops      = calloc(g->loop_count, sizeof *g->loops);
    g->servers    = calloc(g->loop_count, sizeof *g->servers);
    g->workers    = workers_new(g->config->limits.workers, g->config->limits.max_queue);
    g->pace       = calloc(1, sizeof *g->pace);
    if (g->loops == NULL || g->servers == NULL || g->workers == NULL || g->pace == NULL)
        return ST_NO_MEMORY;
    for (uint32_t i = 0; i < g->loop_count; i++) {
        g->loops[i] = loop_new(i);
        if (g->loops[i] == NULL)
            return ST_NO_MEMORY;
    }
    g->terminology = terminology_new(g->loops[0]);
    if (g->terminology == NULL)
        return ST_NO_MEMORY;
    terminology_use(g->terminology, g->config);
    g->deliver = deliver_new(g);
    return g->deliver != NULL ? deliver_start(g->deliver) : ST_NO_MEMORY;
}

static enum status
start_listeners(struct serving *s)
{
    struct gateway      *g = &s->gateway;
    const struct config *config = g->config;
    struct http_limits   limits = {
        .max_body_bytes = config->limits.max_body_bytes,
        .head_seconds = 10, .body_grace_seconds = 5, .body_bytes_per_second = 1024,
        .idle_seconds = config->limits.idle_seconds,
    };

    s->census = http_census_new(config->limits.max_connections, config->limits.max_connections_per_client);
    if (s->census == NULL)
        return ST_NO_MEMORY;
    if (!span_empty(config->listen.certificate)) {
        enum status st = listener_tls(config, &s->tls, &s->why);
        if (st != ST_OK)
            return st;
    }
    limits.census = s->census;
    for (uint32_t i = 0; i < g->loop_count; i++) {
        /* With port 0 the system chooses once, for the first. */
        uint16_t port = i == 0 ? config->listen.port : http_server_port(g->servers[0]);
        g->servers[i] = http_server_new(g->loops[i], config->listen.address.at, port, s->tls, &limits,
                                        on_request, g);
        if (g->servers[i] == NULL) {
            buf_add_format(&s->why, "cannot listen on %.*s port %u: %s", SPAN_PRINT(config->listen.address),
                           config->listen.port, strerror(errno));
            return ST_IO;
        }
    }
    limits.census = NULL;                /* probes come in however crowded it is */
    s->admin = http_server_new(g->loops[0], config->admin.address.at, config->admin.port, NULL, &limits,
                               admin_request, g);
    if (s->admin == NULL) {
        buf_add_format(&s->why, "cannot listen on %.*s port %u: %s", SPAN_PRINT(config->admin.address),
                       config->admin.port, strerror(errno));
        return ST_IO;
    }
    return ST_OK;
}

static void
take_packages(struct serving *s, struct config *config, struct config_errors *errors)
{
    bool built;

    site_pack_configure(config, s->gateway.pack, s->gateway.config->pack, s->arena, &built, errors);
    if (built)
        log_event(LOG_WARN_LEVEL, "packages.compiled",
                  LOG_F_REASON("site.pack is not of these packages and this build: they were compiled for this process"));
}

static enum status
start_definitions(struct serving *s)
{
    struct config_errors *errors = config_errors_new(s->arena);
    enum status           st     = definitions_open(s->arena, &s->gateway.pack, &s->why);

    if (st != ST_OK || errors == NULL)
        return st != ST_OK ? st : ST_NO_MEMORY;
    take_packages(s, s->gateway.config, errors);
    for (size_t i = 0; i < config_errors_count(errors); i++)
        buf_add_format(&s->why, "%s%.*s", i > 0 ? "\n" : "", SPAN_PRINT(config_errors_at(errors, i)));
    return config_errors_count(errors) == 0 ? ST_OK : ST_MALFORMED;
}

static enum status
start(struct serving *s)
{
    struct gateway *g = &s->gateway;

    no_core_files();
    all_files_that_are_allowed();
    s->arena = arena_new("process", PACK_BYTES);
    if (s->arena == NULL)
        return ST_NO_MEMORY;
    enum status st = take_signals(s);
    if (st == ST_OK)
        st = start_definitions(s);
    if (st == ST_OK)
        st = start_store(s);
    if (st == ST_OK)
        st = start_inspectors(s);
    if (st == ST_OK)
        st = start_loops(s);
    if (st == ST_OK)
        st = start_listeners(s);
    if (st == ST_OK) {
        g->pass = pass_start(g);
        st      = g->pass != NULL ? ST_OK : ST_NO_MEMORY;
    }
    if (st == ST_OK)
        st = control_start(&s->control, g, &s->why);
    for (uint32_t i = 0; st == ST_OK && i < g->loop_count; i++) {
        st = loop_start(g->loops[i]);
        s->loops_running += st == ST_OK;
    }
    s->delivering = st == ST_OK;
    return st;
}

/* ---- run ----------------------------------------------------------------- */

static enum status
listener_tls(const struct config *config, struct tls_server **out, struct buf *why)
{
    struct span ca = config->listen.client_ca;

    return tls_server_new(config->listen.certificate.at, config->listen.key.at,
                          span_empty(ca) ? NULL : ca.at, out, why);
}

/* Everything that may be wrong with the new file is found here. */
static enum status
read_again(struct serving *s, struct config **fresh, struct tls_server **tls, struct config_errors *errors)
{
    struct buf why;

    *fresh = config_load(s->gateway.config->file.at, errors);
    if (*fresh == NULL)
        return ST_MALFORMED;
    if (!config_may_replace(s->gateway.config, *fresh, errors))
        return ST_CONFLICT;
    config_check_world(*fresh, true, errors);
    if (config_errors_count(errors) == 0)
        take_packages(s, *fresh, errors);
    buf_init(&why, MAX_WHY_BYTES);
    if (config_errors_count(errors) == 0 && listener_tls(*fresh, tls, &why) != ST_OK)
        config_error(errors, "listen: %.*s", SPAN_PRINT(buf_span(&why)));
    buf_release(&why);
    return config_errors_count(errors) == 0 ? ST_OK : ST_MALFORMED;
}

static void
use_tls(struct serving *s, uint32_t loop)
{
    http_server_use_tls(s->gateway.servers[loop], s->tls);
}

/* Connections keep the context that they began with: it is counted. */
static void
swap_tls(struct serving *s, struct tls_server *tls)
{
    struct tls_server *old = s->tls;

    s->tls = tls;
    for (uint32_t i = 0; i < s->gateway.loop_count; i++)
        on_loop(s, i, use_tls);
    tls_server_free(&old);
}

static void
use_terminology(struct serving *s, uint32_t loop)
{
    struct config *config = gateway_config(&s->gateway);

    terminology_use(s->gateway.terminology, config);
    config_unpin(&config);
    (void)loop;
}

/* The whole new file, and what it names, is checked before anything changes;
 * exchanges that are under way keep the snapshot that they began with. */
enum status
gateway_reload(struct gateway *g, struct config_errors *errors)
{
    struct serving    *s     = (struct serving *)g;          /* its first member */
    struct config     *fresh = NULL;
    struct tls_server *tls   = NULL;
    enum log_level     level;

    pthread_mutex_lock(&s->reloading);
    enum status st = read_again(s, &fresh, &tls, errors);
    if (st == ST_OK) {
        if (log_level_named(fresh->log.level, &level))
            log_set_level(level);
        swap_tls(s, tls);
        pthread_mutex_lock(&g->config_lock);
        struct config *old = g->config;
        g->config          = fresh;
        fresh              = old;
        pthread_mutex_unlock(&g->config_lock);
        on_loop(s, 0, use_terminology);
        pass_wake(g->pass, false);
        deliver_wake(g->deliver);        /* what waited is decided under the new rules */
    }
    config_unpin(&fresh);
    pthread_mutex_unlock(&s->reloading);
    return st;
}

static void
reload_and_say(struct serving *s)
{
    struct arena         *arena  = arena_new("reload", (size_t)1 << 20);
    struct config_errors *errors = arena != NULL ? config_errors_new(arena) : NULL;

    sd_notify(0, "RELOADING=1");
    if (errors != NULL && gateway_reload(&s->gateway, errors) == ST_OK)
        log_event(LOG_INFO_LEVEL, "config.reloaded");
    else
        log_event(LOG_ERROR_LEVEL, "config.refused",
                  LOG_F_COUNT("errors", errors != NULL ? config_errors_count(errors) : 0),
                  LOG_F_REASON("the old configuration stays; sluice config check says why"));
    sd_notify(0, "READY=1");
    arena_free(&arena);
}

static void
run(struct serving *s, int ready_fd)
{
    struct signalfd_siginfo info;

    log_event(LOG_INFO_LEVEL, "serve.ready", LOG_F_COUNT("loops", s->gateway.loop_count),
              LOG_F_COUNT("port", http_server_port(s->gateway.servers[0])),
              LOG_F_COUNT("admin_port", http_server_port(s->admin)));
    if (ready_fd >= 0 && write(ready_fd, "READY=1\n", 8) == 8)
        close(ready_fd);
    sd_notify(0, "READY=1");
    for (;;) {
        ssize_t n = read(s->signals, &info, sizeof info);
        if (n < 0 && errno == EINTR)
            continue;
        if (n != (ssize_t)sizeof info || info.ssi_signo != SIGHUP)
            break;
        reload_and_say(s);
    }
    sd_notify(0, "STOPPING=1");
    log_event(LOG_INFO_LEVEL, "serve.draining");
}

/* ---- stop ---------------------------------------------------------------- */

static void
drain_servers(struct serving *s, uint32_t loop)
{
    http_server_drain(s->gateway.servers[loop]);
}

static void
stop_claims(struct serving *s, uint32_t loop)
{
    deliver_stop(s->gateway.deliver);
    (void)loop;
}

static void
end_loop(struct serving *s, uint32_t loop)
{
    if (loop == 0) {
        http_server_free(&s->admin);     /* first: it asks the others for their counts */
        terminology_end(s->gateway.terminology);
    }
    http_server_free(&s->gateway.servers[loop]);
    deliver_end_loop(s->gateway.deliver, s->gateway.loops[loop]);
}

static void
drain(struct serving *s)
{
    struct gateway *g = &s->gateway;

    atomic_store(&g->draining, true);
    on_loop(s, 0, stop_claims);
    for (uint32_t i = 0; i < s->loops_running; i++)
        on_loop(s, i, drain_servers);
    for (int tenths = 0; tenths < DRAIN_SECONDS * 10 && atomic_load(&g->exchanges) > 0; tenths++)
        poll(NULL, 0, 100);
    for (uint32_t i = 0; i < s->loops_running; i++)
        on_loop(s, i, end_loop);
    /* Calls that were cancelled end their exchanges; those that still wait
     * for the store are answered before it closes. */
    for (int hundredths = 0; hundredths < 200 && (atomic_load(&g->exchanges) > 0 || deliver_asking(g->deliver)); hundredths++)
        poll(NULL, 0, 10);
}

static void
stop(struct serving *s)
{
    struct gateway *g = &s->gateway;

    control_stop(&s->control);
    pass_stop(&g->pass);
    if (s->loops_running == g->loop_count && s->delivering)
        drain(s);
    /* What the drain left over may still ask for the store: it goes last. */
    for (uint32_t i = 0; i < s->loops_running; i++)
        loop_stop(g->loops[i]);
    workers_free(&g->workers);
    inspectors_free(&g->inspectors);
    anchor_keeper_stop(&s->anchor);
    if (g->store != NULL)
        store_close(&g->store);
    if (g->deliver != NULL)
        deliver_free(&g->deliver);
    terminology_free(&g->terminology);
    for (uint32_t i = 0; g->loops != NULL && i < g->loop_count; i++)
        loop_free(&g->loops[i]);
    free(g->loops);
    free(g->servers);
    free(g->pace);
    tls_server_free(&s->tls);
    http_census_free(&s->census);
    ledger_signer_free(&s->signer);
    buf_release(&s->why);
    arena_free(&s->arena);
    config_unpin(&g->config);
    pthread_mutex_destroy(&g->config_lock);
    pthread_mutex_destroy(&s->reloading);
    if (s->signals >= 0)
        close(s->signals);
    log_event(LOG_INFO_LEVEL, "serve.stopped");
}
