/* SPDX-License-Identifier: Apache-2.0 */
/* Demand signals: the event, of how many launches its cases were seen, and what became known of its
 * cost later. */
#include "broker/ledger_signals.h"

#include <stdlib.h>
#include <string.h>

/* A ledger of an older version has more to be taken in: the next reading goes on with it. */
#define TAKEN_WITH_ONE 1000

static int note_seen(struct gl_ledger *ledger, const struct gl_ledger_demand *demand,
                     const char *fingerprint, struct gl_error *err)
{
    STATEMENT statement = NULL;

    if (gl_ledger_prepare(ledger, "INSERT OR IGNORE INTO demand_seen VALUES(?,?,?)", &statement,
                          err) != 0)
        return -1;
    sqlite3_bind_text(statement, 1, fingerprint, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(statement, 2, demand->launch_key, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int(statement, 3, demand->is_demo);
    if (sqlite3_step(statement) != SQLITE_DONE)
        return gl_ledger_fail(ledger->db, "cannot write", err);
    return 0;
}

static int count_seen(struct gl_ledger *ledger, const struct gl_ledger_demand *demand,
                      int64_t *out_seen, struct gl_error *err)
{
    STATEMENT statement = NULL;

    if (gl_ledger_prepare(ledger,
                          "SELECT count(*) FROM demand_seen WHERE fingerprint = ? AND is_demo = ?",
                          &statement, err) != 0)
        return -1;
    sqlite3_bind_text(statement, 1, demand->fingerprints[0], -1, SQLITE_TRANSIENT);
    sqlite3_bind_int(statement, 2, demand->is_demo);
    if (sqlite3_step(statement) != SQLITE_ROW)
        return gl_ledger_fail(ledger->db, "cannot read", err);
    *out_seen = sqlite3_column_int64(statement, 0);
    return 0;
}

int gl_ledger_demand_write(struct gl_ledger *ledger, const struct gl_ledger_demand *demand,
                           int64_t *out_seen, struct gl_error *err)
{
    int64_t ignored;

    if (gl_ledger_insert(ledger, "demand", "", demand->body, err) != 0 ||
        gl_ledger_signals_fold(ledger, "main", INT64_MAX, TAKEN_WITH_ONE, &ignored, err) != 0)
        return -1;
    for (size_t i = 0; i < demand->count; i++)
        if (note_seen(ledger, demand, demand->fingerprints[i], err) != 0)
            return -1;
    return count_seen(ledger, demand, out_seen, err);
}

int gl_ledger_demand(struct gl_ledger *ledger, const struct gl_ledger_demand *demand,
                     int64_t *out_seen, struct gl_error *err)
{
    int64_t seen = 0;

    if (gl_ledger_begin(ledger, err) != 0)
        return -1;
    if (gl_ledger_demand_write(ledger, demand, &seen, err) != 0 ||
        gl_ledger_run(ledger, "COMMIT", err) != 0) {
        sqlite3_exec(ledger->db, "ROLLBACK", NULL, NULL, NULL);
        return gl_wrap(err, "the demand signal was not recorded");
    }
    *out_seen = seen;
    return 0;
}

/* Through the index only where it leaves something out: it leads to every row by itself. */
#define SINCE  "SELECT body FROM events WHERE kind = 'demand' AND at_ms >= ?"
#define ALWAYS "SELECT body FROM events NOT INDEXED WHERE kind = 'demand' AND at_ms >= ?"

static int read_texts(struct gl_ledger *ledger, int64_t since_ms, void *cookie,
                      int (*each)(void *cookie, const char *body, size_t length,
                                  struct gl_error *err),
                      struct gl_error *err)
{
    STATEMENT statement = NULL;
    int step;

    if (gl_ledger_prepare(ledger, since_ms > 0 ? SINCE : ALWAYS, &statement, err) != 0)
        return -1;
    sqlite3_bind_int64(statement, 1, since_ms);
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);

        if (text == NULL)
            return gl_fail(err, GL_E_TAMPERED, "ledger: a demand signal that cannot be read");
        if (each(cookie, text, (size_t)sqlite3_column_bytes(statement, 0), err) != 0)
            return -1;
    }
    if (step != SQLITE_DONE)
        return gl_ledger_fail(ledger->db, "cannot read", err);
    return 0;
}

struct telling {
    void *cookie;
    int (*each)(void *cookie, const json_t *body, struct gl_error *err);
};

