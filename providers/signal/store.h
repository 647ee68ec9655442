/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_SIGNAL_STORE_H
#define GL_PROVIDERS_SIGNAL_STORE_H

/* The signal store: asks the configured sources in their fallback order, each zone once, through a
 * conditional cache on disk (ETag, issue time, validity, body hash). Never blocks longer than its
 * deadline in all; a dead source costs its time once, then its cached answer with its age, then
 * nothing. Never mixes sources: every series keeps its own meaning. */

#include "providers/signal/signal.h"

struct gl_signal_store;

struct gl_signal_store_options {
    const struct gl_world *world;
    const char *cache_folder;               /* NULL = no cache */
    const struct gl_signal_config *sources; /* in order; borrowed; the built-in table comes last */
    size_t source_count;
    bool is_offline;     /* never touch the network; cached answers still serve */
    int64_t deadline_ms; /* all network work of one process; 0 = 2000 */
};

struct gl_signal_store *gl_signal_store_new(const struct gl_signal_store_options *options);
void gl_signal_store_free(struct gl_signal_store *store);

/* All that is known of a zone in [from, until), in fallback order; borrowed until the store is
 * freed; never NULL (count 0 = nothing known). A source that failed is in the report instead. */
const struct gl_zone_facts *gl_signal_store_zone(struct gl_signal_store *store,
                                                 const struct gl_signal_query *query);

/* What happened to each source for each zone asked, for `signals --explain` and warnings. */
struct gl_signal_report {
    const char *source;
    char zone[40];
    bool is_ok, is_from_cache, is_skipped;
    int64_t age_s;         /* of the answer; GL_UNKNOWN */
    struct gl_error error; /* when it failed */
};
const struct gl_signal_report *gl_signal_store_reports(const struct gl_signal_store *store,
                                                       size_t *out_count);

#endif
