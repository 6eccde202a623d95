/* gateway/cli/serve.c -- serve: runs the gateway. */
#include "gateway/serve.h"

#include "base/span.h"
#include "gateway/cli/load.h"
#include "gateway/cli/run.h"

enum { ERROR_BYTES = 16 << 20 };

/* What `config check` would say, before anything starts. */
static bool
world_is_right(const struct call *call, const struct config *config)
{
    struct arena         *arena  = arena_new("configuration errors", ERROR_BYTES);
    struct config_errors *errors = arena != NULL ? config_errors_new(arena) : NULL;
    bool                  right  = false;

    if (errors != NULL) {
        config_check_world(config, false, errors);
        for (size_t i = 0; i < config_errors_count(errors); i++)
            call_say(call, "%.*s", SPAN_PRINT(config_errors_at(errors, i)));
        right = config_errors_count(errors) == 0;
    }
    arena_free(&arena);
    return right;
}

int
command_serve(const struct call *call)
{
    struct span    text     = span_of(call_value(call, "ready-fd"));
    uint64_t       ready_fd = 0;
    struct config *config;

    if (text.at != NULL && (!span_to_u64(text, &ready_fd) || ready_fd > 65535)) {
        call_say(call, "--ready-fd wants the number of an open file descriptor");
        return EXIT_CODE_USAGE;
    }
    config = load_config(call);
    if (config == NULL)
        return EXIT_CODE_CONFIG;
    if (!world_is_right(call, config)) {
        config_unpin(&config);
        return EXIT_CODE_CONFIG;
    }
    return serve_run(config, text.at != NULL ? (int)ready_fd : -1);
}
