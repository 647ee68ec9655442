/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/time.h"
#include "broker/context.h"
#include "broker/hook/judge.h"
#include "broker/hook/output_part.h"
#include "broker/render/decision.h"

/* NAN is null: unknown is no number. */
static json_t *real_json(double value)
{
    return isnan(value) ? json_null() : json_real(value);
}

static json_t *band_json(const double band[3], const char *unit)
{
    return json_pack("{s:o,s:o,s:o,s:s}", "low", real_json(band[0]), "value", real_json(band[1]),
                     "high", real_json(band[2]), "unit", unit);
}

static json_t *number_json(int64_t number)
{
    return number == GL_UNKNOWN ? json_null() : json_integer((json_int_t)number);
}

/* Foreign text that may not be UTF-8. */
static json_t *text_json(const char *text)
{
    json_t *json = text != NULL ? json_string(text) : json_null();

    return json != NULL ? json : json_string("(not UTF-8)");
}

static json_t *at_json(const struct gl_source_place *at)
{
    return json_pack("{s:o,s:I,s:b}", "file", text_json(at->file), "line", (json_int_t)at->line,
                     "is_sure", at->is_sure);
}

static const char *remedy_word(enum gl_alternative_kind kind)
{
    static const char *const words[] = {"place", "time", "size", "looser"};

    return words[kind];
}

static json_t *remedies_json(const struct gl_judged *judged)
{
    json_t *list = json_array();

    for (size_t i = 0; i < judged->remedy_count; i++) {
        const struct gl_remedy *remedy = &judged->remedies[i];
        char at[GL_INSTANT_TEXT];
        json_t *json =
            json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o}", "kind", remedy_word(remedy->kind), "cloud",
                      text_json(remedy->cloud), "region", text_json(remedy->region), "type",
                      text_json(remedy->type), "saved_per_month",
                      band_json(remedy->saved_g_per_month, "gCO2e"), "extra_usd_per_month",
                      real_json(remedy->extra_usd_per_month), "text", text_json(remedy->sentence));

        if (remedy->kind == GL_ALT_TIME)
            json_object_set_new(json, "start", json_string(gl_instant_text(remedy->start, at)));
        json_array_append_new(list, json);
    }
    return list;
}

static json_t *judged_json(const struct gl_judged *judged)
{
    const struct gl_intent *intent = judged->intent;

    return json_pack("{s:o,s:o,s:s,s:s,s:o,s:o,s:o,s:o,s:s,s:s,s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:o}",
                     "address", text_json(intent->address), "plan", text_json(judged->plan->file),
                     "role", gl_role_word(intent->role), "action", gl_change_word(intent->change),
                     "resource", text_json(intent->type), "cloud", text_json(intent->cloud), "type",
                     text_json(intent->machine.type), "region", text_json(intent->place.region),
                     "region_how", intent->place.how != NULL ? intent->place.how : "",
                     "region_surety", gl_surety_word(intent->place.surety), "count",
                     number_json(judged->count), "verdict", gl_verdict_word(judged->verdict),
                     "intensity", gl_render_figure_json(&judged->intensity, GL_INTENSITY),
                     "per_hour", band_json(judged->grams_per_h, "gCO2e"), "per_hour_before",
                     band_json(judged->grams_per_h_before, "gCO2e"), "usd_per_hour",
                     real_json(judged->usd_per_h), "remedies", remedies_json(judged), "at",
                     at_json(&judged->at));
}

/* Of accounts without room; in whole base units, as the sums of the ledger are. */
static json_t *shorts_json(const struct gl_hook_finding *finding)
{
    json_t *list = finding->short_count > 0 ? json_array() : NULL;

    for (size_t i = 0; i < finding->short_count; i++) {
        const struct gl_hook_short *one = &finding->shorts[i];
        int64_t share_ppm = one->taken > 0 && one->left > 0
                                ? (int64_t)((double)one->left / (double)one->taken * 1e6)
                                : 0;

        json_array_append_new(
            list,
            json_pack("{s:s,s:s,s:I,s:o,s:o}", "account", one->account, "unit",
                      one->is_money ? "millionths of USD" : "ugCO2e", "left", (json_int_t)one->left,
                      "wanted", number_json(one->taken), "fits_share_ppm",
                      one->taken != GL_UNKNOWN ? json_integer((json_int_t)share_ppm)
                                               : json_null()));
    }
    return list;
}

