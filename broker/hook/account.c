/* SPDX-License-Identifier: Apache-2.0 */
/* What a plan would take of the accounts that rules keep, and of those that launches are charged
 * to, until their windows end. */
#include <math.h>
#include <string.h>

#include "broker/hook/judge_part.h"
#include "policy/judge.h"

#define ACCOUNTS_MAX 64

/* No rule of a policy can take that id: it holds a sign that theirs cannot. */
const struct gl_rule gl_hook_budgets = {
    .id = "budget@accounts", .pos = {.file = "greenlaunch budget show"}, .level = GL_HARD};

/* One account, and what the plan adds to it. */
struct account {
    struct gl_hook_left left;
    double delta; /* whole micrograms an hour, upper bound */
    double usd;   /* millionths an hour */
    size_t unknown, unpriced;
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

/* Whose accounts: of a rule, or of one level of the tree. */
struct keeper {
    const struct gl_rule *rule; /* NULL = the tree */
    size_t level;
};

/* 0 into *out, 1 nothing limits it, -1 it cannot be told. */
static int left_for(struct gl_hook_judge *judge, const struct keeper *keeper,
                    const struct gl_intent *intent, const struct gl_hook_plan *plan,
                    struct gl_hook_left *out)
{
    const struct gl_hook_ask *ask = judge->ask;
    uint32_t variants[GL_HOOK_VARIANTS];
    struct gl_hook_case one;

    if (keeper->rule == NULL)
        return ask->tree_left(ask->tree_cookie, keeper->level, intent->tags, out);
    gl_hook_variants(judge, intent, &intent->machine, &intent->place, variants);
    gl_hook_case_of(judge, intent, plan, variants[0], &one);
    if (gl_rule_scope(keeper->rule, &one.request, &judge->offers[variants[0]]) == GL_SCOPE_NO)
        return 1;
    judge->is_rule_used[keeper->rule - ask->policy->rules] = true;
    return ask->left(ask->left_cookie, keeper->rule, intent->tags, out);
}

static void add_intent(struct gl_hook_judge *judge, const struct keeper *keeper,
                       const struct gl_intent *intent, const struct gl_hook_plan *plan,
                       struct accounts *accounts)
{
    struct gl_hook_left left = {.ug = 0};
    struct gl_hook_change change;
    struct account *account;
    double delta[3], usd;
    int found;

    if (!gl_hook_is_counted(intent) || intent->change == GL_CHANGE_NONE ||
        intent->change == GL_CHANGE_READ)
        return;
    found = left_for(judge, keeper, intent, plan, &left);
    if (found > 0)
        return;
    account = found == 0 ? account_of(accounts, &left) : NULL;
    accounts->is_unknown = accounts->is_unknown || account == NULL;
    if (account == NULL)
        return;
    gl_hook_change_of(judge, intent, plan, &change);
    gl_hook_delta_of(intent, &change, delta);
    account->unknown += isnan(delta[2]) ? 1 : 0;
    account->delta += isnan(delta[2]) ? 0 : ceil(delta[2] * 1e6);
    usd = gl_hook_usd_delta(intent, &change);
    account->unpriced += isnan(usd) ? 1 : 0;
    account->usd += isnan(usd) ? 0 : round(usd * 1e6);
}

/* Both sides of every account may be short. */
struct shorts {
    struct gl_hook_short items[2 * ACCOUNTS_MAX];
    size_t count;
};

/* One of the two limits of an account. */
struct side {
    const char *what, *unit;
    int64_t left;
    double taken, scale; /* until the window ends; millionths of a unit */
    size_t unknown;
};

static void add_short(const struct account *account, const struct side *side, bool is_money,
                      struct shorts *shorts)
{
    double taken = ceil(side->taken);

