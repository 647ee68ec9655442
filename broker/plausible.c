/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/plausible.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SKEW_MS 5000
#define P8_FACTOR_LOW                                                          \
    0.1 /* guest-accounted over host-accounted CPU: 1/2.7 under TCG, ~1 on KVM \
         */
#define P8_FACTOR_HIGH 3.0

const char *gl_plausible_word(enum gl_plausible_result result)
{
    static const char *const words[] = {"ok", "flagged", "replaced", "not checked"};

    return words[result];
}

/* Time from the end of the first reading to the end of this one, by the boot clock; a meter that
 * went on in another boot has only the wall clock in common. */
static int64_t since_first_ms(const struct gl_run_facts *facts, size_t index)
{
    const struct gl_reading *first = &facts->readings[0], *reading = &facts->readings[index];

    if (strcmp(reading->boot, first->boot) != 0)
        return gl_run_clock(&facts->spans, reading->wall_ms) -
               gl_run_clock(&facts->spans, first->wall_ms);
    return (reading->boottime_ns - first->boottime_ns) / 1000000;
}

/* End of the first reading. The guest's wall clock only counts where it agrees with the broker's;
 * else the first reading came as late after the start as its boot clock says, at most two
 * intervals. */
static int64_t anchor_ms(const struct gl_run_facts *facts)
{
    const struct gl_reading *first = &facts->readings[0];
    int64_t lead = first->boottime_ns / 1000000;

    if (first->wall_ms >= facts->started_ms && first->wall_ms <= facts->ended_ms + SKEW_MS)
        return gl_run_clock(&facts->spans, first->wall_ms);
    return facts->started_ms + (lead < 2 * facts->interval_ms ? lead : 2 * facts->interval_ms);
}

static int64_t uncut_end_ms(const struct gl_run_facts *facts, size_t index)
{
    int64_t at;

    if (__builtin_add_overflow(anchor_ms(facts), since_first_ms(facts, index), &at))
        return INT64_MAX;
    return at;
}

int64_t gl_readings_until_ms(const struct gl_run_facts *facts)
{
    return gl_run_wall(&facts->spans, uncut_end_ms(facts, facts->count - 1), false);
}

int64_t gl_run_end_ms(const struct gl_run_facts *facts)
{
    return gl_run_clock(&facts->spans, facts->ended_ms);
}

int64_t gl_reading_end_ms(const struct gl_run_facts *facts, size_t index)
{
    int64_t at = uncut_end_ms(facts, index);
    int64_t latest = facts->latest_ms > 0 ? facts->latest_ms : gl_run_end_ms(facts);

    if (at < facts->started_ms)
        return facts->started_ms;
    return at > latest ? latest : at;
}

/* A guest may write any 63-bit number: sums stop at the largest. */
static void add_to(int64_t *sum, int64_t more)
{
    if (__builtin_add_overflow(*sum, more, sum))
        *sum = INT64_MAX;
}

void gl_reading_energy(const struct gl_reading *reading, int64_t out_uj[3])
{
    bool has_node = false;

    memset(out_uj, 0, 3 * sizeof *out_uj);
    for (size_t i = 0; i < reading->component_count; i++)
        has_node |= reading->components[i].kind == GL_COMP_NODE;
    for (size_t i = 0; i < reading->component_count; i++) {
        const struct gl_component *part = &reading->components[i];

        if (has_node && part->kind != GL_COMP_NODE)
            continue; /* the node already holds its parts */
        add_to(&out_uj[0], part->low_uj);
        add_to(&out_uj[1], part->delta_uj);
        add_to(&out_uj[2], part->high_uj);
    }
}

static int64_t energy_uj(const struct gl_reading *reading)
{
    int64_t energy[3];

    gl_reading_energy(reading, energy);
    return energy[1];
}

/* What the reading covers: since the one before, less the time its meter was blind; the first one
 * at most two intervals. */
static int64_t interval_of(const struct gl_run_facts *facts, size_t index)
{
    int64_t end = gl_reading_end_ms(facts, index);
    int64_t start = index > 0 ? gl_reading_end_ms(facts, index - 1) : facts->started_ms;
    int64_t whole = end - start;
    int64_t blind = index > 0 ? facts->readings[index].gap_ms : whole - GL_FIRST_READING_MS;

    if (blind <= 0)
        return whole;
    return blind < whole ? whole - blind : 0;
}

/* Half a second of slack: the first interval of a short run may be a few milliseconds. */
int64_t gl_plausible_bound_uj(const struct gl_run_facts *facts, int64_t interval_ms)
{
    double watts = gl_power_plausible_max(&facts->machine).w;
    double bound = watts * 1000.0 * (double)(interval_ms + 500);

    return bound < 9e18 ? (int64_t)llround(bound) : INT64_MAX;
}

