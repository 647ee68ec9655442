/* SPDX-License-Identifier: Apache-2.0 */
/* The grid under the rules of the launches: every zone once a look and set of rules, however many
 * launches stand under them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/power.h"
#include "broker/guard_part.h"
#include "broker/keeping.h"
#include "policy/schedule/region.h"

#define LATE_S     300
#define MIN_STAY_H 2
#define MARGIN     0.5

/* ---- what was promised ---- */

static const json_t *guarantee_of(const struct gl_watch *watch)
{
    return json_object_get(watch->plan, "guarantee");
}

static int64_t number_of(const json_t *object, const char *key, int64_t otherwise)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) ? (int64_t)json_integer_value(value) : otherwise;
}

/* Of an unknown word the mildest that keeps it from running on unseen. */
static enum gl_on_lapse on_lapse_of(const struct gl_watch *watch)
{
    const char *word = json_string_value(json_object_get(guarantee_of(watch), "on_lapse"));

    for (int i = 0; word != NULL && gl_on_lapse_words[i] != NULL; i++)
        if (strcmp(gl_on_lapse_words[i], word) == 0)
            return (enum gl_on_lapse)i;
    return GL_LAPSE_NOTIFY;
}

/* Of several rules the one that asks for the most: what is watched too closely is kept. */
static double probability_of(const json_t *guarantee)
{
    int64_t most = number_of(guarantee, "probability_ppm", 0);
    const json_t *rule;
    size_t i;

    json_array_foreach(json_object_get(guarantee, "rules"), i,
                       rule) if (number_of(rule, "confidence_ppm", 0) > most) most =
        number_of(rule, "confidence_ppm", 0);
    return most >= 500000 && most <= 999000 ? (double)most / 1e6 : GL_BOOK_PROBABILITY;
}

int64_t gl_watch_needed_s(const struct gl_watch *watch)
{
    int64_t until_s = number_of(guarantee_of(watch), "until_s", INT64_MAX);
    int64_t lease_s = watch->row->expires_ms / 1000, end_s;

    if (watch->wish.wish == GL_TIMETABLE_RUN)
        until_s = watch->wish.until_s;
    end_s = until_s < lease_s ? until_s : lease_s;

    return end_s > watch->look->now.unix_s ? end_s - watch->look->now.unix_s : 0;
}

/* ---- rules and zones, once a look ---- */

static void rules_free(struct gl_guard_rules *rules)
{
    while (rules != NULL) {
        struct gl_guard_rules *next = rules->next;

        gl_policy_free(rules->policy);
        free(rules->key);
        free(rules);
        rules = next;
    }
}

void gl_guard_look_renew(struct gl_guard_look *look)
{
    rules_free(look->rules);
    look->rules = NULL;
    gl_arena_done(&look->arena);
    look->arena = (struct gl_arena){0};
    look->now = gl_now(look->guard->launcher->world);
}

void gl_guard_look_done(struct gl_guard_look *look)
{
    rules_free(look->rules);
    look->rules = NULL;
    gl_arena_done(&look->arena);
    gl_guarantee_rows_free(&look->open);
    gl_guard_clouds_close(look);
    free(look->deferred);
}

/* *out NULL: no rule speaks of the grid. */
static int find_rules(struct gl_guard_look *look, const json_t *guarantee,
                      const struct gl_guard_rules **out, struct gl_error *err)
{
    const json_t *stated = json_object_get(guarantee, "rules");
    bool is_promised = json_is_integer(json_object_get(guarantee, "probability_ppm"));
    GL_AUTO(gl_auto_free) char *key = json_dumps(stated, JSON_COMPACT | JSON_ENCODE_ANY);
    double probability = probability_of(guarantee);
    struct gl_guard_rules *rules;
    struct gl_policy *policy = NULL;

    if (key == NULL)
        return gl_fail(err, GL_E_NOT_VERIFIED, "the guarantee of its plan states no rules");
    for (rules = look->rules; rules != NULL; rules = rules->next)
        if (rules->is_promised == is_promised && rules->probability == probability &&
            strcmp(rules->key, key) == 0) {
            *out = rules;
            return 0;
        }
    if (gl_keeping_read_rules(stated, &policy, err) != 0)
        return -1;
    *out = NULL;
    if (policy == NULL)
        return 0;
    rules = gl_alloc(sizeof *rules);
    *rules = (struct gl_guard_rules){key, policy, is_promised, probability, NULL, look->rules};
    key = NULL;
    *out = look->rules = rules;
    return 0;
}

