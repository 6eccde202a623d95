/* gateway/cli/serve.c -- runs the gateway. */
#include "gateway/serve.h"

#include <sys/resource.h>

#include "gateway/cli/load.h"
#include "gateway/cli/run.h"
#include "gateway/ops/log.h"

enum { ARENA_BYTES = 16 << 20 };

/* What `config check` would say, it says here, and nothing starts. */
static bool
world_is_right(const struct call *call, const struct config *config)
{
    struct arena         *arena  = arena_new("configuration errors", ARENA_BYTES);
    struct config_errors *errors = arena != NULL ? config_errors_new(arena) : NULL;
    if (errors != NULL)
        config_check_world(config, false, errors);
    if (errors != NULL)
        config_check_helper(config, errors);
    for (size_t i = 0; errors != NULL && i < config_errors_count(errors); i++)
        call_say(call, "%.*s", SPAN_PRINT(config_errors_at(errors, i)));
    bool right = errors != NULL && config_errors_count(errors) == 0;
    arena_free(&arena);
    return right;
}

/* A connection is a descriptor; the usual soft limit of 1024 is less than
 * `max-connections`, and the hard limit is what the administrator meant. */
static void
raise_descriptors(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

int
command_serve(const struct call *call)
{
    uint64_t    ready = 0;
    const char *text  = call_value(call, "ready-fd");
    if (text != NULL && (!span_to_u64(span_of(text), &ready) || ready > 1 << 20)) {
        call_say(call, "`--ready-fd` wants a file descriptor, not `%s`", text);
        return EXIT_CODE_USAGE;
    }
    struct config *config = load_config(call);
    if (config == NULL)
        return EXIT_CODE_CONFIG;
    if (!world_is_right(call, config)) {
        config_unpin(&config);
        return EXIT_CODE_CONFIG;
    }
    enum log_level level;
    if (log_level_named(config->log.level, &level))
        log_set_level(level);
    raise_descriptors();
    return serve_run(config, text != NULL ? (int)ready : -1);
}
