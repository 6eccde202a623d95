#include "gateway/terminology/health.h"

bool
health_may_ask(struct health *h, int64_t now_ms)
{
    if (h->state == HEALTH_DOWN && now_ms >= h->until_ms) {
        h->state = HEALTH_PROBING;
        return true;
    }
    return h->state == HEALTH_UP;
}

void
health_note(struct health *h, enum health_event event, int64_t now_ms, int64_t pause_ms, int64_t retry_ms)
{
    if (event == HEALTH_ANSWERED) {
        *h = (struct health){ .state = HEALTH_UP };
        return;
    }
    if (h->state == HEALTH_DOWN)
        return;                          /* what was out when it went down says nothing new */
    h->troubles++;
    if (event == HEALTH_TROUBLE && retry_ms == 0 && h->state == HEALTH_UP && h->troubles < HEALTH_TROUBLES)
        return;
    if (retry_ms > HEALTH_LONGEST_MS)
        retry_ms = HEALTH_LONGEST_MS;
    h->state    = HEALTH_DOWN;
    h->until_ms = now_ms + (retry_ms > pause_ms ? retry_ms : pause_ms);
}

void
health_unasked(struct health *h, int64_t now_ms)
{
    if (h->state == HEALTH_PROBING) {
        h->state    = HEALTH_DOWN;
        h->until_ms = now_ms;
    }
}

int64_t
health_quiet_until(const struct health *h)
{
    return h->state == HEALTH_UP ? 0 : h->state == HEALTH_DOWN ? h->until_ms : INT64_MAX;
}
