/* SPDX-License-Identifier: Apache-2.0 */
/* The other regions of a rented machine: which there are, what going there by image costs, and
 * going there. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/carried.h"
#include "broker/evidence.h"
#include "broker/guard_part.h"
#include "broker/relocate.h"
#include "broker/relocate_cost.h"
#include "providers/data/data.h"

#define DISK_GB     10   /* as docs/launching.md "Moving to another region" */
#define LOST_WORK_S 3600 /* or as long as it has run */

/* ---- where to ---- */

static bool has_zone(const char *zone)
{
    return zone != NULL && zone[0] != '\0';
}

size_t gl_guard_regions(const struct gl_launch_row *row, struct gl_cloud_place *out,
                        size_t capacity)
{
    const struct gl_type_row *type = gl_data_type(row->cloud, row->type);
    const struct gl_region_row *regions;
    size_t count = gl_data_regions(&regions), found = 0;

    for (size_t i = 0; type != NULL && i < count && found < capacity; i++)
        if (strcmp(regions[i].cloud, row->cloud) == 0 && has_zone(regions[i].zones[0]) &&
            strcmp(regions[i].region, row->region) != 0 &&
            gl_data_price(type, &regions[i], NULL) >= 0)
            out[found++] =
                (struct gl_cloud_place){.name = regions[i].region, .zone = regions[i].zones[0]};
    return found;
}

const char *gl_guard_second_zone(const struct gl_watch *watch, const struct gl_cloud_place *place)
{
    const struct gl_region_row *row = gl_data_region(watch->row->cloud, place->name);
    const char *second = row != NULL && row->zones[0] != NULL && place->zone != NULL &&
                                 strcmp(row->zones[0], place->zone) == 0
                             ? row->zones[1]
                             : NULL;

    return has_zone(second) ? second : NULL;
}

/* ---- can it be done? ---- */

static int check(struct gl_watch *watch, const struct gl_cloud_ops *ops, struct gl_error *err)
{
    const char *words[GL_RELOCATE_WORDS_MAX + 1], *const *command;
    struct gl_carried_meter meter;

    if (!gl_relocate_has_images(ops))
        return gl_fail(err, GL_E_USAGE, "cloud %s cannot make images to move by", ops->name);
    if (strcmp(watch->row->state, "running") != 0)
        return gl_fail(err, GL_E_USAGE, "a paused machine is not moved by image");
    if (watch->kept.timetable.count > 0)
        return gl_fail(err, GL_E_USAGE, "it carries out a plan with pauses");
    if (watch->look->guard->meter == NULL)
        return gl_fail(err, GL_E_USAGE, "no meter is configured that the new machine would carry");
    if (gl_relocate_check_rules(watch->row->launch, watch->plan, err) != 0 ||
        gl_relocate_command(watch->plan, words, &command, err) != 0)
        return -1;
    if (gl_relocate_terms_read(watch->look->guard->launcher->ledger, watch->row, &watch->terms,
                               err) != 0)
        return -1;
    return gl_carried_pick(
        watch->look->guard->meter,
        &(struct gl_carried_type){watch->row->cloud, watch->row->type, watch->terms.arch}, &meter,
        err);
}

bool gl_guard_can_relocate(struct gl_watch *watch, const struct gl_cloud_ops *ops)
{
    GL_AUTO(gl_str_done) struct gl_str text = {.ceiling = sizeof watch->unmoved - 1};
    struct gl_error why = {0};

    if (check(watch, ops, &why) == 0)
        return true;
    gl_str_add_printable(&text, why.text, strlen(why.text));
    snprintf(watch->unmoved, sizeof watch->unmoved, "%s", gl_str_text(&text));
    return false;
}

/* ---- what it costs ---- */

static int64_t price_in(const struct gl_watch *watch, const char *region)
{
    const struct gl_type_row *type = gl_data_type(watch->row->cloud, watch->row->type);
    const struct gl_region_row *row = gl_data_region(watch->row->cloud, region);
    int64_t price = type != NULL && row != NULL ? gl_data_price(type, row, NULL) : -1;

    return price >= 0 ? price : GL_UNKNOWN;
}

int64_t gl_guard_move_ceiling(const struct gl_watch *watch)
{
    int64_t price = price_in(watch, watch->row->region);
    int64_t left_s = watch->row->expires_ms / 1000 - watch->look->now.unix_s;

    if (watch->look->guard->is_any_price)
        return GL_UNKNOWN;
    if (price == GL_UNKNOWN || left_s <= 0)
        return 0;
    return (int64_t)((double)price * (double)left_s / 3600);
}

/* What a spot machine costs is known only when it is asked for. */
static bool is_within_cap(const struct gl_watch *watch, const char *region)
{
    int64_t cap = watch->terms.max_price_u_usd, price = price_in(watch, region);

    return cap <= 0 || watch->terms.is_spot || price == GL_UNKNOWN || price <= cap;
}

static double pue_ratio(const struct gl_watch *watch, const char *region)
{
    const struct gl_region_row *row = gl_data_region(watch->row->cloud, region);
    const json_t *here = json_object_get(watch->plan, "pue_milli");
    double pue = json_is_integer(here) ? (double)json_integer_value(here) : 1000;

    return row != NULL && pue > 0 ? (double)row->pue_milli / pue : 1;
}

