/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_SIGNAL_ARCHIVE_H
#define GL_PROVIDERS_SIGNAL_ARCHIVE_H

/* What the sources said, kept for years: every forecast with the time it was issued and received,
 * every measured hour with the time it was first known and each later revision. A guarantee rests
 * on nothing else, so nothing is ever changed or mended here: records are only appended, and what
 * cannot be read back exactly is left out and counted.
 *
 * One pair of files a (source, data set, zone, meaning): "<source>.<zone>.<hash>.issues" and
 * ".actuals". Each begins with one line of JSON, padded to GL_ARCHIVE_HEADER bytes, that says all
 * of the meaning and the licence; then come records of one fixed size, each under its own checksum,
 * so that a torn end is seen, and cut by the next writer. Writers hold a lock of the folder;
 * readers need none. Compaction replaces a file whole.
 *
 * When a record was known: its time of receipt, but never before that of a record stored earlier,
 * so that a clock that went back makes nothing known too soon. */

#include "policy/facts.h"

#define GL_ARCHIVE_HEADER     1024
#define GL_ARCHIVE_MAX_HOURS  116 /* of one issue; what lies beyond is cut */
#define GL_ARCHIVE_FILE_BYTES ((int64_t)64 << 20)

/* Whose files. Strings are borrowed. */
struct gl_archive_key {
    const char *folder;
    const char *provider, *dataset, *zone;
    const struct gl_meaning *meaning;
    const char *licence, *attribution; /* of the header; no part of the identity */
};

/* One forecast. Values in millionths as in facts.h, GL_UNKNOWN for an hour not forecast. */
struct gl_archive_issue {
    int64_t issued_s; /* as the source says; GL_UNKNOWN: it does not */
    int64_t received_s;
    int64_t known_s; /* set by gl_archive_keep() and by reading */
    int64_t start_s; /* of the first hour */
    uint32_t count;
    const int64_t *value_u;
};

/* One word on one measured hour. */
struct gl_archive_actual {
    int64_t hour_s;
    int64_t value_u; /* never GL_UNKNOWN */
    int64_t received_s;
    int64_t known_s;           /* set by gl_archive_keep() and by reading */
    int64_t updated_s;         /* as the source says; GL_UNKNOWN */
    enum gl_evidence evidence; /* measured, preliminary, estimated or substitute */
    bool is_backfilled;        /* fetched later: says nothing about the lag */
};

/* What one answer held. */
struct gl_archive_batch {
    const struct gl_archive_issue *issue; /* NULL = none */
    const struct gl_archive_actual *actuals;
    size_t actual_count;
};

struct gl_archive_limits {
    int64_t issue_days, actual_days; /* 0 = 400 and 1,096 */
    int64_t max_bytes;               /* of the folder, 0 = 512 MiB; above it nothing is added */
};

struct gl_archive_kept {
    size_t issues;    /* 1 when the issue was new */
    size_t hours;     /* seen for the first time */
    size_t revisions; /* seen before with another figure or evidence */
};

/* Append what is new of an answer: an issue unless it says what the newest stored one says, an hour
 * unless its figure and evidence are those last stored. All of a batch or, after a crash, a leading
 * part of it. The folder is made when it does not exist. *out_kept may be NULL. Errors: IO,
 * DISK_FULL, LOCKED (another process has written for half a second), TOO_LARGE (the ceiling of the
 * folder); what was stored before stays readable. */
int gl_archive_keep(const struct gl_archive_key *key, const struct gl_archive_batch *batch,
                    const struct gl_archive_limits *limits, struct gl_archive_kept *out_kept,
                    struct gl_error *err);

/* What is stored, in the order in which it became known. */
struct gl_archive_content {
    size_t issue_count, actual_count;
    struct gl_archive_issue *issues;
    struct gl_archive_actual *actuals; /* revisions of an hour one after the other */
    int64_t *values_u;                 /* of the issues */
    size_t damaged;                    /* records left out */
};

/* All that was known at `known_at_s` (GL_UNKNOWN: all there is). No files: an empty content, 0.
 * Errors: IO, TOO_LARGE. */
int gl_archive_read(const struct gl_archive_key *key, int64_t known_at_s,
                    struct gl_archive_content *out, struct gl_error *err);
void gl_archive_content_done(struct gl_archive_content *content);

/* What a pair of files is about. */
struct gl_archive_entry {
    char provider[24], dataset[64], zone[40], licence[40], attribution[96];
    struct gl_meaning meaning;
};

/* The pairs of one source and zone, sorted by data set and meaning; *out is fresh, NULL for none.
 * Files that are not ours are passed over. */
size_t gl_archive_list(const char *folder, const char *provider, const char *zone,
                       struct gl_archive_entry **out);

/* Records as bytes, for archive_file.c and the fuzzer: every decoder checks checksum and ranges. */
#define GL_ARCHIVE_ISSUE_BYTES  512
#define GL_ARCHIVE_ACTUAL_BYTES 64
void gl_archive_issue_encode(const struct gl_archive_issue *issue,
                             uint8_t out[GL_ARCHIVE_ISSUE_BYTES]);
bool gl_archive_issue_decode(const uint8_t bytes[GL_ARCHIVE_ISSUE_BYTES],
                             int64_t values_u[GL_ARCHIVE_MAX_HOURS], struct gl_archive_issue *out);
void gl_archive_actual_encode(const struct gl_archive_actual *actual,
                              uint8_t out[GL_ARCHIVE_ACTUAL_BYTES]);
bool gl_archive_actual_decode(const uint8_t bytes[GL_ARCHIVE_ACTUAL_BYTES],
                              struct gl_archive_actual *out);
int gl_archive_header_write(const struct gl_archive_key *key, char out[GL_ARCHIVE_HEADER],
                            struct gl_error *err);
bool gl_archive_header_read(const char bytes[GL_ARCHIVE_HEADER], struct gl_archive_entry *out);

#endif
