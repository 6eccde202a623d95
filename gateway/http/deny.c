#include "gateway/http/deny.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct net4 { uint32_t prefix; int bits; };
struct net6 { uint8_t prefix[16]; int bits; };

/* RFC 6890 2.2.2 and later entries of the IPv4 registry. */
static const struct net4 denied4[] = {
    { 0x00000000, 8 },                   /* 0.0.0.0/8       this network  */
    { 0x0a000000, 8 },                   /* 10.0.0.0/8      private       */
    { 0x64400000, 10 },                  /* 100.64.0.0/10   shared        */
    { 0x7f000000, 8 },                   /* 127.0.0.0/8     loopback      */
    { 0xa9fe0000, 16 },                  /* 169.254.0.0/16  link-local    */
    { 0xac100000, 12 },                  /* 172.16.0.0/12   private       */
    { 0xc0000000, 24 },                  /* 192.0.0.0/24    protocol      */
    { 0xc0000200, 24 },                  /* 192.0.2.0/24    documentation */
    { 0xc0586300, 24 },                  /* 192.88.99.0/24  6to4 relay    */
    { 0xc0a80000, 16 },                  /* 192.168.0.0/16  private       */
    { 0xc6120000, 15 },                  /* 198.18.0.0/15   benchmarking  */
    { 0xc6336400, 24 },                  /* 198.51.100.0/24 documentation */
    { 0xcb007100, 24 },                  /* 203.0.113.0/24  documentation */
    { 0xe0000000, 3 },                   /* 224.0.0.0/3     multicast, reserved, broadcast */
};

/* Only 2000::/3 is public unicast; these are the exceptions in it. */
static const struct net6 denied6[] = {
    { { 0x20, 0x01, 0x00 }, 23 },        /* 2001::/23       protocol, Teredo, ORCHID */
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32 },  /* 2001:db8::/32   documentation */
    { { 0x3f, 0xff, 0x00 }, 20 },        /* 3fff::/20       documentation */
};

static bool denied_v4(uint32_t);
static bool denied_v6(const uint8_t *);

bool
address_denied(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)address;
        return denied_v4(ntohl(v4->sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)address;
        return denied_v6(v6->sin6_addr.s6_addr);
    }
    return true;
}

static bool
denied_v4(uint32_t address)
{
    for (size_t i = 0; i < sizeof denied4 / sizeof denied4[0]; i++)
        if ((address ^ denied4[i].prefix) >> (32 - denied4[i].bits) == 0)
            return true;
    return false;
}

static uint32_t
embedded_v4(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool
in_net(const uint8_t *address, const uint8_t *prefix, int bits)
{
    int whole = bits / 8, rest = bits % 8;

    if (memcmp(address, prefix, (size_t)whole) != 0)
        return false;
    return rest == 0 || ((address[whole] ^ prefix[whole]) >> (8 - rest)) == 0;
}

static bool
denied_v6(const uint8_t *address)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
    static const uint8_t nat64[12]  = { 0x00, 0x64, 0xff, 0x9b };
    static const uint8_t six_to_four[2] = { 0x20, 0x02 };

    if (memcmp(address, mapped, sizeof mapped) == 0 || memcmp(address, nat64, sizeof nat64) == 0)
        return denied_v4(embedded_v4(address + 12));
    if (memcmp(address, six_to_four, sizeof six_to_four) == 0)
        return denied_v4(embedded_v4(address + 2));
    if ((address[0] & 0xe0) != 0x20)     /* ::, ::1, fc00::/7, fe80::/10, ff00::/8 and all that is not assigned */
        return true;
    for (size_t i = 0; i < sizeof denied6 / sizeof denied6[0]; i++)
        if (in_net(address, denied6[i].prefix, denied6[i].bits))
            return true;
    return false;
}
