/* SPDX-License-Identifier: Apache-2.0 */
/* From an allowed decision to a running instance: shared by launch and run. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/time.h"
#include "broker/cli/start_instance.h"
#include "broker/interrupt.h"
#include "broker/promise.h"
#include "broker/render/promise.h"

#define WAIT ((struct gl_span){10}) /* for the final reading */

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

static void say_promise(struct gl_context *context, const struct gl_ask_result *asked,
                        const struct gl_offer *offer)
{
    const struct gl_question question = gl_ask_question(asked);
    const struct gl_book_entry *entry = gl_render_promise_of(&question, offer);
    GL_AUTO(gl_str_done) struct gl_str record = {0};
    char until[GL_RENDER_UNTIL];

    if (entry == NULL || !entry->is_ready || gl_promise_until(&entry->promise) == GL_UNKNOWN)
        return;
    gl_render_record(entry, &record);
    gl_say(context, "green until %s UTC (%s)", gl_render_until(entry, asked->now, until),
           gl_str_text(&record));
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
           asked->policy->rule_count == 0 ? "; no rules, nothing is promised"
           : asked->threshold[0] != '\0'  ? "; rule: "
                                          : "",
           asked->threshold, gl_grade_letter((enum gl_grade)judgement->grade));
    say_promise(context, asked, offer);
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

void gl_start_point_to_receipt(struct gl_context *context, const struct gl_launcher *launcher,
                               const char *launch)
{
    GL_AUTO(gl_auto_free) char *path = gl_receipt_path(launcher->state_folder, launch);

    if (!gl_file_exists(path))
        return;
    gl_str_addf(&context->reply.text, "  receipt      %s\n", path);
    json_object_set_new(context->reply.data, "receipt_file", json_string(path));
    gl_next(context, "check every number of the receipt",
            (const char *const[]){"verify", path, NULL});
}

/* Interrupted before anybody could use it: nothing of it stays, and what it used is accounted for.
 * Its launch id is "" when it did not get so far. */
static int end_early(struct gl_context *context, struct gl_launcher *launcher, const char *launch,
                     struct gl_error *err)
{
    struct gl_ending ending = {.wait = WAIT, .exit_status = -1};
    struct gl_error why = {0};
    GL_AUTO(gl_auto_free) char *receipt = NULL;
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    int result = -1;

    if (launch[0] != '\0')
        result = gl_launch_finish(launcher, launch, &ending, &why);
    receipt = ending.receipt;
    if (result == 0 && gl_act_show_receipt(context, receipt, &why) == 0)
        gl_start_point_to_receipt(context, launcher, launch);
    gl_progress_end(context);
    if (result == 0)
        gl_str_add(&text, "it was ended while it was starting; the receipt covers it until then");
    else
        gl_str_addf(&text, "interrupted while it was starting: %s",
                    err->code != GL_OK ? err->text : why.text);
    gl_error_clear(err);
    return gl_interrupt_fail(err, gl_str_text(&text));
}

/* What was promised for it stands in the ledger, to be settled later. The instance runs: a promise
 * that cannot be written is a warning, not an error. */
static void issue_promise(struct gl_context *context, struct gl_launcher *launcher,
                          const struct gl_ask_result *asked, uint32_t index,
                          const struct gl_instance *instance)
{
    const struct gl_question question = gl_ask_question(asked);
    const struct gl_book_entry *entry = gl_render_promise_of(&question, &question.offers[index]);
    struct gl_error failed = {0};

    if (entry != NULL && gl_promise_issue(launcher->ledger, &context->world, instance->launch_id,
                                          entry, NULL, &failed) != 0)
        gl_warn(context, "GL1003", "the promise could not be kept in the ledger: %s", failed.text);
}

static int launch_chosen(struct gl_context *context, struct gl_launcher *launcher,
                         const struct gl_ask_result *asked, const struct gl_start_options *options,
                         struct gl_instance *out, struct gl_error *err)
{
    uint32_t index = asked->decision->ranked[0];
    const struct gl_offer *offer = &asked->offers->offers[index];
    int64_t lease_s = asked->request.duration.s;
    GL_AUTO(gl_auto_json)
    json_t *plan = gl_act_plan(asked, index, options->command, interval_ms(lease_s), err);
    struct gl_order order;
    int result;

    if (plan == NULL)
        return -1;
    if (gl_interrupted())
        return gl_interrupt_fail(err, "nothing was started");
    context->reply.verdict = gl_verdict_word(GL_ALLOW);
    say_choice(context, asked, index);
    gl_progress(context, "starting the instance");
    order = order_of(context, offer, options, plan, lease_s);
    order.launch.expires = (struct gl_instant){asked->now.unix_s + lease_s}; /* as promised */
    out->launch_id[0] = '\0';
    result = gl_launch_start(launcher, &order, out, err);
    if (gl_interrupted())
        return end_early(context, launcher, out->launch_id, err);
    if (result == 0) {
        issue_promise(context, launcher, asked, index, out);
        gl_progress_end(context);
    }
    return result;
}

static bool has_limit(const struct gl_policy *policy)
{
    for (size_t r = 0; r < policy->rule_count; r++)
        for (size_t c = 0; c < policy->rules[r].count; c++)
            if (policy->rules[r].constraints[c].key->standard == GL_UNKNOWN)
                return true;
    return false;
}

int gl_start_check_rules(const struct gl_policy *policy, bool may_lack_rules, struct gl_error *err)
{
    if (has_limit(policy) && may_lack_rules)
        return gl_fail(err, GL_E_USAGE,
                       "--no-rules contradicts the rules there are (of flags, --policy or the "
                       "configuration): use the one or the others");
    if (has_limit(policy) || may_lack_rules)
        return 0;
    return gl_fail(err, GL_E_USAGE,
                   "no rule says what is green enough: give --renewable-only or another limit, "
                   "--policy FILE, or --no-rules to launch without any and with nothing promised");
}

static int decide(struct gl_context *context, struct gl_ask *ask, bool may_lack_rules,
                  struct gl_ask_result *out, struct gl_error *err)
{
    ask->wants_digest = true;
    if (gl_ask_decide(context, ask, out, err) != 0)
        return -1;
    if (gl_start_check_rules(out->policy, may_lack_rules, err) == 0)
        return 0;
    gl_ask_result_done(out);
    return -1;
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
    if (gl_act_launcher(context, launcher, err) != 0 ||
        gl_act_reconcile(context, launcher, err) != 0 ||
        decide(context, ask, options->may_lack_rules, &asked, err) != 0)
        return -1;
    if (asked.decision->verdict == GL_ALLOW)
        status = launch_chosen(context, launcher, &asked, options, out, err) == 0 ? GL_EXIT_OK : -1;
    else
        status = gl_act_refusal(context, &asked, err);
    gl_ask_result_done(&asked);
    return status;
}

void gl_start_options_of(const struct gl_start_values *values, const char *const *command,
                         struct gl_start_lists *lists, struct gl_start_options *out)
{
    const struct gl_inside *inside = &values->inside;

    *out = (struct gl_start_options){
        .name = inside->name,
        .command = command,
        .image = inside->image,
        .with = gl_act_list(&inside->with, lists->with),
        .files_in = gl_act_list(&inside->files_in, lists->files_in),
        .has_network = inside->network != NULL && strcmp(inside->network, "user") == 0,
        .user_data = inside->user_data,
        .may_lack_rules = values->has_no_rules,
    };
}
