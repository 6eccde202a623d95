#include "gateway/cli/asking.h"

#include "gateway/cli/load.h"
#include "gateway/ops/log.h"

static void
on_asked(struct task *task)
{
    loop_stop(((struct terminology_ask *)(void *)task)->home);   /* from its own turn: ends after it */
}

bool
asking_open(struct asking *a, const struct call *call)
{
    const char *path = call_value(call, "terminology");

    *a = (struct asking){ .unanswered = 0 };
    if (path == NULL)
        return true;
    a->config = load_config_at(call, path);
    if (a->config == NULL)
        return false;
    if (span_empty(a->config->terminology.url)) {
        call_say(call, "--terminology %s: it names no terminology server (terminology { url })", path);
        return false;
    }
    log_set_level(LOG_ERROR_LEVEL);      /* asking_close says it to people */
    a->loop        = loop_new(0);
    a->terminology = a->loop != NULL ? terminology_new(a->loop) : NULL;
    if (a->terminology == NULL) {
        call_say(call, "--terminology %s: %s", path, status_text(ST_NO_MEMORY));
        return false;
    }
    terminology_use(a->terminology, a->config);
    return true;
}

void
asking_close(struct asking *a, const struct call *call)
{
    if (a->unanswered > 0)
        call_say(call, "%llu questions to %.*s had no answer; what they are about stays undecided", (unsigned long long)a->unanswered,
                 SPAN_PRINT(a->config->terminology.url));
    terminology_free(&a->terminology);
    loop_free(&a->loop);
    config_unpin(&a->config);
}

struct term_questions *
asking_questions(struct asking *a, struct arena *arena)
{
    struct term_questions *q = a->terminology != NULL ? term_questions_new(arena) : NULL;

    if (q != NULL) {
        q->recall = terminology_recall;
        q->caller = a->terminology;
    }
    return q;
}

static void
count_unanswered(struct asking *a, const struct term_questions *q)
{
    for (uint32_t i = 0; i < q->count; i++)
        a->unanswered += q->list[i].answer == TERM_UNDECIDED;
}

bool
asking_wait(struct asking *a, struct term_questions *q)
{
    uint32_t                answered = 0;
    struct terminology_ask *ask      = term_questions_open(q) > 0 ? terminology_ask_new(q->arena, a->loop, q, on_asked) : NULL;

    if (ask != NULL) {
        terminology_ask(a->terminology, ask);
        loop_run_here(a->loop);
        answered = ask->answered;
    }
    count_unanswered(a, q);
    return answered > 0;
}
