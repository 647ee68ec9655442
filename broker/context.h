/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CONTEXT_H
#define GL_BROKER_CONTEXT_H

/* What every command is given: the world, the global options, the configuration, the talk on
 * stderr, and the one reply it fills. stdout carries the reply only: text, or with --json exactly
 * one envelope, printed once at the end by main(). */

#include "base/json.h"
#include "base/option.h"
#include "base/world.h"
#include "broker/config.h"
#include "broker/ledger.h"
#include "broker/standing.h"
#include "policy/decide.h"

/* Global options, the same for every command (broker/cli/globals.c). */
struct gl_globals {
    bool is_help, is_version, is_json, is_quiet, is_accessible, is_offline, is_advisory, is_demo;
    bool has_no_color, has_no_input, has_no_progress, is_yes;
    int verbosity;
    const char *config;             /* file; NULL = the default place */
    struct gl_option_list policies; /* policy files */
    const char *waivers;
    const char *state; /* folder; NULL = $XDG_STATE_HOME/greenlaunch */
    const char *at;    /* evaluate as of this instant; NULL = now */
    int64_t width;     /* columns; INT64_MIN = from the terminal */
    int64_t timeout_s; /* INT64_MIN = none */
};

struct gl_reply {
    json_t *data;           /* "data" of the envelope; NULL = null */
    const char *verdict;    /* "allow" "later" "refuse" "unknown" or NULL */
    json_t *warnings;       /* array of {"code","message"} */
    json_t *next;           /* array of {"argv":[...],"why"} */
    struct gl_str text;     /* for people */
    struct gl_str failing;  /* names of the checks that failed, for the error of an envelope */
    bool is_command_status; /* the exit status is that of the command inside, no verdict */
    bool is_document;       /* text is one that says itself that it is a demonstration */
    bool is_streamed;       /* the instance's own output went to stdout: ours goes to stderr */
};

/* Where policies and waivers are read from in place of the disk. Errors as gl_file_read_given(). */
struct gl_policy_source {
    void *cookie;
    int (*read)(void *cookie, const char *path, char **out, size_t *out_length,
                struct gl_error *err);
};

struct gl_call;

struct gl_context {
    struct gl_world world;
    struct gl_globals globals;
    struct gl_config config;
    const char *command;                          /* "offers" */
    const struct gl_call *start;                  /* what launch, run or wait is to start */
    const char *program;                          /* argv[0] */
    struct gl_standing_world standing;            /* with --at: the world of the signals */
    const struct gl_policy_source *policy_source; /* NULL = the disk */
    const struct gl_hash *policy_pin;             /* that policies must have; NULL = any */
    char *state_folder;                           /* made on first use: gl_context_state() */
    struct gl_ledger *ledger;                     /* opened on first use: gl_context_ledger() */
    struct gl_reply reply;
    unsigned columns; /* of stdout, without those of the demonstration's mark; 0 = not known yet */
    bool is_color;
    bool is_live;        /* stderr is a terminal that may be redrawn */
    bool is_demo;        /* --demo and no zone configured: every line and document says so */
    int64_t started_ms;  /* monotonic */
    char progress[96];   /* of the step under way */
    int64_t progress_ms; /* monotonic start of the step; 0 = none */
    /* What the reply was made from, given back after it was printed: nobody waits for that. */
    void *made_from;
    void (*give_back)(void *made_from);
};

/* State folder (created, 0700) and ledger, on first use. Errors: IO, DISK_FULL, LOCKED, TAMPERED.
 */
const char *gl_context_state(struct gl_context *context, struct gl_error *err);
struct gl_ledger *gl_context_ledger(struct gl_context *context, struct gl_error *err);
/* The same for what only needs to know: where the disk is full or read-only the ledger as it is,
 * with a warning; every change of it is then refused. */
struct gl_ledger *gl_context_ledger_to_look(struct gl_context *context, struct gl_error *err);
/* Is there one, so that asking makes none? */
bool gl_context_has_ledger(const struct gl_context *context);
/* For who runs on: one that can only be looked at, and was written to since, is opened anew by the
 * next look. Nobody may hold it. */
void gl_context_ledger_renew(struct gl_context *context);

