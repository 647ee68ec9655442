/* SPDX-License-Identifier: Apache-2.0 */
/* What a plan would take of the accounts that rules keep, until their windows end. */
#include <math.h>
#include <string.h>

#include "broker/hook/judge_part.h"

#define ACCOUNTS_MAX 64

/* One account of a rule, and what the plan adds to it. */
struct account {
    struct gl_hook_left left;
    double delta; /* whole micrograms an hour, upper bound */
    size_t unknown;
};

struct accounts {
    struct account items[ACCOUNTS_MAX];
    size_t count;
    bool is_unknown; /* an account could not be told */
};

static struct account *account_of(struct accounts *accounts, const struct gl_hook_left *left)
{
    for (size_t i = 0; i < accounts->count; i++)
        if (strcmp(accounts->items[i].left.account, left->account) == 0)
            return &accounts->items[i];
    if (accounts->count == ACCOUNTS_MAX)
        return NULL;
    accounts->items[accounts->count] = (struct account){.left = *left};
    return &accounts->items[accounts->count++];
}

static void add_intent(struct gl_hook_judge *judge, const struct gl_rule *rule,
                       const struct gl_intent *intent, const struct gl_hook_plan *plan,
                       struct accounts *accounts)
{
    const struct gl_hook_ask *ask = judge->ask;
    uint32_t variants[GL_HOOK_VARIANTS];
    struct gl_hook_left left = {.ug = 0};
    struct gl_hook_change change;
    struct gl_hook_case one;
    struct account *account;
    double delta[3];

    if (!gl_hook_is_counted(intent) || intent->change == GL_CHANGE_NONE ||
        intent->change == GL_CHANGE_READ)
        return;
    gl_hook_variants(judge, intent, &intent->machine, &intent->place, variants);
    gl_hook_case_of(judge, intent, plan, variants[0], &one);
    if (gl_rule_scope(rule, &one.request, &judge->offers[variants[0]]) == GL_SCOPE_NO)
        return;
    judge->is_rule_used[rule - ask->policy->rules] = true;
    account = ask->left(ask->left_cookie, rule, intent->tags, &left) == 0
                  ? account_of(accounts, &left)
                  : NULL;
    accounts->is_unknown = accounts->is_unknown || account == NULL;
    if (account == NULL)
        return;
    gl_hook_change_of(judge, intent, plan, &change);
    gl_hook_delta_of(intent, &change, delta);
    account->unknown += isnan(delta[2]) ? 1 : 0;
    account->delta += isnan(delta[2]) ? 0 : ceil(delta[2] * 1e6);
}

/* "account policy/team/ml: up to 3.1 kg until its window ends, and 1.2 kg is left" */
static enum gl_outcome test_account(const struct account *account, struct gl_str *out)
{
    double taken = account->delta * (double)account->left.hours;

    if (account->delta <= 0 && account->unknown == 0)
        return GL_SATISFIED;
    if (account->unknown == 0 && taken <= (double)account->left.ug)
        return GL_SATISFIED;
    gl_str_addf(out, "%saccount %s: ", out->length > 0 ? "; " : "", account->left.account);
    if (account->unknown > 0) {
        gl_str_addf(out, "the emissions of %zu resource%s are not known", account->unknown,
                    account->unknown == 1 ? "" : "s");
        return GL_OUTCOME_UNKNOWN;
    }
    gl_str_addf(out,
                "the change adds up to %.3g kg until its window ends, and %.3g kg is left; what "
                "would fit is %.0f %% of it",
                taken / 1e9, (double)account->left.ug / 1e9,
                account->left.ug > 0 ? floor(100 * (double)account->left.ug / taken) : 0.0);
    return GL_VIOLATED;
}

static bool judge_rule(struct gl_hook_judge *judge, const struct gl_rule *rule,
                       struct accounts *accounts, struct gl_hook_result *out)
{
    const struct gl_hook_ask *ask = judge->ask;
    enum gl_outcome worst = GL_SATISFIED;
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    for (size_t p = 0; p < ask->plan_count; p++)
        for (size_t i = 0; i < ask->plans[p]->count; i++)
            add_intent(judge, rule, &ask->plans[p]->intents[i], ask->plans[p], accounts);
    for (size_t i = 0; i < accounts->count; i++) {
        enum gl_outcome one = test_account(&accounts->items[i], &text);

        if (one == GL_VIOLATED || worst == GL_SATISFIED)
            worst = one != GL_SATISFIED ? one : worst;
    }
    if (accounts->is_unknown && worst == GL_SATISFIED) {
        worst = GL_OUTCOME_UNKNOWN;
        gl_str_add(&text, "what its accounts have left cannot be told");
    }
    if (worst == GL_SATISFIED)
        return false;
    *out = (struct gl_hook_result){0};
    gl_hook_admit(
        judge,
        &(struct gl_reason){.rule = rule,
                            .constraint = &rule->budget->limit,
                            .outcome = worst,
                            .gap = worst == GL_OUTCOME_UNKNOWN ? GL_GAP_POWER : GL_GAP_NONE,
                            .found_u = GL_UNKNOWN},
        out);
    out->message = gl_hook_text(judge->arena, &text);
    out->place = gl_hook_rule_place(judge->arena, rule, &rule->budget->limit);
    return true;
}

size_t gl_hook_accounts(struct gl_hook_judge *judge, struct gl_hook_result *out)
{
    const struct gl_policy *policy = judge->ask->policy;
    GL_AUTO(gl_auto_free) struct accounts *accounts = gl_alloc(sizeof *accounts);
    size_t count = 0;

    for (size_t i = 0; judge->ask->left != NULL && i < policy->rule_count; i++) {
        const struct gl_rule *rule = &policy->rules[i];

        if (rule->budget == NULL || rule->budget->limit.key == NULL)
            continue;
        accounts->count = 0;
        accounts->is_unknown = false;
        count += judge_rule(judge, rule, accounts, &out[count]);
    }
    return count;
}
