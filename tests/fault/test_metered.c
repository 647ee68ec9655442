/* SPDX-License-Identifier: Apache-2.0 */
/* A metered command on a disk that fails at call number N (failing_disk.h), for every N: what has
 * begun gets one receipt and one event, then or by the next command; nothing else does. */
#undef _FORTIFY_SOURCE
#include "tests/support/failing_disk.h"

#include "base/file.h"
#include "broker/cli/metered.h"
#include "broker/launch.h"
#include "broker/receipt.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define LATER_MS 600000 /* until somebody looks again */

/* Counted, but not done: a killed process loses nothing that the kernel has. */
int fsync(int fd)
{
    (void)fd;
    return strikes(true) ? -1 : 0;
}

int fdatasync(int fd)
{
    (void)fd;
    return strikes(true) ? -1 : 0;
}

static char *folder;
static int64_t clock_ahead_ms;
static int64_t (*real_now_ms)(void *cookie);

static int64_t now_ms(void *cookie)
{
    return real_now_ms(cookie) + clock_ahead_ms;
}

static void begin_context(struct gl_context *context)
{
    *context = (struct gl_context){.globals = {.state = folder, .is_quiet = true}};
    gl_world_real(&context->world);
    real_now_ms = context->world.now_ms;
    context->world.now_ms = now_ms;
    context->globals.is_offline = true;
}

/* What the meter does is not on this disk of ours: it is another process. */
static void be_metered(struct gl_metered *metered)
{
    struct gl_error err = {0};

    disk.is_armed = false;
    assert_int_equal(gl_file_write(metered->readings_path, "noise\n", 6, 0600, &err), 0);
    disk.is_armed = true;
    metered->meter = (struct gl_process){.pid = getpid(), .start_ticks = 1};
    gl_metered_note(metered);
    metered->status = 3;
    metered->ended_ms = metered->started_ms + 1000;
    gl_metered_note(metered);
}

static int live(struct gl_context *context, struct gl_error *err)
{
    static const char *const command[] = {"true", NULL};
    GL_AUTO(gl_metered_done) struct gl_metered metered = {.run_fd = -1};
    GL_AUTO(gl_auto_free) char *receipt = NULL;

    if (gl_metered_begin(context, command, NULL, &metered, err) != 0)
        return -1;
    be_metered(&metered);
    return gl_metered_close(context, &metered, &receipt, err);
}

struct strike {
    unsigned kill_at, full_from, full_until;
};

/* One life in a process of its own: true while the strike was reached. */
static bool strike_at(struct strike strike)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        struct gl_context context;
        struct gl_error err = {0};
        bool is_reached;

        begin_context(&context);
        if (gl_context_ledger(&context, &err) == NULL)
            _exit(4);
        disk = (struct disk){.is_armed = true,
                             .kill_at = strike.kill_at,
                             .full_from = strike.full_from,
                             .full_until = strike.full_until};
        live(&context, &err);
        disk.is_armed = false;
        is_reached = strike.full_from > 0 && disk.count >= strike.full_from;
        gl_context_done(&context);
        /* SQLite calls a sync that found no space an I/O error. */
        _exit(err.code != GL_OK && err.code != GL_E_DISK_FULL && err.code != GL_E_IO ? 5
              : is_reached                                                           ? 3
                                                                                     : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGKILL;
    assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 3);
    return WEXITSTATUS(status) == 3;
}

static unsigned count_files(const char *name)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, name);
    DIR *dir = opendir(path);
    const struct dirent *entry;
    unsigned count = 0;

    while (dir != NULL && (entry = readdir(dir)) != NULL)
        count += strncmp(entry->d_name, "meter-", 6) == 0;
    if (dir != NULL)
        closedir(dir);
    return count;
}

static int count_metered(void *cookie, const json_t *event)
{
    *(unsigned *)cookie +=
        strcmp(json_string_value(json_object_get(event, "kind")), "metered") == 0;
    return 0;
}

/* Later somebody looks, twice; what had begun is in the ledger once, with its receipt. */
static void assert_settled(bool has_begun)
{
    unsigned events = 0;
    struct gl_error err = {0};
    struct gl_context context;

    clock_ahead_ms = LATER_MS;
    for (int look = 0; look < 2; look++) {
        begin_context(&context);
        assert_non_null(gl_context_ledger(&context, &err));
        gl_metered_settle(&context);
        assert_null(context.reply.warnings);
        events = 0;
        assert_int_equal(gl_ledger_events(context.ledger, NULL, &events, count_metered, &err), 0);
        gl_context_done(&context);
    }
    clock_ahead_ms = 0;
    assert_int_equal(events, has_begun);
    assert_int_equal(count_files("receipts"), has_begun);
    assert_int_equal(count_files("meter"), 0);
    assert_int_equal(count_files("tokens"), 0);
}

