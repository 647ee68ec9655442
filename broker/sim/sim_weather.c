/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/sim/sim_weather.h"

#include <math.h>

#define PI      3.14159265358979323846
#define DAY_S   86400
#define HOUR_S  3600
#define WARM_UP 240 /* hours of weather before the first that is told */

enum plant { SOLAR, WIND, HYDRO, GEOTHERMAL, NUCLEAR, GAS, COAL, PLANTS };

/* IPCC 2014, AR5 WG3 annex III, medians over the life of a plant, g/kWh. */
static const double factor_g[PLANTS] = {48, 11, 24, 38, 12, 490, 820};

/* Capacity as a multiple of mean demand; what is missing is gas, up to its capacity, then coal. */
static const struct zone {
    const char *name;
    double latitude, longitude;
    double solar, wind, hydro, geothermal, nuclear, gas;
    double front_h;     /* hours from the west coast: when its weather comes */
    double daily, cold; /* how demand swings with the day and with winter */
} zones[GL_SIM_WEATHER_ZONES] = {
    {"simulated-fjord", 61, 8, 0.02, 0.35, 1.05, 0, 0, 2.0, 6, .10, .22},
    {"simulated-coast", 55, 7, 0.25, 2.60, 0.10, 0, 0, 2.0, 0, .14, .12},
    {"simulated-dune", 36, -5, 1.90, 0.60, 0.05, 0, .15, 2.0, 14, .13, .02},
    {"simulated-plain", 52, 12, 0.80, 1.20, 0.05, .08, 0, 0.35, 10, .15, .12},
    {"simulated-basin", 50, 20, 0.35, 0.25, 0.03, .05, 0, 0.25, 20, .14, .12},
    {"simulated-delta", 48, 2, 0.20, 0.35, 0.15, 0, .62, 2.0, 8, .13, .20},
};

/* ---- randomness that is the same everywhere ---- */

