/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/act.h"

#include "broker/cli/metered.h"
#include "broker/interrupt.h"
#include "broker/relocate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- launcher ---- */

/* Asked while an instance starts: the person who waits is told, too. */
static bool is_interrupted(void *cookie)
{
    gl_progress_tick(cookie);
    return gl_interrupted();
}

/* What is opened to clean up after an interruption is not given up for it. */
static bool tick_only(void *cookie)
{
    gl_progress_tick(cookie);
    return false;
}

/* Clouds elsewhere need a network; no other command pays for it. */
static void need_network(struct gl_context *context, const char *cloud)
{
    if (gl_cloud_is_remote(cloud) && !context->globals.is_offline && context->world.http == NULL)
        context->world.http = gl_http_curl_new();
}

struct gl_cloud *gl_act_open_cloud(struct gl_context *context, const char *cloud, const char *zone,
                                   struct gl_error *err)
{
    const struct gl_config_section *added = gl_config_cloud(&context->config, cloud);

    need_network(context, cloud);
    return gl_cloud_open(
        cloud,
        &(struct gl_cloud_options){.world = &context->world,
                                   .state_folder = context->state_folder,
                                   .zone = zone,
                                   .places = context->config.places,
                                   .place_count = context->config.place_count,
                                   .settings = added != NULL ? added->settings : NULL,
                                   .setting_count = added != NULL ? added->setting_count : 0,
                                   .is_cancelled = gl_interrupted() ? tick_only : is_interrupted,
                                   .cookie = context},
        err);
}

static struct gl_cloud *open_cloud(void *cookie, const char *cloud, const char *zone,
                                   struct gl_error *err)
{
    return gl_act_open_cloud(cookie, cloud, zone, err);
}

static void apart(void *cookie)
{
    gl_act_apart(cookie);
}

void gl_act_launcher_without_ledger(struct gl_context *context, struct gl_launcher *out)
{
    *out = (struct gl_launcher){.world = &context->world,
                                .cookie = context,
                                .open = open_cloud,
                                .is_interrupted = is_interrupted,
                                .apart = apart};
}

static int launcher_over(struct gl_context *context, struct gl_ledger *ledger,
                         struct gl_launcher *out, struct gl_error *err)
{
    if (ledger == NULL)
        return -1;
    gl_act_launcher_without_ledger(context, out);
    out->ledger = ledger;
    out->state_folder = gl_context_state(context, err);
    return 0;
}

int gl_act_launcher(struct gl_context *context, struct gl_launcher *out, struct gl_error *err)
{
    return launcher_over(context, gl_context_ledger(context, err), out, err);
}

int gl_act_launcher_to_look(struct gl_context *context, struct gl_launcher *out,
                            struct gl_error *err)
{
    return launcher_over(context, gl_context_ledger_to_look(context, err), out, err);
}

static void warn_of(struct gl_context *context, unsigned count, const char *what,
                    const struct gl_error *first)
{
    char code[16];

    if (count == 0)
        return;
    snprintf(code, sizeof code, "GL%d", (int)first->code);
    gl_warn(context, code, "%u %s: %s", count, what, first->text);
}

void gl_act_warn_silent(struct gl_context *context, const struct gl_launcher *launcher,
                        size_t named)
{
    for (size_t i = named; i < launcher->silent.count; i++)
        gl_warn(context, "GL5002", "cloud %s cannot be asked: %s", launcher->silent.items[i].cloud,
                launcher->silent.items[i].why.text);
}

int gl_act_reconcile(struct gl_context *context, struct gl_launcher *launcher, struct gl_error *err)
{
    size_t named = launcher->is_roll_called ? launcher->silent.count : 0;
    struct gl_relocate_swept swept;
    struct gl_reconciled counts;
    const struct {
        const unsigned *count;
        const char *text;
    } rows[] = {
        {&counts.adopted, "found running after an interrupted launch"},
        {&counts.absent, "never started; nothing runs"},
        {&counts.reaped, "past its lease; stopped"},
        {&counts.finished, "ended by itself; receipt written"},
        {&counts.shifted, "noted as paused, running again or moved after an interruption"},
        {&counts.lost, "lost: the provider no longer knows it"},
        {&counts.unknown, "cannot be asked now; look again with: greenlaunch status"},
    };

    if (gl_launch_reconcile(launcher, &counts, err) != 0)
        return -1;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (*rows[i].count > 0)
            gl_say(context, "%u launch%s %s", *rows[i].count, *rows[i].count == 1 ? "" : "es",
                   rows[i].text);
    gl_act_warn_silent(context, launcher, named);
    warn_of(context, counts.failed, "not settled", &counts.first);
    gl_metered_settle(context);
    gl_relocate_sweep(launcher, &swept);
    warn_of(context, swept.left, "left images that are still there", &swept.first);
    return 0;
}

/* A cloud where money is spent is launched on only when it is named, never by a pattern. */
static bool is_meant(const char *glob, const struct gl_cloud_ops *ops)
{
    if ((ops->caps & GL_CLOUD_REMOTE) != 0)
        return glob != NULL && strcmp(glob, ops->name) == 0;
    return glob == NULL || gl_glob_match(glob, ops->name);
}

/* Append what `glob` means, NULL = nothing was named; false when it is nothing. */
static bool add_meant(const char *glob, struct gl_option_list *out)
{
    size_t count, before = out->count;
    const struct gl_cloud_driver *drivers = gl_cloud_drivers(&count);

    for (size_t i = 0; i < count && out->count < GL_OPTION_LIST_MAX; i++)
        if (is_meant(glob, drivers[i].ops))
            out->items[out->count++] = drivers[i].ops->name;
    return out->count > before;
}

static int fail_not_launchable(const char *cloud, struct gl_error *err)
{
    size_t count;
    const struct gl_cloud_driver *drivers = gl_cloud_drivers(&count);
    struct gl_str names = {0};
    char shown[GL_TEXT_SHOWN];

    for (size_t i = 0; i < count; i++)
        gl_str_addf(&names, "%s%s", i > 0 ? ", " : "", drivers[i].ops->name);
    gl_fail(err, GL_E_USAGE,
            "this version can rank %s but launch only on: %s, each by its full name (greenlaunch "
            "offers ranks them all)",
            gl_text_show(cloud, shown), gl_str_text(&names));
    gl_str_done(&names);
    return -1;
}

int gl_act_only_launchable(struct gl_ask *ask, struct gl_error *err)
{
    struct gl_option_list meant = {.count = 0};

    for (size_t i = 0; i < ask->clouds.count; i++)
        if (!add_meant(ask->clouds.items[i], &meant))
            return fail_not_launchable(ask->clouds.items[i], err);
    if (ask->clouds.count == 0)
        add_meant(NULL, &meant);
    memcpy(ask->clouds.items, meant.items, sizeof meant.items);
    ask->clouds.count = meant.count;
    return 0;
}

const char *const *gl_act_list(const struct gl_option_list *list, const char **storage)
{
    if (list->count == 0)
        return NULL;
    memcpy(storage, list->items, list->count * sizeof *storage);
    storage[list->count] = NULL;
    return storage;
}
