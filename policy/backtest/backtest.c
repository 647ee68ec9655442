/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/backtest/part.h"

#include <math.h>
#include <string.h>

/* The replay: hour after hour, all tasks of all strategies together, so that nothing an hour knows
 * can come from a later one. */

/* Before the first arrival: a year of replay and what its first decision looks back on. */
#define LEARN_H ((int64_t)(GL_GUARANTEE_REPLAY_DAYS + GL_GUARANTEE_WINDOW_DAYS + 5) * 24)

static const char *const words[] = {"now", "wait", "pause", "place", "free", "guard", "oracle"};

static const char *const titles[] = {
    [GL_BACKTEST_NOW] = "start now, same place", [GL_BACKTEST_WAIT] = "wait for best hour",
    [GL_BACKTEST_PAUSE] = "plan with pauses",    [GL_BACKTEST_PLACE] = "best place, now",
    [GL_BACKTEST_FREE] = "best place and hours", [GL_BACKTEST_GUARD] = "best place, guarded",
    [GL_BACKTEST_ORACLE] = "perfect forecast",
};

static const char *const ends[] = {
    [GL_BACKTEST_DONE] = "done",     [GL_BACKTEST_REFUSED] = "refused",
    [GL_BACKTEST_MISSED] = "missed", [GL_BACKTEST_STOPPED] = "stopped",
    [GL_BACKTEST_BEYOND] = "beyond", [GL_BACKTEST_UNKNOWN] = "unknown",
    [GL_BACKTEST_ABSENT] = "absent",
};

static const char *const sentences[] = {
    [GL_BACKTEST_WHY_NONE] = "",
    [GL_BACKTEST_WHY_TOO_LONG] = "longer than its deadline allows",
    [GL_BACKTEST_WHY_BREAKS_NOW] = "the limit was broken in the last hour it could start",
    [GL_BACKTEST_WHY_NONE_POSSIBLE] = "no promise for the whole run at that probability",
    [GL_BACKTEST_WHY_TOO_FEW_ISSUES] = "fewer than 60 past forecasts to judge by",
    [GL_BACKTEST_WHY_STALE] = "the figures known then were too old",
    [GL_BACKTEST_WHY_BEYOND_HORIZON] = "longer than the forecast reaches",
};

const char *gl_backtest_word(enum gl_backtest_strategy strategy)
{
    return words[strategy];
}

const char *gl_backtest_title(enum gl_backtest_strategy strategy)
{
    return titles[strategy];
}

const char *gl_backtest_end_word(enum gl_backtest_end end)
{
    return ends[end];
}

const char *gl_backtest_why_sentence(enum gl_backtest_why why)
{
    return sentences[why];
}

/* ---- checks ---- */

static int check_places(const struct gl_backtest_options *options, struct gl_error *err)
{
    if (options->place_count == 0 || options->place_count > GL_BACKTEST_PLACES)
        return gl_fail(err, GL_E_BAD_VALUE, "a replay needs 1 to %d places", GL_BACKTEST_PLACES);
    for (size_t p = 0; p < options->place_count; p++) {
        const struct gl_backtest_place *place = &options->places[p];
        const struct gl_meaning *meaning = &place->intensity->meaning;

        if (meaning->quantity != GL_INTENSITY || meaning->rate != GL_AVERAGE ||
            meaning->accounting != GL_LOCATION)
            return gl_fail(err, GL_E_UNKNOWN_DATA,
                           "grams of %s need an average, location-based carbon intensity",
                           place->zone->zone);
        if (gl_meaning_join(meaning, &options->places[0].intensity->meaning, err) != 0)
            return gl_wrap(err, "%s and %s cannot be compared", options->places[0].zone->zone,
                           place->zone->zone);
    }
    return 0;
}

static int check_job(const struct gl_backtest_options *options, size_t i, struct gl_error *err)
{
    const struct gl_backtest_job *job = &options->jobs[i];

    if (job->arrival_s < 0 || job->arrival_s % GL_HOUR_S != 0 ||
        (i > 0 && job->arrival_s < options->jobs[i - 1].arrival_s))
        return gl_fail(err, GL_E_BAD_VALUE, "job %zu: arrivals are whole hours in order", i + 1);
    if (job->work_h == 0 || job->deadline_h == 0 || job->deadline_h > GL_BACKTEST_DEADLINE_H)
        return gl_fail(err, GL_E_TOO_LARGE,
                       "job %zu: length and deadline are 1 to %d hours from its arrival", i + 1,
                       GL_BACKTEST_DEADLINE_H);
    if (!(job->kwh_per_hour > 0) || !isfinite(job->kwh_per_hour))
        return gl_fail(err, GL_E_BAD_VALUE, "job %zu: its energy must be above 0", i + 1);
    if (job->home >= options->place_count)
        return gl_fail(err, GL_E_BAD_VALUE, "job %zu: its home is none of the places", i + 1);
    return 0;
}

