/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/ledger_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char zero_hash[GL_HASH_HEX] =
    "0000000000000000000000000000000000000000000000000000000000000000";

static const char *column_text(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);

    return text != NULL ? (const char *)text : "";
}

static void bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
}

static int read_number(struct gl_ledger *ledger, const char *sql, int64_t *out,
                       struct gl_error *err)
{
    STATEMENT statement = NULL;

    if (gl_ledger_prepare(ledger, sql, &statement, err) != 0)
        return -1;
    if (sqlite3_step(statement) != SQLITE_ROW)
        return gl_ledger_fail(ledger->db, "cannot read", err);
    *out = sqlite3_column_int64(statement, 0);
    return 0;
}

/* ---- events ---- */

struct event {
    int64_t seq, at_ms;
    const char *kind, *launch, *body, *prev;
};

static void event_hash(const struct event *event, char out[GL_HASH_HEX])
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_hash hash;

    gl_str_addf(&text, "%s|%" PRId64 "|%" PRId64 "|%s|%s|%s", event->prev, event->seq, event->at_ms,
                event->kind, event->launch, event->body);
    gl_hash_of(gl_str_text(&text), text.length, &hash);
    gl_hash_hex(&hash, out);
}

static int head(struct gl_ledger *ledger, int64_t *out_seq, char out_hash[GL_HASH_HEX],
                struct gl_error *err)
{
    STATEMENT statement = NULL;

    if (gl_ledger_prepare(ledger, "SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1",
                          &statement, err) != 0)
        return -1;
    switch (sqlite3_step(statement)) {
    case SQLITE_ROW:
        *out_seq = sqlite3_column_int64(statement, 0);
        snprintf(out_hash, GL_HASH_HEX, "%s", column_text(statement, 1));
        return 0;
    case SQLITE_DONE:
        *out_seq = 0;
        memcpy(out_hash, zero_hash, GL_HASH_HEX);
        return 0;
    default:
        return gl_ledger_fail(ledger->db, "cannot read", err);
    }
}

int gl_ledger_insert(struct gl_ledger *ledger, const char *kind, const char *launch,
                     const json_t *body, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *text = gl_json_canonical(body, err);
    STATEMENT statement = NULL;
    char prev[GL_HASH_HEX], hash[GL_HASH_HEX];
    int64_t last = 0;

    if (strchr(kind, '|') != NULL || strchr(launch, '|') != NULL)
        return gl_fail(err, GL_E_INTERNAL, "a bar in the name of an event or launch");
    if (text == NULL || head(ledger, &last, prev, err) != 0 ||
        gl_ledger_prepare(ledger, "INSERT INTO events VALUES(?,?,?,?,?,?,?)", &statement, err) != 0)
        return -1;
    struct event event = {
        last + 1, ledger->world->now_ms(ledger->world->cookie), kind, launch, text, prev};
    event_hash(&event, hash);
    sqlite3_bind_int64(statement, 1, event.seq);
    sqlite3_bind_int64(statement, 2, event.at_ms);
    bind_text(statement, 3, kind);
    bind_text(statement, 4, launch);
    bind_text(statement, 5, text);
    bind_text(statement, 6, prev);
    bind_text(statement, 7, hash);
    if (sqlite3_step(statement) != SQLITE_DONE)
        return gl_ledger_fail(ledger->db, "cannot append", err);
    return 0;
}

/* ---- the projection of launches: one row a column, so that insert, update and read agree ---- */

#define TEXT_COLUMN(name)                                                                    \
    {                                                                                        \
#name, offsetof(struct gl_launch_row, name), offsetof(struct gl_launch_change, name) \
    }
static const struct {
    const char *name;
    size_t row, change;
} text_columns[] =
    {
        TEXT_COLUMN(launch),   TEXT_COLUMN(name), TEXT_COLUMN(state),   TEXT_COLUMN(cloud),
        TEXT_COLUMN(region),   TEXT_COLUMN(type), TEXT_COLUMN(zone),    TEXT_COLUMN(token),
        TEXT_COLUMN(instance), TEXT_COLUMN(plan), TEXT_COLUMN(receipt),
},
  number_columns[] = {
      TEXT_COLUMN(attempt),    TEXT_COLUMN(created_ms), TEXT_COLUMN(started_ms),
      TEXT_COLUMN(expires_ms), TEXT_COLUMN(ended_ms),   TEXT_COLUMN(exit_status),
};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const select_launches =
    "SELECT launch,name,state,cloud,region,type,zone,token,instance,plan,receipt,"
    "attempt,created_ms,started_ms,expires_ms,ended_ms,exit_status,is_demo FROM launches ";

