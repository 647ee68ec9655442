/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_PROVIDER_H
#define GL_BROKER_CLI_PROVIDER_H

/* The parts of `provider`: what there is (provider_list.c), what is written (provider_add.c), what
 * works (provider_check.c) and what an account must allow (provider_rights.c). cmd_provider.c holds
 * their options and finds the cloud. */

#include "broker/cli/setup.h"

struct gl_provider_values {
    bool wants_describe, wants_launch, is_forced;
};

struct gl_provider_call {
    const struct gl_provider_values *values;
    const struct gl_cloud_ops *ops; /* of the cloud that was named; NULL = none was */
    const char *const *words;       /* that follow */
    size_t word_count;
};

/* Append where credentials of a cloud were found, with its settings; nothing when nowhere. */
void gl_provider_found(const struct gl_context *context, const char *cloud, struct gl_str *out);

/* Each fills the reply and returns the exit status, or -1 with *err. */
int gl_provider_list(struct gl_context *context, const struct gl_provider_call *call,
                     struct gl_error *err);
int gl_provider_add(struct gl_context *context, const struct gl_provider_call *call,
                    struct gl_error *err);
int gl_provider_remove(struct gl_context *context, const struct gl_provider_call *call,
                       struct gl_error *err);
int gl_provider_check(struct gl_context *context, const struct gl_provider_call *call,
                      struct gl_error *err);
int gl_provider_rights(struct gl_context *context, const struct gl_provider_call *call,
                       struct gl_error *err);

#endif
