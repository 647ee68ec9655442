/* SPDX-License-Identifier: Apache-2.0 */
/* From an allowed decision to a running instance: shared by launch and run. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "broker/cli/start_instance.h"

/* Every second for short runs; then growing with the lease, so that a receipt holds at most some
 * 2,000 readings, up to an hour. */
static int64_t interval_ms(int64_t lease_s)
{
    int64_t interval_s = lease_s / 2000;

    if (lease_s <= 900)
        return 1000;
    if (interval_s > 3600)
        return 3600000;
    return interval_s < 10 ? 10000 : interval_s * 1000;
}

static void say_choice(struct gl_context *context, const struct gl_ask_result *asked,
                       uint32_t index)
{
    const struct gl_offer *offer = &asked->offers->offers[index];
    const struct gl_judgement *judgement = &asked->decision->judgements[index];
    char span[GL_QUANTITY_TEXT];

    gl_say(context, "ALLOWED: %s %s in zone %s for %s%s%s (evidence grade %c)", offer->cloud,
           offer->type, offer->zone_count > 0 ? offer->zones[0]->zone : "unknown",
           gl_span_text(asked->request.duration, span),
           asked->threshold[0] != '\0' ? "; rule: " : "", asked->threshold,
           gl_grade_letter((enum gl_grade)judgement->grade));
    if (judgement->has_warning)
        gl_warn(context, "GL8003", "allowed with a warning: see greenlaunch why %s/%s/%s",
                offer->cloud, offer->region, offer->type);
}

static struct gl_order order_of(const struct gl_context *context, const struct gl_offer *offer,
                                const struct gl_start_options *options, const json_t *plan,
                                int64_t lease_s)
{
    return (struct gl_order){
        .name = options->name != NULL ? options->name : "",
        .cloud = offer->cloud,
        .zone = offer->zone_count > 0 ? offer->zones[0]->zone : "",
        .plan = plan,
        .is_demo = context->is_demo,
        .launch = {.region = offer->region,
                   .type = offer->type,
                   .lease = {lease_s},
                   .vcpus = offer->vcpus,
                   .memory_mib = offer->memory_mib,
                   .command = options->command,
                   .image = options->image,
                   .with = options->with,
                   .files_in = options->files_in,
                   .has_network = options->has_network,
                   .user_data = options->user_data,
                   .interval_s = (uint32_t)(interval_ms(lease_s) / 1000)},
    };
}

static int launch_chosen(struct gl_context *context, struct gl_launcher *launcher,
                         const struct gl_ask_result *asked, const struct gl_start_options *options,
                         struct gl_instance *out, struct gl_error *err)
{
    uint32_t index = asked->decision->ranked[0];
    const struct gl_offer *offer = &asked->offers->offers[index];
    int64_t lease_s = asked->request.duration.s;
    GL_AUTO(gl_auto_json)
    json_t *plan = gl_act_plan(context, asked, index, options->command, interval_ms(lease_s), err);
    struct gl_order order;

    if (plan == NULL)
        return -1;
    context->reply.verdict = gl_verdict_word(GL_ALLOW);
    say_choice(context, asked, index);
    gl_progress(context, "starting the instance");
    order = order_of(context, offer, options, plan, lease_s);
    if (gl_launch_start(launcher, &order, out, err) != 0)
        return -1;
    gl_progress_end(context);
    return 0;
}

int gl_start_instance(struct gl_context *context, struct gl_launcher *launcher, struct gl_ask *ask,
                      const struct gl_start_options *options, struct gl_instance *out,
                      struct gl_error *err)
{
    struct gl_ask_result asked;
    int status;

    if (context->globals.at != NULL)
        return gl_fail(err, GL_E_USAGE,
                       "--at decides for another instant, when nothing can be "
                       "started: use it with offers and why");
    if (ask->count != INT64_MIN && ask->count > 1)
        return gl_fail(err, GL_E_USAGE, "one instance at a time: --count is for offers");
    if (gl_act_only_launchable(ask, err) != 0)
        return -1;
    ask->wants_digest = true;
    if (gl_act_launcher(context, launcher, err) != 0 ||
        gl_act_reconcile(context, launcher, err) != 0 ||
        gl_ask_decide(context, ask, &asked, err) != 0)
        return -1;
    if (asked.decision->verdict == GL_ALLOW)
        status = launch_chosen(context, launcher, &asked, options, out, err) == 0 ? GL_EXIT_OK : -1;
    else
        status = gl_act_refusal(context, &asked, err);
    gl_ask_result_done(&asked);
    return status;
}

static const char *const *list_of(const struct gl_option_list *list, const char **storage)
{
    if (list->count == 0)
        return NULL;
    memcpy(storage, list->items, list->count * sizeof *storage);
    storage[list->count] = NULL;
    return storage;
}

void gl_start_options_of(const struct gl_inside *inside, const char *const *command,
                         struct gl_start_lists *lists, struct gl_start_options *out)
{
    *out = (struct gl_start_options){
        .name = inside->name,
        .command = command,
        .image = inside->image,
        .with = list_of(&inside->with, lists->with),
        .files_in = list_of(&inside->files_in, lists->files_in),
        .has_network = inside->network != NULL && strcmp(inside->network, "user") == 0,
        .user_data = inside->user_data,
    };
}
