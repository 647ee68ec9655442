/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench.h"

#include "policy/footprint.h"

#include <math.h>
#include <stdio.h>

/* Strubell, Ganesh and McCallum, "Energy and Policy Considerations for Deep Learning in NLP" (ACL
 * 2019), table 3: p_t = 1.58 t (p_c + p_r + g p_g) / 1000 kWh, CO2e = 0.954 lb/kWh. The essay's
 * figures: one GPU of 250 W for an hour. */

#define GRAMS_PER_POUND 453.59237
#define STRUBELL_LB_KWH 0.954
#define STRUBELL_PUE    1.58

struct row {
    const char *what;
    double power_w, hours, pue, lb_per_kwh;
    double published_kwh; /* with PUE; < 0 = not stated */
    double published_lb;
    double rounding_lb; /* half of the last digit stated */
    double rounding_h;  /* the same of the hours it was computed from */
};

static const struct row rows[] = {
    {"Strubell: Transformer base", 1415.78, 12, STRUBELL_PUE, STRUBELL_LB_KWH, 27, 26, 0.5, 0.5},
    {"Strubell: Transformer big", 1515.43, 84, STRUBELL_PUE, STRUBELL_LB_KWH, 201, 192, 0.5, 0.5},
    {"Strubell: ELMo", 517.66, 336, STRUBELL_PUE, STRUBELL_LB_KWH, 275, 262, 0.5, 0.5},
    {"Strubell: BERT base", 12041.51, 79, STRUBELL_PUE, STRUBELL_LB_KWH, 1507, 1438, 0.5, 0.5},
    {"Strubell: NAS", 1515.43, 274120, STRUBELL_PUE, STRUBELL_LB_KWH, 656347, 626155, 0.5, 0.5},
    {"GPU hour at 0.954 lb/kWh", 250, 1, 1, STRUBELL_LB_KWH, 0.25, 0.2385, 0.00005, 0},
    {"GPU hour at 452.541 lb/MWh", 250, 1, 1, 0.452541, 0.25, 0.1131, 0.00005, 0},
    {"GPU hour at 1 lb/kWh", 250, 1, 1, 1, 0.25, 0.25, 0.005, 0},
    {"40 GPU hours at 1 lb/kWh", 250, 40, 1, 1, 10, 10, 0.5, 0},
};

static int recompute(const struct row *row, struct gl_error *err)
{
    struct gl_slot slot = {.from_s = 0, .until_s = (int64_t)(row->hours * 3600)};
    const struct gl_embodied nothing = {.lifetime_s = 1};
    struct gl_footprint footprint;
    double kwh, pounds, off, rounding;

    for (int i = 0; i < 3; i++) {
        slot.energy_mj[i] = llround(row->power_w * row->hours * 3600e3);
        slot.intensity_u[i] = llround(row->lb_per_kwh * GRAMS_PER_POUND * 1e6);
    }
    if (gl_footprint_of(&slot, 1, llround(row->pue * 1e3), &nothing, &footprint, err) != 0)
        return -1;
    kwh = (double)footprint.facility_mj[1] / 3.6e9;
    pounds = (double)footprint.operational_ug[1] / 1e6 / GRAMS_PER_POUND;
    off = fabs(pounds - row->published_lb);
    rounding = row->rounding_lb + pounds * row->rounding_h / row->hours;
    printf("  %-28s %.6g kWh (published %.6g), %.7g lb (published %.6g): off by %.3g lb, %.4f %%, "
           "%s its rounding\n",
           row->what, kwh, row->published_kwh, pounds, row->published_lb, off,
           100 * off / row->published_lb, off <= rounding ? "within" : "beyond");
    return 0;
}

int bench_papers(struct gl_error *err)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (recompute(&rows[i], err) != 0)
            return -1;
    return 0;
}
