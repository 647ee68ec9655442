/* SPDX-License-Identifier: Apache-2.0 */
/* What would fit, beside the error of a launch that does not. */
#include "broker/cli/charge.h"
#include "policy/schedule/timetable.h"

#define OTHERS_MAX  24    /* offers that are tried */
#define INTERVAL_MS 10000 /* of a plan that is never carried out */

struct telling {
    struct gl_context *context;
    struct gl_ledger *ledger;
    const struct gl_ask_result *asked;
    const struct gl_start_options *options;
};

/* As the order of it has it. */
static int64_t highest_price(const struct telling *telling)
{
    const char *text = telling->asked->ask->max_price;
    struct gl_error ignored = {0};
    int64_t price = 0;

    if (!telling->options->is_spot || text == NULL ||
        gl_quantity_parse(GL_DIM_PRICE, text, &price, &ignored) != 0)
        return 0;
    return price;
}

static json_t *reserve_of(const struct telling *telling, const json_t *plan, struct gl_error *err)
{
    const struct gl_ask_result *asked = telling->asked;
    int64_t until_s = asked->timetable != NULL ? asked->timetable->deadline_s
                                               : asked->now.unix_s + asked->request.duration.s;
    int64_t now_ms = gl_ledger_now_ms(telling->ledger), lease_s = until_s - now_ms / 1000;

    return gl_budget_reserve_of(&(struct gl_wanted_of){.plan = plan,
                                                       .start_ms = now_ms,
                                                       .lease_s = lease_s > 1 ? lease_s : 1,
                                                       .max_price_u_usd = highest_price(telling)},
                                until_s * 1000 + GL_HOLD_MS, err);
}

/* Would that offer fit for all of its time? */
static bool fits(const struct telling *telling, uint32_t offer, json_t **out_reserve)
{
    GL_AUTO(gl_auto_free) struct gl_short *what = gl_alloc(sizeof *what);
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_json)
    json_t *plan =
        gl_act_plan(telling->asked, offer, telling->options->command, INTERVAL_MS, &ignored);
    GL_AUTO(gl_auto_json) json_t *reserve = NULL;

    if (plan == NULL || gl_charge_plan(telling->context, telling->asked, offer, telling->options,
                                       plan, &ignored) != 0)
        return false;
    reserve = reserve_of(telling, plan, &ignored);
    if (reserve == NULL || gl_budget_short(telling->ledger, "", reserve, what, &ignored) != 0)
        return false;
    *out_reserve = json_incref(reserve);
    return true;
}

static json_t *offer_json(const struct gl_offer *offer, const json_t *reserve)
{
    return json_pack("{s:s,s:s,s:s,s:I,s:O,s:O}", "cloud", offer->place->cloud, "region",
                     offer->place->region, "type", offer->type->name, "vcpus",
                     (json_int_t)offer->type->vcpus, "ug", json_object_get(reserve, "ug"), "u_usd",
                     json_object_get(reserve, "u_usd"));
}

/* The best ranked of those that are allowed and fit: a cleaner or cheaper place, or a smaller
 * machine that is large enough. */
static void add_offer(const struct telling *telling, json_t *fitting)
{
    const struct gl_decision *decision = telling->asked->decision;
    size_t wanted = telling->asked->ask->ranked_wanted;
    size_t count = wanted > 0 && wanted < decision->allowed ? wanted : decision->allowed;

    for (size_t i = 1; i < count && i <= OTHERS_MAX; i++) {
        const struct gl_offer *offer = &telling->asked->offers->offers[decision->ranked[i]];
        GL_AUTO(gl_auto_json) json_t *reserve = NULL;

        if (!fits(telling, decision->ranked[i], &reserve))
            continue;
        json_object_set_new(fitting, "offer", offer_json(offer, reserve));
        gl_say(telling->context, "%s %s in %s would fit, up to the end", offer->place->cloud,
               offer->type->name, offer->place->region);
        return;
    }
    json_object_set_new(fitting, "offer", json_null());
}

void gl_charge_tell(struct gl_context *context, struct gl_ledger *ledger,
                    const struct gl_ask_result *asked, const struct gl_start_options *options,
                    const json_t *plan, const struct gl_error *err)
{
    const struct telling telling = {context, ledger, asked, options};
    GL_AUTO(gl_auto_free) struct gl_short *what = gl_alloc(sizeof *what);
    GL_AUTO(gl_auto_json) json_t *reserve = NULL;
    struct gl_error ignored = {0};
    json_t *data;

    if (err->code != GL_E_BUDGET && err->code != GL_E_UNKNOWN_DATA)
        return;
    reserve = reserve_of(&telling, plan, &ignored);
    if (reserve == NULL || gl_budget_short(ledger, "", reserve, what, &ignored) <= 0)
        return;
    data = gl_short_json(what);
    json_object_set(data, "how", json_object_get(reserve, "how"));
    add_offer(&telling, json_object_get(data, "fits"));
    if (context->reply.data == NULL)
        context->reply.data = json_object();
    json_object_set_new(context->reply.data, "budget", data);
}
