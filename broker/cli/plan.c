/* SPDX-License-Identifier: Apache-2.0 */
/* The evidence so far of launching one offer: what the journal keeps and the receipt will hold. */
#include <math.h>
#include <string.h>

#include "base/time.h"
#include "broker/account.h"
#include "broker/cli/act.h"
#include "broker/evidence.h"
#include "broker/keeping.h"
#include "broker/render/promise.h"
#include "broker/timetable.h"
#include "policy/guard.h"
#include "providers/data/data.h"

/* Platform of unknown make: 52 vendor sheets of servers, min / median / max (docs/method.md), over
 * four years. */
static const int64_t platform_g[3] = {465000, 1207000, 2503000};
#define LIFETIME_S ((int64_t)35040 * 3600)

static json_t *request_json(const struct gl_request *request, const char *const *command)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:o}", "duration_s",
                     (json_int_t)request->duration.s, "start_s", (json_int_t)request->start.unix_s,
                     "load_ppm", (json_int_t)llround(request->load * 1e6), "count",
                     (json_int_t)request->count, "min_vcpus", (json_int_t)request->min_vcpus,
                     "min_memory_mib", (json_int_t)request->min_memory_mib, "clouds",
                     gl_words_json(request->clouds), "regions", gl_words_json(request->regions),
                     "types", gl_words_json(request->types), "command", gl_words_json(command));
}

static json_t *rules_json(const struct gl_policy *policy)
{
    json_t *rules = json_array();

    for (size_t r = 0; r < policy->rule_count; r++) {
        json_t *limits = json_array();

        for (size_t c = 0; c < policy->rules[r].count; c++)
            json_array_append_new(
                limits, json_pack("{s:s,s:s}", "key", policy->rules[r].constraints[c].key->name,
                                  "limit", policy->rules[r].constraints[c].written));
        json_array_append_new(rules,
                              json_pack("{s:s,s:o}", "id", policy->rules[r].id, "limits", limits));
    }
    return rules;
}

static json_t *decision_json(const struct gl_ask_result *asked, uint32_t offer)
{
    const struct gl_decision *decision = asked->decision;
    const struct gl_judgement *judgement = &decision->judgements[offer];
    char digest[GL_HASH_HEX], policy[GL_HASH_HEX];
    char grade[2] = {gl_grade_letter((enum gl_grade)judgement->grade), '\0'};

    return json_pack("{s:s,s:I,s:s,s:s,s:s,s:b,s:o,s:I,s:I}", "verdict",
                     gl_verdict_word(decision->verdict), "at_s", (json_int_t)decision->at.unix_s,
                     "digest", gl_hash_hex(&decision->digest, digest), "policy_digest",
                     gl_hash_hex(&asked->policy->digest, policy), "grade", grade, "has_warning",
                     judgement->has_warning, "rules", rules_json(asked->policy), "offers_judged",
                     (json_int_t)decision->judged, "offers_allowed", (json_int_t)decision->allowed);
}

static json_t *offer_json(const struct gl_offer *offer)
{
    json_t *zones = json_array();

    for (size_t z = 0; z < offer->place->zone_count; z++)
        json_array_append_new(zones, json_string(offer->place->zones[z]->zone));
    return json_pack(
        "{s:s,s:s,s:s,s:s,s:I,s:I,s:o,s:s,s:s,s:o}", "cloud", offer->place->cloud, "region",
        offer->place->region, "type", offer->type->name, "country", offer->place->country, "vcpus",
        (json_int_t)offer->type->vcpus, "memory_mib", (json_int_t)offer->type->memory_mib,
        "price_u_usd_per_h",
        offer->price_u_usd_per_h == GL_UNKNOWN ? json_null()
                                               : json_integer(offer->price_u_usd_per_h),
        "power_source", offer->type->power_source != NULL ? offer->type->power_source : "",
        "mapping", gl_mapping_word(offer->place->mapping), "zones", zones);
}

json_t *gl_act_embodied(uint32_t vcpus, uint32_t host_vcpus)
{
    int64_t share_ppm = host_vcpus > 0 ? (int64_t)vcpus * 1000000 / host_vcpus : 1000000;

    return json_pack("{s:[I,I,I],s:I,s:I,s:s}", "platform_g", (json_int_t)platform_g[0],
                     (json_int_t)platform_g[1], (json_int_t)platform_g[2], "lifetime_s",
                     (json_int_t)LIFETIME_S, "share_ppm",
                     (json_int_t)(share_ppm > 1000000 ? 1000000 : share_ppm), "source",
                     "52 server data sheets, min/median/max");
}

