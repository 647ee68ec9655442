/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/source.h"

#include "base/wrap.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define GUTTER      8 /* "    3 | " */
#define COLUMNS_MIN 40
#define DOTS        "..."
#define DOTS_WIDE   3
#define LINE_BYTES  (sizeof((struct gl_diagnostics *)0)->source_lines[0])

struct gl_source gl_source_of(struct gl_view text, const char *name,
                              struct gl_diagnostics *diagnostics)
{
    if (text.length >= 3 && memcmp(text.text, "\xef\xbb\xbf", 3) == 0) {
        text.text += 3;
        text.length -= 3;
    }
    return (struct gl_source){.name = name, .text = text, .diagnostics = diagnostics};
}

struct gl_pos gl_pos_of(const struct gl_source *source, const struct gl_mark *mark)
{
    struct gl_pos pos = {0};

    snprintf(pos.file, sizeof pos.file, "%s", source->name);
    if (mark != NULL) {
        pos.line = mark->line;
        pos.column = mark->column;
    }
    return pos;
}

char *gl_pos_text(const struct gl_pos *pos, char out[GL_POS_TEXT])
{
    if (pos->line == 0)
        snprintf(out, GL_POS_TEXT, "%s", pos->file);
    else if (pos->column == 0)
        snprintf(out, GL_POS_TEXT, "%s:%u", pos->file, pos->line);
    else
        snprintf(out, GL_POS_TEXT, "%s:%u:%u", pos->file, pos->line, pos->column);
    return out;
}

size_t gl_diagnosed(const struct gl_diagnostics *diagnostics)
{
    return diagnostics->count + diagnostics->beyond;
}

/* Bytes of `text` that fit `room` without cutting a character in two. */
static size_t whole_characters(const char *text, size_t length, size_t room)
{
    if (length <= room)
        return length;
    while (room > 0 && ((unsigned char)text[room] & 0xc0) == 0x80)
        room--;
    return room;
}

/* Line number `line` of a text, without its break; empty when there is none. */
static struct gl_view line_of(struct gl_view text, uint32_t line)
{
    struct gl_view rest = text;
    const char *end;

    for (uint32_t i = 1; i < line; i++) {
        end = rest.length > 0 ? memchr(rest.text, '\n', rest.length) : NULL;
        if (end == NULL)
            return (struct gl_view){"", 0};
        rest.length -= (size_t)(end + 1 - rest.text);
        rest.text = end + 1;
    }
    end = rest.length > 0 ? memchr(rest.text, '\n', rest.length) : NULL;
    if (end != NULL)
        rest.length = (size_t)(end - rest.text);
    if (rest.length > 0 && rest.text[rest.length - 1] == '\r')
        rest.length--;
    return rest;
}

/* Copy a line, cut to fit and at a NUL. */
static void copy_line(struct gl_view text, uint32_t line, char *out, size_t size)
{
    struct gl_view found = line > 0 ? line_of(text, line) : (struct gl_view){"", 0};
    size_t length = strnlen(found.text, found.length);

    length = whole_characters(found.text, length, size - 1);
    if (length > 0)
        memcpy(out, found.text, length);
    out[length] = '\0';
}

/* What is missing at the end is said behind the last text there is, where it can be shown. */
static void pull_into_text(struct gl_view text, struct gl_pos *pos)
{
    uint32_t line = (uint32_t)gl_text_line_within(text.text, text.length, pos->line);
    struct gl_view last = line_of(text, line);

    if (line == pos->line)
        return;
    while (last.length > 0 && memchr(" \t", last.text[last.length - 1], 2) != NULL)
        last.length--;
    pos->line = line;
    pos->column = 1;
    for (size_t at = 0; at < last.length; at++)
        pos->column += ((unsigned char)last.text[at] & 0xc0) != 0x80;
}

/* Where an error at `pos` belongs: after all that stand before it in the same file. */
static size_t slot_of(const struct gl_diagnostics *diagnostics, const struct gl_pos *pos)
{
    size_t slot = diagnostics->count;

    while (slot > 0) {
        const struct gl_pos *before = &diagnostics->errors[slot - 1].pos;

        if (strcmp(before->file, pos->file) != 0 || before->line < pos->line ||
            (before->line == pos->line && before->column <= pos->column))
            break;
        slot--;
    }
    return slot;
}

static void open_slot(struct gl_diagnostics *diagnostics, size_t slot)
{
    size_t behind = diagnostics->count - slot;

    memmove(&diagnostics->errors[slot + 1], &diagnostics->errors[slot],
            behind * sizeof diagnostics->errors[0]);
    memmove(&diagnostics->source_lines[slot + 1], &diagnostics->source_lines[slot],
            behind * sizeof diagnostics->source_lines[0]);
    memmove(&diagnostics->widths[slot + 1], &diagnostics->widths[slot],
            behind * sizeof diagnostics->widths[0]);
    diagnostics->count++;
}

