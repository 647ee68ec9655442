/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_RENDER_INDEX_CSV_H
#define GL_BROKER_RENDER_INDEX_CSV_H

/* Comma-separated values as RFC 4180 has them, CRLF at the end of a record. A spreadsheet must not
 * take a text for a formula: one that begins with = + - @, a tab or a return is given an apostrophe
 * in front. Reading is base/csv.h. */

#include "base/str.h"

/* One record of `count` texts; NULL is "". */
void gl_csv_record(struct gl_str *out, const char *const *cells, size_t count);

#endif
