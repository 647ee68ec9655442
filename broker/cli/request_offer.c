/* SPDX-License-Identifier: Apache-2.0 */
/* Does an offer satisfy the rule of a request now, in its region? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/cli/refresh.h"
#include "broker/cli/request.h"
#include "broker/request_rule.h"
#include "policy/guarantee/book.h"

/* The instance family that the text of the request speaks of, as it was sent; "" = any. */
static void read_family(const struct gl_request_record *record, char out[GL_DEMAND_NAME])
{
    const json_t *draft = json_object_get(record->venue, "draft");
    const char *text = json_string_value(json_object_get(draft, "json"));
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_json)
    json_t *sent = text != NULL ? gl_json_parse(text, strlen(text), "draft", &ignored) : NULL;
    const char *family = json_string_value(json_object_get(sent, "family"));

    snprintf(out, GL_DEMAND_NAME, "%s", family != NULL ? family : "");
}

static bool is_of_family(const struct gl_offer *offer, const char *family)
{
    char own[GL_DEMAND_NAME];

    gl_demand_family(offer->place->cloud, offer->type->name, own);
    return family[0] == '\0' || strcmp(own, family) == 0;
}

/* The best allowed offer of that family; false: there is none. */
static bool take_best(const struct gl_ask_result *asked, const char *family,
                      struct gl_request_offer *out)
{
    const struct gl_decision *decision = asked->decision;
    const struct gl_offer *best = NULL;

    for (size_t i = 0; i < decision->allowed && best == NULL; i++)
        if (is_of_family(&asked->offers->offers[decision->ranked[i]], family))
            best = &asked->offers->offers[decision->ranked[i]];
    if (best == NULL)
        return false;
    snprintf(out->cloud, sizeof out->cloud, "%s", best->place->cloud);
    snprintf(out->region, sizeof out->region, "%s", best->place->region);
    snprintf(out->type, sizeof out->type, "%s", best->type->name);
    return true;
}

/* As a launch there would be decided now, with what can be promised of its zones. */
static int decide(struct gl_context *context, struct gl_ask_result *asked, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *prices = gl_refresh_folder(context);
    const struct gl_offer_options options = {
        .price_folder = prices,
        .only_asked = true,
        .wants_history = gl_book_is_promisable(&asked->policy->rules[0], false)};

    asked->signals = gl_context_signals(context, err);
    asked->offers = gl_alloc(sizeof *asked->offers);
    if (asked->signals == NULL ||
        gl_offers_gather(&asked->request, &options, asked->signals, asked->offers, err) != 0)
        return -1;
    gl_ask_promise(context, false, asked);
    asked->decision = gl_decide(&(struct gl_question){.policy = asked->policy,
                                                      .request = &asked->request,
                                                      .offers = asked->offers->offers,
                                                      .offer_count = asked->offers->count,
                                                      .now = asked->now,
                                                      .book = asked->book,
                                                      .has_no_digest = true,
                                                      .keeps_accounts = true});
    return 0;
}

/* A policy of the rule of the request alone: by its normal form, or, where that leaves out places,
 * sizes and prices, the rule of the configured policies that it is the normal form of. */
struct asking {
    struct gl_policy *read, *configured; /* NULL = none */
    struct gl_rule rule;
    struct gl_policy one; /* of `rule` */
};

static struct gl_policy *policy_of(struct gl_context *context, const char *rule,
                                   struct asking *asking)
{
    struct gl_error ignored = {0};

    asking->read = gl_request_rule_read(rule, &ignored);
    if (asking->read != NULL)
        return asking->read;
    asking->configured = gl_context_policy(context, "request", NULL, &ignored);
    if (asking->configured == NULL ||
        !gl_request_rule_find(asking->configured, rule, &asking->rule))
        return NULL;
    asking->one = (struct gl_policy){.id = "request", .rules = &asking->rule, .rule_count = 1};
    return &asking->one;
}

static int ask(struct gl_context *context, const struct gl_request_record *record,
               struct gl_policy *policy, struct gl_request_offer *out, bool *out_found,
               struct gl_error *err)
{
    const char *const clouds[] = {record->provider, NULL};
    const char *const regions[] = {record->region, NULL};
    const char *const types[] = {"*", NULL};
    struct gl_ask_result asked = {.request = {.clouds = clouds,
                                              .regions = regions,
                                              .types = types,
                                              .duration = {3600},
                                              .load = 0.5,
                                              .count = 1}};
    char family[GL_DEMAND_NAME];
    int result;

    if (gl_context_now(context, &asked.now, err) != 0)
        return -1;
    asked.policy = policy;
    asked.request.start = asked.now;
    asked.request.latest_start = asked.now;
    result = decide(context, &asked, err);
    read_family(record, family);
    if (result == 0)
        *out_found = take_best(&asked, family, out);
    asked.policy = NULL; /* the caller's */
    gl_ask_result_done(&asked);
    return result;
}

int gl_request_find_offer(struct gl_context *context, const struct gl_request_record *record,
                          struct gl_request_offer *out, enum gl_request_grant *out_grant,
                          struct gl_error *err)
{
    struct asking asking = {.read = NULL};
    struct gl_policy *policy;
    bool is_found = false;
    int result = 0;

    *out_grant = GL_GRANT_UNASKED;
    if (record->region[0] == '\0')
        return 0;
    policy = policy_of(context, record->rule, &asking);
    if (policy != NULL)
        result = ask(context, record, policy, out, &is_found, err);
    if (policy != NULL && result == 0)
        *out_grant = is_found ? GL_GRANT_FOUND : GL_GRANT_NONE;
    gl_policy_free(asking.read);
    gl_policy_free(asking.configured);
    return result;
}
