/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/shift_reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "broker/evidence.h"
#include "broker/finish.h"
#include "broker/keeping.h"
#include "broker/learnt.h"

int gl_shift_subject_find(struct gl_context *context, const char *name,
                          struct gl_shift_subject *out, struct gl_error *err)
{
    char id[GL_CLOUD_ID];
    size_t index;

    *out = (struct gl_shift_subject){.row = NULL};
    if (gl_act_launcher(context, &out->launcher, err) != 0 ||
        gl_act_reconcile(context, &out->launcher, err) != 0 ||
        gl_launch_named(&out->launcher, name, id, err) != 0 ||
        gl_launch_find(&out->launcher, id, &out->rows, &index, err) != 0)
        return -1;
    out->row = &out->rows.rows[index];
    out->plan = gl_json_parse(out->row->plan, strlen(out->row->plan), "plan", err);
    return out->plan != NULL ? 0 : -1;
}

void gl_shift_subject_done(struct gl_shift_subject *subject)
{
    gl_launch_rows_free(&subject->rows);
    json_decref(subject->plan);
    subject->plan = NULL;
}

static json_t *row_json(const struct gl_launch_row *row)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:I}", "launch", row->launch, "name", row->name,
                     "state", row->state, "cloud", row->cloud, "region", row->region, "zone",
                     row->zone, "expires_ms", (json_int_t)row->expires_ms);
}

int gl_shift_reply(struct gl_context *context, struct gl_shift_subject *subject, const char *done,
                   struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *id = gl_strdup(subject->row->launch);
    const struct gl_launch_row *row;
    char until[GL_INSTANT_TEXT];
    bool is_paused;
    size_t index;

    gl_progress_end(context);
    if (gl_launch_find(&subject->launcher, id, &subject->rows, &index, err) != 0)
        return -1;
    row = subject->row = &subject->rows.rows[index];
    is_paused = strcmp(row->state, "paused") == 0;
    gl_instant_text((struct gl_instant){row->expires_ms / 1000}, until);
    context->is_demo |= row->is_demo;
    gl_str_addf(&context->reply.text, "%s %s  %s %s, place %s, zone %s\n", done, row->launch,
                row->cloud, row->type, row->region, row->zone[0] != '\0' ? row->zone : "unknown");
    gl_str_addf(&context->reply.text, "  %s; its lease ends at %s all the same\n",
                is_paused ? "paused: it uses no energy" : row->state, until);
    context->reply.data = row_json(row);
    if (is_paused)
        gl_next(context, "let it go on", (const char *const[]){"resume", row->launch, NULL});
    gl_next(context, "stop it and see what it cost",
            (const char *const[]){"stop", row->launch, NULL});
    return GL_EXIT_OK;
}

/* ---- may it run there? ---- */

static int refuse(struct gl_context *context, const struct gl_shift_subject *subject,
                  const char *place, enum gl_outcome outcome, const struct gl_str *reason)
{
    bool is_unknown = outcome == GL_OUTCOME_UNKNOWN;

    context->reply.verdict = gl_verdict_word(is_unknown ? GL_VERDICT_UNKNOWN : GL_REFUSE);
    gl_str_addf(&context->reply.text, "%s: %s stays where it is\n  reason  %s, in %s\n",
                is_unknown ? "UNKNOWN" : "REFUSED", subject->row->launch, gl_str_text(reason),
                place);
    context->reply.data = row_json(subject->row);
    json_object_set_new(context->reply.data, "to", json_string(place));
    json_object_set_new(context->reply.data, "reason", json_string(gl_str_text(reason)));
    return is_unknown ? GL_EXIT_UNKNOWN : GL_EXIT_REFUSED;
}

/* ---- under a promise: what could be promised there for the rest of the lease ---- */

