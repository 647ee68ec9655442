/* SPDX-License-Identifier: Apache-2.0 */
#define FOLDER "build/tmp/test_archive_faults"

#include "tests/unit/providers/archive_bench.h"
#include "tests/unit/providers/archive_disk.h"

#include <sys/wait.h>

static int set_up_disk(void **state)
{
    disk_left = -1;
    disk_kills = 0;
    return set_up(state);
}

/* ---- full disk, killed writer, two writers ---- */

static void test_disk_full(void **state)
{
    struct gl_archive_actual one = actual(NOW, G(7), NOW + DAY);
    const struct gl_archive_batch batch = {.actuals = &one, .actual_count = 1};
    struct gl_error err = {0};

    (void)state;
    store_five();
    for (long left = 0; left < (long)GL_ARCHIVE_ACTUAL_BYTES; left += 7) {
        struct gl_archive_content content;

        disk_left = left;
        gl_error_clear(&err);
        assert_int_equal(gl_archive_keep(&key, &batch, NULL, NULL, &err), -1);
        assert_int_equal(err.code, GL_E_DISK_FULL);
        disk_left = -1;
        content = read_at(GL_UNKNOWN);
        assert_int_equal(content.actual_count, 5);
        assert_int_equal(content.damaged, 0);
        gl_archive_content_done(&content);
    }
    assert_int_equal(keep_actual(one).hours, 1);
}

