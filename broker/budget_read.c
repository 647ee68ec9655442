/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the accounts. */
#include <stdlib.h>
#include <string.h>

#include "broker/budget_part.h"

#define MS 1000

static void bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
}

static int64_t amount_of(sqlite3_stmt *statement, int column)
{
    return sqlite3_column_type(statement, column) == SQLITE_NULL
               ? GL_UNKNOWN
               : sqlite3_column_int64(statement, column);
}

int gl_budget_has_tables(struct gl_ledger *ledger, bool *out, struct gl_error *err)
{
    STATEMENT statement = NULL;
    int step;

    if (gl_ledger_prepare(ledger, "SELECT 1 FROM main.sqlite_schema WHERE name='caps'", &statement,
                          err) != 0)
        return -1;
    step = sqlite3_step(statement);
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        return gl_ledger_fail(ledger->db, "cannot read", err);
    *out = step == SQLITE_ROW;
    return 0;
}

/* ---- caps ---- */

static int take_cap(sqlite3_stmt *statement, struct gl_caps *caps, struct gl_error *err)
{
    const char *text = (const char *)sqlite3_column_text(statement, 0);
    GL_AUTO(gl_auto_json) json_t *body = gl_json_parse(text, strlen(text), "budget", err);
    struct gl_cap cap;

    if (body == NULL || gl_cap_of_json(body, &cap, err) != 0)
        return -1;
    caps->items = gl_realloc(caps->items, (caps->count + 1) * sizeof *caps->items);
    caps->items[caps->count++] = cap;
    return 0;
}

int gl_budget_caps(struct gl_ledger *ledger, struct gl_caps *out, struct gl_error *err)
{
    struct gl_caps caps = {0, NULL};
    STATEMENT statement = NULL;
    bool has_any;
    int step;

    if (gl_budget_has_tables(ledger, &has_any, err) != 0)
        return -1;
    if (!has_any) {
        *out = caps;
        return 0;
    }
    if (gl_ledger_prepare(ledger, "SELECT body FROM main.caps ORDER BY path", &statement, err) != 0)
        return -1;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW)
        if (take_cap(statement, &caps, err) != 0) {
            gl_caps_done(&caps);
            return -1;
        }
    if (step != SQLITE_DONE) {
        gl_caps_done(&caps);
        return gl_ledger_fail(ledger->db, "cannot read", err);
    }
    *out = caps;
    return 0;
}

void gl_caps_done(struct gl_caps *caps)
{
    free(caps->items);
    *caps = (struct gl_caps){0, NULL};
}

/* ---- sums ---- */

/* Grams, money and rows without grams of one query; sums that overflow are an error of SQLite's. */
static int read_sums(struct gl_ledger *ledger, sqlite3_stmt *statement, struct gl_amount *out,
                     int64_t *out_unknown, struct gl_error *err)
{
    if (sqlite3_step(statement) != SQLITE_ROW)
        return gl_ledger_fail(ledger->db, "cannot add up", err);
    *out =
        (struct gl_amount){sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1)};
    *out_unknown = sqlite3_column_int64(statement, 2);
    return 0;
}

static int sum_between(struct gl_ledger *ledger, const char *sql, const char *path,
                       const struct gl_stretch_of_time *window, struct gl_amount *out,
                       int64_t *out_unknown, struct gl_error *err)
{
    STATEMENT statement = NULL;

    if (gl_ledger_prepare(ledger, sql, &statement, err) != 0)
        return -1;
    bind_text(statement, 1, path);
    sqlite3_bind_int64(statement, 2, window->from_s * MS);
    sqlite3_bind_int64(statement, 3, window->until_s * MS);
    return read_sums(ledger, statement, out, out_unknown, err);
}

static int sum_held(struct gl_ledger *ledger, const char *path, int64_t now_ms, const char *without,
                    struct gl_amount *out, int64_t *out_unknown, struct gl_error *err)
{
    STATEMENT statement = NULL;

    if (gl_ledger_prepare(ledger,
                          "SELECT coalesce(sum(ug),0), coalesce(sum(u_usd),0),"
                          " count(*) - count(ug) FROM main.holds"
                          " WHERE path=? AND until_ms>? AND launch<>?",
                          &statement, err) != 0)
        return -1;
    bind_text(statement, 1, path);
    sqlite3_bind_int64(statement, 2, now_ms);
    bind_text(statement, 3, without != NULL ? without : "");
    return read_sums(ledger, statement, out, out_unknown, err);
}

#define SPENT                                                                                   \
    "SELECT coalesce(sum(ug),0), coalesce(sum(u_usd),0), count(*) - count(ug) FROM main.spends" \
    " WHERE path=? AND at_ms>=? AND at_ms<?"
