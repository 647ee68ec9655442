/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_DECIDE_H
#define GL_POLICY_DECIDE_H

/* The one evaluator: policy + request + offers + a clock reading -> decision. Pure and
 * deterministic: the same input gives the same bytes, whatever the order of offers. Three-valued:
 * missing, stale, contradictory, suspect or below-grade evidence is unknown and never satisfies. */

#include "policy/policy.h"

enum gl_outcome { GL_SATISFIED, GL_VIOLATED, GL_OUTCOME_UNKNOWN, GL_NOT_ASKED };
enum gl_verdict { GL_ALLOW, GL_LATER, GL_REFUSE, GL_VERDICT_UNKNOWN };

/* Why evidence was not usable; NONE when it was. */
enum gl_gap {
    GL_GAP_NONE,
    GL_GAP_MISSING,
    GL_GAP_STALE,
    GL_GAP_GRADE,
    GL_GAP_COVERAGE,
    GL_GAP_SUSPECT,
    GL_GAP_MEANING,
    GL_GAP_FUTURE,
    GL_GAP_NO_BOUND,
    GL_GAP_CONFLICT,
    GL_GAP_NOT_HOURLY,
    GL_GAP_PRICE,
    GL_GAP_POWER,
    GL_GAP_MARKET,
    GL_GAP_ISSUES,
    GL_GAP_HORIZON,
    GL_GAP_PLACE,
    GL_GAP_TYPE,
    GL_GAP_COUNT,
    GL_GAP_BUDGET,
};
const char *gl_gap_sentence(enum gl_gap gap);

/* A figure taken from evidence over an interval: the worst of each bound, the mean of the value. */
struct gl_figure {
    int64_t value_u, low_u, high_u; /* GL_UNKNOWN if not known */
    enum gl_grade grade;
    const struct gl_series *series; /* where from; NULL = unknown */
    int64_t age_s;                  /* of the evidence at the decision; GL_UNKNOWN */
    enum gl_gap gap;
};

/* What evidence must be to be used. */
struct gl_figure_limits {
    struct gl_instant now;
    struct gl_span max_age; /* of live and forecast evidence; 0 = 3 h, forecasts 26 h */
    enum gl_grade min_grade;
    bool needs_hourly; /* yearly averages never grant a duration */
    bool wants_best;   /* the best grade, bounds or not: for what is reported, never for a rule */
};

struct gl_reason {
    enum gl_outcome outcome;
    enum gl_gap gap;
    const struct gl_rule *rule; /* NULL when the request itself filtered it out */
    const struct gl_constraint *constraint;
    int64_t found_u;                /* what was found; GL_UNKNOWN */
    const struct gl_waiver *waiver; /* applied, or expired when outcome is violated */
};

/* One offer judged. */
struct gl_judgement {
    uint32_t offer;          /* index */
    enum gl_outcome outcome; /* GL_NOT_ASKED: outside the request's size or place */
    bool has_warning;        /* unknown admitted by on_unknown, or advisory violated, or waived */
    bool is_pareto;          /* no other allowed offer is better in grams and price at once */
    uint8_t grade;           /* worst grade the outcome rests on */
    struct gl_reason reason; /* the deciding one */
    float grams_per_h[3], grams_total[3]; /* low, central, high; NaN never: < 0 = unknown */
};

/* A nearest alternative to a refusal. */
enum gl_alternative_kind { GL_ALT_PLACE, GL_ALT_TIME, GL_ALT_SIZE, GL_ALT_LOOSER };
struct gl_alternative {
    enum gl_alternative_kind kind;
    uint32_t offer;                         /* index in the offers */
    struct gl_instant start;                /* TIME */
    struct gl_span duration;                /* SIZE/TIME: what would fit */
    const struct gl_constraint *constraint; /* LOOSER: which limit */
    int64_t needed_u;                       /* LOOSER: the limit that would allow `offer` */
};

