/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_CSV_H
#define GL_BASE_CSV_H

/* RFC 4180 rows from memory, with positions: BOM, CRLF, quoted commas and newlines. Refuses rows of
 * more than GL_CSV_MAX_FIELDS fields and stray quotes. A NUL byte ends the input, so that a caller
 * who read a file compares its length with strlen(). Modifies the buffer it is given. */

#include "base/error.h"

#define GL_CSV_MAX_FIELDS 64

struct gl_csv {
    char *next;         /* unread part of the caller's buffer; NULL at the end */
    const char *name;   /* of the input, for errors; borrowed */
    uint32_t line;      /* of the row last read, from 1 */
    uint32_t next_line; /* where `next` stands */
    size_t count;
    const char *fields[GL_CSV_MAX_FIELDS]; /* of the row last read; live in the buffer */
};

/* `bytes` is NUL-terminated, writable and outlives *csv. */
void gl_csv_init(struct gl_csv *csv, char *bytes, const char *name);
/* 1 a row was read, 0 the end, -1 error (SYNTAX with its line). Empty lines are skipped. */
int gl_csv_next(struct gl_csv *csv, struct gl_error *err);
/* Index of a named field in the row last read (the header), -1 if absent. */
int gl_csv_column(const struct gl_csv *csv, const char *name);

#endif
