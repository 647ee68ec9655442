/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/config_edit.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PATH "/somewhere/config.yaml"

static const char *const environment[] = {"HOME=/somewhere", NULL};

static void read_config(const char *text, struct gl_world *world, struct gl_config *out)
{
    struct gl_error err = {0};

    *out = (struct gl_config){0};
    if (text[0] != '\0' &&
        gl_config_read_text((struct gl_view){text, strlen(text)}, PATH, world, out, &err) != 0)
        fail_msg("%s", err.text);
}

static void set_cloud(struct gl_config *config, const char *name, const char *key,
                      const char *value)
{
    struct gl_error err = {0};
    struct gl_config_section *cloud = gl_config_cloud_add(config, name, &err);

    assert_non_null(cloud);
    while (cloud->setting_count > 0)
        assert_int_equal(gl_config_set(cloud, cloud->settings[0].name, "", &err), 0);
    assert_int_equal(gl_config_set(cloud, key, value, &err), 0);
}

static char *edited(const char *before, const struct gl_config *after, const char *name,
                    struct gl_world *world)
{
    struct gl_config_edit edit;
    struct gl_error err = {0};
    char *text;

    if (gl_config_edit_cloud(before, PATH, world, after, name, &edit, &err) != 0)
        fail_msg("%s", err.text);
    text = gl_strdup(gl_str_text(&edit.text));
    gl_config_edit_done(&edit);
    return text;
}

/* What each file says after hetzner has got an image; only these lines may differ. */
static void test_add(void **state)
{
    static const struct {
        const char *before, *after;
    } rows[] = {
        {"", "greenlaunch_config: 1\nclouds:\n  hetzner: {image: 'debian'}\n"},
        {"greenlaunch_config: 1 # one\nzone: SE # two",
         "greenlaunch_config: 1 # one\nzone: SE # two\nclouds:\n  hetzner: {image: 'debian'}\n"},
        {"greenlaunch_config: 1\n# of mine\nclouds: # rented\n    # first\n    aws: {} # keep\n\n"
         "# apart\nzone: SE\n",
         "greenlaunch_config: 1\n# of mine\nclouds: # rented\n    # first\n    aws: {} # keep\n"
         "    hetzner: {image: 'debian'}\n\n# apart\nzone: SE\n"},
        {"greenlaunch_config: 1\nclouds:\n  hetzner: # old\n    image: alma\n    # inside\n"
         "  # before aws\n  aws: {profile: green}\n",
         "greenlaunch_config: 1\nclouds:\n  hetzner: {image: 'debian'}\n    # inside\n"
         "  # before aws\n  aws: {profile: green}\n"},
        {"greenlaunch_config: 1\nclouds: {aws: {profile: green}}\nzone: SE\n",
         "greenlaunch_config: 1\nclouds:\n  aws: {profile: 'green'}\n"
         "  hetzner: {image: 'debian'}\nzone: SE\n"},
        {"greenlaunch_config: 1\nclouds:\n  'hetzner': {image: 'alma'}\n",
         "greenlaunch_config: 1\nclouds:\n  hetzner: {image: 'debian'}\n"},
    };
    struct gl_world *world = gl_world_fixed_new(0, 1, environment);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gl_config config;
        char *text;

        read_config(rows[i].before, world, &config);
        set_cloud(&config, "hetzner", "image", "debian");
        text = edited(rows[i].before, &config, "hetzner", world);
        assert_string_equal(text, rows[i].after);
        free(text);
        gl_config_done(&config);
    }
    gl_world_fixed_free(world);
}

static void test_remove(void **state)
{
    static const struct {
        const char *before, *after;
    } rows[] = {
        {"greenlaunch_config: 1\nclouds:\n  aws:\n    profile: green\n  hetzner: {} # mine\n",
         "greenlaunch_config: 1\nclouds:\n  hetzner: {} # mine\n"},
        {"greenlaunch_config: 1\nclouds: {aws: {}, hetzner: {}}\n",
         "greenlaunch_config: 1\nclouds:\n  hetzner: {}\n"},
        {"greenlaunch_config: 1\n# the rented ones\nclouds:\n  aws: {}\n\nzone: SE\n",
         "greenlaunch_config: 1\n# the rented ones\n\nzone: SE\n"},
    };
    struct gl_world *world = gl_world_fixed_new(0, 1, environment);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gl_config config;
        char *text;

        read_config(rows[i].before, world, &config);
        gl_config_cloud_drop(&config, config.clouds.items[0].name);
        text = edited(rows[i].before, &config, "aws", world);
        assert_string_equal(text, rows[i].after);
        free(text);
        gl_config_done(&config);
    }
    gl_world_fixed_free(world);
}

static void add_source(struct gl_config *config, size_t index, const char *name)
{
    memmove(&config->sources[index + 1], &config->sources[index],
            (config->source_count++ - index) * sizeof config->sources[0]);
    config->sources[index] = (struct gl_signal_config){.name = gl_strdup(name)};
    config->has_sources = true;
}

