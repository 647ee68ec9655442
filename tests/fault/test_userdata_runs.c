/* SPDX-License-Identifier: Apache-2.0 */
/* The user data of a rented machine, run by a real shell below a folder: the true meter, a power
 * switch that only notes, no systemd. What the console then holds is believed only as the broker
 * believes it. */
#include "providers/cloud/userdata.h"

#include "base/file.h"
#include "base/process.h"
#include "base/sign.h"
#include "broker/meterlog.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define TOKEN   "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define PIN     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define WAIT_MS 60000
#define CEILING ((size_t)1 << 20)

static char *folder, *meter_path;
static struct gl_carried_meter meter;
static struct gl_launch launch;
static struct gl_userdata wanted;

static void write_file(const char *name, const char *text, unsigned mode)
{
    char *path = gl_path_join(folder, name);
    struct gl_error err = {0};

    if (gl_file_write(path, text, strlen(text), mode, &err) != 0)
        fail_msg("%s", err.text);
    free(path);
}

/* A file's text, "" when there is none; to be freed. */
static char *text_of(const char *name)
{
    char *path = gl_path_join(folder, name), *text = NULL;
    struct gl_error err = {0};
    size_t length;

    if (gl_file_read(path, CEILING, &text, &length, &err) != 0)
        text = gl_strdup("");
    free(path);
    return text;
}

static bool holds(const char *name, const char *part)
{
    char *text = text_of(name);
    bool is_there = strstr(text, part) != NULL;

    free(text);
    return is_there;
}

static int fresh(void **state)
{
    const char *build = getenv("BUILD_DIR");
    struct gl_error err = {0};
    char *bin, *dev, path[512];

    (void)state;
    folder = scratch_make("userdata");
    bin = gl_path_join(folder, "bin");
    dev = gl_path_join(folder, "dev");
    assert_int_equal(gl_dir_make(bin, &err) | gl_dir_make(dev, &err), 0);
    free(bin);
    free(dev);
    write_file("bin/poweroff", "#!/bin/sh\necho off >>\"$GREENLAUNCH_ROOT/power\"\n", 0755);
    write_file("bin/systemd-run", "#!/bin/sh\necho \"$*\" >\"$GREENLAUNCH_ROOT/timer\"\n", 0755);
    snprintf(path, sizeof path, "%s/greenlaunch-meter", build != NULL ? build : "build");
    meter_path = realpath(path, NULL);
    meter = (struct gl_carried_meter){.path = meter_path};
    launch = (struct gl_launch){.launch_id = "gl-4k2p9x",
                                .expires = {time(NULL) + 3600},
                                .lease = {3600},
                                .enrol_token = TOKEN,
                                .interval_s = 1,
                                .meter = &meter};
    wanted = (struct gl_userdata){.launch = &launch, .console = "/dev/ttyS0"};
    if (meter_path == NULL)
        skip();
    return 0;
}

static int done(void **state)
{
    (void)state;
    free(meter_path);
    scratch_remove(folder);
    return 0;
}

/* Run the document as its machine would; what its shell said. */
static void boot(struct gl_str *out_said)
{
    struct gl_str script = {0}, path = {0}, root = {0}, home = {0};
    struct gl_error err = {0};
    char *file;
    int status;

    if (gl_userdata_make(&wanted, &script, &err) != 0)
        fail_msg("%s", err.text);
    write_file("script", gl_str_text(&script), 0600);
    file = gl_path_join(folder, "script");
    gl_str_addf(&path, "PATH=%s/bin:%s", folder, getenv("PATH"));
    gl_str_addf(&root, "GREENLAUNCH_ROOT=%s", folder);
    gl_str_addf(&home, "HOME=%s", folder);
    const char *const argv[] = {"env", path.text, root.text, home.text, "sh", file, NULL};

    if (gl_process_capture(argv, CEILING, WAIT_MS, out_said, &status, &err) != 0)
        fail_msg("%s", err.text);
    free(file);
    gl_str_done(&script);
    gl_str_done(&path);
    gl_str_done(&root);
    gl_str_done(&home);
}

