/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/cli/rows.h"
#include "broker/cli/show_budget.h"

struct budget_values {
    const char *money, *calendar, *at_cap, *by, *reason;
    struct gl_option_list warn_at;
    bool is_off;
};

#define AT(member) offsetof(struct budget_values, member)
static const struct gl_option options[] = {
    {"money", 0, GL_OPT_TEXT, AT(money), "LIMIT",
     "set: a limit of money beside it: 200 USD per month", NULL, NULL, NULL, 0, 0, 0, NULL},
    {"calendar", 0, GL_OPT_TEXT, AT(calendar), "ZONE",
     "set: time zone of its days and months, as in Europe/Berlin (default UTC)", NULL, NULL, NULL,
     0, 0, 0, NULL},
    {"warn-at", 0, GL_OPT_LIST, AT(warn_at), "SHARE", "set: warn from here on, as in 80%,95%", NULL,
     NULL, NULL, 0, 0, 0, NULL},
    {"at-cap", 0, GL_OPT_TEXT, AT(at_cap), "WORD",
     "set: what running work meets when it is spent (default refuse: only new work is refused)",
     NULL, NULL, "refuse|pause|stop", 0, 0, 0, NULL},
    {"off", 0, GL_OPT_FLAG, AT(is_off), NULL, "set: take the budget of that account away", NULL,
     NULL, NULL, 0, 0, 0, NULL},
    {"by", 0, GL_OPT_TEXT, AT(by), "NAME", "set, move: who does it; kept in the ledger", NULL, NULL,
     NULL, 0, 0, 0, NULL},
    {"reason", 0, GL_OPT_TEXT, AT(reason), "TEXT", "move: why; kept in the ledger", NULL, NULL,
     NULL, 0, 0, 0, NULL},
    {0},
};

/* One call of the command. */
struct budget_call {
    struct gl_context *context;
    struct gl_ledger *ledger;
    const struct budget_values *values;
    const char *const *words; /* after the verb */
    size_t count;
};

/* ---- show, forecast ---- */

/* The account that a word means. One that is kept since an earlier version may still be shown and
 * taken off under a name that nothing new may have. */
static int read_account(const char *word, char out[GL_ACCOUNT_PATH], struct gl_error *err)
{
    struct gl_error why = {0};

    if (gl_account_read(word, out, &why) == 0)
        return 0;
    if (!gl_account_was_pattern(word))
        return gl_fail(err, why.code, "%s", why.text);
    snprintf(out, GL_ACCOUNT_PATH, "%s", word);
    return 0;
}

typedef void show_fn(struct gl_context *context, const struct gl_shown_account *accounts,
                     size_t count);

static void say_nothing(struct gl_context *context, const struct gl_caps *caps)
{
    gl_str_add(&context->reply.text, caps->count > 0 ? "Nothing was charged under a budget yet.\n"
                                                     : "No budget is set.\n");
    if (caps->count == 0)
        gl_next(context, "cap what may be emitted",
                (const char *const[]){"budget", "set", "org", "50 kg per month", NULL});
}

static int show_with(const struct budget_call *call, show_fn *show, struct gl_error *err)
{
    GL_AUTO(gl_caps_done) struct gl_caps caps = {0, NULL};
    struct gl_shown_account *accounts = NULL;
    char path[GL_ACCOUNT_PATH];
    const char *below = call->count > 0 ? path : NULL;
    size_t count = 0;

    if ((below != NULL && read_account(call->words[0], path, err) != 0) ||
        gl_budget_caps(call->ledger, &caps, err) != 0 ||
        gl_shown_accounts(call->context, call->ledger, &caps, below, &accounts, &count, err) != 0)
        return -1;
    if (count == 0 && below != NULL)
        return gl_fail(err, GL_E_UNKNOWN_NAME,
                       "no account \"%.60s\" is under a budget; see: greenlaunch budget show",
                       below);
    call->context->reply.data = gl_budgets_json(accounts, count, &caps);
    if (count > 0)
        show(call->context, accounts, count);
    else
        say_nothing(call->context, &caps);
    if (below == NULL && show == gl_show_budgets)
        gl_show_patterns(call->context, &caps);
    gl_shown_free(accounts, count);
    return GL_EXIT_OK;
}

static int run_show(const struct budget_call *call, struct gl_error *err)
{
    return show_with(call, gl_show_budgets, err);
}

static int run_forecast(const struct budget_call *call, struct gl_error *err)
{
    return show_with(call, gl_show_exhaustion, err);
}

/* ---- set ---- */

static int read_warnings(const struct gl_option_list *list, struct gl_cap *cap,
                         struct gl_error *err)
{
    if (list->count > 0)
        cap->warn_count = 0;
    for (size_t i = 0; i < list->count; i++) {
        int64_t ppm;

        if (cap->warn_count == GL_CAP_WARNINGS)
            return gl_fail(err, GL_E_USAGE, "at most %d levels of warning", GL_CAP_WARNINGS);
        if (gl_quantity_parse(GL_DIM_SHARE, list->items[i], &ppm, err) != 0)
            return gl_wrap(err, "--warn-at");
        if (cap->warn_count > 0 && ppm <= cap->warn_ppm[cap->warn_count - 1])
            return gl_fail(err, GL_E_USAGE, "--warn-at goes upwards, as in 80%%,95%%");
        cap->warn_ppm[cap->warn_count++] = ppm;
    }
    return 0;
}

