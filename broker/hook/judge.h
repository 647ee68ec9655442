/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_JUDGE_H
#define GL_BROKER_HOOK_JUDGE_H

/* Plans, a policy and what is known of the world to one report, by the same evaluator as every
 * launch. Pure: reads no file, clock or network; the same plans give the same report whatever the
 * order of their resources. Intents of one kind (cloud, machine, place, number, rules that speak of
 * them) are judged once. */

#include "broker/hook/baseline.h"
#include "broker/hook/report.h"

#define GL_HOOK_MONTH_H 730.5 /* hours of a month, as "per month" means in policies */

/* A place that plans name, as they write it: a hall of a region is judged as its region. */
struct gl_hook_place {
    const char *cloud, *region;
    struct gl_offer_place is; /* gl_offers_place() */
};

/* What an account has left in its window. */
struct gl_hook_left {
    char account[256];
    int64_t ug, u_usd; /* GL_UNKNOWN: not limited */
    double hours;      /* until the window ends; of a sliding one all of it */
};

struct gl_hook_ask {
    const struct gl_hook_plan *const *plans;
    size_t plan_count;
    const struct gl_policy *policy;
    const struct gl_book *book; /* NULL = no promises at hand */
    /* Of the machine types of the plans and their families, in all regions of their clouds. */
    const struct gl_offer *offers;
    size_t offer_count;
    const struct gl_hook_place *places;
    size_t place_count;
    struct gl_instant now;
    struct gl_span duration; /* over which the rules must hold; a shorter one of an intent counts */
    double load;             /* expected, 0..1 */
    enum gl_gate gate;
    enum gl_count_basis count_basis, count_basis_least; /* as in gl_question */
    const struct gl_hook_baseline *baseline;            /* NULL = none */
    bool is_demo, is_offline, is_advisory;
    bool has_no_digest; /* nobody reads the report's digests, nor fingerprints */
    /* What the account of a rule with a budget's limit has left, for a resource of these tags; not
     * 0 when that cannot be told. NULL: nothing keeps accounts, and such rules are unknown. */
    int (*left)(void *cookie, const struct gl_rule *rule, const char *const *tags,
                struct gl_hook_left *out);
    void *left_cookie;
    /* The same of the tree of accounts that launches are charged to, level by level from the top: 1
     * where nothing limits the account there. */
    size_t tree_levels; /* 0 = no account is limited */
    int (*tree_left)(void *cookie, size_t level, const char *const *tags, struct gl_hook_left *out);
    void *tree_cookie;
    /* Where what is found is shown; *place stands for the plan and is changed when a better one is
     * known. Its texts must outlive the report. `intent` NULL = the whole change. NULL = none. */
    void (*locate)(void *cookie, const struct gl_hook_plan *plan, const struct gl_intent *intent,
                   struct gl_source_place *place);
    void *locate_cookie;
};

/* Never NULL; borrows plans and policy. Free with gl_hook_report_free(). */
struct gl_hook_report *gl_hook_judge(const struct gl_hook_ask *ask);
void gl_hook_report_free(struct gl_hook_report *report);
/* Over the intents of its plans in normal form. */
void gl_hook_digest_facts(const struct gl_hook_report *report, struct gl_hash *out);

/* The report as the envelope's "data" (docs/hook.md). New reference. */
json_t *gl_hook_report_json(const struct gl_hook_report *report);

/* "m7g.*": the types of one family as a pattern, into out. False when the type has no size in its
 * name. */
#define GL_HOOK_FAMILY 128
bool gl_hook_family(const char *cloud, const char *type, char out[GL_HOOK_FAMILY]);
/* May the text stand in a request, where patterns are looked for? */
bool gl_hook_is_plain(const char *text);

#endif