enum gl_sort { GL_SORT_CARBON, GL_SORT_PRICE, GL_SORT_INTENSITY, GL_SORT_RENEWABLE };

struct gl_decision {
    enum gl_verdict verdict;
    struct gl_instant at; /* the clock reading it used */
    size_t judged;        /* judgements[], index = offer index */
    struct gl_judgement *judgements;
    size_t allowed;   /* ranked[0..allowed) are the allowed ones, best first, */
    uint32_t *ranked; /* then unknown, then violated; not-asked ones are left out */
    size_t unknown, violated, not_asked;
    struct gl_alternative alternatives[8];
    size_t alternative_count;
    struct gl_hash digest; /* of policy digest, request, clock and every judgement */
};

struct gl_book;

struct gl_question {
    const struct gl_policy *policy;
    const struct gl_request *request;
    const struct gl_offer *offers;
    size_t offer_count;
    struct gl_instant now;
    enum gl_sort sort;
    bool has_no_digest; /* leave out the digest: for a table of 20,000 it is half the time */
    const struct gl_book *book; /* promises of rules with `confidence`; NULL = none at hand */
    /* So many of ranked[] are enough: the rest stays unset, and without a digest the grams of other
     * offers have no low and high; 0 = all. */
    size_t ranked_wanted;
    enum gl_gate gate; /* where it is asked */
    /* The caller asks the accounts of `budget` itself (the launch journal, the whole plan of a
     * hook); false: a rule with a budget's limit is unknown. */
    bool keeps_accounts;
    /* Of rules that do not say; and the least strict that any rule is judged by. */
    enum gl_count_basis count_basis, count_basis_least;
};

struct gl_decision *gl_decide(const struct gl_question *question);
void gl_decision_free(struct gl_decision *decision);

/* One offer alone against every rule: all reasons, in rule order. Returns how many were written. */
size_t gl_judge_all(const struct gl_question *question, uint32_t offer, struct gl_reason *out,
                    size_t capacity);

/* The judgement of one offer as gl_decide() gives it, is_pareto aside, whatever the request asks
 * for: without looking at another. */
void gl_judge_one(const struct gl_question *question, uint32_t offer, struct gl_judgement *out);
/* Does a failure of the rule count where and when the question is asked? */
bool gl_rule_binds(const struct gl_question *question, const struct gl_rule *rule);
/* Does the rule speak of an offer? MAYBE where what it matches by is not known of it: what such a
 * rule finds broken is unknown. */
enum gl_scope { GL_SCOPE_NO, GL_SCOPE_MAYBE, GL_SCOPE_YES };
enum gl_scope gl_rule_scope(const struct gl_rule *rule, const struct gl_request *request,
                            const struct gl_offer *offer);
/* Does it allow anything that its rule does not? Not when its cap is no looser than the one limit
 * of the rule. */
bool gl_waiver_loosens(const struct gl_policy *policy, const struct gl_waiver *waiver);
/* Does the waiver name what is asked about? */
bool gl_waiver_names(const struct gl_waiver *waiver, const struct gl_request *request,
                     const struct gl_offer *offer);
/* By which basis the rule counts; rule NULL = what is reported. */
enum gl_count_basis gl_rule_count_basis(const struct gl_question *question,
                                        const struct gl_rule *rule);

/* The figure a rule set would use for `quantity` of one zone over [from, until), taking the first
 * usable series of the zone. `want` gives rate, boundary, accounting; share_of 0 = any. */
struct gl_figure gl_figure_of(const struct gl_zone_facts *zone, const struct gl_meaning *want,
                              struct gl_instant from, struct gl_instant until,
                              const struct gl_figure_limits *limits);

/* One sentence for a reason: "renewable share 61 % is below 95 % (policy.yaml:12)". */
void gl_reason_text(const struct gl_reason *reason, struct gl_str *out);
const char *gl_verdict_word(enum gl_verdict verdict); /* "allow" "later" "refuse" "unknown" */
const char *gl_outcome_word(enum gl_outcome outcome);

#endif
