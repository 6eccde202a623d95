/* gateway/cli/package.c -- package add, ls, verify, rm. */
#include "gateway/ops/package.h"

#include "base/json_author.h"
#include "gateway/cli/load.h"
#include "gateway/cli/run.h"
#include "gateway/ops/definitions.h"

enum { ARENA_BYTES = 1 << 30, OUT_BYTES = 16 << 20 };

struct work {
    struct arena *arena;
    struct buf    why, out;
    const char   *dir;
};

/* Where packages are: --dir, or what the configuration names. */
static int
begin(const struct call *call, struct work *w)
{
    *w = (struct work){ .arena = arena_new("packages", ARENA_BYTES), .dir = call_value(call, "dir") };
    buf_init(&w->why, 8192);
    buf_init(&w->out, OUT_BYTES);
    if (w->arena == NULL)
        return EXIT_CODE_DEPENDENCY;
    if (w->dir != NULL)
        return EXIT_CODE_OK;
    if (!call_has(call, "config")) {
        call_say(call, "say where packages are: `--dir DIR` or `--config FILE`");
        return EXIT_CODE_USAGE;
    }
    struct config *config = load_config(call);
    if (config == NULL)
        return EXIT_CODE_CONFIG;
    if (span_empty(config->packages.dir))
        call_say(call, "the configuration names no folder: packages { dir = \"packages\" }");
    else
        w->dir = arena_text(w->arena, config->packages.dir);
    config_unpin(&config);
    return w->dir != NULL ? EXIT_CODE_OK : EXIT_CODE_CONFIG;
}

static int
end(const struct call *call, struct work *w, int code)
{
    if (!span_empty(buf_span(&w->why)))
        call_say(call, "%.*s", SPAN_PRINT(buf_span(&w->why)));
    if (code != EXIT_CODE_USAGE && w->out.length > 0 && call_print_buf(call, &w->out) != EXIT_CODE_OK)
        code = EXIT_CODE_DEPENDENCY;
    buf_release(&w->why);
    buf_release(&w->out);
    arena_free(&w->arena);
    return code;
}

static int
code_of(enum status st)
{
    switch (st) {
    case ST_OK:        return EXIT_CODE_OK;
    case ST_CONFLICT:
    case ST_INTEGRITY: return EXIT_CODE_INTEGRITY;
    case ST_MALFORMED:
    case ST_TOO_LARGE: return EXIT_CODE_NEGATIVE;
    case ST_NOT_FOUND: return EXIT_CODE_USAGE;
    default:           return EXIT_CODE_DEPENDENCY;
    }
}

static void
add_line(struct work *w, const struct package *p, const char *state)
{
    buf_add_format(&w->out, "%.*s#%.*s  %llu bytes  %.*s%s%s\n", SPAN_PRINT(p->name), SPAN_PRINT(p->version),
                   (unsigned long long)p->bytes, SPAN_PRINT(p->integrity), state[0] != '\0' ? "  " : "", state);
}

/* The built-in definitions, which packages are compiled on top of. */
static int
begin_change(const struct call *call, struct work *w, struct package_folder *folder)
{
    int code = begin(call, w);

    *folder = (struct package_folder){ .dir = w->dir };
    if (code == EXIT_CODE_OK && definitions_open(w->arena, &folder->base, &w->why) != ST_OK)
        code = EXIT_CODE_DEPENDENCY;
    return code;
}

int
command_package_add(const struct call *call)
{
    struct work           w;
    struct package_folder folder;
    const char           *pin    = call_value(call, "integrity");
    size_t                count  = (size_t)call->argument_count;
    int                   code   = begin_change(call, &w, &folder);
    struct package       *added  = w.arena != NULL ? arena_make_n(w.arena, count, struct package) : NULL;
    bool                 *known  = w.arena != NULL ? arena_make_n(w.arena, count, bool) : NULL;
    if (code == EXIT_CODE_OK && pin != NULL && count > 1) {
        call_say(call, "--integrity is of one package: add them one by one");
        code = EXIT_CODE_USAGE;
    }
    if (code == EXIT_CODE_OK && known != NULL)
        code = code_of(package_add(&folder, (const char *const *)call->arguments, count, span_of(pin), w.arena, added, known,
                                   &w.why));
    for (size_t i = 0; code == EXIT_CODE_OK && i < count; i++)
        add_line(&w, &added[i], known[i] ? "was there already" : "added");
    return end(call, &w, code);
}

static void
author_package(author_value list, const struct package *p, const char *state)
{
    author_value one = author_add_object(list, NULL);
    author_add_text(one, "name", p->name);
    author_add_text(one, "version", p->version);
    author_add_text(one, "integrity", p->integrity);
    author_add_integer(one, "bytes", (int64_t)p->bytes);
    author_add_cstr(one, "state", state);
}

/* ls and verify print the same list; verify has looked at the bytes. */
static int
print_list(const struct call *call, bool verify)
{
    struct work         w;
    struct package_list list = { NULL, 0 };
    struct author      *a    = author_new();
    author_value        root = author_add_array(author_object(a), "packages");
    int                 code = begin(call, &w);
    if (code == EXIT_CODE_OK)
        code = code_of(package_list(w.dir, w.arena, &list, &w.why));
    for (size_t i = 0; i < list.count; i++) {
        enum status st    = verify ? package_verify(w.dir, &list.all[i], &w.why) : ST_OK;
        const char *state = !verify ? NULL : st == ST_OK ? "ok" : "differs";
        if (st != ST_OK)
            code = code_of(st);
        if (call_has(call, "json"))
            author_package(root, &list.all[i], state);
        else
            add_line(&w, &list.all[i], state != NULL ? state : "");
    }
    if (call_has(call, "json") && code != EXIT_CODE_USAGE && code != EXIT_CODE_CONFIG) {
        if (author_print(a, &w.out, AUTHOR_PRETTY) != ST_OK)
            code = EXIT_CODE_DEPENDENCY;
        buf_add_byte(&w.out, '\n');
    }
    author_free(&a);
    return end(call, &w, code);
}

int
command_package_ls(const struct call *call)
{
    return print_list(call, false);
}

int
command_package_verify(const struct call *call)
{
    return print_list(call, true);
}

int
command_package_rm(const struct call *call)
{
    struct work           w;
    struct package_folder folder;
    int                   code = begin_change(call, &w, &folder);
    if (code == EXIT_CODE_OK)
        code = code_of(package_remove(&folder, span_of(call->arguments[0]), w.arena, &w.why));
    return end(call, &w, code);
}
