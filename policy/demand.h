/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_DEMAND_H
#define GL_POLICY_DEMAND_H

/* Demand signals: what was needed and could not be had, in a form that names nobody, and how
 * signals alike become one case to put before a provider. Pure: no file, clock or log; the same
 * signals in any order give the same clusters. Amounts are integers, GL_UNKNOWN is the only
 * unknown.
 *
 * A signal holds nothing but members of this struct: no account, host, tag, price paid, address or
 * person has a place in it. Every text is checked against what may stand there before it is taken,
 * so that a tag that found its way into a region's name is refused and not passed on. */

#include "policy/decide.h"

/* What became of the wish. */
enum gl_demand_kind {
    GL_DEMAND_REFUSE,
    GL_DEMAND_LATER,
    GL_DEMAND_UNKNOWN,
    GL_DEMAND_MOVE,
    GL_DEMAND_PAUSE,
    GL_DEMAND_BREACH,
    GL_DEMAND_KINDS
};
extern const char *const gl_demand_kind_words[]; /* "refuse" ... NULL */

/* What the provider lacks: the capability that would have let it run. */
enum gl_capability {
    GL_CAPABILITY_GREEN,    /* "green-offer": supply that meets the rule, for the asked hours */
    GL_CAPABILITY_HOURLY,   /* "hourly-evidence": hourly figures of the place by an interface */
    GL_CAPABILITY_BOUNDS,   /* "stated-bounds": figures with a lower and an upper bound */
    GL_CAPABILITY_FORECAST, /* "forecast": figures ahead, with their time of issue */
    GL_CAPABILITY_POWER,    /* "instance-power": watts of an instance type */
    GL_CAPABILITY_PRICE,    /* "public-price": a price before the launch */
    GL_CAPABILITY_PLACE,    /* "grid-place": which grid a region draws from */
    GL_CAPABILITY_CAPACITY, /* "green-capacity": the green offer was there and had no room */
    GL_CAPABILITIES
};
extern const char *const gl_capability_words[]; /* NULL-terminated */

/* What was done instead. */
enum gl_instead {
    GL_INSTEAD_NOTHING,
    GL_INSTEAD_WAITED,
    GL_INSTEAD_MOVED,
    GL_INSTEAD_PAUSED,
    GL_INSTEAD_STOPPED,
    GL_INSTEAD_RAN, /* it ran on, beyond the rule */
    GL_INSTEADS
};
extern const char *const gl_instead_words[];

#define GL_DEMAND_NAME 48  /* bytes of a provider, region, family with the end */
#define GL_DEMAND_RULE 256 /* of a rule in normal form */
#define GL_DEMAND_KEY  12  /* hexadecimal digits of a launch_key */

/* One unmet need at one place. */
struct gl_demand {
    enum gl_demand_kind kind;
    enum gl_capability capability;
    char provider[GL_DEMAND_NAME]; /* "aws" */
    char region[GL_DEMAND_NAME];   /* "eu-central-1"; "" = one of the user's own naming */
    char family[GL_DEMAND_NAME];   /* "m5", "n2", "Dsv5"; "" = any */
    char rule[GL_DEMAND_RULE]; /* gl_demand_rule(): "renewable-share>=95%;location;hourly;..." */
    int64_t limit_u, found_u;  /* of the deciding limit and what was found; GL_UNKNOWN */
    int key;                   /* enum gl_key_id of that limit; GL_KEYS = no limit decided */
    int64_t wanted_ms;         /* instance time that was asked for: duration times count */
    int64_t gpu_ms;            /* GPU time; 0 = none asked for */
    enum gl_grade grade;       /* of the evidence that it rests on */
    enum gl_instead instead;
    char instead_region[GL_DEMAND_NAME]; /* "aws/eu-north-1" of MOVED; "" else */
    int64_t lost_ms;                     /* time that it cost; GL_UNKNOWN */
    int64_t extra_ug;    /* micrograms CO2e that it cost; negative = saved; GL_UNKNOWN */
    int64_t at_ms;       /* Unix time */
    char launch_key[16]; /* tells launches apart, and nothing else: GL_DEMAND_KEY digits 0-9a-f */
    bool is_demo;        /* of a demonstration: no need of anybody */
};

/* May every text of it stand there, and is every number within reason? Providers, the words of
 * rules and the shapes of regions and families are those of tables; a private cloud has no region
 * and no family here, a price no number. BAD_VALUE names the member, never the text. */
int gl_demand_check(const struct gl_demand *demand, struct gl_error *err);
/* The name as the table has it; "private" for a cloud that it does not have. */
const char *gl_demand_provider_word(const char *name);
/* Is this a provider whose offers are the same for everybody? False: its regions and types are
 * names of its user ("openstack", "kubernetes", "local", "private"). */
