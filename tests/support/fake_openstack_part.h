/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_FAKE_OPENSTACK_PART_H
#define GL_TESTS_FAKE_OPENSTACK_PART_H

/* What the two files of the OpenStack counterpart share. */

#include "tests/support/fake_openstack.h"

/* One request on its way through. */
struct asked {
    struct fake_openstack *fake;
    struct fake_openstack_region *region;
    const char *name; /* of the region */
    const struct gl_test_request *request;
    struct gl_test_answer *out;
    int minor; /* of the microversion asked for */
};

void fake_openstack_complain(struct fake_openstack *fake, const char *what);
/* Takes the value. */
void fake_openstack_json(struct gl_test_answer *out, int status, json_t *value);
void fake_openstack_refuse(struct gl_test_answer *out, int status, const char *word,
                           const char *message);
void fake_openstack_deny(struct gl_test_answer *out);
bool fake_openstack_is(const struct asked *asked, const char *method);
/* "" when it is not there. */
const char *fake_openstack_text(const json_t *object, const char *key);
/* NULL = null. */
void fake_openstack_set(json_t *object, const char *key, const char *value);
void fake_openstack_query(const struct gl_test_request *request, const char *name, char *out,
                          size_t size);
/* Below the address of compute. */
void fake_openstack_nova(struct asked *asked, char *path);

#endif
