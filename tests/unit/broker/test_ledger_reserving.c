/* SPDX-License-Identifier: Apache-2.0 */
/* What could let two brokers overspend together: clocks that jump, work that takes more than it
 * reserved, overrides without a name, what is not known; and what would fit, and who warns. */
#include "broker/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "broker/host.h"
#include "tests/unit/broker/ledger_bench.h"

#define HOUR_MS  INT64_C(3600000)
#define DAY_MS   (24 * HOUR_MS)
#define LEASE_MS (HOUR_MS + GL_HOLD_MS)

/* ---- a wall clock that can be set ---- */

static int64_t ahead_ms;

static int64_t set_clock_ms(void *cookie)
{
    (void)cookie;
    return world->now_ms(world->cookie) + ahead_ms;
}

static struct gl_ledger *open_with_clock(struct gl_world *out)
{
    struct gl_ledger *ledger;

    ahead_ms = 0;
    *out = *world;
    out->now_ms = set_clock_ms;
    ledger = gl_ledger_open(path, out, 0, &err);
    if (ledger == NULL)
        fail_msg("%s", err.text);
    return ledger;
}

static struct gl_cap cap_of(const char *account, const char *grams, const char *money)
{
    struct gl_cap cap = {.limit = {GL_UNKNOWN, GL_UNKNOWN}, .zone = "UTC"};
    char tag[GL_ACCOUNT_SEGMENT];

    snprintf(cap.path, sizeof cap.path, "%s", account);
    assert_int_equal(gl_cap_read(grams, &cap, tag, &err), 0);
    if (money != NULL)
        assert_int_equal(gl_cap_read(money, &cap, tag, &err), 0);
    return cap;
}

static void set(struct gl_ledger *ledger, const char *account, const char *grams, const char *money)
{
    const struct gl_cap cap = cap_of(account, grams, money);

    if (gl_budget_set(ledger, &cap, "Ada", &err) != 0)
        fail_msg("%s", err.text);
}

/* ---- launches ---- */

static json_t *reserve_json(struct gl_ledger *ledger, const char *account, int64_t ug,
                            int64_t u_usd)
{
    GL_AUTO(gl_auto_json) json_t *charge = json_pack("{s:[s]}", "accounts", account);
    const struct gl_amount wanted = {ug, u_usd};

    return gl_budget_reserve_json(charge, &wanted, gl_ledger_now_ms(ledger) + LEASE_MS);
}

static int append_intent(struct gl_ledger *ledger, const char *launch, json_t *budget)
{
    struct gl_launch_change change = {GL_LAUNCH_KEEP, .launch = launch, .state = "intended"};
    GL_AUTO(gl_auto_json) json_t *body = NULL;
    char boot[GL_BOOT_ID];

    gl_host_boot_id(boot);
    body = json_pack("{s:s,s:I,s:o}", "boot", boot, "monotonic_ms",
                     (json_int_t)world->monotonic_ms(world->cookie), "budget", budget);
    gl_error_clear(&err);
    return gl_ledger_append(ledger, "intent", launch, body, &change, &err);
}

static int reserve(struct gl_ledger *ledger, const char *launch, int64_t ug, int64_t u_usd)
{
    return append_intent(ledger, launch, reserve_json(ledger, "org/ml", ug, u_usd));
}

static void spend(struct gl_ledger *ledger, const char *launch, int64_t ug, int64_t at_ms)
{
    const struct gl_amount spent = {ug, 0};
    GL_AUTO(gl_auto_json)
    json_t *body = json_pack("{s:s,s:o}", "state", "ended", "budget",
                             gl_budget_spend_json(&spent, at_ms, at_ms));

    assert_int_equal(gl_ledger_append(ledger, "ended", launch, body, NULL, &err), 0);
}

static struct gl_account_state state_of(struct gl_ledger *ledger, const char *account)
{
    GL_AUTO(gl_caps_done) struct gl_caps caps = {0, NULL};
    struct gl_account_state state;

    assert_int_equal(gl_budget_caps(ledger, &caps, &err), 0);
    assert_int_equal(gl_budget_state(ledger, gl_account_cap(caps.items, caps.count, account),
                                     account, gl_ledger_now_ms(ledger), NULL, &state, &err),
                     0);
    return state;
}

static void close_sound(struct gl_ledger *ledger)
{
    struct gl_ledger_check check;

    if (gl_ledger_check(ledger, &check, &err) != 0)
        fail_msg("%s", err.text);
    gl_ledger_close(ledger);
}

/* ---- clocks ---- */

