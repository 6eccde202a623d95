/* Invariants that the walk checks without a program, against the FHIRPath of
 * the definitions.
 *
 * Every element of a document is asked, with the context that it has there:
 * where the expression is not true, and what the walk finds, must be the same.
 * Documents are those at hand, changed at random, and random ones made for the
 * rules that hardly any document breaks.  A rule that nothing broke fails the
 * test, for nothing was shown.
 *
 * txt-1 and txt-2 are htmlChecks() both, which R4 does not define further: asked
 * is what fhir/profile_constraints.c answers, and of narratives made here also
 * what their parts say.
 */
#include "fhir/validate.h"

#include "base/json_walk.h"
#include "fhir/fhirpath.h"
#include "fhir/pack_snapshots.h"
#include "fhir/profile_format.h"
#include "fhir/xhtml.h"
#include "tests/fhir/fhir_check.h"
#include "tests/support/check.h"

static const struct pack *pack;              /* NULL: the definitions are not installed */

/* ---- what is compared ---------------------------------------------------------------------- */

/* How a finding of the walk stands to the element that the expression is asked of. */
enum counted {
    EACH,                    /* one for each element that breaks it            */
    SOME,                    /* of a document: some, when any breaks it        */
    NARRATIVE,               /* as SOME, under any of the rules of narratives  */
};

static struct native {
    const char  *key, *type;                     /* the StructureDefinition that says it */
    enum counted counted;
    bool         open;                           /* where the expression has no answer, either may be */
    struct span  program;
    size_t       compared, broken;
} natives[] = {
    { .key = "ele-1", .type = "Element" },          { .key = "ext-1", .type = "Extension" },
    { .key = "dom-2", .type = "DomainResource", .counted = SOME }, { .key = "dom-3", .type = "DomainResource", .counted = SOME },
    { .key = "dom-4", .type = "DomainResource", .counted = SOME }, { .key = "dom-5", .type = "DomainResource", .counted = SOME },
    { .key = "ref-1", .type = "Reference", .open = true },         /* "#" names what contains: 'in' has no answer */
    { .key = "txt-1", .type = "Narrative", .counted = NARRATIVE }, { .key = "txt-2", .type = "Narrative", .counted = NARRATIVE },
    { .key = "bdl-1", .type = "Bundle" },           { .key = "bdl-2", .type = "Bundle", .counted = SOME },
    { .key = "bdl-3", .type = "Bundle", .counted = SOME }, { .key = "bdl-4", .type = "Bundle", .counted = SOME },
    { .key = "bdl-5", .type = "Bundle" },           { .key = "bdl-7", .type = "Bundle", .counted = SOME },
    { .key = "bdl-8", .type = "Bundle", .open = true },            /* an entry without fullUrl */
    { .key = "bdl-9", .type = "Bundle" },
    { .key = "bdl-10", .type = "Bundle" },          { .key = "bdl-11", .type = "Bundle" },
    { .key = "bdl-12", .type = "Bundle" },
    /* Of fhir/shortcuts.def: what holds at a glance does not hide what does not hold. */
    { .key = "obs-6", .type = "Observation" },      { .key = "obs-7", .type = "Observation" },
    { .key = "qty-3", .type = "Quantity" },
    { .key = "per-1", .type = "Period", .open = true },            /* of different precision: ordered_days() of profile_shortcuts.c */
    { .key = "att-1", .type = "Attachment" },       { .key = "cpl-3", .type = "CarePlan" },
    { .key = "prr-1", .type = "ServiceRequest" },
};
#define NATIVES (sizeof natives / sizeof natives[0])

static uint32_t *asked;                          /* of each shape: a bit for each native */

static enum fhirpath_truth
html_checks(void *caller, const struct fhirpath_item *item)
{
    const struct tape *t     = caller;
    struct arena      *arena = test_arena();
    bool               good  = walk_kind(t, item->node) == TAPE_STRING && xhtml_check(walk_text(t, item->node, arena), NULL, NULL);

    arena_free(&arena);
    return good ? FHIRPATH_TRUE : FHIRPATH_FALSE;
}

static const struct fhirpath_calls calls = { .html_checks = html_checks };

static bool
has_constraint(const struct pack_shape *shape, const char *key)
{
    const struct pack_node *n = shape->node != PACK_NONE ? &pack->nodes[shape->node] : NULL;

    for (uint32_t i = 0; n != NULL && i < n->constraint_count; i++)
        if (span_eq_text(pack_span(pack, pack->constraints[n->first_constraint + i].key), key))
            return true;
    return false;
}

