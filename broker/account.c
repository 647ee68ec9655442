/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/account.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/evidence.h"
#include "broker/meterlog.h"
#include "broker/plausible.h"
#include "policy/footprint.h"

#define HOUR_MS    3600000
#define MAX_RUN_MS ((int64_t)366 * 24 * HOUR_MS)
#define MAX_SERIES 16

/* Everything read out of the evidence once. */
struct account {
    struct gl_meterlog log;
    struct gl_run_facts facts;
    char family[32];
    size_t series_count;
    struct gl_series series[MAX_SERIES];
    bool is_counted[MAX_SERIES]; /* its intensity makes carbon */
    size_t stretch_count;
    struct gl_stretch *stretches;
    size_t slot_count;
    struct gl_slot *slots;
    bool is_intensity_known; /* of every slot */
    size_t zones_needed;     /* two candidates when the mapping is disputed */
};

static void account_done(struct account *account)
{
    gl_meterlog_done(&account->log);
    for (size_t i = 0; i < account->series_count; i++)
        free(account->series[i].points);
    free(account->stretches);
    free(account->slots);
}

/* ---- reading the evidence ---- */

static int read_machine(const json_t *evidence, struct account *account, struct gl_error *err)
{
    struct gl_machine *machine = &account->facts.machine;
    int64_t threads_milli, memory_mb, gpu_count, gpu_watts;
    const char *family;
    json_t *object;

    if (gl_json_object(evidence, "machine", &object, err) != 0 ||
        gl_json_int(object, "threads_milli", 1, 10000000, &threads_milli, err) != 0 ||
        gl_json_int(object, "memory_mb", 0, 100000000, &memory_mb, err) != 0 ||
        gl_json_int(object, "gpu_count", 0, 64, &gpu_count, err) != 0 ||
        gl_json_int(object, "gpu_watts", 0, 10000, &gpu_watts, err) != 0 ||
        gl_json_string(object, "family", &family, err) != 0)
        return -1;
    *machine =
        (struct gl_machine){gl_power_family(family), (double)threads_milli / 1000,
                            (double)memory_mb / 1000, (unsigned)gpu_count, (double)gpu_watts};
    return 0;
}

static int read_run(const json_t *evidence, struct account *account, struct gl_error *err)
{
    struct gl_run_facts *facts = &account->facts;
    json_t *instance;

    if (gl_json_object(evidence, "instance", &instance, err) != 0 ||
        gl_json_int(instance, "started_ms", 1, INT64_MAX / 4, &facts->started_ms, err) != 0 ||
        gl_json_int(instance, "ended_ms", facts->started_ms, facts->started_ms + MAX_RUN_MS,
                    &facts->ended_ms, err) != 0 ||
        gl_json_int(instance, "host_cpu_ms", -1, INT64_MAX / 4, &facts->host_cpu_ms, err) != 0)
        return -1;
    return read_machine(evidence, account, err);
}

static int read_meter(const json_t *evidence, struct account *account, struct gl_error *err)
{
    const char *launch, *token_hex;
    uint8_t token[32];
    json_t *meter, *enrolment, *batches, *batch;
    size_t i;

    if (gl_json_string(evidence, "launch", &launch, err) != 0 ||
        gl_json_object(evidence, "meter", &meter, err) != 0 ||
        gl_json_string(meter, "token", &token_hex, err) != 0 ||
        gl_hex_parse(token_hex, token, sizeof token, err) != 0 ||
        gl_json_int(meter, "interval_ms", 1, HOUR_MS, &account->facts.interval_ms, err) != 0 ||
        gl_json_array(meter, "batches", &batches, err) != 0)
        return -1;
    gl_meterlog_init(&account->log, launch, token, sizeof token);
    enrolment = json_object_get(meter, "enrolment");
    if (json_is_object(enrolment) && gl_meterlog_enrol(&account->log, enrolment, err) != 0)
        return -1;
    json_array_foreach(batches, i,
                       batch) if (gl_meterlog_batch(&account->log, batch, err) != 0) return -1;
    account->facts.readings = account->log.readings;
    account->facts.count = account->log.count;
    int64_t forked;
    if (gl_json_int(meter, "forked", 0, UINT32_MAX, &forked, err) != 0)
        return -1;
    account->facts.forked = (uint32_t)forked;
    return 0;
}