/* kill -9 after every number of bytes, through header and records. */
static void test_killed_at_every_byte(void **state)
{
    (void)state;
    for (long left = 0; left < GL_ARCHIVE_HEADER + 2 * GL_ARCHIVE_ACTUAL_BYTES; left += 13) {
        struct gl_archive_actual two[] = {actual(NOW - 2 * HOUR, G(5), NOW),
                                          actual(NOW - HOUR, G(6), NOW)};
        const struct gl_archive_batch batch = {.actuals = two, .actual_count = 2};
        struct gl_archive_content content;
        struct gl_error err = {0};
        int status = 0;
        pid_t child;

        assert_int_equal(gl_dir_remove(FOLDER, &err), 0);
        child = fork();
        if (child == 0) {
            disk_left = left;
            disk_kills = 1;
            gl_archive_keep(&key, &batch, NULL, NULL, &err);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(WEXITSTATUS(status), 9);
        content = read_at(GL_UNKNOWN);
        assert_int_equal(content.actual_count, left >= GL_ARCHIVE_HEADER + GL_ARCHIVE_ACTUAL_BYTES);
        assert_int_equal(content.damaged, 0);
        gl_archive_content_done(&content);
        assert_int_equal(gl_archive_keep(&key, &batch, NULL, NULL, &err), 0);
        assert_int_equal(count_at(GL_UNKNOWN, false), 2);
    }
}

static void test_two_writers(void **state)
{
    enum { EACH = 40 };
    int status = 0;
    pid_t child = fork();

    (void)state;
    for (int i = 0; i < EACH; i++)
        keep_actual(actual(NOW - (1 + 2 * i + (child == 0)) * HOUR, G(10) + i, NOW));
    if (child == 0)
        _exit(0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    {
        struct gl_archive_content content = read_at(GL_UNKNOWN);

        assert_int_equal(content.actual_count, 2 * EACH);
        assert_int_equal(content.damaged, 0);
        gl_archive_content_done(&content);
    }
}

static void test_locked_and_read_only(void **state)
{
    struct gl_archive_actual one = actual(NOW - 2 * HOUR, G(7), NOW);
    const struct gl_archive_batch batch = {.actuals = &one, .actual_count = 1};
    struct gl_archive_key nowhere = key;
    struct gl_error err = {0};
    int lock;

    (void)state;
    keep_actual(one);
    lock = gl_file_lock(FOLDER "/lock", 0, &err);
    assert_true(lock >= 0);
    one.value_u = G(8);
    assert_int_equal(gl_archive_keep(&key, &batch, NULL, NULL, &err), -1);
    assert_int_equal(err.code, GL_E_LOCKED);
    assert_int_equal(count_at(GL_UNKNOWN, false), 1); /* readers need no lock */
    close(lock);
    gl_error_clear(&err);
    nowhere.folder = "/proc/no-archive-here";
    assert_int_equal(gl_archive_keep(&nowhere, &batch, NULL, NULL, &err), -1);
    assert_int_equal(err.code, GL_E_IO);
}

static void test_ceiling(void **state)
{
    struct gl_archive_actual one = actual(NOW - 2 * HOUR, G(7), NOW);
    const struct gl_archive_batch batch = {.actuals = &one, .actual_count = 1};
    const struct gl_archive_limits small = {.max_bytes = 1500};
    struct gl_error err = {0};

    (void)state;
    keep_actual(actual(NOW - 3 * HOUR, G(6), NOW));
    assert_int_equal(gl_archive_keep(&key, &batch, &small, NULL, &err), -1);
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    assert_int_equal(count_at(GL_UNKNOWN, false), 1);
}

/* ---- retention ---- */

static void test_retention(void **state)
{
    const struct gl_archive_limits days = {.actual_days = 16, .issue_days = 16};
    struct gl_archive_actual one = actual(NOW, G(7), NOW + HOUR);
    const int64_t values_u[1] = {G(9)};
    struct gl_archive_content content;
    struct gl_error err = {0};

    (void)state;
    for (int day = 0; day < 20; day++) {
        struct gl_archive_issue issue = {.issued_s = GL_UNKNOWN,
                                         .received_s = NOW + day * DAY,
                                         .start_s = NOW + day * DAY,
                                         .count = 1,
                                         .value_u = values_u};
        const struct gl_archive_batch batch = {.issue = &issue, .actuals = &one, .actual_count = 1};

        one.hour_s = NOW + day * DAY - 2 * HOUR;
        one.received_s = NOW + day * DAY;
        assert_int_equal(gl_archive_keep(&key, &batch, &days, NULL, &err), 0);
    }
    content = read_at(GL_UNKNOWN);
    assert_in_range(content.actual_count, 17, 18);
    assert_in_range(content.issue_count, 17, 18);
    assert_true(content.actuals[0].hour_s >= NOW + 2 * DAY - 2 * HOUR);
    assert_int_equal(content.actuals[content.actual_count - 1].hour_s, NOW + 19 * DAY - 2 * HOUR);
    gl_archive_content_done(&content);
}

/* A disk that fills up while the file is rewritten leaves the old one. */
static void test_retention_on_full_disk(void **state)
{
    const struct gl_archive_limits days = {.actual_days = 2};
    struct gl_archive_actual late = actual(NOW + 9 * DAY, G(7), NOW + 10 * DAY);
    const struct gl_archive_batch batch = {.actuals = &late, .actual_count = 1};
    struct gl_error err = {0};

    (void)state;
    store_five();
    keep_actual(actual(NOW + 5 * DAY, G(7), NOW + 10 * DAY));
    disk_left = 1100;
    assert_int_equal(gl_archive_keep(&key, &batch, &days, NULL, &err), -1);
    assert_int_equal(err.code, GL_E_DISK_FULL);
    disk_left = -1;
    assert_int_equal(count_at(GL_UNKNOWN, false), 6);
    gl_error_clear(&err);
    assert_int_equal(gl_archive_keep(&key, &batch, &days, NULL, &err), 0);
    assert_int_equal(count_at(GL_UNKNOWN, false), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_disk_full, set_up_disk),
        cmocka_unit_test_setup(test_killed_at_every_byte, set_up_disk),
        cmocka_unit_test_setup(test_two_writers, set_up_disk),
        cmocka_unit_test_setup(test_locked_and_read_only, set_up_disk),
        cmocka_unit_test_setup(test_ceiling, set_up_disk),
        cmocka_unit_test_setup(test_retention, set_up_disk),
        cmocka_unit_test_setup(test_retention_on_full_disk, set_up_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
