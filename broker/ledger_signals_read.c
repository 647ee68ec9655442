/* SPDX-License-Identifier: Apache-2.0 */
/* Demand signals out of their projection, and whether that follows from the events. */
#include "broker/ledger_signals.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 20000 /* events taken in at once: others want to write too */

#define TEMP_GONE                                                                       \
    "DROP TABLE IF EXISTS temp.demand_texts; DROP TABLE IF EXISTS temp.demand_signals;" \
    "DROP TABLE IF EXISTS temp.demand_head;"

/* ---- the head ---- */

int gl_signal_head_read(struct gl_ledger *ledger, const char *schema, struct gl_signal_head *out,
                        struct gl_error *err)
{
    STATEMENT statement = NULL;
    struct gl_signal_head head = {0};
    char sql[96];

    snprintf(sql, sizeof sql, "SELECT upto, hash, digest FROM %s.demand_head", schema);
    if (gl_ledger_prepare(ledger, sql, &statement, err) != 0)
        return -1;
    switch (sqlite3_step(statement)) {
    case SQLITE_ROW:
        head.upto = sqlite3_column_int64(statement, 0);
        snprintf(head.hash, sizeof head.hash, "%s",
                 (const char *)sqlite3_column_text(statement, 1));
        head.digest = (uint64_t)sqlite3_column_int64(statement, 2);
        break;
    case SQLITE_DONE:
        break;
    default:
        return gl_ledger_fail(ledger->db, "cannot read", err);
    }
    *out = head;
    return 0;
}

/* Is there a row? */
static int ask(struct gl_ledger *ledger, const char *sql, int64_t number, const char *text,
               bool *out, struct gl_error *err)
{
    STATEMENT statement = NULL;
    int step;

    if (gl_ledger_prepare(ledger, sql, &statement, err) != 0)
        return -1;
    sqlite3_bind_int64(statement, 1, number);
    if (text != NULL)
        sqlite3_bind_text(statement, 2, text, -1, SQLITE_STATIC);
    step = sqlite3_step(statement);
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        return gl_ledger_fail(ledger->db, "cannot read", err);
    *out = step == SQLITE_ROW;
    return 0;
}

/* Does it go up to an event of this very chain? */
static int is_of_chain(struct gl_ledger *ledger, const struct gl_signal_head *head, bool *out,
                       struct gl_error *err)
{
    *out = true;
    if (head->upto == 0)
        return 0;
    return ask(ledger, "SELECT 1 FROM main.events WHERE seq = ? AND hash = ?", head->upto,
               head->hash, out, err);
}

/* ---- bringing it up to date ---- */

static int is_behind(struct gl_ledger *ledger, bool *out, struct gl_error *err)
{
    struct gl_signal_head head;

    if (gl_signal_head_read(ledger, "main", &head, err) != 0)
        return -1;
    return ask(ledger, "SELECT 1 FROM main.events WHERE seq > ? AND " GL_SIGNAL_KINDS " LIMIT 1",
               head.upto, NULL, out, err);
}

static int fold_batch(struct gl_ledger *ledger, int64_t *out_taken, struct gl_error *err)
{
    if (gl_ledger_begin(ledger, err) != 0)
        return -1;
    if (gl_ledger_signals_fold(ledger, "main", INT64_MAX, BATCH, out_taken, err) == 0 &&
        gl_ledger_run(ledger, "COMMIT", err) == 0)
        return 0;
    sqlite3_exec(ledger->db, "ROLLBACK", NULL, NULL, NULL);
    return -1;
}

static int catch_up(struct gl_ledger *ledger, struct gl_error *err)
{
    int64_t taken = 0;
    bool behind = false;

    if (is_behind(ledger, &behind, err) != 0)
        return -1;
    if (!behind)
        return 0;
    do {
        if (fold_batch(ledger, &taken, err) != 0)
            return -1;
    } while (taken == BATCH);
    return 0;
}

/* All of it anew, in tables of this process alone. */
static int make_beside(struct gl_ledger *ledger, int64_t last, struct gl_error *err)
{
    int64_t ignored;

    if (gl_ledger_run(ledger, TEMP_GONE GL_LEDGER_SIGNAL_TABLES("temp."), err) != 0)
        return -1;
    return gl_ledger_signals_fold(ledger, "temp", last, INT64_MAX, &ignored, err);
}

/* The disk may be full: in memory, and in one transaction, which is the faster. */
static int make_in_memory(struct gl_ledger *ledger, struct gl_error *err)
{
    if (gl_ledger_run(ledger, TEMP_GONE "PRAGMA temp_store = MEMORY; BEGIN", err) != 0)
        return -1;
    if (make_beside(ledger, INT64_MAX, err) == 0 && gl_ledger_run(ledger, "COMMIT", err) == 0)
        return 0;
    sqlite3_exec(ledger->db, "ROLLBACK", NULL, NULL, NULL);
    return -1;
}

