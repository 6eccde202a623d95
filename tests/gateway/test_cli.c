/* tests/gateway/test_cli.c -- the command line as a script sees it: stdout, stderr, exit code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json_tape.h"
#include "gateway/cli/command.h"
#include "gateway/cli/help.h"
#include "gateway/ops/file.h"

static char folder[] = "/tmp/sluice-cli-XXXXXX";

static struct ran {
    int        code;
    struct buf out, err;
} ran;

static const char *
path_of(const char *name)
{
    static char path[4][256];
    static int  next;
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[next], "%s/%s", folder, name);
    return path[next];
}

static void
write_file(const char *name, const char *text)
{
    FILE *f = fopen(path_of(name), "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    fclose(f);
}

static void
child(char **words)
{
    if (freopen(path_of("in"), "r", stdin) == NULL || freopen(path_of("out"), "w", stdout) == NULL
        || freopen(path_of("err"), "w", stderr) == NULL)
        _exit(99);
    execv(SLUICE_BINARY_DIR "/sluice", words);
    _exit(98);
}

/* Runs `sluice` with these words in a process of its own. */
static int
run(const char *line)
{
    char        text[2048], *words[64] = { 0 };
    int         count = 0, status = 0;
    struct span rest = span_of(line);
    size_t      used = 0;
    memcpy(text, "sluice", 7);
    words[count++] = text;
    used             = 7;
    while (rest.at != NULL && !span_empty(rest)) {
        struct span word = span_split(&rest, ' ');
        words[count++]   = text + used;
        memcpy(text + used, word.at, word.length);
        text[used + word.length] = '\0';
        used += word.length + 1;
    }
    pid_t pid = fork();
    if (pid == 0)
        child(words);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    ran.code = WEXITSTATUS(status);
    buf_release(&ran.out);
    buf_release(&ran.err);
    buf_init(&ran.out, 1 << 20);
    buf_init(&ran.err, 1 << 20);
    assert_int_equal(file_read(path_of("out"), &ran.out), ST_OK);
    assert_int_equal(file_read(path_of("err"), &ran.err), ST_OK);
    return ran.code;
}

static bool
printed(const char *words)
{
    return span_find(buf_span(&ran.out), span_of(words)) != SPAN_NOT_FOUND;
}

static bool
talked(const char *words)
{
    bool found = span_find(buf_span(&ran.err), span_of(words)) != SPAN_NOT_FOUND;
    if (!found)
        print_message("    stderr: %.*s\n", SPAN_PRINT(buf_span(&ran.err)));
    return found;
}

static const struct { const char *says, *line; int code; const char *words; } mistakes[] = {
    { "no command", "", 2, "usage: sluice COMMAND" },
    { "an unknown command, with the nearest", "valdate x", 2, "there is no command `" },
    { "half a command", "config", 2, "usage: sluice config check" },
    { "an unknown option, with the nearest", "config check --cnofig x", 2, "did you mean `--config`?" },
    { "an unknown letter", "config check -z", 2, "there is no option `-z`" },
    { "a required option that is missing", "config check", 2, "`--config FILE` is missing" },
    { "an option without its value", "config check -c", 2, "`--config` wants a value: FILE" },
    { "a value for a flag", "help --json=yes", 2, "`--json` takes no value" },
    { "an option twice", "config check -c a -c b", 2, "`--config` is given twice" },
    { "too few arguments", "tape", 2, "FILE is missing" },
    { "too many arguments", "tape a b", 2, "there is no place for `b`" },
    { "a color that is none", "version --color=red", 2, "`--color` is auto, always or never" },
    { "a file that is not there", "tape /nonexistent/x.json", 2, "/nonexistent/x.json: No such file" },
    { "a folder for a file", "tape /tmp", 2, "/tmp: Is a directory" },
    { "help for an unknown command", "help valdate", 2, "there is no command `valdate`" },
    { "a gateway that does not run", "status -c @conf", 4, "no gateway answers at" },
    { "a reload of a gateway that does not run", "reload -c @conf", 4, "no gateway answers at" },
    { "a configuration that is not there", "config show -c /nonexistent.conf", 3, "cannot be read" },
};

static void
test_a_mistake_ends_with_a_sentence_and_its_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        char line[512];
        print_message("    %s\n", mistakes[i].says);
        snprintf(line, sizeof line, "%s", mistakes[i].line);
        char *conf = strstr(line, "@conf");
        if (conf != NULL)
            snprintf(conf, sizeof line - (size_t)(conf - line), "%s", path_of("sluice.conf"));
        assert_int_equal(run(line), mistakes[i].code);
        assert_true(talked(mistakes[i].words));
        assert_int_equal(ran.out.length, 0);
    }
}