/* The first series of a zone that may count: location-based averages only, never mixed with
 * marginal or market figures. */
static bool may_count(const struct account *account, const struct gl_series *series)
{
    if (series->meaning.quantity != GL_INTENSITY || series->meaning.rate != GL_AVERAGE ||
        series->meaning.accounting != GL_LOCATION)
        return false;
    for (size_t i = 0; i < account->series_count; i++)
        if (account->is_counted[i] && strcmp(account->series[i].zone, series->zone) == 0)
            return false;
    return true;
}

static int read_series(const json_t *evidence, struct account *account, struct gl_error *err)
{
    const char *mapping;
    json_t *series, *item;
    size_t i;

    if (gl_json_array(evidence, "series", &series, err) != 0)
        return -1;
    if (json_array_size(series) > MAX_SERIES)
        return gl_fail(err, GL_E_TOO_LARGE, "evidence: more than %d series", MAX_SERIES);
    json_array_foreach(series, i, item)
    {
        if (gl_evidence_parse(item, &account->series[i], err) != 0)
            return -1;
        account->is_counted[i] = may_count(account, &account->series[i]);
        account->series_count++;
    }
    mapping = json_string_value(json_object_get(json_object_get(evidence, "offer"), "mapping"));
    account->zones_needed =
        mapping != NULL && strcmp(mapping, gl_mapping_word(GL_MAP_DISPUTED)) == 0 ? 2 : 1;
    return 0;
}

/* ---- stretches: the run cut at every reading; what no reading covers is a gap ---- */

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

    reading_energy(facts, index, until_ms - from_ms, stretch.energy_uj);
    for (int b = 0; b < 3; b++) {
        add_to(&stretch.energy_uj[b], carried_uj[b]);
        carried_uj[b] = 0;
    }
    add_stretch(account, &stretch);
    facts->covered_ms += until_ms - from_ms;
}

static void carry(const struct gl_run_facts *facts, size_t index, int64_t carried_uj[3])
{
    int64_t energy_uj[3];

    reading_energy(facts, index, 0, energy_uj);
    for (int b = 0; b < 3; b++)
        add_to(&carried_uj[b], energy_uj[b]);
}

/* The meter says how long it was blind before a reading (gap_ms); what lies before its own start
 * (booting) is a gap too. */
static void cut_run(struct account *account)
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
    if (facts->ended_ms > at)
        add_gap(account, at, facts->ended_ms);
}

/* ---- slots: hours of UTC inside the run ---- */

/* Whole seconds carry the slot; the run's fraction of a second belongs to its hour. */
static void slot_bounds(const struct gl_run_facts *facts, size_t index, int64_t *from_ms,
                        int64_t *until_ms)
{
    int64_t first_hour = facts->started_ms / HOUR_MS;
    int64_t from = (first_hour + (int64_t)index) * HOUR_MS;

    *from_ms = from > facts->started_ms ? from : facts->started_ms;
    *until_ms = from + HOUR_MS < facts->ended_ms ? from + HOUR_MS : facts->ended_ms;
}

/* The part of a stretch before `ms` into it, so that the parts of a cut sum to the whole. */
static int64_t part_before(int64_t energy, int64_t ms, int64_t whole_ms)
{
    __extension__ typedef __int128 wide;

    return (int64_t)((wide)energy * ms / whole_ms);
}

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

/* The worst of the zones' intensities (two when the mapping is disputed); false when one of them is
 * not known. */
