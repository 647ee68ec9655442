/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_BENCH_PAPER_H
#define GL_TESTS_BENCH_PAPER_H

/* Papers computed again with policy/schedule: one table of paper value, our value, difference, our
 * time. The data is not in the repository; its folder is given, and what is absent is skipped. */

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Rows of all tables, and those that were equal. */
struct bench_count {
    int equal, rows;
};
const struct bench_count *bench_table_count(void);

/* One row: equal when the values agree to half of the paper's last digit. A time below 0 belongs to
 * the row above. */
struct bench_row {
    const char *what;
    double paper, ours;
    int digits; /* after the point, as the paper prints it */
    double seconds;
};
void bench_table_title(const char *title);
void bench_table_row(const struct bench_row *row);
/* Our figure beside a bound instead of a value: no verdict. */
void bench_table_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* FOLDER/NAME, unpacked when it ends in .gz. Errors: IO when it is absent. Close with pclose() when
 * *out_is_pipe, fclose() otherwise. */
FILE *bench_open(const char *folder, const char *name, bool *out_is_pipe, struct gl_error *err);
void bench_close(FILE *file, bool is_pipe);

/* A table of numbers with a head line and a first column that is skipped; what is not a number is
 * NAN. `names` are the head's fields. */
struct bench_csv {
    size_t rows, columns;
    char (*names)[24];
    double *value; /* value[row * columns + column] */
};
int bench_csv_read(const char *folder, const char *name, struct bench_csv *out,
                   struct gl_error *err);
void bench_csv_done(struct bench_csv *csv);
/* Index of a column, SIZE_MAX when there is none. */
size_t bench_csv_column(const struct bench_csv *csv, const char *name);
/* A column as a cost line; the caller frees it. */
int64_t *bench_csv_line(const struct bench_csv *csv, size_t column);

int bench_gaia(const char *folder, struct gl_error *err);
int bench_limits(const char *folder, struct gl_error *err);
int bench_dacf(const char *folder, struct gl_error *err);
int bench_dodge(const char *folder, struct gl_error *err);
int bench_migration(const char *folder, struct gl_error *err);
int bench_awhile(const char *folder, struct gl_error *err);
/* Window search against a plain read of the same memory, and the growth of the region table. */
int bench_schedule(struct gl_error *err);

#endif
