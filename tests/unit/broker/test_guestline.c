/* SPDX-License-Identifier: Apache-2.0 */
/* What a rented machine writes on its console: exit, identity, output; and what it must not do. */
#include "broker/guestline.h"

#include "agent/batch.h"
#include "agent/tail.h"

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

/* ---- what is pushed ---- */

static struct gl_secret_key secret;
static struct gl_public_key key;

static void use_key(uint8_t first)
{
    uint8_t seed[32] = {first};

    gl_key_of_seed(seed, &secret, &key);
}

static void add_tail(struct gl_str *out, const char *launch, const char *bytes, size_t length)
{
    GL_AUTO(gl_auto_free) struct gl_tail *tail = gl_alloc(sizeof *tail);
    GL_AUTO(gl_auto_free) char *line = gl_alloc(GL_TAIL_LINE_MAX);

    tail->length = length;
    tail->is_cut = length == GL_TAIL_BYTES;
    memcpy(tail->bytes, bytes, length);
    gl_str_add_bytes(out, line, gl_tail_line(launch, tail, &secret, &key, line));
}

static bool pushed(const struct gl_str *text)
{
    return gl_guest_said_pushed(&said, gl_str_text(text), text->length, &key);
}

static void a_tail_that_is_signed_is_taken(void **state)
{
    static const char printed[] = "one\ntwo\0three\xff";
    GL_AUTO(gl_str_done) struct gl_str text = {0}, kept = {0};
    char line[GL_EXIT_MAX];

    (void)state;
    use_key(7);
    gl_guest_tail_line(&said, &kept);
    assert_int_equal(kept.length, 0);
    gl_str_add(&text, "noise\n");
    add_tail(&text, "gl-4k2p9x", printed, sizeof printed);
    gl_str_add_bytes(&text, line, gl_exit_line("gl-4k2p9x", 3, &secret, &key, line));
    assert_true(pushed(&text));
    assert_true(said.has_exit && said.is_tail_pushed && !said.is_tail_cut);
    assert_int_equal(said.exit_status, 3);
    assert_int_equal(said.tail.length, sizeof printed);
    assert_memory_equal(said.tail.text, printed, sizeof printed);
    assert_false(pushed(&text)); /* nothing new */
    /* As it is kept, it is heard again; what the console shows afterwards counts. */
    gl_guest_tail_line(&said, &kept);
    tear_down(NULL);
    set_up(NULL);
    feed(gl_str_text(&kept));
    assert_memory_equal(said.tail.text, printed, sizeof printed);
    assert_true(said.is_tail_pushed);
    feed("greenlaunch: | seen\n");
    assert_string_equal(gl_str_text(&said.tail), "seen\n");
    assert_false(said.is_tail_pushed);
}

static void the_longer_of_two_signed_tails_stays(void **state)
{
    static const char *const printed[] = {"end", "more, and the end", "the end"};

    (void)state;
    use_key(7);
    for (size_t i = 0; i < sizeof printed / sizeof *printed; i++) {
        GL_AUTO(gl_str_done) struct gl_str text = {0};

        add_tail(&text, "gl-4k2p9x", printed[i], strlen(printed[i]));
        assert_int_equal(pushed(&text), i < 2);
        assert_string_equal(gl_str_text(&said.tail), printed[i < 2 ? i : 1]);
    }
}

/* A console says what it shows, not whether more went before. */
static void a_tail_of_a_console_is_kept_as_well(void **state)
{
    GL_AUTO(gl_str_done) struct gl_str kept = {0}, longer = {0};

    (void)state;
    feed("greenlaunch: | one\ngreenlaunch: | two\n");
    gl_guest_tail_line(&said, &kept);
    for (size_t i = 0; i < GL_GUEST_CONSOLE_TAIL / 4; i++)
        feed("greenlaunch: | abc\n");
    gl_guest_tail_line(&said, &longer);
    tear_down(NULL);
    set_up(NULL);
    feed(gl_str_text(&kept));
    assert_string_equal(gl_str_text(&said.tail), "one\ntwo\n");
    assert_false(said.is_tail_cut);
    tear_down(NULL);
    set_up(NULL);
    feed(gl_str_text(&longer));
    assert_int_equal(said.tail.length, GL_GUEST_CONSOLE_TAIL + 8);
    assert_true(said.is_tail_cut);
}

