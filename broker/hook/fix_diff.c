/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/fix.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#define CONTEXT ((size_t)3)

struct text {
    const char *bytes;
    size_t length;
    const size_t *starts; /* of lines; one more at the end */
    size_t lines;
};

static int compare(const void *left, const void *right)
{
    const struct gl_hook_edit *a = left, *b = right;

    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

static size_t *lines_of(const char *bytes, size_t length, size_t *out_count)
{
    size_t count = 0, *starts;

    for (size_t i = 0; i < length; i++)
        count += bytes[i] == '\n';
    count += length > 0 && bytes[length - 1] != '\n';
    starts = gl_alloc((count + 1) * sizeof *starts);
    starts[0] = 0;
    for (size_t i = 0, line = 1; i < length && line < count; i++)
        if (bytes[i] == '\n')
            starts[line++] = i + 1;
    starts[count] = length;
    *out_count = count;
    return starts;
}

static size_t line_of(const struct text *text, size_t offset)
{
    size_t line = 0;

    while (line + 1 < text->lines && text->starts[line + 1] <= offset)
        line++;
    return line;
}

static void put_line(const struct text *text, char mark, size_t line, struct gl_str *out)
{
    size_t from = text->starts[line], until = text->starts[line + 1];

    gl_str_add_char(out, mark);
    gl_str_add_bytes(out, text->bytes + from, until - from);
    if (text->bytes[until - 1] != '\n')
        gl_str_add(out, "\n\\ No newline at end of file\n");
}

/* The line with its edits made. */
static void put_changed(const struct text *text, size_t line, const struct gl_hook_edit *edits,
                        size_t count, struct gl_str *out)
{
    size_t at = text->starts[line], until = text->starts[line + 1];

    gl_str_add_char(out, '+');
    for (size_t i = 0; i < count; i++) {
        gl_str_add_bytes(out, text->bytes + at, edits[i].offset - at);
        gl_str_add(out, edits[i].would);
        at = edits[i].offset + strlen(edits[i].is);
    }
    gl_str_add_bytes(out, text->bytes + at, until - at);
    if (text->bytes[until - 1] != '\n')
        gl_str_add(out, "\n\\ No newline at end of file\n");
}

/* Edits whose lines are near enough to share their context: how many from the first on. */
static size_t hunk_edits(const struct text *text, const struct gl_hook_edit *edits, size_t count)
{
    size_t taken = 1;

    while (taken < count && line_of(text, edits[taken].offset) <=
                                line_of(text, edits[taken - 1].offset) + 2 * CONTEXT)
        taken++;
    return taken;
}

static void put_hunk(const struct text *text, const struct gl_hook_edit *edits, size_t count,
                     struct gl_str *out)
{
    size_t first = line_of(text, edits[0].offset), last = line_of(text, edits[count - 1].offset);
    size_t from = first > CONTEXT ? first - CONTEXT : 0;
    size_t until = last + 1 + CONTEXT < text->lines ? last + 1 + CONTEXT : text->lines;

    gl_str_addf(out, "@@ -%zu,%zu +%zu,%zu @@\n", from + 1, until - from, from + 1, until - from);
    for (size_t line = from, at = 0; line < until; line++) {
        size_t here = 0;

        while (at + here < count && line_of(text, edits[at + here].offset) == line)
            here++;
        put_line(text, here > 0 ? '-' : ' ', line, out);
        if (here > 0)
            put_changed(text, line, edits + at, here, out);
        at += here;
    }
}

static bool stands(const struct text *text, const struct gl_hook_edit *edit)
{
    size_t length = strlen(edit->is);

    return edit->offset > 0 && edit->offset + length < text->length &&
           text->bytes[edit->offset - 1] == '"' && text->bytes[edit->offset + length] == '"' &&
           memcmp(text->bytes + edit->offset, edit->is, length) == 0;
}

/* A name that `patch` reads as it stands. */
static bool is_plain_path(const char *path)
{
    for (const char *c = path; *c != '\0'; c++)
        if (!isgraph((unsigned char)*c) || *c == '"' || *c == '\\')
            return false;
    return *path != '\0';
}

static size_t diff_file(const struct gl_tf_source *source, struct gl_hook_edit *edits, size_t count,
                        struct gl_str *out)
{
    const char *name = gl_tf_source_file(source, edits[0].file);
    GL_AUTO(gl_auto_free) char *path = gl_path_join(gl_tf_source_root(source), name);
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    GL_AUTO(gl_auto_free) size_t *starts = NULL;
    struct gl_error err = {0};
    struct text text = {0};
    size_t kept = 0;

    if (!is_plain_path(name) ||
        gl_file_read(path, GL_TF_SOURCE_FILE_BYTES, &bytes, &text.length, &err) != 0)
        return 0;
    text.bytes = bytes;
    text.starts = starts = lines_of(bytes, text.length, &text.lines);
    for (size_t i = 0; i < count; i++)
        if (stands(&text, &edits[i]))
            edits[kept++] = edits[i];
    if (kept == 0)
        return 0;
    gl_str_addf(out, "--- a/%s\n+++ b/%s\n", name, name);
    for (size_t i = 0, taken; i < kept; i += taken) {
        taken = hunk_edits(&text, edits + i, kept - i);
        put_hunk(&text, edits + i, taken, out);
    }
    return kept;
}

size_t gl_hook_diff(const struct gl_tf_source *source, struct gl_hook_edit *edits, size_t count,
                    struct gl_str *out)
{
    size_t made = 0;

    if (count > 0)
        qsort(edits, count, sizeof *edits, compare);
    for (size_t i = 0, here; i < count; i += here) {
        for (here = 1; i + here < count && edits[i + here].file == edits[i].file;)
            here++;
        made += diff_file(source, edits + i, here, out);
    }
    return made;
}
