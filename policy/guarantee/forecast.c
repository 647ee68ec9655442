/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/guarantee/forecast.h"

#include <math.h>
#include <string.h>

#include "policy/guarantee/blend.h"

#define FIRST_HOURS ((size_t)GL_TRACK_FIRST_DAYS * 24)
#define LOOK_BACK   8 /* issues: what the newest lacks, an older one may have */

/* A provider's issues as seen from an hour. */
struct provider {
    const struct gl_issues *issues;
    size_t received; /* of them, so far */
    struct gl_persistence error;
};

struct builder {
    const struct gl_actuals *actuals;
    int64_t first, last; /* hour numbers: of the first hour learnt from, of the last path */
    int64_t from;        /* of the first path kept */
    struct gl_seen seen;
    struct gl_profile profile;
    struct provider provider;
    struct gl_blend *blend;                /* NULL until enough was seen */
    float *builtin, *corrected, *provided; /* horizon values each */
};

/* What gl_track points to, while it is written. */
struct output {
    float *path, *residual, *hour;
    uint16_t *known, *settled, *age;
    uint8_t *state;
};

static bool actual_of(const struct builder *builder, int64_t hour, float *out_value)
{
    return gl_actual_at(builder->actuals, hour * GL_HOUR_S, out_value);
}

static bool issue_at(const struct gl_issue *issue, int64_t hour, float *out_value)
{
    int64_t start = issue->start_s / GL_HOUR_S;
    size_t i;

    if (hour < start || hour - start >= (int64_t)issue->count)
        return false;
    i = (size_t)(hour - start);
    if (issue->state != NULL && (issue->state[i] & GL_HOUR_KNOWN) == 0)
        return false;
    *out_value = issue->value[i];
    return true;
}

/* From the newest issue received that has the hour. */
static bool provided_at(const struct provider *provider, int64_t hour, float *out_value)
{
    size_t i;

    for (i = 0; i < LOOK_BACK && i < provider->received; i++)
        if (issue_at(&provider->issues->issue[provider->received - 1 - i], hour, out_value))
            return true;
    return false;
}

static void receive(struct provider *provider, int64_t now_s)
{
    while (provider->received < provider->issues->count &&
           provider->issues->issue[provider->received].received_s <= now_s)
        provider->received++;
}

/* The hour that has become known at the beginning of hour `now`, if its lag has passed. */
static void learn_hour(struct builder *builder, int64_t now)
{
    int64_t hour = now - 1 - (int64_t)builder->actuals->lag_h;
    float value = 0, provided;
    bool is_known;

    if (hour < builder->first)
        return;
    is_known = actual_of(builder, hour, &value);
    gl_profile_learn(&builder->profile, &builder->seen, is_known, value);
    if (!is_known)
        return;
    if (provided_at(&builder->provider, hour, &provided))
        gl_persistence_learn(&builder->provider.error, hour, (double)value - (double)provided);
    if (builder->blend != NULL)
        gl_blend_learn(builder->blend, hour, value);
}

/* What the newest known hour says of the provider's present error, faded to the hour `now`. A newer
 * issue may have replaced the one the error was learnt from: measured again. */
static double provider_error(const struct builder *builder, int64_t now)
{
    struct gl_persistence error = builder->provider.error;
    float value, provided;

    if (!error.has_last || !actual_of(builder, error.last_hour, &value) ||
        !provided_at(&builder->provider, error.last_hour, &provided))
        return 0;
    error.last = (double)value - (double)provided;
    return gl_persistence_at(&error, now);
}

static bool is_silent(const struct provider *provider, int64_t now)
{
    return provider->received == 0 ||
           provider->issues->issue[provider->received - 1].received_s / GL_HOUR_S +
                   GL_TRACK_SILENT_H <=
               now;
}

/* The provider's forecast of the hours from `now`, bare and corrected by its fading error; where it
 * has none, the built-in one. Returns how many leading hours it has. */
static size_t provider_path(struct builder *builder, int64_t now, size_t horizon)
{
    double error = provider_error(builder, now);
    double rho = gl_persistence_rho(&builder->provider.error);
    size_t k, leading = horizon;

    for (k = 0; k < horizon; k++, error *= rho) {
        if (provided_at(&builder->provider, now + (int64_t)k, &builder->provided[k])) {
            builder->corrected[k] = (float)((double)builder->provided[k] + error);
            continue;
        }
        builder->provided[k] = builder->corrected[k] = builder->builtin[k];
        leading = k < leading ? k : leading;
    }
    return is_silent(&builder->provider, now) ? horizon : leading;
}

