/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/backtest/part.h"
#include "policy/schedule/green.h"

/* What is known in the hour being replayed: the futures of every place, made once an hour and
 * planned on by every task of that hour. */

#define DEAR 1000.0F /* g/kWh more than anything that keeps the rules */

/* Of one rule in one place: the paths that keep it, from each hour on and for each length. */
static void count_kept(struct moment *moment, const struct watched *one, struct kept *out)
{
    struct gl_ensemble futures[GL_GUARANTEE_MAX_LEGS];
    struct gl_green_limit limits[GL_GUARANTEE_MAX_LEGS];
    const struct gl_ensemble_options options = {.now_s = moment->now_s,
                                                .hours = moment->replay->horizon_h,
                                                .min_paths = GL_GUARANTEE_MIN_ISSUES};
    size_t paths =
        gl_ensemble_fill(&moment->scratch, one->tracks, one->legs.count, &options, futures);

    out->is_counted = true;
    if (paths == 0)
        return;
    for (size_t leg = 0; leg < one->legs.count; leg++)
        limits[leg] = (struct gl_green_limit){.signal = &futures[leg],
                                              .limit = (double)one->legs.leg[leg].limit,
                                              .is_floor = one->legs.leg[leg].kind == GL_LEG_FLOOR};
    out->paths = gl_green_lengths(limits, one->legs.count, &moment->scratch);
    out->least = one->legs.probability * (double)paths;
}

bool gl_backtest_moment_is_green(struct moment *moment, size_t place, size_t start_h,
                                 uint32_t hours)
{
    const struct replay *replay = moment->replay;
    const size_t rules = replay->rule_count, width = (size_t)replay->horizon_h + 1;

    if (start_h >= replay->horizon_h || hours > replay->horizon_h)
        return rules == 0;
    if (moment->kept == NULL)
        moment->kept = gl_arena_take(&moment->scratch,
                                     replay->options->place_count * rules * sizeof *moment->kept);
    for (size_t r = 0; r < rules; r++) {
        struct kept *kept = &moment->kept[place * rules + r];

        if (!kept->is_counted)
            count_kept(moment, &replay->stages[place].watched[r], kept);
        if (kept->paths == NULL || (double)kept->paths[start_h * width + hours] < kept->least)
            return false;
    }
    return true;
}

static void make_dear(struct moment *moment, size_t place, const bool *green)
{
    const struct gl_ensemble *plain = &moment->futures[place];
    const size_t all = (plain->paths + 1) * plain->hours;
    float *value = gl_arena_take(&moment->scratch, all * sizeof *value);
    float *central = value + plain->paths * plain->hours;
    float extra[GL_ENSEMBLE_MAX_HOURS];

    for (size_t h = 0; h < plain->hours; h++)
        extra[h] = green[h] ? 0 : DEAR;
    for (size_t path = 0; path < plain->paths; path++)
        for (size_t i = path * plain->hours, h = 0; h < plain->hours; h++)
            value[i + h] = plain->value[i + h] + extra[h];
    for (size_t h = 0; h < plain->hours; h++)
        central[h] = plain->central[h] + extra[h];
    moment->priced_futures[place] = *plain;
    moment->priced_futures[place].value = value;
    moment->priced_futures[place].central = central;
    moment->priced[place] = moment->places[place];
    moment->priced[place].intensity = &moment->priced_futures[place];
}

/* The hours that are likely to keep the rules, and what a plan is made on. */
static void price(struct moment *moment)
{
    const struct replay *replay = moment->replay;
    const size_t places = replay->options->place_count;

    moment->green = gl_arena_take(&moment->scratch, places * replay->horizon_h);
    for (size_t p = 0; p < places; p++) {
        bool *green = moment->green + p * replay->horizon_h;

        for (uint32_t h = 0; h < replay->horizon_h; h++)
            green[h] = gl_backtest_moment_is_green(moment, p, h, 1);
        make_dear(moment, p, green);
    }
}

static void fill(struct moment *moment)
{
    const struct replay *replay = moment->replay;
    const struct gl_backtest_options *options = replay->options;
    const struct gl_track *tracks[GL_BACKTEST_PLACES];
    const struct gl_ensemble_options ask = {
        .now_s = moment->now_s,
        .hours = replay->horizon_h,
        .min_paths = GL_BACKTEST_PATHS,
    };

    moment->is_filled = true;
    for (size_t p = 0; p < options->place_count; p++)
        tracks[p] = replay->stages[p].intensity;
    moment->paths =
        gl_ensemble_fill(&moment->scratch, tracks, options->place_count, &ask, moment->futures);
    for (size_t p = 0; p < options->place_count; p++)
        moment->places[p] =
            (struct gl_plan_place){.intensity = &moment->futures[p], .pue = options->places[p].pue};
    if (moment->paths == 0)
        return;
    if (replay->rule_count > 0)
        price(moment);
    moment->starts = gl_plan_starts_new_in(&moment->scratch,
                                           replay->rule_count > 0 ? moment->priced : moment->places,
                                           options->place_count, options->confidence);
}

static bool has_futures(struct moment *moment)
{
    if (!moment->is_filled)
        fill(moment);
    return moment->paths > 0;
}

/* As gl_plan_make(), of what many jobs of one hour ask alike. */
static bool plan_start(struct moment *moment, const struct gl_plan_request *request,
                       struct gl_plan *out)
{
    const size_t hours = request->deadline_h;
    size_t place, start_h;

