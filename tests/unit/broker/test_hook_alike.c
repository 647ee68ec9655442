/* SPDX-License-Identifier: Apache-2.0 */
/* Many resources of one block: what is said once for all that are alike, and what of each. */
#include "tests/unit/broker/hook_read.h"

#define PLAN(changes, more)                                                                      \
    "{\"format_version\":\"1.2\",\"terraform_version\":\"1.9.5\",\"resource_changes\":[" changes \
    "]" more "}"
#define SUBNET(number, zone)                                                                    \
    "{\"address\":\"aws_subnet.a[" number "]\",\"change\":{\"actions\":[\"create\"],"           \
    "\"before\":null,\"after\":{\"availability_zone\":\"" zone "\"},\"after_unknown\":{\"id\":" \
    "true}}}"
#define INSTANCE(number, type, tag)                                                       \
    "{\"address\":\"aws_instance.w[" number "]\",\"change\":{\"actions\":[\"create\"],"   \
    "\"before\":null,\"after\":{\"instance_type\":\"" type "\",\"tags\":{\"Name\":\"" tag \
    "\"}},\"after_unknown\":{\"subnet_id\":true}}}"
#define CONFIGURATION(names)                                                               \
    ",\"configuration\":{\"root_module\":{\"resources\":[{\"address\":\"aws_instance.w\"," \
    "\"mode\":\"managed\",\"type\":\"aws_instance\",\"name\":\"w\",\"expressions\":{"      \
    "\"subnet_id\":{\"references\":[" names "]}}}]}}"
#define TWO(names)                                                                     \
    PLAN(INSTANCE("0", "t3.micro", "x") "," INSTANCE("1", "t3.micro", "y") "," SUBNET( \
             "0", "eu-north-1a") "," SUBNET("1", "us-east-1b"),                        \
         CONFIGURATION(names))

/* Alike in all that they say, yet each stands in the subnet of its own number. */
static void test_instances(void **state)
{
    struct gl_hook_plan plan;

    (void)state;
    read_text(&gl_reader_terraform, TWO("\"aws_subnet.a\",\"count.index\""),
              (struct gl_hook_options){0}, &plan);
    assert_int_equal(plan.count, 2);
    assert_string_equal(plan.intents[0].place.region, "eu-north-1");
    assert_string_equal(plan.intents[1].place.region, "us-east-1");
    gl_hook_plan_done(&plan);
}

/* The number of the instance is not what chooses the subnet: either may be meant. */
static void test_any_instance(void **state)
{
    struct gl_hook_plan plan;

    (void)state;
    read_text(&gl_reader_terraform, TWO("\"aws_subnet.a\",\"var.which\""),
              (struct gl_hook_options){0}, &plan);
    assert_int_equal(plan.count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(plan.intents[i].place.region, "eu-north-1");
        assert_string_equal(plan.intents[i].place.candidates[0], "us-east-1");
    }
    gl_hook_plan_done(&plan);
}

/* Said once, but for names and tags. */
static void test_alike(void **state)
{
    struct gl_hook_plan plan;

    (void)state;
    read_text(&gl_reader_terraform,
              PLAN(INSTANCE("0", "t3.micro", "x") "," INSTANCE("1", "t3.micro", "y") "," INSTANCE(
                       "2", "m5.large", "z"),
                   ""),
              (struct gl_hook_options){0}, &plan);
    assert_int_equal(plan.count, 3);
    assert_int_equal(plan.intents[0].like, 0);
    assert_int_equal(plan.intents[1].like, 1);
    assert_int_equal(plan.intents[2].like, 0);
    assert_string_equal(plan.intents[1].address, "aws_instance.w[1]");
    assert_string_equal(plan.intents[0].tags[0], "Name=x");
    assert_string_equal(plan.intents[1].tags[0], "Name=y");
    assert_ptr_equal(plan.intents[0].machine.type, plan.intents[1].machine.type);
    assert_string_equal(plan.intents[2].machine.type, "m5.large");
    gl_hook_plan_done(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_instances),
        cmocka_unit_test(test_any_instance),
        cmocka_unit_test(test_alike),
    };

    return cmocka_run_group_tests(tests, open_mapping, close_mapping);
}