static void a_clock_set_forward_frees_nothing_that_runs(void **state)
{
    struct gl_world clock;
    struct gl_ledger *ledger = open_with_clock(&clock);

    (void)state;
    set(ledger, "org", "1 kg per 30d", NULL);
    assert_int_equal(reserve(ledger, "gl-1", 900000000, 0), 0);
    ahead_ms = 2 * DAY_MS;
    assert_int_equal(state_of(ledger, "org").balance.held.ug, 900000000);
    assert_int_equal(reserve(ledger, "gl-2", 200000000, 0), -1);
    assert_int_equal(err.code, GL_E_BUDGET);
    close_sound(ledger);
}

static void a_clock_set_back_leaks_nothing_past_a_lease(void **state)
{
    struct gl_world clock;
    struct gl_ledger *ledger = open_with_clock(&clock);

    (void)state;
    set(ledger, "org", "1 kg per 30d", NULL);
    assert_int_equal(reserve(ledger, "gl-1", 900000000, 0), 0);
    ahead_ms = -DAY_MS;
    world->sleep_ms(world->cookie, LEASE_MS - 1);
    assert_int_equal(state_of(ledger, "org").balance.held.ug, 900000000);
    world->sleep_ms(world->cookie, 2);
    assert_int_equal(state_of(ledger, "org").balance.held.ug, 0);
    close_sound(ledger);
}

/* What was booked while the clock was ahead still counts among the last 30 days. */
static void a_sliding_window_forgets_nothing_dated_later(void **state)
{
    struct gl_world clock;
    struct gl_ledger *ledger = open_with_clock(&clock);

    (void)state;
    set(ledger, "org", "1 kg per 30d", NULL);
    assert_int_equal(reserve(ledger, "gl-1", 900000000, 0), 0);
    spend(ledger, "gl-1", 800000000, gl_ledger_now_ms(ledger) + DAY_MS);
    assert_int_equal(state_of(ledger, "org").balance.spent.ug, 800000000);
    assert_int_equal(reserve(ledger, "gl-2", 300000000, 0), -1);
    close_sound(ledger);
}

/* ---- more than was reserved ---- */

static void what_was_taken_is_held_whatever_the_cap(void **state)
{
    struct gl_ledger *ledger = must_open();
    const struct gl_amount more = {1200000000, GL_UNKNOWN}, less = {1, 1};

    (void)state;
    set(ledger, "org", "1 kg per 30d", NULL);
    assert_int_equal(reserve(ledger, "gl-1", 300000000, 50), 0);
    assert_int_equal(gl_budget_grow(ledger, "gl-1", &more, &err), 0);
    assert_int_equal(gl_budget_grow(ledger, "gl-1", &less, &err), 0);
    assert_int_equal(state_of(ledger, "org").balance.held.ug, 1200000000);
    assert_int_equal(state_of(ledger, "org").balance.held.u_usd, 50);
    assert_int_equal(reserve(ledger, "gl-2", 1, 0), -1);
    close_sound(ledger);
}

/* ---- overrides, unknown amounts ---- */

static void an_override_has_a_reason_and_a_name(void **state)
{
    static const char *const bad[][2] = {{"", "Ada"}, {"late", ""}, {"  ", "Ada"}, {"late", "\t"}};
    struct gl_ledger *ledger = must_open();
    json_t *budget;

    (void)state;
    set(ledger, "org", "1 g per 30d", NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        budget = reserve_json(ledger, "org", 5000000, 0);
        json_object_set_new(budget, "override",
                            json_pack("{s:s,s:s}", "why", bad[i][0], "by", bad[i][1]));
        assert_int_equal(append_intent(ledger, "gl-1", budget), -1);
        assert_int_equal(err.code, GL_E_BUDGET);
    }
    budget = reserve_json(ledger, "org", 5000000, 0);
    json_object_set_new(budget, "override", json_pack("{s:s,s:s}", "why", "late", "by", "Ada"));
    assert_int_equal(append_intent(ledger, "gl-1", budget), 0);
    assert_int_equal(state_of(ledger, "org").balance.held.ug, 5000000);
    close_sound(ledger);
}

static void a_price_that_is_not_known_fits_no_money(void **state)
{
    struct gl_ledger *ledger = must_open();

    (void)state;
    set(ledger, "org", "1 kg per 30d", NULL);
    assert_int_equal(reserve(ledger, "gl-1", 1, GL_UNKNOWN), 0);
    set(ledger, "org", "1 kg per 30d", "10 USD per 30d");
    assert_int_equal(state_of(ledger, "org").unknown, 1); /* and says so of what runs */
    assert_int_equal(reserve(ledger, "gl-2", 1, GL_UNKNOWN), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_DATA);
    assert_int_equal(reserve(ledger, "gl-2", 1, 10000001), -1);
    assert_int_equal(err.code, GL_E_BUDGET);
    assert_non_null(strstr(err.text, "10.00 USD of 10.00 USD left"));
    assert_int_equal(reserve(ledger, "gl-2", 1, 10000000), 0);
    close_sound(ledger);
}