static void
test_options_may_stand_anywhere_and_in_every_form(void **state)
{
    (void)state;
    write_file("doc.json", "{\"resourceType\":\"Patient\"}");
    char line[512];
    static const char *const forms[][2] = { { "tape ", " --color never" }, { "tape --color never ", "" },
                                            { "tape --color=never ", "" }, { "tape -- ", "" } };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        snprintf(line, sizeof line, "%s%s%s", forms[i][0], path_of("doc.json"), forms[i][1]);
        assert_int_equal(run(line), 0);
        assert_true(printed("\"resourceType\""));
        assert_int_equal(ran.err.length, 0);
    }
}

static void
test_help_is_there_in_every_way_that_people_try(void **state)
{
    (void)state;
    const char *ways[] = { "help", "--help", "-h", "help config check", "config check --help", "config check -h", "help config" };
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        assert_int_equal(run(ways[i]), 0);
        assert_true(printed("usage: sluice"));
        assert_int_equal(ran.err.length, 0);
    }
}

static void
test_every_command_has_a_whole_page(void **state)
{
    (void)state;
    struct buf page;
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        buf_init(&page, 1 << 16);
        assert_int_equal(help_command(&commands[i], &page), ST_OK);
        assert_true(strlen(commands[i].brief) > 10 && strlen(commands[i].text) > 10);
        assert_true(span_find(buf_span(&page), SPAN("Exit status:\n  0 ")) != SPAN_NOT_FOUND);
        struct span rest = buf_span(&page);
        while (rest.at != NULL)
            assert_true(span_split(&rest, '\n').length <= 78);
        buf_release(&page);
    }
}

static void
test_the_table_as_json_can_be_read(void **state)
{
    (void)state;
    struct arena      *arena = arena_new("test", 8 << 20);
    const struct tape *tape;
    struct tape_error  error;
    assert_int_equal(run("help --json"), 0);
    assert_int_equal(tape_read(buf_span(&ran.out), &tape_default_limits, arena, &tape, &error), ST_OK);
    assert_int_equal(tape_children(tape, tape_member(tape, TAPE_ROOT, SPAN("commands"))), COMMAND_COUNT);
    arena_free(&arena);
}

/* groff and bash themselves judge, where they are. */
static void
test_manual_and_completion_are_well_formed(void **state)
{
    (void)state;
    char line[512];
    assert_int_equal(run("help --man"), 0);
    assert_true(printed(".Dt SLUICE 1\n") && printed(".Ss config check\n"));
    if (system("command -v groff >/dev/null 2>&1") == 0) {
        snprintf(line, sizeof line, "test -z \"$(groff -mdoc -Tutf8 -ww -z %s 2>&1)\"", path_of("out"));
        assert_int_equal(system(line), 0);
    }
    assert_int_equal(run("completion bash"), 0);
    snprintf(line, sizeof line, "bash -n %s", path_of("out"));
    assert_int_equal(system(line), 0);
    snprintf(line, sizeof line,
             "bash -c 'source %s; COMP_WORDS=(sluice config sh); COMP_CWORD=2; _sluice; test \"${COMPREPLY[*]}\" = show'", path_of("out"));
    assert_int_equal(system(line), 0);
    snprintf(line, sizeof line,
             "bash -c 'source %s; COMP_WORDS=(sluice config check --conf); COMP_CWORD=3; _sluice; test \"${COMPREPLY[*]}\" = --config'", path_of("out"));
    assert_int_equal(system(line), 0);
}

static void
test_tape_refuses_with_place_and_reason(void **state)
{
    (void)state;
    char line[512];
    write_file("bad.json", "{\n \"a\": 1,\n \"a\": 2}");
    snprintf(line, sizeof line, "tape %s", path_of("bad.json"));
    assert_int_equal(run(line), 1);
    assert_true(talked("bad.json:3:2: refused at byte"));
    assert_true(talked("DUPLICATE"));
    assert_int_equal(ran.out.length, 0);
    write_file("in", "[1,2]");
    assert_int_equal(run("tape -"), 0);
    assert_true(printed("array"));
}

static void
test_doctor_names_each_part_and_fails_on_what_is_missing(void **state)
{
    (void)state;
    char line[512];
    snprintf(line, sizeof line, "doctor -c %s", path_of("sluice.conf"));
    assert_int_equal(run(line), 1);
    assert_true(printed("fail  configuration: listen: `certificate`"));
    assert_true(printed("warn  gateway: no gateway answers"));
    assert_true(printed("clock"));
    snprintf(line, sizeof line, "doctor --json -c %s", path_of("sluice.conf"));
    assert_int_equal(run(line), 1);
    assert_true(printed("\"part\":"));
}

