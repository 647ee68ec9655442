/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/signal/mix.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KW_MAX    INT64_C(1000000000)
#define WHOLE_PPM 1000000
/* A tenth of generation without a factor, a hundredth below zero: see mix.h. */
#define UNKNOWN_PART  10
#define NEGATIVE_PART 100
#define WORST_FACTOR  820

/* Median lifecycle g CO2e/kWh; 0 = the table has none. Of several medians the larger: solar is the
 * utility-scale panel (48; roofs 41, concentrating plants 27), wind at sea 12, on land 11. */
static const struct {
    int factor;
    enum gl_share_of share_of;
} fuels[] = {
    [GL_FUEL_BIOMASS] = {230, GL_OF_BIOMASS},
    [GL_FUEL_COAL] = {WORST_FACTOR, 0},
    [GL_FUEL_GAS] = {490, 0},
    [GL_FUEL_GEOTHERMAL] = {38, GL_OF_GEOTHERMAL},
    [GL_FUEL_HYDRO] = {24, GL_OF_HYDRO},
    [GL_FUEL_MARINE] = {17, GL_OF_MARINE},
    [GL_FUEL_NUCLEAR] = {12, GL_OF_NUCLEAR},
    [GL_FUEL_SOLAR] = {48, GL_OF_SOLAR},
    [GL_FUEL_STORAGE] = {0, GL_OF_STORAGE},
    [GL_FUEL_WIND_ONSHORE] = {11, GL_OF_WIND},
    [GL_FUEL_WIND] = {12, GL_OF_WIND},
    [GL_FUEL_OTHER] = {0, 0},
};

/* ---- the grid ---- */

int gl_mix_init(struct gl_mix *mix, int64_t from_s, int64_t until_s, int64_t step_s,
                struct gl_error *err)
{
    int64_t steps = (until_s - from_s) / step_s;

    if (steps > GL_SIGNAL_MAX_POINTS)
        return gl_fail(err, GL_E_TOO_LARGE, "the answer holds too many intervals");
    *mix = (struct gl_mix){.from_s = from_s, .step_s = step_s, .steps = (size_t)steps};
    mix->kw = gl_alloc(mix->steps * GL_MIX_TYPES * sizeof *mix->kw);
    for (size_t i = 0; i < mix->steps * GL_MIX_TYPES; i++)
        mix->kw[i] = GL_UNKNOWN;
    return 0;
}

void gl_mix_done(struct gl_mix *mix)
{
    free(mix->kw);
    *mix = (struct gl_mix){0};
}

int gl_mix_type(struct gl_mix *mix, const struct gl_fuel_code *table, const char *code,
                unsigned *out, struct gl_error *err)
{
    unsigned type = 0;

    while (type < mix->types && strcmp(mix->codes[type], code) != 0)
        type++;
    *out = type;
    if (type < mix->types)
        return 0;
    if (code[0] == '\0' || strlen(code) >= GL_MIX_CODE)
        return gl_fail(err, GL_E_BAD_REPLY, "the answer holds an impossible fuel code");
    if (type == GL_MIX_TYPES)
        return gl_fail(err, GL_E_BAD_REPLY, "the answer holds more fuels than there are");
    snprintf(mix->codes[type], sizeof mix->codes[type], "%s", code);
    mix->fuels[type] = GL_FUEL_OTHER;
    for (; table->code != NULL; table++)
        if (strcmp(table->code, code) == 0)
            mix->fuels[type] = table->fuel;
    mix->types++;
    return 0;
}

int gl_mix_add(struct gl_mix *mix, const struct gl_mix_entry *entry, struct gl_error *err)
{
    int64_t first = entry->from_s - mix->from_s, end = entry->until_s - mix->from_s;

    if (first < 0 || first >= end || first % mix->step_s != 0 || end % mix->step_s != 0 ||
        (size_t)(end / mix->step_s) > mix->steps)
        return gl_fail(err, GL_E_BAD_REPLY, "an interval is off the hours and quarters");
    if (entry->kw > KW_MAX || entry->kw < -KW_MAX)
        return gl_fail(err, GL_E_BAD_REPLY, "a power is no possible figure");
    for (int64_t step = first / mix->step_s; step < end / mix->step_s; step++) {
        int64_t *cell = &mix->kw[(size_t)step * GL_MIX_TYPES + entry->type];

        if (*cell != GL_UNKNOWN && *cell != entry->kw)
            return gl_fail(err, GL_E_BAD_REPLY, "two figures for one fuel and time");
        *cell = entry->kw;
    }
    return 0;
}

/* ---- one step ---- */

struct sums {
    int64_t made, stored, below; /* kW: generation, storage, what is below zero */
    int64_t renewable, nuclear;
    int64_t without; /* has no factor */
    int64_t grams;   /* an hour, without those */
};

