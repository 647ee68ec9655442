/* SPDX-License-Identifier: Apache-2.0 */
#include "base/setting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct gl_setting_key keys[] = {
    {.name = "region", .what = "where"},
    {.name = "image", .what = "what", .fallback = "debian"},
    {0}};

static void test_key(void **state)
{
    (void)state;
    assert_ptr_equal(gl_setting_key(keys, "image"), &keys[1]);
    assert_null(gl_setting_key(keys, "imag"));
    assert_null(gl_setting_key(keys, ""));
    assert_null(gl_setting_key(NULL, "image"));
}

/* The table's fallback is its reader's business: what is not set is NULL. */
static void test_find(void **state)
{
    static const struct gl_setting settings[] = {{"region", "north"}, {"zone", "SE"}};

    (void)state;
    assert_string_equal(gl_setting_find(settings, 2, "zone"), "SE");
    assert_null(gl_setting_find(settings, 1, "zone"));
    assert_null(gl_setting_find(settings, 2, "image"));
    assert_null(gl_setting_find(NULL, 0, "region"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key),
        cmocka_unit_test(test_find),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
