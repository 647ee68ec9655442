/* SPDX-License-Identifier: Apache-2.0 */
/* A refused plan is an unmet need like a refused launch. The report is what it would be without: in
 * a document, under --json and where the ledger cannot be written, nothing of it shows but a
 * warning for people. */
#include <string.h>

#include "broker/cli/demand_reply.h"
#include "broker/cli/hook.h"

static enum gl_grade grade_of(const struct gl_hook_report *report, const struct gl_intent *intent)
{
    for (size_t i = 0; i < report->judged_count; i++)
        if (report->judged[i].intent == intent && report->judged[i].intensity.value_u != GL_UNKNOWN)
            return report->judged[i].intensity.grade;
    return GL_GRADE_E;
}

static bool is_there(const struct gl_demand *signals, size_t count, const char *provider)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(signals[i].provider, provider) == 0)
            return true;
    return false;
}

/* Is it for want of something that a provider has? */
static bool is_wish(const struct gl_hook_finding *finding)
{
    const struct gl_constraint *constraint = finding->reason.constraint;

    return (finding->state == GL_FINDING_BROKEN || finding->state == GL_FINDING_UNKNOWN) &&
           finding->intent != NULL && finding->intent->cloud != NULL && finding->rule != NULL &&
           constraint != NULL && constraint->key->id < GL_KEYS &&
           gl_demand_tells(constraint->key->id);
}

static bool signal_of(const struct gl_hook_ask *ask, const struct gl_hook_report *report,
                      const struct gl_hook_finding *finding, struct gl_demand *out)
{
    const struct gl_intent *intent = finding->intent;

    if (!gl_demand_of_reason(&finding->reason, out))
        return false;
    out->kind = finding->state == GL_FINDING_BROKEN ? GL_DEMAND_REFUSE : GL_DEMAND_UNKNOWN;
    out->grade = grade_of(report, intent);
    gl_demand_at(out, intent->cloud, intent->place.region != NULL ? intent->place.region : "",
                 intent->machine.catalogue != NULL ? intent->machine.catalogue : "");
    gl_demand_want(
        out, ask->duration,
        finding->count > 0 && finding->count <= UINT32_MAX ? (uint32_t)finding->count : 1, 0);
    return true;
}

void gl_hook_note_demand(struct gl_context *context, const struct gl_hook_ask *ask,
                         const struct gl_hook_report *report)
{
    struct gl_demand signals[GL_DEMAND_PLACES];
    struct gl_hash digest;
    char facts[GL_HASH_HEX] = "";
    size_t count = 0;

    if (report->exit == 0 || report->is_advisory || context->globals.at != NULL)
        return;
    for (size_t i = 0; i < report->finding_count && count < GL_DEMAND_PLACES; i++) {
        const struct gl_hook_finding *finding = &report->findings[i];

        if (!is_wish(finding) ||
            is_there(signals, count, gl_demand_provider_word(finding->intent->cloud)))
            continue;
        if (*facts == '\0') {
            /* The same plan asked about again, as pipelines do, is the same wish. */
            gl_hook_digest_facts(report, &digest);
            gl_hash_hex(&digest, facts);
        }
        signals[count] = gl_demand_begin(&context->world, facts, report->is_demo);
        count += signal_of(ask, report, finding, &signals[count]);
    }
    gl_demand_note(context, signals, count);
}
