/* SPDX-License-Identifier: Apache-2.0 */
/* From an allowed decision to a running instance: shared by launch and run. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/time.h"
#include "broker/cli/charge.h"
#include "broker/cli/rented.h"
#include "broker/cli/start_instance.h"
#include "broker/cli/stretches.h"
#include "broker/finish.h"
#include "broker/interrupt.h"
#include "broker/promise.h"
#include "broker/render/promise.h"
#include "providers/cloud/local_host.h"
#include "providers/cloud/local_image.h"
#include "providers/cloud/local_payload.h"

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

    gl_say(context, "ALLOWED: %s %s in zone %s for %s%s%s (evidence grade %c)", offer->place->cloud,
           offer->type->name,
           offer->place->zone_count > 0 ? offer->place->zones[0]->zone : "unknown",
           gl_span_text(asked->request.duration, span),
           asked->policy->rule_count == 0 ? "; no rules, nothing is promised"
           : asked->threshold[0] != '\0'  ? "; rule: "
                                          : "",
           asked->threshold, gl_grade_letter((enum gl_grade)judgement->grade));
    say_promise(context, asked, offer);
    if (judgement->has_warning)
        gl_warn(context, "GL8003", "allowed with a warning: see greenlaunch why %s/%s/%s",
                offer->place->cloud, offer->place->region, offer->type->name);
}

static struct gl_order order_of(const struct gl_context *context, const struct gl_offer *offer,
                                const struct gl_start_options *options, const json_t *plan,
                                int64_t lease_s)
{
    return (struct gl_order){
        .name = options->name != NULL ? options->name : "",
        .cloud = offer->place->cloud,
        .zone = offer->place->zone_count > 0 ? offer->place->zones[0]->zone : "",
        .plan = plan,
        .is_demo = context->is_demo,
        .launch = {.region = offer->place->region,
                   .type = offer->type->name,
                   .arch = offer->type->arch,
                   .lease = {lease_s},
                   .vcpus = offer->type->vcpus,
                   .memory_mib = offer->type->memory_mib,
                   .command = options->command,
                   .image = options->image,
                   .with = options->with,
                   .files_in = options->files_in,
                   .has_network = options->has_network,
                   .user_data = options->user_data,
                   .interval_s = (uint32_t)(interval_ms(lease_s) / 1000)},
    };
}

void gl_start_say_started(struct gl_context *context, const struct gl_instance *instance)
{
    struct gl_local_host host;
    const char *missing;

    gl_say(context, "started %s (%s)", instance->launch_id, instance->how);
    if (strcmp(instance->how, "process") != 0)
        return;
    gl_local_host_look(&context->world, &host);
    if (!gl_local_host_has_vm(&host, &missing))
        gl_say(context,
               "a process in namespaces, not a virtual machine: this machine lacks %s (greenlaunch "
               "doctor says what mends it)",
               missing);
    gl_local_host_done(&host);
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

/* Under a budget the past of the grid tells how much to reserve. */
static int decide(struct gl_context *context, const struct gl_launcher *launcher,
                  struct gl_ask *ask, bool may_lack_rules, struct gl_ask_result *out,
                  struct gl_error *err)
{
    ask->wants_digest = true;
    ask->wants_history = ask->wants_history || gl_charge_wants_futures(launcher->ledger);
    ask->wants_futures = true;
    if (gl_ask_decide(context, ask, out, err) != 0)
        return -1;
    if (gl_start_check_rules(out->policy, may_lack_rules, err) == 0)
        return 0;
    gl_ask_result_done(out);
    return -1;
}

/* ---- another place, when the first has nothing to give ---- */

/* A launch under way, and all that its orders borrow from. */
struct start {
    struct gl_context *context;
    struct gl_launcher *launcher;
    const struct gl_start_options *options;
    struct gl_ask ask;
    const struct gl_ask_result *asked; /* that the order is of */
    size_t other_count;
    struct gl_ask_result others[GL_LAUNCH_ATTEMPTS];
    size_t plan_count;
    json_t *plans[GL_LAUNCH_ATTEMPTS + 1];
    struct gl_carried_meter meter;
    struct gl_tries tries;
    int claim; /* lock of the first use of the cloud that was chosen; -1 = none */
};

static void start_done(struct start *start)
{
    for (size_t i = 0; i < start->other_count; i++)
        gl_ask_result_done(&start->others[i]);
    for (size_t i = 0; i < start->plan_count; i++)
        json_decref(start->plans[i]);
    if (start->claim >= 0)
        gl_launch_unlock(start->claim);
}

