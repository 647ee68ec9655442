/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/act.h"

#include "broker/interrupt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- launcher ---- */

static struct gl_cloud *open_cloud(void *cookie, const char *cloud, const char *zone,
                                   struct gl_error *err)
{
    struct gl_context *context = cookie;

    return gl_cloud_open(cloud,
                         &(struct gl_cloud_options){.world = &context->world,
                                                    .state_folder = context->state_folder,
                                                    .zone = zone,
                                                    .places = context->config.places,
                                                    .place_count = context->config.place_count},
                         err);
}

/* Asked while an instance starts: the person who waits is told, too. */
static bool is_interrupted(void *cookie)
{
    gl_progress_tick(cookie);
    return gl_interrupted();
}

void gl_act_launcher_without_ledger(struct gl_context *context, struct gl_launcher *out)
{
    *out = (struct gl_launcher){.world = &context->world,
                                .cookie = context,
                                .open = open_cloud,
                                .is_interrupted = is_interrupted};
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

int gl_act_reconcile(struct gl_context *context, struct gl_launcher *launcher, struct gl_error *err)
{
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
    if (counts.failed > 0) {
        char code[16];

        snprintf(code, sizeof code, "GL%d", (int)counts.first.code);
        gl_warn(context, code, "%u not settled: %s", counts.failed, counts.first.text);
    }
    return 0;
}

static bool is_launchable(const char *glob)
{
    size_t count;
    const struct gl_cloud_driver *drivers = gl_cloud_drivers(&count);

    for (size_t i = 0; i < count; i++)
        if (gl_glob_match(glob, drivers[i].ops->name))
            return true;
    return false;
}

int gl_act_only_launchable(struct gl_ask *ask, struct gl_error *err)
{
    size_t count;
    const struct gl_cloud_driver *drivers = gl_cloud_drivers(&count);

    for (size_t i = 0; i < ask->clouds.count; i++)
        if (!is_launchable(ask->clouds.items[i])) {
            char shown[GL_TEXT_SHOWN];

            return gl_fail(err, GL_E_USAGE,
                           "this version can rank %s but launch only on: %s (greenlaunch offers "
                           "ranks them all)",
                           gl_text_show(ask->clouds.items[i], shown), drivers[0].ops->name);
        }
    for (size_t i = 0; ask->clouds.count == 0 && i < count && i < GL_OPTION_LIST_MAX; i++)
        ask->clouds.items[i] = drivers[i].ops->name;
    if (ask->clouds.count == 0)
        ask->clouds.count = count < GL_OPTION_LIST_MAX ? count : GL_OPTION_LIST_MAX;
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
