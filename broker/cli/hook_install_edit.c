/* SPDX-License-Identifier: Apache-2.0 */
/* A block of ours between two marker lines in a file of somebody else's. */
#include <string.h>

#include "broker/cli/hook_install.h"

#define BEGIN           "# greenlaunch: begin, kept by `greenlaunch hook install`"
#define END             "# greenlaunch: end"
#define MARK            "# greenlaunch: "
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* ---- lines ---- */

static size_t line_length(const char *line)
{
    size_t length = strcspn(line, "\n");

    return length + (line[length] == '\n');
}

static size_t indent_of(const char *line)
{
    return strspn(line, " ");
}

static bool begins(const char *line, const char *with)
{
    return strncmp(line, with, strlen(with)) == 0;
}

/* The first line that begins so, its indentation aside when `is_anywhere`; NULL. */
static const char *find_line(const char *text, const char *with, bool is_anywhere)
{
    const char *line = text + (begins(text, BYTE_ORDER_MARK) ? strlen(BYTE_ORDER_MARK) : 0);

    for (; *line != '\0'; line += line_length(line))
        if (begins(line + (is_anywhere ? indent_of(line) : 0), with))
            return line;
    return NULL;
}

static size_t line_number(const char *text, const char *at)
{
    size_t number = 1;

    for (; text < at; text++)
        number += *text == '\n';
    return number;
}

/* ---- our block as it stands ---- */

struct span {
    const char *begin, *end; /* whole lines; begin NULL = there is none */
};

static int find_block(const char *text, const char *path, struct span *out, struct gl_error *err)
{
    const char *begin = find_line(text, BEGIN, true), *end = find_line(text, END, true);
    size_t marks = 0;

    for (const char *line = text; *line != '\0'; line += line_length(line))
        marks += begins(line + indent_of(line), MARK);
    if (marks == 0) {
        *out = (struct span){0};
        return 0;
    }
    if (marks != 2 || begin == NULL || end == NULL || end < begin)
        return gl_fail(err, GL_E_USAGE,
                       "%s: the marker lines of greenlaunch are not one pair; mend or remove them",
                       path);
    *out = (struct span){begin, end + line_length(end)};
    return 0;
}

/* ---- our block as it is to be ---- */

static void add_line(struct gl_str *out, size_t indent, const char *line, size_t length,
                     const char *policy)
{
    static const char hole[] = "{policy}";
    const char *at;

    for (size_t i = 0; i < indent && length > 1; i++)
        gl_str_add_char(out, ' ');
    while ((at = memmem(line, length, hole, sizeof hole - 1)) != NULL) {
        gl_str_add_bytes(out, line, (size_t)(at - line));
        gl_str_add(out, policy);
        length -= (size_t)(at - line) + sizeof hole - 1;
        line = at + sizeof hole - 1;
    }
    gl_str_add_bytes(out, line, length);
}

static void add_lines(struct gl_str *out, size_t indent, const char *text, const char *policy)
{
    for (const char *line = text; line != NULL && *line != '\0'; line += line_length(line))
        add_line(out, indent, line, line_length(line), policy);
}

/* How far items below the anchor are indented: as those that are there, else by two. */
static size_t indent_below(const char *line)
{
    for (line += line_length(line); *line != '\0'; line += line_length(line)) {
        size_t indent = indent_of(line);

        if (line[indent] == '\n' || line[indent] == '#' || line[indent] == '\0')
            continue;
        return indent > 0 || line[0] == '-' ? indent : 2;
    }
    return 2;
}

static void make_block(const struct gl_hook_place_row *row, const char *anchor, bool is_alone,
                       const char *policy, struct gl_str *out)
{
    size_t outer = anchor != NULL ? indent_below(anchor) : 0;
    bool is_opened = anchor == NULL && row->head != NULL;

    add_lines(out, outer, BEGIN "\n", policy);
    if (is_alone)
        add_lines(out, 0, row->start, policy);
    if (is_opened)
        add_lines(out, 0, row->head, policy);
    add_lines(out, is_opened ? 2 : outer, row->body, policy);
    if (is_opened)
        add_lines(out, 0, row->tail, policy);
    add_lines(out, outer, END "\n", policy);
}

