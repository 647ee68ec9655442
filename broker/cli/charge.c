/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/charge.h"

#include <stdio.h>
#include <string.h>

#include "broker/ledger_file.h"

#define RULES "policy" /* accounts of rules: policy/POLICY/RULE or policy/POLICY/RULE/VALUE */

/* ---- accounts of rules ---- */

static int cap_of(const struct gl_rule *rule, struct gl_cap *out, struct gl_error *err)
{
    const struct gl_budget *budget = rule->budget;
    char tag[GL_ACCOUNT_SEGMENT];

    *out = (struct gl_cap){.limit = {GL_UNKNOWN, GL_UNKNOWN}};
    snprintf(out->path, sizeof out->path, "%s", RULES);
    snprintf(out->zone, sizeof out->zone, "%s",
             budget->calendar != NULL ? budget->calendar : "UTC");
    out->at_cap = (enum gl_at_cap)budget->at_cap;
    if (budget->warn_at.key != NULL)
        out->warn_ppm[out->warn_count++] = budget->warn_at.number;
    if ((budget->limit.key != NULL && gl_cap_read(budget->limit.written, out, tag, err) != 0) ||
        (budget->money.key != NULL && gl_cap_read(budget->money.written, out, tag, err) != 0))
        return gl_wrap(err, "rule %s", rule->id);
    if (gl_account_add(out->path, rule->policy != NULL ? rule->policy : "", err) != 0)
        return -1;
    return gl_account_add(out->path, rule->id, err);
}

int gl_charge_of_rule(const struct gl_rule *rule, const char *const *tags, struct gl_cap *out_cap,
                      char out_account[GL_ACCOUNT_PATH], struct gl_error *err)
{
    const char *of = rule->budget->of_tag;
    char tree[GL_ACCOUNT_PATH + GL_ACCOUNT_SEGMENT];

    if (cap_of(rule, out_cap, err) != 0)
        return -1;
    snprintf(tree, sizeof tree, of != NULL ? "%s/{%s}" : "%s", out_cap->path, of);
    if (strlen(tree) >= GL_ACCOUNT_PATH || gl_account_of(tree, tags, out_account, err) != 0)
        return gl_fail(err, GL_E_BAD_VALUE, "rule %s: its budget is of no tag that can be named",
                       rule->id);
    memcpy(out_cap->path, tree, sizeof out_cap->path);
    return 0;
}

static bool is_waived(const struct gl_question *question, const struct gl_rule *rule,
                      const struct gl_offer *offer)
{
    const struct gl_policy *policy = question->policy;

    for (size_t i = 0; i < policy->waiver_count; i++) {
        const struct gl_waiver *waiver = &policy->waivers[i];

        if (strcmp(waiver->rule, rule->id) == 0 && waiver->created.unix_s <= question->now.unix_s &&
            question->now.unix_s < waiver->expires.unix_s &&
            gl_waiver_names(waiver, question->request, offer))
            return true;
    }
    return false;
}

/* What does not bind here, or is waived, is charged all the same. */
static int add_rules(const struct gl_question *question, const struct gl_offer *offer,
                     struct gl_payer *out, struct gl_error *err)
{
    for (size_t i = 0; i < question->policy->rule_count; i++) {
        const struct gl_rule *rule = &question->policy->rules[i];
        struct gl_cap *cap = &out->caps[out->cap_count];

        if (rule->budget == NULL || !gl_budget_has_account(rule->budget) ||
            gl_rule_scope(rule, question->request, offer) == GL_SCOPE_NO)
            continue;
        if (out->cap_count == GL_CHARGE_CAPS || out->account_count == GL_CHARGE_ACCOUNTS)
            return gl_fail(err, GL_E_TOO_LARGE, "more than %d budgets of rules on one launch",
                           GL_CHARGE_CAPS - 1);
        if (gl_charge_of_rule(rule, question->request->tags, cap, out->accounts[out->account_count],
                              err) != 0)
            return -1;
        cap->is_advisory = !gl_rule_binds(question, rule) || is_waived(question, rule, offer);
        out->cap_count++;
        out->account_count++;
    }
    return 0;
}

/* ---- the plan ---- */

static int add_override(const struct gl_start_options *options, struct gl_payer *out,
                        struct gl_error *err)
{
    if (options->over_budget == NULL && options->approved_by == NULL)
        return 0;
    if (gl_text_is_blank(options->over_budget) || gl_text_is_blank(options->approved_by))
        return gl_fail(err, GL_E_USAGE,
                       "--over-budget REASON and --approved-by NAME go together: both are kept");
    out->override_why = options->over_budget;
    out->override_by = options->approved_by;
    return 0;
}