static void fail_everywhere(bool is_kill, bool stays)
{
    bool is_reached = true;
    unsigned points = 0, begun = 0;

    for (unsigned n = 1; is_reached; n++) {
        bool has_begun;

        folder = scratch_make("metered");
        is_reached = strike_at(
            is_kill ? (struct strike){.kill_at = n}
                    : (struct strike){.full_from = n, .full_until = stays ? UINT32_MAX : n + 1});
        has_begun = count_files("meter") > 1 || count_files("receipts") > 0;
        assert_settled(has_begun);
        points += is_reached;
        begun += has_begun;
        scratch_remove(folder);
    }
    print_message("%s at each of %u changes of files: %u had begun\n",
                  is_kill ? "killed"
                  : stays ? "full for good"
                          : "full once",
                  points, begun);
    assert_true(points > 20);
    assert_true(begun > 5 && begun <= points);
}

static void killed_at_every_change(void **state)
{
    (void)state;
    fail_everywhere(true, false);
}

static void full_at_every_change(void **state)
{
    (void)state;
    fail_everywhere(false, false);
    fail_everywhere(false, true);
}

/* What has begun and nobody closed, looked at later than evidence may lie in the future. */
static void closed_later_it_has_its_carbon(void **state)
{
    static const char *const command[] = {"true", NULL};
    GL_AUTO(gl_auto_free) char *path = NULL, *text = NULL;
    struct gl_metered metered = {.run_fd = -1};
    struct gl_context context;
    struct gl_error err = {0};
    size_t length;

    (void)state;
    folder = scratch_make("metered");
    begin_context(&context);
    assert_int_equal(gl_metered_begin(&context, command, "IS", &metered, &err), 0);
    be_metered(&metered);
    disk.is_armed = false;
    path = gl_receipt_path(folder, metered.launch);
    gl_metered_done(&metered);
    gl_context_done(&context);

    clock_ahead_ms = LATER_MS;
    begin_context(&context);
    assert_non_null(gl_context_ledger(&context, &err));
    gl_metered_settle(&context);
    clock_ahead_ms = 0;
    gl_context_done(&context);
    assert_int_equal(gl_file_read(path, GL_RECEIPT_MAX_BYTES, &text, &length, &err), 0);
    assert_non_null(strstr(text, "\"zone\":\"IS\""));
    assert_null(strstr(text, "\"series\":[]"));
    assert_null(strstr(text, "\"operational_ug\":null"));
    assert_non_null(strstr(text, "\"operational_ug\":"));
    scratch_remove(folder);
}

/* Somebody looks: how many warnings it has, and what it leaves. */
static size_t warnings_of_a_look(void)
{
    struct gl_context context;
    struct gl_error err = {0};
    size_t count;

    clock_ahead_ms = LATER_MS;
    begin_context(&context);
    assert_non_null(gl_context_ledger(&context, &err));
    gl_metered_settle(&context);
    count = json_array_size(context.reply.warnings);
    gl_context_done(&context);
    clock_ahead_ms = 0;
    return count;
}

/* What cannot be mended is told once: a lost token, and a run that cannot be read. */
static void what_is_lost_is_told_once(void **state)
{
    static const char *const command[] = {"true", NULL};

    (void)state;
    for (int is_run_lost = 0; is_run_lost < 2; is_run_lost++) {
        struct gl_metered metered = {.run_fd = -1};
        struct gl_context context;
        struct gl_error err = {0};

        folder = scratch_make("metered");
        begin_context(&context);
        assert_int_equal(gl_metered_begin(&context, command, "IS", &metered, &err), 0);
        be_metered(&metered);
        disk.is_armed = false;
        if (is_run_lost)
            assert_int_equal(gl_file_write(metered.run_path, "{half", 5, 0600, &err), 0);
        else
            assert_int_equal(unlink(metered.token_path), 0);
        gl_metered_done(&metered);
        gl_context_done(&context);
        assert_int_equal(warnings_of_a_look(), 1);
        assert_int_equal(warnings_of_a_look(), 0);
        assert_int_equal(count_files("receipts"), !is_run_lost);
        assert_int_equal(count_files("meter"), is_run_lost ? 2 : 0); /* kept, with the readings */
        scratch_remove(folder);
    }
}

/* More than any meter writes: the rest is a gap, not a receipt that is never made. */
static void readings_beyond_all_bounds_are_a_gap(void **state)
{
    static const char *const command[] = {"true", NULL};
    struct gl_metered metered = {.run_fd = -1};
    struct gl_context context;
    struct gl_error err = {0};

    (void)state;
    folder = scratch_make("metered");
    begin_context(&context);
    assert_int_equal(gl_metered_begin(&context, command, "IS", &metered, &err), 0);
    be_metered(&metered);
    disk.is_armed = false;
    assert_int_equal(truncate(metered.readings_path, (off_t)65 << 20), 0);
    gl_metered_done(&metered);
    gl_context_done(&context);
    assert_int_equal(warnings_of_a_look(), 0);
    assert_int_equal(count_files("receipts"), 1);
    assert_int_equal(count_files("meter"), 0);
    scratch_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readings_beyond_all_bounds_are_a_gap),
        cmocka_unit_test(what_is_lost_is_told_once),
        cmocka_unit_test(closed_later_it_has_its_carbon),
        cmocka_unit_test(killed_at_every_change),
        cmocka_unit_test(full_at_every_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
