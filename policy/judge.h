/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_JUDGE_H
#define GL_POLICY_JUDGE_H

/* Inside the evaluator only: one offer against the rules. Figures are looked up once per zone, need
 * and interval and remembered, so that thousands of offers of one region cost one walk over its
 * series. Allocates nothing per offer. */

#include "policy/decide.h"

#define GL_WORST_INTENSITY_U INT64_C(3000000000)   /* 3,000 g/kWh: no grid is dirtier */
#define GL_MOST_SHARE_U      INT64_C(1500000)      /* 150 %: exports count in shares of load */
#define GL_FAR_S             INT64_C(253402300800) /* the year 10000 */

/* What evidence a limit needs: equal needs share their figures. */
struct gl_need {
    struct gl_meaning want;
    enum gl_grade min_grade;
    int64_t max_age_s; /* 0 = built-in */
    bool needs_hourly;
    int64_t length_s; /* 0 = the asked duration */
};

/* One rule, made ready: indices into needs[] by quantity. */
struct gl_rule_plan {
    const struct gl_rule *rule;
    const struct gl_constraint *green_for; /* NULL = none */
    bool has_limit;                        /* any key that looks at evidence of the zone */
    bool has_waivers;
    uint32_t run_needs[GL_QUANTITIES], green_needs[GL_QUANTITIES];
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
/* Bit i: the points of series i are ordered and apart (the first 64 series). One look at every
 * point, so that looking up many intervals need not repeat it. */
uint64_t gl_figure_sound(const struct gl_zone_facts *zone);

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

struct gl_judge {
    const struct gl_question *question;
    struct gl_rule_plan *plans;
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

/* One constraint of one rule tested. */
struct gl_tested {
    struct gl_reason reason;
    enum gl_grade grade; /* of the evidence, if has_evidence */
    bool has_evidence;
    bool has_warning; /* unknown admitted, or waived */
};

void gl_judge_init(struct gl_judge *judge, const struct gl_question *question);
void gl_judge_done(struct gl_judge *judge);
void gl_judge_set_case(struct gl_judge *judge, struct gl_instant start, struct gl_span duration,
                       bool is_strict);

/* Is the offer within the request's filters? `with_place` false leaves out clouds and regions. */
bool gl_judge_asks(const struct gl_request *request, const struct gl_offer *offer, bool with_place);
/* Does the rule speak about this offer? */
bool gl_judge_applies(const struct gl_judge *judge, const struct gl_rule *rule,
                      const struct gl_offer *offer);
/* Does a failure of the rule count at the instant of the case? */
bool gl_judge_binds(const struct gl_judge *judge, const struct gl_rule *rule);
/* Does the waiver's target name this offer? */
bool gl_judge_is_target(const struct gl_waiver *waiver, const struct gl_offer *offer);
/* False when the constraint only says how others are judged. on_unknown and waivers are applied. */
bool gl_judge_test(struct gl_judge *judge, const struct gl_rule_plan *plan,
                   const struct gl_offer *offer, const struct gl_constraint *constraint,
                   struct gl_tested *out);
/* The whole judgement but is_pareto. */
void gl_judge_offer(struct gl_judge *judge, uint32_t index, struct gl_judgement *out);
/* The remembered figure of a zone for needs[need] in the present case. */
const struct gl_figure *gl_judge_figure(struct gl_judge *judge, const struct gl_zone_facts *zone,
                                        uint32_t need);
/* Watts of all asked instances at the asked load, with PUE. False when the offer does not say. */
bool gl_judge_watts(const struct gl_judge *judge, const struct gl_offer *offer,
                    struct gl_band *out);
/* Central figure used for reporting: the worse of disputed zones, GL_UNKNOWN if any is unknown. */
int64_t gl_judge_report(struct gl_judge *judge, const struct gl_offer *offer,
                        enum gl_quantity quantity);

/* Is the key judged by evidence of the zone, so that another start or duration may change it? */
bool gl_key_is_timely(enum gl_key_id key);
/* Is it a limit on a number, and one from below? */
bool gl_key_is_number(enum gl_key_id key);
bool gl_key_is_floor(enum gl_key_id key);

/* Nearest alternatives into decision->alternatives. name_rank[] orders offers of
 * equal worth by name, the same whatever the order of the offers. */
void gl_alternatives_find(struct gl_judge *judge, const uint32_t *name_rank,
                          struct gl_decision *decision);

/* What offers are ranked by: smaller is better, unknown is infinite. */
struct gl_rank {
    double first, second;
    uint32_t name_rank, offer;
    uint8_t group; /* allowed, unknown, violated */
};
struct gl_rank gl_rank_of(struct gl_judge *judge, const struct gl_judgement *judgement,
                          uint32_t name_rank);
int gl_rank_compare(const void *a, const void *b);

/* SHA-256 of policy digest, request, clock, sort and every judgement, and each offer's rank by
 * name (ties by content) into out_name_rank[question->offer_count]. */
void gl_decision_digest(const struct gl_question *question, struct gl_decision *decision,
                        uint32_t *out_name_rank);

#endif
