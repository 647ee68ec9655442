/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_CLOUD_IMAGE_FIND_H
#define GL_TESTS_CLOUD_IMAGE_FIND_H

/* What every adapter that finds images by name must do. Asserts with cmocka. */

#include "providers/cloud/cloud.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* By its name it is the image `expected`, NULL = there is none; another name shows nothing. */
static inline void assert_image_found(struct gl_cloud *cloud, const char *id, const char *region,
                                      const char *name, const char *expected)
{
    struct gl_cloud_image seen;
    struct gl_error why = {0};

    if (cloud->ops->image_find(cloud, id, region, name, &seen, &why) != 0)
        fail_msg("%s", why.text);
    if (expected == NULL)
        assert_int_equal(seen.state, GL_IMAGE_ABSENT);
    else {
        assert_int_not_equal(seen.state, GL_IMAGE_ABSENT);
        assert_string_equal(seen.id, expected);
    }
    if (cloud->ops->image_find(cloud, id, region, "gl-never-made", &seen, &why) != 0)
        fail_msg("%s", why.text);
    assert_int_equal(seen.state, GL_IMAGE_ABSENT);
}

#endif
