/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/cloud_remote.h"

#include "tests/support/fake_openstack.h"

#include <stdio.h>
#include <stdlib.h>

static char auth_url[160];

static void *start(void)
{
    struct fake_openstack *fake = gl_alloc(sizeof *fake);

    fake_openstack_start(fake);
    snprintf(auth_url, sizeof auth_url, "OS_AUTH_URL=%s/identity",
             gl_test_server_url(fake->server));
    return fake;
}

static void stop(void *counterpart)
{
    struct fake_openstack *fake = counterpart;

    if (fake->complaints.length > 0) {
        fprintf(stderr, "the counterpart complains: %s", gl_str_text(&fake->complaints));
        abort();
    }
    fake_openstack_stop(fake);
    free(fake);
}

static const char *url(const void *counterpart)
{
    return gl_test_server_url(((const struct fake_openstack *)counterpart)->server);
}

static const char *const environment[] = {auth_url,
                                          "OS_USERNAME=tester",
                                          "OS_PASSWORD=" FAKE_OPENSTACK_PASSWORD,
                                          "OS_PROJECT_NAME=green",
                                          "OS_USER_DOMAIN_NAME=Default",
                                          "OS_REGION_NAME=north",
                                          NULL};
static const struct gl_setting settings[] = {{"image", "debian"}};

const struct gl_remote_fixture gl_remote_fixture_openstack = {.start = start,
                                                              .stop = stop,
                                                              .url = url,
                                                              .environment = environment,
                                                              .settings = settings,
                                                              .setting_count = 1};
