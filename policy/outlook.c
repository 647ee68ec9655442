/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/outlook.h"

#include "policy/judge.h"

#define REASONS_MAX 256

static int64_t hour_of(struct gl_instant at)
{
    return at.unix_s / GL_HOUR_S * GL_HOUR_S;
}

/* ---- by promise ---- */

/* What one rule comes to in the zone. */
static void promise_of(const struct gl_outlook_ask *ask, const struct gl_book *book,
                       const struct gl_rule *rule, const struct gl_zone_facts *zone,
                       struct gl_outlook *out)
{
    const struct gl_book_entry *entry = gl_book_find(book, rule, zone);

    *out = (struct gl_outlook){.kind = GL_STALE, .until_s = GL_UNKNOWN, .rule = rule};
    out->gap = gl_book_gap(entry, rule, ask->now);
    if (out->gap == GL_GAP_ISSUES)
        out->kind = GL_TOO_FEW_ISSUES;
    if (entry != NULL && entry->is_ready)
        out->entry = entry;
    if (out->gap != GL_GAP_NONE)
        return;
    out->kind = entry->promise.kind;
    out->until_s = gl_promise_until(&entry->promise);
}

static void promise_all(struct gl_arena *arena, const struct gl_outlook_ask *ask,
                        const struct gl_zone_facts *zone, struct gl_outlook *out)
{
    const struct gl_book *book =
        gl_book_make(arena, &(struct gl_book_ask){.policy = ask->policy,
                                                  .zones = &zone,
                                                  .zone_count = 1,
                                                  .now = ask->now,
                                                  .probability = ask->probability,
                                                  .memory = ask->memory});

    for (size_t r = 0; r < ask->policy->rule_count; r++) {
        struct gl_outlook one;

        promise_of(ask, book, &ask->policy->rules[r], zone, &one);
        if (r == 0 || gl_outlook_worse(out, &one) == &one)
            *out = one;
    }
}

/* ---- by the data at hand ---- */

/* The one evaluator, asked of one stretch. */
static enum gl_outcome judge(struct gl_question *question, int64_t from_s, int64_t until_s,
                             struct gl_outlook *out)
{
    struct gl_request request = *question->request;
    struct gl_question asked = *question;
    struct gl_reason reasons[REASONS_MAX];
    enum gl_outcome worst = GL_SATISFIED;
    size_t count;

    request.start.unix_s = from_s;
    request.duration.s = until_s - from_s;
    asked.request = &request;
    count = gl_judge_all(&asked, 0, reasons, REASONS_MAX);
    for (size_t i = 0; i < count && worst != GL_VIOLATED; i++) {
        if (reasons[i].outcome == GL_SATISFIED ||
            (worst != GL_SATISFIED && reasons[i].outcome != GL_VIOLATED))
            continue;
        worst = reasons[i].outcome == GL_VIOLATED ? GL_VIOLATED : GL_OUTCOME_UNKNOWN;
        out->rule = reasons[i].rule;
        out->gap = worst == GL_VIOLATED            ? GL_GAP_NONE
                   : reasons[i].gap != GL_GAP_NONE ? reasons[i].gap
                                                   : GL_GAP_MISSING;
    }
    return worst;
}

/* Hour by hour until the first that does not hold. */
static void judge_hours(const struct gl_outlook_ask *ask, const struct gl_zone_facts *zone,
                        struct gl_outlook *out)
{
    const struct gl_request request = {.count = 1, .load = 1};
    const struct gl_offer_place place = gl_offer_place_in(zone);
    const struct gl_offer offer = {.place = &place, .type = &gl_offer_type_unknown};
    struct gl_question question = {.policy = ask->policy,
                                   .request = &request,
                                   .offers = &offer,
                                   .offer_count = 1,
                                   .now = ask->now,
                                   .has_no_digest = true};
    int64_t at_s = ask->now.unix_s, end_s = hour_of(ask->now);
    enum gl_outcome outcome = GL_SATISFIED;

    *out = (struct gl_outlook){.kind = GL_PROMISED,
                               .until_s = GL_UNKNOWN,
                               .rule = ask->policy->rule_count > 0 ? &ask->policy->rules[0] : NULL};
    for (uint32_t h = 0; h < GL_OUTLOOK_H && outcome == GL_SATISFIED; h++) {
        end_s += GL_HOUR_S;
        outcome = judge(&question, at_s, end_s, out);
        if (outcome == GL_SATISFIED)
            out->until_s = at_s = end_s;
    }
    if (out->until_s != GL_UNKNOWN) {
        out->gap = GL_GAP_NONE; /* what ends it comes later */
        return;
    }
    out->kind = outcome == GL_VIOLATED ? GL_BREAKS_NOW : GL_STALE;
}

