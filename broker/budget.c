/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/budget_part.h"
#include "broker/budget_relocation.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"

/* ---- caps as JSON ---- */

json_t *gl_budget_amount_json(int64_t amount)
{
    return amount == GL_UNKNOWN ? json_null() : json_integer((json_int_t)amount);
}

json_t *gl_cap_json(const struct gl_cap *cap)
{
    GL_AUTO(gl_str_done) struct gl_str period = {0};
    json_t *warnings = json_array();

    gl_period_text(&cap->period, &period);
    for (size_t i = 0; i < cap->warn_count; i++)
        json_array_append_new(warnings, json_integer((json_int_t)cap->warn_ppm[i]));
    return json_pack("{s:s,s:o,s:o,s:s,s:s,s:o,s:s,s:b}", "path", cap->path, "ug",
                     gl_budget_amount_json(cap->limit.ug), "u_usd",
                     gl_budget_amount_json(cap->limit.u_usd), "period", gl_str_text(&period),
                     "zone", cap->zone, "warn_ppm", warnings, "at_cap",
                     gl_at_cap_words[cap->at_cap], "advisory", cap->is_advisory);
}

static int read_amount(const json_t *json, const char *key, int64_t *out, struct gl_error *err)
{
    if (!json_is_null(json_object_get(json, key)))
        return gl_json_int(json, key, 0, INT64_MAX, out, err);
    *out = GL_UNKNOWN;
    return 0;
}

static int read_warnings(const json_t *json, struct gl_cap *cap, struct gl_error *err)
{
    json_t *list;

    if (gl_json_array(json, "warn_ppm", &list, err) != 0)
        return -1;
    for (size_t i = 0; i < json_array_size(list) && i < GL_CAP_WARNINGS; i++)
        cap->warn_ppm[cap->warn_count++] = json_integer_value(json_array_get(list, i));
    return 0;
}

int gl_cap_of_json(const json_t *json, struct gl_cap *out, struct gl_error *err)
{
    const char *path, *zone, *period, *at_cap;
    struct gl_cap cap = {.is_advisory = json_is_true(json_object_get(json, "advisory"))};

    if (gl_json_string(json, "path", &path, err) != 0 ||
        gl_json_string(json, "zone", &zone, err) != 0 ||
        gl_json_string(json, "period", &period, err) != 0 ||
        gl_json_string(json, "at_cap", &at_cap, err) != 0 ||
        read_amount(json, "ug", &cap.limit.ug, err) != 0 ||
        read_amount(json, "u_usd", &cap.limit.u_usd, err) != 0 ||
        read_warnings(json, &cap, err) != 0 || gl_period_read(period, &cap.period, err) != 0)
        return -1;
    if (!gl_account_was_pattern(path) || strlen(zone) >= sizeof cap.zone)
        return gl_fail(err, GL_E_BAD_REPLY, "bad budget in the ledger");
    snprintf(cap.path, sizeof cap.path, "%s", path);
    snprintf(cap.zone, sizeof cap.zone, "%s", zone);
    while (gl_at_cap_words[cap.at_cap] != NULL && strcmp(gl_at_cap_words[cap.at_cap], at_cap) != 0)
        cap.at_cap++;
    if (gl_at_cap_words[cap.at_cap] == NULL)
        return gl_fail(err, GL_E_BAD_REPLY, "bad budget in the ledger");
    *out = cap;
    return 0;
}

/* ---- what events say ---- */

json_t *gl_charge_json(const struct gl_payer *payer)
{
    json_t *accounts = json_array(), *caps = json_array(), *body;

    for (size_t i = 0; i < payer->account_count; i++)
        json_array_append_new(accounts, json_string(payer->accounts[i]));
    for (size_t i = 0; i < payer->cap_count; i++)
        json_array_append_new(caps, gl_cap_json(&payer->caps[i]));
    body = json_pack("{s:o,s:o}", "accounts", accounts, "caps", caps);
    if (payer->override_why != NULL &&
        json_object_set_new(
            body, "override",
            json_pack("{s:s,s:s}", "why", payer->override_why, "by", payer->override_by)) != 0) {
        json_decref(body);
        return NULL;
    }
    return body;
}

