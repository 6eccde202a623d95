#include "tests/support/check.h"

#include "consent/plan_words.h"

static const char *
words_of(const char *text, char *out, size_t size)
{
    struct word_reader r = { span_of(text), 0 };
    struct word        w;
    size_t             n = 0;

    out[0] = 0;
    while (word_next(&r, &w))
        n += (size_t)snprintf(out + n, size - n, "%s%.*s", n > 0 ? "|" : "", (int)w.length, text + w.at);
    return out;
}

static void
test_splits_text_into_words(void **state)
{
    static const struct { const char *text, *words; } cases[] = {
        { "", "" },
        { " \n,;", "" },
        { "Opioid use-disorder", "Opioid|use|disorder" },
        { "F11.20/x_y", "F11|20|x|y" },
        { "caf\xc3\xa9 na\xc3\xafve", "caf\xc3\xa9|na\xc3\xafve" },
        { "a\xc2\xa0" "b\xe2\x80\x94" "c\xe3\x80\x80" "d", "a|b|c|d" },          /* no-break space, dash, ideographic space */
        { "meth\xc2\xad" "adone", "meth\xc2\xad" "adone" },                        /* soft hyphen: one word */
        { "\xef\xbb\xbf" "x", "x" },
        { "x\xff", "x\xff" },
    };
    char room[256];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(words_of(cases[i].text, room, sizeof room), cases[i].words);
}

static uint64_t
hash_of(const char *text)
{
    struct word_reader r = { span_of(text), 0 };
    struct word        w;

    assert_true(word_next(&r, &w));
    return w.hash;
}

static void
test_folds_what_reads_the_same(void **state)
{
    (void)state;
    assert_true(hash_of("METHADONE") == hash_of("methadone"));
    assert_true(hash_of("meth\xc2\xad" "adone") == hash_of("methadone"));
    assert_true(hash_of("meth\xe2\x80\x8b" "adone") == hash_of("methadone"));        /* zero-width space */
    assert_true(hash_of("meth\xe2\x81\xa0" "adone") == hash_of("methadone"));        /* word joiner */
    assert_true(hash_of("\xef\xbd\x8d\xef\xbd\x85") == hash_of("me"));               /* full width */
    assert_true(hash_of("\xef\xbc\xad\xef\xbc\xa5") == hash_of("me"));
    assert_true(hash_of("\xc3\x89t\xc3\xa9") == hash_of("\xc3\xa9t\xc3\xa9"));       /* Latin-1 capital */
    assert_false(hash_of("methadon") == hash_of("methadone"));
}

struct hits { unsigned count; uint32_t last; size_t at, length; };

static bool
hit(void *with, uint32_t phrase, size_t at, size_t length)
{
    struct hits *h = with;

    h->count++;
    h->last   = phrase;
    h->at     = at;
    h->length = length;
    return true;
}

static struct hits
scan(const struct phrases *p, const char *text)
{
    struct hits h = { 0, PHRASE_NONE, 0, 0 };

    phrases_scan(p, span_of(text), hit, &h);
    return h;
}

static void
test_finds_phrases_whatever_stands_between_their_words(void **state)
{
    struct arena   *arena = arena_new("words", 1 << 24);
    struct phrases *p     = phrases_new(arena);
    bool            is_new;
    uint32_t        oud = phrases_add(p, SPAN("opioid use disorder"), PHRASE_WORDS, 1, &is_new);

    (void)state;
    assert_true(is_new);
    assert_int_equal(phrases_add(p, SPAN("Opioid-use  Disorder."), PHRASE_WORDS, 1, &is_new), oud);
    assert_false(is_new);
    uint32_t other = phrases_add(p, SPAN("opioid use disorder"), PHRASE_WORDS, 2, &is_new);
    assert_true(is_new && other != oud);
    assert_int_equal(phrases_find(p, SPAN("OPIOID USE DISORDER"), PHRASE_NONE), other);
    assert_int_equal(phrases_find(p, SPAN("OPIOID USE DISORDER"), other), oud);
    assert_int_equal(phrases_find(p, SPAN("OPIOID USE DISORDER"), oud), PHRASE_NONE);
    assert_int_equal(phrases_find(p, SPAN("opioid use"), PHRASE_NONE), PHRASE_NONE);

    assert_int_equal(scan(p, "known Opioid,\nuse/disorder, severe").count, 2);
    assert_int_equal(scan(p, "opioid use disorder opioid use disorder").count, 4);
    assert_int_equal(scan(p, "opioid used disorder").count, 0);
    struct hits h = scan(p, "an OPIOID use  disorder");
    assert_int_equal(h.at, 3);
    assert_int_equal(h.length, sizeof "OPIOID use  disorder" - 1);
    arena_free(&arena);
}

