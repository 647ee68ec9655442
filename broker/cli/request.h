/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_REQUEST_H
#define GL_BROKER_CLI_REQUEST_H

/* The parts of `request`: what is missing and its drafts (request_observe.c), what would be sent
 * (request_preview.c), sending it (request_approve.c), what became of it (request_status.c), all
 * that was sent (request_export.c). cmd_request.c holds their options. */

#include "broker/cli/help.h"
#include "broker/cli/request_feed.h"
#include "broker/demand.h"
#include "broker/request_follow.h"
#include "policy/arena.h"

struct gl_request_values {
    struct gl_feed_ask feed;
    const char *venue, *join, *digest, *by, *reason, *lift, *filed, *format;
    struct gl_option_list settings;
    bool wants_all, has_no_search, wants_now, is_absent, is_closed;
};

struct gl_request_call {
    struct gl_context *context;
    const struct gl_request_values *values;
    const char *const *words; /* behind the verb */
    size_t count;
    struct gl_request_desk desk;
    struct gl_clustering *clustering; /* of the verbs that look at demand */
    const struct gl_cluster *clusters;
    size_t cluster_count;
    struct gl_demand_threshold threshold;
    struct gl_arena arena; /* texts that outlive what they were read from */
};

/* Each fills the reply and returns the exit status, or -1 with *err. */
int gl_request_run_observe(struct gl_request_call *call, struct gl_error *err);
int gl_request_run_draft(struct gl_request_call *call, struct gl_error *err);
int gl_request_run_preview(struct gl_request_call *call, struct gl_error *err);
int gl_request_run_withdraw(struct gl_request_call *call, struct gl_error *err);
int gl_request_run_approve(struct gl_request_call *call, struct gl_error *err);
int gl_request_run_status(struct gl_request_call *call, struct gl_error *err);
int gl_request_run_export(struct gl_request_call *call, struct gl_error *err);

/* ---- shared ---- */

/* The demand of this ledger into the call. */
int gl_request_gather(struct gl_request_call *call, struct gl_error *err);
/* The cluster that a person names. UNKNOWN_NAME. */
const struct gl_cluster *gl_request_cluster(const struct gl_request_call *call, const char *id,
                                            struct gl_error *err);
/* "2 more, 1 day": what it lacks to be due; "own limit" of what never will be. Appended. */
void gl_request_add_missing(const struct gl_request_call *call, const struct gl_cluster *cluster,
                            struct gl_str *out);
/* Says what is missing. Returns GL_EXIT_REFUSED. */
int gl_request_refuse_early(const struct gl_request_call *call, const struct gl_cluster *cluster);
/* Title, unless it is a comment, and text, wrapped for a person. */
void gl_request_show_text(const struct gl_request_call *call, const struct gl_request_text *text,
                          bool has_title, struct gl_str *out);
/* The row of the listeners that a request of that provider goes to: that with --venue, else the
 * first one with settings in the configuration, else the first one that a venue of ours reaches.
 * Only those who listen to requests about instances; NULL when nobody is known to. */
const struct gl_listener *gl_request_listener(const struct gl_request_call *call,
                                              const char *provider);
/* Nothing of a demonstration is ever sent. USAGE. */
int gl_request_refuse_demo(const struct gl_context *context, struct gl_error *err);
/* A preview for people: where, under whose name, exactly what. */
void gl_request_show_preview(const struct gl_venue_preview *preview, struct gl_str *out);
json_t *gl_request_preview_json(const struct gl_venue_preview *preview);
/* One request, for machines. New reference. */
json_t *gl_request_record_json(const struct gl_request_record *record);
/* Does an offer satisfy the rule of the request now, in its region? UNASKED: its normal form leaves
 * out limits of the user's own, and no configured policy says them. Errors of the signals. */
enum gl_request_grant { GL_GRANT_UNASKED, GL_GRANT_NONE, GL_GRANT_FOUND };
struct gl_request_offer {
    char cloud[GL_REQUEST_NAME], region[GL_REQUEST_NAME], type[GL_REQUEST_NAME];
};
int gl_request_find_offer(struct gl_context *context, const struct gl_request_record *record,
                          struct gl_request_offer *out, enum gl_request_grant *out_grant,
                          struct gl_error *err);

/* ---- request_cost.c ---- */

/* What was done instead and what that cost: cells of a table ("-" = not known, "moved+" = and
 * others), one sentence with the reason of what is not known, and JSON. */
void gl_request_instead_cell(const struct gl_cluster *cluster, struct gl_str *out);
void gl_request_lost_cell(const struct gl_cluster *cluster, struct gl_str *out);
void gl_request_extra_cell(const struct gl_cluster *cluster, struct gl_str *out);
void gl_request_add_cost(const struct gl_cluster *cluster, struct gl_str *out);
json_t *gl_request_instead_json(const struct gl_cluster *cluster); /* new reference */
json_t *gl_request_cost_json(const struct gl_cluster *cluster);    /* new reference */

#endif
