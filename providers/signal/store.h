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
    const char *archive_folder;             /* NULL = nothing is stored for guarantees */
    const struct gl_signal_config *sources; /* in order; borrowed; the built-in table comes last */
    size_t source_count;
    bool is_offline;     /* never touch the network; cached answers still serve */
    bool is_replay;      /* the world stands at a past instant: what files measured after it, or
                          * forecast later, is not known yet; else such figures are suspect */
    int64_t deadline_ms; /* all network work of one process; 0 = 2000 */
};

struct gl_signal_store *gl_signal_store_new(const struct gl_signal_store_options *options);
void gl_signal_store_free(struct gl_signal_store *store);

/* All that is known of a zone in [from, until), in fallback order; borrowed until the store is
 * freed; never NULL (count 0 = nothing known). A source that failed is in the report instead. With
 * an archive folder every fresh answer that can be trusted is stored there; when that fails the
 * report says so, and the answer serves all the same. With query->wants_history the histories are
 * filled too, as known at the world's now: from the archive, for `file` sources from the file. */
const struct gl_zone_facts *gl_signal_store_zone(struct gl_signal_store *store,
                                                 const struct gl_signal_query *query);

/* Send the questions of a zone that gl_signal_store_zone() will be asked for, so that those of many
 * zones and sources are under way at once. */
void gl_signal_store_ahead(struct gl_signal_store *store, const struct gl_signal_query *query);

/* What went wrong; GL_OK and "" when nothing did. Owned by the store. */
struct gl_signal_trouble {
    enum gl_errc code;
    const char *text;
    uint32_t line; /* of the file that was read; 0 = none */
};

/* What happened to each source for each zone asked, for `signals --explain` and warnings. */
struct gl_signal_report {
    const char *source;
    char zone[40];
    bool is_ok, is_from_cache, is_skipped;
    bool is_unknown; /* it answered that it has nothing for us: no right to it, or no data */
    bool is_doubted; /* a series of it cannot be trusted: the error says which and why */
    int64_t age_s;   /* of the answer; GL_UNKNOWN */
    struct gl_signal_trouble error; /* when it failed */
    /* When its answer could not be stored or its history not be read. */
    struct gl_signal_trouble archive;
};
const struct gl_signal_report *gl_signal_store_reports(const struct gl_signal_store *store,
                                                       size_t *out_count);

/* ---- filling the archive ---- */

/* How far a backfill has come, after each answer. */
struct gl_backfill_step {
    const char *source;
    struct gl_instant from, until; /* of the answer */
    unsigned done, all;            /* answers, of this source */
    size_t hours, revisions;       /* stored so far, of all sources */
    bool was_there;                /* stored by an earlier run: not asked again */
};

struct gl_backfill {
    const char *zone;
    struct gl_instant from, until;
    /* After each answer; false stops (then INTERRUPTED). NULL = none. */
    bool (*progress)(void *cookie, const struct gl_backfill_step *step);
    void *cookie;
};

struct gl_backfill_result {
    unsigned sources;  /* that give past figures of the zone */
    unsigned requests; /* sent */
    size_t hours, revisions;
};

/* Fetch what the sources of a zone measured in [from, until) into the archive, in pieces as long as
 * their documentation allows, a second apart. Pieces that an earlier run stored are passed over,
 * so that a stopped run goes on where it was. Past forecasts are not fetched: sources rewrite
 * them. Errors: CONFIG (no archive folder, offline, no source gives past figures of the zone),
 * INTERRUPTED, those of the network and of the disk; what came before stays, *out_result says what
 * (filled on failure too). */
int gl_signal_backfill(struct gl_signal_store *store, const struct gl_backfill *ask,
                       struct gl_backfill_result *out_result, struct gl_error *err);

#endif