static int check(const struct gl_backtest_options *options, struct gl_error *err)
{
    if (check_places(options, err) != 0)
        return -1;
    if (options->job_count == 0 || options->job_count > GL_BACKTEST_JOBS)
        return gl_fail(err, GL_E_BAD_VALUE, "a replay needs 1 to %zu jobs", GL_BACKTEST_JOBS);
    if (!(options->confidence >= 0.5) || !(options->confidence <= 0.999))
        return gl_fail(err, GL_E_BAD_VALUE, "confidence must be 50 to 99.9 %%");
    for (size_t i = 0; i < options->job_count; i++)
        if (check_job(options, i, err) != 0)
            return -1;
    return 0;
}

/* ---- preparation ---- */

/* The hours that the intensities of all places share; and how far ahead to forecast. */
static int find_hours(struct replay *replay, struct gl_error *err)
{
    const struct gl_backtest_options *options = replay->options;
    int64_t first_s = 0, end_s = INT64_MAX;

    for (size_t p = 0; p < options->place_count; p++) {
        const struct gl_actuals *actuals = &options->places[p].intensity->actuals;
        int64_t until_s = actuals->start_s + (int64_t)actuals->count * GL_HOUR_S;

        first_s = actuals->start_s > first_s ? actuals->start_s : first_s;
        end_s = until_s < end_s ? until_s : end_s;
    }
    if (first_s >= end_s)
        return gl_fail(err, GL_E_UNKNOWN_DATA, "the traces have no hour in common");
    if ((end_s - first_s) / GL_HOUR_S > (int64_t)GL_TRACK_MAX_HOURS)
        return gl_fail(err, GL_E_TOO_LARGE, "the traces are longer than 20 years");
    replay->first_s = first_s;
    replay->end_s = end_s;
    replay->horizon_h = GL_BACKTEST_HORIZON_H;
    for (size_t i = 0; i < options->job_count; i++) {
        if (options->jobs[i].deadline_h > replay->horizon_h)
            replay->horizon_h = options->jobs[i].deadline_h;
        replay->is_any_pausing = replay->is_any_pausing || options->jobs[i].may_pause;
    }
    replay->learn_s =
        options->jobs[0].arrival_s - LEARN_H * GL_HOUR_S - (int64_t)replay->horizon_h * GL_HOUR_S;
    if (replay->learn_s < first_s)
        replay->learn_s = first_s;
    return 0;
}

static int make_tracks(struct replay *replay, struct gl_error *err)
{
    const struct gl_track_options options = {
        .horizon_h = replay->horizon_h,
        .from_s = replay->learn_s,
        .until_s = replay->end_s - GL_HOUR_S,
    };

    for (size_t p = 0; p < replay->options->place_count; p++) {
        const struct gl_history *history = replay->options->places[p].intensity;
        struct gl_track *track = gl_arena_take(replay->arena, sizeof *track);

        if (!gl_track_build(replay->arena, &history->actuals, &history->issues, &options, track))
            return gl_fail(err, GL_E_BAD_VALUE, "the trace of %s is out of range",
                           replay->options->places[p].zone->zone);
        replay->stages[p].intensity = track;
    }
    return 0;
}

static bool is_absent(const struct replay *replay, enum gl_backtest_strategy strategy)
{
    switch (strategy) {
    case GL_BACKTEST_PAUSE:
        return !replay->is_any_pausing;
    case GL_BACKTEST_PLACE:
    case GL_BACKTEST_FREE:
        return replay->options->place_count == 1;
    case GL_BACKTEST_GUARD:
        return replay->rule_count == 0;
    default:
        return false;
    }
}

/* ---- tasks ---- */

struct active {
    struct task *list;
    size_t count, room;
};

/* A job that cannot be replayed, or by no strategy. */
static enum gl_backtest_end verdict(const struct replay *replay, const struct gl_backtest_job *job)
{
    if (job->deadline_h < job->work_h)
        return GL_BACKTEST_REFUSED;
    if (job->arrival_s < replay->first_s ||
        job->arrival_s + (int64_t)job->deadline_h * GL_HOUR_S > replay->end_s)
        return GL_BACKTEST_BEYOND;
    return GL_BACKTEST_DONE;
}

static void add_task(struct replay *replay, struct active *active, size_t job,
                     enum gl_backtest_strategy strategy)
{
    const struct gl_backtest_job *of = &replay->options->jobs[job];
    struct gl_backtest_run *run = &replay->runs[strategy][job];
    struct task *task;

    run->hours = of->deadline_h;
    if (active->count == active->room) {
        active->room = active->room > 0 ? 2 * active->room : 64;
        active->list = gl_realloc(active->list, active->room * sizeof *active->list);
    }
    task = &active->list[active->count++];
    *task = (struct task){
        .job = job, .strategy = strategy, .run = run, .place = of->home, .left_h = of->work_h};
    task->where = gl_arena_take(replay->arena, of->deadline_h);
    memset(task->where, GL_BACKTEST_NOWHERE, of->deadline_h);
    run->where = task->where;
    if (strategy != GL_BACKTEST_NOW)
        task->plan = gl_alloc(GL_BACKTEST_DEADLINE_H);
}

