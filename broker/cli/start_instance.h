/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_START_INSTANCE_H
#define GL_BROKER_CLI_START_INSTANCE_H

/* What launch and run do alike: decide, and when allowed start one instance through the journal. */

#include "broker/cli/act.h"

struct gl_start_options {
    const char *name;
    const char *const *command; /* NULL-terminated; NULL = none */
    const char *image;
    const char *const *with, *const *files_in; /* NULL-terminated or NULL */
    bool has_network;
    const char *user_data;
    bool may_lack_rules; /* --no-rules */
    bool is_spot;        /* of a rented machine, as these */
    const char *meter_url, *meter_sha256;
    bool is_interruptible; /* by a plan with pauses: broker/cli/stretches.h */
    const char *account, *over_budget, *approved_by; /* broker/cli/charge.h; NULL = not said */
};

/* Nothing is started by default: someone has said what is green enough, or that it does not matter.
 * Errors: USAGE. */
int gl_start_check_rules(const struct gl_policy *policy, bool may_lack_rules, struct gl_error *err);

/* Returns 0 and *out when it runs; the exit status of a refusal (reply filled, demand recorded);
 * -1 with *err: USAGE when there is no rule to decide by; TIMEOUT, INTERRUPTED or TERMINATED when
 * that came before it ran: then it is ended, and the reply shows its receipt. */
int gl_start_instance(struct gl_context *context, struct gl_launcher *launcher, struct gl_ask *ask,
                      const struct gl_start_options *options, struct gl_instance *out,
                      struct gl_error *err);

/* Options of what goes into the instance, in the values struct right after those of the question.
 */
struct gl_inside {
    const char *name, *image, *network, *user_data;
    struct gl_option_list with, files_in;
};
struct gl_start_values {
    struct gl_ask ask;
    struct gl_inside inside;
    bool has_no_rules;
    bool is_spot;
    const char *meter_url, *meter_sha256;
    bool is_interruptible;
    const char *account, *over_budget, *approved_by;
};
#define GL_INSIDE_AT(field) offsetof(struct gl_start_values, inside.field)
/* Their rows stand in start_options.def, to be included after those of ask_options.def. */

/* The options as gl_start_options; `lists` is storage for the two lists. */
struct gl_start_lists {
    const char *with[GL_OPTION_LIST_MAX + 1];
    const char *files_in[GL_OPTION_LIST_MAX + 1];
};
void gl_start_options_of(const struct gl_start_values *values, const char *const *command,
                         struct gl_start_lists *lists, struct gl_start_options *out);

/* Tell that it has started, and why it is no machine when it is none. */
void gl_start_say_started(struct gl_context *context, const struct gl_instance *instance);
/* Where the receipt of a launch lies, as text, data and next step; nothing when there is none. */
void gl_start_point_to_receipt(struct gl_context *context, const struct gl_launcher *launcher,
                               const char *launch);

#endif
