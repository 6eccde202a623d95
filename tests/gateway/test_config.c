/* tests/gateway/test_config.c -- what is read, what is refused, where it says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json_tape.h"
#include "gateway/ops/config.h"
#include "gateway/ops/file.h"

#define LISTEN "listen { certificate = \"c.pem\"\n key = \"k.pem\"\n client-ca = \"ca.pem\" }\n"
#define LEDGER "ledger { key = \"ledger.key\" }\n"
#define BASE   LISTEN LEDGER

static char folder[] = "/tmp/sluice-config-XXXXXX";
static char path[sizeof folder + 16];

static int
make_folder(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/sluice.conf", folder);
    return 0;
}

static void
write_file(const char *name, const char *text)
{
    char whole[sizeof folder + 64];
    snprintf(whole, sizeof whole, "%s/%s", folder, name);
    FILE *f = fopen(whole, "w");
    assert_non_null(f);
    assert_int_equal(fputs(text, f) >= 0, true);
    fclose(f);
}

static struct arena         *arena;
static struct config_errors *errors;

static int
fresh(void **state)
{
    (void)state;
    arena_free(&arena);
    arena  = arena_new("test", 16 << 20);
    errors = config_errors_new(arena);
    assert_non_null(errors);
    return 0;
}

static int
done(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static struct config *
load(const char *text)
{
    write_file("sluice.conf", text);
    return config_load(path, errors);
}

static bool
said(const char *words)
{
    for (size_t i = 0; i < config_errors_count(errors); i++)
        if (span_find(config_errors_at(errors, i), span_of(words)) != SPAN_NOT_FOUND)
            return true;
    for (size_t i = 0; i < config_errors_count(errors); i++)
        print_message("    said: %.*s\n", SPAN_PRINT(config_errors_at(errors, i)));
    return false;
}

static void
refuses(const char *text, const char *words)
{
    struct config *c = load(text);
    assert_null(c);
    assert_true(said(words));
    assert_int_equal(fresh(NULL), 0);       /* no errors left over for the next */
}

/* The example of docs/operations.md, with every section. */
static const char whole[] =
    "listen { address = \"127.0.0.1\"  port = 8444  certificate = \"server.pem\"  key = \"server.key\"  client-ca = \"ca.pem\" }\n"
    "admin  { address = \"127.0.0.1\"  port = 9444 }\n"
    "store  { engine = \"sqlite\"  path = \"data/sluice.db\" }\n"
    "ledger { key = \"ledger.key\" }\n"
    "packages { dir = \"packages\"  profile = { \"http://example.org/a\", \"http://example.org/b\" } }\n"
    "terminology { url = \"https://tx.example.org/r4\"  ca = \"tx.pem\"  token = \"s3cret\"  deadline-ms = 250  right-seconds = 7 }\n"
    "program \"oak-recovery\" { identifier = { \"http://hl7.org/fhir/sid/us-npi|1000000009\" }  reference = { \"Organization/oak\" }\n"
    "                         source = { \"https://otp.example.org/fhir\" } }\n"
    "client \"valley-ehr\" { certificate-cn = \"valley-ehr\"  jwks = \"valley.jwks\"  scopes = { \"system/*.c\" }\n"
    "                      part2 = \"not-program\"  trust-labels = false }\n"
    "recipient \"county-hie\" { url = \"https://hie.example.org/fhir\"  ca = \"hie.pem\"\n"
    "    identifier = { \"http://hl7.org/fhir/sid/us-npi|1000000002\" }  class = { \"CE_PROVIDER\" }  purpose = { \"TREAT\" }\n"
    "    deliver = { \"transaction\", \"message\" }  attempts = 7  notify = \"bundle\" }\n"
    "route \"everything-to-hie\" { from = { \"valley-ehr\" }  to = { \"county-hie\" } }\n";

