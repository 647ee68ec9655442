/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/file.h"
#include "broker/cli/completion.h"
#include "broker/cli/help.h"
#include "providers/data/data.h"

/* ---- words asked while typing ---- */

static void add_word(struct gl_context *context, const char *word)
{
    gl_str_addf(&context->reply.text, "%s\n", word);
}

static void add_commands(struct gl_context *context)
{
    for (size_t i = 0; gl_commands[i] != NULL; i++)
        if (gl_commands[i]->group != NULL)
            add_word(context, gl_commands[i]->name);
}

static void add_zones(struct gl_context *context)
{
    const struct gl_zone_row *rows;
    size_t count = gl_data_zones(&rows);

    for (size_t i = 0; i < count; i++)
        add_word(context, rows[i].zone);
}

static void add_regions(struct gl_context *context)
{
    const struct gl_region_row *rows;
    size_t count = gl_data_regions(&rows);

    for (size_t i = 0; i < count; i++)
        add_word(context, rows[i].region);
}

/* Rows are sorted by cloud. */
static void add_clouds(struct gl_context *context)
{
    const struct gl_region_row *rows;
    size_t count = gl_data_regions(&rows);

    add_word(context, "local");
    for (size_t i = 0; i < count; i++)
        if (i == 0 || strcmp(rows[i].cloud, rows[i - 1].cloud) != 0)
            add_word(context, rows[i].cloud);
}

/* "cloud/region/", to be gone on with by hand. */
static void add_places(struct gl_context *context)
{
    const struct gl_region_row *rows;
    size_t count = gl_data_regions(&rows);

    for (size_t i = 0; i < count; i++)
        gl_str_addf(&context->reply.text, "%s/%s/\n", rows[i].cloud, rows[i].region);
}

/* A ledger is opened only if there is one; trouble with it is no concern of a completion. */
static void add_instances(struct gl_context *context)
{
    struct gl_error ignored = {0};
    struct gl_launch_rows rows = {0};
    const char *state = gl_context_state(context, &ignored);
    GL_AUTO(gl_auto_free) char *path = state != NULL ? gl_path_join(state, "ledger.db") : NULL;
    struct gl_ledger *ledger =
        path != NULL && gl_file_exists(path) ? gl_context_ledger(context, &ignored) : NULL;

    if (ledger == NULL || gl_ledger_launches(ledger, NULL, &rows, &ignored) != 0)
        return;
    for (size_t i = 0; i < rows.count; i++)
        add_word(context, rows.rows[i].name[0] != '\0' ? rows.rows[i].name : rows.rows[i].launch);
    gl_launch_rows_free(&rows);
}

/* Clouds that can be added. */
static void add_providers(struct gl_context *context)
{
    size_t count;
    const struct gl_cloud_driver *drivers = gl_cloud_drivers(&count);

    for (size_t i = 0; i < count; i++)
        if ((drivers[i].ops->caps & GL_CLOUD_REMOTE) != 0)
            add_word(context, drivers[i].ops->name);
}

static void add_sources(struct gl_context *context)
{
    size_t count;
    const struct gl_signal_ops *const *known = gl_signal_registry(&count);

    for (size_t i = 0; i < count; i++)
        add_word(context, known[i]->name);
}

static const struct {
    const char *name;
    void (*add)(struct gl_context *context);
} kinds[] = {
    {"command", add_commands},   {"zone", add_zones},     {"region", add_regions},
    {"cloud", add_clouds},       {"offer", add_places},   {"instance", add_instances},
    {"provider", add_providers}, {"source", add_sources},
};

static int give_words(struct gl_context *context, const char *kind, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].name, kind) == 0) {
            kinds[i].add(context);
            return GL_EXIT_OK;
        }
    return gl_fail(err, GL_E_USAGE, "no words of kind \"%s\"", gl_text_show(kind, shown));
}

/* ---- scripts ---- */

static const struct {
    const char *name;
    void (*write)(struct gl_str *out);
} shells[] = {
    {"bash", gl_completion_bash}, {"zsh", gl_completion_zsh}, {"fish", gl_completion_fish}};

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct gl_operands *operands = call->operands;
    struct gl_str *out = &context->reply.text;
    char shown[GL_TEXT_SHOWN];

    if (gl_help_operands(&gl_command_completion, call, 1, 2, err) != 0)
        return -1;
    if (strcmp(operands->words[0], "words") == 0 && operands->count == 2)
        return give_words(context, operands->words[1], err);
    if (operands->count > 1)
        return gl_fail(err, GL_E_USAGE, "completion takes one shell at a time: bash, zsh or fish");
    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++) {
        if (strcmp(shells[i].name, operands->words[0]) != 0)
            continue;
        shells[i].write(out);
        context->reply.data =
            json_pack("{s:s,s:s}", "shell", shells[i].name, "script", gl_str_text(out));
        return GL_EXIT_OK;
    }
    return gl_fail(err, GL_E_USAGE, "no completion for \"%s\"; there are bash, zsh and fish",
                   gl_text_show(operands->words[0], shown));
}

const struct gl_command gl_command_completion = {
    .name = "completion",
    .group = "Help",
    .summary = "completion script for bash, zsh or fish",
    .operands = "bash|zsh|fish",
    .description = "Prints a script, made from the tables of commands and options, that completes "
                   "commands, options and their values in your shell. Zones, regions and clouds "
                   "come from the built-in tables, instances from the ledger of this machine.",
    .example = "$ source <(greenlaunch completion bash)\n"
               "$ greenlaunch completion words cloud\n"
               "hetzner",
    .run = run,
    .needs_no_config = true,
};