/* "main" where it is, or can be brought, up to date; else "temp". An older ledger that is only
 * looked at has none. */
static const char *ready(struct gl_ledger *ledger, struct gl_error *err)
{
    struct gl_error why = {0};
    bool is_made = false;

    if (gl_ledger_has_table(ledger, "demand_head", &is_made, err) != 0)
        return NULL;
    if (is_made && catch_up(ledger, &why) == 0)
        return "main";
    return make_in_memory(ledger, err) == 0 ? "temp" : NULL;
}

int gl_ledger_signals_renew(struct gl_ledger *ledger, struct gl_error *err)
{
    if (gl_ledger_begin(ledger, err) != 0)
        return -1;
    if (gl_ledger_run(ledger,
                      "DELETE FROM main.demand_texts; DELETE FROM main.demand_signals;"
                      "DELETE FROM main.demand_head; COMMIT",
                      err) == 0)
        return 0;
    sqlite3_exec(ledger->db, "ROLLBACK", NULL, NULL, NULL);
    return -1;
}

/* ---- reading ---- */

static void texts_done(struct gl_signal_texts *pool)
{
    for (size_t i = 0; i < pool->count; i++)
        free(pool->items[i].text);
    free(pool->items);
}

/* One that is not in its place is not taken: the sum tells of it. */
static void take_text(sqlite3_stmt *statement, struct gl_signal_texts *pool, uint64_t *digest)
{
    const char *text = (const char *)sqlite3_column_text(statement, 1);
    size_t length = (size_t)sqlite3_column_bytes(statement, 1);
    int64_t id = sqlite3_column_int64(statement, 0);

    if (text == NULL || id != (int64_t)pool->count + 1 || strlen(text) != length)
        return;
    *digest += gl_signal_sum(id, -1, text, length);
    if (pool->count == pool->capacity) {
        pool->capacity = pool->capacity > 0 ? pool->capacity * 2 : 256;
        pool->items = gl_realloc(pool->items, pool->capacity * sizeof *pool->items);
    }
    pool->items[pool->count++] = (struct gl_signal_text){gl_strdup(text), length};
}

static int read_texts(struct gl_ledger *ledger, const char *schema, struct gl_signal_texts *pool,
                      uint64_t *digest, struct gl_error *err)
{
    STATEMENT statement = NULL;
    char sql[96];
    int step;

    snprintf(sql, sizeof sql, "SELECT id, text FROM %s.demand_texts ORDER BY id", schema);
    if (gl_ledger_prepare(ledger, sql, &statement, err) != 0)
        return -1;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW)
        take_text(statement, pool, digest);
    return step == SQLITE_DONE ? 0 : gl_ledger_fail(ledger->db, "cannot read", err);
}

/* What is asked of a reading, and what came of it so far. */
struct reading {
    const struct gl_signal_texts *pool;
    int64_t since_ms;
    void *cookie;
    int (*each)(void *cookie, const struct gl_demand *demand, struct gl_error *err);
    uint64_t digest;
    bool is_sound, has_failed;
};

static struct gl_signal_row row_of(sqlite3_stmt *statement)
{
    return (struct gl_signal_row){
        sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1),
        sqlite3_column_int(statement, 2) != 0, sqlite3_column_blob(statement, 3),
        (size_t)sqlite3_column_bytes(statement, 3)};
}

/* After a failure it is read on, for whether it is sound is told by all rows alone. */
static void take_row(struct reading *reading, const struct gl_signal_row *row, struct gl_error *err)
{
    struct gl_demand demand;

    reading->digest += gl_signal_row_sum(row);
    if (row->at_ms < reading->since_ms || reading->has_failed)
        return;
    if (row->length == 0) {
        gl_fail(err, GL_E_TAMPERED,
                "ledger: a demand signal that cannot be read (event %" PRId64 ")",
                row->id / GL_DEMAND_PLACES);
        reading->has_failed = true;
    } else if (row->length != GL_SIGNAL_BYTES ||
               !gl_signal_unpack(reading->pool, row->bytes, &demand)) {
        reading->is_sound = false;
    } else {
        reading->has_failed = reading->each(reading->cookie, &demand, err) != 0;
    }
}

static int read_rows(struct gl_ledger *ledger, const char *schema, struct reading *reading,
                     struct gl_error *err)
{
    STATEMENT statement = NULL;
    char sql[96];
    int step;

    snprintf(sql, sizeof sql, "SELECT id, at_ms, open, signal FROM %s.demand_signals", schema);
    if (gl_ledger_prepare(ledger, sql, &statement, err) != 0)
        return -1;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        const struct gl_signal_row row = row_of(statement);

        take_row(reading, &row, err);
    }
    return step == SQLITE_DONE ? 0 : gl_ledger_fail(ledger->db, "cannot read", err);
}

