/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"
#include "providers/data/data.h"
#include "providers/signal/adapter.h"

#include <stdio.h>
#include <string.h>

/* The built-in yearly table (providers/data/zones.c): three figures a zone, always there, always
 * asked last. The average of year Y stands from the start of Y until the start of Y + 3: the table
 * of Y appears in Y + 1 and may be a year late, and no older figure should speak of a grid. It is
 * grade D, with no bounds: it may screen places out, never grant a duration. */

#define STANDS_YEARS 3
#define U_PER_GRAM   INT64_C(1000000)
#define PPM_PER_PCT  INT64_C(10000)

static bool covers(const char *zone)
{
    return gl_data_zone(zone) != NULL;
}

static struct gl_meaning share_meaning(enum gl_quantity quantity)
{
    return (struct gl_meaning){
        .quantity = quantity,
        .trace = GL_FLOW_TRACED,
        .matching = GL_MATCH_ANNUAL,
        .share_of = GL_OF_RENEWABLE | (quantity == GL_CARBON_FREE_SHARE ? GL_OF_NUCLEAR : 0),
    };
}

static struct gl_meaning intensity_meaning(void)
{
    return (struct gl_meaning){
        .quantity = GL_INTENSITY,
        .boundary = GL_LIFECYCLE,
        .gases = GL_CO2E,
        .trace = GL_FLOW_TRACED,
        .matching = GL_MATCH_ANNUAL,
        .factor_set = "ElectricityMaps",
    };
}

/* A figure below 0 is unknown and gives no series. */
static void add_figure(const struct gl_zone_row *row, const struct gl_signal_label *label,
                       const struct gl_meaning *meaning, int64_t figure_u,
                       struct gl_signal_result *result)
{
    struct gl_series *series;
    struct gl_point point;

    if (figure_u < 0)
        return;
    point = gl_signal_point(gl_instant_of_civil(row->year, 1, 1, 0, 0, 0).unix_s,
                            gl_instant_of_civil(row->year + STANDS_YEARS, 1, 1, 0, 0, 0).unix_s,
                            GL_ANNUAL_AVERAGE);
    point.value_u = figure_u;
    series = gl_signal_begin(result, 1, label, meaning);
    series->points[series->count++] = point;
}

static int read_zone(const struct gl_signal_query *query, const struct gl_signal_config *config,
                     const struct gl_world *world, struct gl_signal_result *result,
                     struct gl_error *err)
{
    const struct gl_zone_row *row = gl_data_zone(query->zone);
    const struct gl_meaning intensity = intensity_meaning();
    const struct gl_meaning renewable = share_meaning(GL_RENEWABLE_SHARE);
    const struct gl_meaning carbon_free = share_meaning(GL_CARBON_FREE_SHARE);
    char dataset[48];
    const struct gl_signal_label label = {.ops = &gl_signal_builtin,
                                          .zone = query->zone,
                                          .dataset = dataset,
                                          .retrieved = gl_now(world)};

    (void)config;
    if (row == NULL)
        return gl_fail(err, GL_E_UNKNOWN_NAME, "the yearly table has no such zone");
    snprintf(dataset, sizeof dataset, "electricitymaps-yearly-%d", row->year);
    add_figure(row, &label, &intensity, row->intensity_g_per_kwh * U_PER_GRAM, result);
    add_figure(row, &label, &renewable, row->renewable_pct * PPM_PER_PCT, result);
    add_figure(row, &label, &carbon_free, row->carbon_free_pct * PPM_PER_PCT, result);
    return 0;
}

const struct gl_signal_ops gl_signal_builtin = {
    .name = "builtin",
    .title = "Built-in yearly table",
    .attribution = "Electricity Maps (electricitymaps.com), yearly averages",
    .licence = "ODbL-1.0",
    .homepage = "https://www.electricitymaps.com/data-portal",
    .covers = covers,
    .read = read_zone,
};
