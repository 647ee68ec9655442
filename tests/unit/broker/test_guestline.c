/* SPDX-License-Identifier: Apache-2.0 */
/* What a rented machine writes on its console: exit, identity, output; and what it must not do. */
#include "broker/guestline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static struct gl_guest_said said;

static int set_up(void **state)
{
    (void)state;
    gl_guest_said_init(&said, "gl-4k2p9x");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    gl_guest_said_done(&said);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void feed(const char *text)
{
    gl_guest_said_feed(&said, text, strlen(text));
}

static void an_exit_is_read_however_it_is_cut(void **state)
{
    static const char text[] = "booted\r\ngreenlaunch: | one\r\ngreenlaunch: | two\r\n"
                               "GLX1 {\"exit\":7,\"launch\":\"gl-4k2p9x\"}\r\n";

    (void)state;
    for (size_t i = 0; i < sizeof text - 1; i++)
        gl_guest_said_feed(&said, text + i, 1);
    assert_true(said.has_exit);
    assert_int_equal(said.exit_status, 7);
    assert_string_equal(gl_str_text(&said.tail), "one\ntwo\n");
    feed(text); /* a console that shows it once more */
    assert_string_equal(gl_str_text(&said.tail), "one\ntwo\n");
}

static void what_is_no_exit_of_ours_is_none(void **state)
{
    static const char *const lines[] = {"GLX1 {\"exit\":0,\"launch\":\"gl-other\"}\n",
                                        "GLX1 {\"exit\":256,\"launch\":\"gl-4k2p9x\"}\n",
                                        "GLX1 {\"exit\":-1,\"launch\":\"gl-4k2p9x\"}\n",
                                        "GLX1 {\"exit\":\"0\",\"launch\":\"gl-4k2p9x\"}\n",
                                        "GLX1 {\"launch\":\"gl-4k2p9x\"}\n",
                                        "GLX1 {\"exit\":0\n",
                                        "GLX1 }{\n",
                                        "GLX1 \n",
                                        "GLX1 {\"exit\":1e2,\"launch\":\"gl-4k2p9x\"}\n"};

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        feed(lines[i]);
    assert_false(said.has_exit);
    feed("GLX1 {\"exit\":1,\"launch\":\"gl-4k2p9x\"}[   12.345678] random: crng init done\n");
    assert_true(said.has_exit);
    assert_int_equal(said.exit_status, 1);
}

static void the_first_document_counts(void **state)
{
    (void)state;
    feed("GLI1 {\"document\":\"Zmlyc3Q=\",\"kind\":\"aws\"}\n"
         "GLI1 {\"document\":\"c2Vjb25k\",\"kind\":\"gcp\"}\n");
    assert_string_equal(gl_str_text(&said.identity), "Zmlyc3Q=");
    assert_string_equal(said.identity_kind, "aws");
}

static void a_notice_of_this_launch_is_read(void **state)
{
    static const char *const lines[] = {
        "GLN1 {\"kind\":\"aws\",\"launch\":\"gl-other\"}\n",
        "GLN1 {\"kind\":7,\"launch\":\"gl-4k2p9x\"}\n",
        "GLN1 {\"launch\":\"gl-4k2p9x\"}\n",
        "GLN1 {\"kind\":\"\",\"launch\":\"gl-4k2p9x\"}\n",
        "GLN1 {\"kind\":\"a\\\"b\",\"launch\":\"gl-4k2p9x\"}\n",
        "GLN1 {\"kind\":\"nobodyelse\",\"launch\":\"gl-4k2p9x\"}\n",
        "greenlaunch: | GLN1 {\"kind\":\"aws\",\"launch\":\"gl-4k2p9x\"}\n",
        "GLN1 {\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        feed(lines[i]);
    assert_string_equal(said.notice, "");
    feed("GLN1 {\"kind\":\"gcp\",\"launch\":\"gl-4k2p9x\"}[   12.3] a kernel\r\n");
    assert_string_equal(said.notice, "gcp");
    feed("GLN1 {\"kind\":\"aws\",\"launch\":\"gl-4k2p9x\"}\n");
    assert_string_equal(said.notice, "gcp"); /* the first */
    assert_false(said.has_exit);
}

static void a_kind_is_a_word(void **state)
{
    (void)state;
    feed("GLI1 {\"document\":\"Zmlyc3Q=\",\"kind\":\"\\\"\\n\"}\n");
    assert_string_equal(said.identity_kind, "");
}

static void a_line_without_end_takes_no_more_than_its_ceiling(void **state)
{
    char *flood = malloc(1 << 20);

    (void)state;
    assert_non_null(flood);
    memset(flood, 'x', 1 << 20);
    gl_guest_said_feed(&said, "GLX1 ", 5);
    gl_guest_said_feed(&said, flood, 1 << 20);
    free(flood);
    assert_true(said.line.length <= GL_GUEST_DOCUMENT + 256);
    feed("\nGLX1 {\"exit\":0,\"launch\":\"gl-4k2p9x\"}\n");
    assert_true(said.has_exit);
    for (unsigned i = 0; i < 10000; i++)
        feed("greenlaunch: | a line of output that is long enough to fill it\n");
    assert_true(said.tail.length <= GL_GUEST_TAIL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_exit_is_read_however_it_is_cut),
        CASE(what_is_no_exit_of_ours_is_none),
        CASE(the_first_document_counts),
        CASE(a_notice_of_this_launch_is_read),
        CASE(a_kind_is_a_word),
        CASE(a_line_without_end_takes_no_more_than_its_ceiling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
