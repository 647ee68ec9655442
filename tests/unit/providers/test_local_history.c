/* SPDX-License-Identifier: Apache-2.0 */
/* Where and when a local instance ran, as its history says, and the places it can be in. */
#include "providers/cloud/local_history.h"

#include "base/file.h"
#include "providers/cloud/local.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[256];

static int begin(void **state)
{
    const char *build = getenv("BUILD_DIR");
    struct gl_error err = {0};

    (void)state;
    snprintf(folder, sizeof folder, "%s/tmp/local_history_%ld", build != NULL ? build : "build",
             (long)getpid());
    return gl_dir_make(folder, &err);
}

static int end(void **state)
{
    struct gl_error err = {0};

    (void)state;
    return gl_dir_remove(folder, &err);
}

static struct gl_local_record sample(void)
{
    return (struct gl_local_record){
        .launch_id = "gl-1", .region = "b", .started_s = 1000, .state = GL_STATE_RUNNING};
}

/* "run@a 1000000-1005000 still@a ..." */
static void expect(const struct gl_instance_span *spans, size_t count, const char *expected)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    for (size_t i = 0; i < count; i++) {
        gl_str_addf(&text, "%s%s@%s %lld-", i > 0 ? " " : "", spans[i].is_running ? "run" : "still",
                    spans[i].region, (long long)spans[i].from_ms);
        if (spans[i].until_ms != INT64_MAX)
            gl_str_addf(&text, "%lld", (long long)spans[i].until_ms);
    }
    assert_string_equal(gl_str_text(&text), expected);
}

static void expect_of(const char *text, const char *expected)
{
    const struct gl_local_record record = sample();
    GL_AUTO(gl_auto_free) struct gl_instance_span *spans = NULL;
    size_t count;

    gl_history_spans(text, strlen(text), &record, &spans, &count);
    expect(spans, count, expected);
}

#define EVENT(at, region, runs) \
    "{\"at_ms\":" #at ",\"region\":\"" region "\",\"runs\":" #runs ",\"v\":1}\n"

static void test_spans_of_a_text(void **state)
{
    (void)state;
    expect_of("", "run@b 1000000-");
    expect_of("no history at all\n\n", "run@b 1000000-");
    expect_of(EVENT(1000, "a", true) EVENT(2000, "a", false) EVENT(2500, "b", true),
              "run@a 1000-2000 still@a 2000-2500 run@b 2500-");
    /* told twice */
    expect_of(EVENT(1000, "a", true) EVENT(2000, "a", false) EVENT(2100, "a", false)
                  EVENT(2500, "a", true) EVENT(2600, "a", true),
              "run@a 1000-2000 still@a 2000-2500 run@a 2500-");
    /* a line that was cut off, and one after it */
    expect_of(EVENT(1000, "a", true) "{\"at_ms\":15", "run@a 1000-");
    expect_of(EVENT(1000, "a", true) "{\"at_ms\":15\n" EVENT(2000, "a", false),
              "run@a 1000-2000 still@a 2000-");
    /* a clock that was set back: nothing lasts less than no time */
    expect_of(EVENT(1000, "a", true) EVENT(5000, "a", false) EVENT(3000, "a", true),
              "run@a 1000-5000 still@a 5000-5000 run@a 5000-");
}

static void note(const struct gl_local_record *record, int64_t at_ms, const char *region,
                 bool is_running)
{
    struct gl_local_event event = {.at_ms = at_ms, .is_running = is_running};
    struct gl_error err = {0};

    snprintf(event.region, sizeof event.region, "%s", region);
    if (gl_history_note(folder, record, region, &event, &err) < 0)
        fail_msg("%s", err.text);
}

static void expect_read(const struct gl_local_record *record, const char *expected)
{
    GL_AUTO(gl_auto_free) struct gl_instance_span *spans = NULL;
    struct gl_error err = {0};
    size_t count;

    assert_int_equal(gl_history_read(folder, record, &spans, &count, &err), 0);
    expect(spans, count, expected);
}

