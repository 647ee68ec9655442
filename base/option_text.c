/* SPDX-License-Identifier: Apache-2.0 */
/* The help and manual half of base/option.h. */
#include "base/option.h"

#include "base/wrap.h"

#include <limits.h>
#include <string.h>

#define LEFT_MAX    30 /* widest left column; longer names get a line of their own */
#define COLUMNS_MIN 40

static const char *group_of(const struct gl_option *option)
{
    return option->group != NULL ? option->group : "Options";
}

static const char *argument_of(const struct gl_option *option)
{
    return option->argument != NULL ? option->argument : "VALUE";
}

/* The first shown option of each heading stands for the heading. */
static bool is_first_of_group(const struct gl_option *options, const struct gl_option *option)
{
    for (const struct gl_option *other = options; other != option; other++)
        if (other->help != NULL && strcmp(group_of(other), group_of(option)) == 0)
            return false;
    return option->help != NULL;
}

/* "  -n, --name ARG" */
static void add_left(const struct gl_option *option, struct gl_str *out)
{
    if (option->letter != 0)
        gl_str_addf(out, "  -%c, --%s", option->letter, option->name);
    else
        gl_str_addf(out, "      --%s", option->name);
    switch (option->kind) {
    case GL_OPT_FLAG:
    case GL_OPT_COUNT:
        break;
    case GL_OPT_OPTIONAL:
        gl_str_addf(out, "[=%s]", argument_of(option));
        break;
    case GL_OPT_LIST:
        gl_str_addf(out, " %s,...", argument_of(option));
        break;
    default:
        gl_str_addf(out, " %s", argument_of(option));
        break;
    }
}

/* The width of the left column: the longest that is not too long, and two spaces. */
static unsigned left_width(const struct gl_option *options, unsigned limit)
{
    unsigned width = 0;

    for (const struct gl_option *option = options; option->name; option++) {
        struct gl_str left = {0};
        unsigned columns;

        add_left(option, &left);
        columns = gl_text_columns(gl_str_text(&left)) + 2;
        if (option->help != NULL && columns <= limit && columns > width)
            width = columns;
        gl_str_done(&left);
    }
    return width != 0 ? width : limit;
}

/* The sentence and what may be written: "(a|b|c)", and where that is wider than a line "(a | b |
 * c)", which can be wrapped. */
static void add_sentence(const struct gl_option *option, unsigned columns, struct gl_str *out)
{
    gl_str_add(out, option->help);
    if (option->choices == NULL)
        return;
    gl_str_add(out, " (");
    for (const char *at = option->choices; *at != '\0'; at++)
        if (*at == '|' && strlen(option->choices) + 2 > columns)
            gl_str_add(out, " | ");
        else
            gl_str_add_char(out, *at);
    gl_str_add_char(out, ')');
}

static void add_help(const struct gl_option *option, unsigned width, unsigned columns,
                     struct gl_str *out)
{
    struct gl_str left = {0}, right = {0};
    unsigned used;

    add_left(option, &left);
    add_sentence(option, columns, &right);
    used = gl_text_columns(gl_str_text(&left));
    gl_str_add(out, gl_str_text(&left));
    if (used + 2 > width)
        gl_str_addf(out, "\n%*s", (int)width, "");
    else
        gl_str_addf(out, "%*s", (int)(width - used), "");
    gl_wrap_text(gl_str_text(&right), (struct gl_margins){width, width, columns}, out);
    gl_str_done(&left);
    gl_str_done(&right);
}

void gl_options_help(const struct gl_option *options, unsigned columns, struct gl_str *out)
{
    bool is_first = true;
    unsigned width;

    columns = columns ? columns : GL_WRAP_COLUMNS;
    columns = columns < COLUMNS_MIN ? COLUMNS_MIN : columns;
    width = left_width(options, columns / 2 < LEFT_MAX ? columns / 2 : LEFT_MAX);
    for (const struct gl_option *head = options; head->name; head++) {
        if (!is_first_of_group(options, head))
            continue;
        gl_str_addf(out, "%s%s:\n", is_first ? "" : "\n", group_of(head));
        is_first = false;
        for (const struct gl_option *option = head; option->name; option++)
            if (option->help != NULL && strcmp(group_of(option), group_of(head)) == 0)
                add_help(option, width, columns, out);
    }
}

/* Text as an mdoc line: a backslash, and a dot or quote at the start, would be commands. */
static void add_roff(const char *text, struct gl_str *out)
{
    if (*text == '.' || *text == '\'')
        gl_str_add(out, "\\&");
    for (; *text != '\0'; text++) {
        if (*text == '\\')
            gl_str_add(out, "\\e");
        else
            gl_str_add_char(out, *text);
    }
}

/* ".It Fl n , Fl -name Ar ARG" */
static void add_item(const struct gl_option *option, struct gl_str *out)
{
    struct gl_str sentence = {0};

    gl_str_add(out, ".It ");
    if (option->letter != 0)
        gl_str_addf(out, "Fl %c , ", option->letter);
    gl_str_addf(out, "Fl -%s", option->name);
    if (option->kind == GL_OPT_OPTIONAL)
        gl_str_addf(out, " Ns Oo = Ns Ar %s Oc", argument_of(option));
    else if (option->kind == GL_OPT_LIST && option->low != GL_OPT_WHOLE)
        gl_str_addf(out, " Ar %s Ns ,...", argument_of(option));
    else if (option->kind != GL_OPT_FLAG && option->kind != GL_OPT_COUNT)
        gl_str_addf(out, " Ar %s", argument_of(option));
    gl_str_add_char(out, '\n');
    add_sentence(option, UINT_MAX, &sentence);
    add_roff(gl_str_text(&sentence), out);
    gl_str_add(out, ".\n");
    gl_str_done(&sentence);
}

void gl_options_man(const struct gl_option *options, struct gl_str *out)
{
    for (const struct gl_option *head = options; head->name; head++) {
        if (!is_first_of_group(options, head))
            continue;
        gl_str_addf(out, ".Ss %s\n.Bl -tag -width Ds\n", group_of(head));
        for (const struct gl_option *option = head; option->name; option++)
            if (option->help != NULL && strcmp(group_of(option), group_of(head)) == 0)
                add_item(option, out);
        gl_str_add(out, ".El\n");
    }
}