/* Grams and money of one account share a window. */
static int read_limits(const struct budget_call *call, const char *limit, struct gl_cap *cap,
                       char tag[GL_ACCOUNT_SEGMENT], struct gl_error *err)
{
    const char *texts[] = {limit, call->values->money};
    struct gl_period_of first = {0};
    char ignored[GL_ACCOUNT_SEGMENT];
    bool has_first = false;

    for (size_t i = 0; i < 2; i++) {
        if (texts[i] == NULL)
            continue;
        if (gl_cap_read(texts[i], cap, i == 0 ? tag : ignored, err) != 0)
            return -1;
        if (has_first && (first.period != cap->period.period || first.span_s != cap->period.span_s))
            return gl_fail(err, GL_E_USAGE, "grams and money of one account share one period");
        first = cap->period;
        has_first = true;
    }
    if (!has_first)
        return gl_fail(err, GL_E_USAGE,
                       "say a limit, as in: greenlaunch budget set org \"50 kg per "
                       "month\"");
    return 0;
}

static int check_calendar(const char *name, struct gl_cap *cap, struct gl_error *err)
{
    struct gl_zone zone;

    if (name == NULL)
        return 0;
    if (gl_zone_load(name, NULL, &zone, err) != 0)
        return -1;
    gl_zone_done(&zone);
    snprintf(cap->zone, sizeof cap->zone, "%s", name);
    return 0;
}

/* What it was before; else a new one. */
static void begin_with(const struct gl_caps *caps, const char *path, struct gl_cap *cap)
{
    *cap = (struct gl_cap){.limit = {GL_UNKNOWN, GL_UNKNOWN}, .zone = "UTC"};
    for (size_t i = 0; i < caps->count; i++)
        if (strcmp(caps->items[i].path, path) == 0)
            *cap = caps->items[i];
    snprintf(cap->path, sizeof cap->path, "%.255s", path);
}

/* A limit that is not said anew keeps its period, and both share one. */
static int check_period(const struct gl_cap *was, const struct gl_cap *said, struct gl_error *err)
{
    bool keeps = (was->limit.ug != GL_UNKNOWN && said->limit.ug == GL_UNKNOWN) ||
                 (was->limit.u_usd != GL_UNKNOWN && said->limit.u_usd == GL_UNKNOWN);

    if (keeps &&
        (was->period.period != said->period.period || was->period.span_s != said->period.span_s))
        return gl_fail(err, GL_E_USAGE,
                       "grams and money of %s share one period: say both anew to change it",
                       was->path);
    return 0;
}

static enum gl_at_cap at_cap_of(const char *word, enum gl_at_cap otherwise)
{
    for (int i = 0; word != NULL && gl_at_cap_words[i] != NULL; i++)
        if (strcmp(gl_at_cap_words[i], word) == 0)
            return (enum gl_at_cap)i;
    return otherwise;
}

static void tell_set(const struct budget_call *call, const struct gl_cap *cap)
{
    struct gl_str *out = &call->context->reply.text;

    gl_str_addf(out, "%s may take ", cap->path);
    gl_show_cap_text(cap, out);
    gl_str_add_char(out, '\n');
    call->context->reply.data = json_pack("{s:o}", "budget", gl_cap_json(cap));
}

static int take_off(const struct budget_call *call, struct gl_error *err)
{
    char path[GL_ACCOUNT_PATH];

    if (read_account(call->words[0], path, err) != 0 ||
        gl_budget_unset(call->ledger, path, call->values->by, err) != 0)
        return -1;
    gl_str_addf(&call->context->reply.text, "%s has no budget any more\n", path);
    call->context->reply.data = json_pack("{s:n}", "budget");
    return GL_EXIT_OK;
}

/* No budget set here may be larger than a rule's. */
static int check_whose(const struct budget_call *call, struct gl_error *err)
{
    const char *path = call->count > 0 ? call->words[0] : "";

    if (path[0] == '\0')
        return gl_fail(err, GL_E_USAGE,
                       "say whose: greenlaunch budget set org \"50 kg per month\"");
    if (strncmp(path, "policy", 6) == 0 && (path[6] == '/' || path[6] == '\0'))
        return gl_fail(err, GL_E_USAGE,
                       "the accounts below policy have the limits that their rules say; change the "
                       "rule");
    return 0;
}

