/* gateway/classify/version.c -- everything that labelling depends on, as one number. */
#include "base/hash.h"
#include "fhir/pack_format.h"
#include "fhir/pack_forms.h"
#include "gateway/classify/classify.h"

/* Of the sources of labelling and its tables; by CMakeLists.txt. */
#ifndef SLUICE_LABELING_HASH
#error "SLUICE_LABELING_HASH is what cmake makes of the sources of labelling"
#endif

static void
add_number(struct hash *h, int64_t number)
{
    hash_add(h, span_from((const char *)&number, sizeof number));
}

/* With its length, so that two texts are not another two. */
static void
add_text(struct hash *h, struct span text)
{
    add_number(h, (int64_t)text.length);
    hash_add(h, text);
}

static void
add_texts(struct hash *h, const struct span *list, size_t count)
{
    add_number(h, (int64_t)count);
    for (size_t i = 0; i < count; i++)
        add_text(h, list[i]);
}

static void
add_program(struct hash *h, const struct program *p)
{
    add_texts(h, p->references, p->reference_count);
    add_texts(h, p->sources, p->source_count);
    add_texts(h, p->names, p->name_count);
    add_texts(h, p->phones, p->phone_count);
    add_texts(h, p->addresses, p->address_count);
    add_number(h, (int64_t)p->identifier_count);
    for (size_t i = 0; i < p->identifier_count; i++) {
        add_text(h, p->identifiers[i].system);
        add_text(h, p->identifiers[i].value);
    }
    add_number(h, p->from_ms);
    add_number(h, p->until_ms);
    add_text(h, p->id);
    add_text(h, p->continues);
}

/* A bare answer is about what its Questionnaire asks.  Packages without one change nothing. */
static void
add_forms(struct hash *h, const struct pack *pack)
{
    if (pack != NULL && pack_form_count(pack) > 0)
        add_number(h, (int64_t)pack->header->checksum);
}

uint64_t
class_registry_version(const struct config *config)
{
    struct hash h = hash_begin(1, 0);

    for (size_t i = 0; i < config->program_count; i++)
        add_program(&h, &config->programs[i]);
    return hash_end(&h);
}

uint64_t
class_rules_version(void)
{
    struct hash h = hash_begin(2, 0);

    hash_add(&h, SPAN(SLUICE_LABELING_HASH));
    return hash_end(&h);
}

/* 0 is no version (store/classes.h). */
uint64_t
class_version(const struct config *config)
{
    struct hash h = hash_begin(3, 0);

    add_number(&h, (int64_t)class_rules_version());
    add_number(&h, (int64_t)class_registry_version(config));
    for (size_t i = 0; i < config->client_count; i++) {
        const struct config_client *c = &config->clients[i];
        add_text(&h, c->title);
        add_text(&h, c->party.reference);
        add_number(&h, c->part2);
        add_number(&h, c->trust_labels);
    }
    add_forms(&h, config->pack);
    uint64_t version = hash_end(&h);
    return version != 0 ? version : 1;
}

struct span
class_version_text(uint64_t version, struct arena *arena)
{
    return arena_format(arena, "%016llx", (unsigned long long)version);
}