/* The program of an invariant, as the StructureDefinition says it. */
static struct span
program_of(const struct native *one, struct arena *arena)
{
    struct span                 url  = arena_join(arena, SPAN("http://hl7.org/fhir/StructureDefinition/"), span_of(one->type));
    const struct pack_snapshot *mine = pack_snapshot_named(pack, url, SPAN("")), none = { 0 };
    const struct tape          *t;
    struct span                 program;

    mine = mine != NULL ? mine : &none;
    assert_true(mine->length > 0);
    t = test_tape(arena, span_from((const char *)pack->snapshot_bytes + mine->first, mine->length));
    for (tape_node e = tape_first(t, TAPE_ROOT); e != TAPE_ABSENT; e = tape_next(t, e))
        for (tape_node n = tape_first(t, tape_member(t, e, SPAN("constraint"))); n != TAPE_ABSENT; n = tape_next(t, n)) {
            if (!tape_text_eq(t, tape_member(t, n, SPAN("key")), span_of(one->key)))
                continue;
            assert_int_equal(fhirpath_compile(tape_member_text(t, n, SPAN("expression"), arena), arena, &program, NULL), ST_OK);
            return program;
        }
    fail_msg("the definitions have no invariant %s", one->key);
    return SPAN("");
}

static int
open_pack(void **state)
{
    static struct arena *arena;

    (void)state;
    pack = test_pack();
    if (pack == NULL)
        return 0;
    arena = test_arena();
    asked = arena_make_n(arena, pack->counts[PACK_SHAPES], uint32_t);
    assert_non_null(asked);
    for (size_t k = 0; k < NATIVES; k++) {
        natives[k].program = program_of(&natives[k], arena);
        for (uint32_t i = 0; i < pack->counts[PACK_SHAPES]; i++) {
            const struct pack_shape *shape = &pack->shapes[i];
            bool                     mine  = has_constraint(shape, natives[k].key);
            if (k == 0)                                  /* resources are no elements */
                mine = !(shape->flags & SHAPE_RESOURCE);
            if (span_eq_text(span_of(natives[k].key), "ext-1"))
                mine = shape->flags & SHAPE_EXTENSION;
            asked[i] |= (uint32_t)mine << k;
        }
    }
    return 0;
}

/* ---- one document ---------------------------------------------------------------------------- */

struct sides { size_t broken[NATIVES], open[NATIVES], failed[NATIVES]; };      /* elements, by the expressions */

static void
ask_item(const struct bundle *bundle, const struct fhirpath_item *item, struct arena *arena, struct sides *out)
{
    tape_node node     = item->node != TAPE_ABSENT ? item->node : item->shadow;
    uint32_t  resource = bundle_resource_index(bundle, node), bits = item->primitive != PRIMITIVE_NONE;

    if (resource == ENTRY_NONE || item->kind != FHIRPATH_NODE)
        return;
    if (item->shape != FHIRPATH_NO_SHAPE)
        bits = asked[item->shape];
    else if (item->primitive == PRIMITIVE_XHTML)         /* txt-1, txt-2 */
        bits = item->node != TAPE_ABSENT ? 3u << 7 : 0;
    const struct bundle_resource *mine = bundle_resource_at(bundle, resource);
    struct fhirpath_context context = {
        .pack = pack, .tape = bundle->tape, .focus = *item, .resource = mine->node, .calls = &calls, .caller = (void *)(uintptr_t)bundle->tape,
        .root_resource = bundle_resource_at(bundle, mine->container)->node, .max_steps = UINT32_MAX, .max_bytes = (size_t)256 << 20,
    };
    for (size_t k = 0; k < NATIVES; k++) {
        if (!(bits >> k & 1))
            continue;
        enum fhirpath_truth truth = fhirpath_true(natives[k].program, &context, arena, NULL);
        out->failed[k] += truth == FHIRPATH_FAILED;
        natives[k].compared++;
        out->open[k]   += truth == FHIRPATH_EMPTY && natives[k].open;
        out->broken[k] += truth == FHIRPATH_FALSE || (truth == FHIRPATH_EMPTY && !natives[k].open);
    }
}