static bool slot_intensity(const struct account *account, struct gl_slot *slot)
{
    int64_t worst[3] = {-1, -1, -1};
    size_t zones = 0;

    for (size_t i = 0; i < account->series_count; i++) {
        int64_t band[3];

        if (!account->is_counted[i])
            continue;
        if (gl_evidence_over(&account->series[i], slot->from_s, slot->until_s, band) != 0)
            return false;
        zones++;
        for (int b = 0; b < 3; b++)
            worst[b] = band[b] > worst[b] ? band[b] : worst[b];
    }
    if (zones < account->zones_needed)
        return false;
    memcpy(slot->intensity_u, worst, sizeof worst);
    return true;
}

static void make_slots(struct account *account)
{
    const struct gl_run_facts *facts = &account->facts;
    size_t hours = (size_t)(facts->ended_ms / HOUR_MS - facts->started_ms / HOUR_MS + 1);

    account->slots = gl_alloc(hours * sizeof *account->slots);
    account->is_intensity_known = true;
    for (size_t h = 0; h < hours; h++) {
        struct gl_slot *slot = &account->slots[account->slot_count];
        int64_t from_ms, until_ms, energy_uj[3] = {0, 0, 0};

        slot_bounds(facts, h, &from_ms, &until_ms);
        if (until_ms <= from_ms)
            continue;
        slot_energy(account, from_ms, until_ms, energy_uj);
        slot->from_s = from_ms / 1000;
        slot->until_s = (until_ms + 999) / 1000;
        for (int b = 0; b < 3; b++)
            slot->energy_mj[b] = energy_uj[b] / 1000 + (energy_uj[b] % 1000 >= 500);
        /* Cutting rounds each bound by itself. */
        slot->energy_mj[0] = least(slot->energy_mj[0], slot->energy_mj[1]);
        slot->energy_mj[1] = least(slot->energy_mj[1], slot->energy_mj[2]);
        if (!slot_intensity(account, slot)) {
            account->is_intensity_known = false;
            for (int b = 0; b < 3; b++)
                slot->intensity_u[b] = GL_UNKNOWN;
        }
        account->slot_count++;
    }
}

/* ---- writing what follows ---- */

static json_t *band_json(const int64_t band[3])
{
    if (band[1] == GL_UNKNOWN)
        return json_null();
    return json_pack("[I,I,I]", (json_int_t)band[0], (json_int_t)band[1], (json_int_t)band[2]);
}

static json_t *meter_json(const struct account *account)
{
    const struct gl_run_facts *facts = &account->facts;
    enum gl_tier worst = GL_TIER_M1;
    json_t *sources = json_object();

    for (size_t i = 0; i < facts->count; i++)
        for (size_t c = 0; c < facts->readings[i].component_count; c++) {
            const struct gl_component *part = &facts->readings[i].components[c];

            worst = part->tier > worst ? part->tier : worst;
            json_object_set_new(sources, gl_component_kind_text(part->kind),
                                json_string(part->source));
        }
    return json_pack("{s:I,s:b,s:s?,s:o,s:s,s:I}", "readings", (json_int_t)facts->count, "is_final",
                     account->log.is_final, "tier", facts->count > 0 ? gl_tier_text(worst) : NULL,
                     "sources", sources, "trust", account->log.has_key ? "C" : "D", "covered_ms",
                     (json_int_t)facts->covered_ms);
}

static json_t *plausibility_json(const struct account *account)
{
    struct gl_plausible_finding findings[GL_PLAUSIBLE_RULES];
    json_t *list = json_array();

    gl_plausible_check(&account->facts, findings);
    for (size_t i = 0; i < GL_PLAUSIBLE_RULES; i++)
        json_array_append_new(
            list, json_pack("{s:s,s:s,s:s,s:I,s:s}", "rule", findings[i].rule, "title",
                            findings[i].title, "result", gl_plausible_word(findings[i].result),
                            "count", (json_int_t)findings[i].count, "note", findings[i].note));
    return list;
}