#define GRANTED                                                              \
    "SELECT coalesce(sum(ug),0), coalesce(sum(u_usd),0), 0 FROM main.grants" \
    " WHERE path=? AND at_ms>=? AND at_ms<?"

int gl_budget_state(struct gl_ledger *ledger, const struct gl_cap *cap, const char *path,
                    int64_t now_ms, const char *without, struct gl_account_state *out,
                    struct gl_error *err)
{
    struct gl_account_state state = {.unknown = 0};
    int64_t spent_unknown = 0, held_unknown = 0, ignored;
    struct gl_zone zone;

    if (gl_zone_load(cap->zone, NULL, &zone, err) != 0)
        return gl_wrap(err, "budget of %s", cap->path);
    state.window = gl_window_at(&cap->period, &zone, now_ms / MS);
    gl_zone_done(&zone);
    if (sum_between(ledger, SPENT, path, &state.window, &state.balance.spent, &spent_unknown,
                    err) != 0 ||
        sum_between(ledger, GRANTED, path, &state.window, &state.balance.granted, &ignored, err) !=
            0 ||
        sum_held(ledger, path, now_ms, without, &state.balance.held, &held_unknown, err) != 0)
        return -1;
    state.unknown = spent_unknown + held_unknown;
    *out = state;
    return 0;
}

int gl_budget_slices(struct gl_ledger *ledger, const char *path, bool is_money, int64_t slice_s,
                     int64_t until_s, size_t count, int64_t *out_slices, struct gl_error *err)
{
    for (size_t i = 0; i < count; i++) {
        int64_t end_s = until_s - slice_s * (int64_t)(count - 1 - i), ignored;
        struct gl_stretch_of_time slice = {end_s - slice_s, end_s};
        struct gl_amount sum;

        if (sum_between(ledger, SPENT, path, &slice, &sum, &ignored, err) != 0)
            return -1;
        out_slices[i] = is_money ? sum.u_usd : sum.ug;
    }
    return 0;
}

/* ---- lists ---- */

int gl_budget_accounts(struct gl_ledger *ledger, void *cookie,
                       int (*each)(void *cookie, const char *path), struct gl_error *err)
{
    STATEMENT statement = NULL;
    bool has_any;
    int step;

    if (gl_budget_has_tables(ledger, &has_any, err) != 0)
        return -1;
    if (!has_any)
        return 0;
    if (gl_ledger_prepare(ledger,
                          "SELECT path FROM main.holds UNION SELECT path FROM main.spends"
                          " UNION SELECT path FROM main.grants UNION SELECT path FROM main.caps "
                          "WHERE path NOT LIKE '%{%'"
                          " ORDER BY path",
                          &statement, err) != 0)
        return -1;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW)
        if (each(cookie, (const char *)sqlite3_column_text(statement, 0)) != 0)
            return 0;
    return step == SQLITE_DONE ? 0 : gl_ledger_fail(ledger->db, "cannot read", err);
}

int gl_budget_hold(struct gl_ledger *ledger, const char *launch, bool *out_is_held,
                   struct gl_amount *out, struct gl_error *err)
{
    STATEMENT statement = NULL;

    if (gl_ledger_prepare(ledger, "SELECT ug, u_usd FROM main.holds WHERE launch=? LIMIT 1",
                          &statement, err) != 0)
        return -1;
    bind_text(statement, 1, launch);
    switch (sqlite3_step(statement)) {
    case SQLITE_ROW:
        *out_is_held = true;
        *out = (struct gl_amount){amount_of(statement, 0), amount_of(statement, 1)};
        return 0;
    case SQLITE_DONE:
        *out_is_held = false;
        return 0;
    default:
        return gl_ledger_fail(ledger->db, "cannot read", err);
    }
}

int gl_budget_holders(struct gl_ledger *ledger, const char *path, void *cookie,
                      int (*each)(void *cookie, const char *launch, const struct gl_amount *held),
                      struct gl_error *err)
{
    STATEMENT statement = NULL;
    int step;

    if (gl_ledger_prepare(ledger,
                          "SELECT launch, ug, u_usd FROM main.holds WHERE path=? ORDER BY launch",
                          &statement, err) != 0)
        return -1;
    bind_text(statement, 1, path);
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        struct gl_amount held = {amount_of(statement, 1), amount_of(statement, 2)};

        if (each(cookie, (const char *)sqlite3_column_text(statement, 0), &held) != 0)
            return 0;
    }
    return step == SQLITE_DONE ? 0 : gl_ledger_fail(ledger->db, "cannot read", err);
}
