/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_SIGNAL_ARCHIVE_PART_H
#define GL_PROVIDERS_SIGNAL_ARCHIVE_PART_H

/* What the parts of the archive share: one file of records of one size under one header. */

#include "base/str.h"
#include "providers/signal/archive.h"

enum gl_archive_kind { GL_ARCHIVE_ISSUES, GL_ARCHIVE_ACTUALS };

/* The path of a key's file, fresh. */
char *gl_archive_path(const struct gl_archive_key *key, enum gl_archive_kind kind);
size_t gl_archive_record_bytes(enum gl_archive_kind kind);
bool gl_archive_is_observed(enum gl_evidence evidence);

/* Records of a file as they are, unchecked; none when there is no file or its header is not the
 * key's. `bytes` is fresh and holds the header too. Errors: IO, TOO_LARGE. */
struct gl_archive_records {
    char *bytes;
    const uint8_t *first; /* NULL when there is none */
    size_t count;
    size_t before;   /* records that were not read */
    bool is_foreign; /* something is there that is not ours */
};
/* The newest `most` records and, before them, the oldest one. */
int gl_archive_load(const struct gl_archive_key *key, enum gl_archive_kind kind, size_t most,
                    struct gl_archive_records *out, struct gl_error *err);

/* Append whole records under the folder's lock, after cutting a torn end; begins a new file when
 * there is none, and moves one aside whose header cannot be read. Nothing is left behind when it
 * fails. */
int gl_archive_append(const struct gl_archive_key *key, enum gl_archive_kind kind,
                      const struct gl_str *records, struct gl_error *err);
/* Replace a file by these records. */
int gl_archive_replace(const struct gl_archive_key *key, enum gl_archive_kind kind,
                       const struct gl_str *records, struct gl_error *err);
/* Bytes of all files of the folder. */
int64_t gl_archive_folder_bytes(const char *folder);

#endif