#define VALID   "{\"resourceType\":\"Patient\",\"id\":\"p1\",\"gender\":\"female\"}"
#define INVALID "{\"resourceType\":\"Patient\",\"id\":\"p1\",\"gender\":1}"

static void
validate(const char *options, const char *files)
{
    char line[2048];
    snprintf(line, sizeof line, "validate %s%s", options, files);
    run(line);
}

static void
test_validate_ends_as_its_inputs_are(void **state)
{
    (void)state;
    char both[512], lines[512];
    write_file("good.json", VALID);
    write_file("bad.json", INVALID);
    write_file("bad.xml", "<?xml version=\"1.0\"?><Patient xmlns=\"http://hl7.org/fhir\"/>");
    write_file("lines.ndjson", VALID "\n\n" INVALID "\n" VALID "\n");
    validate("", path_of("good.json"));
    assert_int_equal(ran.code, 0);
    assert_true(printed("good.json: valid\n"));
    validate("", path_of("bad.json"));
    assert_int_equal(ran.code, 1);
    assert_true(printed("bad.json: invalid\n") && printed("Patient.gender"));
    snprintf(both, sizeof both, "%s %s", path_of("good.json"), path_of("bad.json"));
    validate("", both);
    assert_int_equal(ran.code, 1);
    snprintf(both, sizeof both, "%s /nonexistent.json", path_of("good.json"));
    validate("", both);
    assert_int_equal(ran.code, 7);
    validate("", "/nonexistent.json");
    assert_int_equal(ran.code, 2);
    validate("", path_of("bad.xml"));
    assert_int_equal(ran.code, 2);
    assert_true(printed("want FHIR JSON, have XML"));
    snprintf(lines, sizeof lines, "%s", path_of("lines.ndjson"));
    validate("", lines);
    assert_int_equal(ran.code, 1);
    assert_true(printed("lines.ndjson:1: valid") && printed("lines.ndjson:3: invalid") && printed("lines.ndjson:4: valid"));
}

static void
test_validate_refuses_a_profile_that_it_cannot_check(void **state)
{
    (void)state;
    write_file("good.json", VALID);
    validate("--profile http://example.org/StructureDefinition/unknown ", path_of("good.json"));
    assert_int_equal(ran.code, 3);
    assert_false(printed("valid"));
    validate("--profile http://hl7.org/fhir/StructureDefinition/Patient ", path_of("good.json"));
    assert_int_equal(ran.code, 0);
    validate("--profile http://hl7.org/fhir/StructureDefinition/Observation ", path_of("good.json"));
    assert_int_equal(ran.code, 1);
    assert_true(printed("want a resource of type Observation, as --profile says"));
}

/* {"file":…,"valid":bool,"outcome":{OperationOutcome}}, one line an input. */
static void
test_validate_prints_a_json_line_an_input(void **state)
{
    (void)state;
    struct arena *arena = arena_new("test", 8 << 20);
    char          all[1024];
    size_t        count = 0;
    write_file("in", VALID);
    write_file("bad.json", INVALID);
    write_file("cut.json", "{\"resourceType\":");
    snprintf(all, sizeof all, "- %s %s /nonexistent.json", path_of("bad.json"), path_of("cut.json"));
    validate("--json ", all);
    assert_int_equal(ran.code, 1);
    struct span rest = buf_span(&ran.out);
    while (!span_empty(rest)) {
        const struct tape *t;
        struct span        line = span_split(&rest, '\n');
        assert_int_equal(tape_read(line, &tape_default_limits, arena, &t, NULL), ST_OK);
        tape_node outcome = tape_member(t, TAPE_ROOT, SPAN("outcome"));
        assert_true(span_eq_text(tape_member_text(t, outcome, SPAN("resourceType"), arena), "OperationOutcome"));
        assert_true(tape_children(t, tape_member(t, outcome, SPAN("issue"))) > 0);
        assert_int_equal(tape_kind(t, tape_member(t, TAPE_ROOT, SPAN("valid"))), count == 0 ? TAPE_TRUE : TAPE_FALSE);
        assert_int_equal(span_empty(tape_member_text(t, TAPE_ROOT, SPAN("file"), arena)), false);
        count++;
    }
    assert_int_equal(count, 4);
    write_file("in", "");
    arena_free(&arena);
}

