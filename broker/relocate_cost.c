/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/relocate_cost.h"

#include <math.h>
#include <string.h>

#include "base/power.h"
#include "broker/evidence.h"
#include "policy/schedule/region.h"
#include "providers/data/data.h"

#define MARGIN     0.5 /* as the guard: of the gain over the cost */
#define LINE_GBITS 1.0 /* as docs/planning.md */
#define VERIFY_S   900 /* started, and not yet heard of: the longest it is waited for */
#define MIN_LEFT_S 60

/* Of what leaves the region that the launch was planned for. */
static const struct gl_egress_row *egress_of(const struct gl_relocate_ask *ask)
{
    const json_t *offer = json_object_get(ask->plan, "offer");

    return gl_data_egress(ask->cloud, json_string_value(json_object_get(offer, "region")));
}

static const char *source_of(const struct gl_egress_row *row)
{
    const struct gl_data_source *sources;

    gl_data_sources(&sources);
    return sources[row->source].title;
}

/* ---- the machine ---- */

static int64_t number_of(const json_t *object, const char *name, int64_t otherwise)
{
    const json_t *value = json_object_get(object, name);

    return json_is_integer(value) ? (int64_t)json_integer_value(value) : otherwise;
}

double gl_relocate_kw(const json_t *plan, double load, int64_t pue_milli)
{
    const json_t *machine = json_object_get(plan, "machine");
    const char *family = json_string_value(json_object_get(machine, "family"));
    const struct gl_machine model = {
        .family = family != NULL ? gl_power_family(family) : NULL,
        .threads = (double)number_of(machine, "threads_milli", 1000) / 1000,
        .memory_gb = (double)number_of(machine, "memory_mb", 0) / 1000,
        .gpu_count = (unsigned)number_of(machine, "gpu_count", 0),
        .gpu_watts = (double)number_of(machine, "gpu_watts", 0),
    };

    return gl_power_machine(&model, load, load).central / 1000 * (double)pue_milli / 1000;
}

/* ---- the grids ---- */

/* Mean of the series of a zone that makes the carbon of a receipt; NAN when it is not known. */
static double zone_mean(const struct gl_evidence_list *list, const char *zone,
                        const struct gl_relocate_ask *ask)
{
    int64_t band[3];

    for (size_t i = 0; i < list->count; i++)
        if (list->is_counted[i] && strcmp(list->series[i].zone, zone) == 0)
            return gl_evidence_over(&list->series[i], ask->now.unix_s, ask->until.unix_s,
                                    GL_UNBOUNDED_EXACT, band) == 0
                       ? (double)band[1] / 1e6
                       : NAN;
    return NAN;
}

/* Of several candidate zones the worse one there, the better one here, so that the gain is never
 * too large; NAN unless every one of them is known. */
static int mean_of(const json_t *series, const char *const zones[2],
                   const struct gl_relocate_ask *ask, double *out, struct gl_error *err)
{
    bool is_there = zones == ask->there_zones;
    struct gl_evidence_list list;
    double mean = NAN;

    if (series == NULL)
        return 0;
    if (gl_evidence_list_parse(series, &list, err) != 0)
        return -1;
    for (size_t i = 0; i < 2 && zones[i] != NULL && zones[i][0] != '\0'; i++) {
        double one = zone_mean(&list, zones[i], ask);

        if (i == 0 || isnan(one) || (is_there ? one > mean : one < mean))
            mean = one;
        if (isnan(mean))
            break;
    }
    gl_evidence_list_done(&list);
    *out = mean;
    return 0;
}

/* ---- all ---- */

static int64_t price_of(double hours, int64_t u_usd_per_h)
{
    return u_usd_per_h == GL_UNKNOWN ? GL_UNKNOWN : (int64_t)(hours * (double)u_usd_per_h + 0.5);
}

static void set_grams(const struct gl_relocate_ask *ask, double kw, double kw_there,
                      struct gl_relocate_estimate *out)
{
    double left_h = (double)(ask->until.unix_s - ask->now.unix_s - out->still_s) / 3600;

    out->cost_g = out->copy_kwh * (out->here_g_per_kwh + out->there_g_per_kwh) +
                  out->lost_kwh * out->there_g_per_kwh;
    if (ask->is_anew) /* it runs on here, and what it does is done again there */
        out->cost_g += kw * (double)out->still_s / 3600 * out->here_g_per_kwh;
    out->gain_g =
        left_h > 0 ? left_h * (kw * out->here_g_per_kwh - kw_there * out->there_g_per_kwh) : 0;
    out->is_worth_it = left_h * 3600 >= MIN_LEFT_S && out->gain_g > (1 + MARGIN) * out->cost_g;
}

int gl_relocate_estimate(const struct gl_relocate_ask *ask, struct gl_relocate_estimate *out,
                         struct gl_error *err)
{
    const struct gl_egress_row *row = egress_of(ask);
    int64_t pue = number_of(ask->plan, "pue_milli", 1000);
    int64_t pue_there = ask->pue_there_milli > 0 ? ask->pue_there_milli : pue;
    double load =
        (double)number_of(json_object_get(ask->plan, "request"), "load_ppm", 500000) / 1e6;
    /* Both ends are off while it is copied. */
    const struct gl_region_copy copy = {ask->disk_gb, GL_COPY_KWH_WORST, LINE_GBITS, 0};
    struct gl_relocate_estimate made = {
        .egress_u_usd = GL_UNKNOWN, .here_g_per_kwh = NAN, .there_g_per_kwh = NAN};
    double lost_h = (double)ask->lost_work_s / 3600;

    if (ask->disk_gb > 0 ? ask->is_anew : !ask->is_anew)
        return gl_fail(err, GL_E_BAD_VALUE, "a disk that is copied has more than 0 GB");
    if (ask->lost_work_s < 0)
        return gl_fail(err, GL_E_BAD_VALUE, "no work is lost twice");
    /* Read into the image, and once more on its way. */
    made.still_s = (int64_t)(2 * gl_region_copy_hours(&copy) * 3600 + 0.5) + VERIFY_S;
    made.copy_kwh = gl_region_copy_kwh(&copy);
    made.lost_kwh = gl_relocate_kw(ask->plan, 0, pue_there) * VERIFY_S / 3600 +
                    gl_relocate_kw(ask->plan, load, pue_there) * lost_h;
    made.overlap_u_usd = price_of((double)made.still_s / 3600, ask->price_u_usd_per_h);
    if (ask->is_anew)
        made.egress_u_usd = 0;
    else if (row != NULL) {
        made.egress_u_usd = (int64_t)(ask->disk_gb * (double)row->u_usd_per_gb + 0.5);
        made.egress_from = source_of(row);
    }
    if (mean_of(ask->here, ask->here_zones, ask, &made.here_g_per_kwh, err) != 0 ||
        mean_of(ask->there, ask->there_zones, ask, &made.there_g_per_kwh, err) != 0)
        return -1;
    made.has_grams = !isnan(made.here_g_per_kwh) && !isnan(made.there_g_per_kwh);
    if (made.has_grams)
        set_grams(ask, gl_relocate_kw(ask->plan, load, pue),
                  gl_relocate_kw(ask->plan, load, pue_there), &made);
    *out = made;
    return 0;
}
