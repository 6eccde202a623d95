/* gateway/ops/control_socket.h -- naming a Unix socket whose path may be long.
 *
 * sockaddr_un has room for 107 bytes (unix(7)), a folder may have more: then
 * the folder is opened and the socket is named through /proc/self/fd.
 */
#ifndef SLUICE_GATEWAY_OPS_CONTROL_SOCKET_H
#define SLUICE_GATEWAY_OPS_CONTROL_SOCKET_H

#include <sys/un.h>

#include "base/span.h"

struct control_name {
    struct sockaddr_un address;
    int                folder;           /* open as long as the address is in use; -1: none */
};

/* A stream socket and the address for bind or connect; -1 with errno. The
 * name is to be released in any case. */
int  control_socket(struct span path, struct control_name *);
void control_name_release(struct control_name *);

#endif