static void start_blend(struct gl_arena *arena, struct builder *builder, size_t horizon)
{
    const struct gl_seen *seen = &builder->seen;
    struct gl_blend_options options = {.horizon = horizon,
                                       .lag = builder->actuals->lag_h,
                                       .has_provider = builder->provider.issues->count > 0};
    double sum = 0, squares = 0, mean;
    size_t i;

    for (i = 0; i < seen->count; i++)
        sum += (double)seen->value[i];
    mean = sum / (double)seen->count;
    for (i = 0; i < seen->count; i++)
        squares += ((double)seen->value[i] - mean) * ((double)seen->value[i] - mean);
    options.centre = mean;
    options.scale = fmax(sqrt(squares / (double)seen->count), gl_blend_least_scale(mean));
    builder->blend = gl_blend_new_in(arena, &options);
}

/* The path issued at the beginning of hour `now`. Returns its known length. */
static size_t forecast(struct gl_arena *arena, struct builder *builder, int64_t now,
                       struct gl_track *track, float *out_path)
{
    struct gl_blend_bases bases = {builder->builtin, builder->corrected, builder->provided};
    size_t known = track->horizon_h;

    if (builder->seen.count < FIRST_HOURS)
        return 0;
    if (builder->blend == NULL)
        start_blend(arena, builder, track->horizon_h);
    gl_profile_path(&builder->profile, &builder->seen, now, track->horizon_h, builder->builtin);
    if (builder->provider.issues->count > 0)
        known = provider_path(builder, now, track->horizon_h);
    gl_blend_path(builder->blend, &builder->seen, now, &bases, out_path);
    return known;
}

static uint16_t age_of(const struct builder *builder, int64_t now)
{
    const struct gl_persistence *last = &builder->profile.deviation;
    int64_t age;

    if (!last->has_last)
        return UINT16_MAX;
    age = now - 1 - last->last_hour;
    return age < UINT16_MAX ? (uint16_t)age : UINT16_MAX;
}

static void issue_path(struct gl_arena *arena, struct builder *builder, int64_t now,
                       struct gl_track *track, const struct output *output)
{
    size_t row = (size_t)(now - builder->from), known;

    receive(&builder->provider, now * GL_HOUR_S);
    learn_hour(builder, now);
    known = forecast(arena, builder, now, track, output->path + row * track->horizon_h);
    output->known[row] = (uint16_t)known;
    output->age[row] = age_of(builder, now);
}

static void issue_paths(struct gl_arena *arena, struct builder *builder, struct gl_track *track,
                        const struct output *output)
{
    float *unkept = gl_arena_take(arena, track->horizon_h * sizeof *unkept);
    int64_t now;

    for (now = builder->from; now < builder->first; now++)
        output->age[now - builder->from] = UINT16_MAX;
    for (now = builder->first; now <= builder->last; now++) {
        if (now >= builder->from) {
            issue_path(arena, builder, now, track, output);
            continue;
        }
        receive(&builder->provider, now * GL_HOUR_S);
        learn_hour(builder, now);
        forecast(arena, builder, now, track, unkept);
    }
}

/* ---- errors ---- */

/* The actuals from `first` on, with short gaps bridged by a straight line. */
static void bridge(const struct builder *builder, int64_t first, const struct gl_track *track,
                   const struct output *output)
{
    size_t i, j, known = SIZE_MAX; /* the last known one */

    for (i = 0; i < track->hours; i++) {
        if (!actual_of(builder, first + (int64_t)i, &output->hour[i]))
            continue;
        output->state[i] = GL_HOUR_KNOWN;
        for (j = known == SIZE_MAX || i - known > GL_TRACK_BRIDGE_H + 1 ? i : known + 1; j < i;
             j++) {
            float part = (float)(j - known) / (float)(i - known);

            output->hour[j] = output->hour[known] + part * (output->hour[i] - output->hour[known]);
            output->state[j] = GL_TRACK_BRIDGED;
        }
        known = i;
    }
}

