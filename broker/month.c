/* SPDX-License-Identifier: Apache-2.0 */
/* One calendar month of our receipts. */
#include "broker/month.h"

#include "broker/account.h"
#include "broker/receipt.h"

#include <stdio.h>
#include <string.h>

__extension__ typedef __int128 wide;

void gl_month_begin(struct gl_month *out, struct gl_instant month)
{
    *out = (struct gl_month){.from = month, .until = gl_month_after(month), .grade = 'A'};
}

void gl_month_total(const struct gl_month *month, int64_t out_ug[3])
{
    for (size_t i = 0; i < 3; i++)
        out_ug[i] = month->operational_ug[i] + month->embodied_ug[i];
}

/* ---- pieces of a receipt ---- */

static const json_t *path(const json_t *object, const char *a, const char *b)
{
    const json_t *inner = json_object_get(object, a);

    return b != NULL ? json_object_get(inner, b) : inner;
}

static bool read_band(const json_t *array, int64_t out[3])
{
    for (size_t i = 0; i < 3; i++) {
        if (!json_is_integer(json_array_get(array, i)))
            return false;
        out[i] = (int64_t)json_integer_value(json_array_get(array, i));
    }
    return true;
}

static int64_t overlap(int64_t from, int64_t until, int64_t low, int64_t high)
{
    int64_t start = from > low ? from : low, end = until < high ? until : high;

    return end > start ? end - start : 0;
}

/* Part and whole of what is to be divided. */
struct part {
    wide in, all;
};

static void take_part(struct part *part, wide weight, int64_t in_s, int64_t all_s)
{
    part->all += weight * all_s;
    part->in += weight * in_s;
}

/* How much of the operational carbon, bound by bound, and of the time is in the month. */
static void weigh(const json_t *slots, const struct gl_month *month, struct part carbon[3],
                  struct part *time)
{
    const json_t *slot;
    size_t i;

    json_array_foreach(slots, i, slot)
    {
        int64_t from = json_integer_value(json_object_get(slot, "from_s"));
        int64_t until = json_integer_value(json_object_get(slot, "until_s"));
        int64_t in_s = overlap(from, until, month->from.unix_s, month->until.unix_s);
        int64_t all_s = overlap(from, until, from, until), energy[3], intensity[3];

        take_part(time, 1, in_s, all_s);
        if (all_s == 0 || !read_band(json_object_get(slot, "energy_mj"), energy) ||
            !read_band(json_object_get(slot, "intensity_u_g_per_kwh"), intensity))
            continue;
        for (size_t k = 0; k < 3; k++) {
            wide weight = (wide)energy[k] * intensity[k];

            carbon[k].all += weight;
            carbon[k].in += weight * in_s / all_s;
        }
    }
}

static int64_t share(int64_t amount, const struct part *part, const struct part *time)
{
    const struct part *by = part->all > 0 ? part : time;

    if (by->all <= 0 || by->in >= by->all)
        return amount;
    /* Shifted so that the product fits: a year of slots is far below 2^100. */
    wide all = by->all, in = by->in;
    while (all >= (wide)1 << 62) {
        all >>= 1;
        in >>= 1;
    }
    return (int64_t)((wide)amount * in / all);
}

/* ---- regions ---- */

static void add_region(struct gl_month *month, const char *region)
{
    if (region == NULL || *region == '\0')
        return;
    for (size_t i = 0; i < month->region_count; i++)
        if (strcmp(month->names[i], region) == 0)
            return;
    if (month->region_count == GL_MONTH_REGIONS || strlen(region) >= sizeof month->names[0]) {
        month->has_more_regions = true;
        return;
    }
    snprintf(month->names[month->region_count], sizeof month->names[0], "%s", region);
    month->regions[month->region_count] = month->names[month->region_count];
    month->region_count++;
}

static void add_regions(struct gl_month *month, const struct gl_launch_row *row,
                        const json_t *evidence)
{
    const json_t *span;
    size_t i;

    add_region(month, row->region);
    add_region(month, json_string_value(path(evidence, "offer", "region")));
    json_array_foreach(path(evidence, "instance", "spans"), i, span)
        add_region(month, json_string_value(json_object_get(span, "region")));
}

/* ---- one launch ---- */

static void add_pue(struct gl_month *month, int64_t pue_milli)
{
    if (pue_milli <= 0)
        return;
    if (month->pue_milli[0] == 0 || pue_milli < month->pue_milli[0])
        month->pue_milli[0] = pue_milli;
    if (pue_milli > month->pue_milli[1])
        month->pue_milli[1] = pue_milli;
}

static void add_gaps(struct gl_month *month, const json_t *derived)
{
    int64_t from_ms = month->from.unix_s * 1000, until_ms = month->until.unix_s * 1000;
    const json_t *gap;
    size_t i;

    json_array_foreach(json_object_get(derived, "gaps"), i, gap) month->gap_ms +=
        overlap(json_integer_value(json_object_get(gap, "from_ms")),
                json_integer_value(json_object_get(gap, "until_ms")), from_ms, until_ms);
    month->unread += json_integer_value(path(derived, "meter", "readings")) == 0;
}

/* False when its carbon is not known. */
static bool add_carbon(struct gl_month *month, const json_t *evidence, const json_t *derived)
{
    const json_t *footprint = json_object_get(derived, "footprint");
    int64_t operational[3], embodied[3];
    struct part carbon[3] = {{0, 0}}, time = {0, 0};
    char grade = gl_account_total_grade(derived);

    if (!read_band(json_object_get(footprint, "operational_ug"), operational) ||
        !read_band(json_object_get(footprint, "embodied_ug"), embodied))
        return false;
    weigh(json_object_get(derived, "slots"), month, carbon, &time);
    for (size_t i = 0; i < 3; i++) {
        month->operational_ug[i] += share(operational[i], &carbon[i], &time);
        month->embodied_ug[i] += share(embodied[i], &time, &time);
    }
    month->split += time.in < time.all;
    month->grade = grade > month->grade ? grade : month->grade;
    add_gaps(month, derived);
    add_pue(month, json_integer_value(json_object_get(evidence, "pue_milli")));
    return true;
}

static bool is_in(const struct gl_month *month, const struct gl_launch_row *row, int64_t now_ms)
{
    int64_t from_ms = row->started_ms > 0 ? row->started_ms : row->created_ms;
    int64_t until_ms = row->ended_ms > 0 ? row->ended_ms : now_ms;

    return overlap(from_ms, until_ms, month->from.unix_s * 1000, month->until.unix_s * 1000) > 0;
}

void gl_month_add(struct gl_month *month, const struct gl_launch_row *row, int64_t now_ms)
{
    struct gl_receipt_check check;
    struct gl_error ignored = {0};
    const json_t *evidence;

    if (!is_in(month, row, now_ms))
        return;
    month->launches++;
    if (row->receipt == NULL || row->receipt[0] == '\0') {
        add_region(month, row->region);
        month->open++;
        return;
    }
    if (gl_receipt_verify(row->receipt, strlen(row->receipt), NULL, &check, &ignored) != 0) {
        add_region(month, row->region);
        month->broken++;
        return;
    }
    evidence = json_object_get(check.receipt, "evidence");
    add_regions(month, row, evidence);
    if (strcmp(check.launch, row->launch) != 0)
        month->broken++;
    else if (add_carbon(month, evidence, json_object_get(check.receipt, "derived")))
        month->counted++;
    else
        month->unknown++;
    gl_receipt_check_done(&check);
}
