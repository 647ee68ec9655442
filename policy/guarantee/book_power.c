/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/guarantee/book_part.h"

#include <math.h>
#include <stdlib.h>

#include "policy/judge.h"

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return a < b ? -1 : a > b;
}

static bool stands_in(const struct gl_offer *offer, const struct gl_zone_facts *zone)
{
    for (size_t z = 0; z < offer->place->zone_count; z++)
        if (offer->place->zones[z] == zone)
            return true;
    return false;
}

double gl_book_kw(const struct gl_book_load *load)
{
    struct gl_band watts;

    return gl_request_watts(load->request, load->offer, &watts) ? watts.high / 1000 : 0;
}

static size_t sort_apart(double *kw, size_t count)
{
    size_t apart = 0;

    qsort(kw, count, sizeof *kw, by_size);
    for (size_t i = 0; i < count; i++)
        if (apart == 0 || kw[i] > kw[apart - 1])
            kw[apart++] = kw[i];
    return apart;
}

/* Least and most of the last weeks, g/kWh; the whole line when nothing is known. */
static void range_of(const struct gl_history *history, int64_t now_s, double out[2])
{
    out[0] = HUGE_VAL;
    out[1] = 0;
    for (int64_t h = 1; history != NULL && h <= GL_GUARANTEE_WINDOW_DAYS * 24; h++) {
        float value;

        if (!gl_actual_at(&history->actuals, now_s - h * GL_HOUR_S, &value))
            continue;
        out[0] = fmin(out[0], (double)value);
        out[1] = fmax(out[1], (double)value);
    }
    out[0] = out[0] < HUGE_VAL ? out[0] : 0;
}

/* Widen the band by a limit in grams an hour. */
static void widen(double band_kw[2], double grams, const double range[2])
{
    band_kw[0] = fmin(band_kw[0], range[1] > 0 ? grams / range[1] : 0);
    band_kw[1] = fmax(band_kw[1], range[0] > 0 ? grams / range[0] : HUGE_VAL);
}

/* The powers between which what is promised changes: fewer kilowatts than the first keep the limits
 * even in the dirtiest hours of the last weeks, more than the second break one in the cleanest. */
static void band_of(const struct gl_book_ask *ask, const struct gl_rule *rule,
                    const struct gl_history *intensity, double out_kw[2])
{
    const double hours = fmax(1, ceil((double)ask->run.s / (double)GL_HOUR_S));
    const int64_t rate_u = gl_rule_number(rule, GL_KEY_MAX_RATE);
    const int64_t total_u = gl_rule_number(rule, GL_KEY_MAX_TOTAL);
    double range[2];

    range_of(intensity, ask->now.unix_s / GL_HOUR_S * GL_HOUR_S, range);
    out_kw[0] = HUGE_VAL;
    out_kw[1] = 0;
    if (rate_u != GL_UNKNOWN)
        widen(out_kw, (double)rate_u / 1e6, range);
    if (total_u != GL_UNKNOWN)
        widen(out_kw, (double)total_u / 1e6 / hours, range);
}

/* At most `most` of ascending powers: one for those below the band, evenly chosen ones in it, and
 * the highest of all. */
static size_t thin_out(double *kw, size_t count, size_t most, const double band_kw[2])
{
    size_t below = 0, within, kept = 0, room;

    if (count <= most)
        return count;
    while (below < count && kw[below] <= band_kw[0])
        below++;
    for (within = below; within < count && kw[within] <= band_kw[1];)
        within++;
    room = most < 3 ? 0 : most - 2 < within - below ? most - 2 : within - below;
    if (below > 0 && most > 1)
        kw[kept++] = kw[below - 1];
    for (size_t i = 0; i < room; i++)
        kw[kept++] = kw[below + (i + 1) * (within - below) / room - 1];
    if (kept == 0 || kw[kept - 1] < kw[count - 1])
        kw[kept++] = kw[count - 1];
    return kept;
}

size_t gl_book_powers(struct gl_arena *arena, const struct gl_book_question *about, double **out_kw)
{
    const struct gl_book_ask *ask = about->ask;
    size_t most = GL_BOOK_POWERS_ALL / ask->zone_count, count = 0;
    double *kw = gl_arena_take(arena, (ask->offer_count + 1) * sizeof *kw), band_kw[2];

    most = most < 1 ? 1 : most > GL_BOOK_POWERS ? GL_BOOK_POWERS : most;
    for (size_t i = 0; ask->request != NULL && i < ask->offer_count; i++) {
        const struct gl_offer *offer = &ask->offers[i];

        kw[count] = stands_in(offer, about->zone) && gl_judge_asks_place(ask->request, offer) &&
                            gl_judge_asks_type(ask->request, offer)
                        ? gl_book_kw(&(struct gl_book_load){ask->request, offer})
                        : 0;
        count += kw[count] > 0;
    }
    *out_kw = kw;
    band_of(ask, about->rule, about->intensity, band_kw);
    return thin_out(kw, sort_apart(kw, count), most, band_kw);
}
