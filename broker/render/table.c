/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/render/table.h"

#include "broker/render/text.h"

#include <stdlib.h>
#include <string.h>

#define NARROW 60
#define GAP    2

struct gl_table {
    const struct gl_column *columns;
    size_t count, rows;
    char **cells; /* rows x count */
};

struct gl_table *gl_table_new(const struct gl_column *columns, size_t count)
{
    struct gl_table *table = gl_alloc(sizeof *table);

    table->columns = columns;
    table->count = count < GL_TABLE_COLUMNS_MAX ? count : GL_TABLE_COLUMNS_MAX;
    return table;
}

void gl_table_row(struct gl_table *table, const char *const *cells)
{
    table->cells =
        gl_realloc(table->cells, (table->rows + 1) * table->count * sizeof *table->cells);
    for (size_t c = 0; c < table->count; c++) {
        GL_AUTO(gl_str_done) struct gl_str clean = {0};

        if (cells[c] != NULL)
            gl_str_add_printable(&clean, cells[c], strlen(cells[c]));
        table->cells[table->rows * table->count + c] = gl_str_take(&clean);
    }
    table->rows++;
}

void gl_table_free(struct gl_table *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < table->rows * table->count; i++)
        free(table->cells[i]);
    free(table->cells);
    free(table);
}

static const char *cell(const struct gl_table *table, size_t row, size_t column)
{
    return table->cells[row * table->count + column];
}

/* ---- layout: which columns, how wide ---- */

struct layout {
    bool is_shown[GL_TABLE_COLUMNS_MAX];
    unsigned width[GL_TABLE_COLUMNS_MAX];
};

static unsigned total_width(const struct gl_table *table, const struct layout *layout)
{
    unsigned total = 0;

    for (size_t c = 0; c < table->count; c++)
        if (layout->is_shown[c])
            total += layout->width[c] + (total > 0 ? GAP : 0);
    return total;
}

static bool drop_one(const struct gl_table *table, struct layout *layout)
{
    size_t worst = table->count;

    for (size_t c = 0; c < table->count; c++)
        if (layout->is_shown[c] && table->columns[c].keep > 0 &&
            (worst == table->count || table->columns[c].keep > table->columns[worst].keep))
            worst = c;
    if (worst == table->count)
        return false;
    layout->is_shown[worst] = false;
    return true;
}

/* The widest text column gives way, down to 8. */
static bool cut_one(const struct gl_table *table, struct layout *layout)
{
    size_t widest = table->count;

    for (size_t c = 0; c < table->count; c++)
        if (layout->is_shown[c] && !table->columns[c].is_right && layout->width[c] > 8 &&
            (widest == table->count || layout->width[c] > layout->width[widest]))
            widest = c;
    if (widest == table->count)
        return false;
    layout->width[widest]--;
    return true;
}

static void lay_out(const struct gl_table *table, unsigned width, struct layout *layout)
{
    for (size_t c = 0; c < table->count; c++) {
        layout->is_shown[c] = true;
        layout->width[c] = gl_text_columns(table->columns[c].title);
        for (size_t r = 0; r < table->rows; r++) {
            unsigned columns = gl_text_columns(cell(table, r, c));

            layout->width[c] = columns > layout->width[c] ? columns : layout->width[c];
        }
    }
    while (total_width(table, layout) > width)
        if (!drop_one(table, layout) && !cut_one(table, layout))
            break;
}

/* ---- writing ---- */

static void pad(struct gl_str *out, unsigned count)
{
    while (count-- > 0)
        gl_str_add_char(out, ' ');
}

/* As many whole characters as leave one column for the mark of a cut. */
static void add_cut(struct gl_str *out, const char *text, unsigned width)
{
    GL_AUTO(gl_str_done) struct gl_str part = {0};

    gl_str_add(&part, text);
    while (part.length > 0 && gl_text_columns(part.text) + 1 > width) {
        do
            part.length--;
        while (part.length > 0 && ((unsigned char)part.text[part.length] & 0xC0) == 0x80);
        part.text[part.length] = '\0';
    }
    gl_str_add(out, gl_str_text(&part));
    gl_str_add_char(out, '~');
    pad(out, width - gl_text_columns(gl_str_text(&part)) - 1);
}

/* `text` in exactly `width` columns. */
static void put_cell(struct gl_str *out, const char *text, unsigned width, bool is_right)
{
    unsigned columns = gl_text_columns(text);

    if (columns > width) {
        add_cut(out, text, width);
        return;
    }
    if (is_right)
        pad(out, width - columns);
    gl_str_add(out, text);
    if (!is_right)
        pad(out, width - columns);
}

static void trim_line(struct gl_str *out)
{
    while (out->length > 0 && out->text[out->length - 1] == ' ')
        out->text[--out->length] = '\0';
    gl_str_add_char(out, '\n');
}

static void put_row(const struct gl_table *table, const struct layout *layout, size_t row,
                    bool is_title, struct gl_str *out)
{
    bool is_first = true;

    for (size_t c = 0; c < table->count; c++) {
        if (!layout->is_shown[c])
            continue;
        if (!is_first)
            pad(out, GAP);
        put_cell(out, is_title ? table->columns[c].title : cell(table, row, c), layout->width[c],
                 table->columns[c].is_right);
        is_first = false;
    }
    trim_line(out);
}

static void put_blocks(const struct gl_table *table, unsigned width, struct gl_str *out)
{
    for (size_t r = 0; r < table->rows; r++) {
        for (size_t c = 0; c < table->count; c++) {
            GL_AUTO(gl_str_done) struct gl_str line = {0};

            if (cell(table, r, c)[0] == '\0')
                continue;
            if (table->columns[c].title[0] != '\0')
                gl_str_addf(&line, "%s: ", table->columns[c].title);
            gl_str_add(&line, cell(table, r, c));
            gl_render_wrap(gl_str_text(&line), 0, width, out);
        }
        if (r + 1 < table->rows)
            gl_str_add_char(out, '\n');
    }
}

static bool is_blocks(unsigned width, bool is_accessible)
{
    return is_accessible || width < NARROW;
}

bool gl_table_shows(const struct gl_table *table, unsigned width, bool is_accessible, size_t column)
{
    struct layout layout;

    if (column >= table->count || is_blocks(width, is_accessible))
        return column < table->count;
    lay_out(table, width, &layout);
    return layout.is_shown[column];
}

void gl_table_text(const struct gl_table *table, unsigned width, bool is_accessible,
                   struct gl_str *out)
{
    struct layout layout;

    if (is_blocks(width, is_accessible)) {
        put_blocks(table, width, out);
        return;
    }
    lay_out(table, width, &layout);
    put_row(table, &layout, 0, true, out);
    for (size_t r = 0; r < table->rows; r++)
        put_row(table, &layout, r, false, out);
}
