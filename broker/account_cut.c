/* SPDX-License-Identifier: Apache-2.0 */
/* The run cut into stretches by its readings, and into slots of one hour, one place. */
#include "broker/account_part.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- stretches: the run cut at every reading; what no reading covers is a gap. By the run's own
 * clock until the end, so that time it stood still is in none ---- */

static int64_t microjoules(double watts, int64_t ms)
{
    double energy = watts * 1000.0 * (double)ms;

    return energy < 9e18 ? (int64_t)llround(energy) : INT64_MAX;
}

static void add_stretch(struct account *account, const struct gl_stretch *stretch)
{
    if (stretch->until_ms > stretch->from_ms)
        account->stretches[account->stretch_count++] = *stretch;
}

/* Silence never pays: central and high are the high bound at full load. */
static void add_gap(struct account *account, int64_t from_ms, int64_t until_ms)
{
    struct gl_band full = gl_power_machine(&account->facts.machine, 1, 1);
    struct gl_band idle = gl_power_machine(&account->facts.machine, 0, 0);
    int64_t ms = until_ms - from_ms;

    add_stretch(account,
                &(struct gl_stretch){from_ms,
                                     until_ms,
                                     {microjoules(idle.low, ms), microjoules(full.high, ms),
                                      microjoules(full.high, ms)},
                                     true});
}

/* A guest may write any 63-bit number: sums stop at the largest. */
static void add_to(int64_t *sum, int64_t more)
{
    if (__builtin_add_overflow(*sum, more, sum))
        *sum = INT64_MAX;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Energy of one reading: what it says, as far as the machine can have used it (P1). */
static void reading_energy(const struct gl_run_facts *facts, size_t index, int64_t ms,
                           int64_t out_uj[3])
{
    int64_t bound = gl_plausible_bound_uj(facts, ms);

    gl_reading_energy(&facts->readings[index], out_uj);
    if (gl_plausible_is_excessive(facts, index, ms)) {
        bound = microjoules(gl_power_plausible_max(&facts->machine).w, ms);
        out_uj[1] = bound;
    }
    out_uj[0] = least(out_uj[0], bound);
    out_uj[2] = least(out_uj[2], bound);
}

/* `carried` is energy of readings that end where this one begins: it is spent here. */
static void add_reading(struct account *account, size_t index, int64_t from_ms, int64_t until_ms,
                        int64_t carried_uj[3])
{
    struct gl_run_facts *facts = &account->facts;
    struct gl_stretch stretch = {from_ms, until_ms, {0, 0, 0}, false};
    int64_t end_ms = gl_run_end_ms(facts);

    reading_energy(facts, index, until_ms - from_ms, stretch.energy_uj);
    for (int b = 0; b < 3; b++) {
        add_to(&stretch.energy_uj[b], carried_uj[b]);
        carried_uj[b] = 0;
    }
    add_stretch(account, &stretch);
    facts->covered_ms += least(until_ms, end_ms) - least(from_ms, end_ms);
}

static void carry(const struct gl_run_facts *facts, size_t index, int64_t carried_uj[3])
{
    int64_t energy_uj[3];

    reading_energy(facts, index, 0, energy_uj);
    for (int b = 0; b < 3; b++)
        add_to(&carried_uj[b], energy_uj[b]);
}

/* What the meter said of the time after the end was used all the same: it is charged to the last of
 * the run (P12 names it). */
static void fold_after_end(struct account *account)
{
    int64_t ended_ms = gl_run_end_ms(&account->facts);

    for (; account->stretch_count > 0; account->stretch_count--) {
        struct gl_stretch *last = &account->stretches[account->stretch_count - 1];

        last->until_ms = least(last->until_ms, ended_ms);
        if (last->from_ms < ended_ms)
            return;
        for (int b = 0; b < 3 && account->stretch_count > 1; b++)
            add_to(&last[-1].energy_uj[b], last->energy_uj[b]);
    }
}

/* The part of a stretch before `ms` into it, so that the parts of a cut sum to the whole. */
static int64_t part_before(int64_t energy, int64_t ms, int64_t whole_ms)
{
    __extension__ typedef __int128 wide;

    return (int64_t)((wide)energy * ms / whole_ms);
}

/* The part of a stretch of the run's own clock that lies in one span. */
static void add_part(struct account *account, const struct gl_stretch *whole,
                     const struct gl_run_span *span)
{
    const struct gl_run_spans *spans = &account->facts.spans;
    int64_t start_ms = gl_run_clock(spans, span->from_ms);
    int64_t end_ms = gl_run_clock(spans, span->until_ms);
    int64_t from_ms = whole->from_ms > start_ms ? whole->from_ms : start_ms;
    int64_t until_ms = least(whole->until_ms, end_ms);
    int64_t whole_ms = whole->until_ms - whole->from_ms;
    struct gl_stretch part = {span->from_ms + from_ms - start_ms,
                              span->from_ms + until_ms - start_ms,
                              {0, 0, 0},
                              whole->is_gap};

    if (until_ms <= from_ms)
        return;
    for (int b = 0; b < 3; b++)
        part.energy_uj[b] = part_before(whole->energy_uj[b], until_ms - whole->from_ms, whole_ms) -
                            part_before(whole->energy_uj[b], from_ms - whole->from_ms, whole_ms);
    add_stretch(account, &part);
}

/* Each stretch to where it was in Unix time, cut at the spans; both are in order. */
static void to_wall(struct account *account)
{
    const struct gl_run_spans *spans = &account->facts.spans;
    struct gl_stretch *own = account->stretches;
    size_t count = account->stretch_count, first = 0;

    if (spans->count == 0)
        return;
    account->stretches = gl_alloc((count + spans->count) * sizeof *account->stretches);
    account->stretch_count = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t s = first; s < spans->count; s++) {
            const struct gl_run_span *span = &spans->items[s];

            if (gl_run_clock(spans, span->until_ms) <= own[i].from_ms)
                first = s + 1;
            else if (gl_run_clock(spans, span->from_ms) >= own[i].until_ms)
                break;
            else
                add_part(account, &own[i], span);
        }
    free(own);
}

