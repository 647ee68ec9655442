/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/show_budget.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "broker/render/table.h"
#include "broker/render/text.h"

#define BAR_CELLS  10
#define SLICES_MAX 366
#define DAY_S      86400

/* ---- gathering ---- */

/* Spending by whole days, by hours in the first three of them. */
static int exhaustion_of(struct gl_ledger *ledger, const struct gl_shown_account *account,
                         bool is_money, int64_t now_s, struct gl_exhaustion *out,
                         struct gl_error *err)
{
    int64_t slices[SLICES_MAX], elapsed_s = now_s - account->state.window.from_s;
    struct gl_amount left = gl_balance_left_of(account->cap, &account->state.balance);
    struct gl_spending spending = {.slices = slices,
                                   .slice_s = elapsed_s >= 3 * DAY_S ? DAY_S : 3600,
                                   .now_s = now_s,
                                   .left = is_money ? left.u_usd : left.ug,
                                   .span_s = account->cap->period.span_s};

    spending.count = (size_t)(elapsed_s / spending.slice_s);
    if (spending.count > SLICES_MAX)
        spending.count = SLICES_MAX;
    if (spending.left != GL_UNKNOWN &&
        gl_budget_slices(ledger, account->path, is_money, spending.slice_s, now_s, spending.count,
                         slices, err) != 0)
        return -1;
    gl_budget_exhaustion(&spending, out);
    return 0;
}

/* ---- reservations ---- */

static int note_how(void *cookie, const json_t *event)
{
    json_t **how = cookie;
    const json_t *budget = json_object_get(json_object_get(event, "body"), "budget");
    const char *op = json_string_value(json_object_get(budget, "op"));

    if (op != NULL && strcmp(op, "reserve") == 0) {
        json_decref(*how);
        *how = json_incref(json_object_get(budget, "how"));
    }
    return 0;
}

static json_t *known(int64_t value)
{
    return value == GL_UNKNOWN ? json_null() : json_integer((json_int_t)value);
}

struct holders {
    struct gl_ledger *ledger;
    json_t *list;
};

static int add_holder(void *cookie, const char *launch, const struct gl_amount *held)
{
    struct holders *holders = cookie;
    struct gl_error ignored = {0};
    json_t *how = NULL;

    gl_ledger_events(holders->ledger, launch, &how, note_how, &ignored);
    json_array_append_new(holders->list,
                          json_pack("{s:s,s:o,s:o,s:o*}", "launch", launch, "ug", known(held->ug),
                                    "u_usd", known(held->u_usd), "how", how));
    return 0;
}

struct gathering {
    struct gl_ledger *ledger;
    const struct gl_caps *caps;
    const char *below;
    int64_t now_ms;
    struct gl_shown_account *accounts;
    size_t count;
    struct gl_error *err;
    int result;
};

static bool is_below(const char *path, const char *top)
{
    size_t length = top != NULL ? strlen(top) : 0;

    return top == NULL ||
           (strncmp(path, top, length) == 0 && (path[length] == '\0' || path[length] == '/'));
}

static int gather_one(void *cookie, const char *path)
{
    struct gathering *g = cookie;
    const struct gl_cap *cap = gl_account_cap(g->caps->items, g->caps->count, path);
    struct gl_shown_account account = {.cap = cap};
    struct holders holders = {.ledger = g->ledger};

    if (cap == NULL || !is_below(path, g->below))
        return 0;
    snprintf(account.path, sizeof account.path, "%s", path);
    g->result = gl_budget_state(g->ledger, cap, path, g->now_ms, NULL, &account.state, g->err);
    if (g->result == 0)
        g->result =
            exhaustion_of(g->ledger, &account, false, g->now_ms / 1000, &account.grams, g->err);
    if (g->result == 0)
        g->result =
            exhaustion_of(g->ledger, &account, true, g->now_ms / 1000, &account.money, g->err);
    if (g->result != 0)
        return 1;
    account.reservations = holders.list = json_array();
    g->result = gl_budget_holders(g->ledger, path, g->now_ms, &holders, add_holder, g->err);
    g->accounts = gl_realloc(g->accounts, (g->count + 1) * sizeof account);
    g->accounts[g->count++] = account;
    return g->result != 0;
}

void gl_shown_free(struct gl_shown_account *accounts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        json_decref(accounts[i].reservations);
    free(accounts);
}

