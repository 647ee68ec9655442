/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_SIGNAL_STORE_PART_H
#define GL_PROVIDERS_SIGNAL_STORE_PART_H

/* What the parts of the signal store share: answers (store.c), the archive beside them
 * (store_archive.c) and the filling of it (backfill.c). */

#include "providers/signal/fetch.h"
#include "providers/signal/history.h"
#include "providers/signal/store.h"

struct source {
    const struct gl_signal_ops *ops; /* NULL: the configuration names an unknown one */
    const struct gl_signal_config *config;
    struct gl_fetch_source fetch;
    struct gl_access access;
    bool is_read; /* sources with a path: read once, whole */
    struct gl_signal_result whole;
    bool is_raw_read; /* once more, as it came, when a series of it was suspect */
    struct gl_signal_result raw;
    struct gl_error raw_trouble;
    struct gl_error trouble;
};

/* What is known of one question. */
struct entry {
    uint32_t mark; /* of its zone */
    struct gl_signal_query query;
    char neso[8];
    struct gl_zone_facts facts;
    struct gl_signal_result *results; /* one a source; empty for sources with a path */
    const struct gl_series **series;  /* of facts */
    struct gl_history **histories;    /* of facts */
    size_t history_count;
};

struct gl_signal_store {
    struct gl_fetch fetch;
    char *cache_folder, *archive_folder;
    bool is_replay;
    bool is_archive_dead; /* could not be written once: not tried again */
    struct gl_error archive_death;
    struct gl_signal_config builtin;
    struct source *sources;
    size_t source_count;
    struct entry **entries;
    size_t entry_count;
    char (*ahead)[48]; /* zones whose questions were sent before their turn */
    size_t ahead_count;
    struct gl_signal_report *reports;
    size_t report_count, report_capacity;
};

struct gl_store_request {
    const struct gl_signal_query *query;
    unsigned index;
};

/* How many answers one question to a source may have. */
#define GL_STORE_REQUESTS_MAX 6

/* Is the source one to ask about the zone: an adapter knows it, and the configuration keeps the
 * source to no other one? */
bool gl_store_covers(const struct source *source, const char *zone);
/* Parse, check and tidy one answer into *result. */
int gl_store_take(const struct gl_signal_store *store, const struct source *source,
                  const struct gl_store_request *request, const struct gl_cached *answer,
                  struct gl_signal_result *result, struct gl_error *err);
bool gl_store_is_trusted(const struct gl_signal_result *result, size_t from);

/* The first trouble stays; its text is copied. */
void gl_store_note(struct gl_signal_trouble *noted, const struct gl_error *trouble);
/* Store what a fresh series that can be trusted says; what goes wrong stands in the report. */
void gl_store_archive(struct gl_signal_store *store, const struct source *source,
                      const struct gl_series *series, struct gl_signal_report *report);
/* The same for actuals that a backfill fetched; *kept grows. */
int gl_store_archive_past(const struct gl_signal_store *store, const struct source *source,
                          const struct gl_series *series, struct gl_archive_kept *kept,
                          struct gl_error *err);
/* Fill the histories of an entry from the archive and its files. */
void gl_store_fill_histories(struct gl_signal_store *store, struct entry *entry);

#endif