/* The meter says how long it was blind before a reading (gap_ms); what lies before its own start
 * (booting) is a gap too. */
void gl_account_cut(struct account *account)
{
    struct gl_run_facts *facts = &account->facts;
    int64_t at = facts->started_ms;
    int64_t carried_uj[3] = {0, 0, 0};

    account->stretches = gl_alloc((2 * facts->count + 1) * sizeof *account->stretches);
    for (size_t i = 0; i < facts->count; i++) {
        int64_t end = gl_reading_end_ms(facts, i);
        int64_t blind = i == 0 ? end - at - GL_FIRST_READING_MS : facts->readings[i].gap_ms;

        if (end <= at) {
            carry(facts, i, carried_uj);
            continue;
        }
        if (blind > 0) {
            int64_t from = blind < end - at ? at + blind : end;

            add_gap(account, at, from);
            at = from;
        }
        if (end > at)
            add_reading(account, i, at, end, carried_uj);
        else
            carry(facts, i, carried_uj);
        at = end;
    }
    for (int b = 0; b < 3 && account->stretch_count > 0; b++)
        add_to(&account->stretches[account->stretch_count - 1].energy_uj[b], carried_uj[b]);
    if (gl_run_end_ms(facts) > at)
        add_gap(account, at, gl_run_end_ms(facts));
    fold_after_end(account);
    to_wall(account);
}

/* ---- slots: hours of UTC inside the run, of one place each ---- */

static void slot_energy(const struct account *account, int64_t from_ms, int64_t until_ms,
                        int64_t out_uj[3])
{
    for (size_t i = 0; i < account->stretch_count; i++) {
        const struct gl_stretch *stretch = &account->stretches[i];
        int64_t whole = stretch->until_ms - stretch->from_ms;
        int64_t from = from_ms > stretch->from_ms ? from_ms : stretch->from_ms;
        int64_t until = until_ms < stretch->until_ms ? until_ms : stretch->until_ms;

        if (until <= from)
            continue;
        for (int b = 0; b < 3; b++)
            add_to(&out_uj[b],
                   part_before(stretch->energy_uj[b], until - stretch->from_ms, whole) -
                       part_before(stretch->energy_uj[b], from - stretch->from_ms, whole));
    }
}