/* The archive of past figures and forecasts below the state folder, fresh; NULL when there is no
 * place for it. */
char *gl_context_archive(struct gl_context *context);

/* May characters beyond ASCII be written, by LC_ALL, LC_CTYPE, LANG? */
bool gl_context_is_utf8(const struct gl_context *context);

/* Grid zone this machine stands in: --zone value given (may be NULL), else configuration, else in
 * a demonstration the example zone; NULL when nobody said. */
const char *gl_context_zone(struct gl_context *context, const char *given);
#define GL_DEMO_ZONE    "IS"
#define GL_DEMO_COLUMNS 5 /* of the mark "DEMO " before every line */

/* The policy of this call: --policy files (with includes and waivers) or the configured ones, then
 * the flag rule `limits` (key/text pairs, NULL-terminated; may be NULL). Diagnostics go to stderr
 * (or the reply's warnings with --json). NULL and *err on any error. */
struct gl_policy *gl_context_policy(struct gl_context *context, const char *rule_id,
                                    const char *const *limits, struct gl_error *err);
/* With --at, a rule "at" that evidence of that instant must be at hand, unless a rule asks for some
 * already: an instant that no evidence speaks of is unknown, never allowed. */
int gl_context_demand_evidence(const struct gl_context *context, struct gl_policy *policy,
                               struct gl_error *err);
/* Parse one policy file with file loader; for `policy check|test|explain`. */
struct gl_policy *gl_policy_read(const char *path, const char *waivers,
                                 struct gl_diagnostics *out_diagnostics, struct gl_error *err);

/* The signal store of this call (cache below the state folder, sources from the configuration).
 * With --at its clock stands there and it is offline. */
struct gl_signal_store *gl_context_signals(struct gl_context *context, struct gl_error *err);

/* The sources that are asked where the configuration lists none. */
const struct gl_signal_config *gl_context_default_sources(size_t *out_count);
/* Give the world its transport unless --offline or --at forbid it; once. */
void gl_context_online(struct gl_context *context);

/* The instant decisions are made for: --at or the clock. */
int gl_context_now(struct gl_context *context, struct gl_instant *out, struct gl_error *err);

/* Talk on stderr: a line for people, wrapped at the terminal, prefixed DEMO in a demonstration;
 * nothing with --quiet. Foreign text must go through gl_str_add_printable() first. */
void gl_say(struct gl_context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A step that may take over a second: shown at once on a live terminal, else after one second and
 * then each 30 s by gl_progress_tick(). gl_progress_end() clears it. */
void gl_progress(struct gl_context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same for gl_context_signals() and what is looked up in it. */
void gl_progress_signals(struct gl_context *context);
void gl_progress_tick(struct gl_context *context);
void gl_progress_end(struct gl_context *context);

/* Add to the reply. `argv` is NULL-terminated. */
void gl_warn(struct gl_context *context, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void gl_next(struct gl_context *context, const char *why, const char *const *argv);

/* The global options of this call without which another command would look elsewhere or decide by
 * other rules (--config, --state, --policy, --waivers, --demo, and --offline where the command
 * `argv` can do without the network): words into out, NULL-terminated and borrowed. gl_next() adds
 * them itself. Returns how many. */
#define GL_SAME_WORDS (2 * GL_OPTION_LIST_MAX + 11)
size_t gl_context_same(const struct gl_context *context, const char *const *argv,
                       const char *out[GL_SAME_WORDS]);

/* A NULL-terminated list, or NULL, as an array of strings; "(not UTF-8)" for what is not. */
json_t *gl_words_json(const char *const *words);

/* A quantity of the envelope: {"value","low","high","unit","accounting","grade","source","age_s"};
 * unknown numbers are null. `grade` 0, accounting/source NULL leave the member out. */
struct gl_quantity_facts {
    double value, low, high; /* NAN = unknown */
    const char *unit, *accounting, *source;
    char grade;
    int64_t age_s; /* GL_UNKNOWN = leave out */
};
json_t *gl_quantity_json(const struct gl_quantity_facts *facts);

/* Print the reply or the error and give the exit status, --advisory applied. Once, at the end. */
int gl_context_finish(struct gl_context *context, int status, struct gl_error *err);
void gl_context_done(struct gl_context *context);

#endif