static void
test_reads_the_documented_example(void **state)
{
    (void)state;
    struct config *c = load(whole);
    assert_true(c != NULL || said(""));
    assert_int_equal(c->listen.port, 8444);
    assert_true(span_ends(c->listen.client_ca, SPAN("/ca.pem")) && c->listen.client_ca.at[0] == '/');
    assert_true(span_ends(c->store.path, SPAN("/data/sluice.db")));
    assert_true(span_eq(c->store.engine, SPAN("sqlite")));
    assert_int_equal(c->packages.profile_count, 2);
    assert_true(span_eq(c->terminology.url, SPAN("https://tx.example.org/r4")));
    assert_true(span_ends(c->terminology.ca, SPAN("/tx.pem")));
    assert_true(span_eq(c->terminology.token, SPAN("s3cret")));
    assert_int_equal(c->terminology.deadline_ms, 250);
    assert_int_equal(c->terminology.right_seconds, 7);
    assert_int_equal(c->terminology.failure_seconds, 60);
    assert_int_equal(c->program_count, 1);
    assert_true(span_eq(c->program_titles[0], SPAN("oak-recovery")));
    assert_true(span_eq(c->programs[0].identifiers[0].value, SPAN("1000000009")));
    assert_true(span_eq(c->programs[0].identifiers[0].system, SPAN("http://hl7.org/fhir/sid/us-npi")));
    assert_int_equal(c->clients[0].part2, SENDER_NOT_PROGRAM);
    assert_false(c->clients[0].trust_labels);
    assert_true(span_eq(c->clients[0].scopes[0], SPAN("system/*.c")));
    assert_int_equal(c->recipients[0].attempts, 7);
    assert_int_equal(c->recipients[0].deliver_count, 2);
    assert_true(span_eq(c->recipients[0].purposes[0], SPAN("TREAT")));
    assert_int_equal(c->route_count, 1);
    assert_int_equal(c->routes[0].from[0], 0);
    assert_int_equal(c->routes[0].to_count, 1);
    assert_int_equal(c->routes[0].validation, ROUTE_REFUSES);
    config_unpin(&c);
    assert_null(c);
}

static void
test_gives_defaults_for_what_is_not_said(void **state)
{
    (void)state;
    struct config *c = load(BASE "client \"a\" { certificate-cn = \"a\" }\n");
    assert_true(c != NULL || said(""));
    assert_true(span_eq(c->listen.address, SPAN("127.0.0.1")));
    assert_int_equal(c->listen.port, 8443);
    assert_int_equal(c->admin.port, 9443);
    assert_true(span_ends(c->admin.socket, SPAN("/sluice.db.sock")));
    assert_int_equal(c->clients[0].part2, SENDER_UNKNOWN);
    assert_int_equal(c->limits.max_body_bytes, 64 << 20);
    assert_int_equal(c->recipient_count, 0);
    assert_true(span_empty(c->packages.dir));
    assert_true(span_empty(c->terminology.url));             /* nobody is asked */
    assert_int_equal(c->terminology.deadline_ms, 1000);
    assert_false(c->site.withhold_without_consent);
    config_unpin(&c);
}