static int ask_cost(const struct gl_watch *watch, const char *region,
                    struct gl_relocate_estimate *out)
{
    const struct gl_region_row *row = gl_data_region(watch->row->cloud, region);
    int64_t ran_s = watch->look->now.unix_s - watch->row->started_ms / 1000;
    const struct gl_relocate_ask ask = {
        .cloud = watch->row->cloud,
        .plan = watch->plan,
        .pue_there_milli = row != NULL ? row->pue_milli : 0,
        .disk_gb = DISK_GB,
        .lost_work_s = ran_s < 0             ? 0
                       : ran_s < LOST_WORK_S ? ran_s
                                             : LOST_WORK_S,
        .price_u_usd_per_h = price_in(watch, region),
        .now = watch->look->now,
        .until = {watch->row->expires_ms / 1000},
    };
    struct gl_error ignored = {0};

    return gl_relocate_estimate(&ask, out, &ignored);
}

static int64_t sum_of(int64_t a, int64_t b)
{
    return a == GL_UNKNOWN || b == GL_UNKNOWN ? GL_UNKNOWN : a + b;
}

void gl_guard_region_cost(const struct gl_watch *watch, size_t index, double kw,
                          struct gl_guard_place *there, struct gl_guard_move *out)
{
    uint32_t hours = gl_watch_hours(watch, there);
    struct gl_relocate_estimate cost;
    double here_g, there_g, left_h;

    *out = (struct gl_guard_move){.price_u_usd = GL_UNKNOWN};
    there->is_allowed = is_within_cap(watch, watch->places[index].name);
    if (ask_cost(watch, watch->places[index].name, &cost) != 0)
        return;
    out->seconds = (double)cost.still_s;
    out->price_u_usd = sum_of(cost.egress_u_usd, cost.overlap_u_usd);
    if (!gl_outlook_mean(watch->here, hours, &here_g) ||
        !gl_outlook_mean(watch->there[index], hours, &there_g))
        return;
    left_h = fmax(0, (double)hours - out->seconds / 3600);
    out->grams = cost.copy_kwh * (here_g + there_g) + cost.lost_kwh * there_g;
    there->g_per_h = there_g * kw * pue_ratio(watch, watch->places[index].name);
    there->has_g_per_h = there->has_saved_g = true;
    there->saved_g = (here_g * kw - there->g_per_h) * left_h;
}

/* ---- going there ---- */

static void add_zone(const struct gl_watch *watch, const char *zone, struct gl_instant until,
                     json_t *series)
{
    const struct gl_guard *guard = watch->look->guard;
    const struct gl_zone_facts *facts = has_zone(zone) ? guard->facts(guard->cookie, zone) : NULL;
    GL_AUTO(gl_auto_json)
    json_t *list = facts != NULL ? gl_evidence_place(facts, watch->look->now, until) : NULL;

    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_array_size(series) < GL_EVIDENCE_SERIES_MAX)
            json_array_append(series, json_array_get(list, i));
}

/* It is watched there as it was here: a promise of that place stands in the ledger beside it. */
static void keep_watch(const struct gl_watch *watch, json_t *plan)
{
    const json_t *old = json_object_get(watch->plan, "guarantee");
    json_t *guarantee = json_object_get(plan, "guarantee");

    if (watch->rules == NULL || !watch->rules->is_promised)
        return;
    json_object_set(guarantee, "probability_ppm", json_object_get(old, "probability_ppm"));
    json_object_set_new(guarantee, "method", json_string("promised by the guard that moved it"));
}

static json_t *plan_there(const struct gl_watch *watch, const struct gl_cloud_place *to,
                          struct gl_error *err)
{
    const struct gl_instant now = gl_now(watch->look->guard->launcher->world);
    const struct gl_instant until = {now.unix_s + gl_watch_needed_s(watch)};
    const struct gl_instant lease = {watch->row->expires_ms / 1000};
    const char *zones[2] = {to->zone, gl_guard_second_zone(watch, to)};
    GL_AUTO(gl_auto_json) json_t *series = json_array();
    const struct gl_relocate_place place = {.cloud = watch->row->cloud,
                                            .region = to->name,
                                            .zones = zones,
                                            .zone_count = zones[1] != NULL ? 2 : 1,
                                            .series = series};
    json_t *plan;

    add_zone(watch, zones[0], lease, series);
    add_zone(watch, zones[1], lease, series);
    plan = gl_relocate_plan(watch->plan, &place, now, until.unix_s < lease.unix_s ? until : lease,
                            err);
    if (plan != NULL)
        keep_watch(watch, plan);
    return plan;
}

int gl_guard_relocate(struct gl_watch *watch, size_t place, const struct gl_shift_reason *reason,
                      struct gl_error *err)
{
    const struct gl_cloud_place *to = &watch->places[place];
    GL_AUTO(gl_auto_json) json_t *plan = plan_there(watch, to, err);
    const char *words[GL_RELOCATE_WORDS_MAX + 1];
    struct gl_relocate_order order = {
        .region = to->name,
        .zone = to->zone,
        .reason = reason,
        .plan = plan,
        .meter = watch->look->guard->meter,
    };
    struct gl_relocated done;

    if (plan == NULL || gl_relocate_command(watch->plan, words, &order.command, err) != 0 ||
        gl_launch_relocate(watch->look->guard->launcher, watch->row->launch, &order, &done, err) !=
            0)
        return -1;
    snprintf(watch->continued, sizeof watch->continued, "%s", done.launch);
    watch->unsettled = done.unsettled;
    return 0;
}
