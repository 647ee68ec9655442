/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the accounts. */
#include <stdlib.h>
#include <string.h>

#include "broker/budget_part.h"
#include "broker/host.h"

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

    if (gl_ledger_has_table(ledger, "caps", &has_any, err) != 0)
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

struct sums {
    struct gl_amount amount;
    int64_t unknown_ug, unknown_usd; /* rows without one */
};

/* Sums that overflow are an error of SQLite's. */
static int read_sums(struct gl_ledger *ledger, sqlite3_stmt *statement, struct sums *out,
                     struct gl_error *err)
{
    if (sqlite3_step(statement) != SQLITE_ROW)
        return gl_ledger_fail(ledger->db, "cannot add up", err);
    *out = (struct sums){{sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1)},
                         sqlite3_column_int64(statement, 2),
                         sqlite3_column_int64(statement, 3)};
    return 0;
}

static int sum_between(struct gl_ledger *ledger, const char *sql, const char *path,
                       const struct gl_stretch_of_time *window, struct sums *out,
                       struct gl_error *err)
{
    STATEMENT statement = NULL;

    if (gl_ledger_prepare(ledger, sql, &statement, err) != 0)
        return -1;
    bind_text(statement, 1, path);
    sqlite3_bind_int64(statement, 2, window->from_s * MS);
    sqlite3_bind_int64(statement, 3,
                       window->until_s < INT64_MAX / MS ? window->until_s * MS : INT64_MAX);
    return read_sums(ledger, statement, out, err);
}

/* By the clock that never steps where the reservation is of this boot: neither a clock set forward
 * frees what still runs, nor one set back keeps what does not. Else by the time of day. */
#define IS_HELD                                                                       \
    " coalesce((SELECT json_extract(body,'$.monotonic_ms') + h.until_ms - at_ms > ?4" \
    "           FROM main.events WHERE launch=h.launch AND kind='intent'"             \
    "           AND json_extract(body,'$.boot')=?5 ORDER BY seq DESC LIMIT 1),"       \
    "          h.until_ms > ?2)"
#define HELD                                                                  \
    "SELECT coalesce(sum(ug),0), coalesce(sum(u_usd),0), count(*)-count(ug)," \
    " count(*)-count(u_usd) FROM main.holds h WHERE path=?1 AND launch<>?3 AND" IS_HELD

static void bind_held(struct gl_ledger *ledger, sqlite3_stmt *statement, const char *path,
                      int64_t at_ms)
{
    int64_t ahead_ms = at_ms - gl_ledger_now_ms(ledger);
    char boot[GL_BOOT_ID];

    gl_host_boot_id(boot);
    bind_text(statement, 1, path);
    sqlite3_bind_int64(statement, 2, at_ms);
    sqlite3_bind_int64(statement, 4, ledger->world->monotonic_ms(ledger->world->cookie) + ahead_ms);
    bind_text(statement, 5, boot[0] != '\0' ? boot : "-");
}

static int sum_held(struct gl_ledger *ledger, const char *path, int64_t at_ms, const char *without,
                    struct sums *out, struct gl_error *err)
{
    STATEMENT statement = NULL;

    if (gl_ledger_prepare(ledger, HELD, &statement, err) != 0)
        return -1;
    bind_held(ledger, statement, path, at_ms);
    bind_text(statement, 3, without != NULL ? without : "");
    return read_sums(ledger, statement, out, err);
}

int gl_budget_held_at(struct gl_ledger *ledger, const char *path, int64_t at_ms,
                      const char *without, struct gl_amount *out, struct gl_error *err)
{
    struct sums sums;

    if (sum_held(ledger, path, at_ms, without, &sums, err) != 0)
        return -1;
    *out = sums.amount;
    return 0;
}

#define SPENT                                                                 \
    "SELECT coalesce(sum(ug),0), coalesce(sum(u_usd),0), count(*)-count(ug)," \
    " count(*)-count(u_usd) FROM main.spends WHERE path=? AND at_ms>=? AND at_ms<?"
#define GRANTED                                                                              \
    "SELECT coalesce(sum(ug),0), coalesce(sum(u_usd),0), 0, 0 FROM main.grants WHERE path=?" \
    " AND at_ms>=? AND at_ms<?"

/* What counts in a window. In a sliding one also what a clock that was ahead has dated later. */
static struct gl_stretch_of_time counted(const struct gl_cap *cap,
                                         const struct gl_stretch_of_time *window)
{
    return cap->period.period != GL_PER_SPAN
               ? *window
               : (struct gl_stretch_of_time){window->from_s, INT64_MAX};
}

/* Rows that a limit cannot count. */
static int64_t unknown_of(const struct gl_cap *cap, const struct sums *sums)
{
    int64_t of_ug =
        cap->limit.ug != GL_UNKNOWN || cap->limit.u_usd == GL_UNKNOWN ? sums->unknown_ug : 0;
    int64_t of_usd = cap->limit.u_usd != GL_UNKNOWN ? sums->unknown_usd : 0;

    return of_ug > of_usd ? of_ug : of_usd;
}

