/* tests/gateway/test_config_world.c -- what only the outside can say of a configuration. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/ops/config.h"

static char                  folder[] = "/tmp/sluice-world-XXXXXX";
static struct arena         *arena;
static struct config_errors *errors;

static void shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void
shell(const char *format, ...)
{
    char    line[2048], whole[2300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    snprintf(whole, sizeof whole, "cd %s && { %s; } 2>/dev/null", folder, line);
    assert_int_equal(system(whole), 0);
}

/* One set of good files, made once. */
static int
make_files(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10 -subj /CN=a -keyout a.key -out a.pem");
    shell("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out other.key");
    shell("openssl genpkey -algorithm ed25519 -out ledger.key");
    shell("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -pass pass:x -out locked.key");
    shell("openssl ec -in a.key -out sec1.key");
    shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=old -keyout old.key -out old.pem "
          "-not_before 20200101000000Z -not_after 20200102000000Z || "
          "{ openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=old -keyout old.key -out old.csr && "
          "openssl x509 -req -in old.csr -signkey old.key -days -1 -out old.pem; }");
    shell("printf 'not pem' >junk.pem; printf 'not a database, sixteen bytes and more' >junk.db; : >empty.db; mkdir packages; mkdir -m 500 closed");
    return 0;
}

static int
fresh(void **state)
{
    (void)state;
    arena  = arena_new("test", 8 << 20);
    errors = config_errors_new(arena);
    return 0;
}

static int
done(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

/* A good configuration, but for what stands behind it. */
static struct config *
load(const char *listen, const char *rest)
{
    char path[256];
    snprintf(path, sizeof path, "%s/sluice.conf", folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "listen { %s port = 0 client-ca = \"a.pem\" }\nadmin { port = 0 }\n%s\n", listen, rest);
    fclose(f);
    struct config *c = config_load(path, errors);
    for (size_t i = 0; i < config_errors_count(errors); i++)
        print_message("    %.*s\n", SPAN_PRINT(config_errors_at(errors, i)));
    assert_non_null(c);
    return c;
}

#define PAIR "certificate = \"a.pem\" key = \"a.key\""
#define KEY  "ledger { key = \"ledger.key\" }"

static void
test_says_nothing_of_a_good_one(void **state)
{
    (void)state;
    struct config *c = load(PAIR, KEY "packages { dir = \"packages\" }\nstore { path = \"empty.db\" }\n"
                                      "recipient \"r\" { url = \"https://a/f\" ca = \"a.pem\" certificate = \"a.pem\" key = \"a.key\" }");
    config_check_world(c, false, errors);
    assert_int_equal(config_errors_count(errors), 0);
    config_unpin(&c);
}

static const struct { const char *says, *listen, *rest, *words; } cases[] = {
    { "a certificate that is not there", "certificate = \"no.pem\" key = \"a.key\"", KEY, "listen: `certificate` " },
    { "a file without a certificate", "certificate = \"junk.pem\" key = \"a.key\"", KEY, "holds no certificate in PEM form" },
    { "an expired certificate", "certificate = \"old.pem\" key = \"old.key\"", KEY, "the certificate has expired" },
    { "a key of another certificate", "certificate = \"a.pem\" key = \"other.key\"", KEY, "is not the key of `certificate`" },
    { "a key that wants a passphrase", "certificate = \"a.pem\" key = \"locked.key\"", KEY, "opens without a passphrase" },
    { "a ledger key that is not there", PAIR, "ledger { key = \"no.key\" }", "ledger: `key` " },
    { "a ledger key of another kind", PAIR, "ledger { key = \"other.key\" }", "is not an Ed25519 private key in PKCS#8 PEM form" },
    { "a ledger key of another form", PAIR, "ledger { key = \"sec1.key\" }", "is not an Ed25519 private key in PKCS#8 PEM form" },
    { "a store in a folder that is not there", PAIR, KEY "\nstore { path = \"no/such/folder/x.db\" }", "store: the folder of `path`" },
    { "a store that is no database", PAIR, KEY "\nstore { path = \"junk.db\" }", "is not an SQLite database" },
    { "a packages folder that is not there", PAIR, KEY "\npackages { dir = \"absent\" }", "packages: `dir` " },
    { "a recipient's CA that is not there", PAIR, KEY "\nrecipient \"r\" { url = \"https://a/f\" ca = \"no.pem\" }", "recipient \"r\": `ca` " },
    { "a client's keys that are not there", PAIR, KEY "\nclient \"c\" { jwks = \"no.jwks\" }", "client \"c\": `jwks` " },
    { "an address that is none", PAIR " address = \"not-an-address\"", KEY, "`address` not-an-address is not an IP address" },
    { "an address of another machine", PAIR " address = \"192.0.2.1\"", KEY, "listen: 192.0.2.1 port 0: " },
};

static void
test_names_what_is_wrong_outside(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        print_message("    %s\n", cases[i].says);
        struct config *c = load(cases[i].listen, cases[i].rest);
        config_check_world(c, false, errors);
        assert_true(config_errors_count(errors) >= 1);
        struct span said = config_errors_at(errors, 0);
        if (span_find(said, span_of(cases[i].words)) == SPAN_NOT_FOUND)
            print_message("      said: %.*s\n", SPAN_PRINT(said));
        assert_int_not_equal(span_find(said, span_of(cases[i].words)), SPAN_NOT_FOUND);
        config_unpin(&c);
        done(NULL);
        fresh(NULL);
    }
}

static void
test_a_port_in_use_is_an_error_unless_the_gateway_itself_runs(void **state)
{
    (void)state;
    char               admin[256];
    struct sockaddr_in at     = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t          length = sizeof at;
    int                fd     = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &length), 0);
    snprintf(admin, sizeof admin, KEY "\nstore { path = \"%s/x.db\" }\n", folder);
    struct config *c  = load(PAIR, admin);
    c->admin.port     = ntohs(at.sin_port);
    config_check_world(c, true, errors);
    assert_int_equal(config_errors_count(errors), 0);
    config_check_world(c, false, errors);
    assert_int_equal(config_errors_count(errors), 1);
    assert_int_not_equal(span_find(config_errors_at(errors, 0), SPAN("Address already in use")), SPAN_NOT_FOUND);
    config_unpin(&c);
    close(fd);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fresh, done)
    const struct CMUnitTest tests[] = {
        T(test_says_nothing_of_a_good_one),
        T(test_names_what_is_wrong_outside),
        T(test_a_port_in_use_is_an_error_unless_the_gateway_itself_runs),
    };
    return cmocka_run_group_tests(tests, make_files, NULL);
}
