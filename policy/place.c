/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/judge.h"

/* One offer judged. Offers come in runs of one place, and most of what is said of them is said of
 * the place: it is found out once a run. */

/* ---- watts ---- */

/* A load that is no number counts as full, so that an error cannot make grams small. */
double gl_judge_load(const struct gl_request *request)
{
    if (request->load < 0)
        return 0;
    return request->load <= 1 ? request->load : 1;
}

/* Is either band in order, and idle nowhere above full? What is no number compares with none. */
static bool is_draw(const struct gl_band *idle, const struct gl_band *full)
{
    return idle->low >= 0 && idle->low <= idle->central && idle->central <= idle->high &&
           full->low <= full->central && full->central <= full->high && full->high < 1e12 &&
           idle->low <= full->low && idle->central <= full->central && idle->high <= full->high &&
           full->central > 0;
}

static double at_load(double idle, double full, double load, double factor)
{
    return (idle + load * (full - idle)) * factor;
}

static inline bool watts_of(double load, int64_t count, const struct gl_offer *offer,
                            struct gl_band *out)
{
    const struct gl_band *idle = &offer->type->idle_w, *full = &offer->type->full_w;
    double factor = offer->place->pue * (double)count;

    if (!is_draw(idle, full) || !(offer->place->pue >= 1 && offer->place->pue < 100))
        return false;
    *out = (struct gl_band){at_load(idle->low, full->low, load, factor),
                            at_load(idle->central, full->central, load, factor),
                            at_load(idle->high, full->high, load, factor)};
    return true;
}

bool gl_judge_watts(const struct gl_judge *judge, const struct gl_offer *offer, struct gl_band *out)
{
    return judge->count != GL_UNKNOWN && watts_of(judge->load, judge->count, offer, out);
}

bool gl_judge_watts_of(const struct gl_judge *judge, const struct gl_rule *rule,
                       const struct gl_offer *offer, struct gl_band *out)
{
    int64_t count = gl_judge_count(judge, rule);

    return count != GL_UNKNOWN && watts_of(judge->load, count, offer, out);
}

/* Of a plan as many as it may come to. */
bool gl_request_watts(const struct gl_request *request, const struct gl_offer *offer,
                      struct gl_band *out)
{
    int64_t count = request->count != 0 ? request->count : 1;

    if (request->subject != NULL)
        count = request->subject->counts[GL_COUNT_WORST];
    return count != GL_UNKNOWN && watts_of(gl_judge_load(request), count, offer, out);
}

/* ---- the place ---- */

static void move_to(struct gl_judge *judge, const struct gl_offer *offer)
{
    struct gl_place *place = &judge->place;

    place->is = offer->place;
    place->is_judged = false;
    place->is_asked = gl_judge_asks_place(judge->question->request, offer);
    for (size_t i = 0; i < judge->limit_count; i++)
        judge->limits[i].is_found = false;
}

static void enter(struct gl_judge *judge, const struct gl_offer *offer)
{
    if (judge->place.is != offer->place)
        move_to(judge, offer);
}

const struct gl_tested *gl_judge_limit(struct gl_judge *judge, const struct gl_rule_plan *plan,
                                       struct gl_limit *limit, const struct gl_offer *offer,
                                       struct gl_tested *own)
{
    enter(judge, offer);
    if (!limit->is_of_place) {
        gl_judge_test(judge, plan, offer, limit->constraint, own);
        return own;
    }
    if (!limit->is_found)
        gl_judge_look(judge, plan, offer, limit->constraint, &limit->found);
    limit->is_found = true;
    if (limit->found.reason.outcome != GL_VIOLATED)
        return &limit->found;
    *own = limit->found;
    gl_judge_waive(judge, plan, offer, limit->constraint, own);
    gl_judge_doubt(judge, plan->rule, offer, own);
    return own;
}

static int severity(enum gl_outcome outcome)
{
    return outcome == GL_VIOLATED ? 2 : outcome == GL_OUTCOME_UNKNOWN ? 1 : 0;
}

/* Take one tested constraint into the offer's judgement; the first of the worst is the reason. */
static void note(struct gl_judgement *out, const struct gl_tested *tested, bool binds)
{
    enum gl_outcome outcome = tested->reason.outcome;
    bool is_warning = tested->has_warning || (!binds && outcome != GL_SATISFIED);

    if (is_warning && out->outcome == GL_SATISFIED && !out->has_warning)
        out->reason = tested->reason;
    out->has_warning = out->has_warning || is_warning;
    if (binds && severity(outcome) > severity(out->outcome)) {
        out->outcome = outcome;
        out->reason = tested->reason;
    }
}

/* Everything but grams. */
static void judge_rules(struct gl_judge *judge, const struct gl_offer *offer,
                        struct gl_judgement *out)
{
    const struct gl_policy *policy = judge->question->policy;
    int grade = -1;

