/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/render/promise.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "policy/judge.h"

static const char *const kind_words[] = {
    [GL_PROMISED] = "promised",
    [GL_NONE_POSSIBLE] = "none possible",
    [GL_TOO_FEW_ISSUES] = "too few past forecasts",
    [GL_STALE] = "data too old",
    [GL_BREAKS_NOW] = "broken now",
    [GL_BEYOND_HORIZON] = "beyond the forecast",
};

static bool is_worse(const struct gl_book_entry *a, const struct gl_book_entry *b)
{
    int64_t until_a = a->is_ready ? gl_promise_until(&a->promise) : GL_UNKNOWN;
    int64_t until_b = b->is_ready ? gl_promise_until(&b->promise) : GL_UNKNOWN;

    return until_a < until_b; /* GL_UNKNOWN is the smallest */
}

static const struct gl_book_entry *entry_of(const struct gl_question *question,
                                            const struct gl_rule *rule,
                                            const struct gl_offer *offer, size_t zone)
{
    return gl_book_find_offer(question->book, rule, offer->place->zones[zone],
                              &(struct gl_book_load){question->request, offer});
}

bool gl_render_speaks_of(const struct gl_question *question, const struct gl_rule *rule,
                         const struct gl_offer *offer)
{
    const struct gl_judge judge = {.question = question, .at = question->now};

    return gl_judge_binds(&judge, rule) && gl_judge_applies(&judge, rule, offer);
}

const struct gl_book_entry *gl_render_promise_of(const struct gl_question *question,
                                                 const struct gl_offer *offer)
{
    const struct gl_policy *policy = question->policy;
    const struct gl_book_entry *worst = NULL;

    for (size_t r = 0; question->book != NULL && r < policy->rule_count; r++)
        for (size_t z = 0; z < offer->place->zone_count; z++) {
            const struct gl_book_entry *entry =
                gl_render_speaks_of(question, &policy->rules[r], offer)
                    ? entry_of(question, &policy->rules[r], offer, z)
                    : NULL;

            if (entry != NULL && (worst == NULL || is_worse(entry, worst)))
                worst = entry;
        }
    return worst;
}

char *gl_render_until(const struct gl_book_entry *entry, struct gl_instant now,
                      char out[GL_RENDER_UNTIL])
{
    int64_t until_s =
        entry != NULL && entry->is_ready ? gl_promise_until(&entry->promise) : GL_UNKNOWN;
    char today[GL_INSTANT_TEXT], until[GL_INSTANT_TEXT];

    if (until_s == GL_UNKNOWN) {
        bool is_known =
            entry != NULL && entry->is_ready &&
            (entry->promise.kind == GL_NONE_POSSIBLE || entry->promise.kind == GL_BREAKS_NOW);

        snprintf(out, GL_RENDER_UNTIL, "%s", is_known ? "not now" : "?");
        return out;
    }
    gl_instant_text(now, today);
    gl_instant_text((struct gl_instant){until_s}, until);
    if (strncmp(today, until, 10) == 0)
        snprintf(out, GL_RENDER_UNTIL, "%.5s", until + 11);
    else
        snprintf(out, GL_RENDER_UNTIL, "%.5s %.5s", until + 5, until + 11);
    return out;
}

/* "3,900". */
static void add_count(struct gl_str *out, uint32_t count)
{
    if (count >= 1000)
        gl_str_addf(out, "%" PRIu32 ",%03" PRIu32, count / 1000, count % 1000);
    else
        gl_str_addf(out, "%" PRIu32, count);
}

void gl_render_class(uint32_t hours, struct gl_str *out)
{
    size_t class = gl_guarantee_class(hours);

    gl_str_addf(out, "%" PRIu32, gl_guarantee_class_from_h[class]);
    if (class + 1 < GL_GUARANTEE_CLASSES)
        gl_str_addf(out, " to %" PRIu32 " h", gl_guarantee_class_from_h[class + 1] - 1);
    else
        gl_str_add(out, " h or longer");
}

/* What the long-run rate hides: this promise, and those as long as it. */
static void add_alike(struct gl_str *out, const struct gl_promise *promise)
{
    const struct gl_guarantee_alike *alike;
    uint32_t settled;

    if (promise->hours == 0)
        return;
    alike = &promise->score.alike[gl_guarantee_class(promise->hours)];
    settled = alike->kept + alike->broken;
    gl_str_addf(out, "; own chance %.0f %%", promise->own_chance * 100);
    if (settled == 0)
        return;
    gl_str_add(out, ", of those of ");
    gl_render_class(promise->hours, out);
    gl_str_addf(out, " kept %.0f %% of ", 100.0 * (double)alike->kept / (double)settled);
    add_count(out, settled);
}