static bool is_of_rules(const char *path)
{
    size_t length = strlen(RULES);

    return strncmp(path, RULES, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

int gl_charge_plan(const struct gl_context *context, const struct gl_ask_result *asked,
                   uint32_t offer, const struct gl_start_options *options, json_t *plan,
                   struct gl_error *err)
{
    GL_AUTO(gl_auto_free) struct gl_payer *payer = gl_alloc(sizeof *payer);
    const struct gl_question question = gl_ask_question(asked);
    const char *tree = options->account != NULL          ? options->account
                       : context->config.account != NULL ? context->config.account
                                                         : GL_ACCOUNT_TREE;
    char named[GL_ACCOUNT_PATH];
    json_t *body;

    if (options->account != NULL && gl_account_read(options->account, named, err) != 0)
        return gl_wrap(err, "--account");
    if (options->account != NULL)
        tree = named;
    if (gl_account_of(tree, asked->request.tags, payer->accounts[0], err) != 0)
        return -1;
    if (is_of_rules(payer->accounts[0]))
        return gl_fail(err, GL_E_USAGE,
                       "the accounts below %s are charged by the rules that keep them", RULES);
    payer->account_count = 1;
    if (add_rules(&question, &asked->offers->offers[offer], payer, err) != 0 ||
        add_override(options, payer, err) != 0)
        return -1;
    body = gl_charge_json(payer);
    if (json_object_set_new(plan, "budget", body) != 0)
        return gl_fail(err, GL_E_USAGE, "names and reasons are UTF-8 text");
    gl_charge_futures(&context->config, asked, offer, plan);
    return 0;
}

/* ---- for what judges plans ---- */

void gl_charge_left_of(const struct gl_cap *cap, const struct gl_account_state *state,
                       struct gl_instant now, struct gl_hook_left *out)
{
    struct gl_amount left = gl_balance_left_of(cap, &state->balance);

    out->ug = left.ug;
    out->u_usd = left.u_usd;
    out->hours = cap->period.period == GL_PER_SPAN
                     ? (double)cap->period.span_s / 3600
                     : (double)(state->window.until_s - now.unix_s) / 3600;
}

int gl_charge_left(void *cookie, const struct gl_rule *rule, const char *const *tags,
                   struct gl_hook_left *out)
{
    struct gl_context *context = cookie;
    struct gl_error ignored = {0};
    struct gl_ledger *ledger = gl_context_ledger_to_look(context, &ignored);
    struct gl_account_state state;
    struct gl_instant now;
    struct gl_cap cap;

    if (ledger == NULL || gl_ledger_was_written(ledger) ||
        gl_context_now(context, &now, &ignored) != 0 ||
        gl_charge_of_rule(rule, tags, &cap, out->account, &ignored) != 0 ||
        gl_budget_state(ledger, &cap, out->account, now.unix_s * 1000, NULL, &state, &ignored) != 0)
        return -1;
    gl_charge_left_of(&cap, &state, now, out);
    return 0;
}

/* ---- warnings ---- */

static void warn_of(struct gl_context *context, struct gl_ledger *ledger,
                    const struct gl_caps *caps, const char *path)
{
    const struct gl_cap *cap = gl_account_cap(caps->items, caps->count, path);
    int64_t now_ms = context->world.now_ms(context->world.cookie), ppm;
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_account_state state;
    struct gl_error ignored = {0};

    if (cap == NULL || gl_budget_state(ledger, cap, path, now_ms, NULL, &state, &ignored) != 0 ||
        gl_budget_announce(ledger, cap, path, &state, &ppm, &ignored) != 0 || ppm == GL_UNKNOWN)
        return;
    gl_budget_warning_text(cap, path, &state, ppm, &text);
    gl_warn(context, "GL7001", "%s", gl_str_text(&text));
}

void gl_charge_warn(struct gl_context *context, const struct gl_launcher *launcher,
                    const json_t *plan)
{
    GL_AUTO(gl_caps_done) struct gl_caps caps = {0, NULL};
    struct gl_error ignored = {0};
    const json_t *item;
    size_t i;

    if (gl_budget_caps(launcher->ledger, &caps, &ignored) != 0)
        return;
    json_array_foreach(json_object_get(json_object_get(plan, "budget"), "accounts"), i, item)
    {
        char path[GL_ACCOUNT_PATH];

        snprintf(path, sizeof path, "%s", json_string_value(item));
        do
            warn_of(context, launcher->ledger, &caps, path);
        while (gl_account_up(path));
    }
}