json_t *gl_budget_reserve_json(const json_t *charge, const struct gl_amount *wanted,
                               int64_t until_ms)
{
    json_t *body = json_copy((json_t *)(uintptr_t)charge);

    json_object_del(body, "futures"); /* `how` says what came of them */
    json_object_set_new(body, "op", json_string("reserve"));
    json_object_set_new(body, "ug", gl_budget_amount_json(wanted->ug));
    json_object_set_new(body, "u_usd", gl_budget_amount_json(wanted->u_usd));
    json_object_set_new(body, "until_ms", json_integer((json_int_t)until_ms));
    return body;
}

json_t *gl_budget_stay_json(const struct gl_amount *alone, const char *tried)
{
    return json_pack("{s:s,s:o,s:o,s:s*}", "op", "stay", "ug", gl_budget_amount_json(alone->ug),
                     "u_usd", gl_budget_amount_json(alone->u_usd), "of",
                     tried[0] != '\0' ? tried : NULL);
}

json_t *gl_budget_from_json(const char *launch, const struct gl_amount *used)
{
    return json_pack("{s:s,s:o,s:o}", "launch", launch, "ug", gl_budget_amount_json(used->ug),
                     "u_usd", gl_budget_amount_json(used->u_usd));
}

/* Windows begin at quarters of an hour in every time zone of today: a day's run is booked exactly.
 */
static int64_t piece_ms(int64_t ran_ms)
{
    static const int minutes[] = {15, 30, 60, 180, 360, 720, 1440};
    int64_t piece = 0;

    for (size_t i = 0; i < sizeof minutes / sizeof minutes[0]; i++) {
        piece = minutes[i] * INT64_C(60000);
        if (ran_ms / piece < GL_BUDGET_PIECES)
            return piece;
    }
    while (ran_ms / piece >= GL_BUDGET_PIECES)
        piece *= 2;
    return piece;
}

json_t *gl_budget_spend_json(const struct gl_amount *spent, int64_t from_ms, int64_t until_ms)
{
    int64_t ran_ms = until_ms > from_ms ? until_ms - from_ms : 0;

    return json_pack("{s:s,s:o,s:o,s:I,s:I,s:I}", "op", "spend", "ug",
                     gl_budget_amount_json(spent->ug), "u_usd", gl_budget_amount_json(spent->u_usd),
                     "from_ms", (json_int_t)from_ms, "until_ms", (json_int_t)(from_ms + ran_ms),
                     "piece_ms", (json_int_t)piece_ms(ran_ms));
}

/* ---- writing ---- */

static int append(struct gl_ledger *ledger, json_t *budget, const char *by, const char *why,
                  struct gl_error *err)
{
    GL_AUTO(gl_auto_json)
    json_t *body = json_pack("{s:o,s:s*,s:s*}", "budget", budget, "by", by, "why", why);

    if (body == NULL)
        return gl_fail(err, GL_E_USAGE, "names and reasons are UTF-8 text");
    return gl_ledger_append(ledger, "budget", "", body, NULL, err);
}

int gl_budget_set(struct gl_ledger *ledger, const struct gl_cap *cap, const char *by,
                  struct gl_error *err)
{
    return append(ledger, json_pack("{s:s,s:o}", "op", "set", "cap", gl_cap_json(cap)), by, NULL,
                  err);
}

static const struct gl_cap *cap_named(const struct gl_caps *caps, const char *path)
{
    for (size_t i = 0; i < caps->count; i++)
        if (strcmp(caps->items[i].path, path) == 0)
            return &caps->items[i];
    return NULL;
}

int gl_budget_unset(struct gl_ledger *ledger, const char *path, const char *by,
                    struct gl_error *err)
{
    GL_AUTO(gl_caps_done) struct gl_caps caps = {0, NULL};