static const struct gl_outlook *outlook_of(struct gl_guard_look *look,
                                           const struct gl_guard_rules *under, const char *zone)
{
    const struct gl_guard *guard = look->guard;
    struct gl_guard_rules *rules = look->rules;
    struct gl_guard_zone *found;

    while (rules != under)
        rules = rules->next;
    for (found = rules->zones; found != NULL; found = found->next)
        if (strcmp(found->zone, zone != NULL ? zone : "") == 0)
            return &found->outlook;
    found = gl_arena_take(&look->arena, sizeof *found);
    *found = (struct gl_guard_zone){.next = rules->zones};
    snprintf(found->zone, sizeof found->zone, "%s", zone != NULL ? zone : "");
    gl_outlook_of(&look->arena,
                  &(struct gl_outlook_ask){rules->policy, rules->is_promised, rules->probability,
                                           look->now, guard->memory},
                  found->zone[0] != '\0' ? guard->facts(guard->cookie, found->zone) : NULL,
                  &found->outlook);
    rules->zones = found;
    return &found->outlook;
}

/* ---- one launch ---- */

/* A region whose zone is disputed stays so as long as it runs there: the worse one counts. */
static const struct gl_outlook *look_here(const struct gl_watch *watch)
{
    const struct gl_launch_row *row = watch->row;
    const json_t *offer = json_object_get(watch->plan, "offer"), *zone;
    const char *region = json_string_value(json_object_get(offer, "region"));
    const struct gl_outlook *here = outlook_of(watch->look, watch->rules, row->zone);
    bool is_home = region != NULL && strcmp(region, row->region) == 0;
    size_t i;

    json_array_foreach(json_object_get(offer, "zones"), i,
                       zone) if (is_home && json_is_string(zone)) here =
        gl_outlook_worse(here, outlook_of(watch->look, watch->rules, json_string_value(zone)));
    return here;
}

/* In a disputed region the worse zone counts. */
static const struct gl_outlook *look_there(const struct gl_watch *watch,
                                           const struct gl_cloud_place *place)
{
    const struct gl_outlook *there = outlook_of(watch->look, watch->rules, place->zone);
    const char *second = watch->is_by_image ? gl_guard_second_zone(watch, place) : NULL;

    if (second == NULL)
        return there;
    return gl_outlook_worse(there, outlook_of(watch->look, watch->rules, second));
}

/* What cannot be asked now is told by whoever asks next. */
static bool can_go(struct gl_watch *watch)
{
    struct gl_error ignored = {0};
    const struct gl_cloud *cloud = gl_guard_cloud(watch->look, watch->row, &ignored);

    if (cloud == NULL || watch->look->guard->places == NULL)
        return false;
    watch->is_by_image = (cloud->ops->caps & GL_CLOUD_MOVES) == 0;
    return !watch->is_by_image || gl_guard_can_relocate(watch, cloud->ops);
}

void gl_watch_elsewhere(struct gl_watch *watch)
{
    const struct gl_guard *guard = watch->look->guard;
    struct gl_cloud_place found[GL_GUARD_PLACES_MAX];
    size_t count = 0;

    if (watch->rules == NULL || on_lapse_of(watch) != GL_LAPSE_MOVE || !can_go(watch))
        return;
    count = guard->places(guard->cookie, watch->row, found, GL_GUARD_PLACES_MAX);
    for (size_t i = 0; i < count && i < GL_GUARD_PLACES_MAX; i++)
        if (strcmp(found[i].name, watch->row->region) != 0) {
            watch->there[watch->place_count] = look_there(watch, &found[i]);
            watch->places[watch->place_count++] = found[i];
        }
}

