/* SPDX-License-Identifier: Apache-2.0 */
/* What became of launches: by name, after a crash, at the end that was asked for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/attempt.h"
#include "broker/finish.h"
#include "broker/host.h"
#include "broker/place.h"
#include "broker/readings.h"
#include "broker/relocate.h"
#include "broker/rollcall.h"
#include "broker/shift.h"
#include "broker/tenant.h"

/* ---- what the user means ---- */

int gl_launch_named(struct gl_launcher *launcher, const char *name, char out_id[GL_CLOUD_ID],
                    struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    const struct gl_launch_row *found = NULL;
    unsigned live = 0;

    if (gl_ledger_launches(launcher->ledger, name, &rows, err) != 0)
        return -1;
    for (size_t i = 0; i < rows.count; i++) {
        const struct gl_launch_row *row = &rows.rows[i];

        if (strcmp(row->launch, name) == 0) {
            found = row;
            live = 1;
            break;
        }
        if (strcmp(row->name, name) != 0)
            continue;
        if (found == NULL || (!gl_launch_row_is_over(row) && live == 0))
            found = row;
        live += !gl_launch_row_is_over(row);
    }
    if (live > 1)
        return gl_fail(err, GL_E_USAGE, "%u live launches are called \"%s\": say which by its id",
                       live, name);
    if (found == NULL)
        return gl_fail(err, GL_E_UNKNOWN_NAME, "no launch \"%s\"", name);
    snprintf(out_id, GL_CLOUD_ID, "%s", found->launch);
    return 0;
}

/* ---- clouds that do not answer ---- */

const struct gl_error *gl_launcher_silence(const struct gl_launcher *launcher, const char *cloud)
{
    for (size_t i = 0; i < launcher->silent.count; i++)
        if (strcmp(launcher->silent.items[i].cloud, cloud) == 0)
            return &launcher->silent.items[i].why;
    return NULL;
}

bool gl_launcher_is_silent(const struct gl_launcher *launcher, const char *cloud)
{
    return gl_launcher_silence(launcher, cloud) != NULL;
}

bool gl_launcher_would_be_silent(const char *cloud, const struct gl_error *why)
{
    bool is_for_all = why->code == GL_E_NETWORK || why->code == GL_E_TIMEOUT ||
                      why->code == GL_E_RATE_LIMIT || why->code == GL_E_NO_CREDENTIAL ||
                      why->code == GL_E_CONFIG;

    return is_for_all && gl_cloud_is_remote(cloud);
}

void gl_launcher_note_silence(struct gl_launcher *launcher, const char *cloud,
                              const struct gl_error *why)
{
    struct gl_silent *silent = &launcher->silent;

    if (!gl_launcher_would_be_silent(cloud, why) || gl_launcher_is_silent(launcher, cloud) ||
        silent->count == GL_SILENT_MAX)
        return;
    snprintf(silent->items[silent->count].cloud, sizeof silent->items[0].cloud, "%s", cloud);
    silent->items[silent->count++].why = *why;
}

/* ---- after a crash ---- */

enum settled { SETTLED_RUNS, SETTLED_ABSENT, SETTLED_UNKNOWN, SETTLED_FAILED };

/* An intent without an instance: ask for its token what became of it, and write that down. */
static enum settled settle(struct gl_launcher *launcher, const struct gl_launch_row *row,
                           struct gl_cloud *cloud, struct gl_error *err)
{
    struct gl_instance instance;
    struct gl_error look = {0};

