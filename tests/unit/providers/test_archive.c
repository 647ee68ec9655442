/* SPDX-License-Identifier: Apache-2.0 */
#define FOLDER "build/tmp/test_archive"

#include "tests/unit/providers/archive_bench.h"

static void test_nothing_stored(void **state)
{
    struct gl_archive_content content = read_at(GL_UNKNOWN);
    struct gl_archive_entry *entries = NULL;

    (void)state;
    assert_int_equal(content.issue_count + content.actual_count + content.damaged, 0);
    gl_archive_content_done(&content);
    assert_int_equal(gl_archive_list(FOLDER, "neso", "GB", &entries), 0);
    assert_null(entries);
}

static void test_comes_back(void **state)
{
    const int64_t values_u[3] = {G(110), GL_UNKNOWN, 0};
    struct gl_archive_actual given = actual(NOW - 2 * HOUR, G(95), NOW);
    struct gl_archive_content content;
    struct gl_error err = {0};

    (void)state;
    given.updated_s = NOW - 60;
    given.evidence = GL_SUBSTITUTE;
    assert_int_equal(keep_actual(given).hours, 1);
    assert_int_equal(keep_issue(NOW - 600, NOW + 5, values_u, &err), 1);
    content = read_at(GL_UNKNOWN);
    assert_int_equal(content.actual_count, 1);
    assert_int_equal(content.actuals[0].hour_s, NOW - 2 * HOUR);
    assert_int_equal(content.actuals[0].value_u, G(95));
    assert_int_equal(content.actuals[0].received_s, NOW);
    assert_int_equal(content.actuals[0].known_s, NOW);
    assert_int_equal(content.actuals[0].updated_s, NOW - 60);
    assert_int_equal(content.actuals[0].evidence, GL_SUBSTITUTE);
    assert_false(content.actuals[0].is_backfilled);
    assert_int_equal(content.issue_count, 1);
    assert_int_equal(content.issues[0].issued_s, NOW - 600);
    assert_int_equal(content.issues[0].received_s, NOW + 5);
    assert_int_equal(content.issues[0].start_s, NOW);
    assert_int_equal(content.issues[0].count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(content.issues[0].value_u[i], values_u[i]);
    assert_int_equal(content.damaged, 0);
    gl_archive_content_done(&content);
}

static void test_header_says_what_it_is(void **state)
{
    GL_AUTO(gl_auto_free) char *path = gl_archive_path(&key, GL_ARCHIVE_ACTUALS);
    GL_AUTO(gl_auto_free) struct gl_archive_entry *entries = NULL;
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    struct gl_error err = {0};
    size_t length;

    (void)state;
    keep_actual(actual(NOW - 2 * HOUR, G(95), NOW));
    assert_int_equal(gl_file_read(path, 1 << 20, &bytes, &length, &err), 0);
    assert_int_equal(length, GL_ARCHIVE_HEADER + GL_ARCHIVE_ACTUAL_BYTES);
    assert_int_equal(bytes[GL_ARCHIVE_HEADER - 1], '\n');
    assert_non_null(strstr(bytes, "\"boundary\":\"direct\""));
    assert_non_null(strstr(bytes, "\"licence\":\"CC BY 4.0\""));
    assert_int_equal(gl_archive_list(FOLDER, "neso", "GB", &entries), 1);
    assert_string_equal(entries[0].dataset, "national");
    assert_string_equal(entries[0].meaning.factor_set, "NESO");
    assert_int_equal(gl_meaning_join(&entries[0].meaning, &grams, &err), 0);
}

/* Files of another source, zone or meaning are other files. */
static void test_never_mixed(void **state)
{
    struct gl_meaning lifecycle = grams;
    struct gl_archive_key others[3] = {key, key, key};
    struct gl_archive_content content;
    struct gl_error err = {0};

    (void)state;
    keep_actual(actual(NOW - 2 * HOUR, G(95), NOW));
    lifecycle.boundary = GL_LIFECYCLE;
    others[0].meaning = &lifecycle;
    others[1].zone = "DE";
    others[2].dataset = "region 13";
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(gl_archive_read(&others[i], GL_UNKNOWN, &content, &err), 0);
        assert_int_equal(content.actual_count, 0);
        gl_archive_content_done(&content);
    }
}

/* ---- the same, again and revised ---- */