/* May it be begun with? GL_EXIT_OK, an exit status, -1. */
static int allow_use(struct start *start, const struct gl_ask *ask, const struct gl_offer *offer,
                     struct gl_error *err)
{
    int status = gl_rented_first_use(start->context, start->launcher, ask, offer, err);

    if (status != GL_EXIT_OK)
        return status;
    if (start->claim >= 0)
        gl_launch_unlock(start->claim);
    return gl_rented_claim_first(start->launcher, offer->place->cloud, &start->claim, err) == 0
               ? GL_EXIT_OK
               : -1;
}

static int order_chosen(struct start *start, const struct gl_ask_result *asked,
                        struct gl_order *out, struct gl_error *err)
{
    uint32_t index = asked->decision->ranked[0];
    const struct gl_offer *offer = &asked->offers->offers[index];
    int64_t lease_s = asked->timetable != NULL ? asked->timetable->deadline_s - asked->now.unix_s
                                               : asked->request.duration.s;
    json_t *plan = gl_act_plan(asked, index, start->options->command, interval_ms(lease_s), err);
    struct gl_order order;

    if (plan == NULL)
        return -1;
    start->plans[start->plan_count++] = plan;
    if (gl_charge_plan(start->context, asked, index, start->options, plan, err) != 0)
        return -1;
    order = order_of(start->context, offer, start->options, plan, lease_s);
    order.launch.expires = (struct gl_instant){asked->now.unix_s + lease_s}; /* as promised */
    if (gl_rented_order(start->context, &start->ask, start->options, &order, &start->meter, err) !=
        0)
        return -1;
    order.elsewhere = out->elsewhere;
    order.elsewhere_cookie = out->elsewhere_cookie;
    start->asked = asked;
    *out = order;
    return 0;
}

/* The question once more, without the places that had nothing to give: the rules are the same, so
 * that what is chosen now is as green as they ask for. */
static int elsewhere(void *cookie, const struct gl_cloud *cloud, const struct gl_error *why,
                     struct gl_order *order, struct gl_error *err)
{
    struct start *start = cookie;
    struct gl_ask_result *asked = &start->others[start->other_count];

    gl_tries_add(&start->tries, order, cloud->failure.reach, why);
    gl_progress_end(start->context);
    gl_say(start->context, "%s: %s", start->tries.items[start->tries.count - 1].place, why->text);
    start->ask.without = &start->tries.without;
    if (start->other_count == GL_LAUNCH_ATTEMPTS ||
        decide(start->context, start->launcher, &start->ask, start->options->may_lack_rules, asked,
               err) != 0)
        return -1;
    start->other_count++;
    if (asked->decision->verdict != GL_ALLOW)
        return 0;
    /* A cloud that was never used is not begun with by the way. */
    if (allow_use(start, asked->ask, &asked->offers->offers[asked->decision->ranked[0]], err) !=
        GL_EXIT_OK) {
        gl_error_clear(err);
        return 0;
    }
    if (order_chosen(start, asked, order, err) != 0)
        return -1;
    say_choice(start->context, asked, asked->decision->ranked[0]);
    gl_progress(start->context, "starting the instance there");
    return 1;
}

static bool is_no_room(enum gl_errc code)
{
    return code == GL_E_CAPACITY || code == GL_E_QUOTA || code == GL_E_PRICE ||
           code == GL_E_NO_PLACE;
}

/* Nothing runs: an error, or places that had nothing to give. */
static int tell_of_failure(struct start *start, const struct gl_order *order, struct gl_error *err)
{
    struct gl_error why = *err;

    gl_charge_tell(start->context, start->launcher->ledger, start->asked, start->options,
                   order->plan, err);
    if (!is_no_room(why.code) || !gl_cloud_is_remote(order->cloud))
        return -1;
    gl_progress_end(start->context);
    if (start->tries.count == 0 ||
        strcmp(start->tries.items[start->tries.count - 1].why.text, why.text) != 0)
        gl_tries_add(&start->tries, order, GL_REACH_CALL, &why);
    gl_error_clear(err);
    return gl_tries_refuse(start->context, &start->tries, start->asked, err);
}

static int start_chosen(struct start *start, struct gl_launcher *launcher, struct gl_order *order,
                        struct gl_instance *out, struct gl_error *err)
{
    struct gl_context *context = start->context;
    int result;