    switch (cloud->ops->find_by_request(cloud, row->region, row->token, &instance, &look)) {
    case 1:
        return gl_launch_record_running(launcher, &instance, row->launch, "adopted", err) == 0
                   ? SETTLED_RUNS
                   : SETTLED_FAILED;
    case 0:
        if (!gl_attempt_is_settled(launcher, row, cloud))
            return SETTLED_UNKNOWN;
        if (gl_tenant_check(launcher, row, cloud, err) != 0)
            return SETTLED_FAILED;
        return gl_launch_record_state(launcher, row->launch, "absent", "ended",
                                      "it was never started", err) == 0
                   ? SETTLED_ABSENT
                   : SETTLED_FAILED;
    default:
        gl_launcher_note_silence(launcher, row->cloud, &look);
        return SETTLED_UNKNOWN;
    }
}

/* What the intent said of the clock that never steps. */
struct intent_clock {
    char boot[GL_BOOT_ID];
    int64_t monotonic_ms;
};

static int note_intent_clock(void *cookie, const json_t *event)
{
    struct intent_clock *clock = cookie;
    const json_t *body = json_object_get(event, "body");
    const char *boot = json_string_value(json_object_get(body, "boot"));

    if (boot == NULL)
        return 0;
    snprintf(clock->boot, sizeof clock->boot, "%s", boot);
    clock->monotonic_ms = json_integer_value(json_object_get(body, "monotonic_ms"));
    return 0;
}

/* A wall clock that jumped ahead must not end what has just begun: within one boot the clock that
 * never steps decides, across boots the wall clock is all there is. */
static bool is_lease_over(struct gl_launcher *launcher, const struct gl_launch_row *row)
{
    struct intent_clock clock = {.boot = ""};
    struct gl_error ignored = {0};
    char boot[GL_BOOT_ID];
    int64_t run_ms;

    if (row->expires_ms > launcher->world->now_ms(launcher->world->cookie))
        return false;
    gl_host_boot_id(boot);
    if (boot[0] == '\0' ||
        gl_ledger_events(launcher->ledger, row->launch, &clock, note_intent_clock, &ignored) != 0 ||
        strcmp(clock.boot, boot) != 0)
        return true;
    run_ms = launcher->world->monotonic_ms(launcher->world->cookie) - clock.monotonic_ms;
    return run_ms < 0 || run_ms >= row->expires_ms - row->created_ms;
}

/* It was being paused, resumed or moved: the cloud says what came of it. */
static int settle_shift(struct gl_launcher *launcher, const struct gl_launch_row *row,
                        const struct gl_instance *instance, struct gl_reconciled *counts,
                        struct gl_error *err)
{
    bool changed;

    if (gl_shift_settle(launcher, row, instance, &changed, err) != 0)
        return -1;
    counts->shifted += changed;
    return 0;
}

/* A machine whose place is not proven yet is asked for its document: gl_collect() writes down what
 * comes of it. */
static void look_for_place(struct gl_launcher *launcher, const struct gl_launch_row *row,
                           const struct gl_instance *instance, struct gl_cloud *cloud)
{
    struct gl_collected got;
    struct gl_error ignored = {0};

    if ((cloud->ops->caps & GL_CLOUD_CONSOLE) != 0 && instance->state == GL_STATE_RUNNING &&
        gl_place_is_awaited(launcher, row) && gl_collect(launcher, row, cloud, &got, &ignored) == 0)
        gl_collected_done(&got);
}

static int reconcile_running(struct gl_launcher *launcher, const struct gl_launch_row *row,
                             struct gl_cloud *cloud, struct gl_reconciled *counts,
                             struct gl_error *err)
{
    struct gl_ending ending = {.wait = {5}, .exit_status = -1};
    struct gl_instance instance;
    struct gl_error look = {0};
    unsigned *count = &counts->finished;
    int result;

