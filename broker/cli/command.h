/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_COMMAND_H
#define GL_BROKER_CLI_COMMAND_H

/* Commands as rows: one table (commands.c) feeds dispatch, help, man page and completion. One file
 * a command: cmd_<name>.c, whose only exported symbol is its row. */

#include "broker/context.h"
#include "broker/host.h"
#include "policy/arena.h"
#include "providers/offers.h"

struct gl_call {
    const void *values; /* of the command's own option table */
    const struct gl_operands *operands;
    const char *const *rest; /* after "--", NULL-terminated; NULL = no "--" */
    bool is_implied;         /* no command was named: bare rules */
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

/* Places that are not to be offered (again). */
struct gl_left_out {
    char cloud[24], region[40], type[40]; /* "" = all of them */
};
#define GL_WITHOUT_MAX 8
struct gl_without {
    size_t count;
    struct gl_left_out items[GL_WITHOUT_MAX];
};

/* Options that state rules and requests, shared by offers, why, launch, run (rules.c). */
struct gl_ask {
    const char *renewable_only; /* "95%" when given bare */
    const char *max_intensity, *min_renewable, *min_carbon_free, *min_grade, *max_rate, *max_total,
        *max_price, *max_age, *accounting, *rate, *boundary, *green_for, *confidence, *on_lapse,
        *on_unknown;
    bool has_no_biomass;
    struct gl_option_list clouds, regions, not_regions, countries, types;
    struct gl_option_list tags; /* "team=ml": what rules match by and accounts are named by */
    const char *cpus, *memory, *gpu, *arch; /* "4", "4..8", "4+", "16GiB.." */
    int64_t duration_s;                     /* INT64_MIN = 1 h */
    const char *start_by, *finish_by;       /* latest start, latest end: RFC 3339, or from now */
    int64_t load_ppm;                       /* expected load as a share; INT64_MIN = 50 % */
    int64_t count;
    const char *zone;     /* of this machine, for `local` */
    enum gl_gate gate;    /* no option: where it is asked */
    bool wants_history;   /* no option: histories, whatever the rules say: to plan on */
    bool wants_futures;   /* no option: histories where a rule caps grams: to reserve by */
    bool wants_later;     /* no option: later starts of rules without confidence, to plan on */
    bool wants_digest;    /* no option: the caller keeps the decision as evidence */
    size_t ranked_wanted; /* no option: gl_question.ranked_wanted */
    const struct gl_without *without; /* no option: places left out; NULL = none */
    const char *sort;                 /* GL_SORT_WORDS; NULL = carbon; only offers has the option */
};
#define GL_SORT_WORDS "carbon|price|intensity|renewable"
/* Their option rows stand in ask_options.def, to be included first in a command's option table; the
 * command's values struct then has `struct gl_ask ask` as its first member. */
#define GL_ASK_AT(field) offsetof(struct gl_ask, field)

/* What a request came to: everything decided, and what it was decided on. */
struct gl_ask_result {
    const struct gl_ask *ask; /* as given; borrowed */
    struct gl_policy *policy;
    struct gl_request request;
    struct gl_offer_list *offers;
    struct gl_signal_store *signals;
    struct gl_decision *decision;
    struct gl_arena promises;   /* owns the book */
    const struct gl_book *book; /* promises that the rules could be given now; NULL = none */
    struct gl_host host;        /* this machine; 0 in a simulation */
    struct gl_instant now;
    struct gl_instant finish_by;          /* GL_UNKNOWN = whenever */
    const struct gl_timetable *timetable; /* to be launched with these pauses; NULL = runs through;
                                             the decision is that for its first stretch */
    void *memory;                         /* NULL-terminated lists of the request */
    char threshold[160]; /* "renewable share >= 95 % hourly, location-based, grade C or better" */
};
/* --start-by and --finish-by as instants. Errors: USAGE. */
struct gl_ask_times {
    bool has_latest_start;
    struct gl_instant latest_start; /* by either; `now` without */
    struct gl_instant finish_by;    /* GL_UNKNOWN = whenever */
};
int gl_ask_times_of(const struct gl_ask *ask, struct gl_instant now, struct gl_ask_times *out,
                    struct gl_error *err);

/* Options to policy, request, offers and decision. Prints nothing. Errors: usage, policy, ledger.
 */
int gl_ask_decide(struct gl_context *context, const struct gl_ask *ask, struct gl_ask_result *out,
                  struct gl_error *err);
/* The same for plans: policy, window, and the offers of these clouds and types (patterns,
 * NULL-terminated; empty: none) everywhere, with what can be promised; decides nothing. */
int gl_ask_gather(struct gl_context *context, const struct gl_ask *ask, const char *const *clouds,
                  const char *const *types, struct gl_ask_result *out, struct gl_error *err);
/* What could be promised now, in the zones whose past is known: makes the book of *asked, of its
 * policy, request, offers and now; leaves it NULL where there is nothing to promise. */
void gl_ask_promise(struct gl_context *context, bool wants_later, struct gl_ask_result *asked);
/* The question that was answered; borrows from *asked. */
struct gl_question gl_ask_question(const struct gl_ask_result *asked);
void gl_ask_result_done(struct gl_ask_result *result);
/* Verdict to exit status: allow 0, later 6, refuse 3, unknown 8. */
int gl_verdict_exit(enum gl_verdict verdict);

#endif
