/* SPDX-License-Identifier: Apache-2.0 */
/* Whose account it is, read from what every adapter answers to whoami(). */
#include "broker/tenant.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void only_the_account_is_kept(void **state)
{
    static const struct {
        const char *cloud, *who, *account;
    } rows[] = {
        {"aws", "account 123456789012, user/x", "123456789012"},
        {"aws", "account 123456789012", "123456789012"},
        {"gcp", "my-project as a@b.iam.gserviceaccount.com", "my-project"},
        {"gcp", "my-project", "my-project"},
        {"azure", "1111-2222 (Green tests)", "1111-2222"},
        {"digitalocean", "account My Team, Inc.", "My Team, Inc."},
        {"scaleway", "project 1111-2222", "1111-2222"},
        {"openstack", "demo as admin", "demo"},
        {"kubernetes", "me in namespace green of 10.0.0.1:6443", "green of 10.0.0.1:6443"},
        {"hetzner", "the project of the API token", "the project of the API token"},
        {"another", "whatever it says", "whatever it says"},
    };
    char account[GL_TENANT];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        gl_tenant_read(rows[i].cloud, rows[i].who, account);
        assert_string_equal(account, rows[i].account);
    }
}

/* The same account, whoever asks; two accounts are never the same. */
static void who_asks_does_not_matter(void **state)
{
    char one[GL_TENANT], two[GL_TENANT];

    (void)state;
    gl_tenant_read("aws", "account 123456789012, user/x", one);
    gl_tenant_read("aws", "account 123456789012, assumed-role/y/session", two);
    assert_string_equal(one, two);
    gl_tenant_read("digitalocean", "account team one", one);
    gl_tenant_read("digitalocean", "account team two", two);
    assert_string_not_equal(one, two);
    gl_tenant_read("kubernetes", "me in namespace green of a.example:443", one);
    gl_tenant_read("kubernetes", "me in namespace green of b.example:443", two);
    assert_string_not_equal(one, two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_account_is_kept),
        cmocka_unit_test(who_asks_does_not_matter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