    *out = (struct gl_judgement){
        .outcome = GL_SATISFIED,
        .reason = {.outcome = GL_SATISFIED, .found_u = GL_UNKNOWN},
        .grams_per_h = {-1, -1, -1},
        .grams_total = {-1, -1, -1},
    };
    for (size_t i = 0; policy != NULL && i < policy->rule_count; i++) {
        const struct gl_rule_plan *plan = &judge->plans[i];
        struct gl_limit *limits = &judge->limits[plan->first_limit];
        bool binds = gl_judge_binds(judge, plan->rule);
        struct gl_tested own;

        if (!gl_judge_applies(judge, plan->rule, offer))
            continue;
        for (size_t l = 0; l < plan->limit_count; l++) {
            const struct gl_tested *tested = gl_judge_limit(judge, plan, &limits[l], offer, &own);

            note(out, tested, binds);
            if (binds && tested->has_evidence && (int)tested->grade > grade)
                grade = (int)tested->grade;
        }
    }
    if (grade < 0) /* no rule rests on evidence; the reported grams do */
        grade = offer->place->zone_count == 0
                    ? (int)GL_GRADE_E
                    : (int)gl_judge_figure(judge, offer->place->zones[0],
                                           judge->report_needs[GL_INTENSITY])
                          ->grade;
    out->grade = (uint8_t)grade;
}

static void judge_place(struct gl_judge *judge, const struct gl_offer *offer)
{
    struct gl_place *place = &judge->place;

    place->hours = (double)judge->duration.s / 3600;
    for (unsigned part = 0; part < 3; part++) {
        int64_t intensity_u = gl_judge_report(judge, offer, GL_INTENSITY, (enum gl_part)part);

        place->has_grams[part] = intensity_u != GL_UNKNOWN && judge->duration.s > 0;
        place->g_per_kwh[part] = (double)intensity_u / 1e6;
    }
    if (judge->is_by_place)
        judge_rules(judge, offer, &place->judgement);
    place->is_judged = true;
}

/* ---- the offer ---- */

static void report_part(const struct gl_place *place, unsigned part, double watts,
                        struct gl_judgement *out)
{
    double grams_per_h = watts / 1000 * place->g_per_kwh[part];

    out->grams_per_h[part] = place->has_grams[part] ? (float)grams_per_h : -1;
    out->grams_total[part] = place->has_grams[part] ? (float)(grams_per_h * place->hours) : -1;
}

/* Into a judgement whose grams are unknown yet. */
static void report_grams(const struct gl_judge *judge, const struct gl_offer *offer,
                         bool has_bounds, struct gl_judgement *out)
{
    struct gl_band watts;

    if (!gl_judge_watts(judge, offer, &watts))
        return;
    report_part(&judge->place, GL_PART_CENTRAL, watts.central, out);
    if (has_bounds) {
        report_part(&judge->place, GL_PART_LOW, watts.low, out);
        report_part(&judge->place, GL_PART_HIGH, watts.high, out);
    }
}

static void judge_here(struct gl_judge *judge, uint32_t index, bool has_bounds,
                       struct gl_judgement *out)
{
    const struct gl_offer *offer = &judge->question->offers[index];

    if (judge->is_by_place)
        *out = judge->place.judgement;
    else
        judge_rules(judge, offer, out);
    report_grams(judge, offer, has_bounds, out);
    out->offer = index;
}

static void settle(struct gl_judge *judge, const struct gl_offer *offer)
{
    enter(judge, offer);
    if (!judge->place.is_judged)
        judge_place(judge, offer);
}

void gl_judge_offer(struct gl_judge *judge, uint32_t index, struct gl_judgement *out)
{
    settle(judge, &judge->question->offers[index]);
    judge_here(judge, index, true, out);
}

void gl_judge_bounds(struct gl_judge *judge, struct gl_judgement *judgement)
{
    const struct gl_offer *offer = &judge->question->offers[judgement->offer];

    settle(judge, offer);
    report_grams(judge, offer, true, judgement);
}

static bool is_asked(const struct gl_judge *judge, const struct gl_offer *offer)
{
    return judge->place.is_asked &&
           (judge->is_any_type || gl_judge_asks_type(judge->question->request, offer));
}

size_t gl_judge_run(struct gl_judge *judge, size_t first, struct gl_judgement *judgements)
{
    static const struct gl_judgement not_asked = {
        .outcome = GL_NOT_ASKED,
        .grade = GL_GRADE_E,
        .reason = {.outcome = GL_NOT_ASKED, .found_u = GL_UNKNOWN},
        .grams_per_h = {-1, -1, -1},
        .grams_total = {-1, -1, -1},
    };
    const struct gl_question *question = judge->question;
    const struct gl_offer *offers = question->offers;
    size_t at = first;

    enter(judge, &offers[first]);
    do {
        if (is_asked(judge, &offers[at])) {
            if (!judge->place.is_judged)
                judge_place(judge, &offers[at]);
            judge_here(judge, (uint32_t)at, !judge->is_brief, &judgements[at]);
        } else {
            judgements[at] = not_asked;
            judgements[at].offer = (uint32_t)at;
        }
    } while (++at < question->offer_count && offers[at].place == offers[first].place);
    return at;
}