/* What its plan with pauses wants now, by what it has done until now. */
static int ask_timetable(struct gl_watch *watch, struct gl_error *err)
{
    const struct gl_guard *guard = watch->look->guard;
    struct gl_timetable_state state = {
        .now_s = gl_now(guard->launcher->world).unix_s,
        .late_s = guard->late_s > 0 ? guard->late_s : LATE_S,
        .is_paused = strcmp(watch->row->state, "paused") == 0,
    };

    if (gl_timetable_read(watch->plan, &watch->kept, err) != 0)
        return -1;
    if (watch->kept.timetable.count == 0)
        return 0;
    if (gl_timetable_done(guard->launcher, watch->row, &state.done_s, err) != 0)
        return -1;
    gl_timetable_decide(&watch->kept.timetable, &state, &watch->wish);
    return 0;
}

int gl_watch_begin(struct gl_guard_look *look, const struct gl_launch_row *row,
                   struct gl_watch *out, bool *out_is_watched, struct gl_error *err)
{
    *out_is_watched = false;
    *out = (struct gl_watch){.look = look, .row = row};
    out->plan = gl_json_parse(row->plan, strlen(row->plan), "plan", err);
    if (out->plan == NULL)
        return -1;
    if (ask_timetable(out, err) != 0 ||
        (json_is_object(guarantee_of(out)) &&
         find_rules(look, guarantee_of(out), &out->rules, err) != 0))
        return -1;
    *out_is_watched = out->rules != NULL || out->wish.wish != GL_TIMETABLE_NONE;
    if (out->rules == NULL)
        return 0;
    out->here = look_here(out);
    return 0;
}

void gl_watch_done(struct gl_watch *watch)
{
    json_decref(watch->plan);
    watch->plan = NULL;
}

/* ---- grams here and there, and of the way ---- */

static struct gl_machine machine_of(const struct gl_watch *watch)
{
    const json_t *machine = json_object_get(watch->plan, "machine");
    const char *family = json_string_value(json_object_get(machine, "family"));

    return (struct gl_machine){
        .family = family != NULL ? gl_power_family(family) : NULL,
        .threads = (double)number_of(machine, "threads_milli", 1000) / 1000,
        .memory_gb = (double)number_of(machine, "memory_mb", 0) / 1000,
        .gpu_count = (unsigned)number_of(machine, "gpu_count", 0),
        .gpu_watts = (double)number_of(machine, "gpu_watts", 0),
    };
}

static double kw_of(const struct gl_watch *watch, double load)
{
    const struct gl_machine machine = machine_of(watch);
    double pue = (double)number_of(watch->plan, "pue_milli", 1000) / 1000;

    return gl_power_machine(&machine, load, load).central / 1000 * pue;
}

static double load_of(const struct gl_watch *watch)
{
    return (double)number_of(json_object_get(watch->plan, "request"), "load_ppm", 500000) / 1e6;
}

static uint32_t hours_needed(int64_t seconds)
{
    int64_t hours = gl_hours_up(seconds);

    return hours < 1 ? 1 : hours < UINT32_MAX ? (uint32_t)hours : UINT32_MAX;
}

static struct gl_guard_place place_of(const struct gl_watch *watch,
                                      const struct gl_outlook *outlook, int64_t lead_s)
{
    int64_t now_s = watch->look->now.unix_s, needed_s = gl_watch_needed_s(watch);
    const struct gl_guard_span span = {now_s, now_s + needed_s, lead_s, hours_needed(needed_s)};

    return (struct gl_guard_place){
        .kind = outlook->kind,
        .is_allowed = true,
        .promised_h = gl_guard_hours(outlook->until_s, &span),
    };
}

uint32_t gl_watch_hours(const struct gl_watch *watch, const struct gl_guard_place *there)
{
    uint32_t needed_h = hours_needed(gl_watch_needed_s(watch));
    uint32_t hours = there->promised_h < needed_h ? there->promised_h : needed_h;

    return hours < GL_OUTLOOK_H ? hours : GL_OUTLOOK_H;
}