/* From row `first` on: those before it are settled for good. */
static void settle_paths(const struct gl_track *track, const struct output *output, size_t first)
{
    size_t before = track->hours - track->count, i, k;

    for (i = first; i < track->count; i++) {
        const float *path = output->path + i * track->horizon_h;
        float *residual = output->residual + i * track->horizon_h;
        size_t end = track->hours - before - i;

        end = end < track->horizon_h ? end : track->horizon_h;
        if (output->age[i] == UINT16_MAX || output->known[i] == 0)
            continue;
        for (k = 0; k < end && output->state[before + i + k] != GL_HOUR_MISSING; k++)
            residual[k] = output->hour[before + i + k] - path[k];
        output->settled[i] = (uint16_t)k;
    }
}

static bool are_usable(const struct gl_actuals *actuals, const struct gl_track_options *options)
{
    return options->horizon_h >= 1 && options->horizon_h <= GL_TRACK_MAX_HORIZON &&
           actuals->lag_h <= GL_TRACK_MAX_LAG && actuals->count <= GL_TRACK_MAX_HOURS &&
           actuals->start_s >= 0 && actuals->start_s % GL_HOUR_S == 0 &&
           options->from_s % GL_HOUR_S == 0 && options->until_s % GL_HOUR_S == 0 &&
           options->from_s >= GL_TRACK_MAX_HORIZON * GL_HOUR_S &&
           options->from_s <= options->until_s &&
           (options->until_s - options->from_s) / GL_HOUR_S < (int64_t)GL_TRACK_MAX_HOURS;
}

/* The first known actual from which learning begins; `until` when there is none. */
static int64_t first_known(const struct gl_actuals *actuals, int64_t from, int64_t until)
{
    int64_t start = actuals->start_s / GL_HOUR_S, hour;
    float value;

    for (hour = from > start ? from : start; hour < until; hour++)
        if (gl_actual_at(actuals, hour * GL_HOUR_S, &value))
            return hour;
    return until;
}

/* Room for `rows` paths. */
static void take_output(struct gl_arena *arena, size_t rows, struct gl_track *track,
                        struct output *output)
{
    size_t values = rows * track->horizon_h, hours = rows + track->hours - track->count;

    track->path = output->path = gl_arena_take(arena, values * sizeof *output->path);
    track->residual = output->residual = gl_arena_take(arena, values * sizeof *output->residual);
    track->known = output->known = gl_arena_take(arena, rows * sizeof *output->known);
    track->settled = output->settled = gl_arena_take(arena, rows * sizeof *output->settled);
    track->age = output->age = gl_arena_take(arena, rows * sizeof *output->age);
    track->hour = output->hour = gl_arena_take(arena, hours * sizeof *output->hour);
    track->state = output->state = gl_arena_take(arena, hours);
}

/* All of a track but what it may still grow by: `spare` more paths. */
static void build(struct gl_arena *arena, struct builder *builder,
                  const struct gl_track_options *options, size_t spare, struct gl_track *track,
                  struct output *output)
{
    size_t before = (size_t)builder->actuals->lag_h + GL_TRACK_BEFORE_H;
    size_t hours;

    builder->from = options->from_s / GL_HOUR_S;
    builder->last = options->until_s / GL_HOUR_S;
    builder->first = first_known(builder->actuals, builder->from - INT64_C(24) * GL_TRACK_WARM_DAYS,
                                 builder->last);
    hours = (size_t)(builder->last - builder->first) + 1 + spare;
    builder->seen.base = builder->first;
    builder->seen.value = gl_arena_take(arena, hours * sizeof *builder->seen.value);
    builder->builtin = gl_arena_take(arena, 3 * options->horizon_h * sizeof *builder->builtin);
    builder->corrected = builder->builtin + options->horizon_h;
    builder->provided = builder->corrected + options->horizon_h;
    track->lag_h = builder->actuals->lag_h;
    track->count = (size_t)(builder->last - builder->from) + 1;
    track->hours = track->count + before;
    take_output(arena, track->count + spare, track, output);
    issue_paths(arena, builder, track, output);
    bridge(builder, builder->from - (int64_t)before, track, output);
    settle_paths(track, output, 0);
}

bool gl_track_build(struct gl_arena *arena, const struct gl_actuals *actuals,
                    const struct gl_issues *issues, const struct gl_track_options *options,
                    struct gl_track *out_track)
{
    static const struct gl_issues none;
    struct builder builder = {.actuals = actuals, .provider.issues = issues ? issues : &none};
    struct gl_track track = {.horizon_h = options->horizon_h, .from_s = options->from_s};
    struct output output;

