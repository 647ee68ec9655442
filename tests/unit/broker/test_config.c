/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/config.h"
#include "broker/standing.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define PATH_MAX_HERE 512

/* A folder of our own below the build, with a world whose HOME it is. */
struct place {
    char folder[PATH_MAX_HERE], config[PATH_MAX_HERE + 32];
    char home[PATH_MAX_HERE + 8];
    const char *environment[3];
    struct gl_world *world;
};

static int begin(void **state)
{
    struct place *place = gl_alloc(sizeof *place);
    const char *build = getenv("BUILD_DIR");
    struct gl_error err = {0};

    snprintf(place->folder, sizeof place->folder, "%s/tmp/test_config.%d",
             build != NULL ? build : "build", (int)getpid());
    if (place->folder[0] != '/') {
        char *here = realpath(".", NULL), *whole = gl_path_join(here, place->folder);

        snprintf(place->folder, sizeof place->folder, "%s", whole);
        free(here);
        free(whole);
    }
    snprintf(place->config, sizeof place->config, "%s/config.yaml", place->folder);
    snprintf(place->home, sizeof place->home, "HOME=%s", place->folder);
    place->environment[0] = place->home;
    place->world = gl_world_fixed_new(0, 1, place->environment);
    *state = place;
    return gl_dir_make(place->folder, &err);
}

static int end(void **state)
{
    struct place *place = *state;
    struct gl_error err = {0};

    gl_dir_remove(place->folder, &err);
    gl_world_fixed_free(place->world);
    free(place);
    return 0;
}

static int read_text(struct place *place, const char *text, struct gl_config *out,
                     struct gl_error *err)
{
    assert_int_equal(gl_file_write(place->config, text, strlen(text), 0600, err), 0);
    return gl_config_read(place->config, place->world, out, err);
}

/* Reading `text` fails at that place with that code. */
static void assert_fails(struct place *place, const char *text, enum gl_errc code, unsigned line,
                         unsigned column)
{
    struct gl_config config = {0};
    struct gl_error err = {0};

    assert_int_equal(read_text(place, text, &config, &err), -1);
    assert_int_equal(err.code, code);
    assert_int_equal(err.pos.line, line);
    assert_int_equal(err.pos.column, column);
    assert_null(config.path);
}

static void everything_is_read(void **state)
{
    struct place *place = *state;
    struct gl_config config;
    struct gl_error err = {0};
    char *beside = gl_path_join(place->folder, "waivers.yaml");
    char *home = gl_path_join(place->folder, "green.yaml");

    assert_int_equal(read_text(place,
                               "greenlaunch_config: 1\n"
                               "zone: SE-SE3\n"
                               "country: NO\n" /* a country, not false */
                               "policies: [~/green.yaml, /etc/org.yaml]\n"
                               "waivers: waivers.yaml\n"
                               "sources:\n"
                               "  - neso\n"
                               "  - {file: grid.csv, zone: MY-GRID}\n"
                               "  - {source: energinet, endpoint: 'http://localhost:1'}\n",
                               &config, &err),
                     0);
    assert_string_equal(config.path, place->config);
    assert_string_equal(config.zone, "SE-SE3");
    assert_string_equal(config.country, "NO");
    assert_string_equal(config.policies[0], home);
    assert_string_equal(config.policies[1], "/etc/org.yaml");
    assert_null(config.policies[2]);
    assert_string_equal(config.waivers, beside);
    assert_true(config.has_sources);
    assert_int_equal(config.source_count, 3);
    assert_string_equal(config.sources[0].name, "neso");
    assert_string_equal(config.sources[1].name, "file");
    assert_string_equal(config.sources[1].zone, "MY-GRID");
    assert_non_null(strstr(config.sources[1].path, "/grid.csv"));
    assert_string_equal(config.sources[2].endpoint, "http://localhost:1");
    gl_config_done(&config);
    assert_null(config.path);
    free(beside);
    free(home);
}

