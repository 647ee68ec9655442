/* SPDX-License-Identifier: Apache-2.0 */
/* What a launch on somebody else's machine needs: leave for the first one of a cloud, and what is
 * said of places that could not be had. */
#include "tests/unit/broker/ledger_bench.h"

#include "broker/cli/rented.h"
#include "broker/finish.h"

static struct gl_launcher launcher;

static int set_up_launcher(void **state)
{
    int result = set_up(state);

    launcher = (struct gl_launcher){.world = world, .ledger = must_open(), .state_folder = folder};
    return result;
}

static int tear_down_launcher(void **state)
{
    gl_ledger_close(launcher.ledger);
    return tear_down(state);
}

static void of_two_first_launches_one_goes_on(void **state)
{
    const struct gl_order order = {.cloud = "aws"};
    int first, other;

    (void)state;
    assert_int_equal(gl_rented_claim_first(&launcher, "aws", &first, &err), 0);
    assert_true(first >= 0);
    assert_int_equal(gl_rented_claim_first(&launcher, "aws", &other, &err), -1);
    assert_int_equal(err.code, GL_E_LOCKED);
    assert_non_null(strstr(err.text, "the first launch on aws in this ledger is one instance"));
    gl_error_clear(&err);
    assert_int_equal(gl_rented_claim_first(&launcher, "gcp", &other, &err), 0); /* another cloud */
    gl_launch_unlock(other);
    gl_launch_unlock(first); /* it came to nothing: the next one is the first */
    assert_int_equal(gl_rented_claim_first(&launcher, "aws", &first, &err), 0);
    assert_true(first >= 0);
    gl_rented_note_use(&launcher, &order);
    assert_int_equal(gl_rented_claim_first(&launcher, "aws", &other, &err), 0);
    assert_int_equal(other, -1);
    gl_launch_unlock(first);
    assert_int_equal(gl_rented_claim_first(&launcher, "local", &other, &err), 0);
    assert_int_equal(other, -1);
}

static void what_each_place_answered_fits_the_screen(void **state)
{
    const struct gl_order order = {.cloud = "aws",
                                   .launch = {.region = "eu-north-1", .type = "t3.micro"}};
    struct gl_tries tries = {0};
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    (void)state;
    gl_fail(&err, GL_E_CAPACITY,
            "aws in eu-north-1: RunInstances: InsufficientInstanceCapacity: We currently do not "
            "have sufficient t3.micro capacity in the Availability Zone you requested (HTTP 500)");
    gl_tries_add(&tries, &order, GL_REACH_REGION, &err);
    gl_error_clear(&err);
    gl_fail(&err, GL_E_NO_PLACE, "it is not enabled");
    gl_tries_add(&tries, &order, GL_REACH_REGION, &err);
    gl_tries_text(&tries, 80, &text);
    assert_string_equal(
        gl_str_text(&text),
        "  CAPACITY aws eu-north-1 t3.micro: aws in eu-north-1: RunInstances:\n"
        "           InsufficientInstanceCapacity: We currently do not have sufficient\n"
        "           t3.micro capacity in the Availability Zone you requested (HTTP 500)\n"
        "  ACCESS   aws eu-north-1 t3.micro: it is not enabled\n");
    assert_string_equal(tries.without.items[1].region, "eu-north-1");
    assert_string_equal(tries.without.items[1].type, ""); /* all of the region is left out */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_each_place_answered_fits_the_screen),
        cmocka_unit_test_setup_teardown(of_two_first_launches_one_goes_on, set_up_launcher,
                                        tear_down_launcher),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
