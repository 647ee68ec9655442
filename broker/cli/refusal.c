/* SPDX-License-Identifier: Apache-2.0 */
/* A refusal is a product: the reason, the nearest alternative in place, time and size, and the
 * recorded demand. */
#include <string.h>

#include "base/time.h"
#include "broker/cli/act.h"
#include "broker/cli/again.h"
#include "broker/cli/demand_reply.h"
#include "broker/render/decision.h"
#include "broker/render/promise.h"
#include "broker/render/text.h"

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

static json_t *add_reasons(struct gl_context *context, const struct gl_ask_result *asked)
{
    struct tally tallies[REASONS_MAX];
    size_t count = tally_reasons(asked->decision, tallies);
    json_t *reasons = json_array();

    for (size_t i = 0; i < count; i++) {
        const struct gl_offer *offer = &asked->offers->offers[tallies[i].offer];
        json_t *reason = gl_render_reason_json(tallies[i].reason);
        GL_AUTO(gl_str_done) struct gl_str sentence = {0};

        gl_reason_text(tallies[i].reason, &sentence);
        gl_str_addf(&context->reply.text, "  reason  %s\n          ", gl_str_text(&sentence));
        gl_render_count(&context->reply.text, tallies[i].count, "offer");
        gl_str_addf(&context->reply.text, ", such as %s/%s/%s\n", offer->place->cloud,
                    offer->place->region, offer->type->name);
        json_object_set_new(reason, "offers", json_integer((json_int_t)tallies[i].count));
        json_array_append_new(reasons, reason);
    }
    return reasons;
}

/* The same command again, with the grade that is at hand. */
static void add_admitting(struct gl_context *context, const struct gl_ask_result *asked,
                          const char *grade)
{
    struct gl_ask ask = *asked->ask;
    struct gl_again again;

    ask.min_grade = grade;
    gl_again_start(&again, context, context->command, &ask);
    gl_next(context, "admit the grade that is at hand, plainly shown", again.words);
    gl_again_done(&again);
}

static void add_alternatives(struct gl_context *context, const struct gl_question *question,
                             const struct gl_ask_result *asked)
{
    const struct gl_decision *decision = asked->decision;
    GL_AUTO(gl_str_done) struct gl_str hint = {0};
    char grade[2];

    for (size_t i = 0; i < decision->alternative_count; i++) {
        gl_str_add(&context->reply.text, "  ");
        gl_render_alternative(question, &decision->alternatives[i], &context->reply.text);
        gl_str_add_char(&context->reply.text, '\n');
    }
    if (!gl_render_grade_hint(question, decision, &hint, grade))
        return;
    gl_str_addf(&context->reply.text, "  hint    %s\n", gl_str_text(&hint));
    if (grade[0] != '\0')
        add_admitting(context, asked, grade);
}

/* What was asked for, wherever it may be: the places that fit lie outside of those asked for. */
static struct gl_ask ask_anywhere(const struct gl_ask_result *asked)
{
    struct gl_ask ask = *asked->ask;

    ask.clouds.count = ask.regions.count = 0;
    return ask;
}

/* The reasons in full, and where it would be green. */
static void add_steps(struct gl_context *context, const struct gl_ask_result *asked)
{
    static const char *const refused[] = {"--refused", NULL};
    const struct gl_decision *decision = asked->decision;
    const struct gl_ask anywhere = ask_anywhere(asked);

    gl_again_next(context, "every reason, offer by offer", "why", asked->ask, refused);
    for (size_t i = 0; i < decision->alternative_count; i++)
        if (decision->alternatives[i].kind == GL_ALT_PLACE) {
            gl_again_next(context, "the places where these rules hold now", "offers", &anywhere,
                          NULL);
            return;
        }
}

static void add_promise_hint(struct gl_context *context, const struct gl_question *question,
                             const struct gl_decision *decision)
{
    GL_AUTO(gl_str_done) struct gl_str hint = {0};

    if (gl_render_promise_hint(question, decision, &hint))
        gl_str_addf(&context->reply.text, "  hint    %s\n", gl_str_text(&hint));
}

