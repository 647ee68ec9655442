/* SPDX-License-Identifier: Apache-2.0 */
/* A guest that lies: forged, garbled and endless frames, archives that climb. We play it: an
 * instance whose process and control socket are a child of ours. */
#include "tests/conformance/cloud_bench.h"

#include "base/file.h"
#include "base/frame.h"
#include "providers/cloud/local.h"
#include "providers/cloud/local_cpio.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct gl_bench bench;

static int set_up(void **state)
{
    (void)state;
    gl_bench_open(&bench, "local_liar", false);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    gl_bench_close(&bench);
    return 0;
}

/* Ends of a lease, Unix seconds. */
#define OVER  1789000001
#define LATER 1989000000

struct played {
    char folder[700];
    char id[GL_CLOUD_ID];
    int listening;
    pid_t pid;
};

/* An instance whose process is ourselves and whose control socket we serve in a child. */
static struct played play_until(void (*guest)(int fd), int64_t expires_s)
{
    static unsigned count;
    struct played played = {.pid = -1};
    struct gl_local_record record = {.region = "this-machine",
                                     .type = "small",
                                     .how = "qemu/tcg",
                                     .vcpus = 1,
                                     .memory_mib = 256,
                                     .started_s = 1789000000,
                                     .expires_s = expires_s,
                                     .state = GL_STATE_RUNNING,
                                     .exit_status = -1,
                                     .host_cpu_ms = -1};
    struct gl_error err = {0};
    char sockets[720];

    snprintf(played.id, sizeof played.id, "gl-played-%u", ++count);
    snprintf(played.folder, sizeof played.folder, "%s/local/%s", bench.folder, played.id);
    snprintf(sockets, sizeof sockets, "%s/io", played.folder);
    snprintf(record.launch_id, sizeof record.launch_id, "%s", played.id);
    snprintf(record.token, sizeof record.token, "%064u", count);
    gl_local_tag(bench.folder, record.token, record.tag);
    gl_local_boot_id(record.boot);
    assert_int_equal(gl_dir_make(sockets, &err), 0);
    played.listening = gl_local_listen(played.folder, GL_LOCAL_CONTROL, &err);
    assert_true(played.listening >= 0);
    played.pid = fork();
    if (played.pid == 0) {
        int fd = -1;

        while (fd < 0)
            fd = accept(played.listening, NULL, NULL);
        guest(fd);
        _exit(0);
    }
    record.process = gl_local_process_of(played.pid);
    assert_int_equal(gl_local_record_save(played.folder, &record, &err), 0);
    return played;
}

static struct played play(void (*guest)(int fd))
{
    return play_until(guest, LATER);
}

static void end_play(struct played *played)
{
    close(played->listening);
    kill(played->pid, SIGKILL);
    waitpid(played->pid, NULL, 0);
}

static void say(int fd, char type, const void *bytes, size_t length)
{
    char header[GL_FRAME_HEADER];
    struct gl_error err = {0};

    gl_frame_header(type, length, header);
    gl_fd_write(fd, header, sizeof header, &err);
    gl_fd_write(fd, bytes, length, &err);
}

static void liar(int fd)
{
    static const char huge[] = "GLO\0\xff\xff\xff\x7f";
    char garbage[5000];
    struct gl_error err = {0};

    memset(garbage, 'G', sizeof garbage);
    gl_fd_write(fd, garbage, sizeof garbage, &err);
    gl_fd_write(fd, huge, sizeof huge - 1, &err);
    say(fd, 'H', "{\"state\":\"omnipotent\",\"status\":1}", 33);
    say(fd, 'H', "not json", 8);
    say(fd, 'X', "{\"status\":-1}", 13);
    say(fd, 'X', "{\"status\":70000}", 16);
    say(fd, 'X', "", 0);
    say(fd, 'Q', "{\"path\":\"/etc/passwd\"}", 22); /* the host answers no such thing */
    say(fd, 'C', "{}", 2);
    say(fd, 'O', "still here\n", 11);
    say(fd, 'X', "{\"status\":9}", 12);
    sleep(60);
}

static void flooder(int fd)
{
    static char bytes[GL_FRAME_MAX];

    memset(bytes, 'f', sizeof bytes);
    for (int i = 0; i < 100; i++)
        say(fd, i % 2 ? 'O' : 'R', bytes, sizeof bytes);
    say(fd, 'X', "{\"status\":0}", 12);
    sleep(60);
}

static void quitter(int fd)
{
    say(fd, 'O', "goodbye", 7);
}

static void stopper(int fd)
{
    say(fd, 'Z', "", 0);
}

