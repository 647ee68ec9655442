/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/help.h"

#include <stdio.h>
#include <string.h>

#include "base/wrap.h"
#include "broker/render/text.h"

#define COMMANDS_MAX 64

/* ---- one command ---- */

/* A call goes on after a backslash, so that it can be copied; what it prints is wrapped. */
static void add_example_line(const char *line, unsigned indent, unsigned columns,
                             struct gl_str *out)
{
    bool is_call = strncmp(line, "$ ", 2) == 0 || strncmp(line, "greenlaunch ", 12) == 0;

    gl_str_addf(out, "%*s", (int)indent, "");
    if (is_call)
        gl_wrap_command(line, (struct gl_margins){indent, indent + 4, columns}, out);
    else
        gl_wrap_long(line, (struct gl_margins){indent, indent, columns}, out);
}

void gl_help_example(const struct gl_command *command, unsigned indent, unsigned columns,
                     struct gl_str *out)
{
    const char *at = command->example;

    while (*at != '\0') {
        GL_AUTO(gl_str_done) struct gl_str line = {0};
        size_t length = strcspn(at, "\n");

        gl_str_add_bytes(&line, at, length);
        add_example_line(gl_str_text(&line), indent, columns, out);
        at += length + (at[length] == '\n');
    }
}

static json_t *number_or_null(int64_t number, bool is_known)
{
    return is_known ? json_integer(number) : json_null();
}

static const char *kind_word(enum gl_option_kind kind)
{
    static const char *const words[] = {"flag",  "text",    "optional", "list",
                                        "count", "integer", "quantity", "span"};

    return words[kind];
}

json_t *gl_help_options_json(const struct gl_option *options)
{
    json_t *rows = json_array();

    for (; options != NULL && options->name != NULL; options++) {
        char letter[2] = {options->letter, '\0'};
        bool is_integer = options->kind == GL_OPT_INTEGER;

        if (options->help == NULL)
            continue;
        json_array_append_new(
            rows,
            json_pack("{s:s,s:s?,s:s,s:s?,s:s,s:s?,s:s?,s:s?,s:o,s:o}", "name", options->name,
                      "letter", options->letter ? letter : NULL, "kind", kind_word(options->kind),
                      "argument", options->argument, "help", options->help, "group", options->group,
                      "bare", options->bare, "choices", options->choices, "low",
                      number_or_null(options->low, is_integer), "high",
                      number_or_null(options->high, is_integer)));
    }
    return rows;
}

json_t *gl_help_command_json(const struct gl_command *command)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:o}", "name", command->name, "group",
                     command->group, "summary", command->summary, "operands", command->operands,
                     "description", command->description, "example", command->example, "options",
                     gl_help_options_json(command->options));
}

int gl_help_command(struct gl_context *context, const struct gl_command *command)
{
    struct gl_str *out = &context->reply.text;
    unsigned columns = context->columns;
    GL_AUTO(gl_str_done) struct gl_str title = {0};

    if (command->group == NULL) /* the first screen has no help of its own */
        return gl_help_overview(context);
    gl_str_addf(&title, "greenlaunch %s: %s", command->name, command->summary);
    gl_render_wrap(gl_str_text(&title), 0, columns, out);
    gl_str_clear(&title);
    gl_str_addf(&title, "Usage: greenlaunch %s%s%s%s", command->name,
                command->options != NULL ? " [options]" : "",
                command->operands[0] != '\0' ? " " : "", command->operands);
    gl_str_add_char(out, '\n');
    gl_wrap_text(gl_str_text(&title), (struct gl_margins){0, 7, columns}, out);
    gl_str_add_char(out, '\n');
    gl_str_add(out, "Example:\n");
    gl_help_example(command, 2, columns, out);
    gl_str_add_char(out, '\n');
    gl_render_wrap(command->description, 0, columns, out);
    if (command->options != NULL) {
        gl_str_add_char(out, '\n');
        gl_options_help(command->options, columns, out);
    }
    gl_str_add_char(out, '\n');
    gl_render_wrap("Options of every command: greenlaunch help", 0, columns, out);
    context->reply.data = gl_help_command_json(command);
    return GL_EXIT_OK;
}

/* ---- words that fit nothing ---- */

const char *gl_help_nearest(const char *word)
{
    const char *names[COMMANDS_MAX];
    size_t count = 0;

    for (size_t i = 0; gl_commands[i] != NULL && count < COMMANDS_MAX; i++)
        if (gl_commands[i]->group != NULL)
            names[count++] = gl_commands[i]->name;
    return gl_text_nearest(word, names, count);
}

int gl_help_no_operand(const struct gl_command *command, const char *word, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];
    const char *nearest = gl_help_nearest(word);

    gl_text_show(word, shown);
    if (command->group != NULL)
        return gl_fail(err, GL_E_USAGE, "%s takes no operand: \"%s\"", command->name, shown);
    if (nearest != NULL)
        return gl_fail(err, GL_E_USAGE, "unknown command \"%s\"; did you mean \"%s\"?", shown,
                       nearest);
    return gl_fail(err, GL_E_USAGE, "unknown command \"%s\"", shown);
}

int gl_help_operands(const struct gl_command *command, const struct gl_call *call, size_t low,
                     size_t high, struct gl_error *err)
{
    const struct gl_operands *operands = call->operands;
    char shown[GL_TEXT_SHOWN];

    if (call->rest != NULL)
        return gl_fail(err, GL_E_USAGE, "%s takes nothing after \"--\"", command->name);
    if (operands->count < low)
        return gl_fail(err, GL_E_USAGE, "%s needs an operand: greenlaunch %s %s", command->name,
                       command->name, command->operands);
    if (operands->count > high && high == 0)
        return gl_help_no_operand(command, operands->words[0], err);
    if (operands->count > high)
        return gl_fail(err, GL_E_USAGE, "%s: \"%s\" is one operand too many", command->name,
                       gl_text_show(operands->words[high], shown));
    return 0;
}

bool gl_has_json_flag(int argc, const char *const *argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}