static void test_sources(void **state)
{
    static const struct {
        const char *before, *after;
        size_t index;
    } rows[] = {
        {"greenlaunch_config: 1\n", "greenlaunch_config: 1\nsources:\n  - {source: 'eia'}\n", 0},
        {"greenlaunch_config: 1\nsources:\n- neso # first\n- energinet\nzone: SE\n",
         "greenlaunch_config: 1\nsources:\n- {source: 'eia'}\n- neso # first\n- energinet\n"
         "zone: SE\n",
         0},
        {"greenlaunch_config: 1\nsources:\n  # why\n  - source: neso\n    # inside\n  - energinet",
         "greenlaunch_config: 1\nsources:\n  # why\n  - source: neso\n    # inside\n  - energinet\n"
         "  - {source: 'eia'}\n",
         2},
        {"greenlaunch_config: 1\nsources: [neso,\n  energinet]\nzone: SE\n",
         "greenlaunch_config: 1\nsources:\n  - {source: 'neso'}\n  - {source: 'eia'}\n"
         "  - {source: 'energinet'}\nzone: SE\n",
         1},
        {"greenlaunch_config: 1\nsources: []\n",
         "greenlaunch_config: 1\nsources:\n  - {source: 'eia'}\n", 0},
    };
    struct gl_world *world = gl_world_fixed_new(0, 1, environment);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gl_config config;
        struct gl_config_source_edit what = {&config, rows[i].index, true};
        struct gl_config_edit edit;
        struct gl_error err = {0};

        read_config(rows[i].before, world, &config);
        add_source(&config, rows[i].index, "eia");
        if (gl_config_edit_source(rows[i].before, PATH, world, &what, &edit, &err) != 0)
            fail_msg("row %zu: %s", i, err.text);
        assert_string_equal(gl_str_text(&edit.text), rows[i].after);
        gl_config_edit_done(&edit);
        gl_config_done(&config);
    }
    gl_world_fixed_free(world);
}

static void test_remove_source(void **state)
{
    static const char before[] = "greenlaunch_config: 1\nsources:\n  - neso\n  # of eia\n  - eia\n";
    static const char *const after[] = {
        "greenlaunch_config: 1\nsources:\n  # of eia\n  - eia\n",
        "greenlaunch_config: 1\nsources:\n  - neso\n  # of eia\n",
    };
    struct gl_world *world = gl_world_fixed_new(0, 1, environment);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct gl_config config;
        struct gl_config_source_edit what = {&config, i, false};
        struct gl_config_edit edit;
        struct gl_error err = {0};

        read_config(before, world, &config);
        free((void *)(uintptr_t)config.sources[i].name);
        config.sources[i] = config.sources[1];
        config.source_count--;
        assert_int_equal(gl_config_edit_source(before, PATH, world, &what, &edit, &err), 0);
        assert_string_equal(gl_str_text(&edit.text), after[i]);
        gl_config_edit_done(&edit);
        config.sources[1] = (struct gl_signal_config){0};
        gl_config_done(&config);
    }
    gl_world_fixed_free(world);
}

/* A file that is one line of braces says what to write instead of being guessed at. */
static void test_refuses(void **state)
{
    static const char before[] = "{greenlaunch_config: 1, clouds: {aws: {}}}\n";
    struct gl_world *world = gl_world_fixed_new(0, 1, environment);
    struct gl_config_edit edit = {.line = 77};
    struct gl_error err = {0};
    struct gl_config config;

    (void)state;
    read_config(before, world, &config);
    set_cloud(&config, "hetzner", "image", "debian");
    assert_int_equal(gl_config_edit_cloud(before, PATH, world, &config, "hetzner", &edit, &err),
                     -1);
    assert_int_equal(err.code, GL_E_CONFIG);
    assert_int_equal(edit.line, 77);
    gl_config_done(&config);
    gl_world_fixed_free(world);
}

/* What reads well but says something else than was wanted is refused, too: here a way of writing a
 * key that is not looked for. */
static void test_proves(void **state)
{
    static const char before[] = "greenlaunch_config: 1\nclouds:\n  ? aws\n  : {}\n  hetzner: {}\n";
    struct gl_world *world = gl_world_fixed_new(0, 1, environment);
    struct gl_config_edit edit = {.line = 77};
    struct gl_error err = {0};
    struct gl_config config;

    (void)state;
    read_config(before, world, &config);
    assert_int_equal(config.clouds.count, 2);
    gl_config_cloud_drop(&config, config.clouds.items[0].name);
    assert_int_equal(gl_config_edit_cloud(before, PATH, world, &config, "aws", &edit, &err), -1);
    assert_int_equal(err.code, GL_E_CONFIG);
    assert_int_equal(edit.line, 77);
    gl_config_done(&config);
    gl_world_fixed_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add),     cmocka_unit_test(test_remove),
        cmocka_unit_test(test_sources), cmocka_unit_test(test_remove_source),
        cmocka_unit_test(test_refuses), cmocka_unit_test(test_proves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
