#include "inspect/pdf_whole.h"

#define WITHOUT_END "[ -1000000 -1000000 1000000 1000000 ]"

static void
put(qpdf_data q, qpdf_oh dictionary, const char *key, qpdf_oh value)
{
    qpdf_oh_replace_key(q, dictionary, key, value);
    qpdf_oh_release(q, value);
}

static void
widen(qpdf_data q, qpdf_oh page)
{
    put(q, page, "/MediaBox", qpdf_oh_parse(q, WITHOUT_END));
    put(q, page, "/CropBox", qpdf_oh_parse(q, WITHOUT_END));
    qpdf_oh_remove_key(q, page, "/Annots");
}

/* A page that draws the form and nothing else. */
static bool
form_show(qpdf_data q, qpdf_oh form)
{
    qpdf_oh page       = qpdf_oh_parse(q, "<< /Type /Page >>");
    qpdf_oh resources  = qpdf_oh_new_dictionary(q);
    qpdf_oh names      = qpdf_oh_new_dictionary(q);
    qpdf_oh content    = qpdf_oh_new_stream(q);
    qpdf_oh dictionary = qpdf_oh_get_dict(q, form);
    qpdf_oh none       = qpdf_oh_new_null(q);

    put(q, dictionary, "/BBox", qpdf_oh_parse(q, WITHOUT_END));
    qpdf_oh_remove_key(q, dictionary, "/OC");
    qpdf_oh_replace_stream_data(q, content, (const unsigned char *)"/X Do", 5, none, none);
    qpdf_oh_replace_key(q, names, "/X", form);
    put(q, resources, "/XObject", names);
    put(q, page, "/Resources", resources);
    put(q, page, "/Contents", content);
    widen(q, page);
    bool fine = (qpdf_add_page(q, q, page, QPDF_FALSE) & QPDF_ERRORS) == 0;
    qpdf_oh_release(q, page);
    qpdf_oh_release(q, dictionary);
    qpdf_oh_release(q, none);
    return fine;
}

struct span
pdf_whole(qpdf_data q, qpdf_oh forms)
{
    qpdf_oh root = qpdf_get_root(q);
    bool    fine = true;

    qpdf_oh_remove_key(q, root, "/OCProperties");
    qpdf_oh_release(q, root);
    for (int i = 0, n = qpdf_get_num_pages(q); i < n; i++) {
        qpdf_oh page = qpdf_get_page_n(q, (size_t)i);
        widen(q, page);
        qpdf_oh_release(q, page);
    }
    for (int i = 0, n = qpdf_oh_get_array_n_items(q, forms); i < n && fine; i++) {
        qpdf_oh form = qpdf_oh_get_array_item(q, forms, i);
        fine = form_show(q, form);
        qpdf_oh_release(q, form);
    }
    if (!fine || (qpdf_init_write_memory(q) & QPDF_ERRORS) != 0)
        return span_from(NULL, 0);
    qpdf_set_static_ID(q, QPDF_TRUE);    /* a random one asks for what the sandbox has not */
    qpdf_set_stream_data_mode(q, qpdf_s_preserve);
    qpdf_set_object_stream_mode(q, qpdf_o_disable);
    if ((qpdf_write(q) & QPDF_ERRORS) != 0)
        return span_from(NULL, 0);
    return span_from((const char *)qpdf_get_buffer(q), qpdf_get_buffer_length(q));
}
