/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/guest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"

#include <dirent.h>
#include <fcntl.h>

#include "tests/unit/agent/guest_bench.h"

/* What goes in and out of an instance besides the streams: payload, files, readings. */

/* ---- payload and files ---- */

static void add_member(struct gl_str *archive, const char *name, unsigned mode, const char *data)
{
    gl_str_addf(archive, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1U, mode, 0U,
                0U, 1U, 0U, (unsigned)strlen(data), 0U, 0U, 0U, 0U, (unsigned)strlen(name) + 1, 0U);
    gl_str_add_bytes(archive, name, strlen(name) + 1);
    while (archive->length % 4 != 0)
        gl_str_add_char(archive, '\0');
    gl_str_add(archive, data);
    while (archive->length % 4 != 0)
        gl_str_add_char(archive, '\0');
}

static void send_payload(struct bench *bench, const char *name, const char *command)
{
    GL_AUTO(gl_str_done) struct gl_str archive = {0}, root = {0};

    connect_to(bench);
    gl_str_addf(&root, "\"%s\"", bench->root);
    configure(bench, command, gl_str_text(&root), 60000);
    add_member(&archive, name, 0100640, "what the host sent\n");
    add_member(&archive, "TRAILER!!!", 0, "");
    for (size_t at = 0; at < archive.length; at += 50)
        send_frame(bench, 'P', archive.text + at,
                   archive.length - at < 50 ? archive.length - at : 50);
    send_text(bench, 'G', "");
    send_text(bench, 'W', "");
}

static void test_payload_and_fetch(void **state)
{
    struct bench *bench = *state;
    GL_AUTO(gl_str_done) struct gl_str archive = {0};
    GL_AUTO(gl_auto_free) char *text = NULL;
    char path[4 * TREE_PATH];
    struct gl_error err = {0};
    struct gl_cpio cpio;
    size_t length;

    if (geteuid() != 0)
        skip(); /* the root of the command needs chroot(2) */
    send_payload(bench, "out/sent.txt", "null");
    send_text(bench, 'Q', "{\"path\":\"/out\"}");
    do {
        hear_until(bench, 'F');
        gl_str_add_bytes(&archive, gl_str_text(&bench->payload), bench->payload.length);
    } while (bench->payload.length > 0);
    assert_int_equal(bench->err.length, 0);
    snprintf(path, sizeof path, "%s/unpacked", bench->folder);
    assert_int_equal(gl_cpio_begin(&cpio, path, &err), 0);
    assert_int_equal(gl_cpio_feed(&cpio, archive.text, archive.length, &err), 0);
    assert_int_equal(gl_cpio_end(&cpio, &err), 0);
    snprintf(path, sizeof path, "%s/unpacked/out/sent.txt", bench->folder);
    assert_int_equal(gl_file_read(path, 1000, &text, &length, &err), 0);
    assert_string_equal(text, "what the host sent\n");
    /* the folders that every instance has */
    snprintf(path, sizeof path, "%s/work", bench->root);
    assert_true(gl_file_exists(path));
    /* and what is not there */
    send_text(bench, 'Q', "{\"path\":\"/out/missing\"}");
    hear_until(bench, 'F');
    assert_int_equal(bench->payload.length, 0);
    assert_non_null(strstr(gl_str_text(&bench->err), "cannot read /out/missing"));
    assert_int_equal(stop(bench), 0);
}

static void test_a_payload_that_climbs_is_not_run(void **state)
{
    struct bench *bench = *state;
    char path[2 * TREE_PATH];

    send_payload(bench, "../escaped.txt", "[\"/bin/true\"]");
    hear_until(bench, 'X');
    expect_status(bench, 125);
    assert_non_null(strstr(gl_str_text(&bench->err), "leads out of the root"));
    snprintf(path, sizeof path, "%s/escaped.txt", bench->folder);
    assert_false(gl_file_exists(path));
    assert_int_equal(stop(bench), 0);
}

/* ---- the meter process ---- */

/* A child of the guest that is not its command: the meter. */
static pid_t find_meter(const struct bench *bench, pid_t command)
{
    DIR *folder = opendir("/proc");
    struct dirent *entry;
    pid_t found = 0;

    while (found == 0 && (entry = readdir(folder)) != NULL) {
        char path[300], text[200] = "";
        int fd, parent = 0;
        const char *at;

        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        fd = entry->d_name[0] >= '0' && entry->d_name[0] <= '9' ? open(path, O_RDONLY) : -1;
        if (fd < 0)
            continue;
        if (read(fd, text, sizeof text - 1) > 0 && (at = strrchr(text, ')')) != NULL &&
            sscanf(at + 1, " %*c %d", &parent) == 1 && parent == bench->guest &&
            strtol(entry->d_name, NULL, 10) != command)
            found = (pid_t)strtol(entry->d_name, NULL, 10);
        close(fd);
    }
    closedir(folder);
    return found;
}

