/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "broker/cli/again.h"
#include "broker/cli/help.h"
#include "broker/cli/misnamed.h"
#include "broker/interrupt.h"
#include "broker/render/text.h"
#include "providers/data/data.h"

#define TRIES 3

struct init_values {
    const char *zone, *country;
    bool is_forced;
};

static const struct gl_option options[] = {
    {"zone", 0, GL_OPT_TEXT, offsetof(struct init_values, zone), "ZONE",
     "grid zone this machine stands in, as in SE-SE3", NULL, NULL, NULL, 0, 0, 0, "zone"},
    {"country", 0, GL_OPT_TEXT, offsetof(struct init_values, country), "CODE",
     "country, two letters (default: that of the zone)", NULL, NULL, NULL, 0, 0, 0, NULL},
    {"force", 'f', GL_OPT_FLAG, offsetof(struct init_values, is_forced), NULL,
     "replace a configuration that is there, and accept a zone that no table knows", NULL, NULL,
     NULL, 0, 0, 0, NULL},
    {0},
};

/* ---- the zone ---- */

static int check_zone(const char *zone, bool is_forced, struct gl_error *err)
{
    const char *nearest;
    char shown[GL_TEXT_SHOWN];

    if (gl_data_zone(zone) != NULL || (is_forced && zone[0] != '\0' && strlen(zone) < 40))
        return 0;
    nearest = gl_nearest_zone(zone);
    return gl_fail(err, GL_E_UNKNOWN_NAME, "no grid zone \"%s\"%s%s%s", gl_text_show(zone, shown),
                   nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
                   nearest != NULL ? "?" : "");
}

/* One line of the terminal without its end; NULL when nothing was typed. */
static char *read_line(void)
{
    char line[128];
    struct gl_str text = {0};

    if (fgets(line, sizeof line, stdin) == NULL)
        return NULL;
    line[strcspn(line, "\r\n")] = '\0';
    if (line[strspn(line, " \t")] == '\0')
        return NULL;
    gl_str_add(&text, line + strspn(line, " \t"));
    while (text.text[text.length - 1] == ' ')
        text.text[--text.length] = '\0';
    return gl_str_take(&text);
}

/* A question and its mistakes are talk, and the person has asked to be asked. */
static void say_wrapped(const struct gl_context *context, const char *text)
{
    GL_AUTO(gl_str_done) struct gl_str lines = {0};

    gl_render_wrap(text, 0, context->columns, &lines);
    fputs(gl_str_text(&lines), stderr);
}

/* Ask until a known zone is typed: a fresh string, NULL when the person gives up. */
static char *ask_zone(const struct gl_context *context)
{
    for (int i = 0; i < TRIES; i++) {
        struct gl_error err = {0};
        char *zone;

        say_wrapped(context, "In which grid zone does this machine stand? Such as SE-SE3 or DE.\n"
                             "All of them: greenlaunch signals --limit 1000");
        fputs("Zone: ", stderr);
        zone = read_line();
        if (zone == NULL)
            return NULL;
        if (check_zone(zone, false, &err) == 0)
            return zone;
        say_wrapped(context, err.text);
        free(zone);
    }
    return NULL;
}

/* The zone given or typed, fresh. NULL with *err, or without when the person gave up. */
static char *choose_zone(struct gl_context *context, const struct init_values *values,
                         struct gl_error *err)
{
    bool may_ask =
        !context->globals.has_no_input && !context->globals.is_json && isatty(STDIN_FILENO) == 1;

    if (values->zone != NULL && check_zone(values->zone, values->is_forced, err) != 0)
        return NULL;
    if (values->zone != NULL && gl_data_zone(values->zone) == NULL &&
        gl_nearest_zone(values->zone) != NULL) /* else it is likely one of their own */
        gl_warn_of_zone(context, values->zone);
    if (values->zone != NULL)
        return gl_strdup(values->zone);
    if (may_ask)
        return ask_zone(context);
    gl_fail(err, GL_E_USAGE,
            "nobody to ask: say in which grid zone this machine stands with "
            "--zone, as in --zone SE-SE3");
    return NULL;
}

/* Zones of the table are named by their country first: "SE-SE3". */
static bool zone_has_country(const char *zone)
{
    return strspn(zone, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 2 && (zone[2] == '\0' || zone[2] == '-');
}

static char *choose_country(const struct init_values *values, const char *zone,
                            struct gl_error *err)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const char *country = values->country;
    char code[3] = "", shown[GL_TEXT_SHOWN];

    if (country != NULL && (strspn(country, letters) != 2 || country[2] != '\0')) {
        gl_fail(err, GL_E_USAGE, "--country %s: two capital letters, as in SE",
                gl_text_show(country, shown));
        return NULL;
    }
    if (country == NULL && gl_data_zone(zone) != NULL && zone_has_country(zone)) {
        memcpy(code, zone, 2);
        country = code;
    }
    return gl_strdup(country != NULL ? country : "");
}

