/* SPDX-License-Identifier: Apache-2.0 */
/* What an act of the guard or of a person says of an unmet need: its signals stand in the event
 * that begins the act, and are written with the event that says it was done, whoever writes that
 * one. */
#include "broker/demand.h"
#include "broker/ledger_file.h"

#include <string.h>

/* A stop begins at once; whoever stops it later does so for reasons of their own. */
#define STOP_BEGINS_MS 600000

/* Of the guard, and not of an act that failed. */
static bool is_note_of(const json_t *body, const char *act)
{
    const char *text = json_string_value(json_object_get(body, "act"));

    return text != NULL && strcmp(text, act) == 0 && json_is_null(json_object_get(body, "error"));
}

/* The events between which an act of the guard is under way. A stop has no beginning of its own: it
 * is told in a note, and has begun once the launch is "stopping". Where the disk was too full for
 * that to be written, its receipt says whether it ended then. */
enum step { NOTHING, BEGINS, ENDS, NOTES, STOPS };
static const struct {
    const char *kind;
    enum step step;
    const char *of; /* the act that has come true */
} steps[] = {
    {"pause", BEGINS, NULL},
    {"resume", BEGINS, NULL},
    {"move", BEGINS, NULL},
    {"relocate-intended", BEGINS, NULL},
    {"paused", ENDS, "pause"},
    {"resumed", ENDS, NULL},
    {"moved", ENDS, "move"},
    {"stayed", ENDS, NULL},
    {"relocate-verified", ENDS, "relocate-intended"},
    {"relocate-failed", ENDS, NULL},
    {"guard", NOTES, NULL},
    {"stopping", STOPS, NULL},
    {"ended", ENDS, "stopping"},
    {"lost", ENDS, "stopping"},
};

static size_t step_at(const char *kind)
{
    size_t i = 0;

    while (i < sizeof steps / sizeof *steps && strcmp(steps[i].kind, kind) != 0)
        i++;
    return i;
}

/* One launch, event by event. */
struct owed {
    char act[24];    /* that is under way; "" = none */
    json_t *signals; /* that it owes when it has come true; NULL */
    json_t *due;     /* that the last event made due; NULL */
    int64_t noted_ms, ended_ms;
};

static void owed_done(struct owed *owed)
{
    json_decref(owed->signals);
    json_decref(owed->due);
}

static void set_act(struct owed *owed, const char *act, const json_t *body)
{
    json_decref(owed->signals);
    owed->signals = json_incref(json_object_get(json_object_get(body, "evidence"), "demand"));
    snprintf(owed->act, sizeof owed->act, "%s", act);
}

static bool is_soon(const struct owed *owed, int64_t at_ms)
{
    return at_ms - owed->noted_ms <= STOP_BEGINS_MS;
}

static bool has_come_true(const struct owed *owed, const char *of)
{
    if (of == NULL || strcmp(owed->act, of) == 0)
        return of != NULL;
    return strcmp(of, "stopping") == 0 && strcmp(owed->act, "guard") == 0 &&
           owed->ended_ms >= owed->noted_ms && is_soon(owed, owed->ended_ms);
}

static void end_act(struct owed *owed, const char *of)
{
    if (has_come_true(owed, of))
        owed->due = json_incref(owed->signals);
    set_act(owed, "", NULL);
}

static int note_event(void *cookie, const json_t *event)
{
    struct owed *owed = cookie;
    const json_t *body = json_object_get(event, "body");
    const int64_t at_ms = json_integer_value(json_object_get(event, "at_ms"));
    const size_t i = step_at(json_string_value(json_object_get(event, "kind")));

    json_decref(owed->due);
    owed->due = NULL;
    if (i == sizeof steps / sizeof *steps)
        return 0;
    if (steps[i].step == BEGINS)
        set_act(owed, steps[i].kind, body);
    else if (steps[i].step == ENDS)
        end_act(owed, steps[i].of);
    else if (steps[i].step == NOTES && is_note_of(body, "stop")) {
        set_act(owed, "guard", body);
        owed->noted_ms = at_ms;
    } else if (steps[i].step == STOPS && strcmp(owed->act, "guard") == 0 && is_soon(owed, at_ms))
        snprintf(owed->act, sizeof owed->act, "stopping");
    return 0;
}

static int read_ended(struct gl_ledger *ledger, const char *launch, int64_t *out_ms,
                      struct gl_error *err)
{
    STATEMENT statement = NULL;

    if (gl_ledger_prepare(ledger, "SELECT max(ended_ms) FROM main.launches WHERE launch=?",
                          &statement, err) != 0)
        return -1;
    sqlite3_bind_text(statement, 1, launch, -1, SQLITE_TRANSIENT);
    if (sqlite3_step(statement) != SQLITE_ROW)
        return gl_ledger_fail(ledger->db, "cannot read", err);
    *out_ms = sqlite3_column_int64(statement, 0);
    return 0;
}

/* A notice is done when it is told. *out NULL: nothing is due. */
static int due_by(struct gl_ledger *ledger, const char *kind, const char *launch,
                  const json_t *body, json_t **out, struct gl_error *err)
{
    const size_t i = step_at(kind);
    GL_AUTO(owed_done) struct owed owed = {.act = ""};

    *out = NULL;
    if (i == sizeof steps / sizeof *steps)
        return 0;
    if (steps[i].step == NOTES && is_note_of(body, "notify"))
        *out = json_incref(json_object_get(json_object_get(body, "evidence"), "demand"));
    if (steps[i].step != ENDS || steps[i].of == NULL)
        return 0;
    if (read_ended(ledger, launch, &owed.ended_ms, err) != 0 ||
        gl_ledger_events(ledger, launch, &owed, note_event, err) != 0)
        return -1;
    *out = json_incref(owed.due);
    return 0;
}

/* What cannot be read was not written by a guard, and keeps nothing from being recorded. */
static int write_due(struct gl_ledger *ledger, const json_t *due, struct gl_error *err)
{
    const json_t *list = json_object_get(due, "signals");
    const size_t count = json_array_size(list);
    GL_AUTO(gl_demand_entry_done) struct gl_demand_entry entry = {0};
    struct gl_demand signals[GL_DEMAND_PLACES];
    struct gl_error ignored = {0};
    int64_t seen;

    if (count > GL_DEMAND_PLACES)
        return 0;
    for (size_t i = 0; i < count; i++)
        if (gl_demand_of_json(json_array_get(list, i), &signals[i], &ignored) != 0)
            return 0;
    if (gl_demand_entry_of(signals, count, &entry, &ignored) != 0)
        return 0;
    return gl_ledger_demand_write(ledger, &entry.row, &seen, err);
}

int gl_ledger_demand_owed(struct gl_ledger *ledger, const char *kind, const char *launch,
                          const json_t *body, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *due = NULL;

    if (due_by(ledger, kind, launch, body, &due, err) != 0)
        return -1;
    return due != NULL ? write_due(ledger, due, err) : 0;
}