    if (!gl_plan_starts_find(moment->starts, request, &place, &start_h))
        return false;
    *out = (struct gl_plan){.is_feasible = true, .hours = hours};
    out->where = gl_arena_take(&moment->scratch, hours * sizeof *out->where);
    for (size_t h = 0; h < hours; h++)
        out->where[h] =
            h >= start_h && h - start_h < request->work_hours ? (int)place : GL_REGION_NONE;
    return true;
}

/* A whole plan and what it is of. */
struct planned {
    struct planned *next;
    struct gl_plan_request request;
    bool is_found;
    struct gl_plan plan;
};

/* Of requests on the same futures. */
static bool is_same(const struct gl_plan_request *one, const struct gl_plan_request *other)
{
    return one->home == other->home && one->work_hours == other->work_hours &&
           one->deadline_h == other->deadline_h && one->latest_start_h == other->latest_start_h &&
           one->may_pause == other->may_pause && one->may_place == other->may_place &&
           !(one->kwh_per_hour < other->kwh_per_hour || one->kwh_per_hour > other->kwh_per_hour);
}

/* The quantiles of each hour, for all plans of this one. */
static void know_quantiles(struct moment *moment)
{
    const struct gl_backtest_options *options = moment->replay->options;
    struct gl_plan_place *places = moment->green == NULL ? moment->places : moment->priced;

    for (size_t p = 0; p < options->place_count && moment->planned == NULL; p++)
        places[p].upper =
            gl_plan_upper_in(&moment->scratch, places[p].intensity, options->confidence);
}

/* gl_plan_make(), once for all jobs of the hour that ask alike. */
static bool plan_whole(struct moment *moment, const struct gl_plan_request *request,
                       struct gl_plan *out)
{
    struct planned *planned = moment->planned;
    struct gl_error ignored = {0};

    while (planned != NULL && !is_same(&planned->request, request))
        planned = planned->next;
    if (planned == NULL) {
        know_quantiles(moment);
        planned = gl_arena_take(&moment->scratch, sizeof *planned);
        planned->next = moment->planned;
        planned->request = *request;
        planned->is_found =
            gl_plan_make(request, &moment->scratch, &planned->plan, &ignored) == 0 &&
            planned->plan.is_feasible;
        moment->planned = planned;
    }
    *out = planned->plan;
    return planned->is_found;
}

/* The job as it stands: what is left of it, where its data is, how long there is. */
static struct gl_plan_request request_of(struct moment *moment, const struct task *task)
{
    const struct gl_backtest_options *options = moment->replay->options;
    const struct gl_backtest_job *job = job_of(moment->replay, task);

    return (struct gl_plan_request){
        .places = moment->places,
        .count = options->place_count,
        .home = task->is_started ? (int)task->place : (int)job->home,
        .work_hours = task->left_h,
        .latest_start_h = SIZE_MAX,
        .deadline_h = hours_left(moment, task),
        .kwh_per_hour = (double)job->kwh_per_hour,
        .start_kwh = options->start_kwh,
        .copy = options->copy,
        .confidence = options->confidence,
        .criterion = GL_PLAN_BY_QUANTILE,
    };
}

bool gl_backtest_moment_plan(struct moment *moment, const struct task *task,
                             const struct wish *wish, struct gl_plan *out)
{
    struct gl_plan_request request;

    if (!has_futures(moment))
        return false;
    request = request_of(moment, task);
    if (moment->green != NULL)
        request.places = moment->priced;
    request.may_pause = wish->may_pause;
    request.may_place = wish->may_place;
    if (wish->is_now)
        request.latest_start_h = 0;
    if (gl_plan_starts_serve(&request))
        return plan_start(moment, &request, out);
    /* Where starts and copies are free, when and where is the same for every power. */
    if (!(request.start_kwh > 0) && !(request.copy.data_gb > 0))
        request.kwh_per_hour = 1;
    return plan_whole(moment, &request, out);
}

bool gl_backtest_moment_is_doubtful(const struct moment *moment, const struct gl_plan *plan)
{
    const uint32_t horizon_h = moment->replay->horizon_h;

    for (size_t h = 0; moment->green != NULL && h < plan->hours; h++)
        if (plan->where[h] != GL_REGION_NONE &&
            (h >= horizon_h || !moment->green[(size_t)plan->where[h] * horizon_h + h]))
            return true;
    return false;
}

bool gl_backtest_moment_grams(struct moment *moment, const struct task *task, size_t place,
                              double *out_g)
{
    int where[GL_BACKTEST_DEADLINE_H];
    struct gl_plan_request request;
    struct gl_error ignored = {0};
    struct gl_plan plan;

    if (!has_futures(moment) || task->left_h > GL_BACKTEST_DEADLINE_H)
        return false;
    request = request_of(moment, task);
    request.may_place = true;
    for (size_t h = 0; h < task->left_h; h++)
        where[h] = (int)place;
    if (gl_plan_judge(&request, where, task->left_h, &moment->scratch, &plan, &ignored) != 0 ||
        !plan.is_feasible)
        return false;
    *out_g = plan.figures.emitted_g.high;
    return true;
}

bool gl_backtest_moment_mean(struct moment *moment, size_t place, uint32_t hours,
                             double *out_g_per_kwh)
{
    const struct gl_plan_place *at = &moment->places[place];
    double sum = 0;

    if (!has_futures(moment) || hours == 0)
        return false;
    hours = hours < moment->replay->horizon_h ? hours : moment->replay->horizon_h;
    for (uint32_t h = 0; h < hours; h++)
        sum += (double)at->intensity->central[h];
    *out_g_per_kwh = at->pue * sum / hours;
    return true;
}

void gl_backtest_moment_done(struct moment *moment)
{
    gl_arena_done(&moment->scratch);
}
