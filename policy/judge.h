/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_JUDGE_H
#define GL_POLICY_JUDGE_H

/* Inside the evaluator only: one offer against the rules. Figures are looked up once per zone, need
 * and interval, and what a rule says of a place once per run of offers there, so that thousands of
 * offers of one region cost one walk over its series. Allocates nothing per offer. */

#include "policy/decide.h"
#include "policy/rank.h"

#define GL_WORST_INTENSITY_U INT64_C(3000000000)   /* 3,000 g/kWh: no grid is dirtier */
#define GL_MOST_SHARE_U      INT64_C(1500000)      /* 150 %: exports count in shares of load */
#define GL_FAR_S             INT64_C(253402300800) /* the year 10000 */

/* What evidence a limit needs: equal needs share their figures. */
struct gl_need {
    struct gl_meaning want;
    enum gl_grade min_grade;
    int64_t max_age_s; /* 0 = built-in */
    bool needs_hourly, wants_best;
    int64_t length_s; /* 0 = the asked duration */
};

/* One rule, made ready: indices into needs[] by quantity, its part of limits[]. */
struct gl_rule_plan {
    const struct gl_rule *rule;
    const struct gl_constraint *green_for; /* NULL = none */
    bool has_limit;                        /* any key that looks at evidence of the zone */
    bool is_promised;                      /* limits on figures are promised together */
    bool has_waivers;
    uint32_t run_needs[GL_QUANTITIES], green_needs[GL_QUANTITIES];
    size_t first_limit, limit_count;
};

/* A figure looked for: gl_figure_of()'s arguments, and which series are known to be in order. */
struct gl_figure_ask {
    const struct gl_zone_facts *zone;
    const struct gl_meaning *want;
    const struct gl_figure_limits *limits;
    int64_t from_s, until_s;
    uint64_t sound; /* gl_figure_sound(zone) */
};
struct gl_figure gl_figure_over(const struct gl_figure_ask *ask);
/* Why a figure that means `is` does not answer who wants `want`; NONE when it does. */
enum gl_gap gl_figure_gap(const struct gl_meaning *is, const struct gl_meaning *want);
/* Bit i: the points of series i are ordered and apart (the first 64 series). One look at every
 * point, so that looking up many intervals need not repeat it. */
uint64_t gl_figure_sound(const struct gl_zone_facts *zone);
/* Points of a sound series inside [from_s, until_s): *out_count from the returned one on. */
const struct gl_point *gl_figure_points(const struct gl_series *series, int64_t from_s,
                                        int64_t until_s, size_t *out_count);

/* Open addressing by zone and need; entries of another generation are free. */
struct gl_memo_entry {
    const struct gl_zone_facts *zone;
    uint32_t need, generation;
    union {
        struct gl_figure figure;
        uint64_t sound;
    } of;
};
struct gl_memo {
    struct gl_memo_entry *entries;
    size_t capacity, used; /* capacity is a power of two */
};

/* One constraint tested. */
struct gl_tested {
    struct gl_reason reason;
    enum gl_grade grade; /* of the evidence, if has_evidence */
    bool has_evidence;
    bool has_warning; /* unknown admitted, or waived */
};

/* A constraint that tests something, and what it found at the present place. */
struct gl_limit {
    const struct gl_constraint *constraint;
    bool is_of_place; /* finds the same for every offer of a place, waivers aside */
    bool is_found;    /* `found` holds for the present place */
    struct gl_tested found;
};

/* What the offers of one place share. */
struct gl_place {
    const struct gl_offer_place *is; /* NULL before the first */
    bool is_asked;                   /* by the request's clouds and regions */
    bool is_judged;                  /* `judgement` and what is reported hold */
    bool has_grams[3];               /* low, central, high */
    double g_per_kwh[3];             /* reported intensity */
    double hours;                    /* of the run */
    struct gl_judgement judgement;   /* gl_judge.is_by_place: of every offer, grams aside */
};

/* What the rule asks of evidence for a quantity over the run. */
struct gl_need gl_rule_need(const struct gl_rule *rule, enum gl_quantity quantity);

struct gl_judge {
    const struct gl_question *question;
    struct gl_rule_plan *plans;
    struct gl_limit *limits;
    size_t limit_count;
    bool is_by_place; /* nothing in the rules tells offers of one place apart */
    bool is_any_type; /* the request asks for any */
    bool is_brief;    /* bounds of grams only of the few that are wanted, once they are known */
    double load;      /* of the request, 0 to 1 */
    int64_t count;    /* of what is reported; GL_UNKNOWN */
    struct gl_place place;
    struct gl_need *needs;
    size_t need_count;
    uint32_t report_needs[GL_QUANTITIES]; /* for grams and sorting; never for a rule */
    struct gl_memo figures, sounds;       /* figures of the present case; soundness for good */
    uint32_t generation;
    /* The case being judged: gl_judge_set_case(). */
    struct gl_instant start, at; /* `at`: instant for enforce_from and waivers */
    struct gl_span duration;
    bool is_strict; /* hourly evidence only, unknown is never admitted */
};

