/* SPDX-License-Identifier: Apache-2.0 */
/* init: ask the one thing nobody can look up, where this machine stands, and write it down. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "broker/cli/command.h"
#include "providers/data/data.h"

struct init_values {
    const char *zone, *country;
    bool is_forced;
};

static const struct gl_option options[] = {
    {"zone", 0, GL_OPT_TEXT, offsetof(struct init_values, zone), "ZONE",
     "grid zone this machine stands in, as in SE-SE3", NULL, NULL, NULL, 0, 0, 0, "zone"},
    {"country", 0, GL_OPT_TEXT, offsetof(struct init_values, country), "CODE",
     "country of this machine, as in SE", NULL, NULL, NULL, 0, 0, 0, NULL},
    {"force", 'f', GL_OPT_FLAG, offsetof(struct init_values, is_forced), NULL,
     "replace an existing configuration", NULL, NULL, NULL, 0, 0, 0, NULL},
    {0},
};

/* A zone is known when the built-in table or a live source may speak of it; others are a typing
 * error more often than not. */
static int check_zone(const char *zone, struct gl_error *err)
{
    const struct gl_zone_row *rows;
    size_t count = gl_data_zones(&rows);
    GL_AUTO(gl_auto_free) const char **names = NULL;
    const char *near;

    if (gl_data_zone(zone) != NULL)
        return 0;
    names = gl_alloc(count * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = rows[i].zone;
    near = gl_text_nearest(zone, names, count);
    return gl_fail(err, GL_E_UNKNOWN_NAME, "no grid zone \"%s\"%s%s%s", zone,
                   near != NULL ? "; did you mean " : "", near != NULL ? near : "",
                   near != NULL ? "?" : " (zones are named as in SE-SE3, DE, US-CAL-CISO)");
}

/* One line from the terminal; 1 when there was none. */
static int ask_line(const char *question, char *out, size_t size)
{
    fputs(question, stderr);
    fflush(stderr);
    if (fgets(out, (int)size, stdin) == NULL)
        return 1;
    out[strcspn(out, "\r\n")] = '\0';
    return 0;
}

static bool may_ask(const struct gl_context *context)
{
    return !context->globals.has_no_input && !context->globals.is_json &&
           isatty(STDIN_FILENO) == 1;
}

static int choose_zone(struct gl_context *context, const char *given, char out[40],
                       struct gl_error *err)
{
    char line[128];

    if (given != NULL) {
        snprintf(out, 40, "%s", given);
        return check_zone(given, err);
    }
    if (!may_ask(context))
        return gl_fail(err, GL_E_USAGE, "say where this machine stands: greenlaunch init --zone ZONE");
    gl_say(context, "Carbon depends on the grid. Names are those of the Electricity Maps zones:\n"
                    "SE-SE3, DE, FR, GB, US-CAL-CISO, ... (greenlaunch signals lists them)");
    for (int tries = 0; tries < 3; tries++) {
        struct gl_error wrong = {0};

        if (ask_line("Grid zone of this machine: ", line, sizeof line) != 0 || line[0] == '\0')
            break;
        if (check_zone(line, &wrong) == 0) {
            snprintf(out, 40, "%.39s", line);
            return 0;
        }
        gl_say(context, "%s", wrong.text);
    }
    return GL_EXIT_DECLINED;
}

static bool may_replace(struct gl_context *context, const char *path, bool is_forced)
{
    char line[16], question[512];

    if (is_forced || !gl_file_exists(path) || context->globals.is_yes)
        return true;
    if (!may_ask(context))
        return false;
    snprintf(question, sizeof question, "Replace %.400s? [y/N] ", path);
    return ask_line(question, line, sizeof line) == 0 && (line[0] == 'y' || line[0] == 'Y');
}

/* The first letters of a zone name are its country. */
static void country_of(const char *zone, const char *given, char out[3])
{
    snprintf(out, 3, "%.2s", given != NULL ? given : zone);
}

static int write_config(struct gl_context *context, const char *path, const char *zone,
                        const char *country, struct gl_error *err)
{
    struct gl_config config = {.zone = gl_strdup(zone), .country = gl_strdup(country)};
    int result = gl_config_write(path, &config, true, err);

    gl_config_done(&config);
    if (result != 0)
        return -1;
    gl_str_addf(&context->reply.text, "Wrote %s: zone %s, country %s.\n", path, zone, country);
    gl_str_add(&context->reply.text,
               "  next: greenlaunch signals --explain ZONE    what is known of your grid\n"
               "        greenlaunch doctor                    what this machine can do\n");
    context->reply.data =
        json_pack("{s:s,s:s,s:s}", "config", path, "zone", zone, "country", country);
    gl_next(context, "see what this machine can do", (const char *const[]){"doctor", NULL});
    return GL_EXIT_OK;
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct init_values *values = call->values;
    GL_AUTO(gl_auto_free) char *path = context->globals.config != NULL
                                           ? gl_strdup(context->globals.config)
                                           : gl_config_path(&context->world);
    char zone[40], country[3];
    int status;

    if (path == NULL)
        return gl_fail(err, GL_E_CONFIG, "neither XDG_CONFIG_HOME nor HOME is set");
    if (!may_replace(context, path, values->is_forced)) {
        gl_str_addf(&context->reply.text, "Kept %s as it is (--force replaces it).\n", path);
        return GL_EXIT_DECLINED;
    }
    status = choose_zone(context, values->zone, zone, err);
    if (status != 0)
        return status;
    country_of(zone, values->country, country);
    return write_config(context, path, zone, country, err);
}

const struct gl_command gl_command_init = {
    .name = "init",
    .group = "Set up",
    .summary = "say which grid zone this machine stands in",
    .operands = "",
    .description = "Writes the configuration file. Asks on a terminal; elsewhere --zone is needed. "
                   "An existing file is only replaced after a yes or with --force.",
    .example = "greenlaunch init --zone SE-SE3",
    .options = options,
    .values_size = sizeof(struct init_values),
    .run = run,
};
