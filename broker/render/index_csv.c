/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/render/index_csv.h"

#include <string.h>

static void add_cell(struct gl_str *out, const char *text)
{
    bool is_formula = text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL;
    bool is_quoted = strpbrk(text, ",\"\r\n") != NULL;

    if (is_quoted)
        gl_str_add_char(out, '"');
    if (is_formula)
        gl_str_add_char(out, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '"')
            gl_str_add_char(out, '"');
        gl_str_add_char(out, *text);
    }
    if (is_quoted)
        gl_str_add_char(out, '"');
}

void gl_csv_record(struct gl_str *out, const char *const *cells, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            gl_str_add_char(out, ',');
        add_cell(out, cells[i] != NULL ? cells[i] : "");
    }
    gl_str_add(out, "\r\n");
}