int gl_budget_state(struct gl_ledger *ledger, const struct gl_cap *cap, const char *path,
                    int64_t now_ms, const char *without, struct gl_account_state *out,
                    struct gl_error *err)
{
    struct gl_account_state state = {.unknown = 0};
    struct sums spent, granted, held;
    struct gl_stretch_of_time window;
    struct gl_zone zone;
    bool has_any;

    if (gl_zone_load(cap->zone, NULL, &zone, err) != 0)
        return gl_wrap(err, "budget of %s", cap->path);
    state.window = gl_window_at(&cap->period, &zone, now_ms / MS);
    gl_zone_done(&zone);
    window = counted(cap, &state.window);
    if (gl_ledger_has_table(ledger, "caps", &has_any, err) != 0)
        return -1;
    if (!has_any) {
        *out = state;
        return 0;
    }
    if (sum_between(ledger, SPENT, path, &window, &spent, err) != 0 ||
        sum_between(ledger, GRANTED, path, &window, &granted, err) != 0 ||
        sum_held(ledger, path, now_ms, without, &held, err) != 0)
        return -1;
    state.balance = (struct gl_balance){granted.amount, spent.amount, held.amount};
    state.unknown = unknown_of(cap, &spent) + unknown_of(cap, &held);
    *out = state;
    return 0;
}

/* What leaves a sliding window, oldest first: what was spent is free again, what was transferred
 * goes back. */
#define FALLING                                                                         \
    "SELECT at_ms, coalesce(ug,0), coalesce(u_usd,0) FROM main.spends WHERE path=?1"    \
    " AND at_ms>=?2 UNION ALL SELECT at_ms, -ug, -u_usd FROM main.grants WHERE path=?1" \
    " AND at_ms>=?2 ORDER BY 1"

static int64_t plus(int64_t a, int64_t b)
{
    int64_t sum;

    return !__builtin_add_overflow(a, b, &sum) ? sum : a > 0 ? INT64_MAX : -INT64_MAX;
}

int gl_budget_falls_out(struct gl_ledger *ledger, const struct gl_cap *cap, const char *path,
                        int64_t now_s, const struct gl_amount *wanted, int64_t *out_s,
                        struct gl_error *err)
{
    STATEMENT statement = NULL;
    struct gl_amount fallen = {0, 0};
    int64_t at_s = GL_UNKNOWN; /* of the last row */
    int step;

    *out_s = GL_UNKNOWN;
    if (gl_ledger_prepare(ledger, FALLING, &statement, err) != 0)
        return -1;
    bind_text(statement, 1, path);
    sqlite3_bind_int64(statement, 2, (now_s - cap->period.span_s + 1) * MS);
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        int64_t row_s = sqlite3_column_int64(statement, 0) / MS;

        /* What falls out in one second does so at once. */
        if (row_s != at_s && at_s != GL_UNKNOWN && fallen.ug >= wanted->ug &&
            fallen.u_usd >= wanted->u_usd)
            break;
        fallen.ug = plus(fallen.ug, sqlite3_column_int64(statement, 1));
        fallen.u_usd = plus(fallen.u_usd, sqlite3_column_int64(statement, 2));
        at_s = row_s;
    }
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        return gl_ledger_fail(ledger->db, "cannot read", err);
    if (at_s != GL_UNKNOWN && fallen.ug >= wanted->ug && fallen.u_usd >= wanted->u_usd)
        *out_s = plus(at_s, cap->period.span_s);
    return 0;
}

int gl_budget_slices(struct gl_ledger *ledger, const char *path, bool is_money, int64_t slice_s,
                     int64_t until_s, size_t count, int64_t *out_slices, struct gl_error *err)
{
    for (size_t i = 0; i < count; i++) {
        int64_t end_s = until_s - slice_s * (int64_t)(count - 1 - i);
        struct gl_stretch_of_time slice = {end_s - slice_s, end_s};
        struct sums sums;

        if (sum_between(ledger, SPENT, path, &slice, &sums, err) != 0)
            return -1;
        out_slices[i] = is_money ? sums.amount.u_usd : sums.amount.ug;
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

    if (gl_ledger_has_table(ledger, "caps", &has_any, err) != 0)
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

#define HOLDERS "SELECT launch, ug, u_usd FROM main.holds h WHERE path=?1"

int gl_budget_holders(struct gl_ledger *ledger, const char *path, int64_t at_ms, void *cookie,
                      int (*each)(void *cookie, const char *launch, const struct gl_amount *held),
                      struct gl_error *err)
{
    STATEMENT statement = NULL;
    int step;

    if (gl_ledger_prepare(ledger,
                          at_ms == GL_UNKNOWN ? HOLDERS " ORDER BY launch"
                                              : HOLDERS " AND" IS_HELD " ORDER BY launch",
                          &statement, err) != 0)
        return -1;
    bind_held(ledger, statement, path, at_ms != GL_UNKNOWN ? at_ms : 0);
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        struct gl_amount held = {amount_of(statement, 1), amount_of(statement, 2)};

        if (each(cookie, (const char *)sqlite3_column_text(statement, 0), &held) != 0)
            return 0;
    }
    return step == SQLITE_DONE ? 0 : gl_ledger_fail(ledger->db, "cannot read", err);
}
