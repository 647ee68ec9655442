/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/footprint.h"

#include <string.h>

/* All sums are exact; each total is rounded once, half up, so that cutting a run into other slots
 * of the same energy and intensity changes nothing. */

#define MJ_PER_KWH  INT64_C(3600000000)
#define PPM_PER_ONE INT64_C(1000000)
#define MILLI       1000

__extension__ typedef __int128 wide;

struct sums {
    wide energy_mj[3];
    wide carbon[3]; /* mJ times micrograms per kWh */
    int64_t from_s, until_s;
};

static bool is_ordered(const int64_t band[3])
{
    return band[0] >= 0 && band[0] <= band[1] && band[1] <= band[2];
}

static int check_slot(const struct gl_slot *slot, size_t index, struct gl_error *err)
{
    if (slot->until_s <= slot->from_s || slot->from_s < 0)
        return gl_fail(err, GL_E_BAD_VALUE, "slot %zu ends before it begins", index);
    if (!is_ordered(slot->energy_mj))
        return gl_fail(err, GL_E_BAD_VALUE, "slot %zu: energy is negative or not ordered", index);
    if (!is_ordered(slot->intensity_u))
        return gl_fail(err, GL_E_BAD_VALUE, "slot %zu: intensity is negative or not ordered",
                       index);
    return 0;
}

static int check_embodied(const struct gl_embodied *embodied, struct gl_error *err)
{
    if (!is_ordered(embodied->platform_g))
        return gl_fail(err, GL_E_BAD_VALUE, "embodied carbon is negative or not ordered");
    if (embodied->lifetime_s <= 0)
        return gl_fail(err, GL_E_BAD_VALUE, "lifetime of the machine is not positive");
    if (embodied->share_ppm < 0 || embodied->share_ppm > PPM_PER_ONE)
        return gl_fail(err, GL_E_BAD_VALUE, "share of the machine is outside 0..1");
    if (embodied->reserved_s < 0)
        return gl_fail(err, GL_E_BAD_VALUE, "the time it was reserved is negative");
    return 0;
}

static int too_large(struct gl_error *err)
{
    return gl_fail(err, GL_E_BAD_VALUE, "footprint is beyond 63 bits");
}

static int add_slot(struct sums *sums, const struct gl_slot *slot, struct gl_error *err)
{
    for (unsigned i = 0; i < 3; i++) {
        wide carbon = (wide)slot->energy_mj[i] * slot->intensity_u[i];

        sums->energy_mj[i] += slot->energy_mj[i];
        if (__builtin_add_overflow(sums->carbon[i], carbon, &sums->carbon[i]))
            return too_large(err);
    }
    if (slot->from_s < sums->from_s)
        sums->from_s = slot->from_s;
    if (slot->until_s > sums->until_s)
        sums->until_s = slot->until_s;
    return 0;
}

/* numerator * factor / divisor, rounded half up, into 63 bits; all of them non-negative. */
static int scaled(wide numerator, int64_t factor, wide divisor, int64_t *out, struct gl_error *err)
{
    wide product;

    if (__builtin_mul_overflow(numerator, (wide)factor, &product) ||
        __builtin_add_overflow(product, divisor / 2, &product))
        return too_large(err);
    product /= divisor;
    if (product > INT64_MAX)
        return too_large(err);
    *out = (int64_t)product;
    return 0;
}

/* M = TE * TiR/EL * RR/ToR in micrograms: grams times 1e6 meet parts per million and cancel. */
static int embodied_part(const struct gl_embodied *embodied, unsigned part, int64_t duration_s,
                         int64_t *out, struct gl_error *err)
{
    wide reserved;

    if (__builtin_mul_overflow((wide)embodied->platform_g[part], (wide)duration_s, &reserved))
        return too_large(err);
    return scaled(reserved, embodied->share_ppm, embodied->lifetime_s, out, err);
}

static int fill_part(const struct sums *sums, unsigned part, int64_t pue_milli,
                     const struct gl_embodied *embodied, struct gl_footprint *out,
                     struct gl_error *err)
{
    if (scaled(sums->energy_mj[part], 1, 1, &out->energy_mj[part], err) != 0 ||
        scaled(sums->energy_mj[part], pue_milli, MILLI, &out->facility_mj[part], err) != 0 ||
        scaled(sums->carbon[part], pue_milli, (wide)MILLI * MJ_PER_KWH, &out->operational_ug[part],
               err) != 0)
        return -1;
    if (embodied != NULL &&
        embodied_part(embodied, part, out->reserved_s, &out->embodied_ug[part], err) != 0)
        return -1;
    if (__builtin_add_overflow(out->operational_ug[part], out->embodied_ug[part],
                               &out->total_ug[part]))
        return too_large(err);
    return 0;
}

int gl_footprint_of(const struct gl_slot *slots, size_t count, int64_t pue_milli,
                    const struct gl_embodied *embodied, struct gl_footprint *out,
                    struct gl_error *err)
{
    struct sums sums = {.from_s = INT64_MAX};
    struct gl_footprint footprint = {0};

    if (pue_milli < MILLI)
        return gl_fail(err, GL_E_BAD_VALUE, "PUE is below 1");
    if (embodied != NULL && check_embodied(embodied, err) != 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (check_slot(&slots[i], i, err) != 0 || add_slot(&sums, &slots[i], err) != 0)
            return -1;
    footprint.duration_s = count > 0 ? sums.until_s - sums.from_s : 0;
    footprint.reserved_s =
        embodied != NULL && embodied->reserved_s > 0 ? embodied->reserved_s : footprint.duration_s;
    for (unsigned part = 0; part < 3; part++)
        if (fill_part(&sums, part, pue_milli, embodied, &footprint, err) != 0)
            return -1;
    *out = footprint;
    return 0;
}
