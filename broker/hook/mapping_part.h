/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_MAPPING_PART_H
#define GL_BROKER_HOOK_MAPPING_PART_H

/* What the parts of the mapping share: the carried texts, the form of a file, paths of a row. */

#include "broker/hook/path.h"
#include "policy/form.h"

#define GL_MAPPING_MAX_FILES 64   /* of a user's folder */
#define GL_MAPPING_MAX_ROWS  4096 /* of all files */

/* A carried file: its name is the provider's. */
struct gl_carried {
    const char *name; /* "aws" */
    const char *begin, *end;
};
const struct gl_carried *gl_mapping_carried(size_t *out_count);

/* A file as read. */
struct gl_mapping_file {
    struct gl_mapping_provider *provider; /* NULL until it is read */
    bool is_provider_named_only;          /* says only which one it is about */
    /* Of rows that do not say it themselves. */
    const char *verified;
    const struct gl_path *tags;
    const struct gl_place_row *places;
    size_t place_count;
    const struct gl_mapping_row *const *rows;
    size_t row_count;
    const struct gl_mapping_row *const *context; /* only type and aliases */
    size_t context_count;
};

/* A whole file. -1 when anything was noted; what could be read is in *out all the same. */
int gl_mapping_read_file(const struct gl_reader *reader, struct gl_mapping_file *out);
/* One row of a file of ours, cut out of it ("- type: ..."); NULL when anything was noted. */
struct gl_mapping_row *gl_mapping_read_row(const struct gl_reader *reader);

/* All paths of a row, NULLs left out; returns how many. */
#define GL_MAPPING_ROW_PATHS 48
struct gl_mapping_path {
    char key[32]; /* "count.min" */
    const struct gl_path *path;
};
size_t gl_mapping_row_paths(const struct gl_mapping_row *row,
                            struct gl_mapping_path out[GL_MAPPING_ROW_PATHS]);

/* ---- texts that hold quantities ---- */

/* "500m", "0.5", "1 vCPU", "1024" (units of 1/1024): millionths of a vCPU; GL_UNKNOWN. */
int64_t gl_hook_vcpus(const char *text, const char *unit);
/* "512", "2 GB", "1Gi", "256M", "129e6": MiB, rounded up; GL_UNKNOWN. */
int64_t gl_hook_memory(const char *text, const char *unit);
/* "600", "3600s", "PT1H", "2h": seconds; GL_UNKNOWN. */
int64_t gl_hook_duration(const char *text);
/* As offers call it: "db.t3.micro" without one of `strip` ("db." in front, ".search" behind). */
const char *gl_hook_catalogue(const char *type, const char *const *strip, struct gl_arena *arena);
/* vCPUs and memory that stand in the name of a size made to measure: "db-custom-2-7680". */
bool gl_hook_custom_size(const char *type, int64_t *out_vcpus_u, int64_t *out_memory_mib);

/* Count of `row`; adds heads of what is known later to `unknown`, sentences to `notes`. */
struct gl_extraction {
    const struct gl_mapping_row *row;
    const struct gl_attributes *attributes;
    const struct gl_follower *follower;
    struct gl_arena *arena;
    const char *const *notes, *const *unknown, *const *sensitive;
    size_t note_count, unknown_count, sensitive_count;
};
void gl_extract_note(struct gl_extraction *extraction, const char *sentence);
void gl_extract_unknown(struct gl_extraction *extraction, const struct gl_path *path);
/* Is a part of what somebody wrote there known later only, or hidden? Then it is among `unknown`,
 * and `sensitive`. */
bool gl_extract_is_untold(struct gl_extraction *extraction, const struct gl_path *path);
/* Is it there, yet none of the words? */
bool gl_extract_is_other(struct gl_extraction *extraction, const struct gl_path *path,
                         const char *const *words);
/* Is one of `words` (NULL: "true") what the path gives? Anything that is there, if `any`. */
bool gl_extract_matches(struct gl_extraction *extraction, const struct gl_path *path,
                        const char *const *words);
void gl_extract_count(struct gl_extraction *extraction, const struct gl_intent_place *place,
                      struct gl_intent_count *out);

/* ---- for readers of many resources ---- */

/* gl_mapping_reads() of many attributes of one type; lives with the mapping. */
struct gl_mapping_reads;
const struct gl_mapping_reads *gl_mapping_reads_of(const struct gl_hook_mapping *mapping,
                                                   const char *type);
bool gl_mapping_reads_name(const struct gl_mapping_reads *reads, struct gl_view name);
/* The attribute that gl_mapping_tags() reads and nothing else does; NULL = none. */
const char *gl_mapping_reads_tags(const struct gl_mapping_reads *reads);
/* The tags alone: "key=value" each, without those that are secret. NULL = none. */
const char *const *gl_mapping_tags(const struct gl_mapping_row *row,
                                   const struct gl_attributes *attributes, struct gl_arena *arena);

#endif
