#include "gateway/http/census.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 1024u                      /* chains; a power of two */

struct client {
    struct client *next;
    uint64_t       key;
    uint32_t       count;
};

struct http_census {
    pthread_mutex_t lock;
    uint32_t        max_connections, max_per_client, count;
    struct client  *clients[SLOTS];
};

static uint64_t        key_of(const struct sockaddr *);
static struct client **find(struct http_census *, uint64_t key);
static enum census_answer count_in(struct http_census *, uint64_t key);

struct http_census *
http_census_new(uint32_t max_connections, uint32_t max_per_client)
{
    struct http_census *census = calloc(1, sizeof *census);

    if (census == NULL)
        return NULL;
    pthread_mutex_init(&census->lock, NULL);
    census->max_connections = max_connections;
    census->max_per_client  = max_per_client;
    return census;
}

void
http_census_free(struct http_census **census)
{
    if (*census == NULL)
        return;
    for (size_t i = 0; i < SLOTS; i++) {
        while ((*census)->clients[i] != NULL) {
            struct client *gone    = (*census)->clients[i];
            (*census)->clients[i] = gone->next;
            free(gone);
        }
    }
    pthread_mutex_destroy(&(*census)->lock);
    free(*census);
    *census = NULL;
}

enum census_answer
http_census_enter(struct http_census *census, const struct sockaddr *from)
{
    enum census_answer answer;

    pthread_mutex_lock(&census->lock);
    answer = count_in(census, key_of(from));
    pthread_mutex_unlock(&census->lock);
    return answer;
}

void
http_census_leave(struct http_census *census, const struct sockaddr *from)
{
    pthread_mutex_lock(&census->lock);
    struct client **at = find(census, key_of(from));
    census->count--;
    if (*at != NULL && --(*at)->count == 0) {
        struct client *gone = *at;
        *at                 = gone->next;
        free(gone);
    }
    pthread_mutex_unlock(&census->lock);
}

static enum census_answer
count_in(struct http_census *census, uint64_t key)
{
    uint64_t        most = census->max_per_client;
    struct client **at   = find(census, key);

    if (census->max_connections > 0 && census->count >= census->max_connections)
        return CENSUS_FULL;
    if (*at == NULL && (*at = calloc(1, sizeof **at)) == NULL)
        return CENSUS_FULL;
    (*at)->key = key;
    if (most > 0 && (*at)->count >= most * 2)
        return CENSUS_FULL;
    (*at)->count++;
    census->count++;
    return most > 0 && (*at)->count > most ? CENSUS_CROWDED : CENSUS_WELCOME;
}

/* An IPv6 customer has a /64 at least; counting single addresses of it would
 * count nothing. */
static uint64_t
key_of(const struct sockaddr *from)
{
    uint64_t key = 0;

    if (from->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)from;
        return ntohl(v4->sin_addr.s_addr);
    }
    if (from->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)from;
        if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
            uint32_t v4;
            memcpy(&v4, v6->sin6_addr.s6_addr + 12, sizeof v4);
            return ntohl(v4);
        }
        memcpy(&key, v6->sin6_addr.s6_addr, sizeof key);
        return key | UINT64_C(1) << 63 | UINT64_C(1);
    }
    return key;
}

/* Where the client hangs, or where it would. */
static struct client **
find(struct http_census *census, uint64_t key)
{
    struct client **at = &census->clients[(key * UINT64_C(0x9e3779b97f4a7c15)) >> 54 & (SLOTS - 1)];

    while (*at != NULL && (*at)->key != key)
        at = &(*at)->next;
    return at;
}