/* Records of the console in order; checks numbers and hashes on the way. */
static size_t check_chain(const char *console, struct gl_reading *out_last, int64_t *out_gap_ms)
{
    GL_AUTO(gl_auto_free) char *copy = gl_strdup(console);
    struct gl_hash hash = {{0}};
    char *at = copy, *line;
    size_t count = 0;

    *out_gap_ms = 0;
    while ((line = strsep(&at, "\n")) != NULL) {
        struct gl_error err = {0};
        json_t *batch, *record;
        size_t i;

        if (strncmp(line, "GLM1 ", 5) != 0)
            continue;
        batch = gl_json_parse(line + 5, strlen(line + 5), "batch", &err);
        assert_non_null(batch);
        json_array_foreach(json_object_get(batch, "records"), i, record)
        {
            GL_AUTO(gl_auto_free) char *text = gl_json_canonical(record, &err);

            if (gl_reading_parse(text, strlen(text), out_last, &err) < 0)
                fail_msg("%s", err.text);
            assert_int_equal(out_last->seq, ++count);
            assert_true(gl_hash_equal(&out_last->previous, &hash));
            gl_hash_of(text, strlen(text), &hash);
            *out_gap_ms += out_last->gap_ms;
        }
        json_decref(batch);
    }
    return count;
}

/* Readings that the console holds; it waits for so many, however slow this machine is. */
static void await_readings(const struct bench *bench, size_t wanted)
{
    static const char mark[] = "\"k\":\"cpu\"";

    for (int i = 0; i < 1500; i++) {
        GL_AUTO(gl_auto_free) char *console = read_console(bench);
        size_t count = 0;

        for (const char *at = console; (at = strstr(at, mark)) != NULL; at++)
            count++;
        if (count >= wanted)
            return;
        pause_ms(20);
    }
    fail_msg("no %zu readings", wanted);
}

static void test_readings(void **state)
{
    struct bench *bench = *state;
    GL_AUTO(gl_auto_free) char *console = NULL;
    struct gl_reading last = {0};
    int64_t gap_ms;

    /* a busy command: two seconds of one whole processor */
    run(bench, "[\"/bin/sh\",\"-c\",\"i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done\"]");
    hear_until(bench, 'X');
    await_readings(bench, 3);
    assert_int_equal(stop(bench), 0);
    console = read_console(bench);
    assert_non_null(strstr(console, "\nGLE1 {\"boot\":\""));
    assert_true(check_chain(console, &last, &gap_ms) >= 3);
    assert_true(last.is_final);
    assert_int_equal(gap_ms, 0);
    assert_string_equal(last.launch, "gl-guest");
    assert_int_equal(last.components[0].tier, GL_TIER_E1);
    assert_true(last.components[0].total_mj > 0);
}

static void test_a_killed_meter_is_started_again(void **state)
{
    struct bench *bench = *state;
    GL_AUTO(gl_auto_free) char *console = NULL;
    struct gl_reading last = {0};
    int64_t gap_ms;
    pid_t meter;

    connect_to(bench);
    configure(bench, "null", "null", 60000);
    send_text(bench, 'G', "");
    send_text(bench, 'W', "");
    await_readings(bench, 2);
    meter = find_meter(bench, 0);
    assert_true(meter > 0);
    assert_int_equal(kill(meter, SIGKILL), 0);
    await_readings(bench, 4);
    assert_int_equal(stop(bench), 0);
    console = read_console(bench);
    assert_non_null(strstr(console, "the meter died and is started again"));
    assert_true(check_chain(console, &last, &gap_ms) > 3); /* one chain, one key */
    assert_true(last.is_final);
    assert_true(gap_ms >= 900); /* what it missed is told as a gap */
}

static void test_a_killed_guest_leaves_nothing(void **state)
{
    struct bench *bench = *state;
    GL_AUTO(gl_auto_free) char *console = NULL;
    char command[100], path[64];
    pid_t meter;

    run(bench, "[\"/bin/sh\",\"-c\",\"echo $$; exec sleep 600\"]");
    hear_until(bench, 'O');
    snprintf(command, sizeof command, "/proc/%ld", strtol(gl_str_text(&bench->out), NULL, 10));
    await_readings(bench, 1);
    meter = find_meter(bench, (pid_t)strtol(gl_str_text(&bench->out), NULL, 10));
    assert_true(meter > 0);
    snprintf(path, sizeof path, "/proc/%d", (int)meter);
    assert_true(gl_file_exists(command) && gl_file_exists(path));
    assert_int_equal(kill(bench->guest, SIGKILL), 0);
    assert_int_equal(waitpid(bench->guest, NULL, 0), bench->guest);
    bench->guest = 0;
    for (int i = 0; i < 1500 && (gl_file_exists(command) || gl_file_exists(path)); i++)
        pause_ms(20);
    assert_false(gl_file_exists(command));
    assert_false(gl_file_exists(path));
    console = read_console(bench);
    assert_non_null(strstr(console, "\"final\":true")); /* the meter still had its last word */
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_payload_and_fetch),
        CASE(test_a_payload_that_climbs_is_not_run),
        CASE(test_readings),
        CASE(test_a_killed_meter_is_started_again),
        CASE(test_a_killed_guest_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
