#include "gateway/ops/definitions.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const places[] = { "definitions/r4.pack", "../share/sluice/r4.pack" };

/* What is used stays mapped: every thread reads it until the process ends. */
struct span
definitions_map(const char *path)
{
    struct stat about;
    struct span bytes = { 0 };
    int         fd    = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return bytes;
    if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_size > 0) {
        void *at = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (at != MAP_FAILED)
            bytes = span_from(at, (size_t)about.st_size);
    }
    close(fd);
    return bytes;
}

void
definitions_unmap(struct span bytes)
{
    if (!span_empty(bytes))
        munmap((void *)(uintptr_t)bytes.at, bytes.length);
}

enum status
definitions_open(struct arena *arena, const struct pack **out, struct buf *why)
{
    char    program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);

    program[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(program, '/');
    if (slash != NULL)
        *slash = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct span path  = arena_format(arena, "%s/%s", program, places[i]);
        struct span bytes = path.at != NULL ? definitions_map(path.at) : (struct span){ 0 };
        if (span_empty(bytes))
            continue;
        enum status st = pack_open(bytes, arena, out);
        if (st != ST_OK)
            buf_add_format(why, "%.*s is not a definitions pack of this version; build it again",
                           SPAN_PRINT(path));
        return st;
    }
    buf_add_format(why, "the FHIR definitions are not there: looked for %s and %s beside %s", places[0],
                   places[1], program);
    return ST_NOT_FOUND;
}
