/* SPDX-License-Identifier: Apache-2.0 */
/* The command: find its row, parse its options, run it, print its one reply. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "broker/cli/command.h"
#include "broker/cli/help.h"
#include "broker/interrupt.h"

static bool is_set(const struct gl_context *context, const char *name)
{
    const char *value = context->world.getenv(context->world.cookie, name);

    return value != NULL && value[0] != '\0' && strcmp(value, "0") != 0;
}

static unsigned terminal_columns(const struct gl_context *context)
{
    const char *columns = context->world.getenv(context->world.cookie, "COLUMNS");
    long number = columns != NULL ? strtol(columns, NULL, 10) : 0;
    struct winsize size;

    if (number >= 20 && number <= 1000)
        return (unsigned)number;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
        return size.ws_col;
    return 80;
}

static void look_at_terminal(struct gl_context *context)
{
    struct gl_globals *globals = &context->globals;
    const char *term = context->world.getenv(context->world.cookie, "TERM");
    bool is_dumb = term == NULL || strcmp(term, "dumb") == 0;

    globals->is_accessible |= is_set(context, "ACCESSIBLE");
    globals->has_no_color |= is_set(context, "NO_COLOR");
    globals->has_no_progress |= is_set(context, "NO_PROGRESS");
    context->columns =
        globals->width != INT64_MIN ? (unsigned)globals->width : terminal_columns(context);
    context->is_color = !globals->has_no_color && !globals->is_accessible && !is_dumb &&
                        !globals->is_json && isatty(STDOUT_FILENO) == 1;
    context->is_live =
        !is_dumb && !globals->is_accessible && !is_set(context, "CI") && isatty(STDERR_FILENO) == 1;
}

/* The first word that is no option, and no value of one, names the command: options may come
 * before it. 0 when it names none. */
static int find_command_word(int argc, const char *const *argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (argv[i][0] != '-')
            return gl_command_find(argv[i]) != NULL ? i : 0;
        i += gl_help_value_words(argv + i);
    }
    return 0;
}

/* Bare rules mean launch, or run when "--" follows; nothing but what every command has means the
 * first screen. What no command knows is for launch to refuse, which knows what it may have meant.
 */
static const struct gl_command *implied_command(const char *const *argv)
{
    bool has_own = false;

    for (size_t i = 1; argv[i] != NULL; i++) {
        if (strcmp(argv[i], "--") == 0)
            return gl_command_find("run");
        has_own |= argv[i][0] == '-' && !gl_help_is_option(gl_global_options, argv[i]);
        i += (size_t)gl_help_value_words(argv + i);
    }
    return gl_command_find(has_own ? "launch" : "start");
}

/* Nothing is launched for an option that only says where or how. */
static int check_states_rule(const char *const *argv, struct gl_error *err)
{
    static const char *const rules[] = {"--renewable-only", "--max-", "--min-", "--green-for",
                                        "--policy"};

    for (size_t i = 1; argv[i] != NULL; i++)
        for (size_t k = 0; k < sizeof rules / sizeof rules[0]; k++)
            if (strncmp(argv[i], rules[k], strlen(rules[k])) == 0)
                return 0;
    return gl_fail(err, GL_E_USAGE,
                   "which command? Its name stands first, as in greenlaunch offers, greenlaunch "
                   "launch; only limits and policies go without, as in greenlaunch "
                   "--renewable-only");
}

/* argv without the command word. */
static const char *const *without(int argc, const char *const *argv, int skip, int *out_argc)
{
    const char **copy = gl_alloc(((size_t)argc + 1) * sizeof *copy);
    int count = 0;

    for (int i = 0; i < argc; i++)
        if (i == 0 || i != skip)
            copy[count++] = argv[i];
    *out_argc = count;
    return copy;
}

/* Words that belong to nothing. */
static int check_words(const struct gl_command *command, const struct gl_call *call,
                       const char *const *argv, struct gl_error *err)
{
    const struct gl_operands *operands = call->operands;

    if (call->is_implied && operands->count > 0)
        return gl_help_stray(command, operands->words[0], true, err);
    if (call->is_implied && !operands->has_rest && command->group != NULL)
        return check_states_rule(argv, err);
    if (operands->count > 0 && !operands->has_rest && command->operands[0] == '\0')
        return gl_help_no_operand(command, operands->words[0], err);
    return 0;
}

