/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_INDEX_PART_H
#define GL_BROKER_CLI_INDEX_PART_H

/* What the parts of `index` share: the call, and tables whose cells somebody has to own. One file a
 * topic; each fills the reply, and the page where one is wanted. */

#include "broker/cli/help.h"
#include "broker/index.h"
#include "broker/render/html.h"
#include "broker/render/index_csv.h"

struct index_values {
    struct gl_ask ask; /* first: ask_options.def */
    const char *html, *by;
    int64_t since_s; /* INT64_MIN = 7 d */
    bool is_csv;
};

struct index_call {
    struct gl_context *context;
    const struct index_values *values;
    const char *provider; /* only this one; NULL = all */
    struct gl_str page;   /* HTML, when values->html */
};

/* Texts of a table, row by row; copies. */
struct index_cells {
    size_t columns, rows;
    char **texts;
};
void gl_index_cells_add(struct index_cells *cells, const char *const *row);
void gl_index_cells_done(struct index_cells *cells);
/* As a table of the page, and as records of the reply. */
void gl_index_cells_html(const struct index_cells *cells, const char *caption,
                         const char *const *heads, struct gl_str *out);
void gl_index_cells_csv(const struct index_cells *cells, const char *const *heads,
                        struct gl_str *out);

/* Is the row of this cloud wanted? */
bool gl_index_is_wanted(const struct index_call *call, const char *cloud);

int gl_index_disclosure(struct index_call *call, struct gl_error *err);
int gl_index_pledges(struct index_call *call, struct gl_error *err);
int gl_index_available(struct index_call *call, struct gl_error *err);

/* What was counted, for index_show.c: rule, window and counts. */
struct index_shown {
    const struct gl_ask_result *asked;
    const struct gl_index *index;
    enum gl_index_by by;
    const char *by_word; /* "day" */
    bool is_standard;    /* no rule was given: that of --renewable-only */
    bool has_periods;    /* as text too: one provider, or periods that were asked for */
};
void gl_index_show_text(struct index_call *call, const struct index_shown *shown);
void gl_index_show_csv(struct index_call *call, const struct index_shown *shown);
void gl_index_show_html(struct index_call *call, const struct index_shown *shown);
json_t *gl_index_show_json(const struct index_shown *shown);

#endif
