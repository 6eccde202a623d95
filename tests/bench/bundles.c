#include "tests/bench/bundles.h"

/* A writer that knows where a comma is due. */
struct writer {
    struct chance *chance;
    struct buf    *out;
    unsigned       depth;
    bool           pretty;
    bool           first;
};

static void
begin_item(struct writer *w, const char *name)
{
    if (!w->first)
        buf_add_byte(w->out, ',');
    w->first = false;
    if (w->pretty) {
        buf_add_byte(w->out, '\n');
        for (unsigned i = 0; i < w->depth; i++)
            buf_add_text(w->out, "  ");
    }
    if (name != NULL)
        buf_add_format(w->out, w->pretty ? "\"%s\": " : "\"%s\":", name);
}

static void
open_item(struct writer *w, const char *name, char bracket)
{
    begin_item(w, name);
    buf_add_byte(w->out, bracket);
    w->depth++;
    w->first = true;
}

static void
close_item(struct writer *w, char bracket)
{
    w->depth--;
    if (w->pretty && !w->first) {
        buf_add_byte(w->out, '\n');
        for (unsigned i = 0; i < w->depth; i++)
            buf_add_text(w->out, "  ");
    }
    buf_add_byte(w->out, bracket);
    w->first = false;
}

static void
text(struct writer *w, const char *name, const char *value)
{
    begin_item(w, name);
    buf_add_format(w->out, "\"%s\"", value);
}

static void
number(struct writer *w, const char *name, const char *value)
{
    begin_item(w, name);
    buf_add_text(w->out, value);
}

static const char *
one_of(struct writer *w, const char *const *words, uint32_t count)
{
    return words[chance_below(w->chance, count)];
}

static const char *
uuid(struct writer *w)
{
    static char text[48];
    uint64_t    a = chance_next(w->chance), b = chance_next(w->chance);

    snprintf(text, sizeof text, "urn:uuid:%08x-%04x-%04x-%04x-%012llx", (unsigned)(a >> 32), (unsigned)(a >> 16 & 0xffff),
             (unsigned)(a & 0xffff), (unsigned)(b >> 48), (unsigned long long)(b & 0xffffffffffff));
    return text;
}

static const char *
date_time(struct writer *w)
{
    static char text[32];

    snprintf(text, sizeof text, "20%02u-%02u-%02uT%02u:%02u:%02u-05:00", chance_below(w->chance, 25),
             1 + chance_below(w->chance, 12), 1 + chance_below(w->chance, 28), chance_below(w->chance, 24),
             chance_below(w->chance, 60), chance_below(w->chance, 60));
    return text;
}

static const char *
decimal(struct writer *w)
{
    static char text[32];
    uint32_t    value = chance_below(w->chance, 100000);

    snprintf(text, sizeof text, "%u.%u", value / 100, value % 100);
    return text;
}

static const char *
words(struct writer *w)
{
    static const char *const bits[] = { "follow", "up", "in", "two", "weeks", "patient", "reports", "better", "sleep",
                                        "no", "acute", "distress", "continue", "current", "plan", "caf\xc3\xa9" };
    static char text[256];
    size_t      length = 0;

    for (uint32_t i = 3 + chance_below(w->chance, 20); i > 0; i--)
        length += (size_t)snprintf(text + length, sizeof text - length, "%s ", one_of(w, bits, 16));
    text[length - 1] = 0;
    return text;
}

static void
concept(struct writer *w, const char *name)
{
    static const char *const systems[]  = { "http://snomed.info/sct", "http://loinc.org", "http://hl7.org/fhir/sid/icd-10-cm",
                                            "http://www.nlm.nih.gov/research/umls/rxnorm" };
    static const char *const displays[] = { "Body weight", "Systolic blood pressure", "Encounter for check up (procedure)",
                                            "Housing", "Hemoglobin A1c/Hemoglobin.total in Blood", "Influenza" };
    char code[16];

    snprintf(code, sizeof code, "%u-%u", 100 + chance_below(w->chance, 99999), chance_below(w->chance, 10));
    open_item(w, name, '{');
    open_item(w, "coding", '[');
    open_item(w, NULL, '{');
    text(w, "system", one_of(w, systems, 4));
    text(w, "code", code);
    text(w, "display", one_of(w, displays, 6));
    close_item(w, '}');
    close_item(w, ']');
    text(w, "text", one_of(w, displays, 6));
    close_item(w, '}');
}

/* One that is bound to a value set. */
static void
status(struct writer *w, const char *name, const char *system, const char *code)
{
    open_item(w, name, '{');
    open_item(w, "coding", '[');
    open_item(w, NULL, '{');
    text(w, "system", system);
    text(w, "code", code);
    close_item(w, '}');
    close_item(w, ']');
    close_item(w, '}');
}

static void
reference(struct writer *w, const char *name)
{
    open_item(w, name, '{');
    text(w, "reference", uuid(w));
    close_item(w, '}');
}

