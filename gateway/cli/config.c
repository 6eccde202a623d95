/* gateway/cli/config.c -- config check, show, sample, reference. */
#include "base/json_author.h"
#include "gateway/cli/load.h"
#include "gateway/cli/run.h"
#include "gateway/ops/control.h"
#include "gateway/ops/definitions.h"
#include "gateway/ops/site_pack.h"

enum { PAGE_BYTES = 16 << 20, ARENA_BYTES = 16 << 20, PACK_ARENA_BYTES = 1 << 30 };

/* ---- errors ------------------------------------------------------------------- */

static int
say_errors(const struct call *call, const struct config_errors *errors)
{
    for (size_t i = 0; i < config_errors_count(errors); i++)
        call_say(call, "%.*s", SPAN_PRINT(config_errors_at(errors, i)));
    return EXIT_CODE_CONFIG;
}

struct config *
load_config(const struct call *call)
{
    return load_config_at(call, call_value(call, "config"));
}

struct config *
load_config_at(const struct call *call, const char *path)
{
    struct arena         *arena  = arena_new("configuration errors", ARENA_BYTES);
    struct config_errors *errors = arena != NULL ? config_errors_new(arena) : NULL;
    struct config        *config = errors != NULL ? config_load(path, errors) : NULL;
    if (config == NULL && errors != NULL)
        say_errors(call, errors);
    arena_free(&arena);
    return config;
}

/* ---- check ----------------------------------------------------------------------- */

/* Whether the gateway of this configuration is up: its ports are then its own. */
static bool
gateway_runs(const struct config *config)
{
    struct buf answer, why;
    buf_init(&answer, 1 << 20);
    buf_init(&why, 4096);
    bool runs = control_ask(config->admin.socket, "status", &answer, &why) == ST_OK;
    buf_release(&answer);
    buf_release(&why);
    return runs;
}

static void
check_definitions(struct config *config, struct config_errors *errors)
{
    struct arena      *arena = arena_new("definitions", PACK_ARENA_BYTES);
    const struct pack *pack  = NULL;
    struct buf         why;
    buf_init(&why, 4096);
    bool built;
    if (arena == NULL || definitions_open(arena, &pack, &why) != ST_OK)
        config_error(errors, "%.*s", SPAN_PRINT(buf_span(&why)));
    else if (config != NULL)
        site_pack_configure(config, pack, NULL, arena, &built, errors);
    if (config != NULL)
        config->pack = NULL;             /* it goes with the arena */
    buf_release(&why);
    arena_free(&arena);
}

static int
print_check(const struct call *call, const struct config_errors *errors)
{
    struct buf     out;
    struct author *a    = author_new();
    author_value   root = author_object(a);
    buf_init(&out, PAGE_BYTES);
    author_add_bool(root, "valid", config_errors_count(errors) == 0);
    author_value list = author_add_array(root, "errors");
    for (size_t i = 0; i < config_errors_count(errors); i++)
        author_add_text(list, NULL, config_errors_at(errors, i));
    enum status st = author_print(a, &out, AUTHOR_COMPACT);
    buf_add_byte(&out, '\n');
    int code = st == ST_OK ? call_print_buf(call, &out) : EXIT_CODE_DEPENDENCY;
    author_free(&a);
    buf_release(&out);
    return code;
}

int
command_config_check(const struct call *call)
{
    const char           *path   = call_value(call, "config");
    struct arena         *arena  = arena_new("configuration errors", ARENA_BYTES);
    struct config_errors *errors = arena != NULL ? config_errors_new(arena) : NULL;
    if (errors == NULL)
        return EXIT_CODE_DEPENDENCY;
    struct config *config = config_load(path, errors);
    if (config != NULL)
        config_check_world(config, gateway_runs(config), errors);
    if (config != NULL)
        config_check_helper(config, errors);
    check_definitions(config, errors);
    bool good = config_errors_count(errors) == 0;
    int  code = good ? EXIT_CODE_OK : EXIT_CODE_CONFIG;
    if (call_has(call, "json"))
        code = print_check(call, errors) == EXIT_CODE_OK ? code : EXIT_CODE_DEPENDENCY;
    else if (good)
        call_say(call, "%s is fine", path);
    else
        say_errors(call, errors);
    config_unpin(&config);
    arena_free(&arena);
    return code;
}

/* ---- print ------------------------------------------------------------------------- */

static int
print_page(const struct call *call, enum status st, struct buf *page)
{
    int code = st == ST_OK ? call_print_buf(call, page) : EXIT_CODE_DEPENDENCY;
    buf_release(page);
    return code;
}

int
command_config_show(const struct call *call)
{
    struct config *config = load_config(call);
    struct buf     page;
    if (config == NULL)
        return EXIT_CODE_CONFIG;
    buf_init(&page, PAGE_BYTES);
    enum status st = call_has(call, "json") ? config_print_json(config, &page) : config_print(config, &page);
    int code = print_page(call, st, &page);
    config_unpin(&config);
    return code;
}

int
command_config_sample(const struct call *call)
{
    struct buf page;
    buf_init(&page, PAGE_BYTES);
    return print_page(call, config_print_sample(&page), &page);
}

int
command_config_reference(const struct call *call)
{
    struct buf page;
    buf_init(&page, PAGE_BYTES);
    return print_page(call, config_print_reference(&page), &page);
}