static int read_all(struct gl_ledger *ledger, const char *schema, struct reading *reading,
                    struct gl_error *err)
{
    GL_AUTO(texts_done) struct gl_signal_texts pool = {0};
    struct gl_signal_head head;
    bool is_of = false;

    reading->pool = &pool;
    if (gl_signal_head_read(ledger, schema, &head, err) != 0 ||
        is_of_chain(ledger, &head, &is_of, err) != 0 ||
        read_texts(ledger, schema, &pool, &reading->digest, err) != 0 ||
        read_rows(ledger, schema, reading, err) != 0)
        return -1;
    if (!is_of || reading->digest != head.digest)
        reading->is_sound = false;
    return reading->is_sound && reading->has_failed ? -1 : 0;
}

/* One transaction: what others write meanwhile is not looked at. */
int gl_ledger_signals(struct gl_ledger *ledger, int64_t since_ms, void *cookie,
                      int (*each)(void *cookie, const struct gl_demand *demand,
                                  struct gl_error *err),
                      bool *out_is_sound, struct gl_error *err)
{
    struct reading reading = {
        .since_ms = since_ms, .cookie = cookie, .each = each, .is_sound = true};
    const char *schema = ready(ledger, err);
    int result;

    if (schema == NULL || gl_ledger_run(ledger, "BEGIN", err) != 0)
        return -1;
    result = read_all(ledger, schema, &reading, err);
    sqlite3_exec(ledger->db, "ROLLBACK", NULL, NULL, NULL);
    if (strcmp(schema, "temp") == 0)
        sqlite3_exec(ledger->db, TEMP_GONE, NULL, NULL, NULL);
    if (!reading.is_sound)
        gl_error_clear(err);
    *out_is_sound = reading.is_sound;
    return result;
}

/* ---- what is open ---- */

static struct gl_ledger_open open_of(sqlite3_stmt *statement)
{
    struct gl_demand demand;
    struct gl_ledger_open row;

    gl_signal_unpack_rest(sqlite3_column_blob(statement, 1), &demand);
    row = (struct gl_ledger_open){
        .seq = sqlite3_column_int64(statement, 0) / GL_DEMAND_PLACES,
        .is_move = demand.kind == GL_DEMAND_MOVE,
        .has_extra = demand.extra_ug != GL_UNKNOWN,
    };
    memcpy(row.launch_key, demand.launch_key, sizeof row.launch_key);
    return row;
}

int gl_ledger_signals_open(struct gl_ledger *ledger, struct gl_ledger_open **out, size_t *out_count,
                           struct gl_error *err)
{
    STATEMENT statement = NULL;
    struct gl_ledger_open *rows = NULL;
    size_t count = 0;
    int step = SQLITE_DONE;

    if (ledger->unwritable.code == GL_OK && catch_up(ledger, err) != 0)
        return -1;
    if (ledger->unwritable.code == GL_OK &&
        gl_ledger_prepare(ledger,
                          "SELECT id, signal FROM demand_signals WHERE open = 1 ORDER BY id",
                          &statement, err) != 0)
        return -1;
    while (statement != NULL && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        if (sqlite3_column_bytes(statement, 1) != GL_SIGNAL_BYTES)
            continue;
        rows = gl_realloc(rows, (count + 1) * sizeof *rows);
        rows[count++] = open_of(statement);
    }
    if (step != SQLITE_DONE) {
        free(rows);
        return gl_ledger_fail(ledger->db, "cannot read", err);
    }
    *out = rows;
    *out_count = count;
    return 0;
}

/* ---- checking ---- */

static int compare(struct gl_ledger *ledger, const char *a, const char *b, struct gl_error *err)
{
    static const char *const tables[] = {"demand_texts", "demand_signals", "demand_head"};
    bool differs = false;
    char sql[160];

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        snprintf(sql, sizeof sql, "SELECT * FROM %s.%s WHERE ? EXCEPT SELECT * FROM %s.%s", a,
                 tables[i], b, tables[i]);
        if (ask(ledger, sql, 1, NULL, &differs, err) != 0)
            return -1;
        if (differs)
            return gl_fail(err, GL_E_TAMPERED,
                           "ledger: the demand signals (%s) are not what their events say",
                           tables[i]);
    }
    return 0;
}

static int check(struct gl_ledger *ledger, struct gl_error *err)
{
    struct gl_signal_head head;

    if (gl_signal_head_read(ledger, "main", &head, err) != 0 ||
        make_beside(ledger, head.upto, err) != 0 || compare(ledger, "main", "temp", err) != 0)
        return -1;
    return compare(ledger, "temp", "main", err);
}

int gl_ledger_check_signals(struct gl_ledger *ledger, struct gl_error *err)
{
    bool is_made = false;
    int result;

    if (gl_ledger_has_table(ledger, "demand_head", &is_made, err) != 0)
        return -1;
    if (!is_made)
        return 0;
    result = check(ledger, err);
    sqlite3_exec(ledger->db, TEMP_GONE, NULL, NULL, NULL);
    return result;
}
