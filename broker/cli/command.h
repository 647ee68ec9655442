/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_COMMAND_H
#define GL_BROKER_CLI_COMMAND_H

/* Commands as rows: one table (commands.c) feeds dispatch, help, man page and completion. One file
 * a command: cmd_<name>.c, whose only exported symbol is its row. */

#include "broker/context.h"
#include "providers/offers.h"

struct gl_call {
    const void *values; /* of the command's own option table */
    const struct gl_operands *operands;
    const char *const *rest; /* after "--", NULL-terminated; NULL = no "--" */
};

struct gl_command {
    const char *name;        /* "offers" */
    const char *group;       /* "Look", "Act", "Prove", "Rules", "Set up", "Help" */
    const char *summary;     /* one line */
    const char *operands;    /* "[NAME]", "" = none */
    const char *description; /* a paragraph for help and man */
    const char *example;     /* one real call with what it prints, lines */
    const struct gl_option *options;
    size_t values_size;
    /* Fill context->reply; return the exit status (enum gl_exit), or -1 with *err. */
    int (*run)(struct gl_context *context, const struct gl_call *call, struct gl_error *err);
    bool needs_no_config; /* runs although the configuration cannot be read */
};

/* Every command, in the order of `help`. NULL-terminated. */
extern const struct gl_command *const gl_commands[];
const struct gl_command *gl_command_find(const char *name);
extern const struct gl_option gl_global_options[];

/* Options that state rules and requests, shared by offers, why, launch, run (rules.c). */
struct gl_ask {
    const char *renewable_only; /* "95%" when given bare */
    const char *max_intensity, *min_renewable, *min_carbon_free, *min_grade, *max_rate, *max_total,
        *max_price, *max_age, *accounting, *rate, *boundary, *green_for, *on_unknown;
    bool has_no_biomass;
    struct gl_option_list clouds, regions, not_regions, countries, types;
    const char *cpus, *memory, *gpu, *arch; /* "4", "4..8", "4+", "16GiB.." */
    int64_t duration_s;                     /* INT64_MIN = 1 h */
    const char *start_by;                   /* RFC 3339; latest start */
    int64_t load_ppm;                       /* expected load as a share; INT64_MIN = 50 % */
    int64_t count;
    const char *zone;  /* of this machine, for `local` */
    bool wants_digest; /* no option: the caller keeps the decision as evidence */
    const char *sort;  /* GL_SORT_WORDS; NULL = carbon; only offers has the option */
};
#define GL_SORT_WORDS "carbon|price|intensity|renewable"
/* The rows of struct gl_ask, to stand first in a command's option table; the command's values
 * struct then has `struct gl_ask ask` as its first member. */