static void a_transfer_stays_in_its_tree(void **state)
{
    const struct gl_amount amount = {1000000, 0};
    struct gl_ledger *ledger = must_open();

    (void)state;
    set(ledger, "org/ml", "1 kg per 30d", NULL);
    set(ledger, "policy/team", "1 kg per 30d", NULL);
    assert_int_equal(gl_budget_move(ledger, "org/ml", "policy/team", &amount, "a", "b", &err), -1);
    assert_int_equal(err.code, GL_E_USAGE);
    assert_int_equal(gl_budget_move(ledger, "organ/ml", "org/ml", &amount, "a", "b", &err), -1);
    assert_int_equal(state_of(ledger, "org/ml").balance.granted.ug, 0);
    close_sound(ledger);
}

static void what_cannot_be_added_up_is_not_moved(void **state)
{
    const struct gl_amount most = {INT64_MAX, 0}, some = {1000000, 0};
    struct gl_ledger *ledger = must_open();

    (void)state;
    set(ledger, "org/ml", "1 kg per 30d", NULL);
    assert_int_equal(gl_budget_move(ledger, "org", "org/ml", &most, "a", "b", &err), -1);
    assert_int_equal(err.code, GL_E_BUDGET);
    gl_error_clear(&err);
    assert_int_equal(gl_budget_move(ledger, "org", "org/ml", &some, "a", "b", &err), 0);
    assert_int_equal(state_of(ledger, "org/ml").balance.granted.ug, some.ug);
    close_sound(ledger);
}

/* ---- what would fit ---- */

static int ask_short(struct gl_ledger *ledger, int64_t ug, int64_t u_usd, struct gl_short *out)
{
    GL_AUTO(gl_auto_json) json_t *reserve = reserve_json(ledger, "org/ml", ug, u_usd);

    return gl_budget_short(ledger, "", reserve, out, &err);
}

static void what_would_fit_is_told_in_time_and_amount(void **state)
{
    GL_AUTO(gl_auto_free) struct gl_short *what = gl_alloc(sizeof *what);
    GL_AUTO(gl_auto_json) json_t *json = NULL;
    struct gl_ledger *ledger = must_open();
    const json_t *fits, *amount;

    (void)state;
    set(ledger, "org", "1 kg per day", NULL); /* 2026-01-01 UTC */
    set(ledger, "org/ml", "900 g per day", NULL);
    assert_int_equal(reserve(ledger, "gl-1", 600000000, 0), 0);
    spend(ledger, "gl-1", 600000000, NOW);
    assert_int_equal(ask_short(ledger, 300000000, 0, what), 0);
    assert_int_equal(ask_short(ledger, 500000000, 0, what), 1);
    assert_string_equal(what->account, "org/ml");
    assert_int_equal(what->fit_s, 3600 * 3 / 5);
    assert_int_equal(what->fits_from_s, (NOW + DAY_MS) / 1000);
    json = gl_short_json(what);
    amount = json_object_get(json, "amount");
    fits = json_object_get(json, "fits");
    assert_int_equal(json_integer_value(json_object_get(amount, "short")), 200000000);
    assert_int_equal(json_integer_value(json_object_get(amount, "left")), 300000000);
    assert_int_equal(json_integer_value(json_object_get(fits, "share_ppm")), 600000);
    assert_string_equal(json_string_value(json_object_get(fits, "from")), "2026-01-02T00:00:00Z");
    assert_string_equal(json_string_value(json_object_get(json, "window_until")),
                        "2026-01-02T00:00:00Z");
    assert_int_equal(ask_short(ledger, 901000000, 0, what), 1); /* more than the whole limit */
    assert_int_equal(what->fits_from_s, GL_UNKNOWN);
    close_sound(ledger);
}

/* Until the transfer has fallen out of the window, or comes back, nothing fits. */
static void a_limit_below_what_was_given_away_lets_nothing_in(void **state)
{
    const struct gl_amount given = {800000000, 0}, back = {500000000, 0};
    GL_AUTO(gl_auto_free) struct gl_short *what = gl_alloc(sizeof *what);
    struct gl_ledger *ledger = must_open();

    (void)state;
    set(ledger, "org/ml", "1 kg per 30d", NULL);
    set(ledger, "org/web", "1 kg per 30d", NULL);
    assert_int_equal(reserve(ledger, "gl-1", 50000000, 0), 0);
    spend(ledger, "gl-1", 50000000, NOW);
    world->sleep_ms(world->cookie, DAY_MS);
    assert_int_equal(gl_budget_move(ledger, "org/ml", "org/web", &given, "a", "b", &err), 0);
    set(ledger, "org/ml", "600 g per 30d", NULL);
    assert_int_equal(reserve(ledger, "gl-2", 1, 0), -1);
    assert_int_equal(err.code, GL_E_BUDGET);
    assert_non_null(strstr(err.text, "-50.0 g of 0 g left"));
    assert_non_null(strstr(err.text, "200 g more was given away than its limit is now"));
    assert_int_equal(ask_short(ledger, 1000000, 0, what), 1);
    assert_int_equal(what->fits_from_s, NOW / 1000 + 31 * 86400); /* not when what was spent has */
    gl_error_clear(&err);
    assert_int_equal(gl_budget_move(ledger, "org/web", "org/ml", &back, "a", "b", &err), 0);
    assert_int_equal(reserve(ledger, "gl-2", 250000001, 0), -1);
    assert_int_equal(reserve(ledger, "gl-2", 250000000, 0), 0);
    close_sound(ledger);
}