static const struct { const char *says, *text, *words; } refusals[] = {
    { "unknown option, with the nearest", "listen {\n  adress = \"x\"\n}\n", "sluice.conf:2: unknown option `adress` in `listen`; did you mean `address`?" },
    { "unknown section, with the nearest", "\nlisten { }\nrecepient \"x\" { }\n", "sluice.conf:3: unknown section `recepient`; did you mean `recipient`?" },
    { "a purpose that nobody knows", BASE "recipient \"r\" { url = \"https://h/\" purpose = { \"TREET\" } }\n",
      "recipient \"r\": `TREET` in `purpose` is no purpose of use of v3-ActReason; did you mean `TREAT`?" },
    { "a policy pack that is not there", BASE "policy \"p\" { file = \"nowhere.json\" enabled = true }\n", "policy \"p\": `file`" },
    { "unknown name that is near nothing", "zzzzzz { }\n", "unknown section `zzzzzz`" },
    { "a second value", LISTEN "listen { port = 1\n port = 2 }\n" LEDGER, "`port` is set twice; the first time at" },
    { "a second list", BASE "program \"p\" { reference = { \"a\" }\n reference = { \"b\" } }\n", "`reference` is set twice" },
    { "a second section of that title", BASE "client \"a\" { certificate-cn = \"a\" }\nclient \"a\" { certificate-cn = \"b\" }\n", "duplicate title" },
    { "a missing certificate", "listen { key = \"k\" }\n" LEDGER, "`listen` has no `certificate`" },
    { "a missing ledger key", LISTEN, "`ledger` has no `key`" },
    { "a missing url", BASE "recipient \"r\" { attempts = 3 }\n", "`recipient` \"r\" has no `url`" },
    { "an empty required value", "listen { certificate = \"\"\n key = \"k\" }\n" LEDGER, "`listen` has no `certificate`" },
    { "a port out of range", LISTEN "admin { port = 70000 }\n" LEDGER, "sluice.conf:4: `port` in `admin` wants a number from 0 to 65535, not `70000`" },
    { "a number that is none", BASE "limits { loops = many }\n", "`loops` in `limits` wants a number from 0 to 256, not `many`" },
    { "a negative number", BASE "limits { workers = -1 }\n", "wants a number from 1 to 256" },
    { "a flag that is none", BASE "site { require-statements = maybe }\n", "wants true or false, not `maybe`" },
    { "a word that is not known", BASE "client \"a\" { certificate-cn = \"a\" part2 = \"no-program\" }\n", "did you mean `not-program`?" },
    { "a class that is not known", BASE "recipient \"r\" { url = \"https://a/f\" class = { \"CE_PROVIDR\" } }\n", "did you mean `CE_PROVIDER`?" },
    { "an identifier without a system", BASE "program \"p\" { identifier = { \"1000000009\" } }\n", "wants \"system|value\", not `1000000009`" },
    { "a URL that is none", BASE "recipient \"r\" { url = \"hie.example.org\" }\n", "wants a URL that begins with https://" },
    { "plain http to elsewhere", BASE "recipient \"r\" { url = \"http://hie.example.org/fhir\" }\n", "plain http goes to loopback only" },
    { "a name that only begins like loopback", BASE "recipient \"r\" { url = \"http://127.example.org/fhir\" }\n", "plain http goes to loopback only" },
    { "a password in a URL", BASE "recipient \"r\" { url = \"https://me:secret@hie.example.org/fhir\" }\n", "without user, password" },
    { "a route from nobody", BASE "client \"valley\" { certificate-cn = \"a\" }\nrecipient \"r\" { url = \"https://a/f\" }\nroute \"x\" { from = { \"valey\" } to = { \"r\" } }\n",
      "sluice.conf:7: there is no client `valey`; did you mean `valley`?" },
    { "a route without an end", BASE "client \"v\" { certificate-cn = \"a\" }\nroute \"x\" { from = { \"v\" } }\n", "`route` \"x\" has no `to`" },
    { "a capacity that is not its own", BASE "client \"a\" { certificate-cn = \"a\" reference = \"Organization/a\" holder = \"H_PROGRAM\" }\n", "wants `part2` = \"program\"" },
    { "a capacity of nobody", BASE "client \"a\" { certificate-cn = \"a\" holder = \"H_QSO\" }\n", "a `holder` and no `reference`" },
    { "a client that could never connect", BASE "client \"a\" { part2 = \"program\" }\n", "neither `certificate-cn` nor `jwks`" },
    { "client certificates without a CA", "listen { certificate = \"c\" key = \"k\" }\n" LEDGER "client \"a\" { certificate-cn = \"a\" }\n", "`listen` has no `client-ca`" },
    { "ids that are none", BASE "client \"a\" { certificate-cn = \"x\" consent-ids = \"a/\" }\n", "`consent-ids` is how ids begin" },
    { "no room for an id", BASE "client \"a\" { certificate-cn = \"x\" consent-ids = \"abcdefghijabcdefghijabcdefghi\" }\n", "`consent-ids` is how ids begin" },
    { "ids that begin alike", BASE "client \"a\" { certificate-cn = \"x\" consent-ids = \"a-b-\" }\nclient \"b\" { certificate-cn = \"y\" consent-ids = \"a-\" }\n", "begin alike" },
    { "two clients of one certificate", BASE "client \"a\" { certificate-cn = \"x\" }\nclient \"b\" { certificate-cn = \"x\" }\n", "have the same `certificate-cn`" },
    { "a scope that grants nothing", BASE "client \"a\" { certificate-cn = \"x\" scopes = { \"system/*.uc\" } }\n", "the scope `system/*.uc` grants nothing" },
    { "a terminology server without TLS elsewhere", BASE "terminology { url = \"http://tx.example.org/r4\" }\n", "plain http goes to loopback only" },
    { "a terminology server without its url", BASE "terminology { token = \"t\" }\n", "`terminology` has no `url`: nobody would be asked" },
    { "half of a certificate for it", BASE "terminology { url = \"https://a/r4\" key = \"k\" }\n", "`terminology` has only one of `certificate` and `key`" },
    { "a token of two words", BASE "terminology { url = \"https://a/r4\" token = \"two words\" }\n", "one word of visible ASCII" },
    { "a deadline without an end", BASE "terminology { url = \"https://a/r4\" deadline-ms = 60000 }\n", "wants a number from 10 to 30000" },
    { "half of a client certificate", BASE "recipient \"r\" { url = \"https://a/f\" certificate = \"c\" }\n", "only one of `certificate` and `key`" },
    { "a program that nothing leads to", BASE "program \"p\" { name = { \"Oak\" } }\n", "nothing could be recognised as its own" },
    { "an engine that is not built", BASE "store { engine = \"postgresql\" }\n", "not part of this version" },
    { "an origin with a space", LISTEN "ledger { key = \"k\" origin = \"a b\" }\n", "C2SP tlog-checkpoint" },
    { "a brace that is missing", "listen {\n port = 1\n", "sluice.conf:3: `listen` has no closing brace" },
    { "a brace too many", BASE "}\n", "sluice.conf:5: unexpected closing brace" },
    { "a value that is missing", "listen { port = }\n", "sluice.conf:1: unexpected token" },
    { "a variable that is not set", BASE "recipient \"r\" { url = \"$SLUICE_TEST_NOT_SET\" }\n", "environment variable SLUICE_TEST_NOT_SET, which is not set" },
    { "a file that is not there", BASE "recipient \"r\" { url = \"file:absent\" }\n", "which cannot be read: No such file" },
    { "nothing at all", "", "`listen` has no `certificate`" },
};

