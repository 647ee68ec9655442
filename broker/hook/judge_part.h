/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_JUDGE_PART_H
#define GL_BROKER_HOOK_JUDGE_PART_H

/* Inside the judge of plans only. */

#include "broker/hook/judge.h"
#include "broker/hook/keyset.h"
#include "broker/render/decision.h"

#define GL_HOOK_VARIANTS 64 /* alternatives of machine and place of one intent that are judged */

/* Grams an hour of one machine of an offer, worked out on first use. */
struct gl_hook_rate {
    bool is_known_yet;
    double grams[3]; /* NAN = unknown */
};

/* The offer of a machine in a place, by the texts' addresses: plans hold equal texts once. */
#define GL_HOOK_RECENT 64
struct gl_hook_recent {
    const char *cloud, *type, *region; /* cloud NULL = free */
    uint32_t offer;
};

/* What a rule came to for a kind of intent. */
struct gl_hook_result {
    const struct gl_rule *rule; /* NULL: could not be judged at all */
    enum gl_finding_state state;
    struct gl_reason reason;
    const char *message, *place;
    const struct gl_hook_short *shorts; /* of budgets */
    size_t short_count;
};

/* Intents that are judged alike. */
struct gl_hook_kind {
    enum gl_verdict verdict;
    struct gl_hook_result *results; /* what did not pass */
    size_t result_count;
    struct gl_figure intensity;
    double grams[3], usd; /* an hour; NAN = unknown */
    int64_t count;
    struct gl_hook_size size;
    struct gl_remedy *remedies;
    size_t remedy_count;
};

struct gl_hook_judge {
    const struct gl_hook_ask *ask;
    struct gl_arena *arena; /* of the report */
    struct gl_offer *offers;
    struct gl_hook_rate *rates;
    size_t offer_count, offer_capacity;
    struct gl_keyset offer_keys, place_keys, type_keys, kind_keys;
    struct gl_str key;      /* the one being made */
    uint32_t *type_samples; /* by number of type_keys: an offer of that type */
    uint32_t *key_offers;   /* by number of offer_keys */
    size_t key_capacity;
    struct gl_hook_recent recent[GL_HOOK_RECENT];
    struct gl_hook_kind **kinds; /* by number of kind_keys */
    bool *is_rule_used, *is_waiver_used;
};

/* One way an intent may come out: a machine in a place. */
struct gl_hook_case {
    const struct gl_intent *intent;
    const struct gl_hook_plan *plan;
    uint32_t offer;
    struct gl_subject subject;
    struct gl_request request;
    const char *clouds[2], *regions[2], *types[2];
};

void gl_hook_judge_open(struct gl_hook_judge *judge, const struct gl_hook_ask *ask,
                        struct gl_arena *arena);
void gl_hook_judge_close(struct gl_hook_judge *judge);

/* The offers that a machine in a place may be, at most GL_HOOK_VARIANTS; at least one. */
size_t gl_hook_variants(struct gl_hook_judge *judge, const struct gl_intent *intent,
                        const struct gl_intent_machine *machine,
                        const struct gl_intent_place *place, uint32_t out[GL_HOOK_VARIANTS]);
/* Numbers by basis; vCPUs become machines of `vcpus` each. */
void gl_hook_counts(const struct gl_intent_count *count, uint32_t vcpus,
                    int64_t out[GL_COUNT_BASES]);
/* The request of one case; it points into *out, which must stay where it is. */
void gl_hook_case_of(const struct gl_hook_judge *judge, const struct gl_intent *intent,
                     const struct gl_hook_plan *plan, uint32_t offer, struct gl_hook_case *out);
/* The question about that case and, from `offers` on, what else there is. */
struct gl_question gl_hook_question(const struct gl_hook_judge *judge,
                                    const struct gl_hook_case *one, const struct gl_offer *offers,
                                    size_t count);
/* Grams an hour of one machine, the most of all variants in each part. */
void gl_hook_rate_of(struct gl_hook_judge *judge, const uint32_t *variants, size_t count,
                     double out[3]);

/* The judgement of an intent. */
const struct gl_hook_kind *gl_hook_kind_of(struct gl_hook_judge *judge,
                                           const struct gl_intent *intent,
                                           const struct gl_hook_plan *plan);
/* What would be allowed near it, from a refused case. */
void gl_hook_remedies(struct gl_hook_judge *judge, const struct gl_hook_case *one,
                      struct gl_hook_kind *kind);
/* "policy.yaml:12", in the arena. */
const char *gl_hook_rule_place(struct gl_arena *arena, const struct gl_rule *rule,
                               const struct gl_constraint *constraint);
/* In the arena; printable. */
const char *gl_hook_text(struct gl_arena *arena, const struct gl_str *text);

/* What a plan changes, an hour: grams, and USD by the catalogue's prices; NAN = unknown. */
struct gl_hook_change {
    double after[3], before[3];
    double usd_after, usd_before;
};
/* Of one intent; what is deleted or shrunk has less after, what is forgotten has the same. */
void gl_hook_change_of(struct gl_hook_judge *judge, const struct gl_intent *intent,
                       const struct gl_hook_plan *plan, struct gl_hook_change *out);
/* After minus before, low to high; of one place part by part, of two the widest. */
void gl_hook_delta_of(const struct gl_intent *intent, const struct gl_hook_change *change,
                      double out[3]);
/* The same in USD; NAN when a price of either side is not known. */
double gl_hook_usd_delta(const struct gl_intent *intent, const struct gl_hook_change *change);
/* What rules on the whole change come to: at most one result a rule; returns how many. `out` has
 * room for one a rule. */
size_t gl_hook_increases(struct gl_hook_judge *judge, struct gl_hook_result *out);

/* What rules with a budget's limit, and the accounts of launches, come to over all plans: at most
 * one result a rule, and one more (account.c). */
size_t gl_hook_accounts(struct gl_hook_judge *judge, struct gl_hook_result *out);
/* Does it stand for machines of its own? */
bool gl_hook_is_counted(const struct gl_intent *intent);
/* The result of a reason that is not satisfied, unless a broken one is there already. */
void gl_hook_admit(const struct gl_hook_judge *judge, const struct gl_reason *reason,
                   struct gl_hook_result *out);

/* By address, then by all that facts are made of: no two different ones are equal. */
int gl_hook_compare_intents(const struct gl_intent *a, const struct gl_intent *b);
/* The digest of a report that is otherwise complete. */
void gl_hook_digest_judgement(const struct gl_hook_ask *ask, struct gl_hook_report *report);

/* Types that are in no mapping; before the verdict is worded. */
void gl_hook_tell_unmapped(const struct gl_hook_judge *judge, struct gl_hook_report *report);
/* Notes, waivers, sources, rules without use. */
void gl_hook_tell(const struct gl_hook_judge *judge, const struct gl_render_sources *sources,
                  struct gl_hook_report *report);

/* NULL-terminated texts of the arena. */
struct gl_hook_texts {
    const char **items;
    size_t count;
};
void gl_hook_texts_add(struct gl_arena *arena, struct gl_hook_texts *texts, const char *text);
const char *const *gl_hook_texts_end(struct gl_arena *arena, struct gl_hook_texts *texts);

#endif
