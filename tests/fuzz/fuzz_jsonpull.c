/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "tests/support/json_events.h"

#include <stdlib.h>

/* A feed with whatever coats it wears, read as JSON by all three ways, which must agree with each
 * other; and with jansson, where that has no narrower limits. The ceiling on bytes keeps
 * compressed inputs from taking all the time. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define MAX_BYTES ((uint64_t)1 << 20)

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static int read_by(enum way way, const uint8_t *bytes, size_t size, struct gl_str *out,
                   struct gl_error *err)
{
    struct gl_feed *feed = gl_feed_of_bytes(bytes, size, "fuzz");
    int rc;

    gl_feed_limit(feed, MAX_BYTES);
    rc = event_feed(feed, way, out, err);
    gl_feed_close(feed);
    return rc;
}

/* Documents between noise, as a plan reader goes through them. */
static void read_among_noise(const uint8_t *bytes, size_t size)
{
    struct gl_feed *feed = gl_feed_of_bytes(bytes, size, "fuzz");
    struct gl_jsonpull *pull = gl_jsonpull_new(feed);
    struct gl_error err = {0};
    size_t dropped;
    bool has = true;

    gl_feed_limit(feed, MAX_BYTES);
    while (has && gl_jsonpull_find(pull, size / 2, &dropped, &err) == 0 &&
           gl_jsonpull_more(pull, &has, &err) == 0 && has)
        if (gl_jsonpull_skip(pull, &err) != 0)
            break;
    demand(gl_jsonpull_line(pull) >= 1);
    gl_jsonpull_free(pull);
    gl_feed_close(feed);
}

static bool wants(const void *cookie, unsigned level, struct gl_view name)
{
    const unsigned *levels = cookie;

    demand(level >= 1 && level <= *levels && strlen(name.text) == name.length);
    return name.length % 2 == 0;
}

/* Documents between talk, of each what some names hold. */
static void read_among_talk(const uint8_t *bytes, size_t size)
{
    static const unsigned levels = 2;
    static const struct gl_jsonpull_choice choice = {wants, &levels, 2};
    const struct gl_jsonpull_talk talk = {"::", "\"plan\"", size / 2};
    struct gl_feed *feed = gl_feed_of_bytes(bytes, size, "fuzz");
    struct gl_jsonpull *pull = gl_jsonpull_new(feed);
    struct gl_jtree tree = {0};
    struct gl_error err = {0};
    bool has = true;

    gl_feed_limit(feed, MAX_BYTES);
    while (has && gl_jsonpull_drop_talk(pull, &talk, &err) == 0 &&
           gl_jsonpull_more(pull, &has, &err) == 0 && has)
        if (gl_jsonpull_take_some(pull, &choice, &tree, &err) != 0)
            break;
    gl_jtree_done(&tree);
    gl_jsonpull_free(pull);
    gl_feed_close(feed);
}

/* jansson takes no coats, and no number that does not fit a double; it drops a zero byte behind a
 * number; its depth is greater. */
static void compare(const uint8_t *bytes, size_t size, const struct gl_error *err)
{
    json_error_t trouble = {0};
    json_t *value = json_loadb((const char *)bytes, size,
                               JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL |
                                   JSON_REJECT_DUPLICATES,
                               &trouble);
    bool has_coat = size > 0 && (bytes[0] == 0x1f || bytes[0] >= 0xef);

    if (value != NULL && memchr(bytes, 0, size) == NULL)
        demand(err->code == GL_OK || err->code == GL_E_TOO_LARGE);
    if (value == NULL && !has_coat && json_error_code(&trouble) != json_error_numeric_overflow)
        demand(err->code != GL_OK);
    json_decref(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct gl_str lines[WAYS] = {{0}};
    struct gl_error errs[WAYS] = {{0}};
    int rcs[WAYS];

    for (int way = 0; way < WAYS; way++)
        rcs[way] = read_by((enum way)way, bytes, size, &lines[way], &errs[way]);
    for (int way = 0; way < WAYS; way++) {
        demand((rcs[way] == 0) == (errs[way].code == GL_OK));
        demand(errs[way].code != GL_E_INTERNAL);
    }
    if (rcs[WAY_TREE] == 0) {
        demand(rcs[WAY_STEPS] == 0 && rcs[WAY_SKIP] == 0);
        demand(strcmp(gl_str_text(&lines[WAY_TREE]), gl_str_text(&lines[WAY_STEPS])) == 0);
    }
    if (rcs[WAY_STEPS] == 0)
        demand(rcs[WAY_SKIP] == 0);
    compare(bytes, size, &errs[WAY_TREE]);
    read_among_noise(bytes, size);
    read_among_talk(bytes, size);
    for (int way = 0; way < WAYS; way++)
        gl_str_done(&lines[way]);
    return 0;
}
