/* SPDX-License-Identifier: Apache-2.0 */
/* Whose end it was. */
#include "broker/notice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void an_end_is_the_providers_only_when_all_say_so(void **state)
{
    static const struct gl_notice none = {.kind = ""}, given = {"aws", 1000, false},
                                  ours = {"aws", 1000, true};

    (void)state;
    assert_true(gl_notice_is_end(&given, 5000, 9000));
    assert_false(gl_notice_is_end(&given, 9000, 9000)); /* its lease was over */
    assert_false(gl_notice_is_end(&ours, 5000, 9000));
    assert_false(gl_notice_is_end(&none, 5000, 9000));
    assert_null(gl_notice_json(&none, false));
}

static void a_receipt_says_what_was_seen(void **state)
{
    static const struct gl_notice given = {"aws", 1000, false};
    json_t *json = gl_notice_json(&given, true);

    (void)state;
    assert_true(json_is_true(json_object_get(json, "ended_it")));
    assert_string_equal(json_string_value(json_object_get(json, "kind")), "aws");
    assert_int_equal(json_integer_value(json_object_get(json, "seen_ms")), 1000);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_is_the_providers_only_when_all_say_so),
        cmocka_unit_test(a_receipt_says_what_was_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
