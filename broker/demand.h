/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_DEMAND_H
#define GL_BROKER_DEMAND_H

/* Demand signals in the ledger: written where something was refused, delayed, moved, paused or
 * broken, read back as clusters. They stay on this machine until a request made of them is approved
 * (broker/request.h). */

#include "broker/ledger.h"
#include "policy/demand.h"

/* Write what one launch could not have: an event "demand" with one signal a place, at most
 * GL_DEMAND_PLACES, all with one launch_key and all of a demonstration or none. Gives the id of the
 * first signal's cluster ("GL-7f3a91c2") and how many launches it was seen of so far,
 * demonstrations apart. BAD_VALUE and nothing written when a text may not stand there: a region or
 * family that the built-in tables do not know is its user's own name. */
#define GL_DEMAND_PLACES 16
struct gl_demand_told {
    char id[16];
    int64_t seen;
};
int gl_demand_record(struct gl_ledger *ledger, const struct gl_demand *signals, size_t count,
                     struct gl_demand_told *out, struct gl_error *err);

/* The same, for who writes it beside another event (gl_ledger_guarantee_settle()): `row` refers to
 * the rest of it, which stays where it is and gl_demand_entry_done() frees; zeroed before. */
struct gl_demand_entry {
    json_t *body;
    char launch_key[GL_DEMAND_KEY + 1];
    char fingerprints[GL_DEMAND_PLACES][GL_HASH_HEX];
    struct gl_ledger_demand row;
};
int gl_demand_entry_of(const struct gl_demand *signals, size_t count, struct gl_demand_entry *out,
                       struct gl_error *err);
void gl_demand_entry_done(struct gl_demand_entry *entry);

/* Where it was to be had: the provider ("private": one of no table), and of region and family what
 * the built-in tables know, else "". */
void gl_demand_at(struct gl_demand *demand, const char *provider, const char *region,
                  const char *type);
/* "aws/eu-north-1" of where it went instead; "aws/" where the region is its user's own. */
void gl_demand_moved_to(struct gl_demand *demand, const char *provider, const char *region);
/* A key for a wish that is no launch yet; and the key of a launch, the same each time. */
void gl_demand_draw_key(const struct gl_world *world, struct gl_demand *demand);
void gl_demand_key_of(const char *launch, struct gl_demand *demand);

/* One signal as JSON without reals, and back. New reference; BAD_REPLY. */
json_t *gl_demand_json(const struct gl_demand *demand);
int gl_demand_of_json(const json_t *json, struct gl_demand *out, struct gl_error *err);

/* The signals of the body of an event "demand"; none of an earlier version, which kept other
 * figures. `tree` is reused from event to event. False: it cannot be read, or is of more. */
struct gl_jtree;
bool gl_demand_of_event(struct gl_jtree *tree, const char *body, size_t length,
                        struct gl_demand out[GL_DEMAND_PLACES], size_t *out_count);

/* What pauses and moves cost in time and grams is known when they are over, not when they are
 * written: write it down of those of which the ledger can tell by now, each once, however often and
 * by however many this is called (event "demand-cost"; docs/demand.md has the formulas). What the
 * evidence of a launch does not cover is written as unknown. gl_demand_clusters() calls it. */
int gl_demand_settle(struct gl_ledger *ledger, struct gl_error *err);

/* For those who tell a cost at once: kW of the machine of a plan at its load and idle, with the
 * facility; false where the plan does not say how large it is. And whole micrograms, GL_UNKNOWN
 * beyond what a signal may hold. */
bool gl_demand_power(const json_t *plan, double *out_kw, double *out_idle_kw);
int64_t gl_demand_ug(double ug);

/* Every signal of events since `since_ms`, clustered. Freed with gl_clustering_free().
 * Demonstrations and real needs never stand together. Left out are events of versions that kept
 * other figures. NULL: TOO_LARGE; TAMPERED when a signal cannot be read; the ledger's errors. */
struct gl_demand_ask {
    int64_t since_ms; /* 0 = all */
    bool wants_demo;  /* those of demonstrations, and no other */
};
struct gl_clustering *gl_demand_clusters(struct gl_ledger *ledger, const struct gl_demand_ask *ask,
                                         struct gl_error *err);

#endif