static void test_same_actual_once(void **state)
{
    struct gl_archive_kept kept;

    (void)state;
    keep_actual(actual(NOW - 2 * HOUR, G(95), NOW));
    kept = keep_actual(actual(NOW - 2 * HOUR, G(95), NOW + HOUR));
    assert_int_equal(kept.hours + kept.revisions, 0);
    assert_int_equal(count_at(GL_UNKNOWN, false), 1);
}

static void test_revision_keeps_both(void **state)
{
    struct gl_archive_actual settled = actual(NOW - 2 * HOUR, G(97), NOW + DAY);
    struct gl_archive_content content;

    (void)state;
    keep_actual(actual(NOW - 2 * HOUR, G(95), NOW));
    keep_actual(actual(NOW - HOUR, G(90), NOW + HOUR));
    assert_int_equal(keep_actual(settled).revisions, 1);
    settled.evidence = GL_MEASURED; /* the same figure, but now sure */
    settled.received_s = NOW + 2 * DAY;
    assert_int_equal(keep_actual(settled).revisions, 1);
    content = read_at(GL_UNKNOWN);
    assert_int_equal(content.actual_count, 4);
    assert_int_equal(content.actuals[0].value_u, G(95));
    assert_int_equal(content.actuals[1].value_u, G(97));
    assert_int_equal(content.actuals[2].evidence, GL_MEASURED);
    assert_int_equal(content.actuals[3].hour_s, NOW - HOUR);
    gl_archive_content_done(&content);
    /* As known earlier: only what had come by then. */
    content = read_at(NOW + HOUR);
    assert_int_equal(content.actual_count, 2);
    assert_int_equal(content.actuals[0].value_u, G(95));
    gl_archive_content_done(&content);
    assert_int_equal(count_at(NOW - 1, false), 0);
}

static void test_same_issue_once(void **state)
{
    const int64_t first[3] = {G(110), G(120), G(130)};
    const int64_t revised[3] = {G(110), G(121), G(130)};
    const int64_t shorter[3] = {G(110), G(120), GL_UNKNOWN};
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(keep_issue(NOW, NOW, first, &err), 1);
    assert_int_equal(keep_issue(NOW, NOW + 300, first, &err), 0);
    assert_int_equal(keep_issue(NOW, NOW + 600, shorter, &err), 0);
    assert_int_equal(keep_issue(NOW, NOW + 900, revised, &err), 1);
    /* A lagging server says the first again. */
    assert_int_equal(keep_issue(NOW, NOW + 1200, first, &err), 0);
    assert_int_equal(keep_issue(NOW + 1500, NOW + 1500, first, &err), 1);
    assert_int_equal(count_at(GL_UNKNOWN, true), 3);
    assert_int_equal(count_at(NOW + 899, true), 1);
}

/* Without an issue time the time of receipt is the issue's, and further hours make a new one. */
static void test_issue_without_time(void **state)
{
    const int64_t first[3] = {G(110), G(120), G(130)};
    const int64_t next[3] = {G(120), G(130), G(140)};
    const int64_t back[3] = {G(111), G(120), G(130)};
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(keep_issue(GL_UNKNOWN, NOW, first, &err), 1);
    assert_int_equal(keep_issue(GL_UNKNOWN, NOW + 60, first, &err), 0);
    assert_int_equal(keep_issue(GL_UNKNOWN, NOW + 120, back, &err), 1);
    assert_int_equal(keep_issue(GL_UNKNOWN, NOW + 180, first, &err), 1);
    assert_int_equal(keep_issue(GL_UNKNOWN, NOW + HOUR, next, &err), 1);
    assert_int_equal(count_at(GL_UNKNOWN, true), 4);
}

/* The clock goes back: what came later is kept, and was not known earlier than what came before. */
static void test_clock_goes_back(void **state)
{
    struct gl_archive_content content;

    (void)state;
    keep_actual(actual(NOW - 2 * HOUR, G(95), NOW + 2 * HOUR));
    keep_actual(actual(NOW - 3 * HOUR, G(90), NOW));
    assert_int_equal(count_at(NOW, false), 0);
    assert_int_equal(count_at(NOW + 2 * HOUR - 1, false), 0);
    content = read_at(NOW + 2 * HOUR);
    assert_int_equal(content.actual_count, 2);
    assert_int_equal(content.actuals[0].received_s, NOW);
    assert_int_equal(content.actuals[0].known_s, NOW + 2 * HOUR);
    gl_archive_content_done(&content);
}

