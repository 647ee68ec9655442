/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_FACTS_H
#define GL_POLICY_FACTS_H

/* The nouns of every decision: what a figure means, what is offered, what is asked. Plain data;
 * gathered by providers/, judged by policy/. Integers are millionths of the unit and GL_UNKNOWN is
 * the only unknown: never 0, -1 or NaN. */

#include "base/sign.h"
#include "base/unit.h"

#define GL_UNKNOWN INT64_MIN

enum gl_quantity { GL_INTENSITY, GL_RENEWABLE_SHARE, GL_CARBON_FREE_SHARE, GL_QUANTITIES };
enum gl_rate { GL_AVERAGE, GL_SHORT_RUN_MARGINAL, GL_LONG_RUN_MARGINAL };
enum gl_boundary { GL_BOUNDARY_NA, GL_DIRECT, GL_LIFECYCLE };
enum gl_gases { GL_GASES_NA, GL_CO2, GL_CO2E };
enum gl_trace { GL_PRODUCTION, GL_FLOW_TRACED, GL_FIXED_IMPORTS, GL_SHARE_OF_LOAD };
enum gl_accounting { GL_LOCATION, GL_MARKET, GL_RESIDUAL };
enum gl_matching { GL_MATCH_NONE, GL_MATCH_ANNUAL, GL_MATCH_MONTHLY, GL_MATCH_HOURLY };
enum gl_share_of { /* bit set: what counts as renewable or carbon-free */
                   GL_OF_SOLAR = 1,
                   GL_OF_WIND = 2,
                   GL_OF_HYDRO = 4,
                   GL_OF_GEOTHERMAL = 8,
                   GL_OF_BIOMASS = 16,
                   GL_OF_WASTE = 32,
                   GL_OF_MARINE = 64,
                   GL_OF_NUCLEAR = 128,
                   GL_OF_STORAGE = 256,
};
enum gl_evidence {
    GL_MEASURED,
    GL_PRELIMINARY,
    GL_ESTIMATED,
    GL_FORECAST,
    GL_HISTORIC_AVERAGE,
    GL_ANNUAL_AVERAGE,
    GL_SUBSTITUTE,
    GL_PROVIDER_CLAIM,
};
/* A best; a smaller value is a better grade. */
enum gl_grade { GL_GRADE_A, GL_GRADE_B, GL_GRADE_C, GL_GRADE_D, GL_GRADE_E };
enum gl_bound_method { GL_BOUND_NONE, GL_BOUND_PROVIDER, GL_BOUND_REVISION, GL_BOUND_USER };
enum gl_mapping { GL_MAP_AGREED, GL_MAP_CITY, GL_MAP_SINGLE, GL_MAP_DISPUTED, GL_MAP_USER };

/* What a figure means. Two figures may be compared, averaged or joined only when all of it is
 * equal (gl_meaning_join). Shares: gases and boundary are NA. */
struct gl_meaning {
    enum gl_quantity quantity;
    enum gl_rate rate;
    enum gl_boundary boundary;
    enum gl_gases gases;
    enum gl_trace trace;
    enum gl_accounting accounting;
    enum gl_matching matching;
    uint32_t share_of;   /* bits of gl_share_of; 0 for intensities */
    char factor_set[24]; /* "IPCC2014", "NESO", "" = not stated */
};

/* One interval [from, until) of Unix seconds. Intensity in micro g/kWh, share in parts per million
 * (1,000,000 = 100 %). */
struct gl_point {
    int64_t from_s, until_s;
    int64_t value_u;
    int64_t low_u, high_u; /* GL_UNKNOWN when no bound is stated */
    int64_t updated_s;     /* when the source last changed it; GL_UNKNOWN if not said */
    enum gl_evidence evidence;
};

/* A run of points of one meaning from one source for one zone, sorted by time, not overlapping;
 * gaps are real gaps. */
struct gl_series {
    struct gl_meaning meaning;
    char zone[40];
    char provider[24]; /* "builtin", "file", "neso", "energy-charts", "energinet" */
    char dataset[64];
    char licence[40];
    char attribution[96];
    enum gl_bound_method bound_method;
    uint16_t bound_permille; /* stated coverage of [low, high]; 0 = none */
    int64_t issued_s;        /* of the forecast or publication; GL_UNKNOWN */
    int64_t retrieved_s;     /* when we got it */
    uint8_t body_sha256[32]; /* of the raw answer */
    bool is_suspect;         /* truncated, contradictory or out of range: never satisfies */
    char suspicion[96];      /* why */
    size_t count;
    struct gl_point *points; /* owned by whoever owns the series */
};

struct gl_history;