bool gl_plausible_is_excessive(const struct gl_run_facts *facts, size_t index, int64_t interval_ms)
{
    return energy_uj(&facts->readings[index]) > gl_plausible_bound_uj(facts, interval_ms);
}

/* ---- one function a rule: the number of intervals that break it ---- */

static uint32_t p1_excess(const struct gl_run_facts *facts, char note[120])
{
    uint32_t bad = 0;

    for (size_t i = 0; i < facts->count; i++)
        bad += gl_plausible_is_excessive(facts, i, interval_of(facts, i));
    snprintf(note, 120, "at most %.1f W is possible", gl_power_plausible_max(&facts->machine).w);
    return bad;
}

static uint32_t p2_too_little(const struct gl_run_facts *facts, char note[120])
{
    struct gl_power least = gl_power_plausible_min(&facts->machine);
    uint32_t bad = 0;

    for (size_t i = 1; i < facts->count; i++)
        bad += (double)energy_uj(&facts->readings[i]) <
               least.w * 1000.0 * (double)interval_of(facts, i);
    snprintf(note, 120, "at least %.2f W while it runs", least.w);
    return bad;
}

static int64_t total_of(const struct gl_reading *reading, enum gl_component_kind kind)
{
    for (size_t c = 0; c < reading->component_count; c++)
        if (reading->components[c].kind == kind)
            return reading->components[c].total_mj;
    return 0;
}

static uint32_t p3_backwards(const struct gl_run_facts *facts, char note[120])
{
    uint32_t bad = 0;

    for (size_t i = 1; i < facts->count; i++) {
        const struct gl_reading *a = &facts->readings[i - 1], *b = &facts->readings[i];

        for (size_t c = 0; c < b->component_count; c++)
            bad += b->components[c].total_mj < total_of(a, b->components[c].kind);
    }
    snprintf(note, 120, "cumulative energy never falls");
    return bad;
}

static uint32_t count_flag(const struct gl_run_facts *facts, uint32_t flag)
{
    uint32_t found = 0;

    for (size_t i = 0; i < facts->count; i++)
        for (size_t c = 0; c < facts->readings[i].component_count; c++)
            found += (facts->readings[i].components[c].flags & flag) != 0;
    return found;
}

static uint32_t p4_ambiguous(const struct gl_run_facts *facts, char note[120])
{
    snprintf(note, 120, "counter deltas replaced by the meter's own bound");
    return count_flag(facts, GL_FLAG_BOUNDED);
}

static uint32_t p5_parts(const struct gl_run_facts *facts, char note[120])
{
    uint32_t bad = 0;

    for (size_t i = 0; i < facts->count; i++) {
        int64_t node = -1, parts = 0;

        for (size_t c = 0; c < facts->readings[i].component_count; c++) {
            const struct gl_component *part = &facts->readings[i].components[c];

            if (part->kind == GL_COMP_NODE)
                node = part->delta_uj;
            else
                add_to(&parts, part->delta_uj);
        }
        bad += node >= 0 && parts > node;
    }
    snprintf(note, 120, "the node is at least the sum of its parts");
    return bad;
}

static uint32_t p6_sentinels(const struct gl_run_facts *facts, char note[120])
{
    snprintf(note, 120, "sensor values that are error codes");
    return count_flag(facts, GL_FLAG_SENTINEL);
}

static uint32_t p7_outside_model(const struct gl_run_facts *facts, char note[120])
{
    uint32_t bad = 0;

    for (size_t i = 1; i < facts->count; i++) {
        struct gl_band watts =
            gl_power_machine(&facts->machine, (double)facts->readings[i].busy_ppm / 1e6, 0);
        double found = (double)energy_uj(&facts->readings[i]);
        double ms = (double)interval_of(facts, i);

        bad += ms > 0 && (found < watts.low / 2 * 1000 * ms || found > watts.high * 2 * 1000 * ms);
    }
    snprintf(note, 120, "within half the low and twice the high of the model");
    return bad;
}

static uint32_t p8_guest_cpu(const struct gl_run_facts *facts, char note[120])
{
    double guest_ms = 0, ratio;

    for (size_t i = 0; i < facts->count; i++)
        guest_ms += (double)facts->readings[i].busy_ppm / 1e6 * (double)interval_of(facts, i) *
                    facts->machine.threads;
    ratio = facts->host_cpu_ms > 0 ? guest_ms / (double)facts->host_cpu_ms : 0;
    snprintf(note, 120, "guest says %.0f ms CPU, host spent %" PRId64 " ms", guest_ms,
             facts->host_cpu_ms);
    return facts->host_cpu_ms > 2000 && (ratio < P8_FACTOR_LOW || ratio > P8_FACTOR_HIGH);
}