static int update_one(struct gl_ledger *ledger, const char *column, const char *launch,
                      const char *text, int64_t number, struct gl_error *err)
{
    STATEMENT statement = NULL;
    char sql[96];

    snprintf(sql, sizeof sql, "UPDATE launches SET %s = ? WHERE launch = ?", column);
    if (gl_ledger_prepare(ledger, sql, &statement, err) != 0)
        return -1;
    if (text != NULL)
        bind_text(statement, 1, text);
    else
        sqlite3_bind_int64(statement, 1, number);
    bind_text(statement, 2, launch);
    if (sqlite3_step(statement) != SQLITE_DONE)
        return gl_ledger_fail(ledger->db, "cannot write", err);
    return 0;
}

static int apply(struct gl_ledger *ledger, const struct gl_launch_change *change,
                 struct gl_error *err)
{
    STATEMENT statement = NULL;
    const char *bytes = (const char *)change;

    if (gl_ledger_prepare(ledger, "INSERT OR IGNORE INTO launches(launch) VALUES(?)", &statement,
                          err) != 0)
        return -1;
    bind_text(statement, 1, change->launch);
    if (sqlite3_step(statement) != SQLITE_DONE)
        return gl_ledger_fail(ledger->db, "cannot write", err);
    for (size_t i = 1; i < COUNT(text_columns); i++) {
        const char *text = *(const char *const *)(const void *)(bytes + text_columns[i].change);

        if (text != NULL &&
            update_one(ledger, text_columns[i].name, change->launch, text, 0, err) != 0)
            return -1;
    }
    for (size_t i = 0; i < COUNT(number_columns); i++) {
        int64_t number = *(const int64_t *)(const void *)(bytes + number_columns[i].change);

        if (number >= 0 &&
            update_one(ledger, number_columns[i].name, change->launch, NULL, number, err) != 0)
            return -1;
    }
    if (change->is_demo >= 0)
        return update_one(ledger, "is_demo", change->launch, NULL, change->is_demo, err);
    return 0;
}

int gl_ledger_append(struct gl_ledger *ledger, const char *kind, const char *launch,
                     const json_t *body, const struct gl_launch_change *change,
                     struct gl_error *err)
{
    if (gl_ledger_begin(ledger, err) != 0)
        return -1;
    if (gl_ledger_budget_allow(ledger, launch, body, err) != 0 ||
        gl_ledger_insert(ledger, kind, launch, body, err) != 0 ||
        (change != NULL && apply(ledger, change, err) != 0) ||
        gl_ledger_budget_apply(ledger, "main", launch, body, err) != 0 ||
        gl_ledger_demand_owed(ledger, kind, launch, body, err) != 0 ||
        gl_ledger_run(ledger, "COMMIT", err) != 0) {
        sqlite3_exec(ledger->db, "ROLLBACK", NULL, NULL, NULL);
        return err->code == GL_E_BUDGET || err->code == GL_E_UNKNOWN_DATA
                   ? -1
                   : gl_wrap(err, "event %s was not recorded", kind);
    }
    return 0;
}

static void read_row(sqlite3_stmt *statement, struct gl_launch_row *row)
{
    char *bytes = (char *)row;
    int column = 0;

    for (size_t i = 0; i < COUNT(text_columns); i++)
        *(char **)(void *)(bytes + text_columns[i].row) =
            gl_strdup(column_text(statement, column++));
    for (size_t i = 0; i < COUNT(number_columns); i++)
        *(int64_t *)(void *)(bytes + number_columns[i].row) =
            sqlite3_column_int64(statement, column++);
    row->is_demo = sqlite3_column_int(statement, column) != 0;
}

int gl_ledger_launches(struct gl_ledger *ledger, const char *filter, struct gl_launch_rows *out,
                       struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str sql = {0};
    STATEMENT statement = NULL;
    struct gl_launch_rows rows = {0};
    int step;

    gl_str_add(&sql, select_launches);
    if (filter != NULL)
        gl_str_add(&sql, "WHERE launch = ?1 OR name = ?1 OR state = ?1 ");
    gl_str_add(&sql, "ORDER BY created_ms DESC, launch");
    if (gl_ledger_prepare(ledger, gl_str_text(&sql), &statement, err) != 0)
        return -1;
    if (filter != NULL)
        bind_text(statement, 1, filter);
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        rows.rows = gl_realloc(rows.rows, (rows.count + 1) * sizeof *rows.rows);
        read_row(statement, &rows.rows[rows.count++]);
    }
    if (step != SQLITE_DONE) {
        gl_launch_rows_free(&rows);
        return gl_ledger_fail(ledger->db, "cannot read", err);
    }
    *out = rows;
    return 0;
}

void gl_launch_rows_free(struct gl_launch_rows *rows)
{
    for (size_t r = 0; r < rows->count; r++)
        for (size_t i = 0; i < COUNT(text_columns); i++)
            free(*(char **)(void *)((char *)&rows->rows[r] + text_columns[i].row));
    free(rows->rows);
    *rows = (struct gl_launch_rows){0};
}

/* ---- reading it back ---- */

