/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/finish.h"

#include "broker/closing.h"
#include "broker/place.h"
#include "broker/shift.h"
#include "providers/cloud/remote.h"

#define FREE_LOOK_MS 2000

/* ---- ending ---- */

/* The note says when it was last seen alive. */
static int record_stopping(struct gl_launcher *launcher, const char *launch, struct gl_error *err)
{
    int64_t alive_ms = launcher->world->now_ms(launcher->world->cookie);
    GL_AUTO(gl_auto_json)
    json_t *body = json_pack("{s:s,s:I}", "state", "stopping", "alive_ms", (json_int_t)alive_ms);
    struct gl_launch_change change = {GL_LAUNCH_KEEP, .launch = launch, .state = "stopping"};

    return gl_ledger_append(launcher->ledger, "stopping", launch, body, &change, err);
}

bool gl_instance_is_over(const struct gl_instance *instance)
{
    return instance->state == GL_STATE_ENDED || instance->state == GL_STATE_LOST;
}

/* Nothing may be called ended that still runs; what counts is what is seen, not what the provider
 * says of its own doing. */
static int make_sure(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    struct gl_instance instance;
    struct gl_error why = {0};

    if (gl_instance_look(&cloud, id, &instance, err) != 0)
        return -1;
    if (gl_instance_is_over(&instance))
        return 0;
    cloud->ops->terminate(cloud, id, &why);
    if (gl_instance_look(&cloud, id, &instance, err) != 0)
        return -1;
    if (gl_instance_is_over(&instance))
        return 0;
    if (why.code != GL_OK)
        return gl_fail(err, why.code, "%s", why.text);
    return gl_fail(err, GL_E_PROVIDER, "instance %s was told to end and is still %s", id,
                   gl_instance_state_word(instance.state));
}

/* A stop that failed for want of space on this machine is made good by force: a full disk must not
 * keep anything running. Any other failure is the caller's to try again, unless it is over. */
static int stop_instance(struct gl_cloud *cloud, const char *id, struct gl_span wait,
                         struct gl_error *err)
{
    struct gl_cloud *asked = cloud;
    struct gl_instance instance;
    struct gl_error why = {0}, ignored = {0};

    if (cloud->ops->stop(cloud, id, wait, &why) == 0 || why.code == GL_E_DISK_FULL ||
        why.code == GL_E_IO)
        return make_sure(cloud, id, err);
    if (gl_instance_look(&asked, id, &instance, &ignored) == 0 && gl_instance_is_over(&instance))
        return 0;
    return gl_fail(err, why.code, "%s", why.text);
}

static int end_instance(struct gl_launcher *launcher, const struct gl_launch_row *row,
                        struct gl_cloud *cloud, struct gl_span wait, struct gl_error *err)
{
    struct gl_cloud *asked = cloud;
    struct gl_instance instance;
    struct gl_error unwritten = {0};

    if (gl_instance_look(&asked, row->instance, &instance, err) != 0)
        return -1;
    gl_shift_settle_before_end(launcher, row, cloud, &instance);
    if (gl_instance_is_over(&instance))
        return 0;
    /* A full disk must not keep anything running: the stop does not wait for the note. */
    record_stopping(launcher, row->launch, &unwritten);
    gl_launch_step(launcher, "stopping");
    if (stop_instance(cloud, row->instance, wait, err) != 0)
        return -1;
    gl_launch_step(launcher, "stopped");
    return 0;
}

/* ---- ending a rented machine: its console may go with it, so it is powered off, then read, then
 * freed ---- */

/* Powered off: it runs no more, and its disk is still there. */
static bool is_off(const struct gl_instance *instance)
{
    return gl_instance_is_over(instance) || instance->state == GL_STATE_HALTED;
}

/* Freed: providers take their time. */
static int free_rented(struct gl_launcher *launcher, struct gl_cloud *cloud, const char *id,
                       struct gl_error *err)
{
    const struct gl_world *world = launcher->world;
    int64_t until = world->monotonic_ms(world->cookie) + GL_REMOTE_DEADLINE_MS;

