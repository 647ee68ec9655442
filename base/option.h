/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_OPTION_H
#define GL_BASE_OPTION_H

/* Command options as rows of data: one table feeds the parser, --help, the man page and shell
 * completion. Options may stand anywhere before "--". Refuses abbreviations and unknown names (with
 * the nearest known one). A secret is never an option. */

#include "base/str.h"

enum gl_option_kind {
    GL_OPT_FLAG,     /* bool: --name, --no-name */
    GL_OPT_TEXT,     /* const char * (borrowed from argv); twice with two values is an error, here
                      * and for every kind below that holds one value */
    GL_OPT_OPTIONAL, /* const char *: --name or --name=VALUE; given bare it is `bare` */
    GL_OPT_LIST,     /* struct gl_option_list: may be given again, commas separate; items live until
                      * gl_options_done() */
    GL_OPT_COUNT,    /* int: how often it was given */
    GL_OPT_INTEGER,  /* int64_t, `low`..`high`; INT64_MIN = not given */
    GL_OPT_QUANTITY, /* int64_t, millionths of the base unit of `dim`; INT64_MIN = not given */
    GL_OPT_SPAN,     /* int64_t seconds; INT64_MIN = not given */
};

#define GL_OPTION_LIST_MAX 64
struct gl_option_list {
    const char *items[GL_OPTION_LIST_MAX]; /* borrowed from argv or from `copies` */
    size_t count;
    char *copies[GL_OPTION_LIST_MAX]; /* values that commas were cut out of */
    size_t copy_count;
};

/* `low` of a list whose values may hold commas: each is one item, as it stands. */
#define GL_OPT_WHOLE 1

struct gl_option {
    const char *name; /* long name without dashes; NULL ends a table */
    char letter;      /* short name or 0 */
    enum gl_option_kind kind;
    size_t offset;        /* of the member in the values struct */
    const char *argument; /* name shown in help, e.g. "ZONE" */
    const char *help;     /* one sentence, no full stop; NULL = not shown in help and man page */
    const char *group;    /* heading in help; NULL = "Options" */
    const char *bare;     /* GL_OPT_OPTIONAL without a value */
    const char *choices;  /* "a|b|c", checked; NULL = any */
    int64_t low, high;    /* GL_OPT_INTEGER; GL_OPT_LIST: low may be GL_OPT_WHOLE */
    int dim;              /* enum gl_dimension of GL_OPT_QUANTITY */
    const char *complete; /* completion source: "file", "zone", "region", "instance", NULL */
};

/* Set every member named by `options` to "not given". */
void gl_options_clear(const struct gl_option *options, void *values);
/* Free what gl_options_parse() allocated for lists; they are empty afterwards. */
void gl_options_done(const struct gl_option *options, void *values);

/* Parse argv[1..]; the values of `global` go into *global_values, of `own` into *own_values (either
 * table may be NULL). Words that are no options become operands (borrowed), what follows "--" goes
 * to *out_rest (index of the first word after it; argc when there is none). The next word is the
 * value of an option unless it looks like an option itself: a dash and no digit; --name=-x takes
 * anything. gl_options_done() is due after failure too, and *out_operands then holds the words
 * before the trouble.
 * Errors: USAGE with the nearest known option, or with both values of an option given twice. */
struct gl_operands {
    const char *words[64];
    size_t count;
    int rest;      /* index in argv of the first word after "--", or argc */
    bool has_rest; /* "--" was there */
};
int gl_options_parse(const struct gl_option *global, void *global_values,
                     const struct gl_option *own, void *own_values, int argc,
                     const char *const *argv, struct gl_operands *out_operands,
                     struct gl_error *err);

/* Append the help of a table, wrapped at `columns`, grouped by heading. */
void gl_options_help(const struct gl_option *options, unsigned columns, struct gl_str *out);
/* The same rows as mdoc for the man page. */
void gl_options_man(const struct gl_option *options, struct gl_str *out);

#endif