/* The root and all below it, each with its type. */
static void
interpret(const struct bundle *bundle, struct arena *arena, struct sides *out)
{
    struct fhirpath_item    root = fhirpath_resource(pack, bundle->tape, TAPE_ROOT);
    struct fhirpath_context context = { .pack = pack, .tape = bundle->tape, .focus = root, .resource = TAPE_ROOT, .root_resource = TAPE_ROOT,
                                        .max_steps = UINT32_MAX, .max_bytes = (size_t)512 << 20 };
    struct fhirpath_result  all;
    struct span             program;

    assert_int_equal(fhirpath_compile(SPAN("descendants()"), arena, &program, NULL), ST_OK);
    assert_int_equal(fhirpath_run(program, &context, arena, &all), ST_OK);
    ask_item(bundle, &root, arena, out);
    for (uint32_t i = 0; i < all.count; i++)
        ask_item(bundle, &all.items[i], arena, out);
}

static size_t
found(const struct issues *issues, const char *rule)
{
    size_t count = 0;

    for (uint32_t i = 0; i < issues_count(issues); i++)
        if (strcmp(issues_at(issues, i)->rule, rule) == 0 && issues_at(issues, i)->severity <= SEVERITY_ERROR)
            count += issues_at(issues, i)->times;
    return count;
}

/* What another rule has refused already leaves the question without sense. */
static const struct { const char *native, *rule; } moot[] = {
    { "dom-3", "contained-id" }, { "dom-3", "dom-2" }, { "ref-1", "dom-2" }, { "bdl-", "bundle-type" }, { "bdl-", "cardinality" }, { "per-1", "primitive" },
    { "txt-", "primitive" },
};

/* dom-3 is silent about links and images of narratives, which refer as well. */
static bool
is_moot(const struct native *one, const struct issues *issues, struct span json)
{
    if (strcmp(one->key, "dom-3") == 0 && span_find(json, SPAN("=\\\"#")) != SPAN_NOT_FOUND)
        return true;
    for (size_t i = 0; i < sizeof moot / sizeof *moot; i++)
        if (strncmp(one->key, moot[i].native, strlen(moot[i].native)) == 0 && found(issues, moot[i].rule) > 0)
            return true;
    return false;
}

static bool
agree(const struct native *one, size_t broken, size_t open, const struct issues *issues)
{
    size_t have = found(issues, one->key);

    if (one->counted == NARRATIVE)
        have += found(issues, "xhtml") + found(issues, one->key[4] == '1' ? "txt-2" : "txt-1") + found(issues, "xhtml-active");
    if (one->counted == EACH)
        return have >= broken && have <= broken + open;
    return (broken > 0) == (have > 0);
}

/* Structure that the walk refuses: what is inside has no types, and invariants
 * are about elements that have. */
static bool
refused(const struct issues *issues)
{
    static const char *const rules[] = { "json", "bundle", "json-type", "json-array", "json-empty", "json-null", "json-parallel", "unknown-element",
                                         "element-case", "choice", "resource-type", "validate" };

    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (found(issues, rules[i]) > 0)
            return true;
    return false;
}

#define MOST_TOLD 10u
static size_t documents, refusals, differences;

/* False: the document has no structure to compare. */
static bool
compare(struct span json, const char *what)
{
    struct arena        *arena  = arena_new("test", (size_t)1 << 30);
    struct issues       *issues = issues_new(arena, 20000);
    struct sides         sides  = { 0 };
    const struct bundle *bundle;
    const struct tape   *tape;
    struct tape_error    error;
    bool                 good   = tape_read(json, &tape_default_limits, arena, &tape, &error) == ST_OK
                               && bundle_read(tape, arena, issues, &bundle) == ST_OK;

    if (good)
        assert_int_equal(validate(pack, bundle, NULL, arena, issues), ST_OK);
    good = good && !refused(issues);
    documents += good;
    refusals  += !good;
    if (good)
        interpret(bundle, arena, &sides);
    for (size_t k = 0; good && k < NATIVES; k++) {
        if (is_moot(&natives[k], issues, json))
            continue;
        if (sides.failed[k] > 0)
            fail_msg("%s, %s cannot be evaluated: %.*s", what, natives[k].key, SPAN_PRINT(json));
        natives[k].broken += sides.broken[k] > 0;
        if (!agree(&natives[k], sides.broken[k], sides.open[k], issues) && differences++ < MOST_TOLD)
            print_message("%s, %s: broken %zu times by its expression, %zu times by the walk: %.*s\n", what, natives[k].key,
                          sides.broken[k], found(issues, natives[k].key), (int)(json.length < 4000 ? json.length : 4000), json.at);
    }
    arena_free(&arena);
    return good;
}

