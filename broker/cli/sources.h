/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_SOURCES_H
#define GL_BROKER_CLI_SOURCES_H

/* The parts of `source`: what there is and what is written (source_add.c), what answers
 * (source_check.c). cmd_source.c holds their options. */

#include "broker/cli/setup.h"

struct gl_source_values {
    const char *zone;
    bool is_last;
};

struct gl_source_call {
    const struct gl_source_values *values;
    const char *name;         /* as it was typed: a source, or its number; NULL = none */
    const char *const *words; /* that follow */
    size_t word_count;
};

/* Each fills the reply and returns the exit status, or -1 with *err. */
int gl_source_list(struct gl_context *context, const struct gl_source_call *call,
                   struct gl_error *err);
int gl_source_add(struct gl_context *context, const struct gl_source_call *call,
                  struct gl_error *err);
int gl_source_remove(struct gl_context *context, const struct gl_source_call *call,
                     struct gl_error *err);
int gl_source_check(struct gl_context *context, const struct gl_source_call *call,
                    struct gl_error *err);

/* The sources that are asked, in order: those of the configuration or, where it lists none, the
 * default ones. Borrowed. */
const struct gl_signal_config *gl_sources_asked(const struct gl_context *context,
                                                size_t *out_count);
/* The zone that a source is asked about in a check: `asked`, its own, this machine's if it knows
 * that, else one that it knows. */
const char *gl_sources_zone(const struct gl_context *context, const struct gl_signal_config *source,
                            const char *asked);
/* UNKNOWN NAME of a source. Returns -1. */
int gl_sources_fail_name(const char *name, struct gl_error *err);
/* Where a source's secrets are looked for, "$NAME found", "$NAME not set", "none needed"; false
 * when one is missing. */
bool gl_sources_keys(const struct gl_context *context, const struct gl_signal_config *source,
                     struct gl_str *out);

#endif