static void add_up(struct sums *sums, enum gl_fuel fuel, int64_t kw)
{
    if (fuel == GL_FUEL_STORAGE) {
        sums->stored += kw > 0 ? kw : 0; /* below zero it is filled */
        return;
    }
    if (kw < 0) {
        sums->below -= kw;
        return;
    }
    sums->made += kw;
    sums->grams += kw * fuels[fuel].factor;
    if (fuels[fuel].factor == 0)
        sums->without += kw;
    if (fuels[fuel].share_of & GL_OF_RENEWABLE)
        sums->renewable += kw;
    if (fuel == GL_FUEL_NUCLEAR)
        sums->nuclear += kw;
}

/* Does a step say something, and what? */
static bool sum_step(const struct gl_mix *mix, size_t step, struct sums *sums)
{
    *sums = (struct sums){0};
    for (unsigned type = 0; type < mix->types; type++) {
        int64_t kw = mix->kw[step * GL_MIX_TYPES + type];

        if (kw == GL_UNKNOWN)
            return false;
        add_up(sums, mix->fuels[type], kw);
    }
    return sums->made > 0 && sums->below * NEGATIVE_PART <= sums->made;
}

/* The value takes the worst for what is not known, the lower bound the best. */
static bool set_intensity(const struct sums *sums, struct gl_point *point)
{
    double made = (double)sums->made;
    double most = (double)(sums->grams + sums->without * WORST_FACTOR);

    if (sums->without * UNKNOWN_PART > sums->made)
        return false;
    point->value_u = llround((double)sums->grams / made * 1e6);
    gl_signal_bound_observed(point);
    point->value_u = llround(most / made * 1e6);
    point->high_u = point->value_u + (point->value_u / 1000 * GL_REVISION_PPM / 1000);
    return true;
}

/* As published figures of the past still move: of the part that does not count. */
static void set_share(int64_t counts, const struct sums *sums, struct gl_point *point)
{
    double all = (double)(sums->made + sums->stored);
    int64_t share = llround((double)counts / all * WHOLE_PPM);
    int64_t margin = (WHOLE_PPM - share) * GL_REVISION_PPM / WHOLE_PPM;

    point->value_u = share;
    point->low_u = share > margin ? share - margin : 0;
    point->high_u = share + margin < WHOLE_PPM ? share + margin : WHOLE_PPM;
}

static bool set_point(const struct gl_mix *mix, size_t step, enum gl_quantity quantity,
                      struct gl_point *point)
{
    int64_t from_s = mix->from_s + (int64_t)step * mix->step_s;
    struct sums sums;

    *point = gl_signal_point(from_s, from_s + mix->step_s, GL_PRELIMINARY);
    if (!sum_step(mix, step, &sums))
        return false;
    if (quantity == GL_INTENSITY)
        return set_intensity(&sums, point);
    set_share(sums.renewable + (quantity == GL_CARBON_FREE_SHARE ? sums.nuclear : 0), &sums, point);
    return true;
}

/* ---- series ---- */

static struct gl_meaning meaning_of(enum gl_quantity quantity)
{
    struct gl_meaning meaning = {.quantity = quantity, .trace = GL_PRODUCTION};

    if (quantity == GL_INTENSITY) {
        meaning.boundary = GL_LIFECYCLE;
        meaning.gases = GL_CO2E;
        snprintf(meaning.factor_set, sizeof meaning.factor_set, "IPCC2014");
    } else {
        meaning.share_of =
            GL_OF_RENEWABLE | (quantity == GL_CARBON_FREE_SHARE ? GL_OF_NUCLEAR : 0U);
    }
    return meaning;
}

static size_t count_points(const struct gl_mix *mix, enum gl_quantity quantity)
{
    struct gl_point ignored;
    size_t count = 0;

    for (size_t step = 0; step < mix->steps; step++)
        count += set_point(mix, step, quantity, &ignored);
    return count;
}

int gl_mix_series(const struct gl_mix *mix, const struct gl_signal_label *label,
                  struct gl_signal_result *result, struct gl_error *err)
{
    static const enum gl_quantity quantities[] = {GL_INTENSITY, GL_RENEWABLE_SHARE,
                                                  GL_CARBON_FREE_SHARE};
    bool is_empty = true;

    for (size_t i = 0; i < sizeof quantities / sizeof quantities[0]; i++) {
        const struct gl_meaning meaning = meaning_of(quantities[i]);
        size_t count = count_points(mix, quantities[i]);
        struct gl_series *series;

        if (count == 0)
            continue;
        is_empty = false;
        series = gl_signal_begin(result, count, label, &meaning);
        series->bound_method = GL_BOUND_REVISION;
        series->bound_permille = GL_REVISION_PERMILLE;
        for (size_t step = 0; step < mix->steps && series->count < count; step++)
            series->count += set_point(mix, step, quantities[i], &series->points[series->count]);
    }
    return is_empty ? gl_fail(err, GL_E_UNKNOWN_DATA,
                              "the answer holds no interval with a figure for every fuel")
                    : 0;
}
