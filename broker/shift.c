/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/shift.h"

#include <stdio.h>
#include <string.h>

#include "broker/budget.h"
#include "broker/finish.h"
#include "broker/shift_part.h"

#define LOCK_WAIT_MS 15000

struct shift {
    const struct kind *kind;
    const struct gl_shift_place *to; /* NULL unless it is a move */
    const struct gl_shift_reason *reason;
};

/* One row a kind. */
struct kind {
    const char *name; /* of the event before it */
    const char *verb;
    uint32_t cap;
    enum gl_instance_state state; /* that it leads to, unless it is a move */
    int (*act)(struct gl_cloud *cloud, const char *id, const struct gl_shift_place *to,
               struct gl_error *err);
};

static int act_pause(struct gl_cloud *cloud, const char *id, const struct gl_shift_place *to,
                     struct gl_error *err)
{
    (void)to;
    return cloud->ops->suspend(cloud, id, err);
}

static int act_resume(struct gl_cloud *cloud, const char *id, const struct gl_shift_place *to,
                      struct gl_error *err)
{
    (void)to;
    return cloud->ops->resume(cloud, id, err);
}

static int act_move(struct gl_cloud *cloud, const char *id, const struct gl_shift_place *to,
                    struct gl_error *err)
{
    return cloud->ops->move(cloud, id, to->region, err);
}

static const struct kind pausing = {"pause", "paused", GL_CLOUD_SUSPENDS, GL_STATE_SUSPENDED,
                                    act_pause};
static const struct kind resuming = {"resume", "resumed", GL_CLOUD_SUSPENDS, GL_STATE_RUNNING,
                                     act_resume};
static const struct kind moving = {"move", "moved", GL_CLOUD_MOVES, GL_STATE_RUNNING, act_move};

static void checkpoint(const struct gl_launcher *launcher, const char *step)
{
    if (launcher->checkpoint != NULL)
        launcher->checkpoint(launcher->cookie, step);
}

/* ---- before ---- */

static int64_t method_of(const struct gl_launch_row *row)
{
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_json)
    json_t *plan = gl_json_parse(row->plan, strlen(row->plan), "plan", &ignored);

    return json_integer_value(json_object_get(plan, "method_version"));
}

static int check_row(const struct gl_launch_row *row, const struct shift *shift,
                     struct gl_error *err)
{
    if (gl_launch_row_is_over(row))
        return gl_fail(err, GL_E_NOT_FOUND, "launch %s has ended", row->launch);
    if (row->instance[0] == '\0')
        return gl_fail(err, GL_E_PROVIDER, "launch %s: it is not known whether it started",
                       row->launch);
    if (strcmp(row->state, "stopping") == 0)
        return gl_fail(err, GL_E_NOT_FOUND, "launch %s is being stopped", row->launch);
    if (method_of(row) < GL_SHIFT_METHOD)
        return gl_fail(err, GL_E_USAGE,
                       "launch %s was started by an older version, whose receipts know no pauses "
                       "and no moves: it cannot be %s",
                       row->launch, shift->kind->verb);
    return 0;
}

static bool is_so_already(const struct gl_instance *instance, const struct shift *shift)
{
    if (shift->to != NULL)
        return strcmp(instance->region, shift->to->region) == 0;
    return instance->state == shift->kind->state;
}

static bool can(const struct gl_cloud *cloud, const struct gl_instance *instance,
                const struct kind *kind)
{
    const struct gl_cloud_ops *ops = cloud->ops;

    if ((instance->caps & kind->cap) == 0 || ops->spans == NULL)
        return false;
    return kind->cap == GL_CLOUD_MOVES ? ops->move != NULL
                                       : ops->suspend != NULL && ops->resume != NULL;
}