static void
test_refuses_with_place_and_way_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        print_message("    %s\n", refusals[i].says);
        refuses(refusals[i].text, refusals[i].words);
    }
}

static void
test_refuses_a_file_with_a_nul_byte(void **state)
{
    static const char first[] = "\0listen { }\n", later[] = BASE "\0client \"a\" { certificate-cn = \"a\" }\n";

    (void)state;
    write_file("sluice.conf", "");
    for (int i = 0; i < 2; i++) {
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        size_t length = i == 0 ? sizeof first - 1 : sizeof later - 1;
        assert_int_equal(fwrite(i == 0 ? first : later, 1, length, f), length);
        fclose(f);
        assert_null(config_load(path, errors));
    }
    assert_true(said("sluice.conf:1: a NUL byte"));
    assert_int_equal(config_errors_count(errors), 2);
}

static void
test_names_a_file_that_cannot_be_read(void **state)
{
    (void)state;
    assert_null(config_load("/nonexistent/sluice.conf", errors));
    assert_true(said("/nonexistent/sluice.conf: cannot be read: No such file"));
    assert_null(config_load("/tmp", errors));
    assert_true(said("/tmp: cannot be read: Is a directory"));
}

static void
test_collects_several_errors_at_once(void **state)
{
    (void)state;
    assert_null(load(LISTEN "limits { loops = x\n workers = y }\nsite { require-statements = z }\n"));
    assert_true(config_errors_count(errors) >= 4);
}

