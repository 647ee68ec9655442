/* SPDX-License-Identifier: Apache-2.0 */
/* What may be wrong with the file of a ledger: damaged, full, somebody else's, behind a link. */
#include "broker/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/broker/ledger_bench.h"

static void overwrite(const char *bytes, size_t length)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

/* Any byte of the file changed: what is then read without complaint is what was written. */
static void a_flipped_byte_of_the_file_never_changes_what_is_read(void **state)
{
    struct seen before = {0};
    struct gl_ledger *ledger;
    char *bytes;
    size_t length, detected = 0, harmless = 0;

    (void)state;
    fresh(6);
    ledger = must_open();
    assert_int_equal(gl_ledger_events(ledger, NULL, &before, see, &err), 0);
    gl_ledger_close(ledger);
    assert_int_equal(gl_file_read(path, 1 << 24, &bytes, &length, &err), 0);
    for (size_t at = 0; at < length; at += 61) {
        struct gl_ledger_check check;
        struct seen after = {0};
        bool is_fine;

        bytes[at] = (char)(bytes[at] ^ (1 << at % 8));
        overwrite(bytes, length);
        ledger = open_capped(0);
        is_fine = ledger != NULL && gl_ledger_check(ledger, &check, &err) == 0 &&
                  gl_ledger_events(ledger, NULL, &after, see, &err) == 0;
        if (is_fine)
            assert_string_equal(gl_str_text(&after.text), gl_str_text(&before.text));
        else
            assert_int_not_equal(err.code, GL_OK);
        detected += !is_fine;
        harmless += is_fine;
        gl_error_clear(&err);
        gl_str_done(&after.text);
        gl_ledger_close(ledger);
        bytes[at] = (char)(bytes[at] ^ (1 << at % 8));
    }
    print_message("%zu bytes flipped: %zu detected, %zu changed nothing that is read\n",
                  detected + harmless, detected, harmless);
    assert_true(detected > 30);
    gl_str_done(&before.text);
    free(bytes);
}

/* Append until the file may grow no more: what succeeded is there, of what failed nothing. */
static int64_t fill(int max_pages)
{
    struct gl_ledger *ledger = open_capped(max_pages);
    struct gl_ledger_check check;
    struct gl_launch_rows rows;
    int64_t done = 0;

    if (ledger == NULL) {
        assert_int_equal(err.code, GL_E_DISK_FULL);
        gl_error_clear(&err);
        return -1;
    }
    while (done < 400 && append(ledger, "gl-1", "running", done + 1) == 0)
        done++;
    assert_int_equal(err.code, GL_E_DISK_FULL);
    gl_error_clear(&err);
    assert_int_equal(append(ledger, "gl-1", "ended", 999), -1);
    assert_int_equal(err.code, GL_E_DISK_FULL);
    gl_error_clear(&err);
    gl_ledger_close(ledger);
    ledger = must_open(); /* space again */
    check = must_check(ledger);
    assert_int_equal(check.events, done);
    assert_int_equal(gl_ledger_launches(ledger, NULL, &rows, &err), 0);
    assert_int_equal(rows.count, done > 0);
    if (done > 0) {
        assert_string_equal(rows.rows[0].state, "running");
        assert_int_equal(rows.rows[0].attempt, done);
    }
    gl_launch_rows_free(&rows);
    assert_int_equal(append(ledger, "gl-1", "running", done + 1), 0);
    assert_int_equal(must_check(ledger).events, done + 1);
    gl_ledger_close(ledger);
    return done;
}

static void a_full_disk_leaves_no_half_event(void **state)
{
    static char large[1500];
    int64_t most = -1;

    (void)state;
    memset(large, 'x', sizeof large - 1);
    padding = large;
    for (int pages = 1; pages <= 52; pages++) {
        int64_t done;

        assert_int_equal(gl_dir_remove(folder, &err), 0);
        assert_int_equal(gl_dir_make(folder, &err), 0);
        done = fill(pages);
        assert_true(done >= most);
        most = done;
    }
    print_message("at 52 pages %" PRId64 " events fit\n", most);
    assert_true(most > 20 && most < 100);
}

/* ---- files that are no ledger ---- */

static void assert_not_opened(enum gl_errc code)
{
    char *before = NULL, *after = NULL;
    size_t length, length_after;
    struct gl_ledger *ledger;

    assert_int_equal(gl_file_read(path, 1 << 24, &before, &length, &err), 0);
    ledger = open_capped(0);
    assert_null(ledger);
    if (err.code != code)
        fail_msg("code %d: %s", err.code, err.text);
    assert_non_null(strstr(err.text, "ledger.db"));
    gl_error_clear(&err);
    assert_int_equal(gl_file_read(path, 1 << 24, &after, &length_after, &err), 0);
    assert_int_equal(length, length_after);
    assert_memory_equal(before, after, length);
    free(before);
    free(after);
    assert_int_equal(unlink(path), 0);
}

static void what_is_no_ledger_is_refused_and_left_alone(void **state)
{
    (void)state;
    assert_int_equal(
        gl_file_write(path, "not a database, but text of some length\n", 40, 0600, &err), 0);
    assert_not_opened(GL_E_TAMPERED);
    sql("CREATE TABLE notes(a); INSERT INTO notes VALUES('mine')");
    assert_not_opened(GL_E_TAMPERED);
    sql("CREATE TABLE notes(a); PRAGMA user_version = 1");
    assert_not_opened(GL_E_TAMPERED);
    sql("CREATE TABLE notes(a); PRAGMA user_version = -7");
    assert_not_opened(GL_E_TAMPERED);
    sql("PRAGMA application_id = 5");
    assert_not_opened(GL_E_TAMPERED);
}

static void a_ledger_of_a_newer_program_is_left_alone(void **state)
{
    (void)state;
    fresh(1);
    sql("PRAGMA journal_mode = DELETE; PRAGMA user_version = 900");
    assert_not_opened(GL_E_NEWER);
}

static void links_are_not_followed_to_the_file_but_to_its_folder(void **state)
{
    GL_AUTO(gl_auto_free) char *elsewhere = gl_path_join(folder, "elsewhere");
    GL_AUTO(gl_auto_free) char *link = gl_path_join(folder, "link");
    GL_AUTO(gl_auto_free) char *inside = gl_path_join(link, "ledger.db");
    struct gl_ledger *ledger;

    (void)state;
    assert_int_equal(gl_dir_make(elsewhere, &err), 0);
    assert_int_equal(symlink("elsewhere", link), 0);
    ledger = gl_ledger_open(inside, world, 0, &err); /* as where a home is a link */
    if (ledger == NULL)
        fail_msg("%s", err.text);
    gl_ledger_close(ledger);
    assert_int_equal(symlink("elsewhere/ledger.db", path), 0);
    assert_null(open_capped(0));
    assert_int_equal(err.code, GL_E_IO);
    gl_error_clear(&err);
    assert_null(gl_ledger_open("build/tmp/no/such/folder/ledger.db", world, 0, &err));
    assert_int_equal(err.code, GL_E_IO);
    gl_error_clear(&err);
    assert_null(gl_ledger_open(folder, world, 0, &err));
    assert_int_equal(err.code, GL_E_IO);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_flipped_byte_of_the_file_never_changes_what_is_read),
        CASE(a_full_disk_leaves_no_half_event),
        CASE(what_is_no_ledger_is_refused_and_left_alone),
        CASE(a_ledger_of_a_newer_program_is_left_alone),
        CASE(links_are_not_followed_to_the_file_but_to_its_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
