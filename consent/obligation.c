#include "consent/obligation.h"

#include "base/json_author.h"
#include "consent/match.h"

const char obligation_notice_long[] =
    "This record which has been disclosed to you is protected by Federal confidentiality rules (42 CFR part 2). "
    "These rules prohibit you from using or disclosing this record, or testimony that describes the information "
    "contained in this record, in any civil, criminal, administrative, or legislative proceedings by any Federal, "
    "State, or local authority, against the patient, unless authorized by the consent of the patient, except as "
    "provided at 42 CFR 2.12(c)(5) or as authorized by a court in accordance with 42 CFR 2.64 or 2.65. In addition, "
    "the Federal rules prohibit you from making any other use or disclosure of this record unless at least one of "
    "the following applies: (i) Further use or disclosure is expressly permitted by the written consent of the "
    "individual whose information is being disclosed in this record or as otherwise permitted by 42 CFR part 2. "
    "(ii) You are a covered entity or business associate and have received the record for treatment, payment, or "
    "health care operations, or (iii) You have received the record from a covered entity or business associate as "
    "permitted by 45 CFR part 164, subparts A and E. A general authorization for the release of medical or other "
    "information is NOT sufficient to meet the required elements of written consent to further use or redisclose "
    "the record (see 42 CFR 2.31).";

const char obligation_notice_short[] =
    "42 CFR part 2 prohibits unauthorized use or disclosure of these records.";

static struct span scope_of(const struct consent *, const struct asker *);
static struct span purposes_in_words(purpose_set, struct arena *);
static struct span data_in_words(const struct criteria *, struct arena *);
static struct span labels_in_words(const struct criteria *, struct arena *);
static struct span joined(struct arena *, struct span list, const char *between, struct span more);
static struct span day(int64_t ms, struct arena *);
static struct span extension(struct arena *, struct span text);

const char *
obligation_code(enum obligation o)
{
    switch (o) {
    case OBLIGE_NOTICE:       return "notice-2.32";
    case OBLIGE_CONSENT_COPY: return "consent-copy-2.32";
    case OBLIGE_ACCOUNTING:   return "accounting-2.25";
    case OBLIGE_AUDIT:        return "audit";
    case OBLIGE_EMERGENCY:    return "document-emergency-2.51";
    case OBLIGE_REVIEW:       return "post-hoc-review";
    case OBLIGE_NO_REUSE:     return "no-further-use-2.26";
    case OBLIGE_INTERMEDIARY: return "intermediary-list-2.24";
    case OBLIGE_STATE_NOTICE: return "state-notice";
    }
    return NULL;
}

const char *
obligation_text(enum obligation o)
{
    switch (o) {
    case OBLIGE_NOTICE:
        return obligation_notice_long;
    case OBLIGE_CONSENT_COPY:
        return "A copy of the consent or a clear explanation of its scope accompanies the disclosure, 42 CFR 2.32(b).";
    case OBLIGE_ACCOUNTING:
        return "The disclosure is made with consent and belongs in the patient's accounting, 42 CFR 2.25.";
    case OBLIGE_AUDIT:
        return "The disclosure is recorded before it leaves.";
    case OBLIGE_EMERGENCY:
        return "The patient's record documents at once the name and affiliation of who received it, the name of who "
               "disclosed it, date and time, and the nature of the emergency, 42 CFR 2.51(c).";
    case OBLIGE_NO_REUSE:
        return "The patient restricted this record; ask the recipient not to use or disclose it further, "
               "45 CFR 164.522(a)(1)(iv), 42 CFR 2.26(a)(4).";
    case OBLIGE_INTERMEDIARY:
        return "The disclosure goes on the list that the intermediary owes the patient, 42 CFR 2.24.";
    case OBLIGE_STATE_NOTICE:
        return "The notice of a policy pack of this site accompanies the disclosure.";
    case OBLIGE_REVIEW:
        return "Somebody reviews this disclosure afterwards.";
    }
    return NULL;
}

/* ---- the explanation ------------------------------------------------------------ */

struct span
obligation_explain_consent(const struct consent *c, const struct facts *facts, struct arena *arena)
{
    struct asker asker;
    struct span  scope;

    if (asker_make(facts, NULL, arena, &asker) != ST_OK)
        return (struct span){ 0 };
    scope = scope_of(c, &asker);
    return arena_format(arena,
                        "The patient's written consent (%.*s%s%.*s) permits this disclosure to you%.*s%.*s%s It may be "
                        "revoked at any time. It does not extend to SUD counseling notes, nor to any civil, criminal, "
                        "administrative, or legislative investigation or proceeding (42 CFR 2.31(b), (d)).",
                        SPAN_PRINT(c->reference), c->dated ? ", dated " : "", SPAN_PRINT(c->date_text),
                        SPAN_PRINT(scope), SPAN_PRINT(c->period.last_ms < INT64_MAX
                                                          ? arena_format(arena, ", until %.*s", SPAN_PRINT(day(c->period.last_ms, arena)))
                                                          : SPAN("")),
                        ".");
}

