/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_ACT_H
#define GL_BROKER_CLI_ACT_H

/* What the acting commands (launch, run, status, stop) share: the launcher of this context, the
 * plan of a chosen offer, and the words of a refusal. */

#include "broker/cli/command.h"
#include "broker/launch.h"

/* The journal over this context's ledger and clouds. `zone` is where the local cloud stands. */
int gl_act_launcher(struct gl_context *context, struct gl_launcher *out, struct gl_error *err);

/* A cloud by name with the settings of the configuration; `zone` is for the local one, may be
 * NULL. */
struct gl_cloud *gl_act_open_cloud(struct gl_context *context, const char *cloud, const char *zone,
                                   struct gl_error *err);

/* The same where nothing need be written: the ledger of gl_context_ledger_to_look(). */
int gl_act_launcher_to_look(struct gl_context *context, struct gl_launcher *out,
                            struct gl_error *err);

/* The same when the ledger cannot be opened: clouds only, for stopping by label. */
void gl_act_launcher_without_ledger(struct gl_context *context, struct gl_launcher *out);

/* Ask `count` clouds at once (broker/together.h), each by `ask`; answers[i] is empty where none
 * came in time, and gl_act_unanswered() says so. */
struct gl_act_question {
    struct gl_context *context;
    void *cookie;
    void (*ask)(struct gl_context *context, void *cookie, size_t index, struct gl_str *out);
};
void gl_act_together(const struct gl_act_question *question, size_t count, struct gl_str *answers);
int gl_act_unanswered(const char *cloud, struct gl_error *err);
/* The status at the end: that, or -1 with *err where a signal or --timeout ended the asking. */
int gl_act_asked(int status, struct gl_error *err);
/* First in such a child: it has connections of its own, no ledger, and says nothing. */
void gl_act_apart(struct gl_context *context);

/* Who the clouds of the configuration say that we are, all asked at once: out[i] of
 * config.clouds.items[i]. */
struct gl_act_account {
    bool is_known;
    char who[128];
    size_t regions; /* how many, where wanted */
    struct gl_error why;
    bool has_date; /* of an answer; this clock is ahead_s before it (base/http_date.h) */
    int64_t ahead_s;
};
void gl_act_accounts(struct gl_context *context, bool wants_regions,
                     struct gl_act_account out[GL_CONFIG_CLOUDS_MAX]);

/* Bring the ledger to the truth first and say what changed. */
int gl_act_reconcile(struct gl_context *context, struct gl_launcher *launcher,
                     struct gl_error *err);

/* Warn of the clouds that do not answer, but for the first `named`, of which that was said. */
void gl_act_warn_silent(struct gl_context *context, const struct gl_launcher *launcher,
                        size_t named);

/* Restrict a request that names no cloud to those that can launch here; USAGE when it names one
 * that this version can only rank. */
int gl_act_only_launchable(struct gl_ask *ask, struct gl_error *err);

/* The evidence so far of launching `offer`, as kept by the journal (broker/receipt.h). */
json_t *gl_act_plan(const struct gl_ask_result *asked, uint32_t offer, const char *const *command,
                    int64_t interval_ms, struct gl_error *err);

/* Parts of it: the share of a server of unknown make; the machine as the power model sees it. New
 * references. */
json_t *gl_act_embodied(uint32_t vcpus, uint32_t host_vcpus);
json_t *gl_act_machine(const char *family, uint32_t vcpus, uint32_t memory_mib);

/* Text, data, warnings, next steps of a verdict that is no allow, and the demand signal recorded.
 * Returns the exit status, or -1 with *err. */
int gl_act_refusal(struct gl_context *context, const struct gl_ask_result *asked,
                   struct gl_error *err);

/* A list option as a NULL-terminated list in `storage`, which has a place more than it; NULL when
 * it was not given. */
const char *const *gl_act_list(const struct gl_option_list *list, const char **storage);

/* The footprint of a receipt's text as lines for people, and as "data" members. */
int gl_act_show_receipt(struct gl_context *context, const char *receipt, struct gl_error *err);

#endif