/* The Bundles of the demo are what they say they are. */
static void
test_the_samples_are_valid(void **state)
{
    (void)state;
    run("validate --json " SLUICE_SOURCE_DIR "/samples/01-opioid-treatment-program.json " SLUICE_SOURCE_DIR
        "/samples/02-primary-care.json " SLUICE_SOURCE_DIR "/samples/03-hospital-with-unit.json " SLUICE_SOURCE_DIR
        "/samples/04-phq9-follow-up.json " SLUICE_SOURCE_DIR "/samples/05-referral.json");
    assert_int_equal(ran.code, 0);
    assert_false(printed("\"valid\":false"));
}

/* Who asks for what; the hospital's unit of the sample is a program. */
#define REQUEST                                                                                                      \
    "{\"at\":\"2026-11-22T15:00:00Z\",\"actor\":{\"reference\":\"Organization/x\",\"identifier\":[{\"system\":"             \
    "\"http://hl7.org/fhir/sid/us-npi\",\"value\":\"%s\"}],\"class\":[\"CE_PROVIDER\"]},\"purpose\":[\"TREAT\"],"           \
    "\"source\":{\"part2\":\"not-program\"},\"programs\":[{\"reference\":\"Organization/riverside-unit5\",\"identifier\":" \
    "[{\"system\":\"http://hl7.org/fhir/sid/us-npi\",\"value\":\"1000000006\"}]}]}"
#define HOSPITAL SLUICE_SOURCE_DIR "/samples/03-hospital-with-unit.json"

static void
write_request(const char *npi)
{
    char text[1024];
    snprintf(text, sizeof text, REQUEST, npi);
    write_file("R.json", text);
}

static void
test_label_tells_program_from_hospital(void **state)
{
    (void)state;
    char line[1024];
    write_request("1000000002");
    snprintf(line, sizeof line, "label --request %s %s", path_of("R.json"), HOSPITAL);
    assert_int_equal(run(line), 0);
    assert_true(printed("Condition/carla-aud"));
    assert_true(printed("42CFRPart2"));
    assert_true(printed("Part 2: not"));
    snprintf(line, sizeof line, "label --json %s", HOSPITAL);
    assert_int_equal(run(line), 0);
    assert_true(printed("\"evidence\""));
}

static void
test_a_document_or_a_request_that_cannot_be_read_is_told_apart(void **state)
{
    (void)state;
    char line[1024];
    write_file("R.json", "{\"at\":\"yesterday\"}");
    write_file("bad.json", "{\"resourceType\":\"Bundle\",");
    snprintf(line, sizeof line, "label --request %s %s", path_of("R.json"), HOSPITAL);
    assert_int_equal(run(line), 2);
    assert_true(talked("OperationOutcome"));
    snprintf(line, sizeof line, "label %s", path_of("bad.json"));
    assert_int_equal(run(line), 1);
    assert_true(talked("OperationOutcome"));
    assert_int_equal(ran.out.length, 0);
    assert_int_equal(run("label /nonexistent.json"), 2);
}

/* To a recipient that the consent does not name, the unit's stay is not there;
 * to the one that it names, all is, and the notice of 42 CFR 2.32. */
static void
test_redact_prints_what_leaves_and_nothing_else(void **state)
{
    (void)state;
    char line[1024];
    write_request("1000000002");
    snprintf(line, sizeof line, "redact --request %s %s", path_of("R.json"), HOSPITAL);
    assert_int_equal(run(line), 0);
    assert_int_equal(ran.err.length, 0);
    assert_true(printed("carla-pneumonia") && printed("\"value\": 93.0"));
    assert_false(printed("unit5") || printed("F10.20") || printed("acamprosate") || printed("carla-consent"));
    write_request("1000000001");
    assert_int_equal(run(line), 0);
    assert_true(printed("unit5") && printed("F10.20") && printed("42 CFR part 2"));
}

static void
test_redact_prints_not_a_byte_when_nothing_may_leave(void **state)
{
    (void)state;
    char line[1024];
    write_file("R.json", "{\"at\":\"2026-11-22T15:00:00Z\",\"actor\":{\"reference\":\"Organization/x\"},\"purpose\":[\"TREAT\"],"
                         "\"source\":{\"part2\":\"program\"}}");
    snprintf(line, sizeof line, "redact --request %s " SLUICE_SOURCE_DIR "/samples/01-opioid-treatment-program.json", path_of("R.json"));
    assert_int_equal(run(line), 1);
    assert_int_equal(ran.out.length, 0);
    assert_true(talked("nothing may leave (deny)"));
    snprintf(line, sizeof line, "explain --json --request %s " SLUICE_SOURCE_DIR "/samples/01-opioid-treatment-program.json", path_of("R.json"));
    assert_int_equal(run(line), 1);
    assert_true(printed("\"deny\""));
    assert_false(printed("\"permit\""));
    assert_int_equal(run("redact " HOSPITAL), 2);
    assert_true(talked("`--request R` is missing"));
}

