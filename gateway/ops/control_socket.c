/* gateway/ops/control_socket.c -- naming a Unix socket whose path may be long. */
#include "gateway/ops/control_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int
control_socket(struct span path, struct control_name *name)
{
    size_t slash  = span_find_last_byte(path, '/');
    size_t room   = sizeof name->address.sun_path;
    name->folder  = -1;
    memset(&name->address, 0, sizeof name->address);
    name->address.sun_family = AF_UNIX;
    int length = snprintf(name->address.sun_path, room, "%.*s", SPAN_PRINT(path));
    if (length >= (int)room && slash != SPAN_NOT_FOUND) {
        char dir[4096];
        snprintf(dir, sizeof dir, "%.*s", (int)slash, path.at);
        name->folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (name->folder < 0)
            return -1;
        length = snprintf(name->address.sun_path, room, "/proc/self/fd/%d/%.*s", name->folder,
                          SPAN_PRINT(span_skip(path, slash + 1)));
    }
    if (length >= (int)room) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

void
control_name_release(struct control_name *name)
{
    if (name->folder >= 0)
        close(name->folder);
    name->folder = -1;
}
