/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger where nothing can be written: what is in it can be read, nothing of it changes. */
#include "broker/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/broker/ledger_bench.h"

static const struct gl_error full = {.code = GL_E_DISK_FULL, .text = "no space, says the disk"};

static struct gl_ledger *must_look(const char *at)
{
    struct gl_ledger *ledger = gl_ledger_open_to_look(at, world, &full, &err);

    if (ledger == NULL)
        fail_msg("%s", err.text);
    return ledger;
}

static void assert_rows(struct gl_ledger *ledger, size_t count)
{
    struct gl_launch_rows rows;

    assert_int_equal(gl_ledger_launches(ledger, NULL, &rows, &err), 0);
    assert_int_equal(rows.count, count);
    gl_launch_rows_free(&rows);
}

static void assert_refuses(struct gl_ledger *ledger)
{
    GL_AUTO(gl_auto_json) json_t *need = json_pack("{s:s}", "what", "this");
    static const char cases[1][GL_HASH_HEX] = {"00"};
    const struct gl_ledger_demand demand = {need, "00000000000a", false, 1, cases};
    int64_t seen;

    assert_int_equal(append(ledger, "gl-new", "running", 1), -1);
    assert_int_equal(err.code, GL_E_DISK_FULL);
    assert_non_null(strstr(err.text, full.text));
    gl_error_clear(&err);
    assert_int_equal(gl_ledger_demand(ledger, &demand, &seen, &err), -1);
    assert_int_equal(err.code, GL_E_DISK_FULL);
    gl_error_clear(&err);
}

static char *bytes_of(const char *at, size_t *out_length)
{
    char *bytes;

    assert_int_equal(gl_file_read(at, 1 << 24, &bytes, out_length, &err), 0);
    return bytes;
}

static char *beside(const char *at, const char *ending)
{
    struct gl_str name = {0};

    gl_str_addf(&name, "%s%s", at, ending);
    return gl_str_take(&name);
}

static void what_was_closed_is_read_and_left_alone(void **state)
{
    GL_AUTO(gl_auto_free) char *log = beside(path, "-wal");
    GL_AUTO(gl_auto_free) char *before = NULL;
    GL_AUTO(gl_auto_free) char *after = NULL;
    struct gl_ledger *ledger;
    size_t length, again;

    (void)state;
    fresh(6);
    before = bytes_of(path, &length);
    ledger = must_look(path);
    assert_rows(ledger, 2);
    assert_int_equal(must_check(ledger).events, 6);
    assert_refuses(ledger);
    assert_rows(ledger, 2);
    assert_false(gl_file_exists(log));
    gl_ledger_close(ledger);
    assert_false(gl_file_exists(log));
    after = bytes_of(path, &again);
    assert_int_equal(length, again);
    assert_memory_equal(before, after, length);
}

/* As a crash leaves it: the last events stand in the log only, and there is no index to the log. */
static void what_stands_in_the_log_only_is_read_too(void **state)
{
    GL_AUTO(gl_auto_free) char *log = beside(path, "-wal");
    GL_AUTO(gl_auto_free) char *copy = gl_path_join(folder, "a copy#1?.db");
    GL_AUTO(gl_auto_free) char *copied_log = beside(copy, "-wal");
    GL_AUTO(gl_auto_free) char *index = beside(copy, "-shm");
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    GL_AUTO(gl_auto_free) char *log_bytes = NULL;
    GL_AUTO(gl_auto_free) char *after = NULL;
    struct gl_ledger *ledger;
    size_t length, log_length, again;

    (void)state;
    fresh(6);
    ledger = must_open();
    append_many(ledger, 3);
    assert_int_equal(append(ledger, "gl-third", "running", 9), 0);
    bytes = bytes_of(path, &length);
    log_bytes = bytes_of(log, &log_length);
    gl_ledger_close(ledger);
    assert_true(log_length > 0);
    assert_int_equal(gl_file_write(copy, bytes, length, 0600, &err), 0);
    ledger = must_look(copy); /* without the log: what the file alone holds */
    assert_int_equal(must_check(ledger).events, 6);
    gl_ledger_close(ledger);
    assert_int_equal(gl_file_write(copied_log, log_bytes, log_length, 0600, &err), 0);
    ledger = must_look(copy);
    assert_int_equal(must_check(ledger).events, 10);
    assert_rows(ledger, 3);
    assert_refuses(ledger);
    assert_false(gl_file_exists(index));
    gl_ledger_close(ledger);
    after = bytes_of(copied_log, &again);
    assert_int_equal(log_length, again);
    assert_memory_equal(log_bytes, after, again);
    ledger = gl_ledger_open(copy, world, 0, &err); /* with space again: all of it */
    assert_non_null(ledger);
    assert_int_equal(must_check(ledger).events, 10);
    gl_ledger_close(ledger);
}