    for (;;) {
        gl_error_clear(err);
        if (make_sure(cloud, id, err) == 0)
            return 0;
        if (err->code != GL_E_PROVIDER || world->monotonic_ms(world->cookie) >= until)
            return -1;
        world->sleep_ms(world->cookie, FREE_LOOK_MS);
    }
}

static int power_off(struct gl_launcher *launcher, const struct gl_launch_row *row,
                     struct gl_cloud *cloud, struct gl_span wait, struct gl_error *err)
{
    struct gl_cloud *asked = cloud;
    struct gl_instance instance;
    struct gl_error why = {0};
    int64_t left = GL_REMOTE_DEADLINE_MS + GL_REMOTE_SETTLE_MS;
    const struct gl_world *world = launcher->world;

    while (gl_instance_look_believed(launcher, row, &asked, &instance, err) != 0) {
        if (err->code != GL_E_BUSY || (left -= FREE_LOOK_MS) < 0)
            return -1;
        gl_error_clear(err);
        world->sleep_ms(world->cookie, FREE_LOOK_MS);
    }
    gl_shift_settle_before_end(launcher, row, cloud, &instance);
    if (is_off(&instance))
        return 0;
    record_stopping(launcher, row->launch, &why);
    gl_error_clear(&why);
    gl_launch_step(launcher, "stopping");
    if (cloud->ops->stop(cloud, row->instance, wait, &why) == 0)
        return 0;
    if (gl_instance_look(&asked, row->instance, &instance, err) != 0)
        return -1;
    return is_off(&instance) || instance.state == GL_STATE_STOPPING
               ? 0
               : gl_fail(err, why.code, "%s", why.text);
}

/* With the receipt in its file a machine that is off may go; one that is not off goes first. */
static int close_rented(struct gl_launcher *launcher, struct gl_run *run, struct gl_cloud *cloud,
                        struct gl_ending *ending, struct gl_error *err)
{
    GL_AUTO(gl_sealed_done) struct gl_sealed sealed = {NULL, NULL};
    bool is_over = gl_instance_is_over(&run->instance), was_off = is_off(&run->instance);
    const char *id = run->row->instance;

    gl_run_take_exit(run, ending);
    if (!was_off && free_rented(launcher, cloud, id, err) != 0)
        return -1;
    ending->is_over = true;
    if (gl_run_seal(launcher, run, &sealed, err) != 0)
        return -1;
    if (was_off && !is_over && free_rented(launcher, cloud, id, err) != 0)
        return -1;
    gl_launch_step(launcher, "stopped");
    return gl_sealed_record(launcher, run, &sealed, &ending->receipt, err);
}

static int end_rented(struct gl_launcher *launcher, const struct gl_launch_row *row,
                      struct gl_cloud *cloud, struct gl_ending *ending, struct gl_error *err)
{
    struct gl_run run = {.row = row};
    int result;

    if (power_off(launcher, row, cloud, ending->wait, err) != 0 ||
        gl_run_read(launcher, cloud, &run, err) != 0)
        return -1;
    if (run.got.said.identity.length > 0)
        gl_place_prove(launcher, row, cloud, &run.got.said);
    result = close_rented(launcher, &run, cloud, ending, err);
    gl_run_done(&run);
    return result;
}

int gl_launch_end(struct gl_launcher *launcher, const struct gl_launch_row *row,
                  struct gl_cloud *cloud, struct gl_ending *ending, struct gl_error *err)
{
    bool is_rented = (cloud->ops->caps & GL_CLOUD_REMOTE) != 0;

    if (!is_rented && end_instance(launcher, row, cloud, ending->wait, err) != 0)
        return -1;
    ending->is_over = !is_rented;
    if (is_rented ? end_rented(launcher, row, cloud, ending, err) == 0
                  : gl_run_close(launcher, row, cloud, ending, err) == 0)
        return 0;
    if (!ending->is_over)
        return -1;
    if (err->code != GL_E_DISK_FULL)
        return gl_wrap(err, "%s is stopped, but could not be closed", row->launch);
    return gl_wrap(err,
                   "%s is stopped, but the ledger could not be written: free space and run "
                   "`greenlaunch status`",
                   row->launch);
}