/* A guest that stood still may not have been told the time yet when it reads again. */
static uint32_t p9_clock(const struct gl_run_facts *facts, char note[120])
{
    uint32_t bad = 0;

    for (size_t i = 0; i < facts->count; i++) {
        int64_t end_ms = gl_reading_end_ms(facts, i), wall_ms = facts->readings[i].wall_ms;

        bad += wall_ms < gl_run_wall(&facts->spans, end_ms - SKEW_MS, false) ||
               wall_ms > gl_run_wall(&facts->spans, end_ms + SKEW_MS, true);
    }
    snprintf(note, 120, "guest clock within %d s; times come from the boot clock", SKEW_MS / 1000);
    return bad;
}

static uint32_t p10_coverage(const struct gl_run_facts *facts, char note[120])
{
    int64_t run_ms = gl_run_end_ms(facts) - facts->started_ms;
    int64_t missing_ms = run_ms - facts->covered_ms;

    snprintf(note, 120,
             "%" PRId64 " of %" PRId64 " ms without a reading, charged at the high bound",
             missing_ms, run_ms);
    return missing_ms * 100 > run_ms && missing_ms > 2 * facts->interval_ms;
}

static uint32_t p11_forks(const struct gl_run_facts *facts, char note[120])
{
    snprintf(note, 120, "one reading per number");
    return facts->forked;
}

static uint32_t p12_after_end(const struct gl_run_facts *facts, char note[120])
{
    uint32_t bad = 0;

    snprintf(note, 120, "no reading ends more than %d s after the run", SKEW_MS / 1000);
    for (size_t i = 0; i < facts->count; i++) {
        int64_t late_ms = gl_reading_end_ms(facts, i) - gl_run_end_ms(facts);

        if (late_ms <= SKEW_MS || bad++ > 0)
            continue;
        snprintf(note, 120, "reading %" PRIu64 " ends %" PRId64 " ms after the run; charged to it",
                 facts->readings[i].seq, late_ms);
    }
    return bad;
}

static const struct {
    const char *rule, *title;
    enum gl_plausible_result when_broken;
    uint32_t (*broken)(const struct gl_run_facts *facts, char note[120]);
} rules[GL_PLAUSIBLE_RULES] = {
    {"P1", "energy not above what the machine can draw", GL_REPLACED, p1_excess},
    {"P2", "energy not below idle", GL_FLAGGED, p2_too_little},
    {"P3", "energy never runs backwards", GL_FLAGGED, p3_backwards},
    {"P4", "counter deltas unambiguous", GL_FLAGGED, p4_ambiguous},
    {"P5", "parts do not exceed the whole", GL_FLAGGED, p5_parts},
    {"P6", "no sensor sentinels", GL_FLAGGED, p6_sentinels},
    {"P7", "near the model of this machine", GL_FLAGGED, p7_outside_model},
    {"P8", "guest CPU agrees with the host", GL_FLAGGED, p8_guest_cpu},
    {"P9", "clock agrees with the broker", GL_FLAGGED, p9_clock},
    {"P10", "readings cover the run", GL_FLAGGED, p10_coverage},
    {"P11", "no forked chain", GL_FLAGGED, p11_forks},
    {"P12", "readings end within the run", GL_FLAGGED, p12_after_end},
};

/* A rule that had nothing to look at did not pass. */
static bool has_subject(const struct gl_run_facts *facts, size_t rule)
{
    if (rule == 7) /* P8 */
        return facts->host_cpu_ms > 2000 && facts->count > 0;
    if (rule == 1 || rule == 2 || rule == 6) /* P2, P3, P7 need one reading before */
        return facts->count > 1;
    return rule == 9 || rule == 10 || facts->count > 0; /* P10 and P11 look at what is missing */
}

void gl_plausible_check(const struct gl_run_facts *facts,
                        struct gl_plausible_finding out[GL_PLAUSIBLE_RULES])
{
    for (size_t i = 0; i < GL_PLAUSIBLE_RULES; i++) {
        struct gl_plausible_finding finding = {rules[i].rule, rules[i].title, GL_NOT_CHECKED, 0,
                                               ""};

        if (has_subject(facts, i)) {
            finding.count = rules[i].broken(facts, finding.note);
            finding.result = finding.count > 0 ? rules[i].when_broken : GL_PLAUSIBLE;
        }
        out[i] = finding;
    }
}
