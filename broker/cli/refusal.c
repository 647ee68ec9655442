/* SPDX-License-Identifier: Apache-2.0 */
/* A refusal is a product: the reason, the nearest alternative in place, time and size, and the
 * recorded demand. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "broker/cli/act.h"

static const char *verdict_title(enum gl_verdict verdict)
{
    static const char *const titles[] = {"ALLOWED", "LATER", "REFUSED", "UNKNOWN"};

    return titles[verdict];
}

static const char *gist(enum gl_verdict verdict)
{
    switch (verdict) {
    case GL_LATER:
        return "nothing fits now, but a window exists";
    case GL_VERDICT_UNKNOWN:
        return "the evidence at hand does not prove any offer green, and unknown is never green";
    default:
        return "no offer satisfies the rules";
    }
}

/* The commonest reasons among the judged offers, with one example each. */
#define REASONS_MAX 3
struct tally {
    const struct gl_reason *reason;
    uint32_t offer;
    size_t count;
};

static bool same_reason(const struct gl_reason *a, const struct gl_reason *b)
{
    return a->rule == b->rule && a->constraint == b->constraint && a->gap == b->gap &&
           a->outcome == b->outcome;
}

static size_t tally_reasons(const struct gl_decision *decision, struct tally out[REASONS_MAX])
{
    size_t count = 0;

    for (uint32_t i = 0; i < decision->judged; i++) {
        const struct gl_judgement *one = &decision->judgements[i];
        size_t t = 0;

        if (one->outcome != GL_VIOLATED && one->outcome != GL_OUTCOME_UNKNOWN)
            continue;
        while (t < count && !same_reason(out[t].reason, &one->reason))
            t++;
        if (t == REASONS_MAX)
            continue;
        if (t == count)
            out[count++] = (struct tally){&one->reason, i, 0};
        out[t].count++;
    }
    return count;
}

static void add_reasons(struct gl_context *context, const struct gl_ask_result *asked,
                        json_t *reasons)
{
    struct tally tallies[REASONS_MAX];
    size_t count = tally_reasons(asked->decision, tallies);

    for (size_t i = 0; i < count; i++) {
        const struct gl_offer *offer = &asked->offers->offers[tallies[i].offer];
        GL_AUTO(gl_str_done) struct gl_str sentence = {0};

        gl_reason_text(tallies[i].reason, &sentence);
        gl_str_addf(&context->reply.text, "  reason  %s\n", gl_str_text(&sentence));
        gl_str_addf(&context->reply.text, "          %zu offer%s, such as %s/%s/%s\n",
                    tallies[i].count, tallies[i].count == 1 ? "" : "s", offer->cloud,
                    offer->region, offer->type);
        json_array_append_new(
            reasons, json_pack("{s:s,s:I,s:s,s:s,s:s}", "text", gl_str_text(&sentence), "offers",
                               (json_int_t)tallies[i].count, "cloud", offer->cloud, "region",
                               offer->region, "type", offer->type));
    }
}

static void alternative_text(const struct gl_ask_result *asked,
                             const struct gl_alternative *alternative, struct gl_str *out)
{
    const struct gl_offer *offer = &asked->offers->offers[alternative->offer];
    char at[GL_INSTANT_TEXT], span[GL_QUANTITY_TEXT], number[GL_QUANTITY_TEXT];

    switch (alternative->kind) {
    case GL_ALT_PLACE:
        gl_str_addf(out, "place   %s %s (%s) satisfies the rules now", offer->cloud, offer->region,
                    offer->type);
        break;
    case GL_ALT_TIME:
        gl_str_addf(out, "later   %s %s from %s", offer->cloud, offer->region,
                    gl_instant_text(alternative->start, at));
        break;
    case GL_ALT_SIZE:
        gl_str_addf(out, "shorter %s %s fits for %s", offer->cloud, offer->region,
                    gl_span_text(alternative->duration, span));
        break;
    case GL_ALT_LOOSER:
        gl_str_addf(out, "looser  %s %s would do for %s %s %s", alternative->constraint->key->name,
                    gl_number_text((double)alternative->needed_u / 1e6, number), offer->cloud,
                    offer->region, offer->type);
        break;
    }
}

static const char *alternative_word(enum gl_alternative_kind kind)
{
    static const char *const words[] = {"place", "time", "size", "looser"};

    return words[kind];
}

