/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wrap.h"
#include "broker/cli/help.h"
#include "broker/render/table.h"
#include "broker/render/text.h"

struct help_values {
    bool is_man;
};

static const struct gl_option options[] = {
    {"man", 0, GL_OPT_FLAG, offsetof(struct help_values, is_man), NULL,
     "print the manual page (mdoc); `help --man policy-file` prints the one of policy files", NULL,
     NULL, NULL, 0, 0, 0, NULL},
    {0},
};

/* ---- overview ---- */

static const char what[] =
    "greenlaunch launches compute only where and when it is green, and proves what it cost.";

static const struct {
    const char *call, *why;
} calls[] = {
    {"greenlaunch offers --renewable-only --min-grade D", "where it is green, by yearly averages"},
    {"greenlaunch run --renewable-only --min-grade D -- uname -a",
     "one command on green power, in a machine of its own, metered"},
    {"greenlaunch why CLOUD/REGION/TYPE", "every reason for or against an offer"},
};

static const char *const usage[] = {
    "greenlaunch COMMAND [options]",
    "greenlaunch --renewable-only [rules] [-- command]",
};

static void add_intro(struct gl_str *out, unsigned columns)
{
    gl_render_wrap(what, 0, columns, out);
    gl_str_add_char(out, '\n');
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        gl_str_add(out, "  ");
        gl_wrap_command(calls[i].call, (struct gl_margins){2, 6, columns}, out);
        gl_render_wrap(calls[i].why, 6, columns, out);
    }
    for (size_t i = 0; i < sizeof usage / sizeof usage[0]; i++) {
        gl_str_add(out, i == 0 ? "\nUsage: " : "       ");
        gl_wrap_text(usage[i], (struct gl_margins){7, 9, columns}, out);
    }
    gl_render_wrap("short for launch, or for run when a command follows", 11, columns, out);
}

static void add_commands(struct gl_str *out, unsigned columns)
{
    const char *group = "";

    for (size_t i = 0; gl_commands[i] != NULL; i++) {
        const struct gl_command *command = gl_commands[i];

        if (command->group == NULL)
            continue;
        if (strcmp(command->group, group) != 0)
            gl_str_addf(out, "\n%s:\n", command->group);
        group = command->group;
        gl_str_addf(out, "  %-12s", command->name);
        gl_render_hang(command->summary, 14, columns, out);
    }
}

static json_t *overview_json(void)
{
    json_t *commands = json_array();

    for (size_t i = 0; gl_commands[i] != NULL; i++)
        if (gl_commands[i]->group != NULL)
            json_array_append_new(commands, gl_help_command_json(gl_commands[i]));
    return json_pack("{s:o,s:o}", "commands", commands, "options",
                     gl_help_options_json(gl_global_options));
}

int gl_help_overview(struct gl_context *context)
{
    struct gl_str *out = &context->reply.text;

    add_intro(out, context->columns);
    add_commands(out, context->columns);
    gl_str_add_char(out, '\n');
    gl_options_help(gl_global_options, context->columns, out);
    gl_str_add(out, "\nMore: greenlaunch help COMMAND\n      greenlaunch help exit [N]\n"
                    "      greenlaunch help --man\n");
    context->reply.data = overview_json();
    return GL_EXIT_OK;
}

/* ---- exit statuses ---- */

static json_t *exit_json(const struct gl_exit_row *row)
{
    json_t *codes = json_array();
    unsigned count;
    const struct gl_errc_row *errors = gl_errc_rows(&count);

    for (unsigned i = 0; i < count; i++) {
        char code[16];

        if (errors[i].exit != row->status)
            continue;
        snprintf(code, sizeof code, "GL%04d", (int)errors[i].code);
        json_array_append_new(codes, json_pack("{s:s,s:s,s:s}", "code", code, "message",
                                               errors[i].sentence, "fix", errors[i].hint));
    }
    return json_pack("{s:i,s:s,s:s,s:b,s:o}", "status", (int)row->status, "name", row->name,
                     "meaning", row->meaning, "can_occur", row->can_occur, "errors", codes);
}

static void add_exit_errors(const struct gl_exit_row *row, unsigned columns, struct gl_str *out)
{
    unsigned count;
    const struct gl_errc_row *errors = gl_errc_rows(&count);

    for (unsigned i = 0; i < count; i++) {
        GL_AUTO(gl_str_done) struct gl_str line = {0};

        if (errors[i].exit != row->status)
            continue;
        gl_str_addf(out, "  GL%04d  ", (int)errors[i].code);
        gl_str_addf(&line, "%s: %s", errors[i].sentence, errors[i].hint);
        gl_render_hang(gl_str_text(&line), 10, columns, out);
    }
}

