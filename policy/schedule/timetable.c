/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/schedule/timetable.h"

#include "policy/facts.h"

bool gl_timetable_is_sound(const struct gl_timetable *timetable)
{
    int64_t before_s = -1;

    if (timetable->count == 0 || timetable->count > GL_TIMETABLE_RUNS_MAX || timetable->work_s < 1)
        return false;
    for (size_t i = 0; i < timetable->count; i++) {
        const struct gl_timetable_run *run = &timetable->runs[i];

        if (run->from_s <= before_s || run->until_s <= run->from_s)
            return false;
        before_s = run->until_s;
    }
    return timetable->deadline_s >= timetable->runs[0].from_s + timetable->work_s;
}

/* Of the stretches after an instant, as far as they lie before the deadline. */
static int64_t planned_after(const struct gl_timetable *timetable, int64_t at_s)
{
    int64_t sum_s = 0;

    for (size_t i = 0; i < timetable->count; i++) {
        const struct gl_timetable_run *run = &timetable->runs[i];
        int64_t until_s =
            run->until_s < timetable->deadline_s ? run->until_s : timetable->deadline_s;

        if (run->from_s > at_s && until_s > run->from_s)
            sum_s += until_s - run->from_s;
    }
    return sum_s;
}

static const struct gl_timetable_run *run_at(const struct gl_timetable *timetable, int64_t at_s)
{
    for (size_t i = 0; i < timetable->count; i++)
        if (at_s >= timetable->runs[i].from_s && at_s < timetable->runs[i].until_s)
            return &timetable->runs[i];
    return NULL;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When the next stretch begins, and when the one before ended. */
static void find_gap(const struct gl_timetable *timetable, int64_t now_s, int64_t *out_since_s,
                     int64_t *out_next_s)
{
    *out_since_s = timetable->runs[0].from_s;
    *out_next_s = INT64_MAX;
    for (size_t i = timetable->count; i-- > 0;) {
        const struct gl_timetable_run *run = &timetable->runs[i];

        if (run->from_s > now_s)
            *out_next_s = run->from_s;
        if (run->until_s <= now_s && run->until_s > *out_since_s)
            *out_since_s = run->until_s;
    }
}

/* Between two stretches, or after the last. */
static void decide_between(const struct gl_timetable *timetable,
                           const struct gl_timetable_state *state, int64_t left_s,
                           struct gl_timetable_choice *out)
{
    int64_t spare_s = timetable->deadline_s - state->now_s - left_s;
    int64_t ahead_s = planned_after(timetable, state->now_s), next_s;

    find_gap(timetable, state->now_s, &out->since_s, &next_s);
    if (ahead_s >= left_s && !out->is_forced) {
        out->wish = GL_TIMETABLE_PAUSE;
        out->until_s =
            least(next_s, state->now_s + spare_s - GL_TIMETABLE_RESTART_S - state->late_s + 1);
        return;
    }
    out->until_s = state->now_s + (out->is_forced ? left_s : left_s - ahead_s);
    out->until_s = least(out->until_s, next_s);
}

/* A pause is only begun when it can last two looks, so that it is not ended by the look after. */
static bool is_forced(const struct gl_timetable *timetable, const struct gl_timetable_state *state,
                      int64_t left_s)
{
    int64_t spare_s = timetable->deadline_s - state->now_s - left_s;

    return spare_s < GL_TIMETABLE_RESTART_S + state->late_s * (state->is_paused ? 1 : 2);
}

void gl_timetable_decide(const struct gl_timetable *timetable,
                         const struct gl_timetable_state *state, struct gl_timetable_choice *out)
{
    int64_t left_s = timetable->work_s - (state->done_s > 0 ? state->done_s : 0);
    const struct gl_timetable_run *run = run_at(timetable, state->now_s);

    *out = (struct gl_timetable_choice){
        .wish = GL_TIMETABLE_RUN, .since_s = state->now_s, .until_s = GL_UNKNOWN};
    if (left_s <= 0) {
        out->wish = GL_TIMETABLE_END;
        return;
    }
    out->is_forced = is_forced(timetable, state, left_s);
    if (run != NULL)
        out->until_s = least(run->until_s, state->now_s + left_s);
    else
        decide_between(timetable, state, left_s, out);
}