/* ---- changed documents -------------------------------------------------------------------------- */

#define EXTENSION(rest) "\"extension\":[{\"url\":\"http://t.example/e\"" rest "}]"
#define NARRATIVE_OF(text) "\"text\":{\"status\":\"generated\",\"div\":\"" text "\"}"
#define DIV "<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">"
#define CONTAINED(rest) "\"contained\":[{\"resourceType\":\"Device\",\"id\":\"zz\"" rest "}]"

/* Members to put in front of those of an object. */
static const char *const members[] = {
    "\"id\":\"x\"", EXTENSION(""), EXTENSION(",\"valueCode\":\"a\""), EXTENSION(",\"valueCode\":\"a\"," EXTENSION(",\"valueCode\":\"a\"")),
    EXTENSION("," EXTENSION(",\"valueCode\":\"a\"")), EXTENSION(",\"_valueCode\":{" EXTENSION(",\"valueCode\":\"a\"") "}"),
    EXTENSION(",\"_valueCode\":{\"id\":\"x\"}"), EXTENSION(",\"id\":\"x\""), EXTENSION(",\"valuePeriod\":{\"id\":\"x\"}"),
    "\"modifierExtension\":[{\"url\":\"http://t.example/e\"}]", "\"valueString\":\"s\"", "\"_valueString\":{\"id\":\"x\"}", "\"_status\":{\"id\":\"x\"}", "\"_div\":{\"id\":\"x\"}",
    "\"reference\":\"#\"", "\"reference\":\"#nobody\"", "\"reference\":\"#zz\"", "\"_reference\":{\"id\":\"x\"}",
    "\"subject\":{\"reference\":\"#zz\"}", "\"subject\":{\"reference\":\"#\"}",
    CONTAINED(""), CONTAINED(",\"meta\":{\"versionId\":\"1\"}"), CONTAINED(",\"meta\":{\"lastUpdated\":\"2020-01-01T00:00:00Z\"}"),
    CONTAINED(",\"meta\":{\"security\":[{\"system\":\"http://t.example/s\",\"code\":\"x\"}]}"), CONTAINED(",\"patient\":{\"reference\":\"#\"}"),
    CONTAINED("," CONTAINED("")), CONTAINED(",\"parent\":{\"reference\":\"#zz\"}"),
    NARRATIVE_OF(DIV "a</div>"), NARRATIVE_OF(DIV " </div>"), NARRATIVE_OF(DIV "<script>a</script></div>"), NARRATIVE_OF("<div>a</div>"),
    NARRATIVE_OF(DIV "<p onclick=\\\"a()\\\">a</p></div>"), NARRATIVE_OF(DIV "a<b>"), NARRATIVE_OF(DIV "<blink>a</blink></div>"),
    "\"total\":1", "\"timestamp\":\"2020-01-01T00:00:00Z\"", "\"identifier\":{\"system\":\"http://t.example/s\",\"value\":\"v\"}", "\"search\":{\"mode\":\"match\"}",
    "\"request\":{\"method\":\"PUT\",\"url\":\"Patient/p\"}", "\"response\":{\"status\":\"200\"}", "\"fullUrl\":\"http://t.example/fhir/Patient/1/_history/2\"",
    "\"data\":\"AAAA\"", "\"code\":\"kg\"", "\"end\":\"1900\"", "\"dataAbsentReason\":{\"text\":\"t\"}",
};

/* Values to put where another was. */
static const char *const values[] = {
    "{\"id\":\"x\"}", "{\"reference\":\"#nobody\"}", "{\"reference\":\"#\"}", "\"#nobody\"", "\"#\"", "\"document\"", "\"message\"", "\"transaction\"",
    "\"searchset\"", "\"history\"", "\"batch-response\"", "\"" DIV "</div>\"", "\"" DIV "a</div>\"", "\"http://t.example/fhir/Patient/1\"", "[{\"id\":\"x\"}]",
    "[{\"url\":\"http://t.example/e\"}]", "\"2020\"",
};

enum change { DROP, EMPTY, REPLACE, PREFIX, TWICE, CHANGES };

struct changed {
    const struct tape *tape;
    tape_node          at;
    enum change        change;
    const char        *text;
    struct buf        *out;
};

static void write_value(const struct changed *, tape_node);