/* A promise rests on what came of past forecasts; where nothing is stored, it can be fetched. */
static void add_past_hint(struct gl_context *context, const struct gl_ask_result *asked)
{
    const struct gl_decision *decision = asked->decision;

    for (uint32_t i = 0; i < decision->judged; i++) {
        const struct gl_judgement *one = &decision->judgements[i];
        const struct gl_offer *offer = &asked->offers->offers[i];
        const char *zone = offer->place->zone_count > 0 ? offer->place->zones[0]->zone : NULL;

        if (one->outcome != GL_OUTCOME_UNKNOWN || one->reason.constraint == NULL || zone == NULL ||
            one->reason.constraint->key->id != GL_KEY_CONFIDENCE ||
            one->reason.gap != GL_GAP_MISSING)
            continue;
        gl_str_addf(&context->reply.text,
                    "  hint    a promise rests on the past of a zone, and of %s nothing is stored: "
                    "greenlaunch signals --backfill 90d --zone %s, or a series of yours under "
                    "`sources` in the configuration\n",
                    zone, zone);
        gl_next(context, "fetch what a source measured before",
                (const char *const[]){"signals", "--backfill", "90d", "--zone", zone, NULL});
        return;
    }
}

/* This machine is an offer like any other, but nobody has said where it stands. */
static void add_zone_hint(struct gl_context *context, const struct gl_ask_result *asked)
{
    const struct gl_decision *decision = asked->decision;

    for (uint32_t i = 0; i < decision->judged; i++)
        if (decision->judgements[i].outcome == GL_OUTCOME_UNKNOWN &&
            asked->offers->offers[i].place->zone_count == 0) {
            gl_str_add(&context->reply.text,
                       "  hint    nobody has said in which grid zone this machine stands: --zone "
                       "ZONE,\n          or once and for all: greenlaunch init\n");
            gl_next(context, "say which grid zone this machine stands in",
                    (const char *const[]){"init", "--zone", "ZONE", NULL});
            return;
        }
}

int gl_act_refusal(struct gl_context *context, const struct gl_ask_result *asked,
                   struct gl_error *err)
{
    const struct gl_decision *decision = asked->decision;
    const struct gl_question question = gl_ask_question(asked);
    struct gl_demand signals[GL_DEMAND_PLACES];
    struct gl_str head;
    char at[GL_INSTANT_TEXT];
    int status;

    context->reply.verdict = gl_verdict_word(decision->verdict);
    gl_render_verdict(decision->verdict, context->is_color, &context->reply.text);
    gl_str_addf(&context->reply.text, ": %s.\n", gl_render_gist(decision));
    gl_render_rules(asked->policy, 8, context->columns, &context->reply.text);
    context->reply.data =
        json_pack("{s:s,s:o,s:I,s:I,s:I,s:o,s:o}", "now", gl_instant_text(asked->now, at), "rules",
                  gl_render_rules_json(asked->policy), "offers", (json_int_t)decision->judged,
                  "violated", (json_int_t)decision->violated, "unknown",
                  (json_int_t)decision->unknown, "reasons", add_reasons(context, asked),
                  "alternatives", gl_render_alternatives_json(&question, decision));
    add_alternatives(context, &question, asked);
    add_steps(context, asked);
    gl_render_reflow(&context->reply.text, 10, context->columns);
    gl_again_wait(context, asked); /* broken where a shell allows it */
    head = context->reply.text;
    context->reply.text = (struct gl_str){0};
    add_promise_hint(context, &question, decision);
    add_past_hint(context, asked);
    add_zone_hint(context, asked);
    status = gl_demand_say(context, signals, gl_demand_of_ask(context, asked, signals), err);
    gl_render_reflow(&context->reply.text, 10, context->columns);
    gl_str_add_bytes(&head, gl_str_text(&context->reply.text), context->reply.text.length);
    gl_str_done(&context->reply.text);
    context->reply.text = head;
    return status != 0 ? -1 : gl_verdict_exit(decision->verdict);
}