struct span
obligation_explain_document(const struct instrument *d, struct arena *arena)
{
    return arena_format(arena,
                        "A %s (%.*s, from %.*s%s%.*s) permits this disclosure to you, for that purpose alone (%s). It does "
                        "not extend to SUD counseling notes, nor to any civil, criminal, administrative, or legislative "
                        "investigation or proceeding (42 CFR 2.31(b), (d)).",
                        instrument_words(d->kind), SPAN_PRINT(d->id), SPAN_PRINT(day(d->from_ms, arena)),
                        d->to_ms < INT64_MAX ? " until " : "",
                        SPAN_PRINT(d->to_ms < INT64_MAX ? day(d->to_ms, arena) : SPAN("")), instrument_citation(d->kind));
}

/* What its permits for this recipient say, each once. */
static struct span
scope_of(const struct consent *c, const struct asker *asker)
{
    struct span text = SPAN("");

    for (uint32_t i = 0; i < c->provision_count; i++) {
        const struct provision *p = &c->provisions[i];
        struct span             one, data;
        bool base = i == 0 && c->base == BASE_PERMIT && (p->criteria.stated & ~(uint32_t)DIMENSION_CUSTODIAN) == 0;
        if ((p->type != PROVISION_PERMIT && !base) || match_audience(p, asker).match != MATCH_YES)
            continue;
        one  = purposes_in_words(p->criteria.purposes, asker->arena);
        data = data_in_words(&p->criteria, asker->arena);
        one  = arena_format(asker->arena, "%s%.*s%s%.*s", one.length > 0 ? ", for " : "", SPAN_PRINT(one),
                            data.length > 0 ? ", of " : "", SPAN_PRINT(data));
        if (one.length > 0 && span_find(text, one) == SPAN_NOT_FOUND)
            text = arena_format(asker->arena, "%.*s%s%.*s", SPAN_PRINT(text), text.length > 0 ? "; also" : "",
                                SPAN_PRINT(text.length > 0 ? span_skip(one, 1) : one));
    }
    return text;
}

static struct span
purposes_in_words(purpose_set purposes, struct arena *arena)
{
    static const struct { enum purpose purpose; const char *words; } known[] = {
        { PURPOSE_TREAT, "treatment" }, { PURPOSE_ETREAT, "emergency treatment" }, { PURPOSE_COC, "coordination of care" },
        { PURPOSE_HPAYMT, "payment" }, { PURPOSE_HOPERAT, "health care operations" }, { PURPOSE_CAREMGT, "care management" },
        { PURPOSE_HRESCH, "research" }, { PURPOSE_PUBHLTH, "public health" }, { PURPOSE_BTG, "emergency access" },
        { PURPOSE_PATRQT, "a request of the patient" }, { PURPOSE_HMARKT, "marketing" },
    };
    const purpose_set tpo  = PURPOSE_BIT(PURPOSE_TREAT) | PURPOSE_BIT(PURPOSE_HPAYMT) | PURPOSE_BIT(PURPOSE_HOPERAT);
    struct span       text = SPAN("");

    if ((purposes & tpo) == tpo) {
        text = SPAN("treatment, payment, and health care operations");
        purposes &= ~tpo;
    }
    for (enum purpose p = PURPOSE_NONE + 1; p < PURPOSE_COUNT; p++) {
        struct span words = span_of(purpose_code(p));
        if ((purposes & PURPOSE_BIT(p)) == 0)
            continue;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (known[i].purpose == p)
                words = span_of(known[i].words);
        text = joined(arena, text, ", ", words);
    }
    return text;
}

static struct span
data_in_words(const struct criteria *k, struct arena *arena)
{
    struct span text = labels_in_words(k, arena);

    for (size_t i = 0; i < k->class_count; i++)
        text = joined(arena, text, ", ", k->classes[i].code);
    for (size_t i = 0; i < k->code_count; i++)
        text = joined(arena, text, ", ", arena_format(arena, "code %.*s", SPAN_PRINT(k->codes[i].code)));
    for (size_t i = 0; i < k->code_text_count; i++)
        text = joined(arena, text, ", ", k->code_texts[i]);
    for (size_t i = 0; i < k->data_count; i++)
        text = joined(arena, text, ", ", k->data[i].target.reference);
    if ((k->stated & DIMENSION_DATA_PERIOD) != 0) {
        if (k->data_period.first_ms > INT64_MIN)
            text = joined(arena, text, ", ", arena_format(arena, "data from %.*s on", SPAN_PRINT(day(k->data_period.first_ms, arena))));
        if (k->data_period.last_ms < INT64_MAX)
            text = joined(arena, text, ", ", arena_format(arena, "data up to %.*s", SPAN_PRINT(day(k->data_period.last_ms, arena))));
    }
    return text;
}

