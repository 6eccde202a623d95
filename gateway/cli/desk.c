/* gateway/cli/desk.c -- what the commands that read the store have in common. */
#include "gateway/cli/desk.h"

#include <errno.h>
#include <unistd.h>

#include "fhir/datatypes.h"

enum { WHY_BYTES = 64 << 10, OUT_BYTES = 64 << 20 };

#define ARENA_BYTES ((size_t)2 << 30)

int
desk_code(enum status st)
{
    switch (st) {
    case ST_OK:        return EXIT_CODE_OK;
    case ST_INTEGRITY: return EXIT_CODE_INTEGRITY;
    case ST_NOT_FOUND: return EXIT_CODE_NEGATIVE;
    default:           return EXIT_CODE_DEPENDENCY;
    }
}

static int
store_of(struct desk *d)
{
    struct store_options options = { .path = arena_text(d->arena, d->config->store.path), .read_only = true };

    if (!span_eq_text(d->config->store.engine, "sqlite")) {
        buf_add_text(&d->why, "store: this version reads engine \"sqlite\" only");
        return EXIT_CODE_CONFIG;
    }
    if (options.path == NULL)
        return EXIT_CODE_DEPENDENCY;
    if (access(options.path, R_OK) != 0) {
        bool denied = errno == EACCES;
        buf_add_format(&d->why, "store %s: %s", options.path,
                       denied ? "may not be read by this user" : "is not there; the gateway makes it");
        return denied ? EXIT_CODE_PERMISSION : EXIT_CODE_DEPENDENCY;
    }
    return desk_code(store_open(&options, &d->store, &d->why));
}

int
desk_open(const struct call *call, struct desk *d)
{
    *d = (struct desk){ .arena = arena_new("command", ARENA_BYTES) };
    buf_init(&d->why, WHY_BYTES);
    buf_init(&d->out, OUT_BYTES);
    if (d->arena == NULL)
        return EXIT_CODE_DEPENDENCY;
    d->config = load_config(call);
    return d->config != NULL ? store_of(d) : EXIT_CODE_CONFIG;
}

int
desk_close(const struct call *call, struct desk *d, int code)
{
    if (!span_empty(buf_span(&d->why)))
        call_say(call, "%.*s", SPAN_PRINT(span_trim(buf_span(&d->why))));
    if (d->out.length > 0 && call_print_buf(call, &d->out) != EXIT_CODE_OK && code == EXIT_CODE_OK)
        code = EXIT_CODE_DEPENDENCY;
    store_close(&d->store);
    config_unpin(&d->config);
    buf_release(&d->why);
    buf_release(&d->out);
    arena_free(&d->arena);
    return code;
}

int
desk_key(struct desk *d, struct ledger_public *key)
{
    char *path = arena_text(d->arena, d->config->ledger.key);

    if (path == NULL)
        return EXIT_CODE_DEPENDENCY;
    if (ledger_public_read(path, key, &d->why) == ST_OK)
        return EXIT_CODE_OK;
    return errno == EACCES ? EXIT_CODE_PERMISSION : EXIT_CODE_CONFIG;
}

bool
desk_time(const struct call *call, const char *option, bool end, int64_t *at_ms)
{
    const char       *text = call_value(call, option);
    struct time_range range;

    if (text == NULL)
        return true;
    if (!time_range_read(span_of(text), &range)) {
        call_say(call, "--%s %s: not a date; write 2026-11-22 or 2026-11-22T15:00:00Z", option, text);
        return false;
    }
    *at_ms = end ? range.last_ms : range.first_ms;
    return true;
}

bool
desk_patient(const struct call *call, const char *text, struct arena *arena, struct span *out)
{
    struct span given = span_of(text);
    struct span id    = span_starts(given, SPAN("Patient/")) ? span_skip(given, 8) : given;
    bool        good  = id.length > 0 && id.length <= 64;

    *out = given;
    if (text == NULL || span_starts(given, SPAN("urn:")) || span_starts(given, SPAN("http")))
        return true;
    for (size_t i = 0; i < id.length; i++) {
        char c = id.at[i];
        good   = good && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.');
    }
    if (good)
        *out = arena_join(arena, SPAN("Patient/"), id);
    else
        call_say(call, "%s: want Patient/ID", text);
    return good;
}

/* C0 and DEL in one byte; C1 is C2 80 to C2 9F in UTF-8. */
void
desk_plain(struct buf *out, struct span text, size_t width)
{
    size_t shown = 0;

    for (size_t i = 0; i < text.length; i++) {
        unsigned char c    = (unsigned char)text.at[i];
        bool          c1   = c == 0xc2 && i + 1 < text.length && (unsigned char)text.at[i + 1] < 0xa0;
        bool          tail = (c & 0xc0) == 0x80;
        i += c1;
        buf_add_byte(out, c1 || c < 0x20 || c == 0x7f ? '?' : (char)c);
        shown += !tail;
    }
    for (; shown < width; shown++)
        buf_add_byte(out, ' ');
}

struct span
desk_member(const struct desk *d, const struct tape *t, tape_node node, const char *name)
{
    return tape_member_text(t, node, span_of(name), d->arena);
}

/* ---- writing ---------------------------------------------------------------------------- */

int
desk_store_open(const struct call *call, const struct config *config, struct arena *arena, struct desk_store *out)
{
    struct store_options options = { .path = arena_text(arena, config->store.path) };
    const char          *key     = arena_text(arena, config->ledger.key);
    struct buf           why;

    *out = (struct desk_store){ NULL, NULL };
    if (options.path == NULL || key == NULL)
        return EXIT_CODE_DEPENDENCY;
    if (access(options.path, W_OK) != 0 || access(key, R_OK) != 0) {
        bool denied = errno == EACCES;
        call_say(call, "no gateway runs, and %s %s", access(options.path, W_OK) != 0 ? options.path : key,
                 denied ? "may not be used by this user" : "is not there");
        return denied ? EXIT_CODE_PERMISSION : EXIT_CODE_DEPENDENCY;
    }
    buf_init(&why, WHY_BYTES);
    enum status st = ledger_signer_open(key, config->ledger.origin, &out->signer, &why);
    options.signer = out->signer;
    if (st == ST_OK)
        st = store_open(&options, &out->store, &why);
    if (st == ST_OK)
        st = store_start(out->store);
    if (st != ST_OK) {
        call_say(call, "%.*s", SPAN_PRINT(span_trim(buf_span(&why))));
        desk_store_close(out);
    }
    buf_release(&why);
    return st == ST_OK ? EXIT_CODE_OK : EXIT_CODE_DEPENDENCY;
}

void
desk_store_close(struct desk_store *d)
{
    store_close(&d->store);
    ledger_signer_free(&d->signer);
}
