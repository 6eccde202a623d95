/* gateway/http/server over plain TCP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/support/wire.h"

static void
test_answers_a_request_and_keeps_the_connection(void **state)
{
    struct wire w;
    char        got[4096];

    (void)state;
    assert_true(wire_open(&w, NULL, &wire_limits, NULL));
    int fd = wire_connect(w.port);
    for (int i = 0; i < 3; i++) {
        assert_true(wire_send(fd, SPAN("POST /fhir/Patient?x=y HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")));
        assert_true(wire_answers(fd, got, sizeof got, 1));
        assert_non_null(strstr(got, "HTTP/1.1 200 OK\r\n"));
        assert_non_null(strstr(got, "POST /fhir/Patient ?x=y 5 "));
        assert_null(strstr(got, "NO-SLACK"));
    }
    close(fd);
    wire_close(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_a_request_and_keeps_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