static void
write_leaf(const struct changed *c, tape_node node)
{
    enum tape_kind kind  = walk_kind(c->tape, node);
    const char    *quote = kind == TAPE_STRING || kind == TAPE_NAME ? "\"" : "";

    buf_add_text(c->out, quote);
    buf_add(c->out, walk_raw(c->tape, node));
    buf_add_text(c->out, quote);
}

static void
write_children(const struct changed *c, tape_node node, bool object)
{
    bool first = true;

    buf_add_text(c->out, object ? "{" : "[");
    if (node == c->at && c->change == PREFIX && object) {
        buf_add_text(c->out, c->text);
        first = false;
    }
    for (tape_node n = walk_first(c->tape, node); n != TAPE_ABSENT; n = walk_next(c->tape, n)) {
        unsigned times = n != c->at ? 1 : c->change == DROP ? 0 : c->change == TWICE && !object ? 2 : 1;
        for (; times > 0; times--, first = false) {
            buf_add_text(c->out, first ? "" : ",");
            if (object) {
                write_leaf(c, n - 1);
                buf_add_text(c->out, ":");
            }
            write_value(c, n);
        }
    }
    buf_add_text(c->out, object ? "}" : "]");
}

static void
write_value(const struct changed *c, tape_node node)
{
    enum tape_kind kind = walk_kind(c->tape, node);

    if (node == c->at && c->change == REPLACE)
        buf_add_text(c->out, c->text);
    else if (node == c->at && c->change == EMPTY)
        buf_add_text(c->out, kind == TAPE_OBJECT ? "{}" : kind == TAPE_ARRAY ? "[]" : "\"\"");
    else if (kind == TAPE_OBJECT || kind == TAPE_ARRAY)
        write_children(c, node, kind == TAPE_OBJECT);
    else
        write_leaf(c, node);
}

/* One value of the document, another way. */
static void
change(struct chance *chance, const struct tape *t, struct buf *out)
{
    struct changed c = { .tape = t, .at = TAPE_ABSENT, .change = (enum change)chance_below(chance, CHANGES), .out = out };
    bool           objects = c.change == PREFIX;

    for (unsigned tries = 0; tries < 64 && (c.at == TAPE_ABSENT || walk_kind(t, c.at) == TAPE_NAME || (objects && walk_kind(t, c.at) != TAPE_OBJECT)); tries++)
        c.at = TAPE_ROOT + chance_below(chance, tape_count(t));
    c.text = objects ? members[chance_below(chance, sizeof members / sizeof *members)] : values[chance_below(chance, sizeof values / sizeof *values)];
    buf_clear(out);
    write_value(&c, TAPE_ROOT);
}

#ifdef __SANITIZE_ADDRESS__
#define CHANGED_EACH 2u
#define LARGEST      ((size_t)256 << 10)
#else
#define CHANGED_EACH 60u
#define LARGEST      ((size_t)8 << 20)
#endif
#define CHANGED_LARGEST ((size_t)64 << 10)

static void
compare_text(struct chance *chance, struct span json, const char *what, unsigned changes)
{
    struct arena      *arena = test_arena();
    const struct tape *tape;
    struct tape_error  error;
    struct buf         out;

    if (json.length <= LARGEST)
        compare(json, what);
    buf_init(&out, 1 << 20);
    if (json.length <= CHANGED_LARGEST && tape_read(json, &tape_default_limits, arena, &tape, &error) == ST_OK)
        for (unsigned i = 0; i < changes; i++) {
            change(chance, tape, &out);
            compare(buf_span(&out), what);
        }
    buf_release(&out);
    arena_free(&arena);
}

static void
compare_file(const char *path, const char *name, void *context)
{
    struct arena *arena = test_arena();

    compare_text(context, check_file(arena, path), name, CHANGED_EACH);
    arena_free(&arena);
}

/* ---- made documents --------------------------------------------------------------------------- */

#define MAYBE(chance, out, text)                \
    do {                                        \
        if (chance_below((chance), 2) == 0)     \
            buf_add_text((out), (text));        \
    } while (0)