static void a_command_is_metered_and_the_machine_ends(void **state)
{
    static const char *const command[] = {"sh",
                                          "-c",
                                          "printf '%s|' \"$@\"; sleep 2; exit 7",
                                          "it's",
                                          "a \"b\" $(c) `d`",
                                          "e\nf",
                                          "\xc3\xa9",
                                          NULL};
    struct gl_str said = {0};
    struct gl_meterlog log;
    uint8_t token[32];
    struct gl_error err = {0};
    char *console;

    (void)state;
    launch.command = command;
    boot(&said);
    assert_true(holds("var/lib/greenlaunch/output", "a \"b\" $(c) `d`|e\nf|\xc3\xa9|"));
    assert_true(holds("power", "off\n"));
    assert_true(holds("timer", "poweroff"));
    console = text_of("dev/ttyS0");
    assert_null(strstr(console, TOKEN));
    assert_non_null(strstr(console, "GLX1 {\"exit\":7,\"launch\":\"gl-4k2p9x\"}\n"));
    assert_int_equal(gl_hex_parse(TOKEN, token, sizeof token, &err), 0);
    gl_meterlog_init(&log, "gl-4k2p9x", token, sizeof token);
    gl_meterlog_feed(&log, console, strlen(console));
    assert_true(log.has_key && log.count >= 2 && log.is_final);
    assert_int_equal(log.rejected + log.forked + log.orphaned, 0);
    gl_meterlog_done(&log);
    free(console);
    gl_str_done(&said);
}

/* Google's, Azure's and OpenStack's: the port of a PC may be there, too, with nothing behind it. */
static void the_console_of_an_arm_machine_is_used(void **state)
{
    static const char *const command[] = {"true", NULL};
    struct gl_str said = {0};

    (void)state;
    launch.command = command;
    write_file("dev/ttyS0", "", 0600);
    write_file("dev/ttyAMA0", "", 0600);
    boot(&said);
    assert_true(holds("dev/ttyAMA0", "GLE1 "));
    assert_true(holds("dev/ttyAMA0", "GLX1 {\"exit\":0,"));
    assert_false(holds("dev/ttyS0", "GL"));
    gl_str_done(&said);
}

/* get() that brings what the test wants: PATH has our curl first. */
static void fetched_by(const char *from)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_str_addf(&text, "#!/bin/sh\nwhile [ \"$1\" != -o ]; do shift; done\ncp '%s' \"$2\"\n", from);
    write_file("bin/curl", gl_str_text(&text), 0755);
}

static void only_the_pinned_meter_is_run(void **state)
{
    static const char *const command[] = {"true", NULL};
    struct gl_str said = {0};
    struct gl_error err = {0};
    struct gl_hash hash;
    char hex[GL_HASH_HEX];

    (void)state;
    launch.command = command;
    meter = (struct gl_carried_meter){.url = "https://meters.example/m", .sha256 = PIN};
    fetched_by(meter_path);
    boot(&said);
    assert_true(holds("dev/ttyS0", "is not the pinned program"));
    assert_false(holds("dev/ttyS0", "GLE1 "));
    assert_true(holds("power", "off\n"));

    assert_int_equal(gl_hash_of_file(meter_path, &hash, &err), 0);
    meter.sha256 = gl_hash_hex(&hash, hex);
    boot(&said);
    assert_true(holds("dev/ttyS0", "GLE1 "));
    assert_true(holds("dev/ttyS0", "GLX1 {\"exit\":0,"));
    gl_str_done(&said);
}

static void a_meter_that_cannot_be_fetched_ends_the_machine(void **state)
{
    static const char *const command[] = {"true", NULL};
    struct gl_str said = {0};

    (void)state;
    launch.command = command;
    meter = (struct gl_carried_meter){.url = "https://meters.example/m", .sha256 = PIN};
    write_file("bin/curl", "#!/bin/sh\nexit 22\n", 0755);
    boot(&said);
    assert_true(holds("dev/ttyS0", "the meter cannot be fetched"));
    assert_false(holds("dev/ttyS0", "GLX1"));
    assert_true(holds("power", "off\n"));
    gl_str_done(&said);
}

