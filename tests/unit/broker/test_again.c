/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "broker/cli/again.h"

static struct gl_ask ask;

static int setup(void **state)
{
    static const struct gl_option options[] = {
#include "broker/cli/ask_options.def"
        {0},
    };

    (void)state;
    gl_options_clear(options, &ask);
    return 0;
}

static void assert_words(double confidence, const char *wanted)
{
    struct gl_again again;
    struct gl_str words = {0};

    gl_again_ask(&again, "wait", &ask, confidence);
    for (size_t i = 0; again.words[i] != NULL; i++)
        gl_str_addf(&words, "%s%s", i > 0 ? " " : "", again.words[i]);
    assert_string_equal(gl_str_text(&words), wanted);
    gl_str_done(&words);
    gl_again_done(&again);
}

static void only_what_was_given_is_said_again(void **state)
{
    (void)state;
    assert_words(0, "wait");
    ask.renewable_only = "95%";
    ask.has_no_biomass = true;
    ask.clouds = (struct gl_option_list){.items = {"aws", "gcp"}, .count = 2};
    ask.load_ppm = 505000;
    ask.duration_s = 5400;
    ask.count = 3;
    assert_words(0,
                 "wait --renewable-only=95% --no-biomass --cloud aws --cloud gcp --duration 90min "
                 "--load 50.5% --count 3");
    ask = (struct gl_ask){.duration_s = 7200, .load_ppm = INT64_MIN, .count = INT64_MIN};
    assert_words(0, "wait --duration 2h");
    ask.duration_s = 61;
    assert_words(0, "wait --duration 61s");
    ask = (struct gl_ask){.duration_s = INT64_MIN, .load_ppm = 1000000, .count = INT64_MIN};
    assert_words(0, "wait --load 100%");
    ask.load_ppm = 1;
    assert_words(0, "wait --load 0.0001%");
    ask.load_ppm = 0;
    assert_words(0, "wait --load 0%");
}

static void a_confidence_goes_with_a_limit_only(void **state)
{
    (void)state;
    assert_words(0.9, "wait");
    ask.max_intensity = "100g/kWh";
    assert_words(0.9, "wait --max-intensity 100g/kWh --confidence 90%");
    assert_words(0, "wait --max-intensity 100g/kWh");
    ask.confidence = "99%";
    assert_words(0.9, "wait --max-intensity 100g/kWh --confidence 99%");
}

static void a_shell_takes_the_line_as_it_stands(void **state)
{
    struct gl_context context = {.columns = 200};
    struct gl_again again;

    (void)state;
    ask.types = (struct gl_option_list){.items = {"m7g.*", "it's"}, .count = 2};
    gl_again_ask(&again, "wait", &ask, 0);
    gl_again_add(&again, "");
    gl_again_show(&context, again.words);
    assert_string_equal(gl_str_text(&context.reply.text),
                        "  greenlaunch wait --type 'm7g.*' --type 'it'\\''s' ''\n");
    gl_str_done(&context.reply.text);
    gl_again_done(&again);
}

/* Another configuration, state or policy would be another question. */
static void what_the_call_stands_on_goes_along(void **state)
{
    static const char *const words[] = {"run", "--renewable-only", "--", "make", "--config", NULL};
    struct gl_context context = {.columns = 200};
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    GL_AUTO(gl_auto_free) char *argv = NULL;

    (void)state;
    context.globals.config = "my c.yaml";
    context.globals.state = "/s";
    context.globals.policies = (struct gl_option_list){.items = {"a", "b"}, .count = 2};
    context.globals.waivers = "w";
    context.globals.is_demo = context.globals.is_offline = context.globals.is_json = true;
    gl_again_line(&context, words, &line);
    assert_string_equal(gl_str_text(&line),
                        "greenlaunch run --renewable-only --config 'my c.yaml' --state /s "
                        "--policy a --policy b --waivers w --demo --offline -- make --config");
    gl_next(&context, "why", words);
    argv = json_dumps(json_object_get(json_array_get(context.reply.next, 0), "argv"), JSON_COMPACT);
    assert_string_equal(
        argv, "[\"run\",\"--renewable-only\",\"--config\",\"my c.yaml\","
              "\"--state\",\"/s\",\"--policy\",\"a\",\"--policy\",\"b\","
              "\"--waivers\",\"w\",\"--demo\",\"--offline\",\"--\",\"make\",\"--config\"]");
    json_decref(context.reply.next);
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_what_was_given_is_said_again),
        TEST(a_confidence_goes_with_a_limit_only),
        TEST(a_shell_takes_the_line_as_it_stands),
        TEST(what_the_call_stands_on_goes_along),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