static void
make_contained(struct chance *c, struct buf *out, bool nested)
{
    unsigned count = chance_below(c, 4);

    buf_add_text(out, "{\"resourceType\":\"Patient\",\"id\":\"p\"");
    MAYBE(c, out, ",\"generalPractitioner\":[{\"reference\":\"#c0\"}]");
    MAYBE(c, out, ",\"managingOrganization\":{\"reference\":\"Organization/c1\"}");
    MAYBE(c, out, ",\"link\":[{\"other\":{\"reference\":\"#c2\"},\"type\":\"seealso\"}]");
    for (unsigned i = 0; i < count; i++) {
        buf_add_format(out, "%s{\"resourceType\":\"Organization\",\"name\":\"o\",\"id\":\"c%u\"", i == 0 ? ",\"contained\":[" : ",", i);
        MAYBE(c, out, ",\"partOf\":{\"reference\":\"#\"}");
        if (nested && chance_below(c, 8) == 0)
            buf_add_text(out, ",\"contained\":[{\"resourceType\":\"Device\",\"id\":\"d\"}]");
        if (chance_below(c, 4) == 0)
            buf_add_text(out, chance_below(c, 2) ? ",\"meta\":{\"versionId\":\"1\"}" : ",\"meta\":{\"security\":[{\"code\":\"x\",\"system\":\"http://t.example/s\"}]}");
        buf_add_text(out, "}");
    }
    buf_add_text(out, count > 0 ? "]}" : "}");
}

static void
make_resource(struct chance *c, struct buf *out)
{
    make_contained(c, out, false);
}

static void
make_nested(struct chance *c, struct buf *out)
{
    make_contained(c, out, true);
}

static void
make_bundle(struct chance *c, struct buf *out)
{
    static const char *const types[] = { "document", "message", "transaction", "transaction-response", "batch", "batch-response",
                                         "history", "searchset", "collection" };
    static const char *const resources[] = {
        ",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\"}",
        ",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\",\"meta\":{\"versionId\":\"2\"}}",
        ",\"resource\":{\"resourceType\":\"Composition\",\"status\":\"final\",\"type\":{\"text\":\"t\"},\"date\":\"2020\",\"author\":[{\"display\":\"a\"}],\"title\":\"t\"}",
        ",\"resource\":{\"resourceType\":\"MessageHeader\",\"eventUri\":\"http://t.example/e\",\"source\":{\"endpoint\":\"http://t.example/s\"}}",
        "",
    };
    /* Of no entries, and of a first one without a resource, the expressions of
     * bdl-11 and bdl-12 say nothing; the walk says what their sentences say. */
    unsigned count = 1 + chance_below(c, 3);

    buf_add_format(out, "{\"resourceType\":\"Bundle\",\"type\":\"%s\"", types[chance_below(c, 9)]);
    MAYBE(c, out, ",\"total\":1");
    MAYBE(c, out, ",\"timestamp\":\"2020-01-01T00:00:00Z\"");
    MAYBE(c, out, ",\"identifier\":{\"system\":\"http://t.example/s\",\"value\":\"v\"}");
    for (unsigned i = 0; i < count; i++) {
        buf_add_format(out, "%s{\"fullUrl\":\"http://t.example/fhir/Patient/%u%s\"", i == 0 ? ",\"entry\":[" : ",", chance_below(c, 3),
                       chance_below(c, 6) == 0 ? "/_history/1" : "");
        buf_add_text(out, resources[chance_below(c, i == 0 ? 4 : 5)]);
        MAYBE(c, out, ",\"request\":{\"method\":\"PUT\",\"url\":\"Patient/p\"}");
        MAYBE(c, out, ",\"response\":{\"status\":\"200\"}");
        if (chance_below(c, 4) == 0)
            buf_add_text(out, ",\"search\":{\"mode\":\"match\"}");
        buf_add_text(out, "}");
    }
    buf_add_text(out, count > 0 ? "]}" : "}");
}

static void
make_observation(struct chance *c, struct buf *out)
{
    static const char *const moments[] = { "2020", "2020-02", "2020-02-03", "2020-02-03T10:00:00Z", "2020-02-03T10:00:00+01:00", "2020-02-03T11:30:00+02:00",
                                           "2020-02-03T10:00:00.500+01:00", "2019-12-31T23:59:59-05:00", "2021-01-01T00:00:00+01:00" };
    static const char *const codes[]   = { "a", "b" };

    buf_add_format(out, "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"coding\":[{\"system\":\"http://t.example/s\",\"code\":\"%s\"}]}",
                   codes[chance_below(c, 2)]);
    MAYBE(c, out, ",\"dataAbsentReason\":{\"text\":\"t\"}");
    if (chance_below(c, 2) == 0) {
        buf_add_text(out, ",\"valueQuantity\":{\"value\":1");
        MAYBE(c, out, ",\"code\":\"kg\"");
        MAYBE(c, out, ",\"system\":\"http://unitsofmeasure.org\"");
        buf_add_text(out, "}");
    } else {
        MAYBE(c, out, ",\"_valueString\":{\"extension\":[{\"url\":\"http://t.example/e\",\"valueCode\":\"c\"}]}");
    }
    if (chance_below(c, 2) == 0)
        buf_add_format(out, ",\"component\":[{\"code\":{\"coding\":[{\"system\":\"http://t.example/s\",\"code\":\"%s\"}]},\"valueString\":\"s\"}]",
                       codes[chance_below(c, 2)]);
    buf_add_format(out, ",\"effectivePeriod\":{\"start\":\"%s\"", moments[chance_below(c, 9)]);
    if (chance_below(c, 4) > 0)
        buf_add_format(out, ",\"end\":\"%s\"", moments[chance_below(c, 9)]);
    buf_add_text(out, "}}");
}