static void the_longest_tail_is_taken_and_known_to_be_cut(void **state)
{
    GL_AUTO(gl_auto_free) char *printed = gl_alloc(GL_TAIL_BYTES);
    GL_AUTO(gl_str_done) struct gl_str text = {0}, kept = {0};

    (void)state;
    use_key(7);
    memset(printed, 0xff, GL_TAIL_BYTES);
    add_tail(&text, "gl-4k2p9x", printed, GL_TAIL_BYTES);
    assert_true(pushed(&text));
    assert_int_equal(said.tail.length, GL_TAIL_BYTES);
    assert_true(said.is_tail_cut);
    gl_guest_tail_line(&said, &kept);
    tear_down(NULL);
    set_up(NULL);
    feed(gl_str_text(&kept));
    assert_int_equal(said.tail.length, GL_TAIL_BYTES);
    assert_true(said.is_tail_cut);
}

/* One byte of it changed, by whatever way. */
static void bend(const char *from, const char *to)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    char *at;

    add_tail(&text, "gl-4k2p9x", "hello", 5);
    at = strstr(text.text, from);
    assert_non_null(at);
    memcpy(at, to, strlen(to));
    if (pushed(&text) || said.tail.length > 0)
        fail_msg("taken: %s", text.text);
}

static void a_tail_that_is_forged_is_none(void **state)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    (void)state;
    use_key(7);
    bend("\"cut\":false", "\"cut\": true");
    bend("aGVsbG8=", "aGVsbG9=");
    bend("aGVsbG8=", "YWFhYWE=");
    bend("GLO1", "GLX1");
    bend("gl-4k2p9x", "gl-4k2p9y");
    bend("\"output\"", "\"0utput\"");
    add_tail(&text, "gl-other", "hello", 5);
    use_key(8);
    add_tail(&text, "gl-4k2p9x", "hello", 5);
    use_key(7);
    assert_false(pushed(&text));
    feed("GLO1 {\"cut\":1,\"launch\":\"gl-4k2p9x\",\"output\":\"aGVsbG8=\"}\n"
         "GLO1 {\"cut\":true,\"launch\":\"gl-other\",\"output\":\"aGVsbG8=\"}\n"
         "GLO1 {\"cut\":true,\"launch\":\"gl-4k2p9x\",\"output\":7}\n"
         "GLO1 {\"cut\":true,\"launch\":\"gl-4k2p9x\",\"output\":\"aGVsbG8\"}\n"
         "GLO1 {\"cut\":true,\"launch\":\"gl-4k2p9x\",\"output\":\"\"}\n");
    assert_int_equal(said.tail.length, 0);
    assert_false(said.is_tail_pushed || said.is_tail_cut);
}

/* Signed or not, more than the ceiling is not taken. */
static void a_tail_beyond_the_ceiling_is_none(void **state)
{
    size_t length = 4 * (GL_GUEST_TAIL / 3 + 2);
    GL_AUTO(gl_auto_free) char *base64 = gl_alloc(length + 1);
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    (void)state;
    memset(base64, 'A', length);
    base64[length] = '\0';
    gl_str_addf(&line, "GLO1 {\"cut\":true,\"launch\":\"gl-4k2p9x\",\"output\":\"%s\"}\n", base64);
    feed(gl_str_text(&line));
    assert_int_equal(said.tail.length, 0);
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
        CASE(a_tail_that_is_signed_is_taken),
        CASE(the_longer_of_two_signed_tails_stays),
        CASE(a_tail_of_a_console_is_kept_as_well),
        CASE(the_longest_tail_is_taken_and_known_to_be_cut),
        CASE(a_tail_that_is_forged_is_none),
        CASE(a_tail_beyond_the_ceiling_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