/* ---- the change ---- */

/* The file with [at, at + dropped) replaced by `block`. */
static void set_edit(const char *text, const char *at, size_t dropped, const struct gl_str *block,
                     struct gl_config_edit *out)
{
    size_t before = (size_t)(at - text);

    out->line = line_number(text, at);
    gl_str_add_bytes(&out->removed, at, dropped);
    gl_str_add(&out->added, gl_str_text(block));
    gl_str_add_bytes(&out->text, text, before);
    if (before > 0 && at[-1] != '\n' && block->length > 0)
        gl_str_add_char(&out->text, '\n'); /* the last line had no end */
    gl_str_add(&out->text, gl_str_text(block));
    gl_str_add(&out->text, at + dropped);
}

/* Is what stays of the file only what we began it with? */
static void drop_first_line(const struct gl_hook_place_row *row, struct gl_config_edit *out)
{
    const char *text = gl_str_text(&out->text);

    if (row->first_line != NULL && strcmp(text, row->first_line) == 0)
        gl_str_clear(&out->text);
}

static int put_in(const struct gl_hook_place_row *row, const char *text, const struct span *old,
                  const char *policy, struct gl_config_edit *out)
{
    GL_AUTO(gl_str_done) struct gl_str without = {0};
    GL_AUTO(gl_str_done) struct gl_str block = {0};
    const char *anchor = NULL, *at = text + strlen(text);

    if (old->begin != NULL)
        at = old->begin;
    gl_str_add_bytes(&without, text, (size_t)(at - text));
    if (old->begin != NULL)
        gl_str_add(&without, old->end);
    if (row->anchor != NULL)
        anchor = find_line(gl_str_text(&without), row->anchor, false);
    make_block(row, anchor, without.length == 0, policy, &block);
    if (old->begin == NULL && anchor != NULL)
        at = text + (anchor - gl_str_text(&without)) + line_length(anchor);
    if (text[0] == '\0' && row->first_line != NULL) {
        gl_str_add(&out->text, row->first_line);
        gl_str_add(&out->added, row->first_line);
        gl_str_add(&out->text, gl_str_text(&block));
        gl_str_add(&out->added, gl_str_text(&block));
        out->line = 1;
        return 0;
    }
    set_edit(text, at, old->begin != NULL ? (size_t)(old->end - old->begin) : 0, &block, out);
    return 0;
}

/* Is there something on the anchor's own line, so that nothing can be put below it? */
static bool is_inline(const struct gl_hook_place_row *row, const char *text)
{
    const char *anchor = row->anchor != NULL ? find_line(text, row->anchor, false) : NULL;
    const char *rest = anchor != NULL ? anchor + strlen(row->anchor) : "";

    rest += strspn(rest, " \t\r");
    return *rest != '\0' && *rest != '\n' && *rest != '#';
}

int gl_hook_place_edit(const struct gl_hook_place_row *row, const char *text, const char *policy,
                       struct gl_config_edit *out, struct gl_error *err)
{
    const struct gl_str nothing = {0};
    struct span old = {0};

    if (find_block(text, row->path, &old, err) != 0)
        return -1;
    out->mode = row->mode;
    if (policy == NULL) {
        if (old.begin != NULL)
            set_edit(text, old.begin, (size_t)(old.end - old.begin), &nothing, out);
        else
            gl_str_add(&out->text, text);
        drop_first_line(row, out);
        return 0;
    }
    if (old.begin == NULL && row->is_whole && text[0] != '\0')
        return gl_fail(err, GL_E_USAGE, "%s is there already and not ours; it stays as it is",
                       row->path);
    if (old.begin == NULL && is_inline(row, text))
        return gl_fail(err, GL_E_USAGE,
                       "%s: nothing can be put below \"%s\", which has its value on the same line",
                       row->path, row->anchor);
    return put_in(row, text, &old, policy, out);
}