    if (cloud->ops->describe(cloud, row->instance, &instance, &look) != 0) {
        if (look.code == GL_E_LAUNCH) { /* ended there; told now, closed by the next look */
            *err = look;
            return -1;
        }
        if (look.code != GL_E_NOT_FOUND || !gl_attempt_is_settled(launcher, row, cloud)) {
            gl_launcher_note_silence(launcher, row->cloud, &look);
            counts->unknown++;
            return 0;
        }
        if (gl_tenant_check(launcher, row, cloud, err) != 0)
            return -1;
        count = &counts->lost;
    } else if (!gl_instance_is_over(&instance) && instance.state != GL_STATE_HALTED) {
        if (strcmp(row->state, "stopping") != 0 && !is_lease_over(launcher, row)) {
            look_for_place(launcher, row, &instance, cloud);
            return settle_shift(launcher, row, &instance, counts, err);
        }
        count = &counts->reaped;
    }
    result = gl_launch_end(launcher, row, cloud, &ending, err);
    free(ending.receipt);
    *count += result == 0;
    if (result != 0)
        gl_launcher_note_silence(launcher, row->cloud, err);
    return result;
}

/* It was on its way to another region: gone on with or undone, and its row read again. */
static int settle_relocation(struct gl_launcher *launcher, struct gl_launch_rows *rows,
                             size_t *index, struct gl_cloud *cloud, bool is_ending,
                             enum gl_relocate_settled *out, struct gl_error *err)
{
    char id[GL_CLOUD_ID];

    *out = GL_RELOCATE_NONE;
    if (strcmp(rows->rows[*index].state, "moving") != 0)
        return 0;
    snprintf(id, sizeof id, "%s", rows->rows[*index].launch);
    if (gl_relocate_settle(launcher, &rows->rows[*index], cloud, is_ending, out, err) != 0)
        return -1;
    return gl_launch_find(launcher, id, rows, index, err);
}

/* With the launch locked; the row is read only now, another process may just have finished it. */
static int reconcile_locked(struct gl_launcher *launcher, const char *id, struct gl_cloud *cloud,
                            struct gl_reconciled *counts, struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    enum gl_relocate_settled relocated;
    size_t index;

    if (gl_launch_find(launcher, id, &rows, &index, err) != 0)
        return -1;
    if (gl_launch_row_is_over(&rows.rows[index]))
        return 0;
    if (rows.rows[index].instance[0] == '\0') {
        switch (settle(launcher, &rows.rows[index], cloud, err)) {
        case SETTLED_RUNS:
            counts->adopted++;
            break;
        case SETTLED_ABSENT:
            counts->absent++;
            return 0;
        case SETTLED_UNKNOWN:
            counts->unknown++;
            return 0;
        case SETTLED_FAILED:
            return -1;
        }
        if (gl_launch_find(launcher, id, &rows, &index, err) != 0)
            return -1;
    }
    if (settle_relocation(launcher, &rows, &index, cloud, false, &relocated, err) != 0)
        return -1;
    counts->unknown += relocated == GL_RELOCATE_BUSY;
    counts->shifted += relocated == GL_RELOCATE_MOVED || relocated == GL_RELOCATE_STAYED;
    if (relocated == GL_RELOCATE_BUSY)
        return 0;
    return reconcile_running(launcher, &rows.rows[index], cloud, counts, err);
}

static int reconcile_one(struct gl_launcher *launcher, const struct gl_launch_row *row,
                         struct gl_reconciled *counts, struct gl_error *err)
{
    struct gl_error open_error = {0};
    struct gl_error busy = {0};
    struct gl_cloud *cloud;
    int result, lock;

    if (gl_launcher_is_silent(launcher, row->cloud)) {
        counts->unknown++;
        return 0;
    }
    lock = gl_launch_lock(launcher->state_folder, row->launch, 0, &busy);
    if (lock < 0)
        return busy.code == GL_E_LOCKED ? 0 : gl_fail(err, busy.code, "%s", busy.text);
    cloud = launcher->open(launcher->cookie, row->cloud, row->zone, &open_error);
    if (cloud == NULL) {
        gl_launcher_note_silence(launcher, row->cloud, &open_error);
        counts->unknown++;
        gl_launch_unlock(lock);
        return 0;
    }
    result = reconcile_locked(launcher, row->launch, cloud, counts, err);
    gl_cloud_close(cloud);
    gl_launch_unlock(lock);
    return result;
}

