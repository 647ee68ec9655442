/* SPDX-License-Identifier: Apache-2.0 */
/* One document judged, for a server. */
#include <stdlib.h>
#include <string.h>

#include "broker/cli/charge.h"
#include "broker/cli/hook_serve.h"

static const char *environment(void *cookie, const char *name)
{
    const struct gl_world *world = cookie;

    return world->getenv(world->cookie, name);
}

static const char *const *list_of(struct gl_arena *arena, const struct gl_option_list *list)
{
    const char **items = gl_arena_take(arena, (list->count + 1) * sizeof *items);

    memcpy(items, list->items, list->count * sizeof *items);
    return items;
}

static int read_plan(const struct gl_hook_serving *serving, const struct gl_hook_given *given,
                     struct gl_view bytes, struct gl_hook_plan *out, struct gl_error *err)
{
    const struct gl_hook_reader *reader = gl_hook_reader_named(given->reader);
    const struct gl_hook_values *values = serving->values;
    bool has_region = given->region != NULL && given->region[0] != '\0';
    const struct gl_hook_options options = {
        .mapping = serving->mapping,
        .regions = list_of(&out->arena, &values->regions),
        .wants_environment = values->wants_environment,
        .environment = environment,
        .cookie = &serving->context->world,
        .parameters = list_of(&out->arena, &values->parameters),
        .deployment_region = has_region ? given->region : values->deployment_region,
    };
    struct gl_feed *feed;
    int result;

    if (reader == NULL)
        return gl_fail(err, GL_E_CONFIG, "this program does not read %s", given->reader);
    feed = gl_feed_of_bytes(bytes.text, bytes.length, given->name);
    gl_feed_limit(feed, bytes.length > 0 ? 64 * (uint64_t)bytes.length + (1 << 20) : 1);
    result = reader->read(feed, &options, out, err);
    gl_feed_close(feed);
    out->file = given->name;
    return result;
}

/* ---- what stands there now ---- */

static const struct gl_intent *intent_at(const struct gl_hook_plan *plan, const char *address)
{
    for (size_t i = 0; i < plan->count; i++)
        if (strcmp(plan->intents[i].address, address) == 0)
            return &plan->intents[i];
    return NULL;
}

static bool starts(enum gl_change change)
{
    return change == GL_CHANGE_CREATE || change == GL_CHANGE_REPLACE || change == GL_CHANGE_GROW ||
           change == GL_CHANGE_MOVE || change == GL_CHANGE_UNKNOWN;
}

/* A new picture for the same machines launches nothing. */
static void compare(struct gl_hook_plan *plan, struct gl_hook_plan *before)
{
    for (size_t i = 0; i < plan->count; i++) {
        struct gl_intent *intent = &plan->intents[i];
        const struct gl_intent *old = intent_at(before, intent->address);
        struct gl_intent *kept;

        if (old == NULL || !intent->is_launch)
            continue;
        kept = gl_arena_take(&before->arena, sizeof *kept);
        *kept = *old;
        intent->change = gl_intent_compare(kept, intent);
        intent->is_launch = starts(intent->change);
        intent->place_before = &kept->place;
        intent->machine_before = &kept->machine;
        intent->count_before = &kept->count;
        plan->launches -= !intent->is_launch;
    }
}

/* ---- judging ---- */

struct telling {
    void (*tell)(void *cookie, const struct gl_hook_report *report);
    void *cookie;
};

static int judge(struct gl_hook_serving *serving, const struct gl_hook_given *given,
                 struct gl_hook_plan *plan, const struct telling *telling, struct gl_error *err)
{
    const struct gl_hook_plan *const plans[] = {plan};
    struct gl_hook_values values = *serving->values;
    struct gl_hook_wanted wanted;
    struct gl_charge_tree tree;
    struct gl_ask_result asked;
    struct gl_hook_ask ask;
    struct gl_hook_report *report;

    values.ask.gate = given->gate;
    gl_hook_want(plans, 1, &plan->arena, &wanted);
    if (gl_ask_gather(serving->context, &values.ask, wanted.clouds, wanted.types, &asked, err) != 0)
        return -1;
    ask = gl_hook_ask_of(serving->context, &values, &asked, &tree, plans, 1);
    ask.places =
        gl_hook_places(plans, 1, &asked.request, asked.signals, &plan->arena, &ask.place_count);
    report = gl_hook_judge(&ask);
    telling->tell(telling->cookie, report);
    gl_hook_report_free(report);
    gl_charge_tree_done(&tree);
    gl_ask_result_done(&asked);
    return 0;
}

static int read_both(struct gl_hook_serving *serving, const struct gl_hook_given *given,
                     struct gl_hook_plan *plan, struct gl_hook_plan *before, struct gl_error *err)
{
    if (read_plan(serving, given, given->bytes, plan, err) != 0)
        return -1;
    if (given->before.length == 0)
        return 0;
    if (read_plan(serving, given, given->before, before, err) != 0)
        return -1;
    compare(plan, before);
    return 0;
}

/* Warnings are for the start of a server; of every answer they would fill the log and memory. */
static void forget_reply(struct gl_context *context)
{
    json_decref(context->reply.warnings);
    json_decref(context->reply.next);
    context->reply.warnings = NULL;
    context->reply.next = NULL;
    gl_str_clear(&context->reply.text);
}

int gl_hook_serve_judge(struct gl_hook_serving *serving, const struct gl_hook_given *given,
                        void (*tell)(void *cookie, const struct gl_hook_report *report),
                        void *cookie, struct gl_error *err)
{
    struct gl_context *context = serving->context;
    const struct telling telling = {tell, cookie};
    bool was_quiet = context->globals.is_quiet;
    struct gl_hook_plan plan = {0}, before = {0};
    int result;

    context->globals.is_quiet = true;
    gl_context_ledger_renew(context);
    result = read_both(serving, given, &plan, &before, err);
    if (result == 0)
        result = judge(serving, given, &plan, &telling, err);
    gl_hook_plan_done(&plan);
    gl_hook_plan_done(&before);
    context->globals.is_quiet = was_quiet;
    forget_reply(context);
    return result;
}