int gl_diagnose(const struct gl_source *source, const struct gl_mark *mark, enum gl_errc code,
                const char *format, ...)
{
    struct gl_diagnostics *diagnostics = source->diagnostics;
    struct gl_pos pos = gl_pos_of(source, mark);
    struct gl_error *error;
    va_list args;
    size_t slot;

    pull_into_text(source->text, &pos);
    if (diagnostics->count == GL_POLICY_MAX_ERRORS) {
        diagnostics->beyond++;
        return -1;
    }
    slot = slot_of(diagnostics, &pos);
    open_slot(diagnostics, slot);
    error = &diagnostics->errors[slot];
    *error = (struct gl_error){.code = code, .pos = pos};
    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    copy_line(source->text, pos.line, diagnostics->source_lines[slot],
              sizeof diagnostics->source_lines[slot]);
    diagnostics->widths[slot] = mark != NULL ? mark->width : 0;
    return -1;
}

/* Bytes of the first `characters` characters of `text`. */
static size_t bytes_of(const char *text, size_t characters)
{
    size_t bytes = 0;

    while (text[bytes] != '\0' && characters > 0) {
        bytes++;
        while (((unsigned char)text[bytes] & 0xc0) == 0x80)
            bytes++;
        characters--;
    }
    return bytes;
}

/* Terminal columns of some bytes once made printable. */
static unsigned columns_of(const char *text, size_t length)
{
    GL_AUTO(gl_str_done) struct gl_str shown = {0};

    gl_str_add_printable(&shown, text, length);
    return gl_text_columns(gl_str_text(&shown));
}

/* Is the place on a part of a long line that was cut off? */
static bool is_past(const char *line, size_t before)
{
    return line[before] == '\0' && before + 4 >= LINE_BYTES;
}

/* The part of a line that is shown: all of it, or a window around the place. */
struct window {
    unsigned start, room; /* columns */
};

/* Columns `start` to `start` + `room` of a printable text, with "..." for what is left out. */
static void add_window(const char *text, struct window window, struct gl_str *out)
{
    unsigned end = window.start + window.room, total = gl_text_columns(text), at = 0;
    size_t length;

    if (window.start > 0)
        gl_str_add(out, DOTS);
    for (; *text != '\0'; text += length) {
        char one[8] = "";
        unsigned wide;

        length = bytes_of(text, 1);
        memcpy(one, text, length < sizeof one - 1 ? length : sizeof one - 1);
        wide = gl_text_columns(one);
        if (at >= window.start + (window.start > 0 ? DOTS_WIDE : 0) &&
            at + wide <= end - (total > end ? DOTS_WIDE : 0))
            gl_str_add_bytes(out, text, length);
        at += wide;
    }
    if (total > end)
        gl_str_add(out, DOTS);
}

/* The first part of the line when the place is on it, else what stands around the place. */
static struct window window_of(unsigned total, unsigned indent, unsigned carets, unsigned room)
{
    struct window window = {0, room};

    if (total > room && indent + carets + DOTS_WIDE > room)
        window.start = indent > room / 3 ? indent - room / 3 : 0;
    return window;
}

/* The source line and, when the place is on the part kept of it, the carets below. */
static void add_source(const struct gl_diagnostics *diagnostics, size_t i, unsigned columns,
                       struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str shown = {0};
    const struct gl_pos *pos = &diagnostics->errors[i].pos;
    const char *line = diagnostics->source_lines[i];
    size_t before = bytes_of(line, pos->column > 0 ? pos->column - 1 : 0);
    size_t marked = bytes_of(line + before, diagnostics->widths[i]);
    unsigned indent = columns_of(line, before);
    unsigned carets = columns_of(line + before, marked), most;
    struct window window;

    gl_str_add_printable(&shown, line, strlen(line));
    window = window_of(gl_text_columns(gl_str_text(&shown)), indent, carets, columns - GUTTER);
    gl_str_addf(out, "%5u | ", pos->line);
    add_window(gl_str_text(&shown), window, out);
    gl_str_add_char(out, '\n');
    if (pos->column == 0 || is_past(line, before))
        return;
    most = window.room - (indent - window.start);
    gl_str_addf(out, "      | %*s", (int)(indent - window.start), "");
    for (unsigned caret = 0; caret < (carets > 0 ? carets : 1) && caret < most; caret++)
        gl_str_add_char(out, '^');
    gl_str_add_char(out, '\n');
}

void gl_diagnostics_text(const struct gl_diagnostics *diagnostics, unsigned columns,
                         struct gl_str *out)
{
    columns = columns != 0 ? columns : GL_WRAP_COLUMNS;
    columns = columns > COLUMNS_MIN ? columns : COLUMNS_MIN;
    for (size_t i = 0; i < diagnostics->count; i++) {
        const struct gl_error *error = &diagnostics->errors[i];
        GL_AUTO(gl_str_done) struct gl_str line = {0};
        char place[GL_POS_TEXT];

        gl_pos_text(&error->pos, place);
        gl_str_add_printable(&line, place, strlen(place));
        gl_str_addf(&line, ": error GL%d: ", (int)error->code);
        gl_str_add_printable(&line, error->text, strlen(error->text));
        gl_wrap_long(gl_str_text(&line), (struct gl_margins){0, 4, columns}, out);
        if (error->pos.line > 0)
            add_source(diagnostics, i, columns, out);
    }
    if (diagnostics->beyond > 0)
        gl_str_addf(out, "and %zu more %s\n", diagnostics->beyond,
                    diagnostics->beyond == 1 ? "error" : "errors");
}