    if (gl_budget_caps(ledger, &caps, err) != 0)
        return -1;
    if (cap_named(&caps, path) == NULL)
        return gl_fail(err, GL_E_UNKNOWN_NAME, "%s has no budget of its own", path);
    return append(ledger, json_pack("{s:s,s:s}", "op", "unset", "path", path), by, NULL, err);
}

int gl_budget_grow(struct gl_ledger *ledger, const char *launch, const struct gl_amount *taken,
                   struct gl_error *err)
{
    GL_AUTO(gl_auto_json)
    json_t *body =
        json_pack("{s:{s:s,s:o,s:o}}", "budget", "op", "grow", "ug",
                  gl_budget_amount_json(taken->ug), "u_usd", gl_budget_amount_json(taken->u_usd));

    return gl_ledger_append(ledger, "budget", launch, body, NULL, err);
}

int gl_budget_announce(struct gl_ledger *ledger, const struct gl_cap *cap, const char *path,
                       const struct gl_account_state *state, int64_t *out_ppm, struct gl_error *err)
{
    int64_t ppm = gl_budget_warning(cap, &state->balance);
    char subject[GL_BUDGET_SUBJECT];
    GL_AUTO(gl_auto_json) json_t *body = NULL;

    *out_ppm = GL_UNKNOWN;
    if (ppm == GL_UNKNOWN)
        return 0;
    body = json_pack("{s:{s:s,s:s,s:I,s:o,s:o,s:I}}", "budget", "op", "warn", "path", path, "ppm",
                     (json_int_t)ppm, "ug", gl_budget_amount_json(cap->limit.ug), "u_usd",
                     gl_budget_amount_json(cap->limit.u_usd), "from_s",
                     (json_int_t)state->window.from_s);
    snprintf(subject, sizeof subject, GL_BUDGET_SUBJECT_OF "%s", path);
    if (gl_ledger_append(ledger, "budget", subject, body, NULL, err) == 0) {
        *out_ppm = ppm;
        return 0;
    }
    if (err->code != GL_E_BUSY)
        return -1;
    gl_error_clear(err);
    return 0;
}

/* ---- transfers ---- */

struct moving {
    const struct gl_caps *caps;
    const struct gl_amount *amount;
    json_t *deltas;
    bool is_given; /* by an account that is limited */
};

/* Only what is limited gives or gets. */
static int add_delta(void *cookie, const char *path, int sign)
{
    struct moving *moving = cookie;
    const struct gl_cap *cap = gl_account_cap(moving->caps->items, moving->caps->count, path);
    int64_t ug = cap != NULL && cap->limit.ug != GL_UNKNOWN ? moving->amount->ug : 0;
    int64_t u_usd = cap != NULL && cap->limit.u_usd != GL_UNKNOWN ? moving->amount->u_usd : 0;

    moving->is_given |= sign < 0 && (ug != 0 || u_usd != 0);
    if (ug != 0 || u_usd != 0)
        json_array_append_new(moving->deltas, json_pack("{s:s,s:I,s:I}", "path", path, "ug",
                                                        (json_int_t)(sign * ug), "u_usd",
                                                        (json_int_t)(sign * u_usd)));
    return 0;
}

/* Is it the account itself, or above it? */
static bool is_above(const char *path, const char *other)
{
    size_t length = strlen(path);

    return strncmp(path, other, length) == 0 && (other[length] == '/' || other[length] == '\0');
}

int gl_budget_move(struct gl_ledger *ledger, const char *from, const char *to,
                   const struct gl_amount *amount, const char *by, const char *why,
                   struct gl_error *err)
{
    GL_AUTO(gl_caps_done) struct gl_caps caps = {0, NULL};
    GL_AUTO(gl_auto_json) json_t *deltas = json_array();
    struct moving moving = {&caps, amount, deltas, false};