static void arrive(struct replay *replay, struct active *active, size_t job)
{
    enum gl_backtest_end end = verdict(replay, &replay->options->jobs[job]);

    for (int s = 0; s < GL_BACKTEST_STRATEGIES; s++) {
        struct gl_backtest_run *run = &replay->runs[s][job];

        run->end = (uint8_t)end;
        if (is_absent(replay, (enum gl_backtest_strategy)s))
            run->end = GL_BACKTEST_ABSENT;
        else if (end == GL_BACKTEST_REFUSED)
            run->why = GL_BACKTEST_WHY_TOO_LONG;
        else if (end == GL_BACKTEST_DONE && s == GL_BACKTEST_ORACLE)
            gl_backtest_account_oracle(replay, job);
        else if (end == GL_BACKTEST_DONE)
            add_task(replay, active, job, (enum gl_backtest_strategy)s);
    }
}

/* In hindsight: was there a start that kept every rule? */
static bool was_green(const struct replay *replay, const struct task *task)
{
    const struct gl_backtest_job *job = job_of(replay, task);
    const bool is_free = task->strategy >= GL_BACKTEST_PLACE;
    uint32_t last = task->strategy == GL_BACKTEST_PLACE ? 0 : job->deadline_h - job->work_h;

    for (size_t p = 0; p < replay->options->place_count; p++)
        for (uint32_t h = 0; (is_free || p == job->home) && h <= last; h++)
            if (gl_backtest_rules_keep(replay, p, job->arrival_s + (int64_t)h * GL_HOUR_S,
                                       job->work_h))
                return true;
    return false;
}

static void finish(struct replay *replay, struct task *task)
{
    if (task->run->end == GL_BACKTEST_REFUSED)
        task->run->was_green = was_green(replay, task);
    else
        gl_backtest_account_run(replay, task->job, task->run);
    gl_auto_free(&task->plan);
}

static void step_all(struct replay *replay, struct active *active, int64_t now_s)
{
    struct moment moment = {.replay = replay, .now_s = now_s};
    size_t kept = 0;

    for (size_t i = 0; i < active->count; i++) {
        struct task *task = &active->list[i];

        gl_backtest_step_task(&moment, task);
        if (task->is_over)
            finish(replay, task);
        else
            active->list[kept++] = *task;
    }
    active->count = kept;
    gl_backtest_moment_done(&moment);
}

static void drop(struct active *active)
{
    for (size_t i = 0; i < active->count; i++)
        gl_auto_free(&active->list[i].plan);
    gl_auto_free(&active->list);
}

static int replay_hours(struct replay *replay, struct gl_error *err)
{
    const struct gl_backtest_options *options = replay->options;
    struct active active = {0};
    int64_t now_s = options->jobs[0].arrival_s;
    size_t next = 0;
    bool goes_on = true;

    while (goes_on && (next < options->job_count || active.count > 0)) {
        if (active.count == 0 && options->jobs[next].arrival_s > now_s)
            now_s = options->jobs[next].arrival_s;
        for (; next < options->job_count && options->jobs[next].arrival_s <= now_s; next++)
            arrive(replay, &active, next);
        step_all(replay, &active, now_s);
        now_s += GL_HOUR_S;
        goes_on = options->tick == NULL || options->tick(options->cookie, next, options->job_count);
    }
    drop(&active);
    return goes_on ? 0 : gl_fail(err, GL_E_INTERRUPTED, "after %zu jobs", next);
}

int gl_backtest_run(const struct gl_backtest_options *options, struct gl_arena *arena,
                    struct gl_backtest_result *out, struct gl_error *err)
{
    struct replay *replay = gl_arena_take(arena, sizeof *replay);
    struct gl_backtest_result result = {.job_count = options->job_count};

    replay->options = options;
    replay->arena = arena;
    if (check(options, err) != 0 || find_hours(replay, err) != 0 || make_tracks(replay, err) != 0 ||
        gl_backtest_rules_prepare(replay, err) != 0)
        return -1;
    for (int s = 0; s < GL_BACKTEST_STRATEGIES; s++)
        result.runs[s] = replay->runs[s] =
            gl_arena_take(arena, options->job_count * sizeof **replay->runs);
    if (replay_hours(replay, err) != 0)
        return -1;
    result.rule_count = replay->rule_count;
    result.probability = replay->rule_count > 0 ? replay->probability : options->confidence;
    result.horizon_h = replay->horizon_h;
    result.needed_lengths = (uint32_t)replay->length_count;
    result.from_s = options->jobs[0].arrival_s;
    result.until_s = replay->end_s;
    gl_backtest_tally(replay, &result);
    *out = result;
    return 0;
}