    shorts->items[shorts->count++] =
        (struct gl_hook_short){account->left.account, is_money, side->left,
                               side->unknown > 0 || !(taken < 9e18) ? GL_UNKNOWN : (int64_t)taken};
}

/* "account policy/team/ml: up to 3.1 kg until its window ends, and 1.2 kg is left" */
static enum gl_outcome test_side(const struct account *account, const struct side *side,
                                 struct gl_str *out)
{
    if (side->left == GL_UNKNOWN || (side->taken <= 0 && side->unknown == 0) ||
        (side->unknown == 0 && side->taken <= (double)side->left))
        return GL_SATISFIED;
    gl_str_addf(out, "%saccount %s: ", out->length > 0 ? "; " : "", account->left.account);
    if (side->unknown > 0) {
        gl_str_addf(out, "the %s of %zu resource%s are not known", side->what, side->unknown,
                    side->unknown == 1 ? "" : "s");
        return GL_OUTCOME_UNKNOWN;
    }
    gl_str_addf(out,
                "the change adds up to %.3g %s until its window ends, and %.3g %s is left; what "
                "would fit is %.0f %% of it",
                side->taken / side->scale, side->unit, (double)side->left / side->scale, side->unit,
                side->left > 0 ? floor(100 * (double)side->left / side->taken) : 0.0);
    return GL_VIOLATED;
}

static enum gl_outcome test_account(const struct account *account, struct gl_str *out,
                                    struct shorts *shorts)
{
    const struct gl_hook_left *left = &account->left;
    const struct side sides[] = {
        {"emissions", "kg", left->ug, account->delta * left->hours, 1e9, account->unknown},
        {"prices", "USD", left->u_usd, account->usd * left->hours, 1e6, account->unpriced},
    };
    enum gl_outcome grams = test_side(account, &sides[0], out);
    enum gl_outcome money = test_side(account, &sides[1], out);

    if (grams != GL_SATISFIED)
        add_short(account, &sides[0], false, shorts);
    if (money != GL_SATISFIED)
        add_short(account, &sides[1], true, shorts);
    return grams == GL_VIOLATED || money == GL_SATISFIED ? grams : money;
}

/* As long as the report. */
static void keep_shorts(const struct gl_hook_judge *judge, const struct shorts *shorts,
                        struct gl_hook_result *out)
{
    struct gl_hook_short *kept = gl_arena_take(judge->arena, (shorts->count + 1) * sizeof *kept);

    for (size_t i = 0; i < shorts->count; i++) {
        GL_AUTO(gl_str_done) struct gl_str account = {0};

        gl_str_add(&account, shorts->items[i].account);
        kept[i] = shorts->items[i];
        kept[i].account = gl_hook_text(judge->arena, &account);
    }
    out->shorts = kept;
    out->short_count = shorts->count;
}

static void add_plans(struct gl_hook_judge *judge, const struct keeper *keeper,
                      struct accounts *accounts)
{
    const struct gl_hook_ask *ask = judge->ask;

    for (size_t p = 0; p < ask->plan_count; p++)
        for (size_t i = 0; i < ask->plans[p]->count; i++)
            add_intent(judge, keeper, &ask->plans[p]->intents[i], ask->plans[p], accounts);
}

/* Of accounts that are added up. */
static bool judge_accounts(struct gl_hook_judge *judge, const struct gl_rule *rule,
                           const struct accounts *accounts, struct gl_hook_result *out)
{
    const struct gl_constraint *first = rule->budget != NULL ? gl_budget_first(rule->budget) : NULL;
    enum gl_outcome worst = GL_SATISFIED;
    GL_AUTO(gl_auto_free) struct shorts *shorts = gl_alloc(sizeof *shorts);
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    for (size_t i = 0; i < accounts->count; i++) {
        enum gl_outcome one = test_account(&accounts->items[i], &text, shorts);

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
                            .constraint = first,
                            .outcome = worst,
                            .gap = worst == GL_OUTCOME_UNKNOWN ? GL_GAP_POWER : GL_GAP_NONE,
                            .found_u = GL_UNKNOWN},
        out);
    keep_shorts(judge, shorts, out);
    out->message = gl_hook_text(judge->arena, &text);
    out->place = gl_hook_rule_place(judge->arena, rule, first);
    return true;
}

static void begin(struct accounts *accounts)
{
    accounts->count = 0;
    accounts->is_unknown = false;
}

size_t gl_hook_accounts(struct gl_hook_judge *judge, struct gl_hook_result *out)
{
    const struct gl_policy *policy = judge->ask->policy;
    GL_AUTO(gl_auto_free) struct accounts *accounts = gl_alloc(sizeof *accounts);
    size_t count = 0;

    for (size_t i = 0; judge->ask->left != NULL && i < policy->rule_count; i++) {
        const struct gl_rule *rule = &policy->rules[i];

        if (rule->budget == NULL || !gl_budget_has_account(rule->budget))
            continue;
        begin(accounts);
        add_plans(judge, &(struct keeper){.rule = rule}, accounts);
        count += judge_accounts(judge, rule, accounts, &out[count]);
    }
    begin(accounts);
    for (size_t level = 0; level < judge->ask->tree_levels; level++)
        add_plans(judge, &(struct keeper){.level = level}, accounts);
    return count + judge_accounts(judge, &gl_hook_budgets, accounts, &out[count]);
}