/* Long files: only the newest records are looked at, and what lies before them is still found. */
static void test_long_file(void **state)
{
    enum { HOURS = 6000 };
    struct gl_archive_actual *many = gl_alloc(HOURS * sizeof *many);
    const struct gl_archive_batch batch = {.actuals = many, .actual_count = HOURS};
    struct gl_archive_kept kept = {0};
    struct gl_error err = {0};

    (void)state;
    for (int i = 0; i < HOURS; i++)
        many[i] = actual(NOW + i * HOUR, G(i % 100), NOW + HOURS * HOUR);
    assert_int_equal(gl_archive_keep(&key, &batch, NULL, &kept, &err), 0);
    assert_int_equal(kept.hours, HOURS);
    assert_int_equal(gl_archive_keep(&key, &batch, NULL, &kept, &err), 0);
    assert_int_equal(kept.hours + kept.revisions, 0);
    free(many);
    /* The oldest hour again, the oldest revised, a new hour, a new hour after a gap. */
    kept = keep_actual(actual(NOW, G(0), NOW + HOURS * HOUR));
    assert_int_equal(kept.hours + kept.revisions, 0);
    assert_int_equal(keep_actual(actual(NOW, G(1), NOW + HOURS * HOUR)).revisions, 1);
    assert_int_equal(keep_actual(actual(NOW + HOURS * HOUR, G(1), NOW + 7000 * HOUR)).hours, 1);
    assert_int_equal(keep_actual(actual(NOW + 6999 * HOUR, G(1), NOW + 7000 * HOUR)).hours, 1);
    kept = keep_actual(actual(NOW + 6999 * HOUR, G(1), NOW + 7001 * HOUR));
    assert_int_equal(kept.hours + kept.revisions, 0);
    assert_int_equal(count_at(GL_UNKNOWN, false), HOURS + 3);
}

/* ---- damage ---- */

/* Cut the file at every length: always a leading part of the records, never another figure; and the
 * next writer goes on from there. */
static void test_torn_at_every_byte(void **state)
{
    GL_AUTO(gl_auto_free) char *path = gl_archive_path(&key, GL_ARCHIVE_ACTUALS);
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    struct gl_error err = {0};
    size_t length;

    (void)state;
    store_five();
    assert_int_equal(gl_file_read(path, 1 << 20, &bytes, &length, &err), 0);
    for (size_t cut = 0; cut <= length; cut += cut < GL_ARCHIVE_HEADER - 2 ? 97 : 1) {
        size_t whole =
            cut < GL_ARCHIVE_HEADER ? 0 : (cut - GL_ARCHIVE_HEADER) / GL_ARCHIVE_ACTUAL_BYTES;
        struct gl_archive_content content;

        assert_int_equal(gl_file_write(path, bytes, cut, 0600, &err), 0);
        content = read_at(GL_UNKNOWN);
        assert_int_equal(content.actual_count, whole);
        for (size_t i = 0; i < whole; i++)
            assert_int_equal(content.actuals[i].value_u, G(100) + (int64_t)i);
        gl_archive_content_done(&content);
        keep_actual(actual(NOW, G(7), NOW + DAY));
        content = read_at(GL_UNKNOWN);
        assert_int_equal(content.actual_count, whole + 1);
        assert_int_equal(content.damaged, 0);
        assert_int_equal(content.actuals[whole].value_u, G(7));
        gl_archive_content_done(&content);
    }
}

/* Every single changed byte is seen; what stands beside it stays. */
static void test_changed_byte(void **state)
{
    GL_AUTO(gl_auto_free) char *path = gl_archive_path(&key, GL_ARCHIVE_ACTUALS);
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    const size_t third = GL_ARCHIVE_HEADER + 2 * GL_ARCHIVE_ACTUAL_BYTES;
    struct gl_error err = {0};
    size_t length;

    (void)state;
    store_five();
    assert_int_equal(gl_file_read(path, 1 << 20, &bytes, &length, &err), 0);
    for (size_t i = 0; i < GL_ARCHIVE_ACTUAL_BYTES; i++) {
        struct gl_archive_content content;

        bytes[third + i] = (char)(bytes[third + i] ^ 0x10);
        assert_int_equal(gl_file_write(path, bytes, length, 0600, &err), 0);
        bytes[third + i] = (char)(bytes[third + i] ^ 0x10);
        content = read_at(GL_UNKNOWN);
        assert_int_equal(content.damaged, 1);
        assert_int_equal(content.actual_count, 4);
        assert_int_equal(content.actuals[2].value_u, G(100) + 3);
        gl_archive_content_done(&content);
    }
}

