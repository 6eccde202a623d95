#include "inspect/pdf_fonts.h"

#include <ctype.h>
#include <string.h>

#define FLAG_SYMBOLIC 4                  /* ISO 32000-1, table 123 */

static bool
is_hex(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!isxdigit((unsigned char)text[i]))
            return false;
    return length >= 4;
}

/* Names of the Adobe Glyph List have digits in these families only. */
bool
pdf_glyph_speaks(const char *name)
{
    static const char *const families[] = { "afii", "SF", "H" };
    size_t                   length, digits = 0;

    name += name[0] == '/';
    length = strcspn(name, ".");
    if (length == 0)
        return true;                     /* .notdef */
    if ((strncmp(name, "uni", 3) == 0 && is_hex(name + 3, length - 3)) || (name[0] == 'u' && is_hex(name + 1, length - 1)))
        return true;
    for (size_t i = 0; i < length; i++)
        digits += isdigit((unsigned char)name[i]) != 0;
    if (digits == 0)
        return true;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        size_t n = strlen(families[i]);
        if (strncmp(name, families[i], n) == 0 && digits == length - n && digits >= 5)
            return true;
    }
    return false;
}

/* A name or a string there (/Identity-H) is no table, and no reader takes it for one. */
static bool
has_stream(qpdf_data q, qpdf_oh dictionary, const char *key)
{
    qpdf_oh value = qpdf_oh_get_key(q, dictionary, key);
    bool    there = qpdf_oh_is_stream(q, value);

    qpdf_oh_release(q, value);
    return there;
}

static bool
names_speak(qpdf_data q, qpdf_oh encoding)
{
    qpdf_oh list = qpdf_oh_get_key(q, encoding, "/Differences");
    bool    fine = true;

    for (int i = 0, n = qpdf_oh_is_array(q, list) ? qpdf_oh_get_array_n_items(q, list) : 0; i < n && fine; i++) {
        qpdf_oh one = qpdf_oh_get_array_item(q, list, i);
        fine = !qpdf_oh_is_name(q, one) || pdf_glyph_speaks(qpdf_oh_get_name(q, one));
        qpdf_oh_release(q, one);
    }
    qpdf_oh_release(q, list);
    return fine;
}

static bool
is_embedded_symbol(qpdf_data q, qpdf_oh font)
{
    qpdf_oh descriptor = qpdf_oh_get_key(q, font, "/FontDescriptor");
    qpdf_oh flags      = qpdf_oh_get_key_if_dict(q, descriptor, "/Flags");
    bool    symbol     = qpdf_oh_is_integer(q, flags) && (qpdf_oh_get_int_value(q, flags) & FLAG_SYMBOLIC) != 0
                      && qpdf_oh_is_dictionary(q, descriptor) && has_stream(q, descriptor, "/FontFile2");

    qpdf_oh_release(q, flags);
    qpdf_oh_release(q, descriptor);
    return symbol;
}

static bool
is_subtype(qpdf_data q, qpdf_oh font, const char *name)
{
    qpdf_oh value = qpdf_oh_get_key(q, font, "/Subtype");
    bool    is    = qpdf_oh_is_name_and_equals(q, value, name);

    qpdf_oh_release(q, value);
    return is;
}

bool
pdf_font_speaks(qpdf_data q, qpdf_oh font)
{
    if (is_subtype(q, font, "/CIDFontType0") || is_subtype(q, font, "/CIDFontType2") || has_stream(q, font, "/ToUnicode"))
        return true;                     /* of a descendant its Type 0 font speaks */
    if (is_subtype(q, font, "/Type0"))
        return false;
    qpdf_oh encoding = qpdf_oh_get_key(q, font, "/Encoding");
    bool    fine     = true;
    if (qpdf_oh_is_dictionary(q, encoding))
        fine = names_speak(q, encoding);
    else if (qpdf_oh_is_null(q, encoding))
        fine = !is_subtype(q, font, "/Type3") && !is_embedded_symbol(q, font);
    qpdf_oh_release(q, encoding);
    return fine;
}
