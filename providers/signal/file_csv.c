/* SPDX-License-Identifier: Apache-2.0 */
#include "base/csv.h"
#include "providers/signal/file_part.h"

#include <stdio.h>
#include <string.h>

/* Columns that a header must have. `until` and `zone` may be said otherwise. */
static const char *const needed[] = {"from", "quantity", "unit", "value"};

/* Put file and line before what went wrong. */
static int at_line(const struct gl_csv *csv, struct gl_error *err)
{
    snprintf(err->pos.file, sizeof err->pos.file, "%s", csv->name);
    err->pos.line = csv->line;
    return gl_wrap(err, "%s:%u", csv->name, (unsigned)csv->line);
}

/* The next row that is no comment ("# ..."): 1, 0 at the end, -1. */
static int next_row(struct gl_csv *csv, struct gl_error *err)
{
    int got;

    do
        got = gl_csv_next(csv, err);
    while (got == 1 && csv->fields[0][0] == '#');
    return got;
}

/* One column whose name holds what others part columns with: spreadsheets write so where the comma
 * is the decimal sign. */
static int check_separator(const struct gl_csv *csv, struct gl_error *err)
{
    const char *other = csv->count == 1 ? strpbrk(csv->fields[0], ";\t|") : NULL;

    if (other == NULL)
        return 0;
    gl_fail(err, GL_E_SYNTAX,
            "columns are parted by a comma here, not by %s, and decimals by a point",
            *other == ';'   ? "a semicolon"
            : *other == '|' ? "a bar"
                            : "a tab");
    return at_line(csv, err);
}

static int check_header(const struct gl_csv *csv, struct gl_error *err)
{
    struct gl_file_row row;

    if (check_separator(csv, err))
        return -1;
    gl_file_row_init(&row, "");
    for (size_t i = 0; i < csv->count; i++)
        if (gl_file_row_set(&row, csv->fields[i], "", err))
            return at_line(csv, err);
    for (size_t i = 0; i < csv->count; i++)
        if (gl_csv_column(csv, csv->fields[i]) != (int)i) {
            gl_fail(err, GL_E_DUPLICATE_KEY, "column %s stands twice", csv->fields[i]);
            return at_line(csv, err);
        }
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (gl_csv_column(csv, needed[i]) < 0) {
            gl_fail(err, GL_E_SYNTAX, "the header has no column %s", needed[i]);
            return at_line(csv, err);
        }
    return 0;
}

static int read_row(const struct gl_csv *csv, const struct gl_csv *header, struct gl_file_set *set,
                    struct gl_error *err)
{
    struct gl_file_row row;

    if (csv->count != header->count)
        return gl_fail(err, GL_E_SYNTAX, "the row has %zu fields, the header %zu", csv->count,
                       header->count);
    gl_file_row_init(&row, set->label->zone);
    for (size_t i = 0; i < csv->count; i++)
        if (gl_file_row_set(&row, header->fields[i], csv->fields[i], err))
            return -1;
    if (gl_file_row_finish(&row, err))
        return -1;
    return gl_file_set_add(set, &row, err);
}

/* A last line without its end may be cut anywhere, even inside a number. */
static int check_end(const char *bytes, const char *name, struct gl_error *err)
{
    struct gl_pos pos = {.line = 1};
    size_t length = strlen(bytes);

    if (length > 0 && bytes[length - 1] == '\n')
        return 0;
    if (length == 0)
        return gl_fail(err, GL_E_SYNTAX, "%s is empty", name);
    snprintf(pos.file, sizeof pos.file, "%s", name);
    for (const char *c = bytes; *c != '\0'; c++)
        pos.line += *c == '\n';
    return gl_fail_at(err, GL_E_SYNTAX, &pos,
                      "%s:%u: the last line has no end: the file may be cut off", name,
                      (unsigned)pos.line);
}

int gl_file_read_csv(char *bytes, const char *name, struct gl_file_set *set, struct gl_error *err)
{
    struct gl_csv csv, header;
    int got;

    if (check_end(bytes, name, err))
        return -1;
    gl_csv_init(&csv, bytes, name);
    got = next_row(&csv, err);
    if (got == 0)
        return gl_fail(err, GL_E_SYNTAX, "%s holds no header line", name);
    if (got < 0 || check_header(&csv, err))
        return -1;
    header = csv; /* its fields stay in the buffer */
    while ((got = next_row(&csv, err)) == 1)
        if (read_row(&csv, &header, set, err))
            return at_line(&csv, err);
    return got;
}