static void what_is_not_said_is_null(void **state)
{
    struct place *place = *state;
    struct gl_config config;
    struct gl_error err = {0};

    assert_int_equal(read_text(place, "greenlaunch_config: 1\n", &config, &err), 0);
    assert_null(config.zone);
    assert_null(config.country);
    assert_null(config.waivers);
    assert_null(config.policies[0]);
    assert_false(config.has_sources);
    gl_config_done(&config);
    assert_int_equal(read_text(place, "greenlaunch_config: 1\nsources: []\n", &config, &err), 0);
    assert_true(config.has_sources);
    assert_int_equal(config.source_count, 0);
    gl_config_done(&config);
}

static void nothing_there_is_an_empty_configuration(void **state)
{
    struct place *place = *state;
    struct gl_config config = {.source_count = 7};
    struct gl_error err = {0};

    assert_int_equal(gl_config_read(NULL, place->world, &config, &err), 0);
    assert_null(config.path);
    assert_int_equal(config.source_count, 0);
    assert_int_equal(gl_config_read("/nowhere/config.yaml", place->world, &config, &err), -1);
    assert_int_equal(err.code, GL_E_USAGE);
}

/* A secret is named, never written. */
static void secrets_are_named(void **state)
{
    struct place *place = *state;
    char *beside = gl_path_join(place->folder, "watt.key");
    struct gl_config config, back;
    struct gl_error err = {0};

    assert_int_equal(
        read_text(place,
                  "greenlaunch_config: 1\n"
                  "sources:\n"
                  "  - {source: electricity-maps, key_env: MY_KEY, key_header: X-BLOBR-KEY}\n"
                  "  - {source: watttime, key_file: watt.key, user_env: ME, zone: GB, "
                  "location: UK}\n",
                  &config, &err),
        0);
    assert_int_equal(gl_config_write(place->config, &config, true, &err), 0);
    assert_int_equal(gl_config_read(place->config, place->world, &back, &err), 0);
    assert_string_equal(back.sources[0].key_env, "MY_KEY");
    assert_string_equal(back.sources[0].key_header, "X-BLOBR-KEY");
    assert_string_equal(back.sources[1].key_file, beside);
    assert_string_equal(back.sources[1].user_env, "ME");
    assert_string_equal(back.sources[1].location, "UK");
    gl_config_done(&config);
    gl_config_done(&back);
    free(beside);
}

/* What was put in the wrong place is not repeated. */
static void a_secret_is_refused_unseen(void **state)
{
    static const char *const lines[] = {"key_env: planted-4711",      "user_env: Planted4711",
                                        "key_header: 'planted 4711'", "key_header: \"a\\nb: 4711\"",
                                        "key: planted4711",           "token: planted4711"};
    struct place *place = *state;

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct gl_config config = {0};
        struct gl_error err = {0};
        char text[160];

        snprintf(text, sizeof text,
                 "greenlaunch_config: 1\nsources:\n  - {source: electricity-maps, %s}\n", lines[i]);
        assert_int_equal(read_text(place, text, &config, &err), -1);
        assert_int_equal(err.code, GL_E_CONFIG);
        assert_int_equal(err.pos.line, 3);
        assert_null(strstr(err.text, "4711"));
    }
}

#define TOLD                                                                             \
    "{source: carbon-aware-sdk, endpoint: 'http://localhost:1', zone: DE, location: x, " \
    "boundary: lifecycle, gases: co2e, trace: production, unit: g/kWh"

