/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "broker/cli/demo.h"
#include "broker/cli/help.h"

#define SPEED     1440 /* a day in a minute */
#define SPEED_MAX 1000000

struct demo_values {
    const char *speed, *trace;
    int64_t instances, seed;
};
#define AT(field) offsetof(struct demo_values, field)

static const struct gl_option options[] = {
    {.name = "speed",
     .kind = GL_OPT_TEXT,
     .offset = AT(speed),
     .argument = "FACTOR",
     .help =
         "how fast the virtual clock goes, as in 1440x (a day in a minute, the default), or max"},
    {.name = "instances",
     .kind = GL_OPT_INTEGER,
     .offset = AT(instances),
     .argument = "N",
     .help = "how many jobs arrive during the day (12)",
     .low = 1,
     .high = GL_DEMO_INSTANCES_MAX},
    {.name = "trace",
     .kind = GL_OPT_TEXT,
     .offset = AT(trace),
     .argument = "FILE",
     .help = "replay the last day of a recorded series file instead of an invented day",
     .complete = "file"},
    {.name = "seed",
     .kind = GL_OPT_INTEGER,
     .offset = AT(seed),
     .argument = "N",
     .help = "another invented day, other jobs (46)",
     .low = 0,
     .high = INT64_C(1000000000)},
    {.name = NULL},
};

static int read_speed(const char *text, double *out, struct gl_error *err)
{
    char *end = NULL, shown[GL_TEXT_SHOWN];
    double speed;

    *out = SPEED;
    if (text == NULL)
        return 0;
    if (strcmp(text, "max") == 0) {
        *out = 0;
        return 0;
    }
    speed = text[0] >= '0' && text[0] <= '9' ? strtod(text, &end) : 0;
    if (end == NULL || (strcmp(end, "x") != 0 && *end != '\0') || !(speed >= 1) ||
        speed > SPEED_MAX)
        return gl_fail(err, GL_E_USAGE, "--speed %s: write a factor from 1x to %dx, or max",
                       gl_text_show(text, shown), SPEED_MAX);
    *out = speed;
    return 0;
}

/* In memory where there is a place for that: thousands of receipts are written and thrown away. */
static char *make_scratch(struct gl_context *context, struct gl_error *err)
{
    const char *parent = context->world.getenv(context->world.cookie, "TMPDIR");
    struct gl_str path = {0};

    if (parent == NULL || parent[0] == '\0')
        parent = access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
    gl_str_addf(&path, "%s/greenlaunch-demo-XXXXXX", parent);
    if (mkdtemp(path.text) != NULL)
        return gl_str_take(&path);
    gl_fail_sys(err, GL_E_IO, errno, "cannot make a folder below %s", parent);
    gl_str_done(&path);
    return NULL;
}

static int check_ledger(struct gl_demo *demo, struct gl_error *err)
{
    struct gl_ledger_check check;

    if (gl_ledger_check(demo->launcher.ledger, &check, err) != 0)
        return -1;
    demo->ledger_events = check.events;
    return 0;
}

static int live_through(struct gl_demo *demo, struct gl_error *err)
{
    int result;

    if (gl_demo_begin(demo, err) != 0)
        return -1;
    gl_demo_show_start(demo);
    result = gl_demo_run(demo, err);
    if (result == 0)
        result = check_ledger(demo, err);
    if (result == 0)
        gl_demo_sum_up(demo);
    gl_demo_done(demo);
    return result;
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct demo_values *values = call->values;
    struct gl_error ignored = {0};
    struct gl_demo *demo;
    int result = -1;

    if (call->operands->count != 1 || strcmp(call->operands->words[0], "day") != 0)
        return gl_fail(err, GL_E_USAGE, "there is one demonstration: greenlaunch demo day");
    demo = gl_alloc(sizeof *demo);
    demo->context = context;
    demo->options.trace = values->trace;
    demo->options.seed = values->seed != INT64_MIN ? (uint64_t)values->seed : GL_DEMO_SEED;
    demo->options.instances =
        values->instances != INT64_MIN ? (uint32_t)values->instances : GL_DEMO_INSTANCES;
    demo->events = context->globals.is_json ? json_array() : NULL;
    if (read_speed(values->speed, &demo->options.speed, err) == 0 &&
        (demo->folder = make_scratch(context, err)) != NULL)
        result = live_through(demo, err);
    if (demo->folder != NULL)
        gl_dir_remove(demo->folder, &ignored);
    result = result == 0 ? demo->counts.unverified > 0 ? GL_EXIT_BREACH : GL_EXIT_OK : -1;
    json_decref(demo->events);
    free(demo->folder);
    free(demo);
    return result;
}

const struct gl_command gl_command_demo = {
    .name = "demo",
    .group = "Set up",
    .summary = "a simulated day: promises, a grid spike, moves, pauses, receipts",
    .operands = "day",
    .description =
        "Runs one day on a virtual clock over simulated grids and a simulated cloud, through the "
        "same decisions, promises, launch journal, guard and receipts as everything real. Jobs "
        "arrive, start where green can be promised, and are moved, paused until green or only "
        "reported when their promise lapses, as their rules say. Without --trace the grids are "
        "invented from --seed: the same seed gives the same day. The state lies in a scratch "
        "folder "
        "that is removed at the end. Every line says SIMULATED.",
    .example = "greenlaunch demo day --speed max",
    .options = options,
    .values_size = sizeof(struct demo_values),
    .run = run,
};