/* ---- grams ---- */

/* Attributes and does not flatter: the grid's average by location, within the boundary of the first
 * rule that limits emissions, so that here and there are never of two meanings. */
static struct gl_need report_need(const struct gl_policy *policy)
{
    const struct gl_rule none = {0}, *rule = &none;
    struct gl_need need;

    for (size_t r = 0; r < policy->rule_count && rule == &none; r++)
        if (gl_rule_number(&policy->rules[r], GL_KEY_MAX_INTENSITY) != GL_UNKNOWN ||
            gl_rule_number(&policy->rules[r], GL_KEY_GREEN_BELOW) != GL_UNKNOWN)
            rule = &policy->rules[r];
    need = gl_rule_need(rule, GL_INTENSITY);
    need.want.rate = GL_AVERAGE;
    need.want.accounting = GL_LOCATION;
    return need;
}

static bool by_forecast(const struct gl_need *need, const struct gl_outlook_ask *ask,
                        const struct gl_history *history, struct gl_outlook *out)
{
    struct gl_arena arena = {0};
    struct gl_ensemble futures;
    bool is_known = gl_figure_gap(&history->meaning, &need->want) == GL_GAP_NONE &&
                    history->actuals.count > 0 &&
                    gl_book_futures(&arena, &history, 1, ask->now, GL_OUTLOOK_H, &futures) > 0;

    for (uint32_t h = 0; is_known && h < GL_OUTLOOK_H; h++)
        out->g_per_kwh[h] = (double)futures.central[h];
    out->known_h = is_known ? GL_OUTLOOK_H : 0;
    gl_arena_done(&arena);
    return is_known;
}

static void by_figures(const struct gl_need *need, const struct gl_outlook_ask *ask,
                       const struct gl_zone_facts *zone, struct gl_outlook *out)
{
    const struct gl_figure_limits limits = {.now = ask->now, .min_grade = GL_GRADE_E};
    int64_t at_s = ask->now.unix_s, end_s = hour_of(ask->now);

    for (uint32_t h = 0; h < GL_OUTLOOK_H; h++, at_s = end_s) {
        struct gl_figure figure;

        end_s += GL_HOUR_S;
        figure = gl_figure_of(zone, &need->want, (struct gl_instant){at_s},
                              (struct gl_instant){end_s}, &limits);
        if (figure.value_u == GL_UNKNOWN)
            return;
        out->g_per_kwh[h] = (double)figure.value_u / 1e6;
        out->known_h = h + 1;
    }
}

static void expect(const struct gl_outlook_ask *ask, const struct gl_zone_facts *zone,
                   struct gl_outlook *out)
{
    struct gl_need need = report_need(ask->policy);
    bool is_known = false;

    for (size_t i = 0; i < zone->history_count && !is_known; i++)
        is_known = by_forecast(&need, ask, zone->histories[i], out);
    if (!is_known)
        by_figures(&need, ask, zone, out);
}

/* ---- all ---- */

const struct gl_outlook *gl_outlook_worse(const struct gl_outlook *a, const struct gl_outlook *b)
{
    if (a->until_s != b->until_s)
        return b->until_s < a->until_s ? b : a; /* GL_UNKNOWN is the smallest */
    return b->kind == GL_BREAKS_NOW && a->kind != GL_BREAKS_NOW ? b : a;
}

bool gl_outlook_mean(const struct gl_outlook *outlook, uint32_t hours, double *out)
{
    double sum = 0;

    if (hours == 0 || hours > outlook->known_h)
        return false;
    for (uint32_t h = 0; h < hours; h++)
        sum += outlook->g_per_kwh[h];
    *out = sum / hours;
    return true;
}

void gl_outlook_of(struct gl_arena *arena, const struct gl_outlook_ask *ask,
                   const struct gl_zone_facts *zone, struct gl_outlook *out)
{
    *out = (struct gl_outlook){.kind = GL_STALE,
                               .gap = GL_GAP_MISSING,
                               .until_s = GL_UNKNOWN,
                               .rule = ask->policy->rule_count > 0 ? &ask->policy->rules[0] : NULL};
    if (zone == NULL || ask->policy->rule_count == 0)
        return;
    if (ask->is_promised)
        promise_all(arena, ask, zone, out);
    else
        judge_hours(ask, zone, out);
    expect(ask, zone, out);
}