/* ---- the answer ---- */

static void add_step(struct gl_context *context, const char *why, const char *const *words)
{
    gl_str_add(&context->reply.text, "  ");
    gl_again_line(context, words, &context->reply.text);
    gl_str_add_char(&context->reply.text, '\n');
    gl_next(context, why, words);
}

static void explain(struct gl_context *context, const char *path, const struct gl_config *config)
{
    const struct gl_zone_row *row = gl_data_zone(config->zone);
    struct gl_str *out = &context->reply.text;
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    gl_str_addf(out, "Wrote %s\n", path); /* whole, to be copied */
    gl_str_addf(&line, "Zone %s%s%s%s%s%s.\n", config->zone, row != NULL ? " (" : "",
                row != NULL ? row->name : "", row != NULL ? ")" : "",
                config->country != NULL ? ", country " : "",
                config->country != NULL ? config->country : "");
    if (row != NULL && row->renewable_pct >= 0 && row->intensity_g_per_kwh >= 0)
        gl_str_addf(
            &line,
            "By the yearly average of %d (grade D, location-based) its electricity is %d %% "
            "renewable and %d gCO2e/kWh.\n",
            row->year, row->renewable_pct, row->intensity_g_per_kwh);
    gl_render_wrap(gl_str_text(&line), 0, context->columns, out);
    gl_str_add(out, "\nNext:\n");
    add_step(context, "what is known of its electricity",
             (const char *const[]){"signals", "--explain", config->zone, NULL});
    add_step(context, "what this machine offers",
             (const char *const[]){"offers", "--cloud", "local", NULL});
    add_step(context, "whether it can run instances", (const char *const[]){"doctor", NULL});
    add_step(context, "clouds that can be rented; provider add takes one in",
             (const char *const[]){"provider", "list", NULL});
    gl_render_wrap("A cloud is taken in with greenlaunch provider add NAME, a source of grid "
                   "signals with greenlaunch source add NAME.",
                   0, context->columns, out);
    context->reply.data =
        json_pack("{s:s,s:s,s:s?}", "path", path, "zone", config->zone, "country", config->country);
}

/* What the old file says is kept but for place; a file that cannot be read is replaced whole. */
static int write_config(struct gl_context *context, const struct init_values *values,
                        const char *path, char *zone, char *country, struct gl_error *err)
{
    struct gl_config config = {0};
    struct gl_error ignored = {0};
    int status;

    if (gl_file_exists(path) && gl_config_read(path, &context->world, &config, &ignored) != 0)
        gl_warn(context, "GL2002", "the old configuration could not be read and is replaced: %s",
                ignored.text);
    free(config.zone);
    free(config.country);
    config.zone = zone;
    config.country = country[0] != '\0' ? country : NULL;
    if (config.country == NULL)
        free(country);
    status = gl_config_write(path, &config, values->is_forced, err);
    if (status == 0)
        explain(context, path, &config);
    gl_config_done(&config);
    return status;
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct init_values *values = call->values;
    GL_AUTO(gl_auto_free) char *standard = gl_config_path(&context->world);
    const char *path = context->globals.config != NULL ? context->globals.config : standard;
    char *zone, *country;

    if (gl_help_operands(&gl_command_init, call, 0, 0, err) != 0)
        return -1;
    if (path == NULL)
        return gl_fail(
            err, GL_E_CONFIG,
            "no place for it: neither XDG_CONFIG_HOME nor HOME is set to an absolute path");
    if (!values->is_forced && gl_file_exists(path))
        return gl_fail(err, GL_E_CONFIG, "%s is there already; --force replaces its zone", path);
    zone = choose_zone(context, values, err);
    if (zone == NULL && err->code == GL_OK && gl_interrupted())
        return gl_interrupt_fail(err, "nothing was written");
    if (zone == NULL && err->code == GL_OK) {
        gl_str_add(&context->reply.text, "Nothing was written. In one go: greenlaunch init --zone "
                                         "ZONE, as in SE-SE3\n");
        return GL_EXIT_DECLINED;
    }
    country = zone != NULL ? choose_country(values, zone, err) : NULL;
    if (country == NULL) {
        free(zone);
        return -1;
    }
    return write_config(context, values, path, zone, country, err);
}

const struct gl_command gl_command_init = {
    .name = "init",
    .group = "Set up",
    .summary = "say in which grid zone this machine stands",
    .operands = "",
    .description =
        "Writes the configuration file. Only the zone is needed: it says by which grid instances "
        "on this machine are judged. On a terminal it asks; elsewhere --zone is needed. An "
        "existing "
        "file is replaced only with --force, and then keeps its policies, sources and clouds. "
        "Clouds to rent come in with provider add, grid signals with source add.",
    .example = "$ greenlaunch init --zone SE-SE3\n"
               "Zone SE-SE3 (South Central Sweden), country SE.",
    .options = options,
    .values_size = sizeof(struct init_values),
    .run = run,
    .needs_no_config = true,
};