static void what_is_none_is_not_looked_at(void **state)
{
    (void)state;
    assert_null(gl_ledger_open_to_look(path, world, &full, &err));
    assert_false(gl_file_exists(path));
    gl_error_clear(&err);
    assert_int_equal(gl_file_write(path, "no ledger, certainly none", 25, 0600, &err), 0);
    assert_null(gl_ledger_open_to_look(path, world, &full, &err));
    assert_int_equal(err.code, GL_E_TAMPERED);
    gl_error_clear(&err);
    assert_int_equal(gl_file_write(path, "", 0, 0600, &err), 0);
    assert_null(gl_ledger_open_to_look(path, world, &full, &err));
    assert_int_equal(err.code, GL_E_TAMPERED);
}

/* ---- a folder of somebody else's ---- */

enum { AS_EXPECTED, UNREACHABLE, NOT_AS_EXPECTED };

/* What nobody sees of the ledger, in a child of its own. */
static int look_as_nobody(int64_t events, enum gl_errc expected, const char *text)
{
    static const struct gl_error foreign = {.code = GL_E_IO, .text = "not yours"};
    struct gl_ledger_check check = {0};
    struct gl_error why = {0};
    struct gl_ledger *ledger;

    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
        return UNREACHABLE;
    if (access(folder, R_OK | X_OK) != 0)
        return UNREACHABLE;
    ledger = gl_ledger_open_to_look(path, world, &foreign, &why);
    if (ledger != NULL)
        gl_ledger_check(ledger, &check, &why);
    gl_ledger_close(ledger);
    if (why.code == expected && check.events == events && strstr(why.text, text) != NULL)
        return AS_EXPECTED;
    print_error("%d events; GL%d %s\n", (int)check.events, (int)why.code, why.text);
    return NOT_AS_EXPECTED;
}

static int ask_nobody(int64_t events, enum gl_errc expected, const char *text)
{
    GL_AUTO(gl_auto_free) char *log = beside(path, "-wal");
    GL_AUTO(gl_auto_free) char *index = beside(path, "-shm");
    int status;
    pid_t child;

    chmod(path, 0444);
    chmod(log, 0444);
    chmod(index, 0444);
    assert_int_equal(chmod(folder, 0555), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(look_as_nobody(events, expected, text));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(chmod(folder, 0755), 0);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Skips what holds nothing yet. */
static void nobody_sees(int64_t events, enum gl_errc expected, const char *text)
{
    int seen = ask_nobody(events, expected, text);

    if (seen == UNREACHABLE) {
        print_message("skip somebody else's folder: it cannot be reached by another user\n");
        skip();
    }
    assert_int_equal(seen, AS_EXPECTED);
}

/* Nine events, three of them in the log only, as an owner who was killed leaves it. The files are
 * new ones: SQLite of this process, and so of its children, knows those that it had open. */
static void leave_log_behind(void)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    char *bytes[3];
    size_t lengths[3];
    struct gl_ledger *ledger;

    fresh(6);
    ledger = must_open();
    append_many(ledger, 3);
    for (size_t i = 0; i < 3; i++) {
        GL_AUTO(gl_auto_free) char *file = beside(path, endings[i]);

        bytes[i] = bytes_of(file, &lengths[i]);
    }
    gl_ledger_close(ledger);
    for (size_t i = 0; i < 3; i++) {
        GL_AUTO(gl_auto_free) char *file = beside(path, endings[i]);

        assert_int_equal(gl_file_write(file, bytes[i], lengths[i], 0600, &err), 0);
        free(bytes[i]);
    }
}

static void what_may_only_be_read_is_read(void **state)
{
    GL_AUTO(gl_auto_free) char *index = NULL;

    (void)state;
    fresh(6);
    nobody_sees(6, GL_OK, "");
    index = beside(path, "-shm");
    assert_int_equal(chmod(path, 0644), 0);
    sql(WITHOUT_GUARDS "UPDATE events SET body = '{}' WHERE seq = 2");
    nobody_sees(0, GL_E_TAMPERED, "event 2 was changed");
    leave_log_behind();
    nobody_sees(9, GL_OK, "");
    assert_int_equal(unlink(index), 0);
    nobody_sees(0, GL_E_IO, "copy ledger.db and ledger.db-wal");
}

static void what_was_written_to_meanwhile_is_not_called_tampered_with(void **state)
{
    struct gl_ledger_check check;
    struct gl_ledger *ledger;

    (void)state;
    fresh(6);
    sql(WITHOUT_GUARDS "UPDATE events SET body = '{}' WHERE seq = 2");
    ledger = must_look(path);
    assert_int_equal(gl_ledger_check(ledger, &check, &err), -1);
    assert_int_equal(err.code, GL_E_TAMPERED);
    gl_error_clear(&err);
    assert_int_equal(utimensat(AT_FDCWD, path, NULL, 0), 0);
    assert_int_equal(gl_ledger_check(ledger, &check, &err), -1);
    assert_int_equal(err.code, GL_E_LOCKED);
    gl_ledger_close(ledger);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_was_closed_is_read_and_left_alone),
        CASE(what_stands_in_the_log_only_is_read_too),
        CASE(what_is_none_is_not_looked_at),
        CASE(what_may_only_be_read_is_read),
        CASE(what_was_written_to_meanwhile_is_not_called_tampered_with),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