static void
make_patient(struct writer *w)
{
    static const char *const names[] = { "Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Hazel", "Juniper" };

    open_item(w, "identifier", '[');
    for (unsigned i = 0; i < 3; i++) {
        open_item(w, NULL, '{');
        text(w, "use", "usual");
        text(w, "system", "https://example.org/identifiers/medical-record");
        text(w, "value", uuid(w) + 9);
        close_item(w, '}');
    }
    close_item(w, ']');
    open_item(w, "name", '[');
    open_item(w, NULL, '{');
    text(w, "use", "official");
    text(w, "family", one_of(w, names, 8));
    open_item(w, "given", '[');
    text(w, NULL, one_of(w, names, 8));
    text(w, NULL, one_of(w, names, 8));
    close_item(w, ']');
    close_item(w, '}');
    close_item(w, ']');
    text(w, "gender", chance_one_in(w->chance, 2) ? "female" : "male");
    text(w, "birthDate", "1980-01-01");
    number(w, "multipleBirthBoolean", "false");
}

static void
make_observation(struct writer *w)
{
    text(w, "status", "final");
    open_item(w, "category", '[');
    concept(w, NULL);
    close_item(w, ']');
    concept(w, "code");
    reference(w, "subject");
    reference(w, "encounter");
    text(w, "effectiveDateTime", date_time(w));
    text(w, "issued", date_time(w));
    open_item(w, "valueQuantity", '{');
    number(w, "value", decimal(w));
    text(w, "unit", "mg/dL");
    text(w, "system", "http://unitsofmeasure.org");
    text(w, "code", "mg/dL");
    close_item(w, '}');
}

static void
make_encounter(struct writer *w)
{
    text(w, "status", "finished");
    open_item(w, "class", '{');
    text(w, "system", "http://terminology.hl7.org/CodeSystem/v3-ActCode");
    text(w, "code", "AMB");
    close_item(w, '}');
    open_item(w, "type", '[');
    concept(w, NULL);
    close_item(w, ']');
    reference(w, "subject");
    open_item(w, "period", '{');
    const char *date = date_time(w);
    text(w, "start", date);
    text(w, "end", date);
    close_item(w, '}');
    reference(w, "serviceProvider");
}

static void
make_condition(struct writer *w)
{
    status(w, "clinicalStatus", "http://terminology.hl7.org/CodeSystem/condition-clinical", "active");
    status(w, "verificationStatus", "http://terminology.hl7.org/CodeSystem/condition-ver-status", "confirmed");
    concept(w, "code");
    reference(w, "subject");
    reference(w, "encounter");
    text(w, "onsetDateTime", date_time(w));
    text(w, "recordedDate", date_time(w));
    open_item(w, "note", '[');
    open_item(w, NULL, '{');
    text(w, "text", words(w));
    close_item(w, '}');
    close_item(w, ']');
}

static void
make_claim(struct writer *w)
{
    text(w, "status", "active");
    concept(w, "type");
    text(w, "use", "claim");
    reference(w, "patient");
    text(w, "created", date_time(w));
    reference(w, "provider");
    concept(w, "priority");
    open_item(w, "insurance", '[');
    open_item(w, NULL, '{');
    number(w, "sequence", "1");
    number(w, "focal", "true");
    reference(w, "coverage");
    close_item(w, '}');
    close_item(w, ']');
    open_item(w, "item", '[');
    for (unsigned i = 1 + chance_below(w->chance, 4); i > 0; i--) {
        open_item(w, NULL, '{');
        number(w, "sequence", "1");
        concept(w, "productOrService");
        open_item(w, "net", '{');
        number(w, "value", decimal(w));
        text(w, "currency", "USD");
        close_item(w, '}');
        close_item(w, '}');
    }
    close_item(w, ']');
    open_item(w, "total", '{');
    number(w, "value", decimal(w));
    text(w, "currency", "USD");
    close_item(w, '}');
}

static void
make_entry(struct writer *w, bool first)
{
    static const struct { const char *type; void (*make)(struct writer *); } kinds[] = {
        { "Patient", make_patient }, { "Observation", make_observation }, { "Observation", make_observation },
        { "Encounter", make_encounter }, { "Condition", make_condition }, { "Claim", make_claim },
    };
    uint32_t kind = first ? 0 : 1 + chance_below(w->chance, 5);

    open_item(w, NULL, '{');
    text(w, "fullUrl", uuid(w));
    open_item(w, "resource", '{');
    text(w, "resourceType", kinds[kind].type);
    text(w, "id", uuid(w) + 9);
    kinds[kind].make(w);
    close_item(w, '}');
    open_item(w, "request", '{');
    text(w, "method", "POST");
    text(w, "url", kinds[kind].type);
    close_item(w, '}');
    close_item(w, '}');
}

void
make_bundle(struct chance *chance, struct buf *out, size_t bytes, bool pretty)
{
    struct writer w     = { .chance = chance, .out = out, .pretty = pretty, .first = true };
    size_t        start = out->length, want = pretty ? bytes * 9 / 4 : bytes;

    open_item(&w, NULL, '{');
    text(&w, "resourceType", "Bundle");
    text(&w, "type", "transaction");
    open_item(&w, "entry", '[');
    for (bool first = true; first || (buf_status(out) == ST_OK && out->length - start + 700 < want); first = false)
        make_entry(&w, first);
    close_item(&w, ']');
    close_item(&w, '}');
}