static int tell(void *cookie, const char *text, size_t length, struct gl_error *err)
{
    const struct telling *telling = cookie;
    struct gl_error why = {0};
    GL_AUTO(gl_auto_json) json_t *body = gl_json_parse(text, length, "demand signal", &why);

    if (body == NULL)
        return gl_fail(err, GL_E_TAMPERED, "ledger: a demand signal that cannot be read");
    return telling->each(telling->cookie, body, err);
}

int gl_ledger_demands(struct gl_ledger *ledger, int64_t since_ms, void *cookie,
                      int (*each)(void *cookie, const json_t *body, struct gl_error *err),
                      struct gl_error *err)
{
    struct telling telling = {cookie, each};

    return read_texts(ledger, since_ms, &telling, tell, err);
}

/* ---- what it cost ---- */

static bool is_launch_key(const char *text)
{
    return text != NULL && strlen(text) == GL_DEMAND_KEY &&
           strspn(text, "0123456789abcdef") == GL_DEMAND_KEY;
}

static bool read_amount(const struct gl_jtree *tree, const char *name, int64_t *out)
{
    const struct gl_jnode *node = gl_jnode_get(tree, gl_jtree_root(tree), name);

    *out = GL_UNKNOWN;
    return gl_jnode_is(node, GL_JNULL) ||
           (gl_jnode_is(node, GL_JNUMBER) && gl_jnode_int(tree, node, out));
}

bool gl_signal_cost_of(struct gl_jtree *tree, const struct gl_signal_event *event,
                       struct gl_signal_cost *out)
{
    struct gl_error ignored = {0};
    const char *key;

    if (gl_jtree_parse(tree, event->body, event->length, "cost of demand", &ignored) != 0)
        return false;
    key = gl_jnode_text(tree, gl_jnode_get(tree, gl_jtree_root(tree), "launch_key"));
    if (!is_launch_key(key) || !read_amount(tree, "of", &out->seq) ||
        !read_amount(tree, "lost_ms", &out->lost_ms) ||
        !read_amount(tree, "extra_ug", &out->extra_ug) || out->seq < 1 || out->seq >= event->seq)
        return false;
    memcpy(out->launch_key, key, GL_DEMAND_KEY + 1);
    return true;
}

static json_t *amount_json(int64_t amount)
{
    return amount != GL_UNKNOWN ? json_integer((json_int_t)amount) : json_null();
}

static int is_open(struct gl_ledger *ledger, int64_t seq, bool *out, struct gl_error *err)
{
    STATEMENT statement = NULL;
    int step;

    if (gl_ledger_prepare(ledger, "SELECT 1 FROM demand_signals WHERE id = ? AND open = 1",
                          &statement, err) != 0)
        return -1;
    sqlite3_bind_int64(statement, 1, seq * GL_DEMAND_PLACES);
    step = sqlite3_step(statement);
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        return gl_ledger_fail(ledger->db, "cannot read", err);
    *out = step == SQLITE_ROW;
    return 0;
}

/* Whoever came second finds it closed. */
static int write_cost(struct gl_ledger *ledger, const struct gl_ledger_cost *cost,
                      struct gl_error *err)
{
    GL_AUTO(gl_auto_json)
    json_t *body =
        json_pack("{s:I,s:s,s:o,s:o}", "of", (json_int_t)cost->seq, "launch_key", cost->launch_key,
                  "lost_ms", amount_json(cost->lost_ms), "extra_ug", amount_json(cost->extra_ug));
    int64_t ignored;
    bool open = false;

    if (is_open(ledger, cost->seq, &open, err) != 0)
        return -1;
    if (!open)
        return 0;
    if (gl_ledger_insert(ledger, "demand-cost", "", body, err) != 0)
        return -1;
    return gl_ledger_signals_fold(ledger, "main", INT64_MAX, TAKEN_WITH_ONE, &ignored, err);
}

int gl_ledger_signal_cost(struct gl_ledger *ledger, const struct gl_ledger_cost *cost,
                          struct gl_error *err)
{
    if (gl_ledger_begin(ledger, err) != 0)
        return -1;
    if (write_cost(ledger, cost, err) == 0 && gl_ledger_run(ledger, "COMMIT", err) == 0)
        return 0;
    sqlite3_exec(ledger->db, "ROLLBACK", NULL, NULL, NULL);
    return gl_wrap(err, "the cost of a demand signal was not recorded");
}