static void
test_literals_stand_as_they_are_written(void **state)
{
    struct arena   *arena = arena_new("words", 1 << 24);
    struct phrases *p     = phrases_new(arena);
    bool            is_new;

    (void)state;
    (void)phrases_add(p, SPAN("Condition/oud"), PHRASE_LITERAL, 0, &is_new);
    assert_int_equal(scan(p, "see Condition/oud.").count, 1);
    assert_int_equal(scan(p, "https://x/condition/OUD/_history/2").count, 1);
    assert_int_equal(scan(p, "Condition oud").count, 0);
    assert_int_equal(scan(p, "Condition/oud-2").count, 0);
    assert_int_equal(scan(p, "Condition/oud.b").count, 0);
    assert_int_equal(scan(p, "Condition/oud2").count, 0);
    assert_int_equal(scan(p, "Condition/oud-").count, 1);
    arena_free(&arena);
}

static void
test_takes_no_empty_and_no_endless_phrase(void **state)
{
    struct arena   *arena = arena_new("words", 1 << 24);
    struct phrases *p     = phrases_new(arena);
    bool            is_new;
    const char     *most = "a b c d e f g h i j k l m n o p q r s t u v w x";

    (void)state;
    assert_int_equal(scan(p, "nothing is there").count, 0);
    assert_int_equal(phrases_add(p, SPAN(" - "), PHRASE_WORDS, 0, &is_new), PHRASE_NONE);
    assert_int_equal(phrases_add(p, SPAN("1 a b c d e f g h i j k l m n o p q r s t u v w x"), PHRASE_WORDS, 0, &is_new),
                     PHRASE_NONE);
    assert_int_not_equal(phrases_add(p, span_of(most), PHRASE_WORDS, 0, &is_new), PHRASE_NONE);
    assert_int_equal(scan(p, "0 a b c d e f g h i j k l m n o p q r s t u v w x y z").count, 1);
    arena_free(&arena);
}

static bool
stop(void *with, uint32_t phrase, size_t at, size_t length)
{
    (void)phrase, (void)at, (void)length;
    ++*(unsigned *)with;
    return false;
}

static void
test_finds_each_of_thousands_and_stops_when_told(void **state)
{
    struct arena   *arena = arena_new("words", 1 << 26);
    struct phrases *p     = phrases_new(arena);
    struct buf      all;
    unsigned        stopped = 0;
    bool            is_new;

    (void)state;
    buf_init(&all, 1 << 20);
    for (unsigned i = 0; i < 5000; i++) {
        struct span text = arena_format(arena, "https://ehr.example.org/fhir/Condition/%u", i);
        assert_int_equal(phrases_add(p, text, PHRASE_LITERAL, 0, &is_new), i);
        buf_add(&all, text);
        buf_add_text(&all, " ");
    }
    assert_int_equal(phrases_count(p), 5000);
    buf_add_byte(&all, 0);
    assert_int_equal(scan(p, buf_span(&all).at).count, 5000);
    phrases_scan(p, buf_span(&all), stop, &stopped);
    assert_int_equal(stopped, 1);
    buf_release(&all);
    arena_free(&arena);
}

static void
test_says_nothing_when_memory_is_spent(void **state)
{
    struct arena   *arena = arena_new("words", 16384);
    struct phrases *p     = phrases_new(arena);
    bool            is_new;
    unsigned        added = 0;

    (void)state;
    for (unsigned i = 0; p != NULL && i < 1000; i++) {
        char text[32];
        snprintf(text, sizeof text, "word%u", i);
        added += phrases_add(p, arena_copy(arena, span_of(text)), PHRASE_WORDS, 0, &is_new) != PHRASE_NONE;
    }
    assert_true(arena_spent(arena));
    assert_true(added < 1000);
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_splits_text_into_words),
        cmocka_unit_test(test_folds_what_reads_the_same),
        cmocka_unit_test(test_finds_phrases_whatever_stands_between_their_words),
        cmocka_unit_test(test_literals_stand_as_they_are_written),
        cmocka_unit_test(test_takes_no_empty_and_no_endless_phrase),
        cmocka_unit_test(test_finds_each_of_thousands_and_stops_when_told),
        cmocka_unit_test(test_says_nothing_when_memory_is_spent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
