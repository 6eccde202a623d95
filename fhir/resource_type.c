#include "fhir/resource_type.h"

static const char *const types[] = {
#define TYPE(name) #name,
#include "fhir/resource_type.def"
#undef TYPE
};

bool
resource_type_known(struct span name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (span_eq_text(name, types[i]))
            return true;
    return false;
}
