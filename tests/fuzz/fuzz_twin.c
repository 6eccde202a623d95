/* tests/fuzz/fuzz_twin.c -- promise 2 as the oracle: whatever a secret says, what leaves is the same.
 *
 * The first byte says where the others stand:
 *
 *   0  as a text in a program's Condition (display, text, note, identifier) and in a note that names the
 *      program, of a record that stays
 *   1  as further JSON members of that Condition
 *   2  as a text in a Condition with F11.20, from a sender of unknown status
 *   3  as further JSON members of a Consent of another patient
 *   4  as further JSON members of a program's Binary, and its data
 *
 * Checked: the Bundle leaves as the bytes of its twin, in which none of it ever was, and is not held.  A secret
 * that repeats a word of what stays is left out: rule C5 may take that word for a mention (docs/redaction-rules.md, "Limits"). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "consent/release.h"

enum place { PLACE_TEXT = 0, PLACE_MEMBERS, PLACE_SUSPECT, PLACE_CONSENT, PLACE_BINARY, PLACES };

#define HEAD     "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"qqpat\"}}"
#define NOTE     "{\"text\":\"qqnote\"}"
#define KEPT     ",{\"resource\":{\"resourceType\":\"Observation\",\"id\":\"qqobs\",\"code\":{\"text\":\"qqcode\"},\"subject\":{\"reference\":\"Patient/qqpat\"},\"note\":[" NOTE
#define TAIL     "]}}]}"
#define OF_OAK   "\"subject\":{\"reference\":\"Patient/qqpat\"},\"recorder\":{\"reference\":\"Organization/oak\"}"
#define ACTOR    "\"at\":\"2026-11-22T15:00:00Z\",\"actor\":{\"reference\":\"Organization/county\"},\"purpose\":[\"TREAT\"]"
#define PROGRAMS "\"programs\":[{\"reference\":\"Organization/oak\",\"name\":\"Oak Recovery\",\"source\":\"https://oak.example.org/fhir\"}]"

static const char twin[]        = HEAD KEPT TAIL;
static const char not_program[] = "{" ACTOR ",\"source\":{\"part2\":\"not-program\"}," PROGRAMS;
static const char unknown[]     = "{" ACTOR "," PROGRAMS;

/* Raw bytes as a JSON string, as far as they need it; the tape refuses the rest. */
static void
add_text(struct buf *out, const uint8_t *data, size_t size)
{
    buf_add_byte(out, '"');
    for (size_t i = 0; i < size; i++)
        if (data[i] == '"' || data[i] == '\\')
            buf_add_format(out, "\\%c", data[i]);
        else if (data[i] < 0x20)
            buf_add_format(out, "\\u%04x", data[i]);
        else
            buf_add_byte(out, (char)data[i]);
    buf_add_byte(out, '"');
}

/* Words of what stays all begin with "qq", however they are written. */
static bool
repeats_what_stays(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((data[i] | 0x20) == 'q' || data[i] == '\\' || data[i] == '&' || data[i] == '%' || data[i] >= 0x80)
            return true;
    return false;
}

static void
add_members(struct buf *out, const uint8_t *data, size_t size)
{
    if (size > 0)
        buf_add_byte(out, ',');
    buf_add(out, span_from(data, size));
}

static void
write_bundle(struct buf *out, enum place place, const uint8_t *data, size_t size)
{
    buf_add_text(out, HEAD);
    if (place == PLACE_BINARY) {
        buf_add_text(out, ",{\"fullUrl\":\"https://oak.example.org/fhir/Binary/b\",\"resource\":{\"resourceType\":\"Binary\",\"contentType\":\"text/plain\"");
        add_members(out, data, size);
        buf_add_text(out, "}}");
    } else if (place != PLACE_CONSENT) {
        buf_add_text(out, ",{\"resource\":{\"resourceType\":\"Condition\"," OF_OAK);
        if (place == PLACE_MEMBERS) {
            add_members(out, data, size);
        } else {
            buf_add_text(out, ",\"code\":{\"coding\":[{\"system\":\"http://hl7.org/fhir/sid/icd-10-cm\",\"code\":\"F11.20\",\"display\":");
            add_text(out, data, size);
            buf_add_text(out, "}],\"text\":");
            add_text(out, data, size);
            buf_add_text(out, "},\"identifier\":[{\"value\":");
            add_text(out, data, size);
            buf_add_text(out, "}],\"note\":[{\"text\":");
            add_text(out, data, size);
            buf_add_text(out, "}]");
        }
        buf_add_text(out, "}}");
    }
    buf_add_text(out, KEPT);
    if (place == PLACE_TEXT) {
        buf_add_text(out, ",{\"text\":\"at Oak Recovery.\"},{\"text\":");
        struct buf said;
        buf_init(&said, 1 << 20);
        buf_add_text(&said, "at Oak Recovery. ");
        buf_add(&said, span_from(data, size));
        struct span all = buf_span(&said);
        add_text(out, (const uint8_t *)all.at, all.length);
        buf_release(&said);
        buf_add_byte(out, '}');
    }
    buf_add_text(out, TAIL);
}

static void
write_request(struct buf *out, enum place place, const uint8_t *data, size_t size)
{
    buf_add_text(out, place == PLACE_SUSPECT ? unknown : not_program);
    if (place == PLACE_CONSENT) {
        buf_add_text(out, ",\"consents\":[{\"resourceType\":\"Consent\",\"patient\":{\"reference\":\"Patient/other\"}");
        add_members(out, data, size);
        buf_add_text(out, "}]");
    }
    buf_add_byte(out, '}');
}

/* NULL when the input is refused. */
static const struct release *
release_of(struct span body, struct span request, struct arena *arena)
{
    const struct tape       *tape;
    const struct bundle     *bundle;
    const struct references *references;
    const struct facts      *facts;
    const struct release    *release;
    struct issues           *issues = issues_new(arena, 8);

    if (facts_read(request, arena, issues, &facts) != ST_OK || tape_read(body, &tape_default_limits, arena, &tape, NULL) != ST_OK
        || bundle_read(tape, arena, issues, &bundle) != ST_OK || references_read(bundle, arena, &references) != ST_OK
        || release_make(bundle, references, NULL, facts, arena, &release) != ST_OK)
        return NULL;
    return release;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf body, request;

    if (size < 2 || repeats_what_stays(data + 1, size - 1))
        return 0;
    enum place    place = (enum place)(data[0] % PLACES);
    struct arena *arena = arena_new("fuzz", (size_t)256 << 20);
    assert(arena != NULL);
    buf_init(&body, 1 << 23);
    buf_init(&request, 1 << 21);
    write_bundle(&body, place, data + 1, size - 1);
    write_request(&request, place, data + 1, size - 1);
    const struct release *r = buf_status(&body) == ST_OK && buf_status(&request) == ST_OK
                                  ? release_of(buf_span(&body), buf_span(&request), arena) : NULL;
    if (r != NULL) {
        assert(r->outcome != RELEASE_HOLD);
        assert(span_eq(r->payload, span_of(twin)));
    }
    buf_release(&body);
    buf_release(&request);
    arena_free(&arena);
    return 0;
}