bool gl_demand_is_public(const char *provider);

/* Did a limit of the user's own (place, size, price) decide? Then no provider lacks anything. */
bool gl_demand_is_own(const struct gl_demand *demand);

/* A rule in normal form: the same rule written in another order, unit or file gives the same text;
 * its id, file and comments have no part in it, nor what it is matched by. Limits that speak of
 * places, sizes, prices and budgets are the user's own: one word each, no value. Cut never:
 * TOO_LARGE. */
int gl_demand_rule(const struct gl_rule *rule, char out[GL_DEMAND_RULE], struct gl_error *err);
/* May the limit and the find of that key stand in a signal? Those of green rules may: prices,
 * places and sizes are the user's own. */
bool gl_demand_tells(enum gl_key_id key);
/* What is missing where evidence has that gap; of NONE the offer itself. False: it is the asker who
 * did not say enough, and nothing of a provider is missing. */
bool gl_demand_capability(enum gl_gap gap, enum gl_capability *out);
/* The family of an instance type as its provider speaks of it: "m5.large" of aws is "m5",
 * "Standard_D4s_v5" of azure "Dsv5"; "" when that cannot be told. */
void gl_demand_family(const char *provider, const char *type, char out[GL_DEMAND_NAME]);
/* What of a provider is spoken of: "compute", "containers". */
const char *gl_demand_area(const char *provider);
/* SHA-256 over provider, area, capability, region and rule, lower-case hex; its first eight digits
 * make the id "GL-7f3a91c2". */
void gl_demand_fingerprint(const struct gl_demand *demand, char out[GL_HASH_HEX]);
#define GL_DEMAND_ID 16
void gl_demand_id(const char *fingerprint, char out[GL_DEMAND_ID]);

/* ---- clusters ---- */

/* Signals of one (provider, area, capability, region, rule): what one request would speak of. */
struct gl_cluster {
    char fingerprint[GL_HASH_HEX]; /* SHA-256 over those, lower-case hex */
    const struct gl_demand *first; /* the earliest; stands for all: provider, capability, region,
                                      rule */
    int64_t signals;               /* all of them */
    int64_t launches;              /* told apart by launch_key */
    int64_t refused;               /* of these, those that were refused, delayed or unknown */
    int64_t days;                  /* different days, UTC */
    int64_t by_kind[GL_DEMAND_KINDS], by_instead[GL_INSTEADS];
    int64_t wanted_ms, gpu_ms;
    int64_t lost_ms, extra_ug;       /* sums of what is known */
    int64_t lost_known, extra_known; /* of how many signals that is */
    int64_t median_lost_ms;          /* of those that cost time; GL_UNKNOWN */
    /* What was found of one limit, the lowest key that decided; GL_UNKNOWN, and then GL_KEYS. */
    int found_key;
    int64_t worst_found_u, best_found_u;
    int64_t from_ms, until_ms; /* first and last */
    enum gl_grade worst_grade;
};

/* Takes signals one by one, in any order. Memory: about 1 KiB a cluster, and of each signal no more
 * than 8 bytes for a launch new to its cluster, a day, and a time lost, in tables at least half
 * full: a million signals in 64 MB. TOO_LARGE, and nothing taken, beyond GL_CLUSTERS_MAX
 * fingerprints or GL_CLUSTER_SIGNALS_MAX signals, and when a sum would not fit. BAD_VALUE as
 * gl_demand_check(). */
#define GL_CLUSTERS_MAX        16000
#define GL_CLUSTER_SIGNALS_MAX INT64_C(16000000)
struct gl_clustering;
struct gl_clustering *gl_clustering_new(void);
int gl_clustering_add(struct gl_clustering *clustering, const struct gl_demand *demand,
                      struct gl_error *err);
/* In order: most refused first, then fingerprint. Lives until the next end or the free; signals may
 * be added after it. */
const struct gl_cluster *gl_clustering_end(struct gl_clustering *clustering, size_t *out_count);
void gl_clustering_free(struct gl_clustering *clustering);

/* ---- thresholds and rounding ---- */

struct gl_demand_threshold {
    int64_t refused, days; /* 5 and 3 where nothing is said; never below 2 and 1 */
};
/* Enough launches on enough days to be worth a provider's time? Never of green offers where the
 * rule is about places, sizes or prices alone. `first` may be NULL, and so may the threshold: the
 * standard one. */
bool gl_cluster_is_due(const struct gl_cluster *cluster,
                       const struct gl_demand_threshold *threshold);

/* Counts in steps of 1-2-5: 43 -> "20 to 50" as *low and *high, low <= count < high; 0 and less: 0
 * and 0. */
void gl_demand_round(int64_t count, int64_t *low, int64_t *high);

#endif