static void a_source_is_told_what_its_figures_are(void **state)
{
    struct place *place = *state;
    struct gl_config config;
    struct gl_error err = {0};

    assert_int_equal(read_text(place,
                               "greenlaunch_config: 1\nsources:\n  - " TOLD ", rate: average}\n",
                               &config, &err),
                     0);
    assert_string_equal(config.sources[0].rate, "average");
    assert_string_equal(config.sources[0].unit, "g/kWh");
    gl_config_done(&config);
    assert_fails(place, "greenlaunch_config: 1\nsources:\n  - " TOLD "}\n", GL_E_CONFIG, 3, 5);
    assert_fails(place, "greenlaunch_config: 1\nsources:\n  - " TOLD ", rate: mean}\n", GL_E_CONFIG,
                 3, 159);
    assert_fails(place, "greenlaunch_config: 1\nsources: [carbon-aware-sdk]\n", GL_E_CONFIG, 2, 11);
    assert_fails(place, "greenlaunch_config: 1\nsources: [{source: neso, rate: average}]\n",
                 GL_E_CONFIG, 2, 11);
    assert_fails(place, "greenlaunch_config: 1\nsources: [{source: watttime, location: UK}]\n",
                 GL_E_CONFIG, 2, 11);
}

static void errors_name_their_place(void **state)
{
    struct place *place = *state;

    assert_fails(place, "greenlaunch_config: 1\nzonee: DE\n", GL_E_CONFIG, 2, 1);
    assert_fails(place, "greenlaunch_config: 1\nzone: DE\nzone: FR\n", GL_E_DUPLICATE_KEY, 3, 1);
    assert_fails(place, "greenlaunch_config: 2\n", GL_E_BAD_VALUE, 1, 21);
    assert_fails(place, "zone: DE\n", GL_E_BAD_VALUE, 1, 1);
    assert_fails(place, "greenlaunch_config: 1\nzone: 'a b'\n", GL_E_CONFIG, 2, 7);
    assert_fails(place, "greenlaunch_config: 1\ncountry: SWE\n", GL_E_CONFIG, 2, 10);
    assert_fails(place, "greenlaunch_config: 1\nsources: neso\n", GL_E_CONFIG, 2, 10);
    assert_fails(place, "greenlaunch_config: 1\nsources: [nesso]\n", GL_E_CONFIG, 2, 11);
    assert_fails(place, "greenlaunch_config: 1\nsources: [{zone: DE}]\n", GL_E_CONFIG, 2, 11);
    assert_fails(place, "greenlaunch_config: 1\nsources: [{source: neso, file: a.csv}]\n",
                 GL_E_CONFIG, 2, 11);
    assert_fails(place, "greenlaunch_config: 1\nzone: &a DE\n", GL_E_SYNTAX, 2, 7);
    assert_fails(place, "greenlaunch_config: [\n", GL_E_SYNTAX, 1, 22);
    assert_fails(place, "", GL_E_CONFIG, 0, 0);
}

static void ceilings_hold(void **state)
{
    struct place *place = *state;
    struct gl_config config = {0};
    struct gl_error err = {0};
    struct gl_str text = {0};

    gl_str_add(&text, "greenlaunch_config: 1\npolicies:\n");
    for (int i = 0; i <= GL_CONFIG_POLICIES_MAX; i++)
        gl_str_add(&text, "  - p.yaml\n");
    assert_int_equal(read_text(place, gl_str_text(&text), &config, &err), -1);
    assert_int_equal(err.pos.line, 3 + GL_CONFIG_POLICIES_MAX);
    gl_str_clear(&text);
    gl_error_clear(&err);
    gl_str_add(&text, "greenlaunch_config: 1\nsources:\n");
    for (int i = 0; i <= GL_CONFIG_SOURCES_MAX; i++)
        gl_str_add(&text, "  - neso\n");
    assert_int_equal(read_text(place, gl_str_text(&text), &config, &err), -1);
    assert_int_equal(err.pos.line, 3 + GL_CONFIG_SOURCES_MAX);
    gl_str_done(&text);
}