static json_t *finding_json(const struct gl_hook_finding *finding)
{
    const struct gl_intent *intent = finding->intent;

    return json_pack(
        "{s:s,s:o,s:o,s:s,s:o,s:o,s:s,s:s,s:o,s:o*}", "state", gl_finding_word(finding->state),
        "address", text_json(intent != NULL ? intent->address : NULL), "plan",
        text_json(finding->plan != NULL ? finding->plan->file : NULL), "rule",
        finding->rule != NULL ? finding->rule->id : "", "message", text_json(finding->message),
        "rule_place", text_json(finding->rule_place), "fingerprint", finding->fingerprint, "key",
        finding->reason.constraint != NULL ? finding->reason.constraint->key->name : "", "at",
        at_json(&finding->at), "budget", shorts_json(finding));
}

static json_t *plan_json(const struct gl_hook_plan *plan)
{
    char digest[GL_HASH_HEX];

    return json_pack("{s:o,s:s,s:o,s:s,s:b}", "file", text_json(plan->file), "reader",
                     plan->reader != NULL ? plan->reader : "", "version", text_json(plan->version),
                     "sha256", gl_hash_hex(&plan->digest, digest), "is_partial", plan->is_partial);
}

static json_t *coverage_json(const struct gl_hook_report *report)
{
    json_t *unknown =
        json_pack("{s:I,s:I,s:I}", "region", (json_int_t)report->unknown_region, "machine",
                  (json_int_t)report->unknown_machine, "count", (json_int_t)report->unknown_count);

    return json_pack("{s:I,s:I,s:I,s:I,s:o,s:o,s:o}", "resources", (json_int_t)report->resources,
                     "launches", (json_int_t)report->launches, "context",
                     (json_int_t)report->context, "skipped", (json_int_t)report->skipped,
                     "unmapped", gl_words_json(report->unmapped_types), "opaque",
                     gl_words_json(report->opaque_addresses), "unknown", unknown);
}

static json_t *exceptions_json(const struct gl_hook_report *report)
{
    return json_pack(
        "{s:I,s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:o}", "waived", (json_int_t)report->waived, "known",
        (json_int_t)report->known, "warned", (json_int_t)report->warned, "baseline",
        (json_int_t)report->baseline_size, "baseline_gone", (json_int_t)report->baseline_gone,
        "waivers_applied", gl_words_json(report->waivers_applied), "waivers_expiring",
        gl_words_json(report->waivers_expiring), "waivers_unused",
        gl_words_json(report->waivers_unused), "rules_unused", gl_words_json(report->unused_rules));
}

static void add_rows(const struct gl_hook_report *report, json_t *data)
{
    json_t *plans = json_array(), *judged = json_array(), *findings = json_array();

    for (size_t i = 0; i < report->plan_count; i++)
        json_array_append_new(plans, plan_json(report->plans[i]));
    for (size_t i = 0; i < report->judged_count; i++)
        json_array_append_new(judged, judged_json(&report->judged[i]));
    for (size_t i = 0; i < report->finding_count; i++)
        json_array_append_new(findings, finding_json(&report->findings[i]));
    json_object_set_new(data, "plans", plans);
    json_object_set_new(data, "judged", judged);
    json_object_set_new(data, "findings", findings);
}

json_t *gl_hook_report_json(const struct gl_hook_report *report)
{
    char at[GL_INSTANT_TEXT], policy[GL_HASH_HEX], facts[GL_HASH_HEX], digest[GL_HASH_HEX];
    json_t *data = json_pack(
        "{s:i,s:s,s:i,s:o,s:s,s:s,s:b,s:b,s:s,s:s,s:s,s:s}", "greenlaunch_hook", 1, "verdict",
        gl_verdict_word(report->verdict), "exit", report->exit, "headline",
        text_json(report->headline), "at", gl_instant_text(report->at, at), "point", report->point,
        "is_demo", report->is_demo, "is_offline", report->is_offline, "policy", report->policy->id,
        "policy_digest", gl_hash_hex(&report->policy->digest, policy), "facts_digest",
        gl_hash_hex(&report->facts_digest, facts), "digest", gl_hash_hex(&report->digest, digest));

    add_rows(report, data);
    json_object_set_new(data, "per_month", band_json(report->grams_per_month, "gCO2e"));
    json_object_set_new(data, "change_per_month",
                        band_json(report->delta_grams_per_month, "gCO2e"));
    json_object_set_new(data, "usd_per_month", real_json(report->usd_per_month));
    json_object_set_new(data, "change_usd_per_month", real_json(report->delta_usd_per_month));
    json_object_set_new(data, "coverage", coverage_json(report));
    json_object_set_new(data, "exceptions", exceptions_json(report));
    json_object_set_new(data, "sources", gl_words_json(report->sources));
    json_object_set_new(data, "notes", gl_words_json(report->notes));
    return data;
}

void gl_hook_out_json(const struct gl_hook_report *report, unsigned columns, struct gl_str *out)
{
    (void)columns;
    gl_hook_add_json(gl_hook_report_json(report), out);
}
