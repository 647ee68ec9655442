/* SPDX-License-Identifier: Apache-2.0 */
/* The futures of an offer's grid, from which a quantile is reserved. */
#include <string.h>

#include "broker/cli/charge.h"
#include "broker/evidence.h"
#include "policy/guarantee/book.h"
#include "policy/schedule/timetable.h"

#define HOUR_S 3600

bool gl_charge_wants_futures(struct gl_ledger *ledger)
{
    GL_AUTO(gl_caps_done) struct gl_caps caps = {0, NULL};
    struct gl_error ignored = {0};

    if (gl_budget_caps(ledger, &caps, &ignored) != 0)
        return false;
    for (size_t i = 0; i < caps.count; i++)
        if (caps.items[i].limit.ug != GL_UNKNOWN)
            return true;
    return false;
}

/* Of the source and meaning that the plan counts in that zone by: other figures would be of other
 * grams. */
static const struct gl_history *history_of(const struct gl_zone_facts *zone,
                                           const struct gl_evidence_list *counted)
{
    for (size_t s = 0; s < counted->count; s++) {
        const struct gl_series *series = &counted->series[s];

        if (!counted->is_counted[s] || strcmp(series->zone, zone->zone) != 0)
            continue;
        for (size_t i = 0; i < zone->history_count; i++) {
            const struct gl_history *history = zone->histories[i];
            struct gl_error ignored = {0};

            if (strcmp(history->provider, series->provider) == 0 &&
                gl_meaning_join(&history->meaning, &series->meaning, &ignored) == 0)
                return history;
        }
    }
    return NULL;
}

static int64_t end_of(const struct gl_ask_result *asked)
{
    return asked->timetable != NULL ? asked->timetable->deadline_s
                                    : asked->now.unix_s + asked->request.duration.s;
}

/* The futures of all candidates on the same past issues; false when one has none. */
static bool futures_of(const struct gl_ask_result *asked, const struct gl_offer *offer,
                       const struct gl_evidence_list *counted, struct gl_arena *arena,
                       struct gl_ensemble out[2])
{
    int64_t from_s = asked->now.unix_s / HOUR_S * HOUR_S;
    int64_t hours = (end_of(asked) - from_s + HOUR_S - 1) / HOUR_S;
    const struct gl_history *histories[2];

    if (offer->place->zone_count == 0 || hours < 1 || hours > GL_ENSEMBLE_MAX_HOURS)
        return false;
    for (size_t z = 0; z < offer->place->zone_count; z++)
        if ((histories[z] = history_of(offer->place->zones[z], counted)) == NULL)
            return false;
    return gl_book_futures(arena, histories, offer->place->zone_count, asked->now, (uint32_t)hours,
                           out) > 0;
}

void gl_charge_futures(const struct gl_config *config, const struct gl_ask_result *asked,
                       uint32_t index, json_t *plan)
{
    const struct gl_offer *offer = &asked->offers->offers[index];
    GL_AUTO(gl_evidence_list_done) struct gl_evidence_list counted = {0};
    GL_AUTO(gl_arena_done) struct gl_arena arena = {0};
    struct gl_error ignored = {0};
    struct gl_ensemble zones[2];
    struct gl_reserve_path path;
    struct gl_reserve_run run = {.zones = zones,
                                 .zone_count = offer->place->zone_count,
                                 .from_s = asked->now.unix_s,
                                 .until_s = end_of(asked),
                                 .p_ppm = config->reserve_ppm > 0 ? config->reserve_ppm
                                                                  : GL_RESERVE_P_PPM};

    if (gl_evidence_list_parse(json_object_get(plan, "series"), &counted, &ignored) != 0 ||
        !futures_of(asked, offer, &counted, &arena, zones) || !gl_reserve_path(&run, &arena, &path))
        return;
    json_object_set_new(
        json_object_get(plan, "budget"), "futures",
        gl_budget_futures_json(&run, &path, offer->place->cloud, offer->place->region));
}