static struct span
labels_in_words(const struct criteria *k, struct arena *arena)
{
    struct span text = SPAN("");

    for (enum label l = LABEL_NONE + 1; l < LABEL_COUNT; l++)
        if (labels_have(k->labels, l))
            text = joined(arena, text, ", ",
                          arena_format(arena, label_kind(l) == LABEL_CONFIDENTIALITY ? "%s data (%s)" : "%s (%s)",
                                       label_display(l), label_code(l)));
    for (size_t i = 0; i < k->foreign_label_count; i++)
        text = joined(arena, text, ", ", k->foreign_labels[i].code);
    return text;
}

static struct span
joined(struct arena *arena, struct span list, const char *between, struct span more)
{
    if (span_empty(more))
        return list;
    return arena_join(arena, list, span_of(list.length > 0 ? between : ""), more);
}

static struct span
day(int64_t ms, struct arena *arena)
{
    return span_first(time_format(arena, ms), 10);
}

/* ---- into the bundle -------------------------------------------------------------- */

enum status
obligation_attach(struct splices *splices, const struct bundle *bundle, uint32_t obligations,
                  const struct obligation_scope *scopes, size_t scope_count, const struct facts *facts,
                  struct arena *arena)
{
    return obligation_attach_labels(splices, bundle, obligations, scopes, scope_count, SPAN(""), facts, arena);
}

/* Texts for meta.extension, with commas between. */
static struct span
extensions_of(uint32_t obligations, const struct obligation_scope *scopes, size_t scope_count, const struct facts *facts,
              struct arena *arena)
{
    struct span *parts = arena_make_n(arena, 2 * scope_count + 2, struct span);
    size_t       count = 0;

    if (parts == NULL || (obligations & (OBLIGE_NOTICE | OBLIGE_CONSENT_COPY | OBLIGE_STATE_NOTICE)) == 0)
        return SPAN("");
    if ((obligations & OBLIGE_NOTICE) != 0)
        parts[count++] = extension(arena, span_of(obligation_notice_long));
    for (size_t i = 0; i < scope_count; i++) {
        const struct obligation_scope *s    = &scopes[i];
        struct span                    more = SPAN("");
        if (!span_empty(s->notice))
            more = extension(arena, s->notice);
        else if ((obligations & OBLIGE_CONSENT_COPY) != 0)
            more = extension(arena, s->consent != NULL ? obligation_explain_consent(s->consent, facts, arena)
                                                       : obligation_explain_document(s->document, arena));
        if (span_empty(more))
            continue;
        if (count > 0)
            parts[count++] = SPAN(",");
        parts[count++] = more;
    }
    return arena_join_all(arena, parts, count);
}

/* A list that is there and stays gets the items, else `*members` gets the list. */
static void
add_list(struct splices *splices, const struct tape *tape, tape_node meta, const char *name, struct span items,
         struct arena *arena, struct span *members)
{
    tape_node list = tape_member(tape, meta, span_of(name));

    if (items.length == 0)
        return;
    if (tape_kind(tape, list) == TAPE_ARRAY && !splices_is_cut(splices, list))
        splices_add_item(splices, list, items);
    else
        *members = joined(arena, *members, ",", arena_join(arena, SPAN("\""), span_of(name), SPAN("\":["), items, SPAN("]")));
}

enum status
obligation_attach_labels(struct splices *splices, const struct bundle *bundle, uint32_t obligations,
                         const struct obligation_scope *scopes, size_t scope_count, struct span labels,
                         const struct facts *facts, struct arena *arena)
{
    const struct tape *tape    = bundle->tape;
    tape_node          meta    = tape_member(tape, bundle->root, SPAN("meta"));
    struct span        members = SPAN("");
    struct span        texts   = extensions_of(obligations, scopes, scope_count, facts, arena);

    if (arena_spent(arena))
        return ST_NO_MEMORY;
    if (texts.length + labels.length == 0 || splices_is_cut(splices, bundle->root))
        return ST_OK;
    /* What the plan cut is not there for us: we add it anew. */
    if (splices_is_cut(splices, meta))
        meta = TAPE_ABSENT;
    if (meta != TAPE_ABSENT && tape_kind(tape, meta) != TAPE_OBJECT)
        return ST_MALFORMED;
    add_list(splices, tape, meta, "extension", texts, arena, &members);
    add_list(splices, tape, meta, "security", labels, arena, &members);
    if (meta == TAPE_ABSENT)
        splices_add_member(splices, bundle->root, arena_join(arena, SPAN("\"meta\":{"), members, SPAN("}")));
    else if (members.length > 0)
        splices_add_member(splices, meta, members);
    return arena_status(arena);
}

static struct span
extension(struct arena *arena, struct span text)
{
    struct span literal = author_literal(arena, text);

    if (span_empty(literal))
        return literal;
    return arena_join(arena, SPAN("{\"url\":\"" OBLIGATION_DISPLAY_URL "\",\"valueAnnotation\":{\"text\":"), literal, SPAN("}}"));
}