static void say_promise(const struct gl_book_entry *entry, const char *zone, struct gl_str *reason)
{
    char until[GL_INSTANT_TEXT];
    int64_t until_s =
        entry != NULL && entry->is_ready ? gl_promise_until(&entry->promise) : GL_UNKNOWN;

    if (until_s == GL_UNKNOWN)
        gl_str_addf(reason, "nothing can be promised in %s", zone);
    else
        gl_str_addf(reason, "green can be promised in %s until %s only", zone,
                    gl_instant_text((struct gl_instant){until_s}, until));
}

static enum gl_outcome outcome_of(const struct gl_book_entry *entry, const struct gl_rule *rule,
                                  const struct gl_signal_query *query)
{
    int64_t until_s;

    if (gl_book_gap(entry, rule, query->from) != GL_GAP_NONE)
        return GL_OUTCOME_UNKNOWN;
    until_s = gl_promise_until(&entry->promise);
    return until_s != GL_UNKNOWN && until_s >= query->until.unix_s ? GL_SATISFIED : GL_VIOLATED;
}

/* The rules of the launch as promises in `zone`; the worst outcome counts. */
static int judge_promise(struct gl_context *context, const json_t *guarantee,
                         const struct gl_zone_facts *zone, const struct gl_signal_query *query,
                         enum gl_outcome *out_outcome, struct gl_str *reason, struct gl_error *err)
{
    struct gl_policy *policy = NULL;
    struct gl_arena arena = {0};
    struct gl_learnt learnt;
    struct gl_book_ask ask = {
        .zones = &zone,
        .zone_count = 1,
        .now = query->from,
        .run = {query->until.unix_s - query->from.unix_s},
        .probability =
            (double)json_integer_value(json_object_get(guarantee, "probability_ppm")) / 1e6,
    };
    const struct gl_book *book;

    if (gl_keeping_read_rules(json_object_get(guarantee, "rules"), &policy, err) != 0)
        return -1;
    gl_learnt_init(&learnt, gl_context_state(context, err));
    ask.policy = policy;
    ask.memory = &learnt.memory;
    book = policy != NULL ? gl_book_make(&arena, &ask) : NULL;
    *out_outcome = book != NULL ? GL_SATISFIED : GL_OUTCOME_UNKNOWN;
    for (size_t r = 0; book != NULL && r < policy->rule_count && *out_outcome == GL_SATISFIED;
         r++) {
        const struct gl_book_entry *entry = gl_book_find(book, &policy->rules[r], zone);

        *out_outcome = outcome_of(entry, &policy->rules[r], query);
        if (*out_outcome != GL_SATISFIED)
            say_promise(entry, query->zone, reason);
    }
    gl_learnt_done(&learnt);
    gl_arena_done(&arena);
    gl_policy_free(policy);
    return 0;
}

int gl_shift_judge(struct gl_context *context, const struct gl_shift_subject *subject,
                   const char *place, const char *zone, json_t **out_series, struct gl_error *err)
{
    struct gl_signal_query query = {.from = gl_now(&context->world),
                                    .until = {subject->row->expires_ms / 1000},
                                    .wants_history = true};
    const json_t *guarantee = json_object_get(subject->plan, "guarantee");
    GL_AUTO(gl_str_done) struct gl_str reason = {0};
    struct gl_zone_facts nowhere = {.count = 0};
    const struct gl_zone_facts *facts = &nowhere;
    struct gl_signal_store *store = gl_context_signals(context, err);
    enum gl_outcome outcome;
    int result;

    if (store == NULL)
        return -1;
    snprintf(query.zone, sizeof query.zone, "%s", zone);
    if (zone[0] != '\0')
        facts = gl_signal_store_zone(store, &query);
    if (json_is_integer(json_object_get(guarantee, "probability_ppm")))
        result = judge_promise(context, guarantee, facts, &query, &outcome, &reason, err);
    else
        result =
            gl_keeping_place(subject->plan, facts, query.from, query.until, &outcome, &reason, err);
    if (result == 0 && outcome != GL_SATISFIED)
        result = refuse(context, subject, place, outcome, &reason);
    else if (result == 0)
        *out_series = gl_evidence_place(facts, query.from, query.until);
    gl_signal_store_free(store);
    return result;
}