static void test_guest_that_lies(void **state)
{
    static const struct {
        void (*guest)(int fd);
        enum gl_errc code; /* GL_OK: `status` comes back */
        int status;
        size_t out_length;
        int64_t expires_s;
    } rows[] = {{liar, GL_OK, 9, 11, OVER},
                {flooder, GL_OK, 0, 50 * GL_FRAME_MAX, LATER},
                {quitter, GL_E_GUEST, -1, 7, LATER},
                {quitter, GL_E_TIMEOUT, -1, 7, OVER}, /* its lease was */
                {stopper, GL_E_TIMEOUT, -1, 0, LATER}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct played played = play_until(rows[i].guest, rows[i].expires_s);
        struct gl_bench_run run = {.status = -1};
        struct gl_error err = {0};

        snprintf(run.instance.id, sizeof run.instance.id, "%s", played.id);
        assert_int_equal(gl_bench_attach(&bench, &run, &err), rows[i].code == GL_OK ? 0 : -1);
        assert_int_equal(err.code, rows[i].code);
        assert_int_equal(run.status, rows[i].status);
        assert_int_equal(run.out.length, rows[i].out_length);
        gl_bench_run_done(&run);
        end_play(&played);
    }
}

/* An archive as an evil guest would hand it out. */
static void send_archive(int fd, void (*fill)(struct gl_newc *archive))
{
    char bytes[16384];
    int memory = open("/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    struct gl_newc archive;
    ssize_t length;

    gl_newc_init(&archive, memory, sizeof bytes);
    fill(&archive);
    length = pread(memory, bytes, sizeof bytes, 0);
    if (read(fd, bytes + 8000, 1000) < 0) /* the question */
        return;
    say(fd, 'F', bytes, length > 0 ? (size_t)length : 0);
    say(fd, 'F', "", 0);
    sleep(60);
}

/* A member of any name: gl_newc_open() would refuse the bad ones. */
static void put_raw(struct gl_newc *archive, const char *name, unsigned mode, const char *data)
{
    char text[1024];
    struct gl_error err = {0};
    size_t name_length = strlen(name) + 1, length = strlen(data);
    int used = snprintf(text, sizeof text,
                        "070701%08X%08X%08X%08X%08X%08X%08zX%08X%08X%08X%08X%08zX%08X%s", 1, mode,
                        0, 0, 1, 0, length, 0, 0, 0, 0, name_length, 0, name);
    size_t at = (size_t)used + 1;

    memset(text + at, 0, 4);
    at += gl_newc_padding(at);
    memcpy(text + at, data, length);
    at += length;
    memset(text + at, 0, 4);
    at += gl_newc_padding(at);
    gl_fd_write(archive->fd, text, at, &err);
}

static void climbing(struct gl_newc *archive)
{
    put_raw(archive, "r", S_IFDIR | 0755, "");
    put_raw(archive, "r/../../escaped", S_IFREG | 0644, "evil");
    put_raw(archive, "TRAILER!!!", 0, "");
}

static void linking(struct gl_newc *archive)
{
    put_raw(archive, "r", S_IFDIR | 0755, "");
    put_raw(archive, "r/l", S_IFLNK | 0777, "/tmp");
    put_raw(archive, "r/l/gl-evil", S_IFREG | 0644, "evil");
    put_raw(archive, "TRAILER!!!", 0, "");
}

static void truncated(struct gl_newc *archive)
{
    put_raw(archive, "r", S_IFREG | 0644, "data");
    if (ftruncate(archive->fd, 115) != 0)
        _exit(1);
}

static void serve_climbing(int fd)
{
    send_archive(fd, climbing);
}

static void serve_linking(int fd)
{
    send_archive(fd, linking);
}

static void serve_truncated(int fd)
{
    send_archive(fd, truncated);
}

static void test_guest_that_sends_traps(void **state)
{
    static void (*const guests[])(int fd) = {serve_climbing, serve_linking, serve_truncated};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct played played = play(guests[i]);
        struct gl_error err = {0};
        char to[600], escaped[600];

        snprintf(to, sizeof to, "%s/taken%zu", bench.folder, i);
        snprintf(escaped, sizeof escaped, "%s/escaped", bench.folder);
        assert_int_equal(bench.cloud->ops->fetch(bench.cloud, played.id, "/r", to, &err), -1);
        assert_int_not_equal(err.code, GL_OK);
        assert_false(gl_file_exists(escaped));
        assert_false(gl_file_exists("/tmp/gl-evil"));
        end_play(&played);
    }
}

static void test_nothing_is_left(void **state)
{
    (void)state;
    assert_int_equal(gl_bench_left(&bench), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guest_that_lies),
        cmocka_unit_test(test_guest_that_sends_traps),
        cmocka_unit_test(test_nothing_is_left),
    };

    return cmocka_run_group_tests_name("local_liar", tests, set_up, tear_down);
}
