/* gateway/cli/inputs.c -- files and what is in folders. */
#include "gateway/cli/inputs.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool
take(struct inputs *in, struct arena *arena, const char *path)
{
    if (in->count == in->room) {
        size_t       room  = in->room > 0 ? in->room * 2 : 64;
        const char **paths = arena_grow(arena, in->paths, in->room * sizeof *paths, room * sizeof *paths);
        if (paths == NULL)
            return false;
        in->paths = paths;
        in->room  = room;
    }
    in->paths[in->count] = arena_format(arena, "%s", path).at;
    return in->count < INPUTS_MOST && in->paths[in->count++] != NULL;
}

static int
by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool
is_resource_file(const FTSENT *entry)
{
    struct span name = span_of(entry->fts_name);

    return entry->fts_info == FTS_F && (span_ends(name, SPAN(".json")) || span_ends(name, SPAN(".ndjson")))
        && !span_eq_text(name, "package.json");
}

static bool
take_folder(const struct call *call, struct inputs *in, struct arena *arena, const char *path)
{
    char  *folder  = strdup(path);       /* fts_open wants what it might change */
    char  *roots[] = { folder, NULL };
    FTS   *tree    = folder != NULL ? fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name) : NULL;
    size_t before  = in->count;
    bool   good    = tree != NULL;

    for (FTSENT *entry = NULL; good && (entry = fts_read(tree)) != NULL;) {
        bool hidden = entry->fts_level > 0 && entry->fts_name[0] == '.';
        if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR)
            call_say(call, "%s: %s", entry->fts_path, strerror(entry->fts_errno));
        if (hidden && entry->fts_info == FTS_D)
            fts_set(tree, entry, FTS_SKIP);
        else if (!hidden && is_resource_file(entry))
            good = take(in, arena, entry->fts_path);
    }
    if (tree != NULL)
        fts_close(tree);
    free(folder);
    if (good && in->count == before) {
        call_say(call, "%s: no .json or .ndjson file is in this folder", path);
        in->empty++;
    }
    return good;
}

bool
inputs_list(const struct call *call, struct arena *arena, struct inputs *out)
{
    struct stat about;
    bool        good = true;

    *out = (struct inputs){ .count = 0 };
    for (int i = 0; good && i < call->argument_count; i++) {
        const char *path = call->arguments[i];
        bool folder = strcmp(path, "-") != 0 && stat(path, &about) == 0 && S_ISDIR(about.st_mode);
        good        = folder ? take_folder(call, out, arena, path) : take(out, arena, path);
    }
    if (!good)
        call_say(call, "these are too many files for one call");
    return good;
}