    if (!are_usable(actuals, options))
        return false;
    build(arena, &builder, options, 0, &track, &output);
    *out_track = track;
    return true;
}

/* ---- tracks that go on ---- */

#define SPARE_H ((size_t)40 * 24) /* then it is built anew */

struct gl_kept_track {
    struct gl_kept_track *next;
    size_t capacity; /* paths */
    struct builder builder;
    struct gl_track track;
    struct output output;
};

static struct gl_kept_track *keep(struct gl_track_keeper *keeper, const struct gl_history *history,
                                  const struct gl_track_options *options)
{
    struct gl_kept_track *kept = gl_arena_take(&keeper->arena, sizeof *kept);

    kept->builder.actuals = &history->actuals;
    kept->builder.provider.issues = &history->issues;
    kept->track = (struct gl_track){.horizon_h = options->horizon_h, .from_s = options->from_s};
    build(&keeper->arena, &kept->builder, options, SPARE_H, &kept->track, &kept->output);
    kept->capacity = kept->track.count + SPARE_H;
    kept->next = keeper->kept;
    keeper->kept = kept;
    return kept;
}

/* One that serves: it begins no later, ends no later, and has room to go on. Until there is a first
 * known hour, learning cannot go on from it. */
static struct gl_kept_track *kept_for(const struct gl_track_keeper *keeper,
                                      const struct gl_history *history,
                                      const struct gl_track_options *options)
{
    struct gl_kept_track *kept = keeper->kept;

    for (; kept != NULL; kept = kept->next)
        if (kept->builder.actuals == &history->actuals &&
            kept->track.horizon_h == options->horizon_h && kept->track.from_s <= options->from_s &&
            kept->builder.last <= options->until_s / GL_HOUR_S &&
            options->until_s / GL_HOUR_S - kept->builder.from < (int64_t)kept->capacity &&
            kept->builder.seen.count > 0)
            return kept;
    return NULL;
}

static void go_on(struct gl_arena *arena, struct gl_kept_track *kept, int64_t last)
{
    struct gl_track *track = &kept->track;
    size_t before = track->hours - track->count;
    size_t moving = track->horizon_h + track->lag_h + 2 * GL_TRACK_BRIDGE_H; /* not for good yet */
    size_t first = track->count > moving ? track->count - moving : 0;

    if (kept->builder.last == last)
        return;
    while (kept->builder.last < last)
        issue_path(arena, &kept->builder, ++kept->builder.last, track, &kept->output);
    track->count = (size_t)(last - kept->builder.from) + 1;
    track->hours = track->count + before;
    bridge(&kept->builder, kept->builder.from - (int64_t)before, track, &kept->output);
    settle_paths(track, &kept->output, first);
}

/* The part of a kept track from from_s on. */
static struct gl_track part_of(const struct gl_track *track, int64_t from_s)
{
    size_t skip = (size_t)((from_s - track->from_s) / GL_HOUR_S);
    struct gl_track part = *track;

    part.from_s = from_s;
    part.count -= skip;
    part.hours -= skip;
    part.path += skip * track->horizon_h;
    part.residual += skip * track->horizon_h;
    part.known += skip;
    part.settled += skip;
    part.age += skip;
    part.hour += skip;
    part.state += skip;
    return part;
}

bool gl_track_of(struct gl_arena *arena, const struct gl_history *history,
                 const struct gl_track_options *options, struct gl_track *out_track)
{
    struct gl_track_keeper *keeper = history->keeper;
    struct gl_kept_track *kept;

    if (keeper == NULL)
        return gl_track_build(arena, &history->actuals, &history->issues, options, out_track);
    if (!are_usable(&history->actuals, options))
        return false;
    kept = kept_for(keeper, history, options);
    if (kept == NULL)
        kept = keep(keeper, history, options);
    go_on(&keeper->arena, kept, options->until_s / GL_HOUR_S);
    *out_track = part_of(&kept->track, options->from_s);
    return true;
}

void gl_track_keeper_done(struct gl_track_keeper *keeper)
{
    gl_arena_done(&keeper->arena);
    *keeper = (struct gl_track_keeper){.kept = NULL};
}
