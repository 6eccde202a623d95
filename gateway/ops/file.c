/* gateway/ops/file.c -- a whole file as bytes, bounded. */
#include "gateway/ops/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status read_all(int fd, struct buf *);

enum status
file_read(const char *path, struct buf *out)
{
    if (strcmp(path, "-") == 0)
        return read_all(STDIN_FILENO, out);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? ST_NOT_FOUND : ST_IO;
    enum status st    = read_all(fd, out);
    int         saved = errno;
    close(fd);
    errno = saved;
    return st;
}

/* A file's size is known beforehand: one block for it, and no growing. */
static size_t
likely_size(int fd)
{
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size <= 0)
        return 64 << 10;
    return (size_t)info.st_size + 1;
}

static enum status
read_all(int fd, struct buf *out)
{
    size_t chunk = likely_size(fd);
    for (;;) {
        size_t room = out->max - out->length;
        /* One byte more than may be kept: that is how "too large" is seen. */
        if (room == 0) {
            char    extra;
            ssize_t more = read(fd, &extra, 1);
            return more == 0 ? ST_OK : more > 0 ? ST_TOO_LARGE : ST_IO;
        }
        size_t want = chunk < room ? chunk : room;
        char  *to   = buf_reserve(out, want);
        if (to == NULL)
            return out->status;
        ssize_t got = read(fd, to, want);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ST_IO;
        if (got == 0)
            return ST_OK;
        buf_commit(out, (size_t)got);
    }
}

const char *
file_why(enum status st)
{
    return st == ST_IO || st == ST_NOT_FOUND ? strerror(errno) : status_text(st);
}

bool
file_write_fd(int fd, struct span bytes)
{
    while (bytes.length > 0) {
        ssize_t put = write(fd, bytes.at, bytes.length);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        bytes = span_skip(bytes, (size_t)put);
    }
    return true;
}
