/* SPDX-License-Identifier: Apache-2.0 */
/* Files of credentials as they should not lie about. */
#include "providers/cloud/credential_file.h"

#include "base/file.h"
#include "providers/cloud/aws_config.h"
#include "providers/cloud/drivers.h"
#include "providers/cloud/gcp_credential.h"
#include "providers/cloud/kubernetes_config.h"
#include "providers/cloud/openstack_credential.h"
#include "providers/cloud/vps.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SECRET "planted-secret-5521"

static char folder[64], path[128];
static struct gl_error err;

static int fresh(void **state)
{
    (void)state;
    gl_error_clear(&err);
    snprintf(folder, sizeof folder, "/tmp/gl-credential-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/file", folder);
    return gl_file_write(path, SECRET, strlen(SECRET), 0600, &err);
}

static int done(void **state)
{
    (void)state;
    gl_error_clear(&err);
    return gl_dir_remove(folder, &err);
}

static enum gl_errc read_it(size_t ceiling, bool is_from_here)
{
    const struct gl_credential_file file = {path, ceiling, is_from_here};
    char *bytes = NULL;
    size_t length = 0;

    gl_error_clear(&err);
    if (gl_credential_file_read(&file, &bytes, &length, &err) == 0) {
        assert_int_equal(length, strlen(bytes));
        assert_true(length == 0 || strcmp(bytes, SECRET) == 0);
        free(bytes);
    }
    assert_null(strstr(err.text, SECRET));
    return err.code;
}

static void what_is_ours_is_read(void **state)
{
    static const unsigned modes[] = {0400, 0600, 0640, 0644, 0660};

    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        assert_int_equal(chmod(path, modes[i]), 0);
        assert_int_equal(read_it(64, true), GL_OK);
    }
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(read_it(64, true), GL_OK);
}

static void what_anybody_may_write_is_refused(void **state)
{
    (void)state;
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(read_it(64, false), GL_E_CONFIG);
    assert_non_null(strstr(err.text, "chmod o-w"));
}

/* Met where somebody else may put it, and named by nobody. */
static void a_strangers_file_is_used_when_it_is_named(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(path, 4711, 4711), 0);
    assert_int_equal(read_it(64, true), GL_E_CONFIG);
    assert_non_null(strstr(err.text, "4711"));
    assert_int_equal(read_it(64, false), GL_OK);
}

static void what_is_no_file_or_too_large(void **state)
{
    (void)state;
    assert_int_equal(read_it(strlen(SECRET), false), GL_OK);
    assert_int_equal(read_it(strlen(SECRET) - 1, false), GL_E_TOO_LARGE);
    snprintf(path, sizeof path, "%s", folder);
    assert_int_equal(read_it(64, false), GL_E_IO);
    snprintf(path, sizeof path, "%s/fifo", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(read_it(64, false), GL_E_IO);
    snprintf(path, sizeof path, "%s/none", folder);
    assert_int_equal(read_it(64, false), GL_E_IO);
    assert_int_equal(err.sys, ENOENT);
}

/* ---- whoever reads one ---- */

static void find_aws(const struct gl_world *world)
{
    struct gl_aws_files files = {0};

    assert_int_equal(gl_aws_files_read(world, &files, &err), -1);
}

static void find_gcp(const struct gl_world *world)
{
    struct gl_gcp_credential credential = {0};

    assert_int_equal(gl_gcp_credential_find(world, NULL, &credential, &err), -1);
    gl_gcp_credential_done(&credential);
}

static void find_openstack(const struct gl_world *world)
{
    struct gl_openstack_credential credential = {0};

    assert_int_equal(gl_openstack_credential_find(world, "a", &credential, &err), -1);
    gl_openstack_credential_done(&credential);
}

static void find_kubernetes(const struct gl_world *world)
{
    const struct gl_kubernetes_asked asked = {NULL, NULL, folder};
    struct gl_kubernetes_config config = {.user = ""};

    assert_int_equal(gl_kubernetes_config_find(world, &asked, &config, &err), -1);
    gl_kubernetes_config_done(&config);
}

static void find_hetzner(const struct gl_world *world)
{
    const struct gl_cloud_options options = {.world = world};
    struct gl_cloud *cloud = gl_hetzner_open(&options, &err);

    assert_non_null(cloud);
    assert_null(gl_vps_config_read((struct gl_vps *)cloud, "HCLOUD_CONFIG", "x", &err));
    gl_cloud_close(cloud);
}

static void nobody_reads_what_anybody_may_write(void **state)
{
    static const struct {
        const char *variable;
        void (*find)(const struct gl_world *world);
    } rows[] = {{"AWS_CONFIG_FILE", find_aws},
                {"AWS_SHARED_CREDENTIALS_FILE", find_aws},
                {"GOOGLE_APPLICATION_CREDENTIALS", find_gcp},
                {"OS_CLIENT_CONFIG_FILE", find_openstack},
                {"KUBECONFIG", find_kubernetes},
                {"HCLOUD_CONFIG", find_hetzner}};

    (void)state;
    assert_int_equal(chmod(path, 0602), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char line[256];
        const char *const environment[] = {line, "HOME=/nonexistent", NULL};
        struct gl_world *world;

        snprintf(line, sizeof line, "%s=%s", rows[i].variable, path);
        world = gl_world_fixed_new(0, 1, environment);
        gl_error_clear(&err);
        rows[i].find(world);
        if (err.code != GL_E_CONFIG || strstr(err.text, "anybody may write") == NULL)
            fail_msg("%s: %s", rows[i].variable, err.text);
        gl_world_fixed_free(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_ours_is_read, fresh, done),
        cmocka_unit_test_setup_teardown(what_anybody_may_write_is_refused, fresh, done),
        cmocka_unit_test_setup_teardown(a_strangers_file_is_used_when_it_is_named, fresh, done),
        cmocka_unit_test_setup_teardown(nobody_reads_what_anybody_may_write, fresh, done),
        cmocka_unit_test_setup_teardown(what_is_no_file_or_too_large, fresh, done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