static void nothing_runs_after_the_lease(void **state)
{
    static const char *const command[] = {"true", NULL};
    struct gl_str said = {0};

    (void)state;
    launch.command = command;
    launch.expires.unix_s = time(NULL) - 1;
    boot(&said);
    assert_true(holds("dev/ttyS0", "the lease has ended"));
    assert_false(holds("dev/ttyS0", "GLX1"));
    assert_true(holds("power", "off\n"));
    gl_str_done(&said);
}

static void the_lease_ends_what_hangs(void **state)
{
    static const char *const command[] = {"sleep", "4", NULL};
    struct gl_str said = {0};

    (void)state;
    launch.command = command;
    launch.expires.unix_s = time(NULL) + 3600; /* a clock that is far behind */
    launch.lease.s = 1;
    write_file("bin/systemd-run", "#!/bin/sh\nexit 1\n", 0755);
    boot(&said);
    assert_true(holds("power", "off\noff\n"));
    gl_str_done(&said);
}

static void identity_goes_to_the_console(void **state)
{
    static const char *const command[] = {"true", NULL};
    struct gl_str said = {0};

    (void)state;
    launch.command = command;
    wanted.identity = "aws";
    write_file("bin/curl",
               "#!/bin/sh\ncase \"$*\" in\n*PUT*) echo key ;;\n"
               "*key*rsa2048) printf 'MII\\nAB' ;;\nesac\n",
               0755);
    boot(&said);
    assert_true(holds("dev/ttyS0", "GLI1 {\"document\":\"TUlJCkFC\",\"kind\":\"aws\"}\n"));
    launch.attempt++;
    wanted.identity = "azure";
    write_file("bin/curl", "#!/bin/sh\nprintf '{\"encoding\":\"pkcs7\",\"signature\":\"MIIC\"}'\n",
               0755);
    boot(&said);
    assert_true(holds("dev/ttyS0",
                      "GLI1 "
                      "{\"document\":\"eyJlbmNvZGluZyI6InBrY3M3Iiwic2lnbmF0dXJlIjoiTUlJQyJ9\","
                      "\"kind\":\"azure\"}\n"));
    gl_str_done(&said);
}

/* How often the command ran. */
static size_t runs(void)
{
    char *text = text_of("ran");
    size_t count = strlen(text);

    free(text);
    return count;
}

static void a_disk_that_is_copied_is_another_machine(void **state)
{
    static const char *const command[] = {"sh", "-c", "printf x >>\"$GREENLAUNCH_ROOT/ran\"", NULL};
    struct gl_str said = {0}, run = {0};
    struct gl_error err = {0};
    char *dmi = gl_path_join(folder, "sys/class/dmi/id");
    int status;

    (void)state;
    launch.command = command;
    assert_int_equal(gl_dir_make(dmi, &err), 0);
    free(dmi);
    write_file("sys/class/dmi/id/product_uuid", "first\n", 0600);
    boot(&said);
    assert_int_equal(runs(), 1);
    boot(&said); /* the same machine again: its unit would run it */
    assert_int_equal(runs(), 1);
    write_file("sys/class/dmi/id/product_uuid", "second\n", 0600);
    gl_str_addf(&run, "GREENLAUNCH_ROOT=%s sh %s/var/lib/greenlaunch/run", folder, folder);
    const char *const argv[] = {"sh", "-c", run.text, NULL};
    assert_int_equal(gl_process_capture(argv, CEILING, WAIT_MS, &said, &status, &err), 0);
    assert_int_equal(runs(), 1); /* what was left on the disk does not run there */
    launch.launch_id = "gl-other";
    boot(&said);
    assert_int_equal(runs(), 2);
    assert_true(holds("dev/ttyS0", "\"launch\":\"gl-other\""));
    gl_str_done(&said);
    gl_str_done(&run);
}

