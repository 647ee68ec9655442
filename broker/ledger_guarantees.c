/* SPDX-License-Identifier: Apache-2.0 */
/* The projection of promises. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "broker/ledger_file.h"

static void bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
}

static int issue(struct gl_ledger *ledger, const char *launch, const json_t *body,
                 struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *text = gl_json_canonical(body, err);
    const char *id, *state, *zone;
    int64_t until_s;
    STATEMENT statement = NULL;

    if (text == NULL || gl_json_string(body, "id", &id, err) != 0 ||
        gl_json_string(body, "state", &state, err) != 0 ||
        gl_json_string(body, "zone", &zone, err) != 0 ||
        gl_json_int(body, "until_s", INT64_MIN, INT64_MAX, &until_s, err) != 0 ||
        gl_ledger_prepare(
            ledger, "INSERT INTO guarantees(id,launch,state,zone,until_s,body) VALUES(?,?,?,?,?,?)",
            &statement, err) != 0)
        return -1;
    bind_text(statement, 1, id);
    bind_text(statement, 2, launch);
    bind_text(statement, 3, state);
    bind_text(statement, 4, zone);
    sqlite3_bind_int64(statement, 5, until_s);
    bind_text(statement, 6, text);
    switch (sqlite3_step(statement)) {
    case SQLITE_DONE:
        return 0;
    case SQLITE_CONSTRAINT:
        return gl_fail(err, GL_E_DUPLICATE_KEY, "ledger: there is a guarantee %s already", id);
    default:
        return gl_ledger_fail(ledger->db, "cannot issue a guarantee", err);
    }
}

/* Of that launch, whatever its state. */
static int must_exist(struct gl_ledger *ledger, const char *launch, const char *id,
                      struct gl_error *err)
{
    STATEMENT statement = NULL;

    if (gl_ledger_prepare(ledger, "SELECT 1 FROM guarantees WHERE id=? AND launch=?", &statement,
                          err) != 0)
        return -1;
    bind_text(statement, 1, id);
    bind_text(statement, 2, launch);
    switch (sqlite3_step(statement)) {
    case SQLITE_ROW:
        return 0;
    case SQLITE_DONE:
        return gl_fail(err, GL_E_UNKNOWN_NAME, "ledger: launch %s has no guarantee %s", launch, id);
    default:
        return gl_ledger_fail(ledger->db, "cannot read", err);
    }
}

/* *out_is_open: it was, and is settled now. */
static int settle(struct gl_ledger *ledger, const char *launch, const json_t *body,
                  bool *out_is_open, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *text = gl_json_canonical(body, err);
    const char *id, *state;
    STATEMENT statement = NULL;

    if (text == NULL || gl_json_string(body, "id", &id, err) != 0 ||
        gl_json_string(body, "state", &state, err) != 0 ||
        must_exist(ledger, launch, id, err) != 0 ||
        gl_ledger_prepare(ledger,
                          "UPDATE guarantees SET state=?, settled=? WHERE id=? AND state='open'",
                          &statement, err) != 0)
        return -1;
    bind_text(statement, 1, state);
    bind_text(statement, 2, text);
    bind_text(statement, 3, id);
    if (sqlite3_step(statement) != SQLITE_DONE)
        return gl_ledger_fail(ledger->db, "cannot settle a guarantee", err);
    *out_is_open = sqlite3_changes(ledger->db) > 0;
    return 0;
}

static int roll_back(struct gl_ledger *ledger, int result)
{
    sqlite3_exec(ledger->db, "ROLLBACK", NULL, NULL, NULL);
    return result;
}

int gl_ledger_guarantee(struct gl_ledger *ledger, const char *launch, const json_t *body,
                        struct gl_error *err)
{
    if (gl_ledger_begin(ledger, err) != 0)
        return -1;
    if (gl_ledger_insert(ledger, "guarantee", launch, body, err) == 0 &&
        issue(ledger, launch, body, err) == 0 && gl_ledger_run(ledger, "COMMIT", err) == 0)
        return 0;
    return roll_back(ledger, -1);
}

int gl_ledger_guarantee_settle(struct gl_ledger *ledger, const char *launch, const json_t *body,
                               const struct gl_ledger_demand *demand, bool *out_settled,
                               struct gl_error *err)
{
    bool is_open = false;
    int64_t ignored;

    if (gl_ledger_begin(ledger, err) != 0)
        return -1;
    if (settle(ledger, launch, body, &is_open, err) != 0)
        return roll_back(ledger, -1);
    *out_settled = is_open;
    if (!is_open)
        return roll_back(ledger, 0);
    if (gl_ledger_insert(ledger, "settled", launch, body, err) == 0 &&
        (demand == NULL || gl_ledger_demand_write(ledger, demand, &ignored, err) == 0) &&
        gl_ledger_run(ledger, "COMMIT", err) == 0)
        return 0;
    *out_settled = false;
    return roll_back(ledger, -1);
}

/* ---- reading ---- */

static char *column(sqlite3_stmt *statement, int index)
{
    const unsigned char *text = sqlite3_column_text(statement, index);

    return gl_strdup(text != NULL ? (const char *)text : "");
}

static void take_row(sqlite3_stmt *statement, struct gl_guarantee_rows *rows)
{
    rows->rows = gl_realloc(rows->rows, (rows->count + 1) * sizeof *rows->rows);
    rows->rows[rows->count++] = (struct gl_guarantee_row){
        .id = column(statement, 0),
        .launch = column(statement, 1),
        .state = column(statement, 2),
        .zone = column(statement, 3),
        .until_s = sqlite3_column_int64(statement, 4),
        .body = column(statement, 5),
        .settled = column(statement, 6),
        .is_demo = sqlite3_column_int(statement, 7) != 0,
    };
}