static void
test_explain_says_verdict_rule_and_citation_of_each(void **state)
{
    (void)state;
    struct arena      *arena = arena_new("test", 8 << 20);
    const struct tape *t;
    char               line[1024];
    write_request("1000000002");
    snprintf(line, sizeof line, "explain --json --request %s %s", path_of("R.json"), HOSPITAL);
    assert_int_equal(run(line), 0);
    assert_int_equal(tape_read(buf_span(&ran.out), &tape_default_limits, arena, &t, NULL), ST_OK);
    assert_true(span_eq_text(tape_member_text(t, TAPE_ROOT, SPAN("decision"), arena), "partial"));
    tape_node list = tape_member(t, TAPE_ROOT, SPAN("resources"));
    assert_int_equal(tape_children(t, list), 14);
    static const char *const members[] = { "path", "type", "id", "labels", "part2", "verdict", "rule", "citation", "because" };
    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n))
        for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
            assert_int_not_equal(tape_member(t, n, span_of(members[i])), TAPE_ABSENT);
    arena_free(&arena);
}

/* Refuses to start where config check would fail, with the same words. */
static void
test_serve_refuses_what_config_check_refuses(void **state)
{
    (void)state;
    char line[512];
    snprintf(line, sizeof line, "serve -c %s", path_of("sluice.conf"));
    assert_int_equal(run(line), 3);
    assert_true(talked("listen: `certificate`"));
    snprintf(line, sizeof line, "serve -c %s --ready-fd x", path_of("sluice.conf"));
    assert_int_equal(run(line), 2);
    snprintf(line, sizeof line, "config check -c %s", path_of("sluice.conf"));
    assert_int_equal(run(line), 3);
    assert_true(talked("listen: `certificate`"));
}

static void
test_output_that_cannot_be_written_is_not_success(void **state)
{
    (void)state;
    assert_int_equal(WEXITSTATUS(system(SLUICE_BINARY_DIR "/sluice help >/dev/full 2>/dev/null")), 4);
    assert_int_equal(WEXITSTATUS(system(SLUICE_BINARY_DIR "/sluice tape " SLUICE_SOURCE_DIR
                                        "/samples/02-primary-care.json >/dev/full 2>/dev/null")), 4);
}

static void
test_version_says_program_and_rules(void **state)
{
    (void)state;
    assert_int_equal(run("--version"), 0);
    assert_true(printed("sluice 0."));
    assert_int_equal(run("version --json"), 0);
    assert_true(printed("\"policyVersion\":\""));
}

static int
make_folder(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    write_file("in", "");
    write_file("sluice.conf", "listen { certificate = \"c\" key = \"k\" }\nledger { key = \"l\" }\n");
    return 0;
}

static int
release(void **state)
{
    (void)state;
    buf_release(&ran.out);
    buf_release(&ran.err);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_mistake_ends_with_a_sentence_and_its_code),
        cmocka_unit_test(test_options_may_stand_anywhere_and_in_every_form),
        cmocka_unit_test(test_help_is_there_in_every_way_that_people_try),
        cmocka_unit_test(test_every_command_has_a_whole_page),
        cmocka_unit_test(test_the_table_as_json_can_be_read),
        cmocka_unit_test(test_manual_and_completion_are_well_formed),
        cmocka_unit_test(test_tape_refuses_with_place_and_reason),
        cmocka_unit_test(test_doctor_names_each_part_and_fails_on_what_is_missing),
        cmocka_unit_test(test_validate_ends_as_its_inputs_are),
        cmocka_unit_test(test_validate_refuses_a_profile_that_it_cannot_check),
        cmocka_unit_test(test_validate_prints_a_json_line_an_input),
        cmocka_unit_test(test_the_samples_are_valid),
        cmocka_unit_test(test_label_tells_program_from_hospital),
        cmocka_unit_test(test_a_document_or_a_request_that_cannot_be_read_is_told_apart),
        cmocka_unit_test(test_redact_prints_what_leaves_and_nothing_else),
        cmocka_unit_test(test_redact_prints_not_a_byte_when_nothing_may_leave),
        cmocka_unit_test(test_explain_says_verdict_rule_and_citation_of_each),
        cmocka_unit_test(test_serve_refuses_what_config_check_refuses),
        cmocka_unit_test(test_output_that_cannot_be_written_is_not_success),
        cmocka_unit_test(test_version_says_program_and_rules),
    };
    return cmocka_run_group_tests(tests, make_folder, release);
}