void gl_render_record(const struct gl_book_entry *entry, struct gl_str *out)
{
    const struct gl_guarantee_score *score = &entry->promise.score;
    uint32_t settled = score->kept + score->broken;

    gl_str_addf(out, "p %.4g %%", entry->promise.probability * 100);
    if (settled == 0) {
        gl_str_add(out, ", none settled before");
        return;
    }
    gl_str_addf(out, ", kept %.0f %% of ", 100.0 * (double)score->kept / (double)settled);
    add_count(out, settled);
    gl_str_addf(out, " before, half of them %" PRIu32 " h or longer", score->median_h);
    add_alike(out, &entry->promise);
}

void gl_render_told(const struct gl_question *question, const struct gl_book_entry *entry,
                    bool is_told, struct gl_str *out)
{
    if (is_told) {
        gl_str_addf(out, "GREEN UNTIL (UTC): rule %s promised in %s, ", entry->rule->id,
                    entry->zone->zone);
        gl_render_record(entry, out);
    } else {
        gl_str_addf(out, "For how long it stays green in %s is not known: %s", entry->zone->zone,
                    gl_gap_sentence(gl_book_gap(entry, entry->rule, question->now)));
    }
}

/* Its deciding reason is that figures lack, of a rule whose promises could be told. */
static bool could_be_promised(const struct gl_question *question,
                              const struct gl_judgement *judgement)
{
    const struct gl_offer *offer = &question->offers[judgement->offer];
    const struct gl_reason *reason = &judgement->reason;
    bool is_lacking = reason->gap == GL_GAP_COVERAGE || reason->gap == GL_GAP_NO_BOUND ||
                      reason->gap == GL_GAP_MISSING || reason->gap == GL_GAP_GRADE ||
                      reason->gap == GL_GAP_NOT_HOURLY;

    if (judgement->outcome != GL_OUTCOME_UNKNOWN || !is_lacking || reason->rule == NULL ||
        gl_rule_number(reason->rule, GL_KEY_CONFIDENCE) != GL_UNKNOWN)
        return false;
    for (size_t z = 0; z < offer->place->zone_count; z++) {
        const struct gl_book_entry *entry = entry_of(question, reason->rule, offer, z);

        if (gl_book_gap(entry, reason->rule, question->now) != GL_GAP_NONE)
            return false;
    }
    return offer->place->zone_count > 0;
}

/* The promise of this rule that lasts longest, of all zones; NULL when there is none. */
static const struct gl_book_entry *longest_of(const struct gl_question *question,
                                              const struct gl_rule *rule)
{
    const struct gl_book_entry *longest = NULL;

    for (size_t i = 0; i < question->book->count; i++) {
        const struct gl_book_entry *entry = &question->book->entries[i];

        if (entry->rule == rule && gl_book_gap(entry, rule, question->now) == GL_GAP_NONE &&
            gl_promise_until(&entry->promise) != GL_UNKNOWN &&
            (longest == NULL || is_worse(longest, entry)))
            longest = entry;
    }
    return longest;
}

/* More hours than any forecast has cannot be promised, whatever the grid is like. */
static bool is_beyond_any(const struct gl_question *question, const struct gl_rule *rule,
                          int64_t *out_s)
{
    const int64_t green_for = gl_rule_number(rule, GL_KEY_GREEN_FOR);
    const int64_t begun_s = question->now.unix_s % GL_HOUR_S, run_s = question->request->duration.s;

    *out_s = green_for > run_s ? green_for : run_s;
    return gl_rule_number(rule, GL_KEY_CONFIDENCE) != GL_UNKNOWN &&
           begun_s + *out_s > GL_BOOK_HORIZON_H * GL_HOUR_S;
}

static bool add_beyond(const struct gl_question *question, struct gl_str *out)
{
    for (size_t r = 0; r < question->policy->rule_count; r++) {
        const struct gl_rule *rule = &question->policy->rules[r];
        const struct gl_book_entry *longest = longest_of(question, rule);
        char span[GL_QUANTITY_TEXT], until[GL_INSTANT_TEXT];
        int64_t asked_s;

        if (!is_beyond_any(question, rule, &asked_s))
            continue;
        gl_str_addf(out,
                    "No promise reaches %s: forecasts are made for %d h from the hour that has "
                    "begun, so %d h is the most to ask for.",
                    gl_span_text((struct gl_span){asked_s}, span), GL_BOOK_HORIZON_H,
                    GL_BOOK_HORIZON_H - 1);
        if (longest != NULL)
            gl_str_addf(
                out, " The longest promise now is in %s, until %s.", longest->zone->zone,
                gl_instant_text((struct gl_instant){gl_promise_until(&longest->promise)}, until));
        return true;
    }
    return false;
}

