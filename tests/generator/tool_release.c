/* tests/generator/tool_release.c -- what leaves, for generate.py and channels.py: one process for many Bundles.
 *
 * Reads cases from stdin, writes answers to stdout, until the end:
 *     REQUEST BODY\n followed by REQUEST bytes of a request file and BODY bytes of a document
 *     OUTCOME OBLIGATIONS LENGTH\n followed by LENGTH bytes, what leaves
 *     refused WHAT 0\n when one of the two cannot be read
 * The same calls as `sluice redact` makes.  Documents are read by the helper that SLUICE_INSPECT
 * names, without it in here.
 */
#include <stdlib.h>

#include "tests/support/check.h"

#include "consent/release.h"
#include "gateway/inspect/inspector.h"

static struct inspector *inspector;      /* NULL: none is named */

static enum status
release(const struct bundle *bundle, const struct references *references, const struct facts *said,
        struct arena *arena, const struct release **out)
{
    struct inspected_table       table    = { .max_bytes = (size_t)64 << 20 };
    const struct inspected_asker asker    = { inspector_answer, inspector };
    struct facts                *facts    = arena_make(arena, struct facts);
    const struct labeling       *labeling = NULL;
    enum status                  st       = facts != NULL ? ST_OK : ST_NO_MEMORY;

    if (st != ST_OK)
        return st;
    *facts = *said;
    if (inspector != NULL) {
        facts->inspected = &table;
        st = label_inspected(bundle, references, facts, &asker, arena, &labeling);
    }
    if (st == ST_OK)
        st = release_make(bundle, references, labeling, facts, arena, out);
    facts->inspected = NULL;
    inspected_release(&table);
    return st;
}

static const char *
answer(struct arena *arena, struct span request, struct span body, const struct release **out)
{
    const struct tape       *tape;
    const struct bundle     *bundle;
    const struct references *references;
    const struct facts      *facts;
    struct issues           *issues = issues_new(arena, 8);

    if (facts_read(request, arena, issues, &facts) != ST_OK)
        return "request";
    if (tape_read(body, &tape_default_limits, arena, &tape, NULL) != ST_OK)
        return "json";
    if (bundle_read(tape, arena, issues, &bundle) != ST_OK || references_read(bundle, arena, &references) != ST_OK)
        return "bundle";
    if (release(bundle, references, facts, arena, out) != ST_OK)
        return "release";
    return NULL;
}

static char *
take(size_t length)
{
    char *bytes = malloc(length + 1);

    if (bytes == NULL || fread(bytes, 1, length, stdin) != length)
        exit(1);
    return bytes;
}

int
main(void)
{
    char          line[64];
    struct arena *arena = arena_new("tool", (size_t)256 << 20);
    const char   *named = getenv("SLUICE_INSPECT");

    if (named != NULL)
        inspector = inspector_new(&(struct inspector_options){ .program = named, .memory_bytes = INSPECTOR_MEMORY_BYTES,
                                                               .cpu_seconds = INSPECTOR_CPU_SECONDS });

    while (fgets(line, sizeof line, stdin) != NULL) {
        struct arena_mark     mark    = arena_mark(arena);
        const struct release *made    = NULL;
        struct span           second  = span_trim(span_of(line));
        struct span           first   = span_split(&second, ' ');
        uint64_t              request_length, body_length;
        if (!span_to_u64(first, &request_length) || !span_to_u64(second, &body_length))
            return 1;
        char       *request = take(request_length), *body = take(body_length);
        const char *refused = answer(arena, span_from(request, request_length), span_from(body, body_length), &made);
        if (refused != NULL)
            printf("refused %s 0\n", refused);
        else {
            printf("%s %u %zu\n", release_outcome_text(made->outcome), made->obligations, made->payload.length);
            if (made->payload.length > 0)
                fwrite(made->payload.at, 1, made->payload.length, stdout);
        }
        fflush(stdout);
        free(request);
        free(body);
        arena_reset(arena, mark);
    }
    inspector_free(&inspector);
    arena_free(&arena);
    return 0;
}
