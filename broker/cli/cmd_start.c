/* SPDX-License-Identifier: Apache-2.0 */
/* The bare command: what this is, what is at hand, what to type next. */
#include "broker/cli/help.h"
#include "broker/render/text.h"
#include "providers/data/data.h"

static const struct {
    const char *argv[8];
    const char *shown, *why;
} steps[] = {
    {{"offers", "--renewable-only", "--min-grade", "D"},
     "greenlaunch offers --renewable-only --min-grade D",
     "where it is green, by yearly averages"},
    {{"run", "--renewable-only", "--min-grade", "D", "--", "uname", "-a"},
     "greenlaunch run --renewable-only --min-grade D -- uname -a",
     "one command on green power, in a machine of its own, metered"},
    {{"doctor"}, "greenlaunch doctor", "what this machine can do, and how to mend it"},
};

/* What can be known without asking anybody. */
static void add_data(struct gl_context *context)
{
    const struct gl_zone_row *zones;
    const struct gl_region_row *regions;
    size_t zone_count = gl_data_zones(&zones), region_count = gl_data_regions(&regions);
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    int newest = 0;

    for (size_t i = 0; i < zone_count; i++)
        newest = zones[i].year > newest ? zones[i].year : newest;
    gl_str_addf(
        &line,
        "At hand without an account: yearly averages of %zu grid zones (grade D, up to %d), "
        "%zu cloud regions, and this machine as the cloud \"local\". Live signals where they "
        "need no key.",
        zone_count, newest, region_count);
    gl_str_add_char(&context->reply.text, '\n');
    gl_render_wrap(gl_str_text(&line), 0, context->columns, &context->reply.text);
    json_object_set_new(context->reply.data, "zones", json_integer((json_int_t)zone_count));
    json_object_set_new(context->reply.data, "newest_year", json_integer(newest));
    json_object_set_new(context->reply.data, "regions", json_integer((json_int_t)region_count));
}

/* That of a demonstration is an example, and must not be taken for a fact. */
static void tell_zone(struct gl_context *context, const char *zone)
{
    const struct gl_zone_row *row = gl_data_zone(zone);
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    gl_str_addf(&line, "%s zone %s",
                context->is_demo ? "Nobody has said where this machine "
                                   "stands: every figure is of the example"
                                 : "This machine stands in",
                zone);
    if (row != NULL)
        gl_str_addf(&line, " (%s)", row->name);
    gl_str_add(&line,
               context->is_demo ? ", none of them yours. Say it with: greenlaunch init" : ".");
    gl_render_wrap(gl_str_text(&line), 0, context->columns, &context->reply.text);
}

static void add_zone(struct gl_context *context)
{
    const char *zone = gl_context_zone(context, NULL);
    struct gl_str *out = &context->reply.text;

    json_object_set_new(context->reply.data, "zone",
                        zone != NULL ? json_string(zone) : json_null());
    if (zone != NULL) {
        tell_zone(context, zone);
        return;
    }
    gl_render_wrap("Nobody has said where this machine stands: greenlaunch init", 0,
                   context->columns, out);
    gl_next(context, "say in which grid zone this machine stands",
            (const char *const[]){"init", NULL});
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    struct gl_str *out = &context->reply.text;

    if (gl_help_operands(&gl_command_start, call, 0, 0, err) != 0)
        return -1;
    context->reply.data = json_pack("{s:s}", "version", GL_VERSION);
    gl_render_wrap("greenlaunch " GL_VERSION " launches compute only where and when it is green.",
                   0, context->columns, out);
    gl_str_add_char(out, '\n');
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        gl_str_addf(out, "  %s\n", steps[i].shown);
        gl_render_wrap(steps[i].why, 6, context->columns, out);
        gl_next(context, steps[i].why, steps[i].argv);
    }
    add_data(context);
    add_zone(context);
    gl_str_add(out, "Help: greenlaunch help\n");
    return GL_EXIT_OK;
}

const struct gl_command gl_command_start = {
    .name = "start",
    .group = NULL,
    .summary = "the first screen",
    .operands = "",
    .description = "What greenlaunch is and what to type next.",
    .example = "$ greenlaunch\n"
               "Help: greenlaunch help",
    .run = run,
};