int gl_shown_accounts(struct gl_context *context, struct gl_ledger *ledger,
                      const struct gl_caps *caps, const char *below, struct gl_shown_account **out,
                      size_t *out_count, struct gl_error *err)
{
    struct gathering g = {.ledger = ledger, .caps = caps, .below = below, .err = err};
    struct gl_instant now;
    int result;

    if (gl_context_now(context, &now, err) != 0)
        return -1;
    g.now_ms = now.unix_s * 1000;
    result = gl_budget_accounts(ledger, &g, gather_one, err);
    /* Nothing was charged to it yet: a cap of each account there holds all the same. */
    if (result == 0 && g.result == 0 && g.count == 0 && below != NULL && gl_account_is_path(below))
        gather_one(&g, below);
    if (result != 0 || g.result != 0) {
        gl_shown_free(g.accounts, g.count);
        return -1;
    }
    *out = g.accounts;
    *out_count = g.count;
    return 0;
}

/* ---- one of the two currencies of an account ---- */

struct side {
    int64_t limit, overdrawn, spent, held, left;
    const struct gl_exhaustion *end;
    bool is_money;
};

/* false: nothing limits it. */
static bool side_of(const struct gl_shown_account *account, bool is_money, struct side *out)
{
    const struct gl_cap *cap = account->cap;
    const struct gl_balance *balance = &account->state.balance;
    struct gl_amount left = gl_balance_left_of(cap, balance);

    if (is_money)
        *out = (struct side){gl_balance_limit(cap->limit.u_usd, balance->granted.u_usd),
                             gl_balance_overdrawn(cap->limit.u_usd, balance->granted.u_usd),
                             balance->spent.u_usd,
                             balance->held.u_usd,
                             left.u_usd,
                             &account->money,
                             true};
    else
        *out = (struct side){gl_balance_limit(cap->limit.ug, balance->granted.ug),
                             gl_balance_overdrawn(cap->limit.ug, balance->granted.ug),
                             balance->spent.ug,
                             balance->held.ug,
                             left.ug,
                             &account->grams,
                             false};
    return out->limit != GL_UNKNOWN;
}

static void amount_text(const struct side *side, int64_t amount, struct gl_str *out)
{
    if (side->is_money)
        gl_money_text(amount, out);
    else
        gl_grams_text(amount, out);
}

/* At most the whole bar, however far the limit was passed. */
static int cells_of(double amount, double limit)
{
    double cells = amount / limit * BAR_CELLS + 0.5;

    return cells < BAR_CELLS ? (int)cells : BAR_CELLS;
}

/* "####++........" */
static void bar_text(const struct side *side, char out[BAR_CELLS + 1])
{
    double limit = side->limit > 0 ? (double)side->limit : 1;
    int spent = cells_of((double)side->spent, limit);
    int taken = cells_of((double)side->spent + (double)side->held, limit);

    for (int i = 0; i < BAR_CELLS; i++)
        out[i] = i < spent || (side->limit <= 0) ? '#' : i < taken ? '+' : '.';
    out[BAR_CELLS] = '\0';
}

static bool is_in_window(const struct gl_shown_account *account, int64_t at_s)
{
    return at_s != INT64_MAX &&
           (account->cap->period.period == GL_PER_SPAN || at_s < account->state.window.until_s);
}

/* "now", "no", "2026-11-27 03:00"; and how sure. */
static void end_text(const struct gl_shown_account *account, const struct side *side,
                     struct gl_str *out)
{
    char at[GL_INSTANT_TEXT];

    if (side->left <= 0)
        gl_str_add(out, "now");
    else if (side->end->central_s == GL_UNKNOWN)
        gl_str_add(out, "unknown");
    else if (!is_in_window(account, side->end->central_s))
        gl_str_add(out, "no");
    else {
        gl_instant_text((struct gl_instant){side->end->central_s}, at);
        at[10] = ' ';
        at[16] = '\0';
        gl_str_add(out, at);
    }
}

/* ---- table ---- */