static void add_exit(const struct gl_exit_row *row, unsigned columns, struct gl_str *out)
{
    gl_str_addf(out, "%3d  %-12s ", (int)row->status, row->name);
    gl_render_hang(row->meaning, 18, columns, out);
}

/* Those that this version can end with, then those that are kept. */
static void add_exits(unsigned columns, json_t *list, struct gl_str *out)
{
    unsigned count;
    const struct gl_exit_row *rows = gl_exit_rows(&count);
    bool has_kept = false;

    for (unsigned i = 0; i < count; i++)
        if (rows[i].can_occur)
            add_exit(&rows[i], columns, out);
    for (unsigned i = 0; i < count; i++) {
        json_array_append_new(list, exit_json(&rows[i]));
        if (rows[i].can_occur)
            continue;
        if (!has_kept)
            gl_render_wrap("\nKept for later versions; this one never ends with them:", 0, columns,
                           out);
        has_kept = true;
        add_exit(&rows[i], columns, out);
    }
    gl_render_wrap("\nThe errors behind one: greenlaunch help exit N", 0, columns, out);
}

static int help_exit(struct gl_context *context, const char *wanted, struct gl_error *err)
{
    struct gl_str *out = &context->reply.text;
    char *end = NULL;
    long status = wanted != NULL ? strtol(wanted, &end, 10) : 0;
    const struct gl_exit_row *row = NULL;
    char shown[GL_TEXT_SHOWN];
    json_t *list = json_array();

    context->reply.data = json_pack("{s:o}", "exits", list);
    if (wanted == NULL) {
        add_exits(context->columns, list, out);
        return GL_EXIT_OK;
    }
    if (*end == '\0' && end != wanted && status >= 0 && status <= 255)
        row = gl_exit_row((int)status);
    if (row == NULL)
        return gl_fail(err, GL_E_USAGE,
                       "there is no exit status \"%s\"; see: greenlaunch help exit",
                       gl_text_show(wanted, shown));
    add_exit(row, context->columns, out);
    if (!row->can_occur)
        gl_render_wrap("kept for later versions; this one never ends with it", 2, context->columns,
                       out);
    else
        add_exit_errors(row, context->columns, out);
    json_array_append_new(list, exit_json(row));
    return GL_EXIT_OK;
}

/* ---- pages ---- */

static int help_man(struct gl_context *context, const struct gl_operands *operands,
                    struct gl_error *err)
{
    const char *page = operands->count > 0 ? operands->words[0] : "greenlaunch";
    struct gl_str *out = &context->reply.text;
    char shown[GL_TEXT_SHOWN];

    if (operands->count > 1)
        return gl_fail(err, GL_E_USAGE, "help --man takes one page: greenlaunch or policy-file");
    if (strcmp(page, "greenlaunch") == 0)
        gl_man_program(out);
    else if (strcmp(page, "policy-file") == 0)
        gl_man_policy(out);
    else
        return gl_fail(err, GL_E_USAGE, "no manual page \"%s\"; there are greenlaunch, policy-file",
                       gl_text_show(page, shown));
    context->reply.data = json_pack("{s:s,s:s}", "format", "mdoc", "page", gl_str_text(out));
    return GL_EXIT_OK;
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct help_values *values = call->values;
    const struct gl_operands *operands = call->operands;
    const struct gl_command *command;

    if (gl_help_operands(&gl_command_help, call, 0, 2, err) != 0)
        return -1;
    if (values->is_man)
        return help_man(context, operands, err);
    if (operands->count == 0)
        return gl_help_overview(context);
    if (strcmp(operands->words[0], "exit") == 0)
        return help_exit(context, operands->count > 1 ? operands->words[1] : NULL, err);
    command = gl_command_find(operands->words[0]);
    if (command == NULL)
        return gl_help_no_operand(gl_command_find("start"), operands->words[0], err);
    if (operands->count > 1)
        return gl_fail(err, GL_E_USAGE, "help takes one command");
    return gl_help_command(context, command);
}

const struct gl_command gl_command_help = {
    .name = "help",
    .group = "Help",
    .summary = "how to use a command, what an exit status means, the manual pages",
    .operands = "[COMMAND | exit [N]]",
    .description =
        "Without an operand, lists every command and the options that work everywhere. With a "
        "command, explains it with an example. `help exit` lists the exit statuses, `help exit 8` "
        "explains one and the errors that end with it. --man prints the manual page in mdoc, to be "
        "read with: greenlaunch help --man | man -l -",
    .example = "$ greenlaunch help exit 6\n"
               "  6  later        nothing now, but a window exists",
    .options = options,
    .values_size = sizeof(struct help_values),
    .run = run,
    .needs_no_config = true,
};