#define GL_ASK_AT(field) offsetof(struct gl_ask, field)
#define GL_ASK_OPTIONS                                                                             \
    {"renewable-only",                                                                             \
     0,                                                                                            \
     GL_OPT_OPTIONAL,                                                                              \
     GL_ASK_AT(renewable_only),                                                                    \
     "SHARE",                                                                                      \
     "only where at least 95% (or SHARE) of the electricity is renewable, hourly, location-based", \
     "Rules",                                                                                      \
     "95%",                                                                                        \
     NULL,                                                                                         \
     0,                                                                                            \
     0,                                                                                            \
     0,                                                                                            \
     NULL},                                                                                        \
        {"max-intensity",                                                                          \
         0,                                                                                        \
         GL_OPT_TEXT,                                                                              \
         GL_ASK_AT(max_intensity),                                                                 \
         "INTENSITY",                                                                              \
         "carbon intensity at most this, as in 100gCO2e/kWh",                                      \
         "Rules",                                                                                  \
         NULL,                                                                                     \
         NULL,                                                                                     \
         0,                                                                                        \
         0,                                                                                        \
         0,                                                                                        \
         NULL},                                                                                    \
        {"min-renewable",                                                                          \
         0,                                                                                        \
         GL_OPT_TEXT,                                                                              \
         GL_ASK_AT(min_renewable),                                                                 \
         "SHARE",                                                                                  \
         "renewable share at least this",                                                          \
         "Rules",                                                                                  \
         NULL,                                                                                     \
         NULL,                                                                                     \
         0,                                                                                        \
         0,                                                                                        \
         0,                                                                                        \
         NULL},                                                                                    \
        {"min-cfe",   0,                                                                           \
         GL_OPT_TEXT, GL_ASK_AT(min_carbon_free),                                                  \
         "SHARE",     "carbon-free share (renewable and nuclear) at least this",                   \
         "Rules",     NULL,                                                                        \
         NULL,        0,                                                                           \
         0,           0,                                                                           \
         NULL},                                                                                    \
        {"min-grade", 0,                                                                           \
         GL_OPT_TEXT, GL_ASK_AT(min_grade),                                                        \
         "GRADE",     "worst evidence grade accepted; D admits yearly averages",                   \
         "Rules",     NULL,                                                                        \
         "A|B|C|D|E", 0,                                                                           \
         0,           0,                                                                           \
         NULL},                                                                                    \
        {"max-rate",  0,                                                                           \
         GL_OPT_TEXT, GL_ASK_AT(max_rate),                                                         \
         "RATE",      "emissions at most this, as in 50g/h",                                       \
         "Rules",     NULL,                                                                        \
         NULL,        0,                                                                           \
         0,           0,                                                                           \
         NULL},                                                                                    \
        {"max-total", 0,                                                                           \
         GL_OPT_TEXT, GL_ASK_AT(max_total),                                                        \
         "MASS",      "emissions of the whole run at most this, as in 2kg",                        \
         "Rules",     NULL,                                                                        \
         NULL,        0,                                                                           \
         0,           0,                                                                           \
         NULL},                                                                                    \
        {"max-price", 0,                                                                           \
         GL_OPT_TEXT, GL_ASK_AT(max_price),                                                        \
         "PRICE",     "price at most this, as in 0.40USD/h",                                       \
         "Rules",     NULL,                                                                        \
         NULL,        0,                                                                           \
         0,           0,                                                                           \
         NULL},                                                                                    \
        {"max-age",   0,                                                                           \
         GL_OPT_TEXT, GL_ASK_AT(max_age),                                                          \
         "SPAN",      "oldest live data accepted, as in 2h",                                       \
         "Rules",     NULL,                                                                        \
         NULL,        0,                                                                           \
         0,           0,                                                                           \
         NULL},                                                                                    \
        {"green-for", 0,                                                                           \
         GL_OPT_TEXT, GL_ASK_AT(green_for),                                                        \
         "SPAN",      "the rules must hold this long by hourly evidence",                          \
         "Rules",     NULL,                                                                        \
         NULL,        0,                                                                           \
         0,           0,                                                                           \
         NULL},                                                                                    \
        {"accounting",                                                                             \
         0,                                                                                        \
         GL_OPT_TEXT,                                                                              \
         GL_ASK_AT(accounting),                                                                    \
         "METHOD",                                                                                 \
         "location (the grid, default) or market (contracts)",                                     \
         "Rules",                                                                                  \
         NULL,                                                                                     \
         "location|market|residual",                                                               \
         0,                                                                                        \
         0,                                                                                        \
         0,                                                                                        \
         NULL},                                                                                    \
        {"rate",                                                                                   \
         0,                                                                                        \
         GL_OPT_TEXT,                                                                              \
         GL_ASK_AT(rate),                                                                          \
         "RATE",                                                                                   \
         "average (default) or marginal intensity",                                                \
         "Rules",                                                                                  \
         NULL,                                                                                     \
         "average|short_run_marginal|long_run_marginal",                                           \
         0,                                                                                        \
         0,                                                                                        \
         0,                                                                                        \
         NULL},                                                                                    \
        {"boundary",                                                                               \
         0,                                                                                        \
         GL_OPT_TEXT,                                                                              \
         GL_ASK_AT(boundary),                                                                      \
         "BOUNDARY",                                                                               \
         "lifecycle (default) or direct emissions",                                                \
         "Rules",                                                                                  \
         NULL,                                                                                     \
         "lifecycle|direct",                                                                       \
         0,                                                                                        \
         0,                                                                                        \
         0,                                                                                        \
         NULL},                                                                                    \
        {"no-biomass",                                                                             \
         0,                                                                                        \
         GL_OPT_FLAG,                                                                              \
         GL_ASK_AT(has_no_biomass),                                                                \
         NULL,                                                                                     \
         "biomass does not count as renewable",                                                    \
         "Rules",                                                                                  \
         NULL,                                                                                     \
         NULL,                                                                                     \
         0,                                                                                        \
         0,                                                                                        \
         0,                                                                                        \
         NULL},                                                                                    \
        {"on-unknown",                                                                             \
         0,                                                                                        \
         GL_OPT_TEXT,                                                                              \
         GL_ASK_AT(on_unknown),                                                                    \
         "WHAT",                                                                                   \
         "what unknown evidence means (default refuse)",                                           \
         "Rules",                                                                                  \
         NULL,                                                                                     \
         "refuse|assume-worst|warn|allow",                                                         \
         0,                                                                                        \
         0,                                                                                        \
         0,                                                                                        \
         NULL},                                                                                    \
        {"cloud",     0,                                                                           \
         GL_OPT_LIST, GL_ASK_AT(clouds),                                                           \
         "GLOB",      "only these clouds",                                                         \
         "Request",   NULL,                                                                        \
         NULL,        0,                                                                           \
         0,           0,                                                                           \
         "cloud"},                                                                                 \
        {"region",    0,                                                                           \
         GL_OPT_LIST, GL_ASK_AT(regions),                                                          \
         "GLOB",      "only these regions",                                                        \
         "Request",   NULL,                                                                        \
         NULL,        0,                                                                           \
         0,           0,                                                                           \
         "region"},                                                                                \
        {"not-region",                                                                             \
         0,                                                                                        \
         GL_OPT_LIST,                                                                              \
         GL_ASK_AT(not_regions),                                                                   \
         "GLOB",                                                                                   \
         "none of these regions",                                                                  \
         "Rules",                                                                                  \
         NULL,                                                                                     \
         NULL,                                                                                     \
         0,                                                                                        \
         0,                                                                                        \
         0,                                                                                        \
         "region"},                                                                                \
        {"country",   0,                                                                           \
         GL_OPT_LIST, GL_ASK_AT(countries),                                                        \
         "CODE",      "only these countries",                                                      \
         "Rules",     NULL,                                                                        \
         NULL,        0,                                                                           \
         0,           0,                                                                           \
         NULL},                                                                                    \
        {"type",      0,                                                                           \
         GL_OPT_LIST, GL_ASK_AT(types),                                                            \
         "GLOB",      "only these instance types",                                                 \
         "Request",   NULL,                                                                        \
         NULL,        0,                                                                           \
         0,           0,                                                                           \
         NULL},                                                                                    \
        {"cpus",      0,                                                                           \
         GL_OPT_TEXT, GL_ASK_AT(cpus),                                                             \
         "RANGE",     "vCPUs: 4, 4+, 4..8",                                                        \
         "Request",   NULL,                                                                        \
         NULL,        0,                                                                           \
         0,           0,                                                                           \
         NULL},                                                                                    \
        {"memory",    0,                                                                           \
         GL_OPT_TEXT, GL_ASK_AT(memory),                                                           \
         "RANGE",     "memory: 16GiB, 16GiB.., 4GiB..8GiB",                                        \
         "Request",   NULL,                                                                        \
         NULL,        0,                                                                           \
         0,           0,                                                                           \
         NULL},                                                                                    \
        {"gpu",       0,                                                                           \
         GL_OPT_TEXT, GL_ASK_AT(gpu),                                                              \
         "GLOB",      "with such a GPU, as in A100* or '*'",                                       \
         "Request",   NULL,                                                                        \
         NULL,        0,                                                                           \
         0,           0,                                                                           \
         NULL},                                                                                    \
        {"arch",                                                                                   \
         0,                                                                                        \
         GL_OPT_TEXT,                                                                              \
         GL_ASK_AT(arch),                                                                          \
         "ARCH",                                                                                   \
         "processor architecture",                                                                 \
         "Request",                                                                                \
         NULL,                                                                                     \
         "x86_64|arm64",                                                                           \
         0,                                                                                        \
         0,                                                                                        \
         0,                                                                                        \
         NULL},                                                                                    \
        {"duration",  'd',                                                                         \
         GL_OPT_SPAN, GL_ASK_AT(duration_s),                                                       \
         "SPAN",      "how long it runs (default 1h)",                                             \
         "Request",   NULL,                                                                        \
         NULL,        0,                                                                           \
         0,           0,                                                                           \
         NULL},                                                                                    \
        {"start-by",  0,                                                                           \
         GL_OPT_TEXT, GL_ASK_AT(start_by),                                                         \
         "TIME",      "latest start, RFC 3339",                                                    \
         "Request",   NULL,                                                                        \
         NULL,        0,                                                                           \
         0,           0,                                                                           \
         NULL},                                                                                    \
        {"load",                                                                                   \
         0,                                                                                        \
         GL_OPT_QUANTITY,                                                                          \
         GL_ASK_AT(load_ppm),                                                                      \
         "SHARE",                                                                                  \
         "expected CPU load (default 50%)",                                                        \
         "Request",                                                                                \
         NULL,                                                                                     \
         NULL,                                                                                     \
         0,                                                                                        \
         0,                                                                                        \
         GL_DIM_SHARE,                                                                             \
         NULL},                                                                                    \
        {"count",                                                                                  \
         0,                                                                                        \
         GL_OPT_INTEGER,                                                                           \
         GL_ASK_AT(count),                                                                         \
         "N",                                                                                      \
         "how many (default 1)",                                                                   \
         "Request",                                                                                \
         NULL,                                                                                     \
         NULL,                                                                                     \
         1,                                                                                        \
         1000,                                                                                     \
         0,                                                                                        \
         NULL},                                                                                    \
    {                                                                                              \
        "zone", 0, GL_OPT_TEXT, GL_ASK_AT(zone), "ZONE",                                           \
            "grid zone this machine stands in, as in SE-SE3", "Request", NULL, NULL, 0, 0, 0,      \
            "zone"                                                                                 \
    }

/* What a request came to: everything decided, and what it was decided on. */
struct gl_ask_result {
    struct gl_policy *policy;
    struct gl_request request;
    struct gl_offer_list *offers;
    struct gl_signal_store *signals;
    struct gl_decision *decision;
    struct gl_instant now;
    void *memory;        /* NULL-terminated lists of the request */
    char threshold[160]; /* "renewable share >= 95 % hourly, location-based, grade C or better" */
};
/* Options to policy, request, offers and decision. Prints nothing. Errors: usage, policy, ledger.
 */
int gl_ask_decide(struct gl_context *context, const struct gl_ask *ask, struct gl_ask_result *out,
                  struct gl_error *err);
/* The question that was answered; borrows from *asked. */
struct gl_question gl_ask_question(const struct gl_ask_result *asked);
void gl_ask_result_done(struct gl_ask_result *result);
/* Verdict to exit status: allow 0, later 6, refuse 3, unknown 8. */
int gl_verdict_exit(enum gl_verdict verdict);

#endif
