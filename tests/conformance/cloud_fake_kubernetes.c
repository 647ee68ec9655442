/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/cloud_fake_kubernetes.h"

#include "tests/support/fake_kubernetes.h"

#include <stdio.h>
#include <stdlib.h>

static void *start(void)
{
    struct fake_kubernetes *fake = gl_alloc(sizeof *fake);

    fake_kubernetes_init(fake);
    fake_kubernetes_start(fake);
    return fake;
}

static void stop(void *counterpart)
{
    struct fake_kubernetes *fake = counterpart;

    if (fake->complaints.length > 0) {
        fprintf(stderr, "the counterpart complains: %s", gl_str_text(&fake->complaints));
        abort();
    }
    fake_kubernetes_stop(fake);
    free(fake);
}

static const char *url(const void *counterpart)
{
    const struct fake_kubernetes *fake = counterpart;

    return gl_test_server_url(fake->server);
}

static const char *const environment[] = {"HOME=/nonexistent", NULL};
static const struct gl_setting settings[] = {
    {"kubeconfig", "tests/vectors/kubernetes/kubeconfig.yaml"}, {"schedule-wait", "1"}};

const struct gl_remote_fixture gl_remote_fixture_kubernetes = {.start = start,
                                                               .stop = stop,
                                                               .url = url,
                                                               .environment = environment,
                                                               .settings = settings,
                                                               .setting_count = sizeof settings /
                                                                                sizeof *settings};