static int run_parsed(struct gl_context *context, const struct gl_command *command,
                      struct gl_call *call, const char *const *argv, struct gl_error *err)
{
    if (context->globals.is_version)
        return gl_command_find("version")->run(context, call, err);
    if (context->globals.is_help)
        return gl_help_command(context, command);
    if (!command->needs_no_config &&
        gl_config_read(context->globals.config, &context->world, &context->config, err) != 0)
        return -1;
    context->is_demo = context->globals.is_demo && context->config.zone == NULL;
    if (context->is_demo && context->columns > 2 * GL_DEMO_COLUMNS)
        context->columns -= GL_DEMO_COLUMNS;
    if (call->operands->has_rest)
        call->rest = argv + call->operands->rest;
    if (check_words(command, call, argv, err) != 0)
        return -1;
    gl_interrupt_catch(context->globals.timeout_s);
    return command->run(context, call, err);
}

/* "run uname -a": the option that is not known is of the command that is to run. */
static void blame_missing_dashes(const struct gl_command *command, const struct gl_call *call,
                                 struct gl_error *err)
{
    const struct gl_operands *operands = call->operands;

    if (operands->count == 0 || operands->has_rest ||
        strstr(command->operands, "-- COMMAND") == NULL ||
        strncmp(err->text, "unknown option", 14) != 0)
        return;
    gl_error_clear(err);
    gl_help_stray(command, operands->words[0], call->is_implied, err);
}

/* `named` NULL: none was named. */
static int run_command(struct gl_context *context, const struct gl_command *named, int argc,
                       const char *const *argv, struct gl_error *err)
{
    const struct gl_command *command = named != NULL ? named : implied_command(argv);
    GL_AUTO(gl_auto_free) void *values = gl_alloc(command->values_size + 1);
    struct gl_operands operands = {0};
    struct gl_call call = {.values = values, .operands = &operands, .is_implied = named == NULL};
    int status;

    context->command = command->name;
    gl_options_clear(gl_global_options, &context->globals);
    gl_options_clear(command->options, values);
    status = gl_options_parse(gl_global_options, &context->globals, command->options, values, argc,
                              argv, &operands, err);
    if (status != 0) {
        context->globals.is_json |= gl_has_json_flag(argc, argv);
        blame_missing_dashes(command, &call, err);
    }
    look_at_terminal(context);
    if (status == 0)
        status = run_parsed(context, command, &call, argv, err);
    gl_options_done(command->options, values);
    return status;
}

/* A closed 0, 1 or 2 would be the next file we open. Read-only, so that writing there still fails.
 */
static void hold_standard_fds(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) < 0)
            _exit(GL_EXIT_INTERNAL);
}

/* Keys and tokens are in memory: no picture of it is left on a disk when this crashes, and no other
 * process of the user may look into it. What is started from here takes along the limit, and begins
 * anew with the other: an emulator may be debugged. Both may be refused without harm. */
static void keep_memory_private(void)
{
    static const struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
}

int main(int argc, char **argv)
{
    struct gl_context context = {0};
    struct gl_error err = {0};
    const char *const *words = (const char *const *)argv;
    int skip = find_command_word(argc, words);
    const struct gl_command *command = skip > 0 ? gl_command_find(words[skip]) : NULL;
    int status, count;

    keep_memory_private();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is a full disk, not a sudden end */
    hold_standard_fds();
    gl_world_real(&context.world);
    context.program = words[0];
    context.started_ms = context.world.monotonic_ms(context.world.cookie);
    words = without(argc, words, skip, &count);
    status = run_command(&context, command, count, words, &err);
    status = gl_context_finish(&context, status, &err);
    gl_options_done(gl_global_options, &context.globals);
    gl_context_done(&context);
    free((void *)(uintptr_t)words);
    return status;
}
