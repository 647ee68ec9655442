/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_CLOUD_AZURE_BENCH_H
#define GL_TESTS_CLOUD_AZURE_BENCH_H

/* Set-up shared by the tests of the Azure adapter: its counterpart, an environment, a cloud that
 * was opened with them. Everything aborts the test when it fails. */

#include "providers/cloud/azure.h"
#include "tests/conformance/cloud_remote.h"
#include "tests/support/fake_azure.h"

#define AZURE_TOKEN "00000000aaaaaaaa0123456789abcdef0123456789abcdef0123456789abcdef"
#define AZURE_OTHER "00000001aaaaaaaa0123456789abcdef0123456789abcdef0123456789abcdef"
#define AZURE_ID    "swedencentral/green/gl-4k2p9x-1"
#define AZURE_IMAGE "swedencentral/snapshots/gl-image"

struct gl_azure_bench {
    struct fake_azure fake;
    struct gl_world world;
    struct gl_cloud *cloud;
    struct gl_error err;
    char authority[128];
    const char *environment[8]; /* all there is of it */
    struct gl_setting settings[6];
};

/* One at a time. Closing demands that the counterpart had nothing to complain of. */
void gl_azure_bench_open(struct gl_azure_bench *bench);
void gl_azure_bench_close(struct gl_azure_bench *bench);
/* The environment of a client secret. */
void gl_azure_bench_secret(struct gl_azure_bench *bench);
/* Open one as the environment says; NULL with bench->err. */
struct gl_cloud *gl_azure_bench_cloud(struct gl_azure_bench *bench);
struct gl_launch gl_azure_bench_launch(const char *type, const char *token);
struct gl_instance gl_azure_bench_start(struct gl_azure_bench *bench, const char *type);
/* The launch fails with this code, and so many machines are there. */
void gl_azure_bench_fail(struct gl_azure_bench *bench, const char *type, enum gl_errc code,
                         size_t there);
enum gl_instance_state gl_azure_bench_state(struct gl_azure_bench *bench);
/* No planted secret is in the text. */
void gl_azure_bench_clean(const char *text);

/* Azure in the conformance suite. */
extern const struct gl_remote_fixture gl_remote_fixture_azure;

#endif