static int run_set(const struct budget_call *call, struct gl_error *err)
{
    GL_AUTO(gl_caps_done) struct gl_caps caps = {0, NULL};
    const char *limit = call->count == 2 ? call->words[1] : NULL;
    char tag[GL_ACCOUNT_SEGMENT] = "", path[GL_ACCOUNT_PATH];
    GL_AUTO(gl_str_done) struct gl_str whose = {0};
    struct gl_cap cap, read;

    if (check_whose(call, err) != 0)
        return -1;
    if (call->values->is_off)
        return take_off(call, err);
    read = (struct gl_cap){.limit = {GL_UNKNOWN, GL_UNKNOWN}};
    if (read_limits(call, limit, &read, tag, err) != 0 ||
        gl_budget_caps(call->ledger, &caps, err) != 0)
        return -1;
    gl_str_addf(&whose, tag[0] != '\0' ? "%s/{%s}" : "%s", call->words[0], tag);
    if (gl_account_read(gl_str_text(&whose), path, err) != 0)
        return -1;
    begin_with(&caps, path, &cap);
    if (check_period(&cap, &read, err) != 0)
        return -1;
    cap.period = read.period;
    cap.limit.ug = read.limit.ug != GL_UNKNOWN ? read.limit.ug : cap.limit.ug;
    cap.limit.u_usd = read.limit.u_usd != GL_UNKNOWN ? read.limit.u_usd : cap.limit.u_usd;
    cap.at_cap = at_cap_of(call->values->at_cap, cap.at_cap);
    if (read_warnings(&call->values->warn_at, &cap, err) != 0 ||
        check_calendar(call->values->calendar, &cap, err) != 0 ||
        gl_budget_set(call->ledger, &cap, call->values->by, err) != 0)
        return -1;
    tell_set(call, &cap);
    return GL_EXIT_OK;
}

/* ---- move ---- */

static int run_move(const struct budget_call *call, struct gl_error *err)
{
    char from[GL_ACCOUNT_PATH], to[GL_ACCOUNT_PATH];
    struct gl_amount amount;

    if (call->count != 3)
        return gl_fail(err, GL_E_USAGE,
                       "say how much and whose: greenlaunch budget move \"500 g\" org/ml org/web");
    if (gl_amount_read(call->words[0], &amount, err) != 0)
        return -1;
    if (amount.ug == 0 && amount.u_usd == 0)
        return gl_fail(err, GL_E_USAGE, "there is nothing to move");
    if (gl_account_read(call->words[1], from, err) != 0 ||
        gl_account_read(call->words[2], to, err) != 0 ||
        gl_budget_move(call->ledger, from, to, &amount, call->values->by, call->values->reason,
                       err) != 0)
        return -1;
    gl_str_addf(&call->context->reply.text, "%s moved from %s to %s for the present window\n",
                call->words[0], from, to);
    call->context->reply.data = json_pack("{s:s,s:s,s:I,s:I}", "from", from, "to", to, "ug",
                                          (json_int_t)amount.ug, "u_usd", (json_int_t)amount.u_usd);
    return GL_EXIT_OK;
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    static const struct {
        const char *word;
        size_t most; /* words after it */
        int (*run)(const struct budget_call *call, struct gl_error *err);
    } verbs[] = {{"show", 1, run_show},
                 {"set", 2, run_set},
                 {"move", 3, run_move},
                 {"forecast", 1, run_forecast}};
    const struct gl_operands *operands = call->operands;
    struct budget_call budget = {.context = context, .values = call->values};

    if (operands->count > 0)
        budget.words = &operands->words[1];
    budget.count = operands->count > 0 ? operands->count - 1 : 0;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (operands->count == 0 || strcmp(verbs[i].word, operands->words[0]) != 0 ||
            budget.count > verbs[i].most)
            continue;
        budget.ledger = gl_context_ledger_to_look(context, err);
        return budget.ledger == NULL ? -1 : verbs[i].run(&budget, err);
    }
    return gl_fail(
        err, GL_E_USAGE,
        "say one of: greenlaunch budget show [ACCOUNT] | set ACCOUNT LIMIT | move AMOUNT "
        "FROM TO | forecast [ACCOUNT]");
}

const struct gl_command gl_command_budget = {
    .name = "budget",
    .group = "Rules",
    .summary = "cap what is emitted and spent, and see when it runs out",
    .operands = "show|set|move|forecast [ACCOUNT|AMOUNT] [LIMIT|FROM] [TO]",
    .description =
        "Accounts form a tree, as org/ml/ablation; what is charged to one is charged to all above "
        "it, and a launch must fit under every cap on the way. set ACCOUNT LIMIT caps one account, "
        "or with a tag as in org/{team} each account there; a limit is an amount per hour, day, "
        "week, month, quarter, year of a calendar, or per span as 30d. A launch reserves what it "
        "may take (19 times in 20 it takes less: reserve_at) before anything is sent, is charged "
        "with what its meter measured when it "
        "ends, and gives the rest back; what does not fit ends with status 7 and says what would. "
        "move gives a part of this window to another account. show tells what is spent (#) and "
        "reserved (+); forecast when each runs out at the present pace, and how sure that is.",
    .example = "greenlaunch budget set org \"50 kg per month\" --warn-at 80%",
    .options = options,
    .values_size = sizeof(struct budget_values),
    .run = run,
};