/* What is known of the place of a slot: the plan's series, or those of the move that brought it
 * there. *out_zones: how many must be known, two candidates when the mapping is disputed. */
static const struct gl_evidence_list *list_of(const struct account *account,
                                              const struct gl_run_span *span, size_t *out_zones)
{
    bool is_moved = span != NULL && span->move > 0;

    if (span != NULL && span->zone[0] == '\0')
        return NULL;
    *out_zones = is_moved ? 1 : account->zones_needed;
    return is_moved ? gl_evidence_moves_find(&account->moves, span->move) : &account->series;
}

/* The worst of the zones' intensities; false when one of them is not known. */
static bool slot_intensity(const struct account *account, const struct gl_run_span *span,
                           struct gl_slot *slot)
{
    int64_t worst[3] = {-1, -1, -1};
    size_t zones = 0, needed = 1;
    const struct gl_evidence_list *list = list_of(account, span, &needed);
    enum gl_unbounded unbounded = account->method >= 4 ? GL_UNBOUNDED_WIDENED : GL_UNBOUNDED_EXACT;

    for (size_t i = 0; list != NULL && i < list->count; i++) {
        int64_t band[3];

        if (!list->is_counted[i])
            continue;
        if (gl_evidence_over(&list->series[i], slot->from_s, slot->until_s, unbounded, band) != 0)
            return false;
        zones++;
        for (int b = 0; b < 3; b++)
            worst[b] = band[b] > worst[b] ? band[b] : worst[b];
    }
    if (zones < needed)
        return false;
    memcpy(slot->intensity_u, worst, sizeof worst);
    return true;
}

/* Whole seconds carry the slot; the fraction of a second at an end belongs to its hour. */
static void add_slot(struct account *account, const struct gl_run_span *span, int64_t from_ms,
                     int64_t until_ms)
{
    struct gl_slot *slot = &account->slots[account->slot_count];
    int64_t energy_uj[3] = {0, 0, 0};

    slot_energy(account, from_ms, until_ms, energy_uj);
    slot->from_s = from_ms / 1000;
    slot->until_s = (until_ms + 999) / 1000;
    for (int b = 0; b < 3; b++)
        slot->energy_mj[b] = energy_uj[b] / 1000 + (energy_uj[b] % 1000 >= 500);
    /* Cutting rounds each bound by itself. */
    slot->energy_mj[0] = least(slot->energy_mj[0], slot->energy_mj[1]);
    slot->energy_mj[1] = least(slot->energy_mj[1], slot->energy_mj[2]);
    if (!slot_intensity(account, span, slot)) {
        account->is_intensity_known = false;
        for (int b = 0; b < 3; b++)
            slot->intensity_u[b] = GL_UNKNOWN;
    }
    account->slot_spans[account->slot_count++] = span;
}

static void add_slots(struct account *account, const struct gl_run_span *span, int64_t from_ms,
                      int64_t until_ms)
{
    for (int64_t at = from_ms; at < until_ms;) {
        int64_t next = (at / HOUR_MS + 1) * HOUR_MS;

        next = next < until_ms ? next : until_ms;
        add_slot(account, span, at, next);
        at = next;
    }
}

void gl_account_slots(struct account *account)
{
    const struct gl_run_facts *facts = &account->facts;
    const struct gl_run_spans *spans = &facts->spans;
    size_t hours = (size_t)(facts->ended_ms / HOUR_MS - facts->started_ms / HOUR_MS + 1);

    account->slots = gl_alloc((hours + spans->count) * sizeof *account->slots);
    account->slot_spans = gl_alloc((hours + spans->count) * sizeof(struct gl_run_span *));
    account->is_intensity_known = true;
    if (spans->count == 0)
        add_slots(account, NULL, facts->started_ms, facts->ended_ms);
    for (size_t i = 0; i < spans->count; i++)
        if (spans->items[i].is_running)
            add_slots(account, &spans->items[i], spans->items[i].from_ms, spans->items[i].until_ms);
}