    if (!gl_account_is_path(from) || !gl_account_is_path(to) || strcmp(from, to) == 0)
        return gl_fail(err, GL_E_USAGE,
                       "a transfer goes from one account to another, as in org/ml "
                       "and org/web");
    if (gl_budget_caps(ledger, &caps, err) != 0)
        return -1;
    gl_account_between(from, to, &moving, add_delta);
    if (json_array_size(deltas) == 0)
        return gl_fail(err, GL_E_UNKNOWN_NAME,
                       "neither %s nor %s has a budget of that kind to move", from, to);
    if (strcspn(from, "/") != strcspn(to, "/") || strncmp(from, to, strcspn(from, "/")) != 0)
        return gl_fail(err, GL_E_USAGE,
                       "a transfer stays in one tree: %s and %s have no account "
                       "above them in common",
                       from, to);
    if (!moving.is_given && !is_above(from, to))
        return gl_fail(err, GL_E_UNKNOWN_NAME,
                       "%s has no budget of that kind to give: what moves would come from nowhere",
                       from);
    return append(ledger,
                  json_pack("{s:s,s:s,s:s,s:O,s:I}", "op", "move", "from", from, "to", to, "deltas",
                            deltas, "at_ms", (json_int_t)gl_ledger_now_ms(ledger)),
                  by, why, err);
}

/* ---- words ---- */

void gl_grams_text(int64_t ug, struct gl_str *out)
{
    char text[GL_QUANTITY_TEXT];

    if (ug == GL_UNKNOWN)
        gl_str_add(out, "unknown");
    else
        gl_str_addf(out, "%s%s", ug < 0 ? "-" : "",
                    gl_mass_text((struct gl_mass){(double)(ug < 0 ? -ug : ug) / 1e6}, text));
}

void gl_money_text(int64_t u_usd, struct gl_str *out)
{
    if (u_usd == GL_UNKNOWN)
        gl_str_add(out, "unknown");
    else
        gl_str_addf(out, "%.2f USD", (double)u_usd / 1e6);
}

static void add_one(int64_t amount, bool is_money, struct gl_str *out)
{
    if (is_money)
        gl_money_text(amount, out);
    else
        gl_grams_text(amount, out);
}

void gl_budget_left_text(const struct gl_cap *cap, const struct gl_account_state *state,
                         bool is_money, struct gl_str *out)
{
    struct gl_amount left = gl_balance_left_of(cap, &state->balance);
    const struct gl_balance *balance = &state->balance;
    const int64_t limit = is_money ? cap->limit.u_usd : cap->limit.ug;
    const int64_t granted = is_money ? balance->granted.u_usd : balance->granted.ug;
    const int64_t overdrawn = gl_balance_overdrawn(limit, granted);
    char until[GL_INSTANT_TEXT];

    add_one(is_money ? left.u_usd : left.ug, is_money, out);
    gl_str_add(out, " of ");
    add_one(gl_balance_limit(limit, granted), is_money, out);
    gl_str_add(out, " left per ");
    gl_period_text(&cap->period, out);
    if (cap->period.period != GL_PER_SPAN)
        gl_str_addf(out, " until %s",
                    gl_instant_text((struct gl_instant){state->window.until_s}, until));
    gl_str_add(out, " (");
    add_one(is_money ? balance->spent.u_usd : balance->spent.ug, is_money, out);
    gl_str_add(out, " spent, ");
    add_one(is_money ? balance->held.u_usd : balance->held.ug, is_money, out);
    gl_str_add(out, " reserved");
    if (overdrawn > 0) {
        gl_str_add(out, "; ");
        add_one(overdrawn, is_money, out);
        gl_str_add(out, " more was given away than its limit is now");
    }
    gl_str_add_char(out, ')');
}

void gl_budget_warning_text(const struct gl_cap *cap, const char *path,
                            const struct gl_account_state *state, int64_t ppm, struct gl_str *out)
{
    struct gl_cap grams = *cap;

    /* Of the limit that has reached it. */
    grams.limit.u_usd = GL_UNKNOWN;
    gl_str_addf(out, "budget %s has reached %.4g %%: ", path, (double)ppm / 1e4);
    gl_budget_left_text(cap, state, gl_budget_warning(&grams, &state->balance) != ppm, out);
}
