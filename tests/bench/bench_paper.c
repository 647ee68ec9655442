/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench_paper.h"

#include "policy/schedule/schedule.h"
#include "tests/bench/bench.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 8192

static struct bench_count *counter(void)
{
    static struct bench_count count;

    return &count;
}

const struct bench_count *bench_table_count(void)
{
    return counter();
}

void bench_table_title(const char *title)
{
    printf("\n  %s\n  %-48s %13s %13s %10s %9s\n", title, "", "paper", "ours", "off by",
           "our time");
}

void bench_table_row(const struct bench_row *row)
{
    const double off = row->ours - row->paper;
    const bool is_equal = fabs(off) <= 0.5000001 * pow(10, -row->digits);
    char time[32] = "";

    counter()->rows++;
    counter()->equal += is_equal;
    if (row->seconds >= 0)
        snprintf(time, sizeof time, "%.2f ms", row->seconds * 1e3);
    printf("  %-48s %13.*f %13.*f %10.2g %9s  %s\n", row->what, row->digits, row->paper,
           row->digits, row->ours, is_equal ? 0.0 : off, time, is_equal ? "equal" : "differs");
}

void bench_table_note(const char *format, ...)
{
    va_list arguments;

    fputs("  ", stdout);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    fputs("\n", stdout);
}

FILE *bench_open(const char *folder, const char *name, bool *out_is_pipe, struct gl_error *err)
{
    const size_t length = strlen(name);
    char path[1024], command[1100];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "r");
    *out_is_pipe = false;
    if (file == NULL) {
        gl_fail_sys(err, GL_E_IO, errno, "%s", name);
        return NULL;
    }
    if (length < 3 || strcmp(name + length - 3, ".gz") != 0)
        return file;
    fclose(file);
    if (strchr(path, '\'') != NULL) {
        gl_fail(err, GL_E_IO, "%s: quotes in the path", name);
        return NULL;
    }
    snprintf(command, sizeof command, "gzip -dc -- '%s'", path);
    *out_is_pipe = true;
    file = popen(command, "r");
    if (file == NULL)
        gl_fail_sys(err, GL_E_IO, errno, "%s", name);
    return file;
}

void bench_close(FILE *file, bool is_pipe)
{
    if (is_pipe)
        pclose(file);
    else
        fclose(file);
}

static size_t count_fields(const char *line)
{
    size_t count = 0;

    for (; *line != '\0'; line++)
        count += *line == ',';
    return count;
}

static void read_names(struct bench_csv *csv, char *line)
{
    char *field = strchr(line, ',');

    csv->columns = count_fields(line);
    csv->names = gl_alloc((csv->columns + 1) * sizeof *csv->names);
    for (size_t i = 0; i < csv->columns && field != NULL; i++) {
        char *next = strchr(++field, ',');
        size_t length = next != NULL ? (size_t)(next - field) : strcspn(field, "\r\n");

        if (length > sizeof *csv->names - 1)
            length = sizeof *csv->names - 1;
        memcpy(csv->names[i], field, length);
        field = next;
    }
}

static void read_row(struct bench_csv *csv, const char *line)
{
    const char *field = strchr(line, ',');
    double *row;

    if ((csv->rows & (csv->rows - 1)) == 0)
        csv->value = gl_realloc(csv->value,
                                (csv->rows == 0 ? 1 : csv->rows * 2) * csv->columns * sizeof *row);
    row = csv->value + csv->rows++ * csv->columns;
    for (size_t i = 0; i < csv->columns; i++) {
        char *end = NULL;

        row[i] = (double)NAN;
        if (field == NULL)
            continue;
        row[i] = strtod(field + 1, &end);
        if (end == field + 1)
            row[i] = (double)NAN;
        field = strchr(field + 1, ',');
    }
}

int bench_csv_read(const char *folder, const char *name, struct bench_csv *out,
                   struct gl_error *err)
{
    struct bench_csv csv = {0};
    char line[LINE_BYTES];
    bool is_pipe;
    FILE *file = bench_open(folder, name, &is_pipe, err);

    if (file == NULL)
        return -1;
    if (fgets(line, sizeof line, file) != NULL)
        read_names(&csv, line);
    while (csv.columns > 0 && fgets(line, sizeof line, file) != NULL)
        read_row(&csv, line);
    bench_close(file, is_pipe);
    if (csv.rows == 0) {
        bench_csv_done(&csv);
        return gl_fail(err, GL_E_IO, "%s holds no rows", name);
    }
    *out = csv;
    return 0;
}

void bench_csv_done(struct bench_csv *csv)
{
    free(csv->names);
    free(csv->value);
    *csv = (struct bench_csv){0};
}

size_t bench_csv_column(const struct bench_csv *csv, const char *name)
{
    for (size_t i = 0; i < csv->columns; i++)
        if (strcmp(csv->names[i], name) == 0)
            return i;
    return SIZE_MAX;
}

int64_t *bench_csv_line(const struct bench_csv *csv, size_t column)
{
    int64_t *line = gl_alloc(csv->rows * sizeof *line);

    for (size_t i = 0; i < csv->rows; i++)
        line[i] = gl_cost_of(csv->value[i * csv->columns + column]);
    return line;
}
