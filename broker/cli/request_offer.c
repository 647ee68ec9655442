/* SPDX-License-Identifier: Apache-2.0 */
/* Does an offer satisfy the rule of a request now, in its region? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/cli/refresh.h"
#include "broker/cli/request.h"
#include "broker/request_rule.h"

static void take_best(const struct gl_decision *decision, const struct gl_offer_list *offers,
                      struct gl_request_offer *out)
{
    const struct gl_offer *best = &offers->offers[decision->ranked[0]];

    snprintf(out->cloud, sizeof out->cloud, "%s", best->cloud);
    snprintf(out->region, sizeof out->region, "%s", best->region);
    snprintf(out->type, sizeof out->type, "%s", best->type);
}

static int decide(struct gl_context *context, const struct gl_policy *policy,
                  const struct gl_request *request, struct gl_request_offer *out, bool *out_found,
                  struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *prices = gl_refresh_folder(context);
    struct gl_signal_store *signals = gl_context_signals(context, err);
    const struct gl_offer_options options = {.price_folder = prices, .only_asked = true};
    struct gl_offer_list offers = {0};
    struct gl_decision *decision;

    if (signals == NULL)
        return -1;
    if (gl_offers_gather(request, &options, signals, &offers, err) != 0) {
        gl_signal_store_free(signals);
        return -1;
    }
    decision = gl_decide(&(struct gl_question){.policy = policy,
                                               .request = request,
                                               .offers = offers.offers,
                                               .offer_count = offers.count,
                                               .now = request->start,
                                               .has_no_digest = true,
                                               .keeps_accounts = true});
    *out_found = decision->allowed > 0;
    if (*out_found)
        take_best(decision, &offers, out);
    gl_decision_free(decision);
    gl_offer_list_done(&offers);
    gl_signal_store_free(signals);
    return 0;
}

/* A policy of the rule of the request alone: by its normal form, or, where that leaves out places,
 * sizes and prices, the rule of the configured policies that it is the normal form of. */
struct asking {
    struct gl_policy *read, *configured; /* NULL = none */
    struct gl_rule rule;
    struct gl_policy one; /* of `rule` */
};

static const struct gl_policy *policy_of(struct gl_context *context, const char *rule,
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

int gl_request_find_offer(struct gl_context *context, const struct gl_request_record *record,
                          struct gl_request_offer *out, enum gl_request_grant *out_grant,
                          struct gl_error *err)
{
    const char *const clouds[] = {record->provider, NULL};
    const char *const regions[] = {record->region, NULL};
    const char *const types[] = {"*", NULL};
    struct gl_request request = {.duration = {3600}, .load = 0.5, .count = 1};
    struct asking asking = {.read = NULL};
    const struct gl_policy *policy;
    bool is_found = false;
    int result = 0;

    *out_grant = GL_GRANT_UNASKED;
    if (record->region[0] == '\0')
        return 0;
    policy = policy_of(context, record->rule, &asking);
    request.clouds = clouds;
    request.regions = regions;
    request.types = types;
    if (policy != NULL)
        result = gl_context_now(context, &request.start, err);
    request.latest_start = request.start;
    if (policy != NULL && result == 0)
        result = decide(context, policy, &request, out, &is_found, err);
    if (policy != NULL && result == 0)
        *out_grant = is_found ? GL_GRANT_FOUND : GL_GRANT_NONE;
    gl_policy_free(asking.read);
    gl_policy_free(asking.configured);
    return result;
}
