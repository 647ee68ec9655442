/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/time.h"
#include "broker/cli/index_part.h"
#include "broker/interrupt.h"
#include "policy/guarantee/history.h"

#define DAY_S     INT64_C(86400)
#define SINCE_S   (7 * DAY_S)
#define BY_HOUR_S (92 * DAY_S) /* a longer list of single hours is read by nobody */
#define STANDARD  "95%"        /* what a bare --renewable-only means */

static const char *const by_words[] = {"hour", "day", "week", "month"};

static enum gl_index_by by_of(const char *word)
{
    size_t by = 0;

    if (word == NULL)
        return GL_INDEX_DAY;
    while (strcmp(by_words[by], word) != 0) /* the option table has checked it */
        by++;
    return (enum gl_index_by)by;
}

/* ---- the rule ---- */

static bool says_green(const struct gl_ask *ask)
{
    return ask->renewable_only != NULL || ask->min_renewable != NULL ||
           ask->max_intensity != NULL || ask->min_carbon_free != NULL || ask->max_rate != NULL ||
           ask->max_total != NULL;
}

/* Does anybody, on the command line or in a policy file, say what green is? -1 on error. */
static int has_green_rule(struct gl_context *context, const struct gl_ask *ask,
                          struct gl_error *err)
{
    struct gl_policy *policy;
    bool is_green;

    if (says_green(ask))
        return 1;
    if (context->globals.policies.count == 0 && context->config.policies[0] == NULL)
        return 0;
    policy = gl_context_policy(context, "command-line", NULL, err);
    if (policy == NULL)
        return -1;
    is_green = gl_index_is_green_rule(policy);
    gl_policy_free(policy);
    return is_green;
}

static void warn_of_promises(struct gl_context *context, const struct gl_policy *policy)
{
    for (size_t r = 0; r < policy->rule_count; r++)
        for (size_t c = 0; c < policy->rules[r].count; c++)
            if (policy->rules[r].constraints[c].key->id == GL_KEY_CONFIDENCE) {
                gl_warn(context, "GL8001",
                        "rule %s asks for a promise (confidence): past hours under it are unknown "
                        "here; greenlaunch backtest replays promises",
                        policy->rules[r].id);
                return;
            }
}

/* ---- the window ---- */

static int choose_window(const struct index_values *values, struct gl_instant now,
                         struct gl_index_options *out, struct gl_error *err)
{
    int64_t since_s = values->since_s == INT64_MIN ? SINCE_S : values->since_s;
    int64_t hours = gl_hours_up(since_s > 0 ? since_s : 0);

    if (hours < 1 || hours > GL_INDEX_HOURS_MAX)
        return gl_fail(err, GL_E_USAGE, "--since goes from an hour to 366 days back");
    if (by_of(values->by) == GL_INDEX_HOUR && since_s > BY_HOUR_S)
        return gl_fail(err, GL_E_USAGE, "--by hour goes at most 92 days back; --by day goes on");
    out->hour_count = (size_t)hours;
    out->from.unix_s = gl_instant_hour(now).unix_s - hours * GL_HOUR_S;
    return 0;
}

static bool tick(void *cookie)
{
    gl_progress_tick(cookie);
    return !gl_interrupted();
}

static int count(struct index_call *call, const struct gl_ask_result *asked, struct gl_index *out,
                 struct gl_error *err)
{
    const struct gl_question question = gl_ask_question(asked);
    struct gl_index_options options = {.tick = tick, .cookie = call->context};

    if (choose_window(call->values, asked->now, &options, err) != 0)
        return -1;
    gl_progress(call->context, "judging %zu past hours", options.hour_count);
    if (gl_index_availability(&question, asked->decision, &options, out, err) == 0) {
        gl_progress_end(call->context);
        return 0;
    }
    if (err->code != GL_E_INTERRUPTED)
        return -1;
    gl_error_clear(err);
    return gl_interrupt_fail(err, "index availability");
}

static void answer(struct index_call *call, const struct index_shown *shown)
{
    struct gl_context *context = call->context;

    warn_of_promises(context, shown->asked->policy);
    if (shown->index->is_more)
        gl_warn(context, "GL8001", "offers of more than %d clouds: the rest is left out",
                GL_INDEX_CLOUDS_MAX);
    if (context->globals.is_json)
        context->reply.data = gl_index_show_json(shown);
    if (call->values->html != NULL)
        gl_index_show_html(call, shown);
    if (call->values->is_csv)
        gl_index_show_csv(call, shown);
    else
        gl_index_show_text(call, shown);
}

int gl_index_available(struct index_call *call, struct gl_error *err)
{
    static const struct gl_without nothing = {0};
    struct gl_ask ask = call->values->ask;
    struct gl_index_options unused = {0};
    struct gl_ask_result asked;
    struct gl_index index;
    int green;

    if (choose_window(call->values, (struct gl_instant){0}, &unused, err) != 0)
        return -1;
    green = has_green_rule(call->context, &ask, err);
    if (green < 0)
        return -1;
    if (green == 0)
        ask.renewable_only = STANDARD;
    if (call->provider != NULL) {
        ask.clouds.items[0] = call->provider;
        ask.clouds.count = 1;
    }
    if (ask.max_price == NULL)
        ask.without = &nothing; /* no advice on prices that nothing here rests on */
    ask.ranked_wanted = 1;
    ask.wants_history = true;
    if (gl_ask_decide(call->context, &ask, &asked, err) != 0)
        return -1;
    if (count(call, &asked, &index, err) != 0) {
        gl_ask_result_done(&asked);
        return -1;
    }
    answer(call, &(struct index_shown){.asked = &asked,
                                       .index = &index,
                                       .by = by_of(call->values->by),
                                       .by_word = by_words[by_of(call->values->by)],
                                       .is_standard = green == 0,
                                       .has_periods =
                                           call->provider != NULL || call->values->by != NULL});
    gl_index_done(&index);
    gl_ask_result_done(&asked);
    return 0;
}
