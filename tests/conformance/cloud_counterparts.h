/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_CLOUD_COUNTERPARTS_H
#define GL_TESTS_CLOUD_COUNTERPARTS_H

/* All counterparts of ours of rented clouds, seen alike: how one is started and reached, what may
 * be asked of it, and which machines it has. For tests that go over all clouds. */

#include "providers/cloud/cloud.h"
#include "tests/support/http_server.h"

#define GL_COUNTERPART_TYPES    8
#define GL_COUNTERPART_LINES    8
#define GL_COUNTERPART_SETTINGS 6

/* An answer to any request, in the cloud's own words. */
struct gl_counterpart_word {
    int status;
    const char *type, *body;
};

struct gl_counterpart {
    const char *cloud, *region;
    /* What may be asked for: the first is well, others may misbehave (see the counterpart). */
    const char *types[GL_COUNTERPART_TYPES];
    /* Environment and settings that lead there; '@' stands for the address (it may be that of a
     * proxy), '#' for the counterpart's own, '%' for the folder. */
    const char *environment[GL_COUNTERPART_LINES];
    struct gl_setting settings[GL_COUNTERPART_SETTINGS];
    /* The request that makes a machine: method, glob of the path, part of the body. */
    const char *create[3];
    struct gl_counterpart_word throttled, broken;

    void *(*start)(const char *folder);
    void (*stop)(void *fake);
    const char *(*url)(const void *fake);
    const char *(*complaints)(const void *fake); /* "" = none; read it when nothing is under way */
    size_t (*left)(const void *fake);            /* machines and what else costs money */
    /* The launch of machine `at`, NULL after the last; "" when it is none that counts: it has
     * ended, or it never ran. */
    const char *(*launch_of)(const void *fake, size_t at);
    /* From now on every console shows this; must outlive the counterpart. NULL = has no console. */
    void (*say)(void *fake, const char *text);
};

#define GL_COUNTERPARTS 8
extern const struct gl_counterpart gl_counterparts[GL_COUNTERPARTS];
const struct gl_counterpart *gl_counterpart_of(const char *cloud); /* NULL = none */

bool gl_counterpart_is_create(const struct gl_counterpart *kind,
                              const struct gl_test_request *request);
/* Machines of one launch that run at this moment: the most of any. */
unsigned gl_counterpart_most(const struct gl_counterpart *kind, const void *fake);
/* '@', '#' and '%' of a line filled in; to be freed. */
struct gl_counterpart_way {
    const char *url, *own_url, *folder;
};
char *gl_counterpart_fill(const char *line, const struct gl_counterpart_way *way);

#endif
