/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_LABELS_H
#define GL_PROVIDERS_LABELS_H

/* What is written on every instance, so that it is found again by its launch and its token. */

#include "base/json.h"
#include "providers/cloud/cloud.h"

/* The labels of every instance, legal on all clouds: names and values [a-z0-9-], at most 63. The
 * token is 64 hex digits and goes into two of them. */
#define GL_LABEL_COUNT 5
#define GL_LABEL_VALUE 64
struct gl_label {
    const char *name; /* "greenlaunch-request", -attempt, -expires, -token-a, -token-b */
    char value[GL_LABEL_VALUE];
};
void gl_labels_of(const struct gl_launch *launch, struct gl_label out[GL_LABEL_COUNT]);
/* The same as an object {name: value}; a new reference. */
json_t *gl_labels_json(const struct gl_launch *launch);
/* Read labels back into an instance. `get` gives the value of a name, NULL when there is none.
 * false when they are not ours. */
bool gl_labels_read(const char *(*get)(void *cookie, const char *name), void *cookie,
                    struct gl_instance *out);
/* "gl-4k2p9x-1": name of the attempt, unique per project; where names are the create token. */
void gl_attempt_name(const struct gl_launch *launch, char out[GL_CLOUD_ID]);
/* Of instances with one token: the one that counts (see find_by_request); NULL when none. */
const struct gl_instance *gl_instance_of_token(const struct gl_instance *instances, size_t count,
                                               const char *token);

#endif