static int check_event(const struct event *event, const char *stored, int64_t expected_seq,
                       const char *expected_prev, struct gl_error *err)
{
    char hash[GL_HASH_HEX];

    if (event->seq != expected_seq)
        return gl_fail(err, GL_E_TAMPERED, "ledger: event %" PRId64 " is missing", expected_seq);
    /* The bar separates the members under the hash: none may hold one but the last. */
    if (strchr(event->kind, '|') != NULL || strchr(event->launch, '|') != NULL)
        return gl_fail(err, GL_E_TAMPERED, "ledger: event %" PRId64 " was changed", event->seq);
    if (strcmp(event->prev, expected_prev) != 0)
        return gl_fail(err, GL_E_TAMPERED,
                       "ledger: event %" PRId64 " does not follow from the one before", event->seq);
    event_hash(event, hash);
    if (strcmp(hash, stored) != 0)
        return gl_fail(err, GL_E_TAMPERED, "ledger: event %" PRId64 " was changed (its hash is %s)",
                       event->seq, hash);
    return 0;
}

static struct event event_of(sqlite3_stmt *statement)
{
    return (struct event){sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1),
                          column_text(statement, 2),          column_text(statement, 3),
                          column_text(statement, 4),          column_text(statement, 5)};
}

static int check_events(struct gl_ledger *ledger, struct gl_ledger_check *out, struct gl_error *err)
{
    STATEMENT statement = NULL;
    struct gl_ledger_check check = {0};
    int64_t last;
    int step;

    memcpy(check.head, zero_hash, GL_HASH_HEX);
    if (read_number(ledger, "SELECT count(*) FROM launches", &check.launches, err) != 0 ||
        read_number(ledger, "SELECT coalesce(max(seq), 0) FROM sqlite_sequence", &last, err) != 0 ||
        gl_ledger_prepare(ledger,
                          "SELECT seq,at_ms,kind,launch,body,prev,hash FROM events ORDER BY seq",
                          &statement, err) != 0)
        return -1;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        struct event event = event_of(statement);

        if (check_event(&event, column_text(statement, 6), check.events + 1, check.head, err) != 0)
            return -1;
        check.events++;
        check.latest_ms = event.at_ms > check.latest_ms ? event.at_ms : check.latest_ms;
        snprintf(check.head, sizeof check.head, "%s", column_text(statement, 6));
    }
    if (step != SQLITE_DONE)
        return gl_ledger_fail(ledger->db, "cannot read", err);
    if (check.events < last)
        return gl_fail(err, GL_E_TAMPERED, "ledger: event %" PRId64 " is missing",
                       check.events + 1);
    *out = check;
    return 0;
}

/* One transaction: what others append meanwhile is not looked at. */
int gl_ledger_check(struct gl_ledger *ledger, struct gl_ledger_check *out, struct gl_error *err)
{
    int result;

    if (gl_ledger_run(ledger, "BEGIN", err) != 0)
        return -1;
    result = check_events(ledger, out, err);
    if (result == 0)
        result = gl_ledger_check_guarantees(ledger, err);
    if (result == 0)
        result = gl_ledger_check_budgets(ledger, err);
    if (result == 0)
        result = gl_ledger_check_signals(ledger, err);
    sqlite3_exec(ledger->db, "ROLLBACK", NULL, NULL, NULL);
    if (result != 0 && gl_ledger_was_written(ledger)) {
        gl_error_clear(err);
        return gl_fail(err, GL_E_LOCKED, "ledger: it was written to while it was looked at");
    }
    return result;
}

static json_t *event_json(sqlite3_stmt *statement, struct gl_error *err)
{
    struct event event = event_of(statement);
    json_t *body = gl_json_parse(event.body, strlen(event.body), "ledger event", err);

    if (body == NULL)
        return NULL;
    return json_pack("{s:I,s:I,s:s,s:s,s:o,s:s,s:s}", "seq", (json_int_t)event.seq, "at_ms",
                     (json_int_t)event.at_ms, "kind", event.kind, "launch", event.launch, "body",
                     body, "prev", event.prev, "hash", column_text(statement, 6));
}

int gl_ledger_events(struct gl_ledger *ledger, const char *launch, void *cookie,
                     int (*each)(void *cookie, const json_t *event), struct gl_error *err)
{
    STATEMENT statement = NULL;
    int step;

    if (gl_ledger_prepare(
            ledger,
            launch == NULL
                ? "SELECT seq,at_ms,kind,launch,body,prev,hash FROM events ORDER BY seq"
                : "SELECT seq,at_ms,kind,launch,body,prev,hash FROM events WHERE launch = ?"
                  " ORDER BY seq",
            &statement, err) != 0)
        return -1;
    if (launch != NULL)
        bind_text(statement, 1, launch);
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        GL_AUTO(gl_auto_json) json_t *event = event_json(statement, err);

        if (event == NULL)
            return -1;
        if (each(cookie, event) != 0)
            return 0;
    }
    if (step != SQLITE_DONE)
        return gl_ledger_fail(ledger->db, "cannot read", err);
    return 0;
}
