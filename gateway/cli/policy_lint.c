/* gateway/cli/policy_lint.c -- policy lint: policy packs, read as the gateway would read them. */
#include "consent/state_pack.h"
#include "gateway/cli/findings.h"
#include "gateway/cli/load.h"
#include "gateway/cli/run.h"

enum { PACK_ARENA_BYTES = 256 << 20, MAX_FINDINGS = 1000 };

/* False when memory is spent or stdout is gone. */
static bool
lint_file(struct findings *f, const char *path)
{
    struct arena            *arena  = arena_new("policy pack", PACK_ARENA_BYTES);
    struct issues           *issues = arena != NULL ? issues_new(arena, MAX_FINDINGS) : NULL;
    const struct state_pack *pack   = NULL;
    struct buf               bytes;
    enum status              st = issues == NULL ? ST_NO_MEMORY : ST_OK;

    if (st == ST_OK && load_file(f->call, path, &bytes)) {
        st = state_pack_read(buf_span(&bytes), arena, issues, &pack);
        findings_file(f, path);
        findings_add(f, &(struct findings_input){ .valid = st == ST_OK, .issues = issues });
        buf_release(&bytes);
    } else if (st == ST_OK) {
        findings_file(f, path);
        findings_add(f, &(struct findings_input){ .unread = true, .issues = issues });
    }
    if (st == ST_NO_MEMORY)
        call_say(f->call, "%s: %s", path, status_text(st));
    arena_free(&arena);
    return st != ST_NO_MEMORY && !f->broken;
}

int
command_policy_lint(const struct call *call)
{
    struct findings f;

    if (!findings_open(&f, call))
        return EXIT_CODE_USAGE;
    for (int i = 0; i < call->argument_count && !f.broken; i++)
        f.broken = !lint_file(&f, call->arguments[i]);
    struct findings_count all = f.all;
    bool                  broken = f.broken;
    findings_close(&f);
    if (broken || f.broken)
        return EXIT_CODE_DEPENDENCY;
    return all.unread > 0 ? EXIT_CODE_USAGE : all.invalid > 0 ? EXIT_CODE_NEGATIVE : EXIT_CODE_OK;
}
