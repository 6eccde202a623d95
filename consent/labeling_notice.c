/* consent/labeling_notice.c -- what came with the notice of 42 CFR 2.32 was disclosed by a program.
 *
 * A copy keeps its character in the recipient's hands (42 CFR 2.12(d)(2)), and the notice
 * that went along is how the recipient knows (part2.md D.1, "received copy whose chain
 * includes a Part 2 disclosure with notice").  It stands in meta.extension, of the Bundle
 * or of a resource, in the wording of 2024 or an older one.
 *
 *   - In a resource it speaks of that resource; on a Bundle of all its records, unless some of
 *     them say of themselves that they are (42CFRPart2): then of these alone.
 *   - Patients, directory resources and Consents go along with records, and are none.
 *   - From a trusted labeller it confirms, from anybody else it is a claim, and unknown
 *     protects.
 */
#include "consent/labeling_work.h"

static bool
has_nocase(struct span text, struct span words)
{
    for (size_t i = 0; i + words.length <= text.length; i++)
        if (span_eq_nocase(span_from(text.at + i, words.length), words))
            return true;
    return false;
}

static bool
is_notice(struct span text)
{
    return text.length >= 60 && has_nocase(text, SPAN("42 CFR part 2"))
        && (has_nocase(text, SPAN("prohibit")) || has_nocase(text, SPAN("protected by federal confidentiality")));
}

/* The text of an extension: of an Annotation, or the value itself. */
static struct span
text_of(const struct work *w, tape_node extension)
{
    static const struct span names[] = { SPAN("valueString"), SPAN("valueMarkdown") };
    tape_node annotation = tape_member(w->tape, extension, SPAN("valueAnnotation"));
    struct span text = tape_member_text(w->tape, annotation, SPAN("text"), w->arena);

    for (size_t i = 0; i < sizeof names / sizeof names[0] && span_empty(text); i++)
        text = tape_member_text(w->tape, extension, names[i], w->arena);
    return text;
}

static tape_node
notice_in(const struct work *w, tape_node resource)
{
    tape_node list = tape_member(w->tape, tape_member(w->tape, resource, SPAN("meta")), SPAN("extension"));

    for (tape_node n = tape_first(w->tape, list); n != TAPE_ABSENT; n = tape_next(w->tape, n))
        if (is_notice(text_of(w, n)))
            return n;
    return TAPE_ABSENT;
}

static bool
is_record(const struct unit *u)
{
    return u->kind != UNIT_PATIENT && u->kind != UNIT_DIRECTORY && u->kind != UNIT_ROLE && u->kind != UNIT_PRACTITIONER
        && u->kind != UNIT_CONSENT && u->kind != UNIT_MESSAGE;
}

static void
speak(struct work *w, struct unit *u, tape_node notice)
{
    struct entry_work *e = &w->entries[u->entry];

    e->otherwise |= is_record(u);
    if (e->confirmed || !is_record(u))
        return;
    work_note(w, u->entry, LABEL_PART2, notice, "P2", SPAN("it came with the notice of 42 CFR 2.32"));
    e->claimed   = !w->trusted;
    e->confirmed = w->trusted;
    e->step      = w->trusted && e->step == 0 ? 1 : e->step;
}

void
source_notice(struct work *w)
{
    const struct bundle *b     = w->bundle;
    tape_node            whole = b->type != BUNDLE_SINGLE ? notice_in(w, b->root) : TAPE_ABSENT;
    bool                 said  = false;

    if (w->facts->labels == LABELS_GIVEN || (whole == TAPE_ABSENT && !w->extended))
        return;
    for (uint32_t i = 0; i < b->count && whole != TAPE_ABSENT; i++)
        said = said || labels_have(w->entries[i].labels, LABEL_PART2) || w->entries[i].claimed;
    for (uint32_t i = 0; i < b->count; i++) {
        struct unit *u = w->unit_of[i] != ENTRY_NONE ? &w->units[w->unit_of[i]] : NULL;
        tape_node own  = u != NULL && w->extended ? notice_in(w, u->node) : TAPE_ABSENT;
        if (own != TAPE_ABSENT)
            speak(w, u, own);
        else if (u != NULL && whole != TAPE_ABSENT && !said)
            speak(w, u, whole);
    }
}