/* Hour by hour over the hours that are promised there and needed. */
static void compare(const struct gl_watch *watch, size_t index, double kw,
                    struct gl_guard_place *there)
{
    uint32_t hours = gl_watch_hours(watch, there);
    double here_mean, there_mean;

    if (!gl_outlook_mean(watch->here, hours, &here_mean) ||
        !gl_outlook_mean(watch->there[index], hours, &there_mean))
        return;
    there->g_per_h = there_mean * kw;
    there->has_g_per_h = there->has_saved_g = true;
    there->saved_g = (here_mean - there_mean) * hours * kw;
}

/* The memory is copied, both ends stand idle meanwhile. The state is moved whole, so that no work
 * is lost, and within this machine, so that nobody is paid for it. Where an intensity is not known
 * no gain is either, and it is not moved: 0 is never used then. */
static struct gl_guard_move move_to(const struct gl_watch *watch, size_t index)
{
    const struct gl_region_copy copy = {
        .data_gb = machine_of(watch).memory_gb,
        .kwh_per_gb = GL_COPY_KWH_WORST,
        .gbit_per_s = 1,
        .idle_kwh_per_hour = kw_of(watch, 0),
    };
    double here = 0, there = 0;

    gl_outlook_mean(watch->here, 1, &here);
    gl_outlook_mean(watch->there[index], 1, &there);
    return (struct gl_guard_move){
        .grams = gl_region_copy_kwh(&copy) * (here + there),
        .seconds = gl_region_copy_hours(&copy) * 3600,
    };
}

/* How much work a paused run has left is not known: an hour of it is worth resuming for. */
static uint32_t needed_h_of(const struct gl_watch *watch, bool is_paused, uint32_t min_stay_h)
{
    int64_t needed_s = gl_watch_needed_s(watch);

    if (!is_paused)
        return hours_needed(needed_s);
    return needed_s > (int64_t)min_stay_h * GL_HOUR_S ? min_stay_h : 1;
}

void gl_watch_facts(const struct gl_watch *watch, struct gl_guard_place *places,
                    struct gl_guard_move *moves, struct gl_guard_facts *out)
{
    const struct gl_guard *guard = watch->look->guard;
    bool is_paused = strcmp(watch->row->state, "paused") == 0;
    uint32_t min_stay_h = guard->min_stay_h > 0 ? guard->min_stay_h : MIN_STAY_H;
    int64_t lead_s = guard->lead_s > 0 ? guard->lead_s : GL_GUARD_LEAD_S;
    double kw = kw_of(watch, load_of(watch));

    *out = (struct gl_guard_facts){
        .is_paused = is_paused,
        .on_lapse = on_lapse_of(watch),
        .needed_h = needed_h_of(watch, is_paused, min_stay_h),
        .lead_h = 1, /* gl_guard_hours() has made less of it 0 */
        .min_stay_h = min_stay_h,
        .lease_left_s = watch->row->expires_ms / 1000 - watch->look->now.unix_s,
        .places = places,
        .moves = moves,
        .place_count = watch->place_count,
        .margin = guard->margin >= 0 ? guard->margin : MARGIN,
        .max_egress_u_usd = watch->is_by_image ? gl_guard_move_ceiling(watch) : GL_UNKNOWN,
        .can_pause = true,
        .can_move = watch->place_count > 0,
        .plan = watch->wish.wish,
        .is_plan_forced = watch->wish.is_forced,
        .has_no_rules = watch->rules == NULL,
    };
    /* Resumed only where it then runs for an hour before its lead time begins. */
    if (watch->here != NULL)
        out->here = place_of(watch, watch->here, is_paused ? lead_s + GL_HOUR_S : lead_s);
    for (size_t i = 0; i < watch->place_count; i++) {
        places[i] = place_of(watch, watch->there[i], 0);
        if (watch->is_by_image) {
            gl_guard_region_cost(watch, i, kw, &places[i], &moves[i]);
            continue;
        }
        moves[i] = move_to(watch, i);
        compare(watch, i, kw, &places[i]);
    }
}
