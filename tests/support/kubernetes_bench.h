/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_KUBERNETES_BENCH_H
#define GL_TESTS_KUBERNETES_BENCH_H

/* Set-up shared by the tests of the Kubernetes adapter: the counterpart, a kubeconfig that leads to
 * it, an open cloud. One test at a time. */

#include "base/file.h"
#include "providers/cloud/drivers.h"
#include "providers/cloud/kubernetes.h"
#include "tests/support/fake_kubernetes.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define TOKEN "00000000aaaaaaaa0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "00000001aaaaaaaa0123456789abcdef0123456789abcdef0123456789abcdef"
#define ENROL "feedfeedfeedfeed0123456789abcdef0123456789abcdef0123456789abcdef"
#define USER  "    token: " FAKE_KUBERNETES_TOKEN

static char *folder;
static struct fake_kubernetes fake;
static struct gl_world world;
static struct gl_cloud *cloud;
static char environment[600];
static struct gl_setting settings[4];
static size_t setting_count;
static struct gl_error err;

static inline const char *getenv_of_test(void *cookie, const char *name)
{
    (void)cookie;
    return strcmp(name, "KUBECONFIG") == 0 ? environment : NULL;
}

static inline void set(const char *name, const char *value)
{
    settings[setting_count++] = (struct gl_setting){name, value};
}

static inline void open_again(void)
{
    gl_cloud_close(cloud);
    cloud = gl_kubernetes_open(&(struct gl_cloud_options){.world = &world,
                                                          .settings = settings,
                                                          .setting_count = setting_count},
                               &err);
    if (cloud == NULL)
        fail_msg("%s", err.text);
}

static inline void configure(const char *user)
{
    char *path = fake_kubernetes_config(&fake, folder, user);

    snprintf(environment, sizeof environment, "%s", path);
    free(path);
    open_again();
}

static inline void begin(const char *user)
{
    fake_kubernetes_start(&fake);
    set("schedule-wait", "1");
    configure(user);
}

static inline int fresh(void **state)
{
    (void)state;
    folder = scratch_make("kubernetes");
    fake_kubernetes_init(&fake);
    gl_world_real(&world);
    world.getenv = getenv_of_test;
    world.http = gl_http_curl_new();
    gl_error_clear(&err);
    cloud = NULL;
    setting_count = 0;
    return 0;
}

static inline int plain(void **state)
{
    fresh(state);
    begin(USER);
    return 0;
}

static inline int done(void **state)
{
    (void)state;
    gl_cloud_close(cloud);
    gl_http_close(world.http);
    if (fake.complaints.length > 0)
        fail_msg("the counterpart complains: %s", gl_str_text(&fake.complaints));
    fake_kubernetes_stop(&fake);
    scratch_remove(folder);
    return 0;
}

static inline struct gl_launch launch_of(const char *type, const char *token)
{
    return (struct gl_launch){.token = token,
                              .launch_id = "gl-4k2p9x",
                              .region = "eu-north-1",
                              .type = type,
                              .attempt = 1,
                              .expires = {time(NULL) + 3600},
                              .lease = {3600},
                              .vcpus = 1,
                              .memory_mib = 512};
}

static inline struct gl_instance started(const char *type)
{
    const struct gl_launch launch = launch_of(type, TOKEN);
    struct gl_instance out;

    if (cloud->ops->launch(cloud, &launch, &out, &err) != 0)
        fail_msg("%s", err.text);
    return out;
}

static inline void trouble(enum fake_kubernetes_trouble what, const char *method, const char *path)
{
    fake.trouble_method = method;
    fake.trouble_path = path;
    fake.trouble = what;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, plain, done)

#endif
