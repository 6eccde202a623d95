/* tests/differential/tool_fhirpath.c -- our FHIRPath for the comparison with another.
 *
 *     tool_fhirpath PACK RESOURCE <expressions >answers
 *
 * An expression a line; an answer a line: "!" and why it failed, or its items
 * with tabs between them, each a type and a text ("integer=3"), "object" for
 * what has children.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fhir/fhirpath.h"

static struct span
whole_file(struct arena *arena, const char *path)
{
    FILE *f = fopen(path, "rb");

    if (f == NULL) {
        fprintf(stderr, "tool_fhirpath: cannot read %s\n", path);
        exit(2);
    }
    fseek(f, 0, SEEK_END);
    long length = ftell(f);
    rewind(f);
    char  *at   = arena_alloc(arena, (size_t)length + 1);
    size_t read = at != NULL ? fread(at, 1, (size_t)length, f) : 0;
    fclose(f);
    return span_from(at, read);
}

static void
print_escaped(struct span text)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = text.at[i];
        if (c == '\\' || c == '\t' || c == '\n')
            printf("\\%c", c == '\\' ? '\\' : c == '\t' ? 't' : 'n');
        else
            putchar(c);
    }
}

static void
print_item(const struct fhirpath_context *c, const struct fhirpath_item *item, struct arena *arena)
{
    if (item->kind == FHIRPATH_NODE && item->primitive == PRIMITIVE_NONE) {
        printf("object");
        return;
    }
    print_escaped(fhirpath_type(c, item, arena));
    putchar('=');
    print_escaped(fhirpath_text(c, item, arena));
}

static void
answer(const struct fhirpath_context *c, struct span expression, struct arena *arena)
{
    struct fhirpath_error  error = { 0, "" };
    struct fhirpath_result result;
    struct span            program;

    if (fhirpath_compile(expression, arena, &program, &error) != ST_OK) {
        printf("!%s\n", error.why);
        return;
    }
    if (fhirpath_run(program, c, arena, &result) != ST_OK) {
        printf("!%s\n", fhirpath_failure_text(result.failure.why));
        return;
    }
    for (uint32_t i = 0; i < result.count; i++) {
        if (i > 0)
            putchar('\t');
        print_item(c, &result.items[i], arena);
    }
    putchar('\n');
}

int
main(int argc, char **argv)
{
    struct arena      *arena = arena_new("tool", (size_t)512 << 20);
    const struct pack *pack;
    const struct tape *tape;
    static char        line[65536];

    if (argc != 3 || arena == NULL
        || pack_open(whole_file(arena, argv[1]), arena, &pack) != ST_OK
        || tape_read(whole_file(arena, argv[2]), &tape_default_limits, arena, &tape, NULL) != ST_OK) {
        fprintf(stderr, "usage: tool_fhirpath PACK RESOURCE <expressions\n");
        return 2;
    }
    struct fhirpath_context c = { .pack = pack, .tape = tape, .focus = fhirpath_resource(pack, tape, TAPE_ROOT),
                                  .resource = TAPE_ROOT, .root_resource = TAPE_ROOT };
    while (fgets(line, sizeof line, stdin) != NULL) {
        struct arena_mark before = arena_mark(arena);
        answer(&c, span_from(line, strcspn(line, "\n")), arena);
        arena_reset(arena, before);
    }
    arena_free(&arena);
    return 0;
}
