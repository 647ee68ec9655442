/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/unknown.h"

#include "base/time.h"
#include "broker/rollcall.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_known(struct gl_launcher *launcher, const char *launch)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct gl_error ignored = {0};

    if (launcher->ledger == NULL ||
        gl_ledger_launches(launcher->ledger, launch, &rows, &ignored) != 0)
        return false;
    for (size_t i = 0; i < rows.count; i++)
        if (strcmp(rows.rows[i].launch, launch) == 0)
            return !gl_launch_row_is_over(&rows.rows[i]);
    return false;
}

static void add(struct gl_unknowns *unknowns, const char *cloud, const struct gl_instance *instance)
{
    unknowns->items = gl_realloc(unknowns->items, (unknowns->count + 1) * sizeof *unknowns->items);
    unknowns->items[unknowns->count++] = (struct gl_unknown){cloud, *instance};
}

/* What runs there stays out of the list, and is not stopped. */
static void note_unseen(struct gl_context *context, const struct gl_roll *roll,
                        struct gl_unknowns *out)
{
    size_t length = strlen(out->unseen);

    if (roll->unseen[0] == '\0')
        return;
    snprintf(out->unseen + length, sizeof out->unseen - length, "%s%s in %s",
             length > 0 ? "; " : "", roll->cloud, roll->unseen);
    gl_warn(context, "GL5002",
            "these credentials may not look at %s in %s: what runs there is not known", roll->cloud,
            roll->unseen);
}

static void take(struct gl_context *context, struct gl_launcher *launcher,
                 const struct gl_roll *roll, struct gl_unknowns *out)
{
    if (!roll->has_answered) {
        gl_warn(context, "GL5002", "cloud %s cannot be asked what runs there: %s", roll->cloud,
                roll->why.text);
        out->unasked++;
        return;
    }
    out->answered++;
    for (size_t i = 0; i < roll->count; i++)
        if (!gl_instance_is_over(&roll->items[i]) && !is_known(launcher, roll->items[i].launch_id))
            add(out, roll->cloud, &roll->items[i]);
    note_unseen(context, roll, out);
}

/* Did the ledger ever see a launch there? */
static bool is_in_ledger(const struct gl_context *context, const char *cloud)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct gl_error ignored = {0};

    if (context->ledger == NULL || gl_ledger_launches(context->ledger, NULL, &rows, &ignored) != 0)
        return false;
    for (size_t i = 0; i < rows.count; i++)
        if (strcmp(rows.rows[i].cloud, cloud) == 0)
            return true;
    return false;
}

/* Clouds elsewhere are asked when they were added to the configuration or used before: an account
 * that nobody spoke of is none of ours. */
static bool is_asked(const struct gl_context *context, const struct gl_cloud_ops *ops)
{
    return (ops->caps & GL_CLOUD_REMOTE) == 0 ||
           gl_config_cloud(&context->config, ops->name) != NULL || is_in_ledger(context, ops->name);
}

void gl_unknowns_find(struct gl_context *context, struct gl_launcher *launcher,
                      struct gl_unknowns *out)
{
    size_t count, asked = 0;
    const struct gl_cloud_driver *drivers = gl_cloud_drivers(&count);
    const char **clouds = gl_alloc(count * sizeof *clouds);
    struct gl_roll *rolls = gl_alloc(count * sizeof *rolls);

    *out = (struct gl_unknowns){0};
    for (size_t i = 0; i < count; i++)
        if (is_asked(context, drivers[i].ops)) {
            if (gl_launcher_is_silent(launcher, drivers[i].ops->name))
                out->unasked++; /* warned of before */
            else
                clouds[asked++] = drivers[i].ops->name;
        }
    gl_progress(context, "asking %zu cloud%s", asked, asked == 1 ? "" : "s");
    gl_rollcall(launcher, clouds, asked, rolls);
    gl_progress_end(context);
    for (size_t i = 0; i < asked; i++)
        take(context, launcher, &rolls[i], out);
    gl_rolls_done(rolls, asked);
    free(rolls);
    free(clouds);
}

void gl_unknowns_done(struct gl_unknowns *unknowns)
{
    free(unknowns->items);
    *unknowns = (struct gl_unknowns){0};
}

json_t *gl_unknown_json(const struct gl_unknown *unknown)
{
    const struct gl_instance *instance = &unknown->instance;
    char expires[GL_INSTANT_TEXT];

    gl_instant_text(instance->expires, expires);
    return json_pack("{s:s*,s:s,s:s*,s:s*,s:s*,s:s,s:s,s:s,s:s*}", "launch", instance->launch_id,
                     "cloud", unknown->cloud, "instance", instance->id, "region", instance->region,
                     "type", instance->type, "state", gl_instance_state_word(instance->state),
                     "expires", expires, "how", instance->how, "console", instance->console);
}

int gl_unknown_stop(struct gl_launcher *launcher, const struct gl_unknown *unknown,
                    struct gl_span wait, struct gl_error *err)
{
    struct gl_cloud *cloud = launcher->open(launcher->cookie, unknown->cloud, NULL, err);
    struct gl_instance now;
    struct gl_error ignored = {0};
    int result;

    if (cloud == NULL)
        return -1;
    cloud->ops->stop(cloud, unknown->instance.id, wait, &ignored);
    result = cloud->ops->terminate(cloud, unknown->instance.id, err);
    /* What counts is what is seen: a full disk keeps a provider on this machine from noting it. */
    if (result != 0 && cloud->ops->describe(cloud, unknown->instance.id, &now, &ignored) == 0 &&
        gl_instance_is_over(&now)) {
        gl_error_clear(err);
        result = 0;
    }
    gl_cloud_close(cloud);
    return result;
}
