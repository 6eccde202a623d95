/* gateway/http/deny: where a name out of data may not lead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "gateway/http/deny.h"

static const struct { const char *address; bool denied; } cases[] = {
    { "0.0.0.0", true },           { "0.1.2.3", true },          { "10.0.0.1", true },
    { "100.64.0.1", true },        { "100.127.255.255", true },  { "100.128.0.0", false },
    { "127.0.0.1", true },         { "127.255.255.254", true },  { "128.0.0.1", false },
    { "169.254.169.254", true },   { "172.15.255.255", false },  { "172.16.0.1", true },
    { "172.31.255.255", true },    { "172.32.0.0", false },      { "192.0.0.9", true },
    { "192.0.2.1", true },         { "192.168.1.1", true },      { "192.169.0.1", false },
    { "198.18.0.1", true },        { "198.19.255.255", true },   { "198.20.0.0", false },
    { "198.51.100.7", true },      { "203.0.113.7", true },      { "223.255.255.255", false },
    { "224.0.0.1", true },         { "240.0.0.1", true },        { "255.255.255.255", true },
    { "8.8.8.8", false },          { "1.1.1.1", false },
    { "::", true },                { "::1", true },              { "::127.0.0.1", true },
    { "::ffff:127.0.0.1", true },  { "::ffff:10.1.2.3", true },  { "::ffff:8.8.8.8", false },
    { "64:ff9b::7f00:1", true },   { "64:ff9b::808:808", false }, { "2002:7f00:1::", true },
    { "2002:0a00:1::1", true },    { "2002:808:808::1", false }, { "2001:0:1::1", true },
    { "2001:db8::1", true },       { "2001:4860:4860::8888", false }, { "2606:4700::1111", false },
    { "3fff::1", true },           { "fc00::1", true },          { "fd12::1", true },
    { "fe80::1", true },           { "fec0::1", true },          { "ff02::1", true },
    { "100::1", true },
};

static void
test_denies_what_is_not_public_unicast(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sockaddr_in  four = { .sin_family = AF_INET };
        struct sockaddr_in6 six  = { .sin6_family = AF_INET6 };
        bool denied;
        if (inet_pton(AF_INET, cases[i].address, &four.sin_addr) == 1) {
            denied = address_denied((const struct sockaddr *)&four);
        } else {
            assert_int_equal(inet_pton(AF_INET6, cases[i].address, &six.sin6_addr), 1);
            denied = address_denied((const struct sockaddr *)&six);
        }
        if (denied != cases[i].denied)
            fail_msg("%s is %s", cases[i].address, denied ? "denied" : "let pass");
    }
}

static void
test_denies_other_families(void **state)
{
    const struct sockaddr_un unix_socket = { .sun_family = AF_UNIX };

    (void)state;
    assert_true(address_denied((const struct sockaddr *)&unix_socket));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_denies_what_is_not_public_unicast),
        cmocka_unit_test(test_denies_other_families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