int gl_ledger_guarantees(struct gl_ledger *ledger, const char *filter,
                         struct gl_guarantee_rows *out, struct gl_error *err)
{
    struct gl_guarantee_rows rows = {0};
    STATEMENT statement = NULL;
    bool has_any = false;
    int step;

    if (gl_ledger_has_table(ledger, "guarantees", &has_any, err) != 0)
        return -1;
    if (!has_any) {
        *out = rows;
        return 0;
    }
    if (gl_ledger_prepare(ledger,
                          "SELECT id,launch,state,zone,until_s,body,settled,"
                          " (SELECT is_demo FROM launches l WHERE l.launch=g.launch)"
                          " FROM guarantees g WHERE ?1 IS NULL OR id=?1 OR launch=?1 OR state=?1"
                          " ORDER BY rowid DESC",
                          &statement, err) != 0)
        return -1;
    if (filter != NULL)
        bind_text(statement, 1, filter);
    while ((step = sqlite3_step(statement)) == SQLITE_ROW)
        take_row(statement, &rows);
    if (step != SQLITE_DONE) {
        gl_guarantee_rows_free(&rows);
        return gl_ledger_fail(ledger->db, "cannot read", err);
    }
    *out = rows;
    return 0;
}

void gl_guarantee_rows_free(struct gl_guarantee_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        struct gl_guarantee_row *row = &rows->rows[i];

        free(row->id);
        free(row->launch);
        free(row->state);
        free(row->zone);
        free(row->body);
        free(row->settled);
    }
    free(rows->rows);
    *rows = (struct gl_guarantee_rows){0};
}

/* ---- checking: the projection must follow from the chain ---- */

static int changed(const char *id, struct gl_error *err)
{
    return gl_fail(err, GL_E_TAMPERED, "ledger: guarantee %s is not what its events say", id);
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct gl_guarantee_row *)a)->id,
                  ((const struct gl_guarantee_row *)b)->id);
}

static const struct gl_guarantee_row *find(const struct gl_guarantee_rows *rows, const char *id)
{
    const struct gl_guarantee_row key = {.id = (char *)(uintptr_t)id};

    return id != NULL && rows->count > 0 ? bsearch(&key, rows->rows, rows->count, sizeof key, by_id)
                                         : NULL;
}

enum { ISSUED = 1, SETTLED = 2 };
struct check {
    const struct gl_guarantee_rows *rows;
    unsigned char *told; /* by row: what its events have told */
};

static bool is_issued_so(const struct gl_guarantee_row *row, const json_t *body, const char *text)
{
    const char *zone = json_string_value(json_object_get(body, "zone"));

    return strcmp(row->body, text) == 0 && zone != NULL && strcmp(row->zone, zone) == 0 &&
           row->until_s == json_integer_value(json_object_get(body, "until_s"));
}

static bool is_settled_so(const struct gl_guarantee_row *row, const json_t *body, const char *text)
{
    const char *state = json_string_value(json_object_get(body, "state"));

    return strcmp(row->settled, text) == 0 && state != NULL && strcmp(row->state, state) == 0;
}

static int check_event(struct check *check, sqlite3_stmt *statement, struct gl_error *err)
{
    const char *kind = (const char *)sqlite3_column_text(statement, 0);
    const char *launch = (const char *)sqlite3_column_text(statement, 1);
    const char *text = (const char *)sqlite3_column_text(statement, 2);
    GL_AUTO(gl_auto_json) json_t *body = gl_json_parse(text, strlen(text), "event", err);
    const char *id = json_string_value(json_object_get(body, "id"));
    const struct gl_guarantee_row *row = find(check->rows, id);
    bool is_issue = strcmp(kind, "guarantee") == 0;

    if (body == NULL)
        return -1;
    if (row == NULL || strcmp(row->launch, launch) != 0 ||
        !(is_issue ? is_issued_so(row, body, text) : is_settled_so(row, body, text)))
        return changed(id != NULL ? id : "without an id", err);
    check->told[row - check->rows->rows] |= is_issue ? ISSUED : SETTLED;
    return 0;
}

static int check_rows(const struct check *check, struct gl_error *err)
{
    for (size_t i = 0; i < check->rows->count; i++) {
        const struct gl_guarantee_row *row = &check->rows->rows[i];
        bool is_open = strcmp(row->state, "open") == 0;

        if (is_open != (row->settled[0] == '\0') ||
            check->told[i] != (is_open ? ISSUED : ISSUED | SETTLED))
            return changed(row->id, err);
    }
    return 0;
}

int gl_ledger_check_guarantees(struct gl_ledger *ledger, struct gl_error *err)
{
    GL_AUTO(gl_guarantee_rows_free) struct gl_guarantee_rows rows = {0};
    GL_AUTO(gl_auto_free) unsigned char *told = NULL;
    struct check check = {.rows = &rows};
    STATEMENT statement = NULL;
    int step;

    if (gl_ledger_guarantees(ledger, NULL, &rows, err) != 0 ||
        gl_ledger_prepare(ledger,
                          "SELECT kind,launch,body FROM events WHERE kind IN"
                          " ('guarantee','settled') ORDER BY seq",
                          &statement, err) != 0)
        return -1;
    check.told = told = gl_alloc(rows.count + 1);
    if (rows.count > 0)
        qsort(rows.rows, rows.count, sizeof *rows.rows, by_id);
    while ((step = sqlite3_step(statement)) == SQLITE_ROW)
        if (check_event(&check, statement, err) != 0)
            return -1;
    if (step != SQLITE_DONE)
        return gl_ledger_fail(ledger->db, "cannot read", err);
    return check_rows(&check, err);
}
