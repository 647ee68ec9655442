/* SPDX-License-Identifier: Apache-2.0 */
/* What a rented machine is told: the text alone. That it works is shown by
 * tests/fault/test_userdata_runs.c. */
#include "providers/cloud/userdata.h"

#include "base/sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PIN   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TOKEN "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define URL   "https://meters.example/greenlaunch-meter"

static const char *const command[] = {"make", "it's $(here)", NULL};

static struct gl_carried_meter meter;
static struct gl_launch launch;
static struct gl_userdata wanted;

static int fresh(void **state)
{
    (void)state;
    meter = (struct gl_carried_meter){.url = URL, .sha256 = PIN};
    launch = (struct gl_launch){.launch_id = "gl-4k2p9x",
                                .attempt = 1,
                                .expires = {1780000000},
                                .lease = {3600},
                                .enrol_token = TOKEN,
                                .command = command,
                                .interval_s = 30,
                                .meter = &meter};
    wanted = (struct gl_userdata){.launch = &launch, .console = "/dev/ttyS0", .ceiling = 16384};
    return 0;
}

/* The document, to be freed. */
static char *made(void)
{
    struct gl_str out = {0};
    struct gl_error err = {0};

    if (gl_userdata_make(&wanted, &out, &err) != 0)
        fail_msg("%s", err.text);
    return gl_str_take(&out);
}

static enum gl_errc refused(const char *says)
{
    struct gl_str out = {0};
    struct gl_error err = {0};

    assert_int_equal(gl_userdata_make(&wanted, &out, &err), -1);
    assert_int_equal(out.length, 0);
    assert_non_null(strstr(err.text, says));
    assert_null(strstr(err.text, TOKEN));
    return err.code;
}

static void the_lease_stands_before_all_else(void **state)
{
    char *text = made();

    (void)state;
    assert_int_equal(strncmp(text, "#!/bin/sh\n", 10), 0);
    assert_non_null(strstr(text, "expires=1780000000\nmost=3600\n"));
    assert_true(strstr(text, "\nlease\n") < strstr(text, "\nget '" URL "'"));
    assert_non_null(strstr(text, "pinned \"$dir/meter\" " PIN "\n"));
    assert_true(strlen(text) < 16384);
    free(text);
}

static void token_and_command_are_on_no_command_line(void **state)
{
    char *text = made();

    (void)state;
    assert_null(strstr(text, TOKEN));
    assert_null(strstr(text, "$(here)"));
    free(text);
}

static void without_a_meter_there_is_a_lease_all_the_same(void **state)
{
    char *text;

    (void)state;
    launch.meter = NULL;
    text = made();
    assert_null(strstr(text, "pinned \"$dir/meter\""));
    assert_non_null(strstr(text, "\nlease\n"));
    free(text);
}

static void a_meter_needs_its_pin_and_https(void **state)
{
    (void)state;
    meter.url = "http://meters.example/m";
    assert_int_equal(refused("https"), GL_E_BAD_VALUE);
    meter.url = URL;
    meter.sha256 = "0123";
    assert_int_equal(refused("SHA-256"), GL_E_BAD_VALUE);
    meter.sha256 = NULL;
    assert_int_equal(refused("SHA-256"), GL_E_BAD_VALUE);
    meter = (struct gl_carried_meter){.sha256 = PIN};
    assert_int_equal(refused("address or a file"), GL_E_BAD_VALUE);
    meter = (struct gl_carried_meter){.url = URL, .sha256 = PIN, .push = "http://x.example/"};
    assert_int_equal(refused("pushed"), GL_E_BAD_VALUE);
    meter = (struct gl_carried_meter){.url = URL, .sha256 = PIN, .gpu_url = URL};
    assert_int_equal(refused("GPU"), GL_E_BAD_VALUE);
}

/* Into scripts goes what an address may hold, and a meter without a token proves nothing. */
static void addresses_end_no_script(void **state)
{
    static const char *const bad[] = {"https://x.example/\nEND_RUN\nreboot", "https://x.example/'",
                                      "https://x.example/ y", "https://x.example/`id`"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        meter = (struct gl_carried_meter){.url = URL, .sha256 = PIN, .push = bad[i]};
        assert_int_equal(refused("pushed"), GL_E_BAD_VALUE);
        meter = (struct gl_carried_meter){.url = bad[i], .sha256 = PIN};
        assert_int_equal(refused("https"), GL_E_BAD_VALUE);
    }
    meter = (struct gl_carried_meter){.url = URL, .sha256 = PIN};
    launch.enrol_token = NULL;
    assert_int_equal(refused("enrolment token"), GL_E_BAD_VALUE);
}

static void what_does_not_fit_says_by_how_much(void **state)
{
    char *text = made();
    size_t length = strlen(text);

    (void)state;
    wanted.ceiling = length;
    free(made());
    wanted.ceiling = length - 7;
    assert_int_equal(refused("7 bytes larger"), GL_E_TOO_LARGE);
    free(text);
}

static void own_user_data_comes_first(void **state)
{
    char *text;

    (void)state;
    launch.user_data = "#cloud-config\npackages: [git]\n";
    text = made();
    assert_int_equal(strncmp(text, "Content-Type: multipart/mixed", 29), 0);
    assert_true(strstr(text, "text/cloud-config") < strstr(text, "text/x-shellscript"));
    free(text);
    launch.user_data = "packages: [git]\n";
    assert_int_equal(refused("begins with #!"), GL_E_BAD_VALUE);
}

static void identity_is_asked_with_a_nonce_of_this_attempt(void **state)
{
    char nonce[GL_IDENTITY_CHALLENGE], *text;

    (void)state;
    gl_userdata_challenge(TOKEN, nonce);
    assert_int_equal(strlen(nonce), 32);
    assert_null(strstr(TOKEN, nonce));
    wanted.identity = "gcp";
    text = made();
    assert_non_null(strstr(text, nonce));
    assert_non_null(strstr(text, "audience=greenlaunch/gl-4k2p9x/"));
    free(text);
    wanted.identity = "aws";
    text = made();
    assert_non_null(strstr(text, "instance-identity/rsa2048"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_lease_stands_before_all_else, fresh),
        cmocka_unit_test_setup(token_and_command_are_on_no_command_line, fresh),
        cmocka_unit_test_setup(without_a_meter_there_is_a_lease_all_the_same, fresh),
        cmocka_unit_test_setup(a_meter_needs_its_pin_and_https, fresh),
        cmocka_unit_test_setup(addresses_end_no_script, fresh),
        cmocka_unit_test_setup(what_does_not_fit_says_by_how_much, fresh),
        cmocka_unit_test_setup(own_user_data_comes_first, fresh),
        cmocka_unit_test_setup(identity_is_asked_with_a_nonce_of_this_attempt, fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
