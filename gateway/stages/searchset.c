/* gateway/stages/searchset.c -- the Bundle of an answer: a searchset or a history. */
#include "gateway/stages/searchset.h"

#include "fhir/datatypes.h"

#define MOST_URL ((size_t)64 << 10)

struct span
searchset_base(struct exchange *ex)
{
    return arena_join(ex->arena, SPAN("https://"), http_request_header(ex->request, SPAN("Host")), SPAN("/fhir/"));
}

void
searchset_link(author_value links, const char *relation, struct span url)
{
    author_value link = author_add_object(links, NULL);

    author_add_cstr(link, "relation", relation);
    author_add_text(link, "url", url);
}

author_value
searchset_begin(struct exchange *ex, struct author *author, const char *type)
{
    author_value root = author_object(author);

    author_add_cstr(root, "resourceType", "Bundle");
    author_add_cstr(root, "type", type);
    author_add_text(root, "timestamp", time_format(ex->arena, ex->at_ms));
    return root;
}

enum step
searchset_finish(struct exchange *ex, struct author *author)
{
    enum status st = author_print(author, &ex->answer_body, AUTHOR_COMPACT);

    author_free(&author);
    if (st != ST_OK || arena_spent(ex->arena))
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    exchange_answer_json(ex, 200, buf_span(&ex->answer_body));
    return STEP_NEXT;
}

struct span
searchset_url(struct exchange *ex, struct span type, struct span form, struct span page)
{
    struct buf  url;
    struct span queries[2] = { http_request_head(ex->request)->query, form };
    char        mark       = '?';

    buf_init(&url, MOST_URL);
    buf_add(&url, searchset_base(ex));
    buf_add(&url, type);
    for (size_t i = 0; i < 2; i++)
        while (!span_empty(queries[i])) {
            struct span one = span_split(&queries[i], '&');
            if (span_empty(one) || span_starts(one, SPAN("page=")))
                continue;
            buf_add_byte(&url, mark);
            buf_add(&url, one);
            mark = '&';
        }
    if (!span_empty(page)) {
        buf_add_byte(&url, mark);
        buf_add_text(&url, "page=");
        buf_add(&url, page);
    }
    struct span out = buf_status(&url) == ST_OK ? arena_copy(ex->arena, buf_span(&url)) : (struct span){ NULL, 0 };
    buf_release(&url);
    return out;
}
