/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "tests/support/json_events.h"

#include <stdlib.h>
#include <string.h>

/* Invented documents, whole and damaged, read by our reader and by jansson: both take or refuse
 * them, and find the same in them. Four differences are jansson's own and are allowed for, or not
 * invented:
 *   - integers beyond 64 bits and reals beyond a double are errors there (RFC 8259 section 6 lets
 *     a reader limit the range), here numbers stay text;
 *   - it nests to 2048 levels, we to 200;
 *   - it drops a zero byte that follows a number; here that is an error;
 *   - it takes no byte order mark (section 8.1 lets a reader ignore one), a feed takes it off.
 * Seeds count from 1; a failure prints its seed. */

#define SEEDS 4000

struct inventor {
    uint64_t state;
    struct gl_str text;
};

static uint64_t next(struct inventor *inventor)
{
    uint64_t z = (inventor->state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static size_t below(struct inventor *inventor, size_t limit)
{
    return (size_t)(next(inventor) % limit);
}

static void add_one_of(struct inventor *inventor, const char *const *texts, size_t count)
{
    gl_str_add(&inventor->text, texts[below(inventor, count)]);
}

#define ADD_ONE_OF(inventor, texts) add_one_of(inventor, texts, sizeof(texts) / sizeof(texts)[0])

static void add_space(struct inventor *inventor)
{
    static const char *const spaces[] = {
        "", "", "", " ", " ", "\n", "\t", "\r\n", "\n                        "};

    ADD_ONE_OF(inventor, spaces);
}

static void add_string(struct inventor *inventor)
{
    static const char *const pieces[] = {"a",
                                         "region",
                                         "eu-west-1",
                                         "\\n",
                                         "\\\"",
                                         "\\\\",
                                         "\\/",
                                         "\\u0041",
                                         "\\u00e4",
                                         "\\ud83c\\udf31",
                                         "\xc3\xa4",
                                         "\xe2\x82\xac",
                                         "\xf0\x9f\x8c\xb1",
                                         "\\u0000",
                                         "{",
                                         "]",
                                         " ",
                                         ":",
                                         "a rather long piece of text, ",
                                         "\\ud800",
                                         "\\q",
                                         "\xc3",
                                         "\x01"};
    /* The last four are wrong, and seldom. */
    size_t count = sizeof pieces / sizeof pieces[0], length = below(inventor, 6);

    gl_str_add(&inventor->text, "\"");
    for (size_t i = 0; i < length; i++)
        add_one_of(inventor, pieces, below(inventor, 300) == 0 ? count : count - 4);
    gl_str_add(&inventor->text, "\"");
}

static void add_number(struct inventor *inventor)
{
    static const char *const signs[] = {"", "", "-"};
    static const char *const wholes[] = {"0", "1", "7", "10", "443", "86400", "9007199254740993"};
    static const char *const parts[] = {"", "", "", ".0", ".5", ".125"};
    static const char *const exponents[] = {"", "", "", "e1", "E+2", "e-3", "e05"};

    ADD_ONE_OF(inventor, signs);
    ADD_ONE_OF(inventor, wholes);
    ADD_ONE_OF(inventor, parts);
    ADD_ONE_OF(inventor, exponents);
}

static void add_value(struct inventor *inventor, unsigned levels);

static void add_container(struct inventor *inventor, bool is_object, unsigned levels)
{
    size_t count = below(inventor, 5);

    gl_str_add(&inventor->text, is_object ? "{" : "[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            gl_str_add(&inventor->text, ",");
        add_space(inventor);
        if (is_object) {
            add_string(inventor);
            add_space(inventor);
            gl_str_add(&inventor->text, ":");
        }
        add_value(inventor, levels - 1);
    }
    add_space(inventor);
    gl_str_add(&inventor->text, is_object ? "}" : "]");
}

static void add_value(struct inventor *inventor, unsigned levels)
{
    static const char *const words[] = {"null", "true", "false"};
    size_t kind = below(inventor, levels > 0 ? 6 : 3);

    add_space(inventor);
    if (kind == 0)
        ADD_ONE_OF(inventor, words);
    else if (kind == 1)
        add_number(inventor);
    else if (kind == 2)
        add_string(inventor);
    else
        add_container(inventor, kind > 3, levels);
    add_space(inventor);
}

/* One byte more, less or other. */
static void damage(struct inventor *inventor)
{
    static const char bytes[] = "\"\\{}[]:,0-.eE+tn \n\x01\xc3\x80u";
    struct gl_str *text = &inventor->text;
    size_t at = below(inventor, text->length);

    switch (below(inventor, 3)) {
    case 0:
        text->text[at] = bytes[below(inventor, sizeof bytes - 1)];
        break;
    case 1:
        memmove(text->text + at, text->text + at + 1, text->length - at);
        text->length--;
        break;
    default:
        text->length = at;
        text->text[at] = '\0';
    }
}

/* ---- the same content ---- */

static bool is_same(const struct gl_jtree *tree, const struct gl_jnode *node, const json_t *value);

static bool is_same_container(const struct gl_jtree *tree, const struct gl_jnode *node,
                              const json_t *value)
{
    size_t i = 0;

    if (node->count != (json_is_object(value) ? json_object_size(value) : json_array_size(value)))
        return false;
    for (const struct gl_jnode *child = gl_jnode_first(tree, node); child != NULL;
         child = gl_jnode_next(tree, node, child), i++)
        if (!is_same(tree, child,
                     json_is_object(value)
                         ? json_object_getn(value, gl_jnode_key(tree, child), child->key_length)
                         : json_array_get(value, i)))
            return false;
    return true;
}

static bool is_same(const struct gl_jtree *tree, const struct gl_jnode *node, const json_t *value)
{
    static const json_type types[] = {
        [GL_JNULL] = JSON_NULL,     [GL_JFALSE] = JSON_FALSE,   [GL_JTRUE] = JSON_TRUE,
        [GL_JNUMBER] = JSON_REAL,   [GL_JSTRING] = JSON_STRING, [GL_JARRAY] = JSON_ARRAY,
        [GL_JOBJECT] = JSON_OBJECT,
    };

    if (value == NULL || json_typeof(value) != types[node->kind])
        return false;
    if (node->kind == GL_JSTRING)
        return json_string_length(value) == node->length &&
               memcmp(json_string_value(value), tree->text + node->text, node->length) == 0;
    if (node->kind == GL_JNUMBER)
        return json_real_value(value) == strtod(tree->text + node->text, NULL);
    return node->kind < GL_JARRAY || is_same_container(tree, node, value);
}

/* ---- the comparison ---- */

struct tally {
    unsigned taken, refused, twins;
};

static void compare(uint64_t seed, const struct gl_str *text, struct tally *tally)
{
    json_error_t trouble = {0};
    json_t *value = json_loadb(text->text, text->length,
                               JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL |
                                   JSON_REJECT_DUPLICATES,
                               &trouble);
    struct gl_jtree tree = {0};
    struct gl_error err = {0};
    int rc = gl_jtree_parse(&tree, text->text, text->length, "doc", &err);

    if ((rc == 0) != (value != NULL) &&
        (value != NULL || json_error_code(&trouble) != json_error_numeric_overflow))
        fail_msg("seed %llu: %s: %s", (unsigned long long)seed, text->text,
                 rc == 0 ? "jansson refuses it" : err.text);
    if (value != NULL && !is_same(&tree, gl_jtree_root(&tree), value))
        fail_msg("seed %llu: %s: other content", (unsigned long long)seed, text->text);
    tally->taken += rc == 0;
    tally->refused += rc != 0;
    tally->twins += err.code == GL_E_DUPLICATE_KEY;
    gl_jtree_done(&tree);
    json_decref(value);
}

static void test_beside_jansson(void **state)
{
    struct tally tally = {0};

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct inventor inventor = {.state = seed};

        add_value(&inventor, 5);
        compare(seed, &inventor.text, &tally);
        for (int i = 0; i < 4 && inventor.text.length > 1; i++) {
            damage(&inventor);
            compare(seed, &inventor.text, &tally);
        }
        gl_str_done(&inventor.text);
    }
    print_message("%u documents taken, %u refused, %u of them for a name that came twice\n",
                  tally.taken, tally.refused, tally.twins);
    assert_true(tally.taken > SEEDS && tally.refused > SEEDS && tally.twins > 20);
}

/* Stepping, taking and the pieces a document comes in: one outcome. */
static void test_pieces(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS / 10; seed++) {
        struct inventor inventor = {.state = seed};
        struct gl_str whole = {0};
        struct gl_error err = {0};
        int rc;

        add_value(&inventor, 6);
        rc = event_bytes(inventor.text.text, inventor.text.length, WAY_STEPS, &whole, &err);
        for (int round = 0; round < 10; round++) {
            GL_AUTO(gl_str_done) struct gl_str out = {0};
            struct gl_error again = {0};
            int fd = packets(inventor.text.text, inventor.text.length,
                             below(&inventor, inventor.text.length), inventor.text.length / 50 + 1);
            struct gl_feed *feed = gl_feed_of_fd(fd, "doc");

            assert_true(fd >= 0);
            if (event_feed(feed, WAY_STEPS, &out, &again) != rc || again.code != err.code ||
                strcmp(gl_str_text(&out), gl_str_text(&whole)) != 0)
                fail_msg("seed %llu: %s", (unsigned long long)seed, inventor.text.text);
            gl_feed_close(feed);
            close(fd);
        }
        gl_str_done(&whole);
        gl_str_done(&inventor.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beside_jansson),
        cmocka_unit_test(test_pieces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
