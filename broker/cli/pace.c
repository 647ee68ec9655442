/* SPDX-License-Identifier: Apache-2.0 */
/* The pauses of a command that is followed: broker/cli/stretches.h. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/time.h"
#include "broker/cli/stretches.h"
#include "broker/finish.h"

#define LATE      "30s" /* how late a look of ours comes at worst */
#define LATE_S    30
#define AGAIN_MS  10000 /* after a look: it may have been another guard's turn */
#define LONGEST_S 10    /* the clock may be set */
#define END_MS    30000

static int64_t monotonic_ms(const struct gl_pace *pace)
{
    const struct gl_world *world = &pace->context->world;

    return world->monotonic_ms(world->cookie);
}

void gl_pace_begin(struct gl_pace *pace, struct gl_context *context, struct gl_launcher *launcher,
                   const char *launch)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_json) json_t *plan = NULL;
    size_t index;

    memset(pace, 0, sizeof *pace);
    pace->context = context;
    pace->launcher = launcher;
    snprintf(pace->launch, sizeof pace->launch, "%s", launch);
    if (gl_launch_find(launcher, launch, &rows, &index, &ignored) != 0)
        return;
    plan = gl_json_parse(rows.rows[index].plan, strlen(rows.rows[index].plan), "plan", &ignored);
    if (plan == NULL || gl_timetable_read(plan, &pace->kept, &ignored) != 0)
        pace->kept.timetable.count = 0;
}

static void start_look(struct gl_pace *pace)
{
    GL_AUTO(gl_auto_free) char *program = gl_path_join(gl_path_of_program(), "greenlaunch");
    const char *same[GL_SAME_WORDS];
    const char *argv[GL_SAME_WORDS + 9] = {program,    "guard",      "--once",  "--quiet",
                                           "--launch", pace->launch, "--every", LATE};
    size_t count = gl_context_same(pace->context, argv + 1, same);
    struct gl_error why = {0};

    memcpy(argv + 8, same, count * sizeof *same);
    count += 8;
    argv[count] = NULL;
    pace->is_looking = gl_process_start(&(struct gl_spawn){.argv = argv,
                                                           .stdin_fd = -1,
                                                           .stdout_fd = -1,
                                                           .stderr_fd = -1,
                                                           .uid = -1,
                                                           .gid = -1},
                                        &pace->looking, &why) == 0;
    if (!pace->is_looking)
        gl_say(pace->context, "its pauses cannot be looked after now: %s", why.text);
}

/* What the timetable wants of the launch as the ledger knows it; false when nothing can be said. */
static bool wish_of(struct gl_pace *pace, struct gl_timetable_state *state,
                    struct gl_timetable_choice *out)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct gl_error ignored = {0};
    size_t index;

    if (gl_launch_find(pace->launcher, pace->launch, &rows, &index, &ignored) != 0 ||
        gl_timetable_done(pace->launcher, &rows.rows[index], &state->done_s, &ignored) != 0)
        return false;
    state->now_s = gl_now(&pace->context->world).unix_s;
    state->late_s = LATE_S;
    state->is_paused = strcmp(rows.rows[index].state, "paused") == 0;
    gl_timetable_decide(&pace->kept.timetable, state, out);
    return true;
}

static bool is_due(struct gl_pace *pace)
{
    struct gl_timetable_state state;
    struct gl_timetable_choice wish;
    int64_t left_s = AGAIN_MS / 1000;

    if (!wish_of(pace, &state, &wish))
        return false;
    if (wish.wish == GL_TIMETABLE_END || state.is_paused != (wish.wish == GL_TIMETABLE_PAUSE))
        return true;
    if (wish.until_s != GL_UNKNOWN)
        left_s = wish.until_s - state.now_s;
    left_s = left_s < 1 ? 1 : left_s > LONGEST_S ? LONGEST_S : left_s;
    pace->next_ms = monotonic_ms(pace) + left_s * 1000;
    return false;
}

static void say_state(struct gl_pace *pace)
{
    struct gl_timetable_state state;
    struct gl_timetable_choice wish;
    char until[GL_INSTANT_TEXT];

    if (!wish_of(pace, &state, &wish) || wish.until_s == GL_UNKNOWN ||
        state.is_paused != (wish.wish == GL_TIMETABLE_PAUSE))
        return;
    gl_say(pace->context, "%s until %s, as planned", state.is_paused ? "paused" : "running",
           gl_instant_text((struct gl_instant){wish.until_s}, until));
}

void gl_pace_tick(struct gl_pace *pace)
{
    int status;

    if (pace->kept.timetable.count == 0)
        return;
    if (pace->is_looking) {
        if (gl_process_wait(&pace->looking, 0, &status) == 0)
            return;
        pace->is_looking = false;
        pace->next_ms = monotonic_ms(pace) + AGAIN_MS;
        say_state(pace);
        return;
    }
    if (monotonic_ms(pace) < pace->next_ms)
        return;
    pace->next_ms = monotonic_ms(pace) + AGAIN_MS;
    if (is_due(pace))
        start_look(pace);
}

/* A look under way is left to end: it may be writing the state of the machine. */
void gl_pace_end(struct gl_pace *pace)
{
    int status;

    if (pace->is_looking && gl_process_wait(&pace->looking, END_MS, &status) == 0)
        gl_process_kill(&pace->looking, SIGTERM);
    pace->is_looking = false;
    pace->kept.timetable.count = 0;
}
