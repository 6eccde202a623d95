#include "fhir/snapshot.h"

bool
compile_snapshot(struct compiler *c, const struct definition *d, const struct tape **tape, tape_node *elements)
{
    tape_node own = tape_member(d->tape, tape_member(d->tape, d->node, SPAN("snapshot")), SPAN("element"));

    *tape     = d->tape;
    *elements = own;
    c->id     = d->url;
    return own != TAPE_ABSENT || compile_broken(c, SPAN("want a snapshot with elements"), SPAN("have none"));
}

/* "http://…/vitalsigns|4.0.1" -> url and version. */
static void
split_canonical(struct span canonical, struct span *url, struct span *version)
{
    size_t bar = span_find_byte(canonical, '|');

    *url     = bar == SPAN_NOT_FOUND ? canonical : span_first(canonical, bar);
    *version = bar == SPAN_NOT_FOUND ? (struct span){ NULL, 0 } : span_skip(canonical, bar + 1);
}

bool
compile_snapshot_find(struct compiler *c, struct span canonical, struct snapshot *out)
{
    struct span url, version;

    split_canonical(canonical, &url, &version);
    *out = (struct snapshot){ .definition = compile_find(c, DEFINITION_STRUCTURE, url, version) };
    const struct definition *d = out->definition;
    if (d == NULL)
        return true;
    out->url        = d->url;
    out->version    = d->version;
    out->type       = tape_member_text(d->tape, d->node, SPAN("type"), c->arena);
    out->base       = tape_member_text(d->tape, d->node, SPAN("baseDefinition"), c->arena);
    out->derivation = tape_member_text(d->tape, d->node, SPAN("derivation"), c->arena);
    out->kind       = tape_member_text(d->tape, d->node, SPAN("kind"), c->arena);
    out->abstract   = tape_kind(d->tape, tape_member(d->tape, d->node, SPAN("abstract"))) == TAPE_TRUE;
    return compile_snapshot(c, d, &out->tape, &out->elements);
}