static struct span
effective(const struct config *c, struct buf *out)
{
    buf_init(out, 1 << 20);
    assert_int_equal(config_print(c, out), ST_OK);
    return buf_span(out);
}

static void
test_masks_secrets_and_what_came_by_file_or_environment(void **state)
{
    (void)state;
    struct buf out;
    write_file("hidden.txt", "https://hidden.example.org/fhir\n");
    setenv("SLUICE_TEST_WORD", "from-the-environment", 1);
    struct config *c = load(LISTEN "ledger { key = \"ledger.key\" origin = \"$SLUICE_TEST_WORD\" }\n"
                                   "store { conninfo = \"password=hunter2\" }\n"
                                   "recipient \"r\" { url = \"file:hidden.txt\" }\n");
    assert_true(c != NULL || said(""));
    assert_true(span_eq(c->recipients[0].url, SPAN("https://hidden.example.org/fhir")));
    assert_true(span_eq(c->ledger.origin, SPAN("from-the-environment")));
    struct span text = effective(c, &out);
    assert_int_equal(span_find(text, SPAN("hunter2")), SPAN_NOT_FOUND);
    assert_int_equal(span_find(text, SPAN("hidden.example.org")), SPAN_NOT_FOUND);
    assert_int_equal(span_find(text, SPAN("from-the-environment")), SPAN_NOT_FOUND);
    assert_int_not_equal(span_find(text, SPAN("\"***\"")), SPAN_NOT_FOUND);
    buf_release(&out);
    config_unpin(&c);
}

static void
test_prints_json_with_types_and_without_secrets(void **state)
{
    (void)state;
    struct buf         out;
    const struct tape *t;
    setenv("SLUICE_TEST_WORD", "https://hidden.example.org", 1);
    struct config *c = load(BASE "store { conninfo = \"password=hunter2\" }\nsite { require-statements = yes }\n"
                                 "recipient \"r\" { url = \"$SLUICE_TEST_WORD\" class = { \"BA\", \"QSO\" } }\n");
    assert_true(c != NULL || said(""));
    buf_init(&out, 1 << 20);
    assert_int_equal(config_print_json(c, &out), ST_OK);
    assert_int_equal(tape_read(buf_span(&out), &tape_default_limits, arena, &t, NULL), ST_OK);
    assert_int_equal(tape_kind(t, tape_member(t, tape_member(t, TAPE_ROOT, SPAN("listen")), SPAN("port"))), TAPE_NUMBER);
    assert_int_equal(tape_kind(t, tape_member(t, tape_member(t, TAPE_ROOT, SPAN("site")), SPAN("require-statements"))), TAPE_TRUE);
    tape_node r = tape_first(t, tape_member(t, TAPE_ROOT, SPAN("recipient")));
    assert_true(span_eq_text(tape_member_text(t, r, SPAN("title"), arena), "r"));
    assert_true(span_eq_text(tape_member_text(t, r, SPAN("url"), arena), "***"));
    assert_int_equal(tape_children(t, tape_member(t, r, SPAN("class"))), 2);
    assert_int_equal(span_find(buf_span(&out), SPAN("hunter2")), SPAN_NOT_FOUND);
    buf_release(&out);
    config_unpin(&c);
}

static void
test_masks_a_hidden_value_in_error_texts(void **state)
{
    (void)state;
    write_file("hidden.txt", "ftp://s3cret\n");
    assert_null(load(BASE "recipient \"r\" { url = \"file:hidden.txt\" }\n"));
    assert_true(said("wants a URL that begins with https://"));
    for (size_t i = 0; i < config_errors_count(errors); i++)
        assert_int_equal(span_find(config_errors_at(errors, i), SPAN("s3cret")), SPAN_NOT_FOUND);
}

static void
test_prints_what_it_reads_back_the_same(void **state)
{
    (void)state;
    struct buf     first, second;
    struct config *c = load(whole);
    struct span    a = effective(c, &first);
    config_unpin(&c);
    buf_add_byte(&first, '\0');
    c = load(first.at);
    assert_true(c != NULL || said(""));
    struct span b = effective(c, &second);
    assert_int_equal(c->recipients[0].attempts, 7);
    /* Defaults are given values the second time. */
    assert_true(b.length < a.length && span_find(b, SPAN("# default")) == SPAN_NOT_FOUND);
    config_unpin(&c);
    buf_release(&first);
    buf_release(&second);
}

