/* gateway/stages/redact.c -- decisions, closure and sealed splices, for each recipient. */
#include "gateway/stages/stages.h"

#include "consent/consent_form.h"
#include "consent/contained.h"
#include "gateway/runtime/identity.h"

static enum step
enter(struct exchange *ex)
{
    for (size_t i = 0; i < ex->outgoing_count; i++) {
        struct outgoing *out = &ex->outgoing[i];
        enum status      st  = release_make(ex->bundle, ex->references, ex->labeling, out->facts,
                                            ex->arena, &out->release);
        if (st == ST_OK)
            st = review_apply(ex, out);
        if (st != ST_OK)
            return exchange_fail(ex, st, "what a recipient may see could not be decided");
        if (span_empty(out->release->payload))
            continue;
        out->sha256 = sha256_hex(ex->arena, &out->release->payload, 1);
        if (span_empty(out->sha256))
            return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    }
    bool told = ex->due == NULL && ex->bundle != NULL
                && (ex->own_consents > 0 || contained_consents(ex->bundle, ex->references, NULL) > 0
                    || consent_form_any(ex->bundle, ex->arena));
    if (told && review_own_consents(ex) != ST_OK)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    return STEP_NEXT;
}

const struct stage stage_redact = { .name = "redact", .pure = true, .enter = enter };