static void
make_order(struct chance *c, struct buf *out)
{
    buf_add_text(out, "{\"resourceType\":\"ServiceRequest\",\"status\":\"active\",\"intent\":\"order\",\"subject\":{\"display\":\"p\"}");
    MAYBE(c, out, ",\"code\":{\"text\":\"t\"}");
    MAYBE(c, out, ",\"orderDetail\":[{\"text\":\"t\"}]");
    buf_add_text(out, "}");
}

static void
make_plan(struct chance *c, struct buf *out)
{
    buf_add_text(out, "{\"resourceType\":\"CarePlan\",\"status\":\"active\",\"intent\":\"order\",\"subject\":{\"display\":\"p\"},\"activity\":[{\"id\":\"a\"");
    MAYBE(c, out, ",\"detail\":{\"status\":\"unknown\"}");
    MAYBE(c, out, ",\"reference\":{\"display\":\"t\"}");
    buf_add_text(out, "}]}");
}

static void
make_photo(struct chance *c, struct buf *out)
{
    buf_add_text(out, "{\"resourceType\":\"Patient\",\"photo\":[{\"title\":\"t\"");
    MAYBE(c, out, ",\"data\":\"AAAA\"");
    MAYBE(c, out, ",\"contentType\":\"image/png\"");
    buf_add_text(out, "}]}");
}

/* ---- tests --------------------------------------------------------------------------------- */

static void
compare_made(void (*make)(struct chance *, struct buf *), unsigned count)
{
    struct chance chance = chance_from(20);
    struct buf    json;

    buf_init(&json, 1 << 20);
    for (unsigned i = 0; i < count; i++) {
        buf_clear(&json);
        make(&chance, &json);
        compare_text(&chance, buf_span(&json), "made at random", 1);
    }
    buf_release(&json);
}

static void
test_made_documents_by_walk_and_by_expression(void **state)
{
    (void)state;
    if (pack == NULL)
        skip();
    compare_made(make_resource, 500);
    compare_made(make_nested, 200);
    compare_made(make_bundle, 1500);
    compare_made(make_observation, 1500);
    compare_made(make_photo, 50);
    compare_made(make_order, 50);
    compare_made(make_plan, 50);
}

/* Parts of a narrative, and what each of them breaks. */
static const struct { const char *text, *rule; } parts[] = {
    { "a", NULL }, { "<p>a</p>", NULL }, { "<ul><li>a</li></ul>", NULL }, { "<table><tr><td>a</td></tr></table>", NULL }, { "<b>a</b>", NULL },
    { "<!-- a -->", NULL }, { "&amp;&#160;", NULL }, { "<img src=\\\"a.png\\\" alt=\\\"a\\\"/>", NULL },
    { "<blink>a</blink>", "txt-1" }, { "<p colour=\\\"a\\\">a</p>", "txt-1" }, { "<td>a</td>", NULL }, { "<li>a</li>", NULL },
    { "<p><div>a</div></p>", "txt-1" },
};

