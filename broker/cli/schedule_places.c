/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/schedule_places.h"

#include <stdio.h>
#include <string.h>

#include "broker/cli/rented.h"
#include "policy/judge.h"

/* What the offers of a place are chosen by. */
struct choosing {
    const struct gl_ask_result *asked;
    const struct gl_schedule_ask *ask;
    const struct gl_offer *size; /* machines at least as large as this one; NULL = any */
    bool wants_ready;            /* only where launch would start something */
};

/* The grid's average, location-based intensity: what grams are made of. */
static const struct gl_history *intensity_of(const struct gl_zone_facts *zone)
{
    static const enum gl_boundary boundaries[] = {GL_LIFECYCLE, GL_DIRECT};

    for (size_t b = 0; b < 2; b++) {
        const struct gl_meaning want = {
            .quantity = GL_INTENSITY, .boundary = boundaries[b], .accounting = GL_LOCATION};

        for (size_t i = 0; i < zone->history_count; i++)
            if (zone->histories[i]->actuals.count > 0 &&
                gl_figure_gap(&zone->histories[i]->meaning, &want) == GL_GAP_NONE)
                return zone->histories[i];
    }
    return NULL;
}

void gl_schedule_add_gap(struct gl_schedule *schedule, const struct gl_zone_facts *zone,
                         const struct gl_history *history, enum gl_schedule_lack lack)
{
    for (size_t i = 0; i < schedule->gap_count; i++)
        if (strcmp(schedule->gaps[i].zone, zone->zone) == 0)
            return;
    if (schedule->gap_count < GL_SCHEDULE_PLACES)
        schedule->gaps[schedule->gap_count++] =
            (struct gl_schedule_gap){zone->zone, lack, history != NULL ? history->actual_count : 0,
                                     history != NULL ? history->newest_actual_s : GL_UNKNOWN};
}

/* ---- one offer ---- */

static bool has_watts(const struct gl_offer *offer)
{
    return offer->type->full_w.central > 0 && offer->type->idle_w.central >= 0 &&
           offer->place->pue >= 1;
}

static bool is_named(const struct gl_option_list *clouds, const char *cloud)
{
    for (size_t i = 0; clouds != NULL && i < clouds->count; i++)
        if (strcmp(clouds->items[i], cloud) == 0)
            return true;
    return false;
}

/* As launch has it: this machine at once, a rented one on a cloud that was added or is named. */
static bool is_ready(const struct gl_schedule_ask *ask, const struct gl_offer *offer)
{
    if (ask->config == NULL || strcmp(offer->place->cloud, "local") == 0)
        return true;
    return gl_cloud_is_remote(offer->place->cloud) &&
           (gl_config_cloud(ask->config, offer->place->cloud) != NULL ||
            is_named(ask->clouds, offer->place->cloud));
}

static bool is_as_large(const struct gl_offer *offer, const struct gl_offer *size)
{
    return size == NULL || (offer->type->vcpus >= size->type->vcpus &&
                            offer->type->memory_mib >= size->type->memory_mib);
}

/* Who says what it needs, by type or size, is taken at his word; else what stands at home says. */
static bool says_size(const struct gl_request *request)
{
    return (request->types != NULL && *request->types != NULL) || request->min_vcpus != 0 ||
           request->min_memory_mib != 0 || request->gpu != NULL;
}

/* ---- places ---- */

static bool stands_where(const struct gl_schedule_place *place, const struct gl_offer *offer)
{
    return place->zone_count == offer->place->zone_count &&
           place->zones[0] == offer->place->zones[0] &&
           place->zones[1] == (offer->place->zone_count > 1 ? offer->place->zones[1] : NULL);
}

static bool is_listed(const struct gl_schedule *schedule, const struct gl_offer *offer)
{
    for (size_t i = 0; i < schedule->count; i++)
        if (stands_where(&schedule->places[i], offer))
            return true;
    return false;
}

/* Intensities of two boundaries are different things: all places plan on that of the first. */
static bool is_comparable(const struct gl_schedule *schedule, const struct gl_history *history)
{
    struct gl_error ignored = {0};

    return schedule->count == 0 || gl_meaning_join(&schedule->places[0].intensity[0]->meaning,
                                                   &history->meaning, &ignored) == 0;
}

/* False when a zone has no history that fits; then it is noted. */
static bool take_place(const struct choosing *by, uint32_t index, struct gl_schedule *schedule)
{
    const struct gl_offer *offer = &by->asked->offers->offers[index];
    struct gl_schedule_place *place = &schedule->places[schedule->count];

    *place = (struct gl_schedule_place){.offer = index,
                                        .is_ready = is_ready(by->ask, offer),
                                        .zone_count = offer->place->zone_count};
    for (size_t z = 0; z < offer->place->zone_count; z++) {
        const struct gl_zone_facts *zone = offer->place->zones[z];

        place->zones[z] = zone;
        place->intensity[z] = intensity_of(zone);
        if (place->intensity[z] == NULL || !is_comparable(schedule, place->intensity[z])) {
            if (place->intensity[z] != NULL)
                gl_schedule_add_gap(schedule, zone, place->intensity[z], GL_SCHEDULE_MEANING);
            return false;
        }
    }
    snprintf(place->name, sizeof place->name, "%s%s%s", place->zones[0]->zone,
             place->zone_count > 1 ? " or " : "",
             place->zone_count > 1 ? place->zones[1]->zone : "");
    schedule->count++;
    return true;
}

