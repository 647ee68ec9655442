/* SPDX-License-Identifier: Apache-2.0 */
/* What a launch on somebody else's machine needs: leave for the first one of a cloud. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(of_two_first_launches_one_goes_on, set_up_launcher,
                                        tear_down_launcher),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