json_t *gl_act_machine(const char *family, uint32_t vcpus, uint32_t memory_mib)
{
    return json_pack("{s:s,s:I,s:I,s:i,s:i}", "family", family != NULL ? family : "",
                     "threads_milli", (json_int_t)vcpus * 1000, "memory_mb",
                     (json_int_t)((int64_t)memory_mib * 1048576 / 1000000), "gpu_count", 0,
                     "gpu_watts", 0);
}

/* The strongest wish of the rules. */
static const char *on_lapse_of(const struct gl_policy *policy)
{
    int64_t most = GL_LAPSE_NOTIFY;

    for (size_t r = 0; r < policy->rule_count; r++)
        if (gl_rule_number(&policy->rules[r], GL_KEY_ON_LAPSE) > most)
            most = gl_rule_number(&policy->rules[r], GL_KEY_ON_LAPSE);
    return gl_on_lapse_words[most];
}

/* The promise for the whole run, when it is long enough for that. */
static const struct gl_book_entry *promise_of(const struct gl_ask_result *asked, uint32_t offer)
{
    const struct gl_question question = gl_ask_question(asked);
    const struct gl_book_entry *entry =
        gl_render_promise_of(&question, &asked->offers->offers[offer]);

    if (entry == NULL || !entry->is_ready ||
        gl_promise_until(&entry->promise) < asked->now.unix_s + asked->request.duration.s)
        return NULL;
    return entry;
}

/* The rules that bind the offer, each with the probability that it asks for. */
static json_t *stated_rules(const struct gl_question *question, uint32_t offer)
{
    json_t *rules = gl_keeping_rules(question, offer), *rule;
    size_t i;

    json_array_foreach(rules, i, rule) for (size_t r = 0; r < question->policy->rule_count; r++)
    {
        const struct gl_rule *asked = &question->policy->rules[r];
        int64_t confidence = gl_rule_number(asked, GL_KEY_CONFIDENCE);

        if (confidence != GL_UNKNOWN &&
            strcmp(asked->id, json_string_value(json_object_get(rule, "id"))) == 0)
            json_object_set_new(rule, "confidence_ppm", json_integer((json_int_t)confidence));
    }
    return rules;
}

/* How the promise came about; the promise itself stands in the ledger. */
static json_t *promise_json(const struct gl_promise *promise)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I}", "start_s", (json_int_t)promise->start_s, "hours",
                     (json_int_t)promise->hours, "level_ppm",
                     (json_int_t)llround(promise->level * 1e6), "own_chance_ppm",
                     (json_int_t)llround(promise->own_chance * 1e6), "issues",
                     (json_int_t)promise->issues);
}

/* What is guaranteed, in a few words. */
static const char *rule_words(const struct gl_ask_result *asked,
                              const struct gl_book_entry *promised, const json_t *rules)
{
    if (asked->threshold[0] != '\0')
        return asked->threshold;
    if (promised != NULL)
        return promised->rule->id;
    return json_string_value(json_object_get(json_array_get(rules, 0), "id"));
}

static json_t *guarantee_json(const struct gl_ask_result *asked, uint32_t offer)
{
    const struct gl_question question = gl_ask_question(asked);
    const struct gl_book_entry *promised = promise_of(asked, offer);
    GL_AUTO(gl_auto_json) json_t *rules = stated_rules(&question, offer);
    const char *words = rule_words(asked, promised, rules);
    char grade[2] = {gl_grade_letter((enum gl_grade)asked->decision->judgements[offer].grade),
                     '\0'};
    json_t *probability = json_null(), *json;

    /* What was only admitted (unknown, advisory, waived) is no promise. */
    if (words == NULL || asked->decision->judgements[offer].has_warning)
        return json_null();
    if (promised != NULL)
        probability = json_integer((json_int_t)llround(promised->promise.probability * 1e6));
    json = json_pack("{s:s,s:I,s:I,s:s,s:s,s:o,s:s,s:O}", "rule", words, "from_s",
                     (json_int_t)asked->now.unix_s, "until_s",
                     (json_int_t)(asked->now.unix_s + asked->request.duration.s), "method",
                     promised != NULL ? "residual-path first passage" : "holds by the data at hand",
                     "grade", grade, "probability_ppm", probability, "on_lapse",
                     on_lapse_of(asked->policy), "rules", rules);
    if (promised != NULL)
        json_object_set_new(json, "promise", promise_json(&promised->promise));
    return json;
}