/* All that is known of one zone, best source first (the configured fallback order). */
struct gl_zone_facts {
    char zone[40];
    size_t count;
    const struct gl_series *const *series;
    /* What is stored of the past, policy/guarantee/history.h, in the same order of sources; none
     * unless asked for. */
    size_t history_count;
    const struct gl_history *const *histories;
};

/* Where offers stand; shared by all offers of a region. Strings are borrowed. */
struct gl_offer_place {
    const char *cloud, *region;
    const char *country; /* ISO 3166 alpha-2; "" unknown */
    double pue;          /* >= 1 */
    enum gl_mapping mapping;
    uint32_t zone_count; /* 2 when the mapping is disputed: the worse one counts */
    const struct gl_zone_facts *zones[2];
};
/* A place of which nothing but its zone is known; NULL = not even that. */
struct gl_offer_place gl_offer_place_in(const struct gl_zone_facts *zone);

/* An instance type; shared by its offers in all regions. Strings are borrowed. */
struct gl_offer_type {
    const char *name;
    const char *arch;
    const char *gpu; /* NULL = none */
    uint32_t vcpus, gpu_count;
    uint32_t memory_mib;
    struct gl_band idle_w, full_w; /* of the slice, without PUE */
    const char *power_source;      /* "" unknown */
};
extern const struct gl_offer_type gl_offer_type_unknown; /* no name, no size, no power */

/* Something that could be launched; place and type are borrowed and never NULL. */
struct gl_offer {
    const struct gl_offer_place *place;
    const struct gl_offer_type *type;
    int64_t price_u_usd_per_h; /* millionths; GL_UNKNOWN */
    const char *price_source;  /* "" unknown */
};

/* How many of a group count: those that run right after the change, those of an ordinary day, or
 * as many as it may grow to. */
enum gl_count_basis { GL_COUNT_NOW, GL_COUNT_TYPICAL, GL_COUNT_WORST, GL_COUNT_BASES };

/* The resource of a plan that a request stands for. Texts borrowed, NULL = not said. */
struct gl_subject {
    unsigned role, action;          /* indices of gl_match_roles[], gl_match_actions[] */
    const char *address;            /* "module.web.aws_instance.app[0]" */
    const char *resource;           /* type of the resource: "aws_instance" */
    const char *plan;               /* what its plan is called */
    int64_t counts[GL_COUNT_BASES]; /* GL_UNKNOWN = not known */
};

/* What the user wants to run. */
struct gl_request {
    struct gl_span duration;        /* asked run time */
    struct gl_instant start;        /* earliest start */
    struct gl_instant latest_start; /* .unix_s = start for "now only" */
    double load;                    /* expected CPU load 0..1 for the expected grams */
    uint32_t count;
    uint32_t min_vcpus, max_vcpus; /* 0 = any */
    uint32_t min_memory_mib, max_memory_mib;
    const char *gpu;           /* glob; NULL = any */
    const char *arch;          /* NULL = any */
    const char *const *clouds; /* globs, NULL-terminated; NULL = any */
    const char *const *regions;
    const char *const *types;
    const char *const *tags;          /* "key=value", NULL-terminated; NULL = none */
    const struct gl_subject *subject; /* NULL: no plan, someone launches by hand */
};

/* Words used everywhere: policy, JSON, text. Each list ends at its NULL. */
const char *gl_quantity_word(enum gl_quantity quantity); /* "carbon_intensity" ... */
const char *gl_rate_word(enum gl_rate rate);
const char *gl_boundary_word(enum gl_boundary boundary);
const char *gl_gases_word(enum gl_gases gases);
const char *gl_trace_word(enum gl_trace trace);
const char *gl_accounting_word(enum gl_accounting accounting);
const char *gl_matching_word(enum gl_matching matching);
const char *gl_evidence_word(enum gl_evidence evidence);
const char *gl_mapping_word(enum gl_mapping mapping);
char gl_grade_letter(enum gl_grade grade); /* 'A'..'E' */
enum gl_grade gl_grade_of_evidence(enum gl_evidence evidence);
/* Every word list again as NULL-terminated arrays indexed by the enum, for parsers. */
extern const char *const gl_quantity_words[],
    *const gl_rate_words[], *const gl_boundary_words[],
                                *const gl_gases_words[], *const gl_trace_words[],
                                                             *const gl_accounting_words[],
                                                                 *const gl_matching_words[],
                                                                     *const gl_evidence_words[],
                                                                         *const gl_mapping_words[];

/* May the two be compared or joined? 0, or -1 with MEANING naming the first field that differs and
 * both values. */
int gl_meaning_join(const struct gl_meaning *a, const struct gl_meaning *b, struct gl_error *err);

#endif
