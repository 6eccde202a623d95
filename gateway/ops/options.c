/* gateway/ops/options.c -- the rows of options.def as tables. */
#include "gateway/ops/options.h"

/* 42 CFR 2.11 and 45 CFR 160.103: what a recipient is.  One may be several. */
#define RECIPIENT_CLASSES                                                                               \
    "PATIENT|PERSONAL_REP|FAMILY|PART2_PROGRAM|CE_PROVIDER|HEALTH_PLAN|CLEARINGHOUSE|BA|QSO|"           \
    "INTERMEDIARY|THIRD_PARTY_PAYER_NONHIPAA|NONHIPAA_TREATING_PROVIDER|NAMED_NONHIPAA|"                \
    "CENTRAL_REGISTRY|PDMP|PUBLIC_HEALTH_AUTHORITY|RESEARCHER|AUDITOR_EVALUATOR|CJ_MONITOR|"            \
    "LAW_ENFORCEMENT|COURT|INVESTIGATIVE_AGENCY|CHILD_PROTECTION|FDA_MEDICAL|"                          \
    "MEDICAL_PERSONNEL_EMERGENCY|HHS_SECRETARY|UNDERCOVER|CONTRACTOR|MEDICAL_EXAMINER"

/* In what capacity a client holds what it sends, in the order of consent/holders.def. */
#define HOLDERS                                                                                         \
    "H_UNKNOWN|H_PROGRAM|H_ADMIN_CONTROL|H_QSO|H_CEBA_TPO|H_PROG_NONHIPAA_TPO|H_LAWFUL_NONHIPAA_PHO|"   \
    "H_SPECIFIC_CONSENT|H_INTERMEDIARY|H_CJ|H_REGISTRY|H_EMERGENCY|H_RESEARCH|H_AUDIT|H_COURT_ORDER|"   \
    "H_PATIENT"

/* What the people of a recipient do there, of consent/roles.def. */
#define RECIPIENT_ROLES                                                                                 \
    "MEDICAL_PERSONNEL|TREATING_PROVIDER|BILLING|SUD_CARE|UTILIZATION_REVIEW|PROGRAM_OPERATION|"        \
    "TRAINEE|SUPERVISOR"

#define DELIVER_KINDS "transaction|batch|message|document|collection|resource"

/* The position of a switch that is there when nothing is said. */
#define SITE_FIRST_state_by      "any"
#define SITE_FIRST_operator_role "unanswered"

/* Where a section's fields are: sections that are there once in struct
 * config, the others in a struct of their own. */
#define AT_listen(field)    offsetof(struct config, listen.field)
#define AT_admin(field)     offsetof(struct config, admin.field)
#define AT_store(field)     offsetof(struct config, store.field)
#define AT_ledger(field)    offsetof(struct config, ledger.field)
#define AT_packages(field)  offsetof(struct config, packages.field)
#define AT_terminology(field) offsetof(struct config, terminology.field)
#define AT_inspect(field)   offsetof(struct config, inspect.field)
#define AT_limits(field)    offsetof(struct config, limits.field)
#define AT_log(field)       offsetof(struct config, log.field)
#define AT_site(field)      offsetof(struct config, site.field)
#define AT_program(field)   offsetof(struct program, field)
#define AT_client(field)    offsetof(struct config_client, field)
#define AT_recipient(field) offsetof(struct config_recipient, field)
#define AT_policy(field)    offsetof(struct config_policy, field)
#define AT_route(field)     offsetof(struct config_route, field)
#define AT_reviewer(field)  offsetof(struct config_reviewer, field)

enum { ONE = false, MANY = true };
enum { RESTART = false, LIVE = true };
enum { PLAIN = false, SECRET = true };

const struct option_section option_sections[SECTION_COUNT] = {
#define SECTION(name, many, help) { #name, many, help },
#define OPTION(section, name, type, field, choices, minimum, maximum, initial, reload, secret, help)
#define OPTIONS(section, name, type, field, count, choices, initial, reload, help)
#include "gateway/ops/options.def"
#undef SECTION
#undef OPTION
#undef OPTIONS
};

const struct option option_rows[] = {
#define SECTION(name, many, help)
#define OPTION(section, name, type, field, choices, minimum, maximum, initial, reload, secret, help)   \
    { SECTION_##section, name, OPTION_##type, AT_##section(field), 0, choices, minimum, maximum,       \
      initial, reload, secret, help },
#define OPTIONS(section, name, type, field, count, choices, initial, reload, help)                     \
    { SECTION_##section, name, OPTION_##type, AT_##section(field), AT_##section(count), choices, 0, 0, \
      initial, reload, PLAIN, help },
#include "gateway/ops/options.def"
#undef SECTION
#undef OPTION
#undef OPTIONS
};

const size_t option_row_count = sizeof option_rows / sizeof option_rows[0];

bool
option_is_list(const struct option *option)
{
    return option->type >= OPTION_TEXTS;
}

const char *
option_type_words(const struct option *option)
{
    switch (option->type) {
    case OPTION_TEXT:        return "text";
    case OPTION_PATH:        return "path";
    case OPTION_URL:         return "URL";
    case OPTION_WORD:
    case OPTION_CHOICE:      return "word";
    case OPTION_FLAG:        return "true or false";
    case OPTION_PORT:        return "port";
    case OPTION_COUNT:       return "number";
    case OPTION_BYTES:       return "bytes";
    case OPTION_BEGIN:
    case OPTION_END:         return "date or instant";
    case OPTION_TEXTS:       return "list of texts";
    case OPTION_WORDS:       return "list of words";
    case OPTION_IDENTIFIERS: return "list of \"system|value\"";
    case OPTION_CLIENTS:     return "list of clients";
    case OPTION_RECIPIENTS:  return "list of recipients";
    }
    return "";
}
