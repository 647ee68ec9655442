/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_RENDER_TABLE_H
#define GL_BROKER_RENDER_TABLE_H

/* Text tables that fit their width: columns are dropped by priority, text cells are cut with "~",
 * numbers never; under 60 columns, and for screen readers, rows become "name: value" blocks. */

#include "base/str.h"

#define GL_TABLE_COLUMNS_MAX 16

struct gl_column {
    const char *title;
    bool is_right; /* align right, never cut: numbers */
    unsigned keep; /* 0 = never dropped; the largest is dropped first */
};

struct gl_table;

/* `columns` is borrowed. Free with gl_table_free(). */
struct gl_table *gl_table_new(const struct gl_column *columns, size_t count);
/* One row; `cells` has one string a column, copied; NULL is "". */
void gl_table_row(struct gl_table *table, const char *const *cells);
/* Append the table to `out`, at most `width` columns wide. */
void gl_table_text(const struct gl_table *table, unsigned width, bool is_accessible,
                   struct gl_str *out);
/* Has this column room at that width, so that a legend may speak of it? */
bool gl_table_shows(const struct gl_table *table, unsigned width, bool is_accessible,
                    size_t column);
void gl_table_free(struct gl_table *table);

#endif
