/* tests/base/test_sha1.c -- SHA-1, by its published vectors. */
#include "tests/support/check.h"

#include <stdio.h>
#include <string.h>

#include "base/sha1.h"

static void
assert_sha1(struct span text, const char *wanted)
{
    uint8_t sum[SHA1_BYTES];
    char    hex[2 * SHA1_BYTES + 1];

    sha1(text, sum);
    for (size_t i = 0; i < SHA1_BYTES; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", sum[i]);
    assert_string_equal(hex, wanted);
}

/* RFC 3174, 7.3: TEST1, TEST2, TEST3, TEST4; and nothing at all. */
static void
test_gives_the_published_values(void **state)
{
    static char many[1000000], tens[640];

    (void)state;
    memset(many, 'a', sizeof many);
    for (size_t i = 0; i < sizeof tens; i++)
        tens[i] = (char)('0' + i % 8);
    assert_sha1(SPAN(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    assert_sha1((struct span){ NULL, 0 }, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    assert_sha1(SPAN("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_sha1(SPAN("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    assert_sha1(span_from(many, sizeof many), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    assert_sha1(span_from(tens, sizeof tens), "dea356a2cddd90c7a7ecedc5ebb563934f460452");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gives_the_published_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