int gl_launch_reconcile(struct gl_launcher *launcher, struct gl_reconciled *out,
                        struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};

    *out = (struct gl_reconciled){0};
    if (gl_ledger_launches(launcher->ledger, NULL, &rows, err) != 0)
        return -1;
    if (!launcher->is_roll_called) {
        launcher->silent.count = 0;
        gl_rollcall_of(launcher, &rows);
    }
    launcher->is_roll_called = false;
    for (size_t i = 0; i < rows.count; i++) {
        struct gl_error one = {0};

        if (gl_launch_row_is_over(&rows.rows[i]) ||
            reconcile_one(launcher, &rows.rows[i], out, &one) == 0)
            continue;
        gl_wrap(&one, "launch %s", rows.rows[i].launch);
        if (out->failed++ == 0)
            out->first = one;
    }
    gl_readings_sweep(launcher, &rows);
    return 0;
}

/* ---- the end that was asked for ---- */

static int show_again(const struct gl_launch_row *row, struct gl_ending *ending)
{
    ending->is_over = true;
    ending->receipt = gl_strdup(row->receipt);
    return 0;
}

static int finish_locked(struct gl_launcher *launcher, const char *id, struct gl_cloud *cloud,
                         struct gl_ending *ending, struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    enum settled settled = SETTLED_RUNS;
    enum gl_relocate_settled relocated;
    size_t index;

    /* Another process may have finished it while we waited. */
    if (gl_launch_find(launcher, id, &rows, &index, err) != 0)
        return -1;
    if (rows.rows[index].receipt[0] != '\0')
        return show_again(&rows.rows[index], ending);
    if (gl_launch_row_is_over(&rows.rows[index]))
        settled = SETTLED_ABSENT;
    else if (rows.rows[index].instance[0] == '\0')
        settled = settle(launcher, &rows.rows[index], cloud, err);
    switch (settled) {
    case SETTLED_RUNS:
        break;
    case SETTLED_ABSENT:
        return gl_fail(err, GL_E_NOT_FOUND, "launch %s never started: it has no receipt", id);
    case SETTLED_UNKNOWN:
        return gl_fail(err, GL_E_PROVIDER, "launch %s: it is not known whether it started", id);
    case SETTLED_FAILED:
        return -1;
    }
    if (gl_launch_find(launcher, id, &rows, &index, err) != 0 ||
        settle_relocation(launcher, &rows, &index, cloud, true, &relocated, err) != 0)
        return -1;
    return gl_launch_end(launcher, &rows.rows[index], cloud, ending, err);
}

static int finish_id(struct gl_launcher *launcher, const char *id, struct gl_ending *ending,
                     struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct gl_cloud *cloud;
    size_t index;
    int result;

    if (gl_launch_find(launcher, id, &rows, &index, err) != 0)
        return -1;
    if (rows.rows[index].receipt[0] != '\0')
        return show_again(&rows.rows[index], ending);
    cloud = launcher->open(launcher->cookie, rows.rows[index].cloud, rows.rows[index].zone, err);
    if (cloud == NULL)
        return -1;
    result = finish_locked(launcher, id, cloud, ending, err);
    gl_cloud_close(cloud);
    return result;
}

int gl_launch_finish(struct gl_launcher *launcher, const char *launch, struct gl_ending *ending,
                     struct gl_error *err)
{
    char id[GL_CLOUD_ID];
    int lock, result;

    ending->is_over = false;
    ending->receipt = NULL;
    if (gl_launch_named(launcher, launch, id, err) != 0)
        return -1;
    lock = gl_launch_lock(launcher->state_folder, id, 15000, err);
    if (lock < 0)
        return -1;
    result = finish_id(launcher, id, ending, err);
    gl_launch_unlock(lock);
    return result;
}