bool gl_render_promise_hint(const struct gl_question *question, const struct gl_decision *decision,
                            struct gl_str *out)
{
    if (question->book != NULL && add_beyond(question, out))
        return true;
    for (size_t i = 0; question->book != NULL && i < decision->judged; i++)
        if (decision->judgements[i].outcome != GL_NOT_ASKED &&
            could_be_promised(question, &decision->judgements[i])) {
            gl_str_addf(out,
                        "Past figures are stored: with --confidence %.4g%% (or that key in the "
                        "rule) promises made from them count instead of a source's forecast.",
                        GL_BOOK_PROBABILITY * 100);
            return true;
        }
    return false;
}

double gl_render_promised_percent(const struct gl_question *question, const struct gl_offer *offer)
{
    const struct gl_policy *policy = question->policy;
    int64_t least = GL_UNKNOWN;

    for (size_t r = 0; question->book != NULL && r < policy->rule_count; r++) {
        const struct gl_rule *rule = &policy->rules[r];
        int64_t asked = gl_rule_number(rule, GL_KEY_CONFIDENCE);

        if (asked != GL_UNKNOWN && (least == GL_UNKNOWN || asked < least) &&
            offer->place->zone_count > 0 && gl_render_speaks_of(question, rule, offer) &&
            entry_of(question, rule, offer, 0) != NULL)
            least = asked;
    }
    return least == GL_UNKNOWN ? 0 : (double)least / 1e4;
}

/* Of promises as long as this one; null without one. */
static json_t *alike_json(const struct gl_promise *promise)
{
    size_t class = gl_guarantee_class(promise->hours);
    const struct gl_guarantee_alike *alike = &promise->score.alike[class];
    uint32_t settled = alike->kept + alike->broken;

    if (promise->hours == 0)
        return json_null();
    return json_pack(
        "{s:I,s:o,s:I,s:I,s:o}", "from_h", (json_int_t)gl_guarantee_class_from_h[class], "to_h",
        class + 1 < GL_GUARANTEE_CLASSES
            ? json_integer((json_int_t)gl_guarantee_class_from_h[class + 1] - 1)
            : json_null(),
        "kept", (json_int_t)alike->kept, "broken", (json_int_t)alike->broken, "kept_share",
        settled > 0 ? json_real((double)alike->kept / (double)settled) : json_null());
}

static json_t *record_json(const struct gl_guarantee_score *score)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "asked", (json_int_t)score->asked, "issued",
                     (json_int_t)score->issued, "kept", (json_int_t)score->kept, "broken",
                     (json_int_t)score->broken, "unsettled", (json_int_t)score->unsettled,
                     "median_h", (json_int_t)score->median_h);
}

json_t *gl_render_promise_json(const struct gl_book_entry *entry, struct gl_instant now)
{
    const struct gl_promise *promise = &entry->promise;
    int64_t until_s = entry->is_ready ? gl_promise_until(promise) : GL_UNKNOWN;
    char until[GL_INSTANT_TEXT], start[GL_INSTANT_TEXT];
    enum gl_gap gap = gl_book_gap(entry, entry->rule, now);

    if (!entry->is_ready || gap != GL_GAP_NONE)
        return json_pack("{s:s,s:s,s:s,s:s}", "rule", entry->rule->id, "zone", entry->zone->zone,
                         "state", "unknown", "why", gl_gap_sentence(gap));
    if (until_s != GL_UNKNOWN)
        gl_instant_text((struct gl_instant){until_s}, until);
    gl_instant_text((struct gl_instant){promise->start_s}, start);
    return json_pack("{s:s,s:s,s:s,s:s,s:s?,s:I,s:f,s:o,s:o,s:f,s:I,s:I,s:o}", "rule",
                     entry->rule->id, "zone", entry->zone->zone, "state", kind_words[promise->kind],
                     "start", start, "until", until_s != GL_UNKNOWN ? until : NULL, "hours",
                     (json_int_t)promise->hours, "probability", promise->probability, "own_chance",
                     promise->hours > 0 ? json_real(promise->own_chance) : json_null(), "alike",
                     alike_json(promise), "level", promise->level, "issues",
                     (json_int_t)promise->issues, "indication_h", (json_int_t)promise->indication_h,
                     "record", record_json(&promise->score));
}
