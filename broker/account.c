/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/account_part.h"

#include <stdlib.h>
#include <string.h>

#include "broker/keeping.h"

#define MAX_RUN_MS        ((int64_t)366 * 24 * HOUR_MS)
#define RULES_OF_METHOD_1 11

static void account_done(struct account *account)
{
    gl_meterlog_done(&account->log);
    gl_evidence_list_done(&account->series);
    gl_evidence_moves_done(&account->moves);
    gl_run_spans_done(&account->facts.spans);
    free(account->slot_spans);
    free(account->stretches);
    free(account->slots);
}

/* ---- reading the evidence ---- */

int gl_account_method(const json_t *evidence, int64_t *out, struct gl_error *err)
{
    *out = 1;
    return json_object_get(evidence, "method_version") == NULL
               ? 0
               : gl_json_int(evidence, "method_version", 1, GL_METHOD_VERSION, out, err);
}

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
        gl_json_int(instance, "host_cpu_ms", -1, INT64_MAX / 4, &facts->host_cpu_ms, err) != 0 ||
        gl_account_method(evidence, &account->method, err) != 0)
        return -1;
    if (account->method >= 3 &&
        gl_run_spans_parse(instance, facts->started_ms, facts->ended_ms, &facts->spans, err) != 0)
        return -1;
    facts->latest_ms = account->method >= 2 ? facts->started_ms + MAX_RUN_MS : facts->ended_ms;
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
        return gl_wrap(err, "evidence.meter.enrolment");
    json_array_foreach(batches, i, batch) if (gl_meterlog_batch(&account->log, batch, err) !=
                                              0) return gl_wrap(err, "evidence.meter.batches[%zu]",
                                                                i);
    account->facts.readings = account->log.readings;
    account->facts.count = account->log.count;
    int64_t forked;
    if (gl_json_int(meter, "forked", 0, UINT32_MAX, &forked, err) != 0)
        return -1;
    account->facts.forked = (uint32_t)forked;
    return 0;
}