/* Why not, in words, where the kind of instance says it; else "". */
static const char *why_not(const struct gl_instance *instance)
{
    static const struct {
        const char *how, *why;
    } rows[] = {
        {"process", ": it is a process, its state is spread over this machine's kernel"},
        {"qemu/", ": it runs on a disk image, and what it wrote there is kept by QEMU alone, not "
                  "in its memory"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strncmp(instance->how, rows[i].how, strlen(rows[i].how)) == 0)
            return rows[i].why;
    return "";
}

/* ---- the events ---- */

static json_t *intent_json(const struct shift *shift, const struct gl_instance *instance)
{
    const struct gl_shift_reason *reason = shift->reason;
    json_t *body =
        json_pack("{s:s,s:s,s:s,s:O?,s:s}", "state", "moving", "by", reason->by, "why",
                  reason->why != NULL ? reason->why : "", "evidence", reason->evidence, "before",
                  instance->state == GL_STATE_SUSPENDED ? "paused" : "running");

    if (body != NULL && shift->to != NULL) {
        json_object_set_new(body, "region", json_string(shift->to->region));
        json_object_set_new(body, "zone", json_string(shift->to->zone));
        if (shift->to->series != NULL)
            json_object_set_new(body, "series", json_deep_copy(shift->to->series));
    }
    return body;
}

/* What it may take there stands in the same event, or it does not move. */
static int add_reservation(const struct gl_launcher *launcher, const struct gl_launch_row *row,
                           const struct gl_shift_place *to, json_t *body, struct gl_error *err)
{
    json_t *budget;

    if (gl_budget_of_move(launcher->ledger, row, to->series, &budget, err) != 0)
        return -1;
    if (budget != NULL)
        json_object_set_new(body, "budget", budget);
    return 0;
}

static int record_intent(struct gl_launcher *launcher, const struct gl_launch_row *row,
                         const struct gl_instance *instance, const struct shift *shift,
                         struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *body = intent_json(shift, instance);
    struct gl_launch_change change = {GL_LAUNCH_KEEP, .launch = row->launch, .state = "moving"};

    if (body == NULL)
        return gl_fail(err, GL_E_USAGE, "the reason is no UTF-8 text");
    if (shift->to != NULL && add_reservation(launcher, row, shift->to, body, err) != 0)
        return -1;
    return gl_ledger_append(launcher->ledger, shift->kind->name, row->launch, body, &change, err);
}

/* What is on its way, as the last intent says. */
struct pending {
    char kind[8], before[8];
};

static int note_pending(void *cookie, const json_t *event)
{
    static const char *const kinds[] = {"pause", "resume", "move"};
    struct pending *pending = cookie;
    const char *kind = json_string_value(json_object_get(event, "kind"));
    const char *before =
        json_string_value(json_object_get(json_object_get(event, "body"), "before"));

    for (size_t i = 0; i < 3 && kind != NULL; i++)
        if (strcmp(kind, kinds[i]) == 0) {
            snprintf(pending->kind, sizeof pending->kind, "%s", kind);
            snprintf(pending->before, sizeof pending->before, "%s", before != NULL ? before : "");
        }
    return 0;
}

static const char *outcome_of(const struct gl_launch_row *row, const struct pending *pending,
                              const char *state, bool is_elsewhere)
{
    const char *before = strcmp(row->state, "moving") == 0 ? pending->before : row->state;

    if (is_elsewhere)
        return "moved";
    if (strcmp(before, state) == 0)
        return "stayed";
    return strcmp(state, "paused") == 0 ? "paused" : "resumed";
}

static int record_outcome(struct gl_launcher *launcher, const struct gl_launch_row *row,
                          const char *kind, const char *state, const char *region,
                          struct gl_error *err)
{
    bool is_elsewhere = strcmp(region, row->region) != 0;
    struct gl_launch_change change = {GL_LAUNCH_KEEP, .launch = row->launch, .state = state};
    GL_AUTO(gl_auto_json) json_t *body = NULL;
    char zone[40];

    if (gl_shift_zone(launcher, row, region, zone, err) != 0)
        return -1;
    body = json_pack("{s:s,s:s,s:s}", "state", state, "region", region, "zone", zone);
    if (is_elsewhere) {
        change.region = region;
        change.zone = zone;
    }
    return gl_ledger_append(launcher->ledger, kind, row->launch, body, &change, err);
}

int gl_shift_settle(struct gl_launcher *launcher, const struct gl_launch_row *row,
                    const struct gl_instance *instance, bool *out_changed, struct gl_error *err)
{
    const char *state = instance->state == GL_STATE_SUSPENDED ? "paused" : "running";
    bool is_elsewhere = strcmp(instance->region, row->region) != 0;
    struct pending pending = {"", ""};

    *out_changed = false;
    if (instance->is_unsettled)
        return gl_fail(err, GL_E_PROVIDER, "what was interrupted there cannot be settled now: %s",
                       instance->why);
    if (strcmp(row->state, "stopping") == 0 ||
        (instance->state != GL_STATE_SUSPENDED && instance->state != GL_STATE_RUNNING) ||
        (strcmp(row->state, state) == 0 && !is_elsewhere))
        return 0;
    if (gl_ledger_events(launcher->ledger, row->launch, &pending, note_pending, err) != 0 ||
        record_outcome(launcher, row, outcome_of(row, &pending, state, is_elsewhere), state,
                       instance->region, err) != 0)
        return -1;
    *out_changed = true;
    return 0;
}

/* Over: the last stretch that its cloud tells of says where it had come to. */
static int look_back(struct gl_cloud *cloud, const char *id, struct gl_instance *instance,
                     struct gl_error *err)
{
    GL_AUTO(gl_auto_free) struct gl_instance_span *spans = NULL;
    size_t count = 0;

    if (cloud->ops->spans(cloud, id, &spans, &count, err) != 0)
        return -1;
    if (count == 0)
        return 0;
    instance->state = spans[count - 1].is_running ? GL_STATE_RUNNING : GL_STATE_SUSPENDED;
    memcpy(instance->region, spans[count - 1].region, sizeof instance->region);
    return 0;
}

void gl_shift_settle_before_end(struct gl_launcher *launcher, const struct gl_launch_row *row,
                                struct gl_cloud *cloud, const struct gl_instance *seen)
{
    struct gl_instance instance = *seen;
    struct gl_error ignored = {0};
    bool changed;

    if (strcmp(row->state, "moving") != 0 || cloud->ops->spans == NULL ||
        (gl_instance_is_over(seen) && look_back(cloud, row->instance, &instance, &ignored) != 0))
        return;
    gl_shift_settle(launcher, row, &instance, &changed, &ignored);
}

/* ---- doing it ---- */

static int look_and_settle(struct gl_launcher *launcher, const struct gl_launch_row *row,
                           struct gl_cloud *cloud, struct gl_instance *out, struct gl_error *err)
{
    bool changed;

    if (cloud->ops->describe(cloud, row->instance, out, err) != 0)
        return gl_wrap(err, "launch %s", row->launch);
    if (gl_instance_is_over(out))
        return gl_fail(err, GL_E_NOT_FOUND, "launch %s has ended", row->launch);
    return gl_shift_settle(launcher, row, out, &changed, err);
}

/* What the cloud says afterwards counts, not what it said of its own doing. */
static int after(struct gl_launcher *launcher, const char *id, struct gl_cloud *cloud,
                 const struct shift *shift, struct gl_error *why, struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct gl_instance instance;
    struct gl_error look = {0};
    size_t index;

    if (gl_launch_find(launcher, id, &rows, &index, err) != 0)
        return -1;
    if (look_and_settle(launcher, &rows.rows[index], cloud, &instance, &look) != 0) {
        *err = why->code != GL_OK ? *why : look;
        return gl_wrap(err,
                       "launch %s: it is not known whether it was %s; `greenlaunch status` settles "
                       "it",
                       id, shift->kind->verb);
    }
    checkpoint(launcher, "shift-recorded");
    if (is_so_already(&instance, shift))
        return 0;
    if (why->code == GL_OK)
        return gl_fail(err, GL_E_PROVIDER, "launch %s was not %s", id, shift->kind->verb);
    *err = *why;
    return gl_wrap(err, "launch %s was not %s", id, shift->kind->verb);
}

static int shift_locked(struct gl_launcher *launcher, const char *id, struct gl_cloud *cloud,
                        const struct shift *shift, struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct gl_instance instance;
    struct gl_error why = {0};
    size_t index;

    if (gl_launch_find(launcher, id, &rows, &index, err) != 0 ||
        check_row(&rows.rows[index], shift, err) != 0 ||
        look_and_settle(launcher, &rows.rows[index], cloud, &instance, err) != 0)
        return -1;
    if (is_so_already(&instance, shift))
        return 0;
    if (!can(cloud, &instance, shift->kind))
        return gl_fail(err, GL_E_USAGE, "launch %s (%s) cannot be %s%s; nothing was done", id,
                       instance.how, shift->kind->verb, why_not(&instance));
    if (record_intent(launcher, &rows.rows[index], &instance, shift, err) != 0)
        return -1;
    checkpoint(launcher, "shift-intended");
    shift->kind->act(cloud, instance.id, shift->to, &why);
    checkpoint(launcher, "shift-done");
    return after(launcher, id, cloud, shift, &why, err);
}

static int shift_id(struct gl_launcher *launcher, const char *id, const struct shift *shift,
                    struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct gl_cloud *cloud;
    size_t index;
    int result;

    if (gl_launch_find(launcher, id, &rows, &index, err) != 0)
        return -1;
    cloud = launcher->open(launcher->cookie, rows.rows[index].cloud, rows.rows[index].zone, err);
    if (cloud == NULL)
        return -1;
    result = shift_locked(launcher, id, cloud, shift, err);
    gl_cloud_close(cloud);
    return result;
}

static int shift_launch(struct gl_launcher *launcher, const char *launch, const struct shift *shift,
                        struct gl_error *err)
{
    char id[GL_CLOUD_ID];
    int lock, result;

    if (gl_launch_named(launcher, launch, id, err) != 0)
        return -1;
    lock = gl_launch_lock(launcher->state_folder, id, LOCK_WAIT_MS, err);
    if (lock < 0)
        return -1;
    result = shift_id(launcher, id, shift, err);
    gl_launch_unlock(lock);
    return result;
}

int gl_launch_pause(struct gl_launcher *launcher, const char *launch,
                    const struct gl_shift_reason *reason, struct gl_error *err)
{
    return shift_launch(launcher, launch, &(struct shift){&pausing, NULL, reason}, err);
}

int gl_launch_resume(struct gl_launcher *launcher, const char *launch,
                     const struct gl_shift_reason *reason, struct gl_error *err)
{
    return shift_launch(launcher, launch, &(struct shift){&resuming, NULL, reason}, err);
}

int gl_launch_move(struct gl_launcher *launcher, const char *launch,
                   const struct gl_shift_place *to, const struct gl_shift_reason *reason,
                   struct gl_error *err)
{
    return shift_launch(launcher, launch, &(struct shift){&moving, to, reason}, err);
}
