/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "providers/venue/venue.h"

static const char *hint(const char *command, enum gl_errc code, const char *message)
{
    struct gl_error err = {0};

    gl_fail(&err, code, "%s", message);
    return gl_hint_of(command, &err);
}

/* What was looked up decides; what no row speaks of keeps the hint of its code. */
static void test_what_was_looked_up(void **state)
{
    static const struct {
        const char *command;
        enum gl_errc code;
        const char *message, *says;
    } rows[] = {
        {"request", GL_E_UNKNOWN_NAME, "there is no request \"GL-1\"",
         "greenlaunch request observe"},
        {"request", GL_E_UNKNOWN_NAME, "no venue is called \"x\"", "say one of: aws-support"},
        {"request", GL_E_BAD_VALUE, "0 organisations of 10", "nothing was sent"},
        {"request", GL_E_NOT_VERIFIED, "GL-1: that is not the digest of its last preview",
         "preview it again"},
        {"request", GL_E_OUTCOME, "github: unclear (HTTP 500)", "approve the same once more"},
        {"request", GL_E_PERMISSION, "github: forbidden", "look there"},
        {"request", GL_E_RATE_LIMIT, "github: rate limited", "look there"},
        {"run", GL_E_USAGE, "cannot open x: No such file or directory", "check that the path"},
        {"status", GL_E_CONFIG, "no place for the ledger: HOME", "--state DIR"},
        {"budget", GL_E_UNKNOWN_NAME, "org has no budget", "greenlaunch budget show"},
        {"budget", GL_E_UNKNOWN_NAME, "no time zone \"Mars/Base\" on this machine",
         "Europe/Berlin"},
        {"budget", GL_E_UNKNOWN_NAME, "--calendar: \"../x\" is no time zone", "Europe/Berlin"},
        {"launch", GL_E_UNKNOWN_NAME, "no time zone \"Mars/Base\"", "Europe/Berlin"},
        {"index", GL_E_UNKNOWN_NAME, "no provider", "greenlaunch index disclosure"},
        {"status", GL_E_USAGE, "unknown option --tag", "greenlaunch budget show org/ml"},
        {NULL, GL_E_USAGE, "unknown option --tag; did you mean --lag?", "launch, run"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *given = hint(rows[i].command, rows[i].code, rows[i].message);

        if (strstr(given, rows[i].says) == NULL || strstr(given, "greenlaunch offers") != NULL)
            fail_msg("%s: %s", rows[i].message, given);
    }
    assert_ptr_equal(hint("offers", GL_E_UNKNOWN_NAME, "no venue"),
                     gl_errc_row(GL_E_UNKNOWN_NAME)->hint);
    assert_ptr_equal(hint(NULL, GL_E_UNKNOWN_NAME, "x"), gl_errc_row(GL_E_UNKNOWN_NAME)->hint);
    assert_ptr_equal(hint("request", GL_E_USAGE, "x"), gl_errc_row(GL_E_USAGE)->hint);
}

static void test_every_venue_is_named(void **state)
{
    const char *given = hint("request", GL_E_UNKNOWN_NAME, "no venue is called \"x\"");
    size_t count;
    const struct gl_venue_ops *const *venues = gl_venue_registry(&count);

    (void)state;
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++)
        if (strstr(given, gl_venue_ops_name(venues[i])) == NULL)
            fail_msg("%s is not named in: %s", gl_venue_ops_name(venues[i]), given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_looked_up),
        cmocka_unit_test(test_every_venue_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