static void
test_reads_includes_relative_and_absolute(void **state)
{
    (void)state;
    char text[512];
    write_file("clients.conf", "client \"a\" { certificate-cn = \"a\" }\n");
    write_file("more.conf", "client \"b\" {\n certificat-cn = \"b\" }\n");
    struct config *c = load(BASE "include(\"clients.conf\")\n");
    assert_true(c != NULL || said(""));
    assert_int_equal(c->client_count, 1);
    config_unpin(&c);
    snprintf(text, sizeof text, BASE "include(\"%s/clients.conf\")\n", folder);
    c = load(text);
    assert_true(c != NULL || said(""));
    config_unpin(&c);
    refuses(BASE "include(\"more.conf\")\n", "more.conf:2: unknown option `certificat-cn` in `client`; did you mean `certificate-cn`?");
}

static void
test_a_reload_may_change_routes_and_not_ports(void **state)
{
    (void)state;
    struct config *old = load(whole);
    struct config *new = load(BASE "client \"b\" { certificate-cn = \"b\" }\nlisten { port = 8444 }\nadmin { port = 9444 }\nstore { path = \"data/sluice.db\" }\n");
    assert_true(new != NULL || said(""));
    assert_true(config_may_replace(old, new, errors) || said(""));
    assert_true(new->generation > old->generation);
    config_unpin(&new);
    new = load(BASE "listen { port = 8445 }\nadmin { port = 9444 }\nstore { path = \"data/sluice.db\" }\n");
    assert_non_null(new);
    assert_false(config_may_replace(old, new, errors));
    assert_int_equal(config_errors_count(errors), 1);
    assert_true(said("`port` in `listen` cannot change while the gateway runs"));
    config_unpin(&new);
    config_unpin(&old);
}

static void
test_a_route_says_what_becomes_of_findings(void **state)
{
    static const struct { const char *word; enum route_validation means; } rows[] = {
        { "refuse", ROUTE_REFUSES }, { "warn", ROUTE_WARNS }, { "accept", ROUTE_ACCEPTS },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[1024];
        snprintf(text, sizeof text, BASE "client \"v\" { certificate-cn = \"a\" }\nrecipient \"r\" { url = \"https://a/f\" }\n"
                 "route \"x\" { from = { \"v\" }  to = { \"r\" }  validation = \"%s\" }\n", rows[i].word);
        struct config *c = load(text);
        assert_true(c != NULL || said(""));
        assert_int_equal(c->routes[0].validation, rows[i].means);
        config_unpin(&c);
    }
    refuses(BASE "client \"v\" { certificate-cn = \"a\" }\nrecipient \"r\" { url = \"https://a/f\" }\n"
            "route \"x\" { from = { \"v\" }  to = { \"r\" }  validation = \"acept\" }\n", "did you mean `accept`?");
}

static void
test_lives_until_the_last_pin_is_dropped(void **state)
{
    (void)state;
    struct config *c     = load(whole);
    struct config *again = c;
    config_pin(c);
    config_unpin(&c);
    assert_null(c);
    assert_int_equal(again->listen.port, 8444);
    config_unpin(&again);
    config_unpin(&again);
}