/* The constraint that stands for the account of a budget. */
const struct gl_constraint *gl_budget_first(const struct gl_budget *budget);
void gl_judge_init(struct gl_judge *judge, const struct gl_question *question);
void gl_judge_done(struct gl_judge *judge);
void gl_judge_set_case(struct gl_judge *judge, struct gl_instant start, struct gl_span duration,
                       bool is_strict);

/* Is the offer in one of the clouds and regions the request asks for, and is it of such a type? */
bool gl_judge_asks_place(const struct gl_request *request, const struct gl_offer *offer);
bool gl_judge_asks_type(const struct gl_request *request, const struct gl_offer *offer);
/* Does the rule speak about this offer? */
bool gl_judge_applies(const struct gl_judge *judge, const struct gl_rule *rule,
                      const struct gl_offer *offer);
/* Does a failure of the rule count at the instant of the case? */
bool gl_judge_binds(const struct gl_judge *judge, const struct gl_rule *rule);
/* Is there no pattern, or one that the name (NULL = "") fits? */
bool gl_globs_match(const char *const *globs, const char *name);
/* What a limit of a rule that may not even speak of the offer found broken is unknown. */
void gl_judge_doubt(const struct gl_judge *judge, const struct gl_rule *rule,
                    const struct gl_offer *offer, struct gl_tested *tested);
/* False when the constraint only says how others are judged. on_unknown and waivers are applied. */
bool gl_judge_test(struct gl_judge *judge, const struct gl_rule_plan *plan,
                   const struct gl_offer *offer, const struct gl_constraint *constraint,
                   struct gl_tested *out);
/* The two halves of it: what is found, and what waivers make of a violation. */
void gl_judge_look(struct gl_judge *judge, const struct gl_rule_plan *plan,
                   const struct gl_offer *offer, const struct gl_constraint *constraint,
                   struct gl_tested *out);
void gl_judge_waive(struct gl_judge *judge, const struct gl_rule_plan *plan,
                    const struct gl_offer *offer, const struct gl_constraint *constraint,
                    struct gl_tested *tested);
/* Does the constraint test anything, or only say how others are judged? */
bool gl_judge_is_test(const struct gl_rule_plan *plan, const struct gl_constraint *constraint);
/* gl_judge_test() of a limit, remembered for the place; valid until another. *own is storage. */
const struct gl_tested *gl_judge_limit(struct gl_judge *judge, const struct gl_rule_plan *plan,
                                       struct gl_limit *limit, const struct gl_offer *offer,
                                       struct gl_tested *own);
/* Judgements but is_pareto of the offers from `first` on that share its place, those not asked
 * about among them. Returns where the next place begins. */
size_t gl_judge_run(struct gl_judge *judge, size_t first, struct gl_judgement *judgements);
/* That of one offer whatever the request asks for; and the grams that is_brief left out of it. */
void gl_judge_offer(struct gl_judge *judge, uint32_t index, struct gl_judgement *out);
void gl_judge_bounds(struct gl_judge *judge, struct gl_judgement *judgement);
/* The remembered figure of a zone for needs[need] in the present case. */
const struct gl_figure *gl_judge_figure(struct gl_judge *judge, const struct gl_zone_facts *zone,
                                        uint32_t need);
double gl_judge_load(const struct gl_request *request); /* as asked for, 0 to 1 */
/* Watts of all asked instances at the asked load, with PUE. False when the offer does not say. */
bool gl_judge_watts(const struct gl_judge *judge, const struct gl_offer *offer,
                    struct gl_band *out);
bool gl_request_watts(const struct gl_request *request, const struct gl_offer *offer,
                      struct gl_band *out);
/* The same for as many as the rule counts; rule NULL = as many as are reported. */
bool gl_judge_watts_of(const struct gl_judge *judge, const struct gl_rule *rule,
                       const struct gl_offer *offer, struct gl_band *out);
/* How many that is; GL_UNKNOWN when a plan does not say. */
int64_t gl_judge_count(const struct gl_judge *judge, const struct gl_rule *rule);
/* Figure used for reporting: the worse of disputed zones, GL_UNKNOWN if any is unknown. */
enum gl_part { GL_PART_LOW, GL_PART_CENTRAL, GL_PART_HIGH };
int64_t gl_judge_report(struct gl_judge *judge, const struct gl_offer *offer,
                        enum gl_quantity quantity, enum gl_part part);

/* Is the key judged by evidence of the zone, so that another start or duration may change it? By
 * zones, region and country alone, whatever the type? */
bool gl_key_is_timely(enum gl_key_id key);
bool gl_key_is_of_place(enum gl_key_id key);
/* Is it a bound of a zone figure at every instant of the run? */
bool gl_key_bounds_run(enum gl_key_id key, enum gl_quantity *out_quantity);
/* Is it a limit on a number, and one from below? */
bool gl_key_is_number(enum gl_key_id key);
bool gl_key_is_floor(enum gl_key_id key);
/* Nearest alternatives into decision->alternatives; name_rank[] orders those of equal worth. */
void gl_alternatives_find(struct gl_judge *judge, const uint32_t *name_rank,
                          struct gl_decision *decision);

/* SHA-256 of policy digest, request, clock, sort and every judgement, and each offer's rank by
 * name (ties by content) into out_name_rank[question->offer_count]. */
void gl_decision_digest(const struct gl_question *question, struct gl_decision *decision,
                        uint32_t *out_name_rank);

#endif