static void
test_narratives_are_what_their_parts_say(void **state)
{
    struct chance chance = chance_from(22);

    (void)state;
    if (pack == NULL)
        skip();
    for (unsigned i = 0; i < 500; i++) {
        struct arena  *arena  = test_arena();
        struct issues *issues = issues_new(arena, 100);
        struct buf     json;
        bool           good = true, said = false;
        const struct bundle *bundle;
        buf_init(&json, 1 << 16);
        buf_add_text(&json, "{\"resourceType\":\"Patient\",\"text\":{\"status\":\"generated\",\"div\":\"" DIV);
        for (unsigned k = chance_below(&chance, 4); k > 0; k--) {
            size_t at = chance_below(&chance, sizeof parts / sizeof *parts);
            buf_add_text(&json, parts[at].text);
            good = good && parts[at].rule == NULL;
            said = said || strncmp(parts[at].text, "<!", 2) != 0;
        }
        buf_add_text(&json, "</div>\"}}");
        assert_int_equal(bundle_read(test_tape(arena, buf_span(&json)), arena, issues, &bundle), ST_OK);
        assert_int_equal(validate(pack, bundle, NULL, arena, issues), ST_OK);
        if ((found(issues, "txt-1") == 0) != good || (found(issues, "txt-2") == 0) != said)
            fail_msg("txt-1 %zu, txt-2 %zu: %.*s", found(issues, "txt-1"), found(issues, "txt-2"), SPAN_PRINT(buf_span(&json)));
        buf_release(&json);
        arena_free(&arena);
    }
}

/* Of everything that a pack marks as checked without its program. */
static void
test_nothing_is_native_that_is_not_compared(void **state)
{
    (void)state;
    if (pack == NULL)
        skip();
    for (uint32_t i = 0; i < pack->counts[PACK_CONSTRAINTS]; i++) {
        struct span key  = pack_span(pack, pack->constraints[i].key);
        bool        mine = !(pack->constraints[i].flags & CONSTRAINT_NATIVE);
        for (size_t k = 0; !mine && k < NATIVES; k++)
            mine = span_eq_text(key, natives[k].key);
        if (!mine)
            fail_msg("%.*s is native and not compared", SPAN_PRINT(key));
    }
}

static void
compare_valid(const char *path, const char *name, void *context)
{
    struct arena *arena = test_arena();
    struct span   json  = check_file(arena, path);

    (void)context;
    if (json.length <= LARGEST)
        assert_true(compare(json, name));
    arena_free(&arena);
}

static void
test_synthea_by_walk_and_by_expression(void **state)
{
    (void)state;
    if (pack == NULL || !check_shared("data/synthea"))
        skip();
    check_folder(check_shared_path("data/synthea"), "", ".json", compare_valid, NULL);
}

static void
test_documents_at_hand_by_walk_and_by_expression(void **state)
{
    static const char *const shared[] = { "cases/validator/instances", "cases/consent", "data/bh-examples/balp", "data/bh-examples/consent-pcf",
                                          "data/bh-examples/ds4p", "data/bh-examples/ips", "data/bh-examples/negative", "data/bh-examples/opioid-cpg",
                                          "data/bh-examples/r4-spec", "data/bh-examples/subscriptions-backport", "data/bh-examples/us-bh", "data/bh-examples/us-core" };
    struct chance chance = chance_from(21);

    (void)state;
    if (pack == NULL)
        skip();
    check_folder(SLUICE_SOURCE_DIR "/packages/sluice.behavioral-health", "", ".json", compare_file, &chance);
    check_folder(SLUICE_SOURCE_DIR "/packages/sluice.behavioral-health/example", "", ".json", compare_file, &chance);
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
        if (check_shared(shared[i]))
            check_folder(check_shared_path(shared[i]), "", ".json", compare_file, &chance);
}

/* Behind the others: what all of them compared. */
static void
test_every_native_was_broken_and_was_kept(void **state)
{
    (void)state;
    if (pack == NULL)
        skip();
    print_message("%zu documents compared, %zu left out for their structure\n", documents, refusals);
    for (size_t k = 0; k < NATIVES; k++)
        print_message("    %-6s %9zu elements asked, broken in %zu documents\n", natives[k].key, natives[k].compared, natives[k].broken);
    if (differences > 0)
        fail_msg("%zu differences", differences);
    for (size_t k = 0; k < NATIVES; k++)                 /* else nothing was shown */
        if (natives[k].broken == 0 || natives[k].compared <= natives[k].broken)
            fail_msg("%s was asked of %zu elements and broken in %zu documents", natives[k].key, natives[k].compared, natives[k].broken);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_made_documents_by_walk_and_by_expression),
        cmocka_unit_test(test_synthea_by_walk_and_by_expression),
        cmocka_unit_test(test_documents_at_hand_by_walk_and_by_expression),
        cmocka_unit_test(test_narratives_are_what_their_parts_say),
        cmocka_unit_test(test_nothing_is_native_that_is_not_compared),
        cmocka_unit_test(test_every_native_was_broken_and_was_kept),
    };

    return cmocka_run_group_tests(tests, open_pack, NULL);
}