    if (gl_interrupted())
        return gl_interrupt_fail(err, "nothing was started");
    context->reply.verdict = gl_verdict_word(GL_ALLOW);
    say_choice(context, start->asked, start->asked->decision->ranked[0]);
    gl_rented_say(context, order);
    gl_progress(context, "starting the instance");
    out->launch_id[0] = '\0';
    result = gl_launch_start(launcher, order, out, err);
    if (gl_interrupted())
        return end_early(context, launcher, out->launch_id, err);
    if (result != 0)
        return tell_of_failure(start, order, err);
    issue_promise(context, launcher, start->asked, start->asked->decision->ranked[0], out);
    gl_charge_warn(context, launcher, order->plan);
    gl_rented_note_use(launcher, order);
    gl_progress_end(context);
    return GL_EXIT_OK;
}

static int launch_chosen(struct gl_context *context, struct gl_launcher *launcher,
                         const struct gl_ask_result *asked, const struct gl_start_options *options,
                         struct gl_instance *out, struct gl_error *err)
{
    GL_AUTO(start_done)
    struct start start = {.context = context,
                          .launcher = launcher,
                          .options = options,
                          .ask = *asked->ask,
                          .claim = -1};
    struct gl_order order = {.elsewhere = elsewhere, .elsewhere_cookie = &start};
    const struct gl_offer *offer = &asked->offers->offers[asked->decision->ranked[0]];
    int status = allow_use(&start, asked->ask, offer, err);

    if (status != GL_EXIT_OK)
        return status;
    if (order_chosen(&start, asked, &order, err) != 0)
        return -1;
    return start_chosen(&start, launcher, &order, out, err);
}

static bool has_limit(const struct gl_policy *policy)
{
    for (size_t r = 0; r < policy->rule_count; r++)
        if (policy->rules[r].budget != NULL && gl_budget_has_account(policy->rules[r].budget))
            return true;
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

/* What can be told to be wrong before anything is decided or written down. An image is a file
 * unless a rented machine is meant too: theirs are names of the cloud. */
static int check_options(const struct gl_ask *ask, const struct gl_start_options *options,
                         struct gl_error *err)
{
    enum gl_image_kind kind;
    bool is_file = options->image != NULL;

    for (size_t i = 0; i < ask->clouds.count; i++)
        is_file = is_file && !gl_cloud_is_remote(ask->clouds.items[i]);
    if (options->name != NULL && gl_launch_check_name(options->name, err) != 0)
        return -1;
    if (is_file && gl_image_check(options->image, &kind, err) != 0)
        return -1;
    return gl_payload_check(options->with, options->files_in, err);
}

int gl_start_instance(struct gl_context *context, struct gl_launcher *launcher, struct gl_ask *ask,
                      const struct gl_start_options *options, struct gl_instance *out,
                      struct gl_error *err)
{
    struct gl_ask_result asked;
    struct gl_stretches stretches;
    int status = GL_EXIT_OK;

    if (context->globals.at != NULL)
        return gl_fail(err, GL_E_USAGE,
                       "--at decides for another instant, when nothing can be "
                       "started: use it with offers and why");
    if (ask->count != INT64_MIN && ask->count > 1)
        return gl_fail(err, GL_E_USAGE, "one instance at a time: --count is for offers");
    if (gl_act_only_launchable(ask, err) != 0 || check_options(ask, options, err) != 0)
        return -1;
    if (gl_act_launcher(context, launcher, err) != 0 ||
        gl_act_reconcile(context, launcher, err) != 0)
        return -1;
    if (options->is_interruptible)
        status = gl_stretches_check(context, ask, options->image, err) != 0
                     ? -1
                     : gl_stretches_plan(context, ask, &stretches, err);
    if (status != GL_EXIT_OK)
        return status;
    if (decide(context, launcher, options->is_interruptible ? &stretches.first : ask,
               options->may_lack_rules, &asked, err) != 0)
        return -1;
    if (options->is_interruptible)
        asked.timetable = &stretches.timetable;
    if (asked.decision->verdict == GL_ALLOW)
        status = launch_chosen(context, launcher, &asked, options, out, err);
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
        .is_spot = values->is_spot,
        .meter_url = values->meter_url,
        .meter_sha256 = values->meter_sha256,
        .is_interruptible = values->is_interruptible,
        .account = values->account,
        .over_budget = values->over_budget,
        .approved_by = values->approved_by,
    };
}