/* SplitMix64 (Steele, Lea and Flood 2014). */
static uint64_t next_word(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static double uniform(uint64_t *state)
{
    return (double)(next_word(state) >> 11) / 9007199254740992.0;
}

/* Near enough to normal: the sum of twelve. */
static double normal(uint64_t *state)
{
    double sum = -6;

    for (int i = 0; i < 12; i++)
        sum += uniform(state);
    return sum;
}

/* First-order autoregression with variance one. */
static double follow(double *value, double memory, uint64_t *state)
{
    *value = memory * *value + sqrt(1 - memory * memory) * normal(state);
    return *value;
}

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

/* ---- weather and demand ---- */

struct weather {
    uint64_t own, common; /* streams: of the zone, and of the fronts that all zones see */
    double front, breeze, cloud, rain, demand, gust;
    double front_before[128]; /* a ring: fronts come to a zone hours later */
    uint64_t hour;
    int broken_h; /* hours that a large plant is still out */
};

/* The sun's height as a share of straight above; not below the horizon. */
static double sun(const struct zone *zone, int64_t at_s)
{
    double day = fmod((double)at_s / DAY_S, 365.25);
    double hour = fmod((double)at_s / HOUR_S + 0.5 + zone->longitude / 15 + 48, 24);
    double tilt = -23.44 * PI / 180 * cos(2 * PI * (day + 10) / 365.25);
    double latitude = zone->latitude * PI / 180;
    double height =
        sin(latitude) * sin(tilt) + cos(latitude) * cos(tilt) * cos(PI * (hour - 12) / 12);

    return height > 0 ? height : 0;
}

static double winter(const struct zone *zone, int64_t at_s)
{
    double day = fmod((double)at_s / DAY_S, 365.25);

    return zone->cold * cos(2 * PI * (day - 15) / 365.25);
}

/* Mean 1; low at night, two peaks, less on the weekend (1970 began on a Thursday). */
static double demand_of(const struct zone *zone, struct weather *weather, int64_t at_s)
{
    double hour = fmod((double)at_s / HOUR_S + zone->longitude / 15 + 48, 24);
    double shape = -cos(2 * PI * (hour - 3) / 24) - 0.45 * cos(4 * PI * (hour - 1.5) / 24);
    int64_t weekday = (at_s / DAY_S + 3) % 7;

    return (1 + zone->daily * shape + winter(zone, at_s)) * (weekday >= 5 ? 0.93 : 1.02) *
           (1 + 0.02 * follow(&weather->demand, 0.9, &weather->own));
}

/* One hour on. A large plant fails about every forty days. */
static void blow(struct weather *weather)
{
    weather->front_before[weather->hour % 128] = follow(&weather->front, 0.985, &weather->common);
    weather->hour++;
    follow(&weather->breeze, 0.96, &weather->own);
    follow(&weather->gust, 0.6, &weather->own);
    follow(&weather->cloud, 0.95, &weather->own);
    follow(&weather->rain, 0.999, &weather->own);
    if (uniform(&weather->own) < 1.0 / 960)
        weather->broken_h = 3 + (int)(uniform(&weather->own) * 6);
    else if (weather->broken_h > 0)
        weather->broken_h--;
}

static double wind_of(const struct zone *zone, const struct weather *weather, int64_t at_s)
{
    uint64_t late = weather->hour - 1 - (uint64_t)zone->front_h;
    double front = weather->hour > (uint64_t)zone->front_h ? weather->front_before[late % 128] : 0;

    return logistic(1.5 * (0.8 * front + 0.55 * weather->breeze + 0.12 * weather->gust - 0.55) +
                    2.5 * winter(zone, at_s));
}

/* ---- who generates ---- */

static double take(double *missing, double most)
{
    double taken = most < *missing ? most : *missing;

    *missing -= taken;
    return taken;
}

static void dispatch(const struct zone *zone, struct weather *weather, int64_t at_s, bool is_spike,
                     double out[PLANTS])
{
    double missing = demand_of(zone, weather, at_s);
    double scarce = is_spike ? 0.2 : weather->broken_h > 0 ? 0.55 : 1;
    double sunny = 1.15 * pow(sun(zone, at_s), 1.15) * (1 - 0.7 * logistic(1.3 * weather->cloud));
    double melt = cos(2 * PI * (fmod((double)at_s / DAY_S, 365.25) - 150) / 365.25);
    double rainy = 1 + 0.10 * weather->rain + 0.12 * melt;

    out[NUCLEAR] = take(&missing, zone->nuclear * 0.95 * (weather->broken_h > 0 ? 0.7 : 1));
    out[GEOTHERMAL] = take(&missing, zone->geothermal * 0.9);
    out[SOLAR] = take(&missing, zone->solar * sunny);
    out[WIND] = take(&missing, zone->wind * wind_of(zone, weather, at_s) * scarce);
    out[HYDRO] = take(&missing, zone->hydro * rainy * scarce);
    out[GAS] = take(&missing, zone->gas);
    out[COAL] = take(&missing, 9);
}

static void tell(const double generated[PLANTS], int64_t *out_intensity_u, int64_t *out_share_u)
{
    double all = 0, grams = 0, renewable = 0;

    for (int i = 0; i < PLANTS; i++) {
        all += generated[i];
        grams += generated[i] * factor_g[i];
        renewable += i <= GEOTHERMAL ? generated[i] : 0;
    }
    *out_intensity_u = (int64_t)floor(grams / all + 0.5) * 1000000;
    *out_share_u = (int64_t)floor(renewable / all * 1000 + 0.5) * 1000;
}

const char *gl_sim_weather_zone(size_t zone)
{
    return zones[zone].name;
}

void gl_sim_weather_make(uint64_t seed, size_t zone, int64_t start_s, size_t hours,
                         const struct gl_sim_spike *spike, int64_t *out_intensity_u,
                         int64_t *out_share_u)
{
    struct weather weather = {.own = seed * 1000003 + zone + 1, .common = seed * 1000003};

    next_word(&weather.own);
    next_word(&weather.common);
    for (size_t i = 0; i < WARM_UP + hours; i++) {
        int64_t at_s = start_s + ((int64_t)i - WARM_UP) * HOUR_S;
        bool is_spike =
            spike != NULL && spike->zone == zone && spike->from_s <= at_s && at_s < spike->until_s;
        double generated[PLANTS];

        blow(&weather);
        dispatch(&zones[zone], &weather, at_s, is_spike, generated);
        if (i >= WARM_UP)
            tell(generated, &out_intensity_u[i - WARM_UP], &out_share_u[i - WARM_UP]);
    }
}