static void what_is_written_is_read_back(void **state)
{
    struct place *place = *state;
    struct gl_config config, back;
    struct gl_error err = {0};
    struct stat info;

    assert_int_equal(read_text(place,
                               "greenlaunch_config: 1\nzone: DE\ncountry: DE\n"
                               "policies: ['/it''s.yaml']\nwaivers: '/a b: c.yaml'\n"
                               "sources: [{file: /x.csv, zone: DE}, energy-charts]\n",
                               &config, &err),
                     0);
    assert_int_equal(gl_config_write(place->config, &config, false, &err), -1);
    assert_int_equal(err.code, GL_E_CONFIG);
    gl_error_clear(&err);
    assert_int_equal(gl_config_write(place->config, &config, true, &err), 0);
    assert_int_equal(stat(place->config, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(gl_config_read(place->config, place->world, &back, &err), 0);
    assert_string_equal(back.zone, "DE");
    assert_string_equal(back.policies[0], "/it's.yaml");
    assert_string_equal(back.waivers, "/a b: c.yaml");
    assert_int_equal(back.source_count, 2);
    assert_string_equal(back.sources[0].path, "/x.csv");
    assert_string_equal(back.sources[1].name, "energy-charts");
    gl_config_done(&config);
    gl_config_done(&back);
}

static void venues_are_read(void **state)
{
    struct place *place = *state;
    struct gl_config config, back;
    struct gl_error err = {0};

    assert_int_equal(read_text(place,
                               "greenlaunch_config: 1\nvenues:\n"
                               "  email: {from: me@example.com}\n"
                               "  aws/email: {to: team@example.com}\n"
                               "  file: {folder: ~/wishes}\n",
                               &config, &err),
                     0);
    assert_int_equal(gl_config_write(place->config, &config, true, &err), 0);
    assert_int_equal(gl_config_read(place->config, place->world, &back, &err), 0);
    assert_int_equal(back.venues.count, 3);
    assert_string_equal(gl_config_venue(&back, NULL, "email")->settings[0].value, "me@example.com");
    assert_string_equal(gl_config_venue(&back, "aws", "email")->settings[0].name, "to");
    assert_string_equal(gl_config_venue(&back, "aws", "email")->settings[0].value,
                        "team@example.com");
    assert_true(gl_config_venue(&back, NULL, "file")->settings[0].value[0] == '/');
    assert_null(gl_config_venue(&back, "ovh", "email"));
    assert_null(gl_config_venue(&back, NULL, "github"));
    gl_config_done(&config);
    gl_config_done(&back);
}

/* The configuration holds no secret, of venues neither, and repeats none that was put there. */
static void venues_hold_no_secret(void **state)
{
    static const struct {
        const char *venues, *says;
    } rows[] = {
        {"{github: {token: planted4711}}", "GITHUB_TOKEN"},
        {"{smtp: {password: planted4711}}", "GREENLAUNCH_SMTP_PASSWORD"},
        {"{gihtub: {repository: o/r}}", "did you mean github?"},
        {"{github: {repo: o/r}}", "known: repository"},
        {"{asw/email: {to: a@example.com}}", "aws/email"},
        {"{/email: {to: a@example.com}}", "aws/email"},
        {"{email: a@example.com}", "a map of settings"},
        {"[email]", "venues is a map"},
    };
    struct place *place = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_config config = {0};
        struct gl_error err = {0};
        char text[160];

        snprintf(text, sizeof text, "greenlaunch_config: 1\nvenues: %s\n", rows[i].venues);
        assert_int_equal(read_text(place, text, &config, &err), -1);
        assert_int_equal(err.code, GL_E_CONFIG);
        assert_int_equal(err.pos.line, 2);
        assert_null(strstr(err.text, "4711"));
        if (strstr(err.text, rows[i].says) == NULL)
            fail_msg("%s: %s", rows[i].venues, err.text);
    }
}

static void the_place_follows_the_environment(void **state)
{
    const char *const xdg[] = {"XDG_CONFIG_HOME=/xdg", "HOME=/h/a", NULL};
    const char *const home[] = {"XDG_CONFIG_HOME=relative", "HOME=/h/a", NULL};
    const char *const none[] = {NULL};
    const char *const *const environments[] = {xdg, home, none};
    const char *const expected[] = {"/xdg/greenlaunch/config.yaml",
                                    "/h/a/.config/greenlaunch/config.yaml", NULL};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct gl_world *world = gl_world_fixed_new(0, 1, environments[i]);
        char *path = gl_config_path(world);

        if (expected[i] == NULL)
            assert_null(path);
        else
            assert_string_equal(path, expected[i]);
        free(path);
        gl_world_fixed_free(world);
    }
}

