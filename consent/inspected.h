/* consent/inspected.h -- what a reader outside of this process got out of documents.
 *
 * The hard formats are read by libraries that are large, and by nobody who
 * decides: they run in a process of their own (inspect/frame.h), and what they
 * said comes here as a fact.
 *
 *     label_bundle()  -> questions: documents that nobody has read yet
 *     the gateway     -> asks the helper, inspected_answer() for each
 *     label_bundle()  -> the same bytes give the same answer; more questions only
 *                        where a document was inside of one
 *
 * I1  A document without an answer is unreadable; so is one whose answer is that.
 * I2  Bytes are compared whole, never by a hash alone: nobody makes two
 *     documents that pass for each other.
 * I3  At most INSPECTED_MOST documents in all, and as much memory and reading time as
 *     whoever asks allows; past that `refused` is set, and then nothing of the
 *     Bundle may be decided: which of them were read would depend on the others.
 * I4  The table has an arena of its own, made with the first question: a Bundle
 *     that asks nothing costs nothing.  What it holds lives until inspected_release().
 * I5  Whoever asks sets `fault` when nothing can be read by no fault of the document: then the question
 *     stays open and nothing of the Bundle may be decided, for it would depend on the machine.
 *
 * A zeroed `struct inspected_table` with max_bytes set is empty and ready.
 */
#ifndef SLUICE_CONSENT_INSPECTED_H
#define SLUICE_CONSENT_INSPECTED_H

#include "base/arena.h"

#define INSPECTED_MOST  4096u
#define INSPECTED_SLOTS 1024u

/* By what the bytes are, never by what contentType says.  The numbers are the protocol's. */
enum document_form {
    DOCUMENT_NONE = 0,
    DOCUMENT_PACKED,                     /* gzip, zlib */
    DOCUMENT_PDF,
    DOCUMENT_RTF,
    DOCUMENT_MARKUP,                     /* XML, HTML, in the encoding that it declares */
    DOCUMENT_MARKUP_UTF8,                /* the same, transcoded already */
    DOCUMENT_FORMS
};

enum inspected_kind {
    INSPECTED_NONE = 0,
    INSPECTED_TEXT,                           /* plain text */
    INSPECTED_DOCUMENT                        /* a document inside, to be looked at like any other */
};

struct inspected_part { enum inspected_kind kind; struct span bytes; };

struct inspected {                       /* one document */
    enum document_form           form;
    struct span                  bytes;
    bool                         answered;
    bool                         readable;   /* all of it; parts may be there without */
    const struct inspected_part *parts;
    size_t                       part_count;
    struct inspected            *chain, *next;
};

struct inspected_table {
    size_t            max_bytes;         /* of documents and answers */
    struct arena     *arena;             /* NULL until the first question */
    struct inspected **slots;
    struct inspected *first, **last;     /* in the order in which they were asked */
    struct inspected *open;              /* the first that has no answer; NULL: all have one */
    uint32_t          count;
    uint64_t          cpu_ms;            /* that the readers took */
    bool              refused;           /* I3, or no memory */
    bool              fault;             /* I5 */
};

/* Whoever can have documents read: answers every open question, or sets `refused` or `fault`. */
struct inspected_asker { void (*answer)(struct inspected_table *, void *with); void *with; };

/* The answer; NULL: there is none yet, and the document is among the questions now. */
const struct inspected *inspected_of(struct inspected_table *, enum document_form, struct span bytes);
/* For the first open question.  Bytes of the parts are copied.  Without readable
 * memory for it the document is unreadable. */
void                    inspected_answer(struct inspected_table *, bool readable, const struct inspected_part *,
                                         size_t count);
/* Whether there is a question that may be answered now. */
bool                    inspected_goes_on(const struct inspected_table *);
void                    inspected_release(struct inspected_table *);

#endif