/* Whole zeroed records, as after a power cut, and records of the other kind. */
static void test_zeroes_and_strangers(void **state)
{
    GL_AUTO(gl_auto_free) char *path = gl_archive_path(&key, GL_ARCHIVE_ACTUALS);
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    char *longer;
    struct gl_archive_content content;
    struct gl_error err = {0};
    size_t length;

    (void)state;
    store_five();
    assert_int_equal(gl_file_read(path, 1 << 20, &bytes, &length, &err), 0);
    longer = gl_alloc(length + 4096);
    memcpy(longer, bytes, length);
    assert_int_equal(gl_file_write(path, longer, length + 4096, 0600, &err), 0);
    free(longer);
    content = read_at(GL_UNKNOWN);
    assert_int_equal(content.actual_count, 5);
    assert_int_equal(content.damaged, 64);
    gl_archive_content_done(&content);
    keep_actual(actual(NOW, G(7), NOW + DAY)); /* cuts the zeroes off */
    content = read_at(GL_UNKNOWN);
    assert_int_equal(content.actual_count, 6);
    assert_int_equal(content.damaged, 0);
    gl_archive_content_done(&content);
}

static void test_foreign_header(void **state)
{
    GL_AUTO(gl_auto_free) char *path = gl_archive_path(&key, GL_ARCHIVE_ACTUALS);
    GL_AUTO(gl_str_done) struct gl_str aside = {0};
    char junk[4096];
    struct gl_error err = {0};

    (void)state;
    memset(junk, 'x', sizeof junk);
    assert_int_equal(gl_dir_make(FOLDER, &err), 0);
    assert_int_equal(gl_file_write(path, junk, sizeof junk, 0600, &err), 0);
    assert_int_equal(count_at(GL_UNKNOWN, false), 0);
    keep_actual(actual(NOW - 2 * HOUR, G(95), NOW));
    assert_int_equal(count_at(GL_UNKNOWN, false), 1);
    gl_str_addf(&aside, "%s.damaged", path);
    assert_true(gl_file_exists(gl_str_text(&aside)));
}

/* Right checksum, impossible content: an hour measured before it was over, a figure no grid has. */
static void test_impossible_records(void **state)
{
    struct gl_archive_actual bad[] = {
        actual(NOW, G(95), NOW),
        actual(NOW - 2 * HOUR, G(3001), NOW),
        actual(NOW - 2 * HOUR + 1, 1, NOW),
        actual(NOW - 2 * HOUR, 1, -5),
        actual(-HOUR, 1, NOW),
        actual(NOW - 2 * HOUR, 1, NOW),
        actual(NOW - 2 * HOUR, 1, NOW),
    };
    struct gl_archive_content content;

    (void)state;
    bad[5].evidence = GL_FORECAST;
    bad[6].updated_s = -7;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        keep_actual(bad[i]);
        content = read_at(GL_UNKNOWN);
        assert_int_equal(content.actual_count, 0);
        gl_archive_content_done(&content);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_nothing_stored, set_up),
        cmocka_unit_test_setup(test_comes_back, set_up),
        cmocka_unit_test_setup(test_header_says_what_it_is, set_up),
        cmocka_unit_test_setup(test_never_mixed, set_up),
        cmocka_unit_test_setup(test_same_actual_once, set_up),
        cmocka_unit_test_setup(test_revision_keeps_both, set_up),
        cmocka_unit_test_setup(test_same_issue_once, set_up),
        cmocka_unit_test_setup(test_issue_without_time, set_up),
        cmocka_unit_test_setup(test_clock_goes_back, set_up),
        cmocka_unit_test_setup(test_long_file, set_up),
        cmocka_unit_test_setup(test_torn_at_every_byte, set_up),
        cmocka_unit_test_setup(test_changed_byte, set_up),
        cmocka_unit_test_setup(test_zeroes_and_strangers, set_up),
        cmocka_unit_test_setup(test_foreign_header, set_up),
        cmocka_unit_test_setup(test_impossible_records, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
