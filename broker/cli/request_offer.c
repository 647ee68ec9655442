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

int gl_request_find_offer(struct gl_context *context, const struct gl_request_record *record,
                          struct gl_request_offer *out, bool *out_found, struct gl_error *err)
{
    const char *const clouds[] = {record->provider, NULL};
    const char *const regions[] = {record->region, NULL};
    const char *const types[] = {"*", NULL};
    struct gl_request request = {.duration = {3600}, .load = 0.5, .count = 1};
    struct gl_error unasked = {0};
    struct gl_policy *policy;
    int result;

    *out_found = false;
    if (record->region[0] == '\0')
        return 0;
    policy = gl_request_rule_read(record->rule, &unasked);
    if (policy == NULL)
        return 0;
    request.clouds = clouds;
    request.regions = regions;
    request.types = types;
    result = gl_context_now(context, &request.start, err);
    request.latest_start = request.start;
    if (result == 0)
        result = decide(context, policy, &request, out, out_found, err);
    gl_policy_free(policy);
    return result;
}
