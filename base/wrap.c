/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wrap.h"

#include <string.h>

/* A paragraph being set. */
struct setting {
    struct gl_margins margins;
    const char *joint; /* stands at the end of a line that goes on */
    unsigned used;     /* columns of the present line */
    bool is_begun;     /* it is the caller's first, and needs no indent */
    bool is_fresh;     /* no word on it yet */
    struct gl_str *out;
};

/* Less where the word would not fit beside it, down to none. */
static unsigned indent_for(const struct gl_margins *margins, unsigned room, unsigned wide)
{
    unsigned most = wide < room ? room - wide : 0;

    return wide <= room && most < margins->indent ? most : margins->indent;
}

/* `gap` spaces stand before the word unless it begins a line. */
static void add_word(struct setting *set, size_t gap, const char *word, size_t length)
{
    GL_AUTO(gl_str_done) struct gl_str whole = {0};
    unsigned room = set->margins.columns - (unsigned)strlen(set->joint), wide;

    gl_str_add_bytes(&whole, word, length);
    wide = gl_text_columns(gl_str_text(&whole));
    if (set->used + gap + wide > room && (!set->is_fresh || (set->is_begun && wide <= room))) {
        gl_str_addf(set->out, "%s\n", set->joint);
        set->is_begun = false;
        set->is_fresh = true;
    }
    if (set->is_fresh && !set->is_begun) {
        set->used = indent_for(&set->margins, room, wide);
        gl_str_addf(set->out, "%*s", (int)set->used, "");
    }
    if (set->is_fresh)
        gap = 0;
    gl_str_addf(set->out, "%*s%s", (int)gap, "", gl_str_text(&whole));
    set->used += (unsigned)gap + wide;
    set->is_fresh = false;
}

static void add_line(struct setting *set, const char *line, size_t length)
{
    const char *end = line + length;

    set->is_fresh = true;
    while (line < end) {
        size_t gap = strspn(line, " "), word = strcspn(line + gap, " \n");

        if (word == 0)
            break;
        add_word(set, gap, line + gap, word);
        line += gap + word;
    }
    gl_str_add_char(set->out, '\n');
    set->is_begun = false;
}

static struct gl_margins whole_margins(struct gl_margins margins)
{
    if (margins.columns == 0)
        margins.columns = GL_WRAP_COLUMNS;
    return margins;
}

static void wrap(const char *text, struct gl_margins margins, const char *joint, struct gl_str *out)
{
    struct setting set = {whole_margins(margins), joint, margins.taken, true, true, out};

    do {
        size_t length = strcspn(text, "\n");

        add_line(&set, text, length);
        text += length + (text[length] == '\n');
    } while (*text != '\0');
}

void gl_wrap_text(const char *text, struct gl_margins margins, struct gl_str *out)
{
    wrap(text, margins, "", out);
}

void gl_wrap_command(const char *command, struct gl_margins margins, struct gl_str *out)
{
    wrap(command, margins, " \\", out);
}

void gl_wrap_long(const char *text, struct gl_margins margins, struct gl_str *out)
{
    margins = whole_margins(margins);
    do {
        GL_AUTO(gl_str_done) struct gl_str line = {0};
        size_t length = strcspn(text, "\n"), spaces = strspn(text, " ");
        struct gl_margins inner = margins;

        gl_str_add_bytes(&line, text, length);
        if (margins.taken + gl_text_columns(gl_str_text(&line)) <= margins.columns ||
            spaces >= length) {
            gl_str_addf(out, "%s\n", gl_str_text(&line));
        } else {
            gl_str_add_bytes(out, text, spaces);
            inner.taken += (unsigned)spaces;
            inner.indent += (unsigned)spaces;
            gl_wrap_text(gl_str_text(&line) + spaces, inner, out);
        }
        margins.taken = 0;
        text += length + (text[length] == '\n');
    } while (*text != '\0');
}
