/* SPDX-License-Identifier: Apache-2.0 */
#include "base/csv.h"

#include <stdio.h>
#include <string.h>

void gl_csv_init(struct gl_csv *csv, char *bytes, const char *name)
{
    bool has_mark = strncmp(bytes, "\xef\xbb\xbf", 3) == 0;

    *csv = (struct gl_csv){.next = bytes + (has_mark ? 3 : 0), .name = name, .next_line = 1};
}

static int fail_row(struct gl_csv *csv, uint32_t line, const char *why, struct gl_error *err)
{
    struct gl_pos pos = {.line = line};

    csv->next = NULL;
    csv->count = 0;
    snprintf(pos.file, sizeof pos.file, "%s", csv->name);
    return gl_fail_at(err, GL_E_SYNTAX, &pos, "%s:%u: %s", csv->name, (unsigned)line, why);
}

/* Length of the row end at `at`: 1 for LF, 2 for CRLF, 0 for neither. */
static size_t row_end(const char *at)
{
    if (at[0] == '\r' && at[1] == '\n')
        return 2;
    return at[0] == '\n';
}

/* Read a quoted field in place from after its opening quote; *at ends past the closing one. */
static int read_quoted(struct gl_csv *csv, char **at, struct gl_error *err)
{
    char *from = *at;
    char *to = *at;

    while (from[0] != '"' || from[1] == '"') {
        if (from[0] == '\0')
            return fail_row(csv, csv->line, "a quoted field does not end", err);
        csv->next_line += from[0] == '\n';
        from += from[0] == '"';
        *to++ = *from++;
    }
    if (from[1] != '\0' && from[1] != ',' && row_end(from + 1) == 0)
        return fail_row(csv, csv->next_line, "text follows a closing quote", err);
    *to = '\0';
    *at = from + 1;
    return 0;
}

static int read_plain(struct gl_csv *csv, char **at, struct gl_error *err)
{
    char *end = *at;

    while (*end != '\0' && *end != ',' && row_end(end) == 0) {
        if (*end == '"')
            return fail_row(csv, csv->next_line, "a quote stands inside an unquoted field", err);
        end++;
    }
    *at = end;
    return 0;
}

/* One field and what ends it; *out_is_last says that the row ends with it. */
static int read_field(struct gl_csv *csv, char **at, bool *out_is_last, struct gl_error *err)
{
    char *end;
    bool is_quoted = **at == '"';

    if (csv->count == GL_CSV_MAX_FIELDS)
        return fail_row(csv, csv->line, "the row has too many fields", err);
    *at += is_quoted;
    csv->fields[csv->count] = *at;
    if (is_quoted ? read_quoted(csv, at, err) : read_plain(csv, at, err))
        return -1;
    csv->count++;
    end = *at;
    *out_is_last = *end != ',';
    csv->next_line += row_end(end) != 0;
    *at += *out_is_last ? row_end(end) : 1;
    *end = '\0';
    return 0;
}

int gl_csv_next(struct gl_csv *csv, struct gl_error *err)
{
    char *at = csv->next;
    bool is_last = false;

    csv->count = 0;
    while (at != NULL && row_end(at) != 0) {
        at += row_end(at);
        csv->next_line++;
    }
    if (at == NULL || *at == '\0') {
        csv->next = NULL;
        return 0;
    }
    csv->line = csv->next_line;
    while (!is_last)
        if (read_field(csv, &at, &is_last, err))
            return -1;
    csv->next = at;
    return 1;
}

int gl_csv_column(const struct gl_csv *csv, const char *name)
{
    for (size_t i = 0; i < csv->count; i++)
        if (strcmp(csv->fields[i], name) == 0)
            return (int)i;
    return -1;
}