static int read_series(const json_t *evidence, struct account *account, struct gl_error *err)
{
    const char *mapping;
    json_t *series;

    if (gl_json_array(evidence, "series", &series, err) != 0 ||
        gl_evidence_list_parse(series, &account->series, err) != 0)
        return -1;
    if (account->facts.spans.count > 0 &&
        gl_evidence_moves_parse(json_object_get(json_object_get(evidence, "instance"), "series"),
                                &account->moves, err) != 0)
        return -1;
    mapping = json_string_value(json_object_get(json_object_get(evidence, "offer"), "mapping"));
    account->zones_needed =
        mapping != NULL && strcmp(mapping, gl_mapping_word(GL_MAP_DISPUTED)) == 0 ? 2 : 1;
    return 0;
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

static size_t rule_count(const struct account *account)
{
    return account->method >= 2 ? GL_PLAUSIBLE_RULES : RULES_OF_METHOD_1;
}

static json_t *plausibility_json(const struct account *account)
{
    struct gl_plausible_finding findings[GL_PLAUSIBLE_RULES];
    json_t *list = json_array();

    gl_plausible_check(&account->facts, findings);
    for (size_t i = 0; i < rule_count(account); i++)
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

    for (size_t i = 0; i < account->slot_count; i++) {
        json_t *slot =
            json_pack("{s:I,s:I,s:o,s:o}", "from_s", (json_int_t)account->slots[i].from_s,
                      "until_s", (json_int_t)account->slots[i].until_s, "energy_mj",
                      band_json(account->slots[i].energy_mj), "intensity_u_g_per_kwh",
                      band_json(account->slots[i].intensity_u));

        if (account->slot_spans[i] != NULL)
            json_object_set_new(slot, "zone", json_string(account->slot_spans[i]->zone));
        json_array_append_new(list, slot);
    }
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

/* Seconds in which a place was kept for it: those it ran, and those it was frozen for a move, when
 * two places hold it. Suspended to a file it holds no machine. 0 when it always ran. */
static int64_t reserved_s(const struct gl_run_spans *spans)
{
    int64_t reserved_ms = 0;

    for (size_t i = 0; i < spans->count; i++) {
        const struct gl_run_span *span = &spans->items[i], *next = &spans->items[i + 1];
        bool is_frozen = !span->is_running && i + 1 < spans->count && next->is_running &&
                         next->move != span->move;

        if (span->is_running || is_frozen)
            reserved_ms += span->until_ms - span->from_ms;
    }
    return (reserved_ms + 999) / 1000;
}

/* Without intensity the energy still counts: slots get zero intensity and the carbon says null. */
static int footprint(struct account *account, const json_t *evidence, json_t **out,
                     struct gl_error *err)
{
    GL_AUTO(gl_auto_free)
    struct gl_slot *slots = gl_alloc((account->slot_count + 1) * sizeof *slots);
    struct gl_embodied embodied = {{0}, 0, 0, 0};
    struct gl_footprint result;
    int64_t pue_milli;

    memcpy(slots, account->slots, account->slot_count * sizeof *slots);
    for (size_t i = 0; i < account->slot_count && !account->is_intensity_known; i++)
        memset(slots[i].intensity_u, 0, sizeof slots[i].intensity_u);
    if (gl_json_int(evidence, "pue_milli", 1000, 10000, &pue_milli, err) != 0 ||
        read_embodied(evidence, &embodied, err) != 0)
        return -1;
    if (account->method >= 4)
        embodied.reserved_s = reserved_s(&account->facts.spans);
    if (gl_footprint_of(slots, account->slot_count, pue_milli, &embodied, &result, err) != 0)
        return -1;
    *out = footprint_json(&result, account->is_intensity_known);
    if (account->method >= 4)
        json_object_set_new(*out, "reserved_s", json_integer((json_int_t)result.reserved_s));
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
    for (size_t i = 0; i < rule_count(account); i++)
        if ((findings[i].result == GL_FLAGGED || findings[i].result == GL_REPLACED) && worst < 'D')
            worst = 'D';
    return worst;
}

/* The worst grade the operational carbon rests on: that of the energy and of the intensities. */
static char worst_grade(const struct account *account)
{
    char energy = account->is_intensity_known ? energy_grade(account) : 'E';
    char intensity = gl_evidence_list_grade(&account->series);

    for (size_t i = 0; i < account->moves.count; i++) {
        char moved = gl_evidence_list_grade(&account->moves.items[i].list);

        intensity = moved > intensity ? moved : intensity;
    }
    return energy > intensity ? energy : intensity;
}

/* The larger part makes the total what it is worth; the embodied part has the worst grade there is,
 * so this is never better than the grade of the larger part. */
static char total_grade(const json_t *footprint, char operational)
{
    const json_t *own = json_array_get(json_object_get(footprint, "operational_ug"), 1);
    const json_t *embodied = json_array_get(json_object_get(footprint, "embodied_ug"), 1);

    if (!json_is_integer(own) || !json_is_integer(embodied) || operational == '\0')
        return 'E';
    return json_integer_value(embodied) > json_integer_value(own) ? GL_EMBODIED_GRADE : operational;
}

char gl_account_total_grade(const json_t *derived)
{
    const char *said = json_string_value(json_object_get(derived, "total_grade"));
    const char *operational = json_string_value(json_object_get(derived, "grade"));

    if (said != NULL && said[0] != '\0')
        return said[0];
    return total_grade(json_object_get(derived, "footprint"),
                       operational != NULL ? operational[0] : '\0');
}

/* The end of the run, or of its last stretch when it stood still at its end. */
static int64_t last_run_s(const struct account *account)
{
    const struct gl_run_facts *facts = &account->facts;
    int64_t run_ms = gl_run_clock(&facts->spans, facts->ended_ms);

    return (gl_run_wall(&facts->spans, run_ms, false) + 999) / 1000;
}

/* How long it ran, and how long it stood still. */
static json_t *run_json(const struct account *account)
{
    const struct gl_run_facts *facts = &account->facts;
    int64_t run_ms = gl_run_end_ms(facts) - facts->started_ms;

    return json_pack("{s:I,s:I}", "running_ms", (json_int_t)run_ms, "still_ms",
                     (json_int_t)(facts->ended_ms - facts->started_ms - run_ms));
}

static int guarantee(const struct account *account, const json_t *evidence, json_t **out,
                     struct gl_error *err)
{
    return gl_keeping_json(&(struct gl_keeping){.evidence = evidence,
                                                .series = &account->series,
                                                .moves = &account->moves,
                                                .slots = account->slots,
                                                .spans = account->slot_spans,
                                                .slot_count = account->slot_count,
                                                .started_s = account->facts.started_ms / 1000,
                                                .ended_s = last_run_s(account),
                                                .method = account->method,
                                                .is_intensity_known = account->is_intensity_known},
                           out, err);
}

static json_t *grade_json(char grade)
{
    return json_stringn(&grade, 1);
}

int gl_account(const json_t *evidence, json_t **out_derived, struct gl_error *err)
{
    GL_AUTO(account_done) struct account account = {0};
    json_t *carbon, *total, *kept;
    char grade[2] = "", energy[2] = "";

    if (read_run(evidence, &account, err) != 0 || read_meter(evidence, &account, err) != 0 ||
        read_series(evidence, &account, err) != 0)
        return -1;
    gl_account_cut(&account);
    gl_account_slots(&account);
    if (footprint(&account, evidence, &carbon, err) != 0)
        return -1;
    if (guarantee(&account, evidence, &kept, err) != 0) {
        json_decref(carbon);
        return -1;
    }
    grade[0] = worst_grade(&account);
    energy[0] = energy_grade(&account);
    total = json_object_get(carbon, "total_ug");
    *out_derived = json_pack(
        "{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:s,s:s}", "meter", meter_json(&account), "plausibility",
        plausibility_json(&account), "gaps", gaps_json(&account), "slots", slots_json(&account),
        "footprint", carbon, "sci",
        json_pack("{s:s,s:O}", "functional_unit", "launch", "ug_per_unit", total), "guarantee",
        kept, "saved", json_pack("{s:s,s:i}", "baseline", "start now, same place", "ug", 0),
        "grade", grade, "energy_grade", energy);
    if (account.method >= 4)
        json_object_set_new(*out_derived, "total_grade", grade_json(total_grade(carbon, grade[0])));
    if (account.facts.spans.count > 0)
        json_object_set_new(*out_derived, "run", run_json(&account));
    return 0;
}
