/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_BOOK_H
#define GL_POLICY_BOOK_H

/* The promises that a policy could be given now: every rule with a limit on the grid's figures, in
 * every zone whose history is at hand, by the engine of guarantee.h. A limit on grams (max_rate,
 * max_total) is one on the intensity, or on its sum over the run, once the watts of an offer are
 * known: such a rule has an entry for every power that the offers of a zone draw. The judge looks
 * promises up here, the commands print them, the guard issues them again. Pure: what was learnt
 * before comes in and goes out through callbacks. */

#include "policy/decide.h"
#include "policy/guarantee/ensemble.h"
#include "policy/guarantee/guarantee.h"

/* Changed whenever the engine learns differently: what older ones learnt is then learnt anew. */
#define GL_BOOK_ENGINE      5
#define GL_BOOK_HORIZON_H   48
#define GL_BOOK_PROBABILITY 0.9 /* of rules that ask for none */
#define GL_BOOK_POWERS      16  /* of one rule in one zone; a power between two takes the higher */
#define GL_BOOK_POWERS_ALL  128 /* of one rule in all zones, but at least one in each */

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
    /* Whose watts limits on grams are divided by; without offers such limits are not promised. */
    const struct gl_request *request;
    const struct gl_offer *offers;
    size_t offer_count;
};

/* What a limit on grams is asked about: all asked instances of an offer at the asked load. */
struct gl_book_load {
    const struct gl_request *request;
    const struct gl_offer *offer;
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
    double kw; /* that limits on grams were divided by, with PUE, the upper bound; 0 = has none */
    int64_t limit_u[GL_GUARANTEE_MAX_LEGS]; /* as the policy says it; one on grams per kW: of an
                                               hour g/kWh, of the run the sum of its hours' g/kWh */
    const struct gl_history *history[GL_GUARANTEE_MAX_LEGS]; /* of each leg */
    bool is_ready; /* false: a leg has no history of that meaning; no promise was looked for */
    struct gl_promise promise;
    bool is_run_promised; /* the asked run, from now; also of rules without `confidence`, when later
                             starts were wanted. False: `promise` is shorter than the run */
    struct gl_later later;
};

struct gl_book {
    size_t count;
    const struct gl_book_entry *entries; /* by rule, then by zone, both in the order given */
};

/* In the arena; borrows policy, zones and histories. Limits on grams are promised of rules with
 * `confidence`, of others where later starts are wanted. */
const struct gl_book *gl_book_make(struct gl_arena *arena, const struct gl_book_ask *ask);
/* NULL when the rule has no limit on the grid, or the zone no history, or when it depends on watts.
 */
const struct gl_book_entry *gl_book_find(const struct gl_book *book, const struct gl_rule *rule,
                                         const struct gl_zone_facts *zone);
/* The same for an offer; of a rule that limits grams the entry of its power, or of the next higher
 * one: what holds for more watts holds for fewer. NULL too when its watts are not known, or above
 * those of all that were asked about. */
const struct gl_book_entry *gl_book_find_offer(const struct gl_book *book,
                                               const struct gl_rule *rule,
                                               const struct gl_zone_facts *zone,
                                               const struct gl_book_load *load);
/* What max_rate comes to for the load, millionths of g/kWh; GL_UNKNOWN without one or its watts. */
int64_t gl_book_rate_ceiling(const struct gl_rule *rule, const struct gl_book_load *load);
/* Does the rule limit grams (max_rate, max_total)? */
bool gl_book_limits_grams(const struct gl_rule *rule);
/* Is there anything in the rule that gl_book_make() could promise? */
bool gl_book_is_promisable(const struct gl_rule *rule, bool wants_later);

/* The legs of one rule, limits on grams aside, and the histories they are judged on; false (and
 * *out half filled) when a leg has none or there is no leg. For settling a promise later. */
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