static const struct gl_column columns[] = {
    {"ACCOUNT", false, 0}, {"LIMIT", true, 0}, {"PER", false, 3},      {"SPENT", true, 0},
    {"RESERVED", true, 2}, {"LEFT", true, 0},  {"RUNS OUT", false, 4}, {"", false, 5},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

static void add_row(struct gl_table *table, const struct gl_shown_account *account, bool is_money,
                    bool has_bar)
{
    struct gl_str texts[6] = {{0}};
    char bar[BAR_CELLS + 1] = "";
    struct side side;

    if (!side_of(account, is_money, &side))
        return;
    amount_text(&side, side.limit, &texts[0]);
    gl_period_text(&account->cap->period, &texts[1]);
    amount_text(&side, side.spent, &texts[2]);
    amount_text(&side, side.held, &texts[3]);
    amount_text(&side, side.left, &texts[4]);
    end_text(account, &side, &texts[5]);
    if (has_bar)
        bar_text(&side, bar);
    gl_table_row(table, (const char *const[COLUMNS]){account->path, gl_str_text(&texts[0]),
                                                     gl_str_text(&texts[1]), gl_str_text(&texts[2]),
                                                     gl_str_text(&texts[3]), gl_str_text(&texts[4]),
                                                     gl_str_text(&texts[5]), bar});
    for (size_t i = 0; i < 6; i++)
        gl_str_done(&texts[i]);
}

/* How sure the reservations of the table are. */
static void add_methods(struct gl_context *context, const struct gl_shown_account *accounts,
                        size_t count)
{
    GL_AUTO(gl_auto_json) json_t *seen = json_object();
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    size_t quantiles = 0, others = 0, at;
    const json_t *one;

    for (size_t i = 0; i < count; i++) {
        json_array_foreach(accounts[i].reservations, at, one)
        {
            const char *launch = json_string_value(json_object_get(one, "launch"));
            bool is_quantile =
                json_is_integer(json_object_get(json_object_get(one, "how"), "p_ppm"));

            if (json_object_get(seen, launch) != NULL)
                continue;
            json_object_set_new(seen, launch, json_true());
            quantiles += is_quantile;
            others += !is_quantile;
        }
    }
    if (quantiles + others == 0)
        return;
    gl_str_addf(
        &line,
        "%zu reservation%s: %zu by the quantile of the futures of its grid, %zu by the high "
        "bound of every hour",
        quantiles + others, quantiles + others == 1 ? "" : "s", quantiles, others);
    gl_render_hang(gl_str_text(&line), 2, context->columns, &context->reply.text);
}

/* Its limit was lowered below what it had given away. */
static void add_overdrawn(struct gl_context *context, const struct gl_shown_account *account,
                          bool is_money)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    struct side side;

    if (!side_of(account, is_money, &side) || side.overdrawn == 0)
        return;
    gl_str_addf(&line, "%s: ", account->path);
    amount_text(&side, side.overdrawn, &line);
    gl_str_add(&line, " more was given away than its limit is now; what is given back makes that "
                      "good first");
    gl_render_hang(gl_str_text(&line), 2, context->columns, &context->reply.text);
}

/* What the sums leave out. */
static void add_notes(struct gl_context *context, const struct gl_shown_account *accounts,
                      size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (accounts[i].state.unknown > 0)
            gl_warn(context, "GL8001",
                    "%s: the carbon of %" PRId64 " entr%s is not known and stands in no sum",
                    accounts[i].path, accounts[i].state.unknown,
                    accounts[i].state.unknown == 1 ? "y" : "ies");
}

void gl_show_budgets(struct gl_context *context, const struct gl_shown_account *accounts,
                     size_t count)
{
    struct gl_table *table = gl_table_new(columns, COLUMNS - context->globals.is_accessible);

    for (size_t i = 0; i < count; i++)
        for (int is_money = 0; is_money < 2; is_money++)
            add_row(table, &accounts[i], is_money != 0, !context->globals.is_accessible);
    gl_table_text(table, context->columns, context->globals.is_accessible, &context->reply.text);
    gl_table_free(table);
    for (size_t i = 0; i < 2 * count; i++)
        add_overdrawn(context, &accounts[i / 2], i % 2 != 0);
    add_methods(context, accounts, count);
    add_notes(context, accounts, count);
}

void gl_show_cap_text(const struct gl_cap *cap, struct gl_str *out)
{
    if (cap->limit.ug != GL_UNKNOWN)
        gl_grams_text(cap->limit.ug, out);
    if (cap->limit.ug != GL_UNKNOWN && cap->limit.u_usd != GL_UNKNOWN)
        gl_str_add(out, " and ");
    if (cap->limit.u_usd != GL_UNKNOWN)
        gl_money_text(cap->limit.u_usd, out);
    gl_str_add(out, " per ");
    gl_period_text(&cap->period, out);
    gl_str_addf(out, " (%s); at the cap: %s", cap->zone, gl_at_cap_words[cap->at_cap]);
}

void gl_show_patterns(struct gl_context *context, const struct gl_caps *caps)
{
    for (size_t i = 0; i < caps->count; i++) {
        GL_AUTO(gl_str_done) struct gl_str line = {0};

        if (gl_account_is_path(caps->items[i].path))
            continue;
        gl_str_addf(&line, "each %s: ", caps->items[i].path);
        gl_show_cap_text(&caps->items[i], &line);
        gl_render_hang(gl_str_text(&line), 2, context->columns, &context->reply.text);
    }
}

