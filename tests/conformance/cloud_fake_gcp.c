/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/cloud_remote.h"

#include "tests/support/fake_gcp.h"
#include "tests/support/scratch.h"

#include <stdio.h>
#include <stdlib.h>

static char *folder;
static char address[128], key_path[256];

static void *start(void)
{
    struct fake_gcp *fake = gl_alloc(sizeof *fake);

    folder = scratch_make("cloud-gcp");
    fake_gcp_start(fake, folder);
    snprintf(address, sizeof address, "%s", gl_test_server_url(fake->server));
    snprintf(key_path, sizeof key_path, "%s", fake->key_path);
    return fake;
}

static void stop(void *counterpart)
{
    struct fake_gcp *fake = counterpart;

    if (fake->complaints.length > 0) {
        fprintf(stderr, "the counterpart complains: %s", gl_str_text(&fake->complaints));
        abort();
    }
    fake_gcp_stop(fake);
    free(fake);
    scratch_remove(folder);
}

static const char *url(const void *counterpart)
{
    (void)counterpart;
    return address;
}

static const char *const environment[] = {"HOME=/nonexistent", NULL};
static const struct gl_setting settings[] = {
    {"credentials", key_path}, {"billing-endpoint", address}, {"projects-endpoint", address}};

const struct gl_remote_fixture gl_remote_fixture_gcp = {.start = start,
                                                        .stop = stop,
                                                        .url = url,
                                                        .environment = environment,
                                                        .settings = settings,
                                                        .setting_count =
                                                            sizeof settings / sizeof *settings};