static json_t *gaps_json(const struct account *account)
{
    json_t *list = json_array();

    for (size_t i = 0; i < account->stretch_count; i++) {
        const struct gl_stretch *gap = &account->stretches[i];

        if (gap->is_gap)
            json_array_append_new(
                list, json_pack("{s:I,s:I,s:o}", "from_ms", (json_int_t)gap->from_ms, "until_ms",
                                (json_int_t)gap->until_ms, "energy_uj", band_json(gap->energy_uj)));
    }
    return list;
}

static json_t *slots_json(const struct account *account)
{
    json_t *list = json_array();

    for (size_t i = 0; i < account->slot_count; i++)
        json_array_append_new(
            list, json_pack("{s:I,s:I,s:o,s:o}", "from_s", (json_int_t)account->slots[i].from_s,
                            "until_s", (json_int_t)account->slots[i].until_s, "energy_mj",
                            band_json(account->slots[i].energy_mj), "intensity_u_g_per_kwh",
                            band_json(account->slots[i].intensity_u)));
    return list;
}

static int read_band(const json_t *object, const char *key, int64_t out[3], struct gl_error *err)
{
    json_t *array;

    if (gl_json_array(object, key, &array, err) != 0)
        return -1;
    for (size_t i = 0; i < 3; i++) {
        const json_t *item = json_array_get(array, i);

        if (!json_is_integer(item) || json_array_size(array) != 3)
            return gl_fail(err, GL_E_BAD_REPLY, "\"%s\" is not three integers", key);
        out[i] = json_integer_value(item);
    }
    return 0;
}

static int read_embodied(const json_t *evidence, struct gl_embodied *out, struct gl_error *err)
{
    json_t *object;

    if (gl_json_object(evidence, "embodied", &object, err) != 0 ||
        read_band(object, "platform_g", out->platform_g, err) != 0 ||
        gl_json_int(object, "lifetime_s", 1, INT64_MAX, &out->lifetime_s, err) != 0 ||
        gl_json_int(object, "share_ppm", 0, 1000000, &out->share_ppm, err) != 0)
        return -1;
    return 0;
}

static json_t *footprint_json(const struct gl_footprint *footprint, bool is_carbon_known)
{
    json_t *object = json_pack("{s:o,s:o,s:o,s:I}", "energy_mj", band_json(footprint->energy_mj),
                               "facility_mj", band_json(footprint->facility_mj), "embodied_ug",
                               band_json(footprint->embodied_ug), "duration_s",
                               (json_int_t)footprint->duration_s);

    json_object_set_new(object, "operational_ug",
                        is_carbon_known ? band_json(footprint->operational_ug) : json_null());
    json_object_set_new(object, "total_ug",
                        is_carbon_known ? band_json(footprint->total_ug) : json_null());
    return object;
}

/* Without intensity the energy still counts: slots get zero intensity and the carbon says null. */
static int footprint(struct account *account, const json_t *evidence, json_t **out,
                     struct gl_error *err)
{
    GL_AUTO(gl_auto_free)
    struct gl_slot *slots = gl_alloc((account->slot_count + 1) * sizeof *slots);
    struct gl_embodied embodied = {{0}, 0, 0};
    struct gl_footprint result;
    int64_t pue_milli;

    memcpy(slots, account->slots, account->slot_count * sizeof *slots);
    for (size_t i = 0; i < account->slot_count && !account->is_intensity_known; i++)
        memset(slots[i].intensity_u, 0, sizeof slots[i].intensity_u);
    if (gl_json_int(evidence, "pue_milli", 1000, 10000, &pue_milli, err) != 0 ||
        read_embodied(evidence, &embodied, err) != 0 ||
        gl_footprint_of(slots, account->slot_count, pue_milli, &embodied, &result, err) != 0)
        return -1;
    *out = footprint_json(&result, account->is_intensity_known);
    return 0;
}

