/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_REPORT_H
#define GL_BROKER_HOOK_REPORT_H

/* Plans judged: what every output format of the hook is made from, and nothing else. One
 * evaluation, any number of renderings. */

#include "base/json.h"
#include "broker/hook/intent.h"
#include "policy/decide.h"

/* What became of one intent under one rule, or under the request itself (rule NULL). */
enum gl_finding_state {
    GL_FINDING_PASSED,
    GL_FINDING_BROKEN,
    GL_FINDING_UNKNOWN,
    GL_FINDING_WARNED, /* broken or unknown, but the level or on_unknown lets it pass */
    GL_FINDING_WAIVED,
    GL_FINDING_KNOWN, /* in the baseline, and not worse */
};
const char *gl_finding_word(enum gl_finding_state state); /* "passed" "broken" ... */

/* Where a finding is shown: the block in a .tf file when it was found, else the plan. */
struct gl_source_place {
    const char *file; /* relative; never NULL */
    uint32_t line;    /* 1-based; 1 when only the plan is known */
    bool is_sure;     /* false: the plan itself stands for it */
};

/* What a change would take of an account, and what is left of it: emissions in micrograms, money in
 * millionths of a dollar, until the window ends. */
struct gl_hook_short {
    const char *account;
    bool is_money;
    int64_t left, taken; /* taken GL_UNKNOWN: not known of all resources */
};

/* Stands for the budgets of the accounts that launches are charged to, beside the rules. */
extern const struct gl_rule gl_hook_budgets;

/* Of one machine, the largest it may be; GL_UNKNOWN. */
struct gl_hook_size {
    int64_t vcpus, gpus;
};

struct gl_hook_finding {
    const struct gl_intent *intent; /* NULL: the plan as a whole (budget) */
    const struct gl_hook_plan *plan;
    const struct gl_rule *rule; /* NULL: no rule, the intent could not be judged */
    enum gl_finding_state state;
    struct gl_reason reason;
    const char *message;    /* one sentence, foreign text already printable */
    const char *rule_place; /* "policy.yaml:12" or "--renewable-only" */
    int64_t count;          /* of machines, as judged; GL_UNKNOWN */
    struct gl_hook_size size;
    const struct gl_hook_short *shorts; /* of budgets: accounts without room */
    size_t short_count;
    char fingerprint[33]; /* hex of a hash over rule id, cloud, address; stable between runs */
    struct gl_source_place at;
};

/* The nearest change that would be allowed. */
struct gl_remedy {
    enum gl_alternative_kind kind;
    const char *region, *cloud;  /* PLACE */
    const char *type;            /* SIZE: a type of the same family and fewer grams, or PLACE */
    struct gl_instant start;     /* TIME */
    double saved_g_per_month[3]; /* low, central, high against as planned; NAN = unknown */
    double extra_usd_per_month;  /* negative saves; NAN = unknown */
    const char *sentence;        /* "in eu-north-1: -12 kgCO2e and +3 USD a month" */
};

struct gl_judged {
    const struct gl_intent *intent;
    const struct gl_hook_plan *plan;
    enum gl_verdict verdict;
    struct gl_figure intensity;   /* of the worst place and the judged time; value GL_UNKNOWN */
    double grams_per_h[3];        /* of all machines at the judged count; NAN = unknown */
    double grams_per_h_before[3]; /* of what runs now; 0 for a new one; NAN = unknown */
    double usd_per_h;             /* NAN = unknown */
    int64_t count;                /* judged, by count_basis; GL_UNKNOWN */
    struct gl_hook_size size;
    const struct gl_remedy *remedies; /* shared by intents that were judged alike */
    size_t remedy_count;
    struct gl_source_place at;
};

struct gl_hook_report {
    enum gl_verdict verdict;
    int exit;             /* of exit.def, before --advisory */
    const char *headline; /* "refused: 2 of 7 launches break a rule" */
    struct gl_instant at;
    bool is_demo, is_offline, is_advisory;
    const char *point; /* "plan" "apply" "admission" "run-task" */
    const struct gl_policy *policy;
    /* Zeros when the question said that nobody reads them. */
    struct gl_hash facts_digest; /* gl_hook_digest_facts() */
    struct gl_hash digest;       /* over policy, facts, clock and every judgement */
    const struct gl_hook_plan *const *plans;
    size_t plan_count;
    const struct gl_judged *judged; /* launches, and opaque ones a rule asks for: worst first, then
                                     * by address */
    size_t judged_count;
    const struct gl_hook_finding *findings; /* worst first, then by address and rule; one an intent
                                             * and rule; what passed is not among them */
    size_t finding_count;
    double grams_per_month[3], delta_grams_per_month[3]; /* of the launches; NAN = unknown */
    double usd_per_month, delta_usd_per_month; /* by prices of the catalogue; NAN = unknown */
    /* coverage; launches: without opaque ones that no rule asks for */
    size_t resources, launches, context, skipped, unmapped, opaque, unknown_region, unknown_machine,
        unknown_count;
    const char *const *unmapped_types, *const *opaque_addresses;
    /* what let something pass */
    size_t waived, known, warned, baseline_size, baseline_gone;
    const char *const *unused_rules, *const *waivers_applied, *const *waivers_expiring,
                                                                  *const *waivers_unused;
    const char *const *sources; /* "yearly table: electricity of 2024, grade D" */
    const char *const *notes;
    json_t *next; /* array of {"argv":[...],"why"}; borrowed; NULL = none */
    void *memory; /* of whoever made it: gl_hook_report_free() */
};

/* The contract of output formats: one row a format, in gl_hook_outputs(). Pure: same report, same
 * bytes. Names in a report come from whoever opened the pull request: each format escapes them. */
struct gl_hook_output {
    const char *name; /* "sarif": the word of --output */
    const char *what; /* "SARIF 2.1.0, for code scanning" */
    void (*render)(const struct gl_hook_report *report, unsigned columns, struct gl_str *out);
    bool is_document; /* says itself that it is a demonstration; no mark may stand before a line */
    bool shows_digests; /* or fingerprints: they are not worked out otherwise */
};
const struct gl_hook_output *gl_hook_outputs(size_t *out_count); /* broker/hook/outputs.c */
const struct gl_hook_output *gl_hook_output_named(const char *name);

#endif