static void
test_knows_everybody_that_it_describes_by_reference(void **state)
{
    (void)state;
    struct config *c = load(BASE "program \"p\" { reference = { \"Organization/oak\", \"Location/oak\" } identifier = { \"s|1\" } }\n"
                                 "client \"c\" { certificate-cn = \"c\" reference = \"Organization/valley\" identifier = { \"s|2\" } }\n"
                                 "client \"unnamed\" { certificate-cn = \"d\" identifier = { \"s|9\" } }\n"
                                 "recipient \"r\" { url = \"https://a/f\" reference = \"Organization/hie\" identifier = { \"s|3\", \"s|4\" } }\n");
    assert_true(c != NULL || said(""));
    assert_int_equal(c->known_actor_count, 4);
    assert_true(span_eq(c->known_actors[1].reference, SPAN("Location/oak")));
    assert_true(span_eq(c->known_actors[1].identifiers[0].value, SPAN("1")));
    assert_true(span_eq(c->known_actors[2].reference, SPAN("Organization/valley")));
    assert_true(span_eq(c->known_actors[3].reference, SPAN("Organization/hie")));
    assert_int_equal(c->known_actors[3].identifier_count, 2);
    config_unpin(&c);
}

/* Every option of the sample is of the right form: with the comment marks
 * taken off it loads. */
static void
test_the_sample_loads(void **state)
{
    (void)state;
    struct buf sample, bare;
    buf_init(&sample, 1 << 20);
    buf_init(&bare, 1 << 20);
    assert_int_equal(config_print_sample(&sample), ST_OK);
    struct span rest = buf_span(&sample);
    while (rest.at != NULL) {
        struct span line = span_split(&rest, '\n');
        if (span_starts(line, SPAN("    # ")) && span_find(line, SPAN(" = ")) != SPAN_NOT_FOUND)
            line = span_skip(line, 6);
        buf_add(&bare, line);
        buf_add_byte(&bare, '\n');
    }
    buf_add_byte(&bare, '\0');
    struct config *c = load(bare.at);
    assert_true(c != NULL || said(""));
    config_unpin(&c);
    buf_release(&sample);
    buf_release(&bare);
}

static void
test_a_client_says_in_what_capacity_it_holds_what_it_sends(void **state)
{
    char text[2048];

    (void)state;
    for (int holder = HOLDER_UNKNOWN + 1; holder < HOLDER_COUNT; holder++) {
        (void)snprintf(text, sizeof text, BASE "client \"a\" { certificate-cn = \"a\"  part2 = \"program\"  "
                       "reference = \"Organization/a\"  holder = \"%s\" }\n", holder_code((enum holder)holder));
        struct config *c = load(text);
        assert_true(c != NULL || said(""));
        assert_int_equal(c->clients[0].holder, holder);
        config_unpin(&c);
    }
}

/* docs/reference/configuration.md is what the rows make of it; when this
 * fails: build/sluice config reference >docs/reference/configuration.md */
static void
test_the_reference_page_is_the_rows(void **state)
{
    (void)state;
    struct buf made, page;
    buf_init(&made, 1 << 20);
    buf_init(&page, 1 << 20);
    assert_int_equal(config_print_reference(&made), ST_OK);
    assert_int_equal(file_read(SLUICE_SOURCE_DIR "/docs/reference/configuration.md", &page), ST_OK);
    assert_true(span_eq(buf_span(&made), buf_span(&page)));
    buf_release(&made);
    buf_release(&page);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fresh, done)
    const struct CMUnitTest tests[] = {
        T(test_reads_the_documented_example),
        T(test_gives_defaults_for_what_is_not_said),
        T(test_refuses_with_place_and_way_out),
        T(test_refuses_a_file_with_a_nul_byte),
        T(test_names_a_file_that_cannot_be_read),
        T(test_collects_several_errors_at_once),
        T(test_masks_secrets_and_what_came_by_file_or_environment),
        T(test_prints_json_with_types_and_without_secrets),
        T(test_masks_a_hidden_value_in_error_texts),
        T(test_prints_what_it_reads_back_the_same),
        T(test_reads_includes_relative_and_absolute),
        T(test_a_reload_may_change_routes_and_not_ports),
        T(test_a_route_says_what_becomes_of_findings),
        T(test_lives_until_the_last_pin_is_dropped),
        T(test_knows_everybody_that_it_describes_by_reference),
        T(test_the_sample_loads),
        T(test_a_client_says_in_what_capacity_it_holds_what_it_sends),
        T(test_the_reference_page_is_the_rows),
    };
    return cmocka_run_group_tests(tests, make_folder, NULL);
}