/* Of the caps on the way the tightest says how long, the last how soon. */
static void all_caps_on_the_way_count(void **state)
{
    GL_AUTO(gl_auto_free) struct gl_short *what = gl_alloc(sizeof *what);
    struct gl_ledger *ledger = must_open();

    (void)state;
    set(ledger, "org", "1 kg per 30d", NULL);
    set(ledger, "org/ml", "800 g per day", NULL);
    assert_int_equal(reserve(ledger, "gl-1", 400000000, 0), 0);
    spend(ledger, "gl-1", 400000000, NOW);
    assert_int_equal(append_intent(ledger, "gl-2", reserve_json(ledger, "org/web", 500000000, 0)),
                     0);
    spend(ledger, "gl-2", 500000000, NOW);
    assert_int_equal(ask_short(ledger, 600000000, 0, what), 1);
    assert_string_equal(what->account, "org/ml");
    assert_int_equal(what->fit_s, 600); /* 100 g of 600 g: org */
    assert_int_equal(what->fits_from_s, NOW / 1000 + 30 * 86400);
    close_sound(ledger);
}

/* ---- warnings ---- */

static int64_t announce(struct gl_ledger *ledger)
{
    GL_AUTO(gl_caps_done) struct gl_caps caps = {0, NULL};
    struct gl_account_state state = state_of(ledger, "org");
    int64_t ppm;

    assert_int_equal(gl_budget_caps(ledger, &caps, &err), 0);
    if (gl_budget_announce(ledger, &caps.items[0], "org", &state, &ppm, &err) != 0)
        fail_msg("%s", err.text);
    return ppm;
}

static void each_level_is_told_once_in_a_window(void **state)
{
    struct gl_cap cap = cap_of("org", "1 kg per day", NULL);
    struct gl_ledger *ledger = must_open(), *other = must_open();

    (void)state;
    cap.warn_count = 2;
    cap.warn_ppm[0] = 500000;
    cap.warn_ppm[1] = 900000;
    assert_int_equal(gl_budget_set(ledger, &cap, "Ada", &err), 0);
    assert_int_equal(announce(ledger), GL_UNKNOWN);
    assert_int_equal(reserve(ledger, "gl-1", 600000000, 0), 0);
    assert_int_equal(announce(ledger), 500000);
    assert_int_equal(announce(other), GL_UNKNOWN);
    assert_int_equal(reserve(ledger, "gl-2", 350000000, 0), 0);
    assert_int_equal(announce(other), 900000);
    assert_int_equal(announce(ledger), GL_UNKNOWN);
    spend(ledger, "gl-2", 0, NOW);
    assert_int_equal(announce(ledger), GL_UNKNOWN); /* back at 60 %, told before */
    cap.limit.ug = 1100000000;
    assert_int_equal(gl_budget_set(ledger, &cap, "Ada", &err), 0);
    assert_int_equal(announce(ledger), 500000); /* another limit */
    world->sleep_ms(world->cookie, DAY_MS);
    assert_int_equal(reserve(ledger, "gl-3", 600000000, 0), 0);
    assert_int_equal(announce(ledger), 500000); /* another day */
    gl_ledger_close(other);
    close_sound(ledger);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_clock_set_forward_frees_nothing_that_runs),
        CASE(a_clock_set_back_leaks_nothing_past_a_lease),
        CASE(a_sliding_window_forgets_nothing_dated_later),
        CASE(what_was_taken_is_held_whatever_the_cap),
        CASE(an_override_has_a_reason_and_a_name),
        CASE(a_price_that_is_not_known_fits_no_money),
        CASE(a_transfer_stays_in_its_tree),
        CASE(what_cannot_be_added_up_is_not_moved),
        CASE(what_would_fit_is_told_in_time_and_amount),
        CASE(a_limit_below_what_was_given_away_lets_nothing_in),
        CASE(all_caps_on_the_way_count),
        CASE(each_level_is_told_once_in_a_window),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
