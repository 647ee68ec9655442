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

/* What other tools call it. */
static const struct {
    const char *word, *command;
} synonyms[] = {
    {"ls", "status"},      {"list", "status"},    {"ps", "status"},      {"show", "status"},
    {"terminate", "stop"}, {"destroy", "stop"},   {"delete", "stop"},    {"rm", "stop"},
    {"kill", "stop"},      {"down", "stop"},      {"create", "launch"},  {"deploy", "launch"},
    {"up", "launch"},      {"exec", "run"},       {"explain", "why"},    {"configure", "init"},
    {"config", "init"},    {"login", "provider"}, {"clouds", "offers"},  {"regions", "offers"},
    {"prices", "offers"},  {"zones", "signals"},  {"receipt", "verify"}, {"check", "policy"},
    {"move", "migrate"},   {"suspend", "pause"},
};

static const char *command_of_synonym(const char *word)
{
    for (size_t i = 0; i < sizeof synonyms / sizeof synonyms[0]; i++)
        if (strcmp(word, synonyms[i].word) == 0)
            return synonyms[i].command;
    return NULL;
}

const char *gl_help_nearest(const char *word)
{
    char lower[GL_TEXT_SHOWN];
    const char *names[COMMANDS_MAX];
    const char *meant;
    size_t count = 0, length = 0;

    for (; word[length] != '\0' && length + 1 < sizeof lower; length++)
        lower[length] =
            word[length] >= 'A' && word[length] <= 'Z' ? (char)(word[length] | 0x20) : word[length];
    lower[length] = '\0';
    meant = command_of_synonym(lower);
    if (meant != NULL)
        return meant;
    for (size_t i = 0; gl_commands[i] != NULL && count < COMMANDS_MAX; i++)
        if (gl_commands[i]->group != NULL)
            names[count++] = gl_commands[i]->name;
    return gl_text_nearest(lower, names, count);
}

static int fail_unknown_command(const char *word, const char *otherwise, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];
    const char *nearest = gl_help_nearest(word);

    gl_text_show(word, shown);
    if (nearest != NULL)
        return gl_fail(err, GL_E_USAGE, "unknown command \"%s\"; did you mean \"%s\"?", shown,
                       nearest);
    return gl_fail(err, GL_E_USAGE, "unknown command \"%s\"%s", shown, otherwise);
}

/* "90%": of --renewable-only 90%. */
static bool is_share(const char *word)
{
    size_t length = strlen(word);

    return word[0] >= '0' && word[0] <= '9' && word[length - 1] == '%';
}

static int fail_share(const char *word, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];

    gl_text_show(word, shown);
    return gl_fail(err, GL_E_USAGE,
                   "\"%s\" belongs to no option; a share stands right after the equals sign, as in "
                   "--renewable-only=%s",
                   shown, shown);
}

int gl_help_no_operand(const struct gl_command *command, const char *word, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];

    if (is_share(word) && gl_help_is_option(command->options, "--renewable-only"))
        return fail_share(word, err);
    if (command->group == NULL)
        return fail_unknown_command(word, "", err);
    return gl_fail(err, GL_E_USAGE, "%s takes no operand: \"%s\"", command->name,
                   gl_text_show(word, shown));
}

int gl_help_stray(const struct gl_command *command, const char *word, bool is_implied,
                  struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];

    gl_text_show(word, shown);
    if (is_share(word))
        return fail_share(word, err);
    if (is_implied && command->group == NULL)
        return fail_unknown_command(word, "", err);
    if (is_implied)
        return fail_unknown_command(
            word,
            "; what is to run stands after \"--\", as in greenlaunch --renewable-only -- COMMAND",
            err);
    return gl_fail(err, GL_E_USAGE,
                   "%s: \"%s\" belongs to no option; what is to run stands after \"--\", as in "
                   "greenlaunch %s%s -- COMMAND",
                   command->name, shown, command->name,
                   gl_help_is_option(command->options, "--renewable-only") ? " --renewable-only"
                                                                           : "");
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

/* The row that a word names, as "--name", "--name=value" or "-n"; NULL when it names none. */
static const struct gl_option *option_named(const struct gl_option *options, const char *word)
{
    bool is_long = word[0] == '-' && word[1] == '-';
    size_t length = is_long ? strcspn(word + 2, "=") : 0;

    for (; options != NULL && options->name != NULL; options++)
        if (is_long ? strncmp(options->name, word + 2, length) == 0 && options->name[length] == '\0'
                    : word[0] == '-' && word[1] != '\0' && options->letter == word[1])
            return options;
    return NULL;
}

bool gl_help_is_option(const struct gl_option *options, const char *word)
{
    return option_named(options, word) != NULL;
}

static bool takes_next(const struct gl_option *option, const char *word)
{
    bool is_attached = word[1] == '-' ? strchr(word, '=') != NULL : word[2] != '\0';

    return option != NULL && !is_attached && option->kind != GL_OPT_FLAG &&
           option->kind != GL_OPT_COUNT && option->kind != GL_OPT_OPTIONAL;
}

/* A command follows for which the option takes no value: that command is meant. */
static bool is_flag_of_next(const char *const *at)
{
    const struct gl_command *next = gl_command_find(at[1]);
    const struct gl_option *own = next != NULL ? option_named(next->options, at[0]) : NULL;

    return own != NULL && !takes_next(own, at[0]);
}

int gl_help_value_words(const char *const *at)
{
    const struct gl_option *global = option_named(gl_global_options, at[0]);

    if (at[0][0] != '-' || at[1] == NULL || at[1][0] == '-')
        return 0;
    if (global != NULL)
        return takes_next(global, at[0]);
    if (is_flag_of_next(at))
        return 0;
    for (size_t i = 0; gl_commands[i] != NULL; i++)
        if (takes_next(option_named(gl_commands[i]->options, at[0]), at[0]))
            return 1;
    return 0;
}