static void add_alternatives(struct gl_context *context, const struct gl_ask_result *asked,
                             json_t *alternatives)
{
    const struct gl_decision *decision = asked->decision;

    for (size_t i = 0; i < decision->alternative_count; i++) {
        const struct gl_alternative *one = &decision->alternatives[i];
        const struct gl_offer *offer = &asked->offers->offers[one->offer];
        GL_AUTO(gl_str_done) struct gl_str line = {0};

        alternative_text(asked, one, &line);
        gl_str_addf(&context->reply.text, "  %s\n", gl_str_text(&line));
        json_array_append_new(
            alternatives,
            json_pack("{s:s,s:s,s:s,s:s,s:s}", "kind", alternative_word(one->kind), "text",
                      gl_str_text(&line), "cloud", offer->cloud, "region", offer->region, "type",
                      offer->type));
    }
}

/* The unmet need, without anything that names the user: what was asked and why it failed. */
static json_t *need_json(const struct gl_ask_result *asked)
{
    const struct gl_request *request = &asked->request;
    json_t *clouds = json_array(), *regions = json_array();

    for (size_t i = 0; request->clouds != NULL && request->clouds[i] != NULL; i++)
        json_array_append_new(clouds, json_string(request->clouds[i]));
    for (size_t i = 0; request->regions != NULL && request->regions[i] != NULL; i++)
        json_array_append_new(regions, json_string(request->regions[i]));
    return json_pack("{s:s,s:o,s:o,s:I,s:I,s:s}", "verdict",
                     gl_verdict_word(asked->decision->verdict), "clouds", clouds, "regions",
                     regions, "min_vcpus", (json_int_t)request->min_vcpus, "duration_s",
                     (json_int_t)request->duration.s, "rule", asked->threshold);
}

static int record_demand(struct gl_context *context, const struct gl_ask_result *asked,
                         struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *need = need_json(asked);
    struct gl_ledger *ledger = gl_context_ledger(context, err);
    char id[16];
    int64_t seen;

    if (ledger == NULL || gl_ledger_demand(ledger, need, id, &seen, err) != 0)
        return -1;
    gl_str_addf(&context->reply.text,
                "Nothing was started. Demand recorded on this machine only: %s, seen %" PRId64
                " time%s.\n",
                id, seen, seen == 1 ? "" : "s");
    json_object_set_new(context->reply.data, "demand",
                        json_pack("{s:s,s:I}", "id", id, "seen", (json_int_t)seen));
    return 0;
}

/* Only yearly data at hand: say what would admit it. */
static void add_grade_hint(struct gl_context *context, const struct gl_ask_result *asked)
{
    const struct gl_decision *decision = asked->decision;

    for (uint32_t i = 0; i < decision->judged; i++)
        if (decision->judgements[i].outcome == GL_OUTCOME_UNKNOWN &&
            decision->judgements[i].reason.gap == GL_GAP_GRADE) {
            gl_str_add(&context->reply.text,
                       "  hint    only yearly averages (grade D) are at hand here; --min-grade D "
                       "admits them\n");
            gl_next(context, "admit yearly averages, plainly grade D",
                    (const char *const[]){"launch", "--renewable-only", "--min-grade", "D", NULL});
            return;
        }
}

int gl_act_refusal(struct gl_context *context, const struct gl_ask_result *asked,
                   struct gl_error *err)
{
    enum gl_verdict verdict = asked->decision->verdict;
    json_t *reasons = json_array(), *alternatives = json_array();
    char at[GL_INSTANT_TEXT];

    context->reply.verdict = gl_verdict_word(verdict);
    context->reply.data = json_pack(
        "{s:s,s:s,s:I,s:I,s:I,s:o,s:o}", "threshold", asked->threshold, "at",
        gl_instant_text(asked->now, at), "offers_judged", (json_int_t)asked->decision->judged,
        "violated", (json_int_t)asked->decision->violated, "unknown",
        (json_int_t)asked->decision->unknown, "reasons", reasons, "alternatives", alternatives);
    gl_str_addf(&context->reply.text, "%s: %s.\n", verdict_title(verdict), gist(verdict));
    if (asked->threshold[0] != '\0')
        gl_str_addf(&context->reply.text, "  rule    %s\n", asked->threshold);
    if (asked->decision->judged == asked->decision->not_asked)
        gl_str_add(&context->reply.text,
                   "  reason  no offer has the asked cloud, region, type and size\n");
    add_reasons(context, asked, reasons);
    add_alternatives(context, asked, alternatives);
    add_grade_hint(context, asked);
    if (record_demand(context, asked, err) != 0)
        return -1;
    return gl_verdict_exit(verdict);
}