/* The server that an offer stands on: this machine, or, of a rented one, as large as the largest
 * type of its cloud with the same processors. */
static struct gl_host host_of(const struct gl_ask_result *asked, const struct gl_offer *offer)
{
    const struct gl_type_row *type = gl_data_type(offer->place->cloud, offer->type->name), *rows;
    size_t count = gl_data_types(&rows);
    struct gl_host host = {.vcpus = offer->type->vcpus,
                           .memory_mib = offer->type->memory_mib,
                           .family = type != NULL ? type->family : NULL};

    if (strcmp(offer->place->cloud, "local") == 0)
        return asked->host;
    for (size_t i = 0; type != NULL && i < count; i++)
        if (strcmp(rows[i].cloud, type->cloud) == 0 && rows[i].vcpus > host.vcpus &&
            (rows[i].family == type->family || (rows[i].family != NULL && type->family != NULL &&
                                                strcmp(rows[i].family, type->family) == 0)))
            host.vcpus = rows[i].vcpus;
    return host;
}

/* As the power model sees it. */
static json_t *machine_of(const struct gl_offer *offer, const struct gl_host *host)
{
    const struct gl_type_row *type = gl_data_type(offer->place->cloud, offer->type->name);
    json_t *machine = gl_act_machine(host->family, offer->type->vcpus, offer->type->memory_mib);

    if (type == NULL || strcmp(offer->place->cloud, "local") == 0)
        return machine;
    json_object_set_new(machine, "threads_milli",
                        json_integer((json_int_t)type->vcpus * type->baseline_permille));
    json_object_set_new(machine, "gpu_count", json_integer(type->gpu_count));
    json_object_set_new(machine, "gpu_watts", json_integer(type->gpu_watts));
    return machine;
}

json_t *gl_act_plan(const struct gl_ask_result *asked, uint32_t index, const char *const *command,
                    int64_t interval_ms, struct gl_error *err)
{
    const struct gl_offer *offer = &asked->offers->offers[index];
    const struct gl_host host = host_of(asked, offer);
    const struct gl_timetable *timetable = asked->timetable;
    const struct gl_instant until = {
        timetable != NULL ? timetable->deadline_s : asked->now.unix_s + asked->request.duration.s};
    json_t *plan, *series, *guarantee;

    if (host.vcpus == 0) {
        gl_fail(err, GL_E_IO, "cannot read how many processors this machine has");
        return NULL;
    }
    guarantee = guarantee_json(asked, index);
    series = gl_evidence_figures(offer->place->zones, offer->place->zone_count, asked->now, until);
    if (json_is_object(guarantee))
        json_object_set_new(guarantee, "series",
                            gl_evidence_others(offer->place->zones, offer->place->zone_count,
                                               asked->now, until, series));
    plan = json_pack("{s:i,s:o,s:o,s:o,s:o,s:o,s:o,s:I,s:s,s:o,s:o}", "method_version",
                     GL_METHOD_VERSION, "request", request_json(&asked->request, command),
                     "decision", decision_json(asked, index), "offer", offer_json(offer), "machine",
                     machine_of(offer, &host), "series", series, "guarantee", guarantee,
                     "pue_milli", (json_int_t)llround(offer->place->pue * 1000), "pue_source",
                     strcmp(offer->place->cloud, "local") == 0 ? "no facility: this machine"
                                                               : "built-in table",
                     "embodied", gl_act_embodied(offer->type->vcpus, host.vcpus), "meter",
                     json_pack("{s:I}", "interval_ms", (json_int_t)interval_ms));
    if (plan != NULL && timetable != NULL)
        json_object_set_new(plan, "timetable", gl_timetable_json(timetable));
    if (plan == NULL)
        gl_fail(err, GL_E_INTERNAL, "the plan holds text that is not UTF-8");
    return plan;
}