static void a_standing_world_differs_in_its_clock_alone(void **state)
{
    struct place *place = *state;
    struct gl_standing_world standing;
    unsigned char bytes[4] = {0};

    gl_standing_world_init(&standing, place->world, (struct gl_instant){1000});
    assert_int_equal(gl_now(&standing.world).unix_s, 1000);
    standing.world.sleep_ms(standing.world.cookie, 5000);
    assert_int_equal(gl_now(&standing.world).unix_s, 1000);
    assert_int_equal(standing.world.monotonic_ms(standing.world.cookie),
                     place->world->monotonic_ms(place->world->cookie));
    assert_string_equal(standing.world.getenv(standing.world.cookie, "HOME"), place->folder);
    standing.world.random(standing.world.cookie, bytes, sizeof bytes);
    assert_null(standing.world.http);
}

static void places_are_read(void **state)
{
    struct place *place = *state;
    struct gl_config config, again;
    struct gl_error err = {0};
    static const char *const bad[] = {"cellar", "[cellar]", "[{name: cellar}]",
                                      "[{name: cellar, zone: '?'}]",
                                      "[{name: cellar, zone: DE, colour: red}]"};
    char text[512], second[PATH_MAX_HERE + 64];

    snprintf(text, sizeof text,
             "greenlaunch_config: 1\nplaces: [{name: cellar, zone: DE}, "
             "{name: attic, zone: FR, folder: attic}]\n");
    assert_int_equal(gl_file_write(place->config, text, strlen(text), 0600, &err), 0);
    assert_int_equal(gl_config_read(place->config, place->world, &config, &err), 0);
    assert_int_equal(config.place_count, 2);
    assert_string_equal(config.places[0].name, "cellar");
    assert_string_equal(config.places[0].zone, "DE");
    assert_null(config.places[0].folder);
    assert_non_null(strstr(config.places[1].folder, "/attic")); /* beside the configuration */
    snprintf(second, sizeof second, "%s.again", place->config);
    assert_int_equal(gl_config_write(second, &config, false, &err), 0);
    assert_int_equal(gl_config_read(second, place->world, &again, &err), 0);
    assert_int_equal(again.place_count, 2);
    assert_string_equal(again.places[1].folder, config.places[1].folder);
    gl_config_done(&again);
    gl_config_done(&config);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        gl_error_clear(&err);
        snprintf(text, sizeof text, "greenlaunch_config: 1\nplaces: %s\n", bad[i]);
        assert_int_equal(gl_file_write(place->config, text, strlen(text), 0600, &err), 0);
        assert_int_equal(gl_config_read(place->config, place->world, &config, &err), -1);
        assert_int_equal(err.pos.line, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everything_is_read, begin, end),
        cmocka_unit_test_setup_teardown(places_are_read, begin, end),
        cmocka_unit_test_setup_teardown(what_is_not_said_is_null, begin, end),
        cmocka_unit_test_setup_teardown(nothing_there_is_an_empty_configuration, begin, end),
        cmocka_unit_test_setup_teardown(errors_name_their_place, begin, end),
        cmocka_unit_test_setup_teardown(secrets_are_named, begin, end),
        cmocka_unit_test_setup_teardown(a_secret_is_refused_unseen, begin, end),
        cmocka_unit_test_setup_teardown(a_source_is_told_what_its_figures_are, begin, end),
        cmocka_unit_test_setup_teardown(ceilings_hold, begin, end),
        cmocka_unit_test_setup_teardown(what_is_written_is_read_back, begin, end),
        cmocka_unit_test_setup_teardown(venues_are_read, begin, end),
        cmocka_unit_test_setup_teardown(venues_hold_no_secret, begin, end),
        cmocka_unit_test(the_place_follows_the_environment),
        cmocka_unit_test_setup_teardown(a_standing_world_differs_in_its_clock_alone, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