/* ---- forecast ---- */

static void add_bounds(const struct side *side, struct gl_str *out)
{
    char low[GL_INSTANT_TEXT], high[GL_INSTANT_TEXT];

    if (side->end->low_s == GL_UNKNOWN) {
        gl_str_add(out, ", with too little spent so far to say how sure");
        return;
    }
    gl_instant_text((struct gl_instant){side->end->low_s}, low);
    low[16] = '\0';
    gl_str_addf(out, ", 8 times in 10 between %s and ", low);
    if (side->end->high_s == INT64_MAX) {
        gl_str_add(out, "never");
        return;
    }
    gl_instant_text((struct gl_instant){side->end->high_s}, high);
    high[16] = '\0';
    gl_str_add(out, high);
}

static void add_sentence(struct gl_context *context, const struct gl_shown_account *account,
                         bool is_money)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    char at[GL_INSTANT_TEXT];
    struct side side;

    if (!side_of(account, is_money, &side))
        return;
    gl_str_addf(&line, "%s: ", account->path);
    gl_budget_left_text(account->cap, &account->state, is_money, &line);
    if (side.left <= 0) {
        gl_str_add(&line, "; it has run out");
    } else if (side.end->central_s == GL_UNKNOWN) {
        gl_str_add(&line, "; nothing to go by yet");
    } else if (side.end->central_s == INT64_MAX && side.spent == 0) {
        gl_str_add(&line, "; nothing was spent in this window, so it does not run out");
    } else if (side.end->central_s == INT64_MAX) {
        gl_str_add(&line, "; at this pace it does not run out");
        if (side.end->low_s != INT64_MAX)
            add_bounds(&side, &line);
    } else {
        gl_instant_text((struct gl_instant){side.end->central_s}, at);
        at[16] = '\0';
        gl_str_addf(&line, "; at this pace it runs out %s UTC%s", at,
                    is_in_window(account, side.end->central_s) ? ""
                                                               : ", after its window has ended");
        add_bounds(&side, &line);
    }
    gl_render_hang(gl_str_text(&line), 2, context->columns, &context->reply.text);
}

void gl_show_exhaustion(struct gl_context *context, const struct gl_shown_account *accounts,
                        size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (int is_money = 0; is_money < 2; is_money++)
            add_sentence(context, &accounts[i], is_money != 0);
    add_notes(context, accounts, count);
}

/* ---- data ---- */

static json_t *end_json(int64_t at_s)
{
    char at[GL_INSTANT_TEXT];

    if (at_s == GL_UNKNOWN)
        return json_null();
    return json_string(at_s == INT64_MAX ? "never"
                                         : gl_instant_text((struct gl_instant){at_s}, at));
}

static json_t *side_json(const struct gl_shown_account *account, bool is_money)
{
    struct side side;

    if (!side_of(account, is_money, &side))
        return json_null();
    return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:{s:o,s:o,s:o}}", "unit",
                     is_money ? "millionths of USD" : "ugCO2e", "limit", known(side.limit),
                     "overdrawn", known(side.overdrawn), "spent", known(side.spent), "reserved",
                     known(side.held), "left", known(side.left), "runs_out", "low",
                     end_json(side.end->low_s), "central", end_json(side.end->central_s), "high",
                     end_json(side.end->high_s));
}

static json_t *account_json(const struct gl_shown_account *account)
{
    const struct gl_stretch_of_time *window = &account->state.window;
    char from[GL_INSTANT_TEXT], until[GL_INSTANT_TEXT];

    return json_pack("{s:s,s:o,s:{s:s,s:s},s:o,s:o,s:o,s:I,s:O}", "account", account->path,
                     "budget", gl_cap_json(account->cap), "window", "from",
                     gl_instant_text((struct gl_instant){window->from_s}, from), "until",
                     gl_instant_text((struct gl_instant){window->until_s}, until), "grams",
                     side_json(account, false), "money", side_json(account, true), "warning_ppm",
                     known(gl_budget_warning(account->cap, &account->state.balance)), "unknown",
                     (json_int_t)account->state.unknown, "reservations", account->reservations);
}

json_t *gl_budgets_json(const struct gl_shown_account *accounts, size_t count,
                        const struct gl_caps *caps)
{
    json_t *all = json_array(), *limits = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(all, account_json(&accounts[i]));
    for (size_t i = 0; i < caps->count; i++)
        json_array_append_new(limits, gl_cap_json(&caps->items[i]));
    return json_pack("{s:o,s:o}", "accounts", all, "caps", limits);
}
