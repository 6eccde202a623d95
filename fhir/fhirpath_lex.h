/* fhir/fhirpath_lex.h -- the words of a FHIRPath source; private to fhirpath_lex.c and fhirpath_parse.c. */
#ifndef SLUICE_FHIR_FHIRPATH_LEX_H
#define SLUICE_FHIR_FHIRPATH_LEX_H

#include "base/arena.h"
#include "fhir/fhirpath_program.h"

enum fhirpath_token_kind {
    FHIRPATH_TOKEN_BROKEN = 0,           /* lexer.why says it   */
    FHIRPATH_TOKEN_END,
    FHIRPATH_TOKEN_NAME,                 /* also and, is, div … */
    FHIRPATH_TOKEN_DELIMITED,            /* `name`              */
    FHIRPATH_TOKEN_STRING,
    FHIRPATH_TOKEN_NUMBER,
    FHIRPATH_TOKEN_MOMENT,               /* without the @       */
    FHIRPATH_TOKEN_VARIABLE,             /* without the %       */
    FHIRPATH_TOKEN_DOLLAR,               /* $this, with the $   */
    FHIRPATH_TOKEN_SIGN,                 /* operators, brackets */
};

struct fhirpath_token {
    enum fhirpath_token_kind kind;
    struct span              text;       /* unescaped; borrowed from the source or in the arena */
    uint32_t                 where;
};

struct fhirpath_lexer {
    struct span   source;
    size_t        at;
    struct arena *arena;
    const char   *why;
    bool          no_memory;
};

struct fhirpath_token fhirpath_next(struct fhirpath_lexer *);

#endif