static void test_written_and_read(void **state)
{
    struct gl_local_record record = sample();
    char path[300];
    FILE *file;

    (void)state;
    expect_read(&record, "run@b 1000000-");
    note(&record, 1005000, "a", false);
    note(&record, 1005000, "a", false);
    record.state = GL_STATE_SUSPENDED;
    expect_read(&record, "run@a 1000000-1005000 still@a 1005000-");
    /* it runs, and nothing says since when: then it has not stood still */
    record.state = GL_STATE_RUNNING;
    expect_read(&record, "run@a 1000000-1005000 run@b 1005000-");
    snprintf(path, sizeof path, "%s/%s", folder, GL_LOCAL_HISTORY);
    file = fopen(path, "a"); /* a crash in the middle of a line */
    assert_non_null(file);
    fputs("{\"at_ms\":10060", file);
    fclose(file);
    note(&record, 1007000, "b", true);
    expect_read(&record, "run@a 1000000-1005000 still@a 1005000-1007000 run@b 1007000-");
}

/* ---- places ---- */

static int take(struct gl_local *local, const struct gl_cloud_place *places, size_t count,
                const char *zone)
{
    const struct gl_cloud_options options = {.zone = zone, .places = places, .place_count = count};
    struct gl_error err = {0};
    int got;

    memset(local, 0, sizeof *local);
    got = gl_local_places_take(local, &options, &err);
    if (got < 0)
        assert_int_equal(err.code, GL_E_CONFIG);
    return got;
}

static void test_places(void **state)
{
    const struct gl_cloud_place places[] = {
        {"cellar", "DE", NULL}, {"attic", "FR", "/no/such/folder"}, {"roof", "FR", folder}};
    const struct gl_cloud_place twice[] = {{"a", "DE", NULL}, {"a", "FR", NULL}};
    const struct gl_cloud_place bad[] = {{"a/b", "DE", NULL}};
    struct gl_error err = {0};
    struct gl_local local;
    char path[GL_LOCAL_PATH];

    (void)state;
    assert_int_equal(take(&local, NULL, 0, "GB"), 0);
    assert_string_equal(local.regions[0], GL_LOCAL_REGION);
    assert_null(local.regions[1]);
    assert_non_null(gl_local_find_place(&local, "GB"));
    assert_null(gl_local_find_place(&local, "FR"));
    gl_local_places_done(&local);
    assert_int_equal(take(&local, NULL, 0, NULL), 0);
    assert_null(gl_local_find_place(&local, ""));
    gl_local_places_done(&local);
    assert_int_equal(take(&local, places, 3, "GB"), 0);
    assert_string_equal(local.regions[2], "roof");
    assert_null(gl_local_find_place(&local, GL_LOCAL_REGION));
    assert_string_equal(gl_local_find_place(&local, "FR")->name, "attic");
    assert_int_equal(gl_local_place_check(&local.places[0], &err), 0);
    assert_int_equal(gl_local_place_check(&local.places[2], &err), 0);
    assert_int_equal(gl_local_place_check(&local.places[1], &err), -1);
    assert_int_equal(err.code, GL_E_NOT_FOUND);
    assert_int_equal(gl_local_place_path(&local.places[0], "/s/local/gl-1", path, &err), 0);
    assert_string_equal(path, "/s/local/gl-1/machine.mig");
    assert_int_equal(gl_local_place_path(&local.places[1], "/s/local/gl-1", path, &err), 0);
    assert_string_equal(path, "/no/such/folder/gl-1.mig");
    gl_local_places_done(&local);
    assert_int_equal(take(&local, twice, 2, NULL), -1);
    gl_local_places_done(&local);
    assert_int_equal(take(&local, bad, 1, NULL), -1);
    gl_local_places_done(&local);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spans_of_a_text),
        cmocka_unit_test_setup_teardown(test_written_and_read, begin, end),
        cmocka_unit_test_setup_teardown(test_places, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
