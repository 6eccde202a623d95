#include "gateway/auth/pace.h"

bool
pace_ask(struct pace *pace, struct span client, int64_t now_ms, uint32_t most)
{
    _Atomic uint64_t *slot   = &pace->slots[span_hash(client) % PACE_SLOTS];
    uint64_t          minute = (uint64_t)(now_ms / 60000) & UINT32_MAX;
    uint64_t          was    = atomic_load(slot), next;

    do {
        uint64_t count = was >> 32 == minute ? was & UINT32_MAX : 0;
        if (count >= most)
            return false;
        next = minute << 32 | (count + 1);
    } while (!atomic_compare_exchange_weak(slot, &was, next));
    return true;
}