/* ---- all of them ---- */

static size_t ranked_count(const struct gl_ask_result *asked)
{
    return asked->decision->judged - asked->decision->not_asked;
}

static const struct gl_offer *ranked(const struct gl_ask_result *asked, size_t at)
{
    return &asked->offers->offers[asked->decision->ranked[at]];
}

static bool is_at_home(const struct gl_offer *offer, const char *home_zone)
{
    return home_zone != NULL && strcmp(offer->place->cloud, "local") == 0 &&
           offer->place->zone_count == 1 && strcmp(offer->place->zones[0]->zone, home_zone) == 0;
}

static void list_home(struct choosing *by, struct gl_schedule *schedule)
{
    for (size_t i = 0; i < ranked_count(by->asked); i++) {
        const struct gl_offer *offer = ranked(by->asked, i);

        if (!is_at_home(offer, by->ask->home_zone) || !has_watts(offer))
            continue;
        schedule->is_home = take_place(by, by->asked->decision->ranked[i], schedule);
        schedule->is_home_missing = !schedule->is_home;
        by->size = says_size(&by->asked->request) ? NULL : offer;
        return;
    }
}

static void count_without(const struct gl_ask_result *asked, struct gl_schedule *schedule)
{
    const struct gl_zone_facts **seen =
        gl_arena_take(&schedule->arena, (asked->decision->judged * 2 + 1) * sizeof *seen);

    for (size_t i = 0; i < ranked_count(asked); i++) {
        const struct gl_offer *offer = ranked(asked, i);

        for (size_t z = 0; z < offer->place->zone_count; z++) {
            size_t at = 0;

            while (at < schedule->without && seen[at] != offer->place->zones[z])
                at++;
            if (at == schedule->without && intensity_of(offer->place->zones[z]) == NULL)
                seen[schedule->without++] = offer->place->zones[z];
        }
    }
}

/* The best ranked offer of each place that is fit; the first of all says how large, where nothing
 * stands at home. */
static void list_ranked(struct choosing *by, struct gl_schedule *schedule)
{
    for (size_t i = 0; i < ranked_count(by->asked) && schedule->count < GL_SCHEDULE_PLACES; i++) {
        const struct gl_offer *offer = ranked(by->asked, i);

        if (offer->place->zone_count == 0 || !has_watts(offer) || !is_as_large(offer, by->size) ||
            is_listed(schedule, offer) || (by->wants_ready && !is_ready(by->ask, offer)))
            continue;
        if (take_place(by, by->asked->decision->ranked[i], schedule) && by->size == NULL &&
            !says_size(&by->asked->request))
            by->size = offer;
    }
}

/* Zones that are passed over for what stands there: too small, or not to be launched in. */
static void note_passed(const struct choosing *by, struct gl_schedule *schedule)
{
    for (size_t i = 0; i < ranked_count(by->asked); i++) {
        const struct gl_offer *offer = ranked(by->asked, i);

        if (offer->place->zone_count == 0 || !has_watts(offer) || is_listed(schedule, offer) ||
            intensity_of(offer->place->zones[0]) == NULL)
            continue;
        if (by->wants_ready && !is_ready(by->ask, offer))
            schedule->passed_over += is_as_large(offer, by->size);
        else if (!is_as_large(offer, by->size))
            gl_schedule_add_gap(schedule, offer->place->zones[0],
                                intensity_of(offer->place->zones[0]), GL_SCHEDULE_SIZE);
    }
}

static bool is_any_ready(const struct gl_ask_result *asked, const struct gl_schedule_ask *ask)
{
    for (size_t i = 0; i < ranked_count(asked); i++) {
        const struct gl_offer *offer = ranked(asked, i);

        if (offer->place->zone_count > 0 && has_watts(offer) && is_ready(ask, offer) &&
            intensity_of(offer->place->zones[0]) != NULL)
            return true;
    }
    return false;
}

void gl_schedule_list_places(const struct gl_ask_result *asked, const struct gl_schedule_ask *ask,
                             struct gl_schedule *schedule)
{
    struct choosing by = {asked, ask, NULL, !ask->takes_all && is_any_ready(asked, ask)};

    list_home(&by, schedule);
    list_ranked(&by, schedule);
    note_passed(&by, schedule);
    count_without(asked, schedule);
}
