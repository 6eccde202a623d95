/* tests/fuzz/fuzz_fhirpath.c -- any bytes as FHIRPath source: compiled, checked, run.
 *
 * Checked: what compiles passes the check and keeps its source; a refusal has
 * a place inside the source; a run ends within its budget, gives the same
 * truth as a collection of one boolean has, and leaves the arena as it was;
 * a program with one byte changed is refused or runs as safely. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "fhir/fhirpath.h"

static const char body[] =
    "{\"resourceType\":\"Patient\",\"id\":\"p\",\"active\":true,\"extension\":[{\"url\":\"http://example.org/a\",\"valueAge\":{\"value\":4.50,"
    "\"system\":\"http://unitsofmeasure.org\",\"code\":\"a\"}}],\"name\":[{\"family\":\"R\\u00e9\",\"given\":[\"A\",null,\"B\"],\"_given\":[null,{\"id\":\"x\"}]},"
    "{\"use\":\"usual\"}],\"birthDate\":\"1980-05\",\"_birthDate\":{\"extension\":[{\"url\":\"u\",\"valueDateTime\":\"1980-05-17T04:30:00.5-04:00\"}]},"
    "\"contained\":[{\"resourceType\":\"Observation\",\"id\":\"o\",\"valueQuantity\":{\"value\":1e2},\"subject\":{\"reference\":\"#\"}}],"
    "\"multipleBirthInteger\":3,\"link\":[{\"other\":{\"reference\":\"#o\"}}]}";

static struct arena      *fixed;
static const struct pack *pack;
static const struct tape *tape;

static void
load(void)
{
    FILE *f = fopen(SLUICE_BINARY_DIR "/definitions/r4.pack", "rb");

    fixed = arena_new("fixed", (size_t)256 << 20);
    assert(fixed != NULL);
    enum status st = tape_read(span_of(body), &tape_default_limits, fixed, &tape, NULL);
    assert(st == ST_OK);
    if (f == NULL)
        return;
    size_t room = (size_t)128 << 20;
    char  *at   = arena_alloc(fixed, room);
    size_t size = fread(at, 1, room, f);
    fclose(f);
    if (pack_open(span_from(at, size), fixed, &pack) != ST_OK)
        pack = NULL;
}

/* What an answer of one boolean says. */
static enum fhirpath_truth
truth_of(const struct fhirpath_result *r)
{
    if (r->count == 0)
        return FHIRPATH_EMPTY;
    if (r->count != 1 || r->items[0].kind != FHIRPATH_BOOLEAN)
        return FHIRPATH_FAILED;
    return r->items[0].boolean ? FHIRPATH_TRUE : FHIRPATH_FALSE;
}

static void
run(struct span program, struct arena *arena, bool compare)
{
    struct fhirpath_context c = { .pack = pack, .tape = tape, .focus = fhirpath_resource(pack, tape, TAPE_ROOT),
                                  .resource = TAPE_ROOT, .root_resource = TAPE_ROOT, .max_steps = 20000, .max_bytes = 1u << 20 };
    struct fhirpath_result  result;
    struct fhirpath_failure failure;
    size_t                  used = arena_used(arena);

    enum fhirpath_truth truth = fhirpath_true(program, &c, arena, &failure);
    assert(arena_used(arena) == used);
    assert((truth == FHIRPATH_FAILED) == (failure.why != FHIRPATH_FAILED_NONE));
    if (fhirpath_run(program, &c, arena, &result) != ST_OK) {
        assert(result.failure.why != FHIRPATH_FAILED_NONE && result.count == 0);
        assert(*fhirpath_failure_text(result.failure.why) != '\0');
        return;
    }
    for (uint32_t i = 0; i < result.count && i < 100; i++) {
        fhirpath_text(&c, &result.items[i], arena);
        fhirpath_type(&c, &result.items[i], arena);
    }
    if (compare && truth_of(&result) != FHIRPATH_FAILED && truth != FHIRPATH_FAILED)
        assert(truth == truth_of(&result));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span           program, source = span_from(data, size);
    struct fhirpath_error error = { UINT32_MAX, NULL };

    if (fixed == NULL)
        load();
    struct arena *arena = arena_new("fuzz", (size_t)64 << 20);
    assert(arena != NULL);
    if (fhirpath_compile(source, arena, &program, &error) != ST_OK) {
        assert(error.where <= size && error.why != NULL && *error.why != '\0');
        arena_free(&arena);
        return 0;
    }
    assert(fhirpath_check(program));
    assert(span_eq(fhirpath_source(program), source));
    run(program, arena, true);
    char *at = arena_alloc(arena, program.length);
    if (at != NULL && size > 0) {
        memcpy(at, program.at, program.length);
        size_t where = ((size_t)data[size / 2] * 257 + size * 31) % program.length;
        at[where] = (char)(at[where] ^ (char)(data[0] | 1));
        if (fhirpath_check(span_from(at, program.length)))
            run(span_from(at, program.length), arena, false);
    }
    arena_free(&arena);
    return 0;
}
