/* SPDX-License-Identifier: Apache-2.0 */
/* `migrate --region` on a cloud that copies no disks (Kubernetes, and a counterpart of it): what it
 * says before anything is done, and a Job that begins anew in the other region: launched, verified,
 * and only then is the old one ended. BUILD_DIR is where greenlaunch lies. */
#include "broker/relocate.h"
#include "providers/cloud/drivers.h"
#include "tests/support/fake_kubernetes.h"
#include "tests/support/scratch.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define HERE  "us-east-1"
#define THERE "eu-north-1"

static char *folder, *kubeconfig;
static struct fake_kubernetes fake;
static struct gl_str said;
static struct gl_error err;

static void configure(const char *zones)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, "config.yaml");

    gl_str_addf(&text,
                "greenlaunch_config: 1\nzone: IS\nsources: []\nclouds: {kubernetes: {kubeconfig: "
                "'%s', schedule-wait: '1', price: '0.01', grid-zone: '%s'}}\n",
                kubeconfig, zones);
    assert_int_equal(gl_file_write(path, text.text, text.length, 0600, &err), 0);
}

static int set_up(void **state)
{
    (void)state;
    folder = scratch_make("test_anew_command");
    fake_kubernetes_init(&fake);
    fake_kubernetes_start(&fake);
    fake.exit_status = -1;
    kubeconfig = fake_kubernetes_config(&fake, folder, "    token: " FAKE_KUBERNETES_TOKEN);
    configure(HERE "=PL, " THERE "=NO-NO2");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (fake.complaints.length > 0)
        fail_msg("the counterpart complains: %s", gl_str_text(&fake.complaints));
    fake_kubernetes_stop(&fake);
    gl_str_done(&said);
    free(kubeconfig);
    scratch_remove(folder);
    return 0;
}

/* What it said is in `said`. */
static void must(int expected, const char *words, const char *rest)
{
    const char *build = getenv("BUILD_DIR");
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    char bytes[4096];
    size_t got;
    FILE *pipe;
    int status;

    gl_str_addf(&line,
                "env -i PATH=/usr/bin:/bin HOME=%s LC_ALL=C.UTF-8 COLUMNS=200 %s/greenlaunch %s "
                "--state %s --config %s/config.yaml --no-input %s 2>&1 </dev/null",
                folder, build != NULL ? build : "build", words, folder, folder, rest);
    gl_str_clear(&said);
    pipe = popen(gl_str_text(&line), "r"); /* NOLINT: a test */
    assert_non_null(pipe);
    while ((got = fread(bytes, 1, sizeof bytes, pipe)) > 0)
        gl_str_add_bytes(&said, bytes, got);
    status = WEXITSTATUS(pclose(pipe));
    if (status != expected)
        fail_msg("exit %d, not %d:\n%s", status, expected, gl_str_text(&said));
}

static void must_say(const char *text)
{
    if (strstr(gl_str_text(&said), text) == NULL)
        fail_msg("it does not say \"%s\":\n%s", text, gl_str_text(&said));
}

static void begin(void)
{
    must(0, "offers --refresh --cloud kubernetes", "");
    must(0,
         "launch --cloud kubernetes --region " HERE " --name nightly "
         "--max-price 0.02USD/h --max-intensity 1000gCO2e/kWh --min-grade D --duration 1h",
         "-- train --resume");
    assert_int_equal(fake_kubernetes_running(&fake), 1);
    assert_int_equal(fake.made, 1);
}

static void it_says_so_before_anything_is_done(void **state)
{
    (void)state;
    begin();
    must(2, "migrate nightly --region " THERE " --describe-only --yes", "");
    must_say("copies no disk to another region");
    must_say("begin there from its beginning: say --anew");
    must(2, "migrate nightly --region " THERE " --describe-only --anew --disk 5GB --yes", "");
    must_say("no disk is copied");
    must(2, "migrate nightly --region " THERE " --describe-only --anew", "");
    must_say("its command begins anew with this: say --yes");
    assert_int_equal(fake.made, 1);
    assert_int_equal(fake_kubernetes_running(&fake), 1);
}

static void a_region_that_stands_nowhere_is_named(void **state)
{
    (void)state;
    begin();
    configure(HERE "=PL");
    must(2, "migrate nightly --region " THERE " --describe-only --anew --yes", "");
    must_say("grid-zone: " THERE "=ZONE");
    assert_int_equal(fake.made, 1);
}

static void a_job_begins_anew_and_then_the_old_one_ends(void **state)
{
    (void)state;
    begin();
    must(0, "migrate nightly --region " THERE " --describe-only --anew --yes", "");
    must_say("Beginning gl-");
    must_say("its command starts from the beginning, nothing of its disk goes along");
    must_say("Begun gl-");
    must_say("covers it until it was ended");
    assert_int_equal(fake.made, 2);
    assert_int_equal(fake_kubernetes_running(&fake), 1);
    must(0, "status", "");
    must_say(THERE);
    must(0, "stop nightly", "");
    assert_int_equal(fake_kubernetes_running(&fake), 0);
}

static void without_room_there_nothing_is_done(void **state)
{
    (void)state;
    begin();
    fake.trouble_method = "POST";
    fake.trouble_path = "/jobs";
    fake.trouble = FAKE_KUBERNETES_QUOTA;
    must(5, "migrate nightly --region " THERE " --describe-only --anew --yes", "");
    must_say("stays where it is");
    assert_int_equal(fake.made, 1);
    assert_int_equal(fake_kubernetes_running(&fake), 1);
    must(0, "status", "");
    must_say(HERE);
}

/* Whose disks go to other regions is what docs/clouds.md says. */
static void which_clouds_copy_disks(void **state)
{
    static const char *const without[] = {"kubernetes", "scaleway"};
    size_t count, found = 0;
    const struct gl_cloud_driver *drivers = gl_cloud_drivers(&count);

    (void)state;
    for (size_t i = 0; i < count; i++)
        if ((drivers[i].ops->caps & GL_CLOUD_REMOTE) != 0 &&
            !gl_relocate_has_images(drivers[i].ops)) {
            assert_true(strcmp(drivers[i].ops->name, without[0]) == 0 ||
                        strcmp(drivers[i].ops->name, without[1]) == 0);
            found++;
        }
    assert_int_equal(found, 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(it_says_so_before_anything_is_done),
        CASE(a_region_that_stands_nowhere_is_named),
        CASE(a_job_begins_anew_and_then_the_old_one_ends),
        CASE(without_room_there_nothing_is_done),
        CASE(which_clouds_copy_disks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
