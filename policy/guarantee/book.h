/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_BOOK_H
#define GL_POLICY_BOOK_H

/* The promises that a policy could be given now: every rule with a limit on the grid's figures, in
 * every zone whose history is at hand, by the engine of guarantee.h. The judge looks promises up
 * here, the commands print them, the guard issues them again. Pure: what was learnt before comes in
 * and goes out through callbacks. */

#include "policy/decide.h"
#include "policy/guarantee/ensemble.h"
#include "policy/guarantee/guarantee.h"

/* Changed whenever the engine learns differently: what older ones learnt is then learnt anew. */
#define GL_BOOK_ENGINE      1
#define GL_BOOK_HORIZON_H   48
#define GL_BOOK_PROBABILITY 0.9 /* of rules that ask for none */

/* The learnt state of one rule on one set of histories; `key` names both and the engine. `load`
 * fills `bytes` and says true only with exactly `size` of them. */
struct gl_book_memory {
    void *cookie;
    bool (*load)(void *cookie, const struct gl_hash *key, void *bytes, size_t size);
    void (*save)(void *cookie, const struct gl_hash *key, const void *bytes, size_t size);
};

struct gl_book_ask {
    const struct gl_policy *policy;
    const struct gl_zone_facts *const *zones; /* with histories; others are passed over */
    size_t zone_count;
    struct gl_instant now;
    struct gl_span run;                  /* asked duration, for rules with `confidence` */
    bool wants_later;                    /* later starts of rules without `confidence` too */
    double probability;                  /* of rules without it */
    uint32_t horizon_h;                  /* 0 = GL_BOOK_HORIZON_H */
    const struct gl_book_memory *memory; /* NULL or without functions = learn anew each time */
};

/* From which later whole hours on the asked run would be promised, if today's forecast and its past
 * errors were all that is known then: what begins later is promised when it begins. The same rule,
 * probability and learnt level as a promise of just that length from now. */
struct gl_later {
    bool is_known;     /* false: not looked for, or nothing can be said */
    uint32_t run_h;    /* whole hours of the run */
    uint32_t within_h; /* starts before so many hours fit into what is forecast */
    uint64_t starts;   /* bit h: the run that begins h hours after the hour of now; never bit 0 */
    uint32_t paths;    /* past issues it rests on */
    uint16_t kept[GL_BOOK_HORIZON_H]; /* of these, those that keep the run from hour h on */
};

struct gl_book_entry {
    const struct gl_rule *rule;
    const struct gl_zone_facts *zone;
    struct gl_guarantee_rule legs;
    int64_t limit_u[GL_GUARANTEE_MAX_LEGS];                  /* as the policy says it */
    const struct gl_history *history[GL_GUARANTEE_MAX_LEGS]; /* of each leg */
    bool is_ready; /* false: a leg has no history of that meaning; no promise was looked for */
    struct gl_promise promise;
    bool is_run_promised; /* the asked run, from now; also of rules without `confidence`, when later
                             starts were wanted */
    struct gl_later later;
};

struct gl_book {
    size_t count;
    const struct gl_book_entry *entries; /* by rule, then by zone, both in the order given */
};

/* In the arena; borrows policy, zones and histories. */
const struct gl_book *gl_book_make(struct gl_arena *arena, const struct gl_book_ask *ask);
/* NULL when the rule has no limit on the grid, or the zone no history. */
const struct gl_book_entry *gl_book_find(const struct gl_book *book, const struct gl_rule *rule,
                                         const struct gl_zone_facts *zone);

/* The legs of one rule and the histories they are judged on; false (and *out half filled) when a
 * leg has none or there is no leg. For settling a promise later. */
bool gl_book_legs(const struct gl_rule *rule, const struct gl_zone_facts *zone,
                  struct gl_book_entry *out);
/* Why nothing can be said of a promise; NONE when it can (also that there is none). */
enum gl_gap gl_book_gap(const struct gl_book_entry *entry, const struct gl_rule *rule,
                        struct gl_instant now);
/* Would the asked run be promised from `start` on? Of a later start only at whole hours. */
bool gl_book_starts_at(const struct gl_book_entry *entry, struct gl_instant now,
                       struct gl_instant start);
/* Seconds of Unix time until which the promise holds; GL_UNKNOWN when nothing is promised. */
int64_t gl_promise_until(const struct gl_promise *promise);

/* The futures of the histories (same order) over `hours` from now, for planning; 0 paths when too
 * few issues are settled. In the arena. */
size_t gl_book_futures(struct gl_arena *arena, const struct gl_history *const *histories,
                       size_t count, struct gl_instant now, uint32_t hours,
                       struct gl_ensemble *out);

#endif
