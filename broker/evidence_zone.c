/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of zones, as it is written into plans and moves. */
#include "broker/evidence.h"
#include "policy/decide.h"

#define POINTS_MAX   4000 /* a receipt must stay small enough to be read again */
#define MAX_AGE_S    ((int64_t)3 * 3600)
#define AFTER_ENDING 120 /* seconds that a late end may need */

/* The figure to report: the first source with bounds, as rules see it. Where that is a yearly
 * average, hours without bounds say more, and an account gives them wide ones. */
static struct gl_figure reported(const struct gl_zone_facts *zone, const struct gl_meaning *want,
                                 struct gl_instant from, struct gl_instant until,
                                 struct gl_figure_limits limits)
{
    struct gl_figure figure = gl_figure_of(zone, want, from, until, &limits), hourly;

    if (want->quantity != GL_INTENSITY || (figure.gap == GL_GAP_NONE && figure.grade < GL_GRADE_D))
        return figure;
    limits.min_grade = GL_GRADE_C;
    hourly = gl_figure_of(zone, want, from, until, &limits);
    if (hourly.gap != GL_GAP_NO_BOUND)
        return figure;
    hourly.gap = GL_GAP_NONE;
    return hourly;
}

static json_t *figures(const struct gl_zone_facts *const *zones, size_t count,
                       struct gl_instant from, struct gl_instant until,
                       struct gl_figure_limits limits)
{
    json_t *list = json_array();

    for (size_t z = 0; z < count; z++)
        for (enum gl_quantity q = GL_INTENSITY; q < GL_QUANTITIES; q++) {
            const struct gl_meaning want = {.quantity = q,
                                            .boundary =
                                                q == GL_INTENSITY ? GL_LIFECYCLE : GL_BOUNDARY_NA,
                                            .accounting = GL_LOCATION};
            struct gl_figure figure = reported(zones[z], &want, from, until, limits);

            if (figure.series != NULL && figure.gap == GL_GAP_NONE)
                json_array_append_new(list, gl_evidence_json(figure.series, from.unix_s,
                                                             until.unix_s + AFTER_ENDING));
        }
    return list;
}

json_t *gl_evidence_figures(const struct gl_zone_facts *const *zones, size_t count,
                            struct gl_instant from, struct gl_instant until)
{
    return figures(
        zones, count, from, until,
        (struct gl_figure_limits){.now = from, .max_age = {MAX_AGE_S}, .min_grade = GL_GRADE_E});
}

json_t *gl_evidence_past(const struct gl_zone_facts *const *zones, size_t count,
                         struct gl_instant from, struct gl_instant until, struct gl_instant now)
{
    return figures(
        zones, count, from, until,
        (struct gl_figure_limits){.now = now, .max_age = {INT64_MAX}, .min_grade = GL_GRADE_E});
}

static bool is_there(const json_t *list, const json_t *item)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_equal(json_array_get(list, i), item))
            return true;
    return false;
}

json_t *gl_evidence_others(const struct gl_zone_facts *const *zones, size_t count,
                           struct gl_instant from, struct gl_instant until, const json_t *figures)
{
    json_t *list = json_array();
    size_t points = 0;

    for (size_t z = 0; z < count; z++)
        for (size_t i = 0; i < zones[z]->count; i++) {
            const struct gl_series *series = zones[z]->series[i];
            json_t *json = gl_evidence_json(series, from.unix_s, until.unix_s + AFTER_ENDING);
            size_t own = json_array_size(json_object_get(json, "points"));

            if (!series->is_suspect && own > 0 && points + own <= POINTS_MAX &&
                json_array_size(list) < GL_EVIDENCE_SERIES_MAX && !is_there(figures, json)) {
                json_array_append(list, json);
                points += own;
            }
            json_decref(json);
        }
    return list;
}

json_t *gl_evidence_place(const struct gl_zone_facts *zone, struct gl_instant from,
                          struct gl_instant until)
{
    json_t *list = gl_evidence_figures(&zone, 1, from, until);
    json_t *others = gl_evidence_others(&zone, 1, from, until, list);

    for (size_t i = 0; i < json_array_size(others); i++)
        if (json_array_size(list) < GL_EVIDENCE_SERIES_MAX)
            json_array_append(list, json_array_get(others, i));
    json_decref(others);
    return list;
}
