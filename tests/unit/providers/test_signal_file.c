/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/providers/signal_case.h"

#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "build/tmp/test_signal_file"

static void test_cases(void **state)
{
    (void)state;
    case_run_all("file", 60);
}

static void test_covers(void **state)
{
    const struct gl_signal_ops *ops = gl_signal_find("file");

    (void)state;
    assert_true(ops->covers("US-CAL-CISO"));
    assert_true(ops->covers("my.zone:1"));
    assert_false(ops->covers(""));
    assert_false(ops->covers("no such zone"));
    assert_false(ops->covers("a/b"));
    assert_false(ops->covers("0123456789012345678901234567890123456789"));
}

/* Read a file of these bytes; the error code, GL_OK when it was read. */
static enum gl_errc read_bytes(const void *bytes, size_t length, struct gl_error *out_err)
{
    struct gl_world *world = gl_world_fixed_new(1768046400000, 1, NULL);
    const struct gl_signal_config config = {.path = FOLDER "/series", .zone = "DE"};
    const struct gl_signal_query query = {.zone = "DE"};
    struct gl_signal_result result = {0};

    *out_err = (struct gl_error){0};
    assert_int_equal(gl_dir_make(FOLDER, out_err), 0);
    assert_int_equal(gl_file_write(config.path, bytes, length, 0600, out_err), 0);
    gl_signal_find("file")->read(&query, &config, world, &result, out_err);
    if (out_err->code != GL_OK)
        assert_int_equal(result.count, 0);
    gl_signal_result_done(&result);
    gl_world_fixed_free(world);
    return out_err->code;
}

static void test_missing(void **state)
{
    struct gl_world *world = gl_world_fixed_new(0, 1, NULL);
    struct gl_signal_config config = {.path = FOLDER "/no-such-file", .zone = "DE"};
    const struct gl_signal_query query = {.zone = "DE"};
    struct gl_signal_result result = {0};
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_signal_find("file")->read(&query, &config, world, &result, &err), -1);
    assert_int_equal(err.code, GL_E_IO);
    gl_error_clear(&err);
    config.path = NULL;
    assert_int_equal(gl_signal_find("file")->read(&query, &config, world, &result, &err), -1);
    assert_int_equal(err.code, GL_E_CONFIG);
    gl_error_clear(&err);
    config.path = FOLDER; /* a folder */
    assert_int_equal(gl_signal_find("file")->read(&query, &config, world, &result, &err), -1);
    assert_int_equal(err.code, GL_E_IO);
    gl_world_fixed_free(world);
}

static void test_too_large(void **state)
{
    size_t length = ((size_t)64 << 20) + 1;
    char *bytes = gl_alloc(length);
    struct gl_error err;

    (void)state;
    memset(bytes, '#', length);
    assert_int_equal(read_bytes(bytes, length, &err), GL_E_TOO_LARGE);
    free(bytes);
}

static void test_too_many_series(void **state)
{
    struct gl_str text = {0};
    struct gl_error err;

    (void)state;
    gl_str_add(&text, "zone,from,until,quantity,unit,value\n");
    for (int i = 0; i < 20001; i++)
        gl_str_addf(&text, "Z%d,2026-01-10T10:00Z,2026-01-10T11:00Z,carbon_intensity,g/kWh,1\n", i);
    assert_int_equal(read_bytes(gl_str_text(&text), text.length, &err), GL_E_TOO_LARGE);
    assert_int_equal(err.pos.line, 20002);
    gl_str_done(&text);
}

/* Cut a good file at every byte: never read, except at the end of a line, where it is a shorter
 * file. */
static void test_cut_anywhere(void **state)
{
    static const char text[] = "from,until,quantity,unit,value\n"
                               "2026-01-10T10:00Z,2026-01-10T11:00Z,carbon_intensity,g/kWh,120\n"
                               "2026-01-10T11:00Z,2026-01-10T12:00Z,carbon_intensity,g/kWh,130\n";
    struct gl_error err;

    (void)state;
    for (size_t length = 0; length < sizeof text - 1; length++) {
        bool is_whole_line = length > 0 && text[length - 1] == '\n';

        assert_int_equal(read_bytes(text, length, &err) == GL_OK, is_whole_line);
    }
}

static void test_place_of_error(void **state)
{
    static const char text[] = "# note\nfrom,until,quantity,unit,value\n\n"
                               "2026-01-10T10:00Z,2026-01-10T11:00Z,carbon_intensity,g/kWh,-1\n";
    struct gl_error err;

    (void)state;
    assert_int_equal(read_bytes(text, sizeof text - 1, &err), GL_E_BAD_VALUE);
    assert_int_equal(err.pos.line, 4);
    assert_string_equal(err.pos.file, FOLDER "/series");
}

/* The balance of a year is no figure of an hour, whatever else the row says. */
static void test_matching(void **state)
{
    static const struct {
        const char *matching, *evidence;
        enum gl_errc code;
    } rows[] = {
        {"none", "forecast", GL_OK},
        {"hourly", "forecast", GL_OK},
        {"annual", "annual_average", GL_OK},
        {"annual", "forecast", GL_E_BAD_VALUE},
        {"annual", "measured", GL_E_BAD_VALUE},
        {"monthly", "", GL_E_BAD_VALUE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[256];
        struct gl_error err;
        int length = snprintf(text, sizeof text,
                              "from,until,quantity,unit,value,matching,evidence\n2026-01-10T10:00Z,"
                              "2026-01-10T11:00Z,renewable_share,percent,97,%s,%s\n",
                              rows[i].matching, rows[i].evidence);

        assert_int_equal(read_bytes(text, (size_t)length, &err), rows[i].code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),           cmocka_unit_test(test_covers),
        cmocka_unit_test(test_missing),         cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_too_many_series), cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_place_of_error),  cmocka_unit_test(test_matching),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
