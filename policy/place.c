/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/judge.h"

/* One offer judged. Offers come in runs of one place, and most of what is said of them is said of
 * the place: it is found out once a run. */

static bool is_same_place(const struct gl_offer *a, const struct gl_offer *b)
{
    return a->region == b->region && a->zone_count == b->zone_count && a->zones[0] == b->zones[0] &&
           a->zones[1] == b->zones[1] && a->cloud == b->cloud && a->country == b->country;
}

static struct gl_place *enter(struct gl_judge *judge, const struct gl_offer *offer)
{
    struct gl_place *place = &judge->place;

    if (place->like != NULL && is_same_place(place->like, offer))
        return place;
    place->like = offer;
    place->is_judged = false;
    place->is_asked = gl_judge_asks_place(judge->question->request, offer);
    for (size_t i = 0; i < judge->limit_count; i++)
        judge->limits[i].is_found = false;
    return place;
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
        grade = offer->zone_count == 0 ? (int)GL_GRADE_E
                                       : (int)gl_judge_figure(judge, offer->zones[0],
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

static void report_part(const struct gl_place *place, unsigned part, double watts,
                        struct gl_judgement *out)
{
    double grams_per_h = watts / 1000 * place->g_per_kwh[part];

    out->grams_per_h[part] = place->has_grams[part] ? (float)grams_per_h : -1;
    out->grams_total[part] = place->has_grams[part] ? (float)(grams_per_h * place->hours) : -1;
}

static void report_grams(const struct gl_judge *judge, const struct gl_offer *offer,
                         struct gl_judgement *out)
{
    struct gl_band watts;

    if (!gl_judge_watts(judge, offer, &watts)) {
        for (unsigned part = 0; part < 3; part++)
            out->grams_per_h[part] = out->grams_total[part] = -1;
        return;
    }
    report_part(&judge->place, GL_PART_LOW, watts.low, out);
    report_part(&judge->place, GL_PART_CENTRAL, watts.central, out);
    report_part(&judge->place, GL_PART_HIGH, watts.high, out);
}

static void judge_here(struct gl_judge *judge, const struct gl_offer *offer,
                       struct gl_judgement *out)
{
    if (!judge->place.is_judged)
        judge_place(judge, offer);
    if (judge->is_by_place)
        *out = judge->place.judgement;
    else
        judge_rules(judge, offer, out);
    report_grams(judge, offer, out);
}

void gl_judge_offer(struct gl_judge *judge, uint32_t index, struct gl_judgement *out)
{
    const struct gl_offer *offer = &judge->question->offers[index];

    enter(judge, offer);
    judge_here(judge, offer, out);
    out->offer = index;
}

void gl_judge_asked(struct gl_judge *judge, uint32_t index, struct gl_judgement *out)
{
    const struct gl_offer *offer = &judge->question->offers[index];

    enter(judge, offer);
    if (judge->place.is_asked &&
        (judge->is_any_type || gl_judge_asks_type(judge->question->request, offer)))
        judge_here(judge, offer, out);
    else
        *out = (struct gl_judgement){
            .outcome = GL_NOT_ASKED,
            .grade = GL_GRADE_E,
            .reason = {.outcome = GL_NOT_ASKED, .found_u = GL_UNKNOWN},
            .grams_per_h = {-1, -1, -1},
            .grams_total = {-1, -1, -1},
        };
    out->offer = index;
}
