/* gateway/ops/account.c -- accounts and groups of this machine, by name or number. */
#include "gateway/ops/account.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>

enum { NAME_BYTES = 256, ENTRY_BYTES = 16384 };

/* The name with a NUL; false when it is a number, which `out` has then, or too long. */
static bool
is_name(struct span text, char name[NAME_BYTES], uint64_t *number, bool *known)
{
    *known = span_to_u64(text, number) && *number < UINT32_MAX;
    if (*known || span_empty(text) || text.length >= NAME_BYTES)
        return false;
    memcpy(name, text.at, text.length);
    name[text.length] = '\0';
    return true;
}

bool
account_uid(struct span text, uid_t *out)
{
    char           name[NAME_BYTES], room[ENTRY_BYTES];
    struct passwd  entry, *found = NULL;
    uint64_t       number = 0;
    bool           known;

    if (!is_name(text, name, &number, &known)) {
        *out = (uid_t)number;
        return known;
    }
    if (getpwnam_r(name, &entry, room, sizeof room, &found) != 0 || found == NULL)
        return false;
    *out = entry.pw_uid;
    return true;
}

bool
account_group(struct span text, gid_t *out)
{
    char          name[NAME_BYTES], room[ENTRY_BYTES];
    struct group  entry, *found = NULL;
    uint64_t      number = 0;
    bool          known;

    if (!is_name(text, name, &number, &known)) {
        *out = (gid_t)number;
        return known;
    }
    if (getgrnam_r(name, &entry, room, sizeof room, &found) != 0 || found == NULL)
        return false;
    *out = entry.gr_gid;
    return true;
}

struct span
account_name(uid_t uid, struct arena *arena)
{
    struct passwd  row, *found = NULL;
    char           room[4096];

    if (getpwuid_r(uid, &row, room, sizeof room, &found) == 0 && found != NULL)
        return arena_copy(arena, span_of(found->pw_name));
    return arena_format(arena, "uid %u", (unsigned)uid);
}