static void where_there_is_no_cloud_init_a_script_runs_first(void **state)
{
    static const char *const command[] = {"true", NULL};
    struct gl_str said = {0};
    struct gl_error err = {0};
    char *own = gl_path_join(folder, "own");

    (void)state;
    launch.command = command;
    launch.user_data = "#!/bin/sh\ntouch \"$GREENLAUNCH_ROOT/own\"\n";
    wanted.is_script_only = true;
    boot(&said);
    assert_true(holds("dev/ttyS0", "GLX1 {\"exit\":0,"));
    assert_int_equal(access(own, F_OK), 0);
    free(own);
    launch.user_data = "#cloud-config\n";
    assert_int_equal(gl_userdata_make(&wanted, &said, &err), -1);
    assert_int_equal(err.code, GL_E_BAD_VALUE);
    gl_str_done(&said);
}

/* The command of a spot machine finds a file when the cloud takes it away. */
static void notice_of_an_early_end_reaches_the_command(void **state)
{
    static const char *const command[] = {
        "sh", "-c",
        "for i in 1 2 3 4 5 6 7 8 9 10; do [ -e \"$GREENLAUNCH_NOTICE\" ] && exit 42; sleep 1; "
        "done",
        NULL};
    struct gl_str said = {0};

    (void)state;
    launch.command = command;
    launch.is_spot = true;
    wanted.notice = "gcp";
    write_file("bin/curl", "#!/bin/sh\necho TRUE\n", 0755);
    boot(&said);
    assert_true(holds("dev/ttyS0", "GLN1 {\"kind\":\"gcp\",\"launch\":\"gl-4k2p9x\"}\n"));
    assert_true(holds("dev/ttyS0", "GLX1 {\"exit\":42,"));
    gl_str_done(&said);
}

/* What the command printed goes where nobody else shows it, and nowhere else. */
static void what_was_printed_is_pushed_without_a_console(void **state)
{
    static const char *const command[] = {"echo", "words of the command", NULL};
    static const char sender[] = "#!/bin/sh\nwhile [ \"$1\" != --data-binary ]; do shift; done\n"
                                 "cat \"${2#@}\" >>\"$GREENLAUNCH_ROOT/sent\"\n";
    GL_AUTO(gl_auto_free) char *ran = gl_path_join(folder, "var");
    struct gl_error err = {0};
    struct gl_str said = {0};

    (void)state;
    launch.command = command;
    meter.push = "https://push.example/readings";
    write_file("bin/curl", sender, 0755);
    boot(&said);
    assert_true(holds("dev/ttyS0", "greenlaunch: | words of the command\n"));
    assert_true(holds("sent", "GLX1 {\"exit\":0,"));
    assert_false(holds("sent", "GLO1"));
    wanted.console = NULL;
    assert_int_equal(gl_dir_remove(ran, &err), 0); /* another machine */
    boot(&said);
    assert_true(holds("sent", "GLO1 {\"cut\":false,"));
    assert_true(holds("sent", "\"output\":\"d29yZHMgb2YgdGhlIGNvbW1hbmQK\""));
    gl_str_done(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_command_is_metered_and_the_machine_ends, fresh, done),
        cmocka_unit_test_setup_teardown(the_console_of_an_arm_machine_is_used, fresh, done),
        cmocka_unit_test_setup_teardown(only_the_pinned_meter_is_run, fresh, done),
        cmocka_unit_test_setup_teardown(a_meter_that_cannot_be_fetched_ends_the_machine, fresh,
                                        done),
        cmocka_unit_test_setup_teardown(nothing_runs_after_the_lease, fresh, done),
        cmocka_unit_test_setup_teardown(the_lease_ends_what_hangs, fresh, done),
        cmocka_unit_test_setup_teardown(notice_of_an_early_end_reaches_the_command, fresh, done),
        cmocka_unit_test_setup_teardown(a_disk_that_is_copied_is_another_machine, fresh, done),
        cmocka_unit_test_setup_teardown(where_there_is_no_cloud_init_a_script_runs_first, fresh,
                                        done),
        cmocka_unit_test_setup_teardown(identity_goes_to_the_console, fresh, done),
        cmocka_unit_test_setup_teardown(what_was_printed_is_pushed_without_a_console, fresh, done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