char gl_tier_grade(enum gl_tier tier)
{
    /* M1 M2 H E1 E2 E3 S: a model of a known CPU is worth what a forecast is; one of an unknown CPU
     * is a guess, and so is anything simulated. */
    static const char grades[] = {'A', 'A', 'B', 'C', 'C', 'E', 'E'};

    return grades[tier];
}

/* Energy that plausibility doubts, or that was charged for silence, is worth a yearly average at
 * best, whatever its tier. */
static char energy_grade(const struct account *account)
{
    struct gl_plausible_finding findings[GL_PLAUSIBLE_RULES];
    char worst = account->facts.count > 0 ? 'A' : 'E';

    for (size_t i = 0; i < account->facts.count; i++)
        for (size_t c = 0; c < account->facts.readings[i].component_count; c++) {
            char grade = gl_tier_grade(account->facts.readings[i].components[c].tier);

            worst = grade > worst ? grade : worst;
        }
    gl_plausible_check(&account->facts, findings);
    for (size_t i = 0; i < GL_PLAUSIBLE_RULES; i++)
        if ((findings[i].result == GL_FLAGGED || findings[i].result == GL_REPLACED) && worst < 'D')
            worst = 'D';
    return worst;
}

/* The worst grade the operational carbon rests on: that of the energy and of the intensities. */
static char worst_grade(const struct account *account)
{
    char worst = account->is_intensity_known ? energy_grade(account) : 'E';

    for (size_t i = 0; i < account->series_count; i++)
        for (size_t p = 0; account->is_counted[i] && p < account->series[i].count; p++) {
            char grade =
                gl_grade_letter(gl_grade_of_evidence(account->series[i].points[p].evidence));

            worst = grade > worst ? grade : worst;
        }
    return worst;
}

/* Kept when the run ended inside the promised time and the evidence covers all of it; a promise
 * cannot outlive its end, and without evidence nobody knows. */
static json_t *guarantee_json(const struct account *account, const json_t *evidence)
{
    const json_t *guarantee = json_object_get(evidence, "guarantee");
    int64_t end_s = json_integer_value(json_object_get(guarantee, "until_s"));

    if (!json_is_object(guarantee))
        return json_null();
    int64_t ended_s = (account->facts.ended_ms + 999) / 1000;
    const char *state = ended_s > end_s                ? "outlived"
                        : !account->is_intensity_known ? "unknown"
                                                       : "kept";
    return json_pack("{s:s,s:I,s:I}", "state", state, "run_until_s", (json_int_t)ended_s,
                     "promised_until_s", (json_int_t)end_s);
}

int gl_account(const json_t *evidence, json_t **out_derived, struct gl_error *err)
{
    GL_AUTO(account_done) struct account account = {0};
    json_t *carbon, *total;
    char grade[2] = "", energy[2] = "";

    if (read_run(evidence, &account, err) != 0 || read_meter(evidence, &account, err) != 0 ||
        read_series(evidence, &account, err) != 0)
        return -1;
    cut_run(&account);
    make_slots(&account);
    if (footprint(&account, evidence, &carbon, err) != 0)
        return -1;
    grade[0] = worst_grade(&account);
    energy[0] = energy_grade(&account);
    total = json_object_get(carbon, "total_ug");
    *out_derived =
        json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:s,s:s}", "meter", meter_json(&account),
                  "plausibility", plausibility_json(&account), "gaps", gaps_json(&account), "slots",
                  slots_json(&account), "footprint", carbon, "sci",
                  json_pack("{s:s,s:O}", "functional_unit", "launch", "ug_per_unit", total),
                  "guarantee", guarantee_json(&account, evidence), "saved",
                  json_pack("{s:s,s:i}", "baseline", "start now, same place", "ug", 0), "grade",
                  grade, "energy_grade", energy);
    return 0;
}
