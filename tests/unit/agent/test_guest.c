/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/guest.h"

#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/unit/agent/tree.h"

/* The guest in process mode, spoken to over its socket as a broker does. */

#define HEX64   "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define WAIT_MS 20000   /* for anything: only a hang takes so long */

struct bench {
    char folder[TREE_PATH], control[2 * TREE_PATH], console[2 * TREE_PATH], root[3 * TREE_PATH];
    pid_t guest;
    int fd;
    struct gl_frame_reader reader;
    struct gl_str out, err;         /* of the command, as far as heard */
    char type;                      /* of the last frame */
    struct gl_str payload;
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void pause_ms(long ms)
{
    const struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

static int set_up(void **state)
{
    static struct bench bench;
    char cwd[TREE_PATH];

    memset(&bench, 0, sizeof bench);
    tree_make("test_guest", bench.folder);
    assert_non_null(getcwd(cwd, sizeof cwd));
    snprintf(bench.control, sizeof bench.control, "%s/c", bench.folder);
    snprintf(bench.console, sizeof bench.console, "%s/console", bench.folder);
    snprintf(bench.root, sizeof bench.root, "%s/%s/root", cwd, bench.folder);
    bench.fd = -1;
    bench.guest = fork();
    if (bench.guest == 0)
        _exit(gl_guest_run(&(struct gl_guest_options){bench.control, bench.console}));
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    if (bench->fd >= 0)
        close(bench->fd);
    if (bench->guest > 0) {
        kill(bench->guest, SIGKILL);
        waitpid(bench->guest, NULL, 0);
    }
    gl_str_done(&bench->out);
    gl_str_done(&bench->err);
    gl_str_done(&bench->payload);
    tree_drop(bench->folder);
    return 0;
}

static void connect_to(struct bench *bench)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int64_t end = now_ms() + WAIT_MS;

    assert_true(strlen(bench->control) < sizeof address.sun_path);
    memcpy(address.sun_path, bench->control, strlen(bench->control) + 1);
    bench->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bench->reader.used = bench->reader.consumed = 0;
    while (connect(bench->fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        if (now_ms() > end)
            fail_msg("the guest does not listen");
        pause_ms(10);
    }
}

static void send_bytes(const struct bench *bench, const void *bytes, size_t length)
{
    const char *at = bytes;

    while (length > 0) {
        ssize_t sent = send(bench->fd, at, length, MSG_NOSIGNAL);

        assert_true(sent > 0);
        at += sent;
        length -= (size_t)sent;
    }
}

static void send_frame(const struct bench *bench, char type, const void *bytes, size_t length)
{
    char header[GL_FRAME_HEADER];

    gl_frame_header(type, length, header);
    send_bytes(bench, header, sizeof header);
    send_bytes(bench, bytes, length);
}

static void send_text(const struct bench *bench, char type, const char *text)
{
    send_frame(bench, type, text, strlen(text));
}

/* The next frame into bench->type and bench->payload; false at the end of the connection. */
static bool hear(struct bench *bench)
{
    int64_t end = now_ms() + WAIT_MS;
    struct gl_frame frame;

    while (!gl_frame_reader_next(&bench->reader, &frame)) {
        struct pollfd readable = {.fd = bench->fd, .events = POLLIN};
        size_t room;
        char *space = gl_frame_reader_space(&bench->reader, &room);
        ssize_t got;

        if (poll(&readable, 1, (int)(end - now_ms())) <= 0)
            fail_msg("the guest says nothing");
        got = recv(bench->fd, space, room, 0);
        if (got <= 0)
            return false;
        gl_frame_reader_fed(&bench->reader, (size_t)got);
    }
    bench->type = frame.type;
    gl_str_clear(&bench->payload);
    gl_str_add_bytes(&bench->payload, frame.payload, frame.length);
    if (frame.type == 'O')
        gl_str_add_bytes(&bench->out, frame.payload, frame.length);
    if (frame.type == 'R')
        gl_str_add_bytes(&bench->err, frame.payload, frame.length);
    return true;
}

static void hear_until(struct bench *bench, char type)
{
    do
        if (!hear(bench))
            fail_msg("the guest hung up before %c", type);
    while (bench->type != type);
}

/* `command` and `root` are JSON. */
static void configure(const struct bench *bench, const char *command, const char *root,
                      int lease_ms)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_str_addf(&text,
                "{\"command\":%s,\"disk\":null,\"enrol\":\"" HEX64 "\",\"entropy\":\"" HEX64 HEX64
                "\",\"interval_ms\":200,\"launch\":\"gl-guest\",\"lease_ms\":%d,\"machine\":{"
                "\"baseline_permille\":1000,\"family\":\"epyc3\",\"gpu_count\":0,\"gpu_watts\":0,"
                "\"memory_mb\":256,\"threads_milli\":1000},\"network\":false,\"now_ms\":1,"
                "\"payload\":false,\"root\":%s,\"user_data\":null,\"v\":1}",
                command, lease_ms, root);
    send_text(bench, 'C', gl_str_text(&text));
}

static void run(struct bench *bench, const char *command)
{
    connect_to(bench);
    configure(bench, command, "null", 60000);
    send_text(bench, 'G', "");
}

static void expect_status(const struct bench *bench, int status)
{
    char expected[32];

    snprintf(expected, sizeof expected, "{\"status\":%d}", status);
    assert_string_equal(gl_str_text(&bench->payload), expected);
}

static char *read_console(const struct bench *bench)
{
    struct gl_error err = {0};
    char *text;
    size_t length;

    if (gl_file_read(bench->console, 1 << 24, &text, &length, &err) < 0)
        fail_msg("%s", err.text);
    return text;
}

/* 'S', and everything up to the end of the guest. Returns its exit status. */
static int stop(struct bench *bench)
{
    int status;

    send_text(bench, 'S', "");
    hear_until(bench, 'Z');
    assert_int_equal(waitpid(bench->guest, &status, 0), bench->guest);
    bench->guest = 0;
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* ---- tests ---- */

static void test_hello_until_config(void **state)
{
    struct bench *bench = *state;
    struct gl_error err = {0};
    const char *word;
    json_t *hello;

    connect_to(bench);
    assert_true(hear(bench));
    assert_int_equal(bench->type, 'H');
    hello = gl_json_parse(gl_str_text(&bench->payload), bench->payload.length, "hello", &err);
    assert_non_null(hello);
    assert_int_equal(gl_json_string(hello, "state", &word, &err), 0);
    assert_string_equal(word, "waiting");
    assert_int_equal(gl_json_string(hello, "meter", &word, &err), 0);
    assert_int_equal(strspn(word, "0123456789abcdef"), 16);
    assert_int_equal(gl_json_string(hello, "boot", &word, &err), 0);
    assert_int_equal(strlen(word), 36);
    {
        GL_AUTO(gl_auto_free) char *canonical = gl_json_canonical(hello, &err);
        assert_string_equal(canonical, gl_str_text(&bench->payload));
    }
    json_decref(hello);
    assert_true(hear(bench)); /* and again after a second */
    assert_int_equal(bench->type, 'H');
    configure(bench, "null", "null", 60000);
    send_text(bench, 'W', "");
    hear_until(bench, 'H');
    while (strstr(gl_str_text(&bench->payload), "waiting") != NULL)
        hear_until(bench, 'H');
    assert_non_null(strstr(gl_str_text(&bench->payload), "\"state\":\"ready\""));
    assert_int_equal(stop(bench), 0);
}

static void test_command(void **state)
{
    struct bench *bench = *state;

    run(bench, "[\"/bin/sh\",\"-c\",\"cat; echo trouble >&2; echo $HOME; exit 5\"]");
    send_text(bench, 'I', "one ");
    send_text(bench, 'I', "two\n");
    send_text(bench, 'I', "");
    hear_until(bench, 'X');
    expect_status(bench, 5);
    assert_string_equal(gl_str_text(&bench->out), "one two\n/root\n");
    assert_string_equal(gl_str_text(&bench->err), "trouble\n");
    send_text(bench, 'W', "");
    hear_until(bench, 'H');
    assert_non_null(strstr(gl_str_text(&bench->payload), "\"state\":\"exited\",\"status\":5"));
    assert_int_equal(stop(bench), 0);
}

static void test_command_by_signal(void **state)
{
    struct bench *bench = *state;

    run(bench, "[\"/bin/sh\",\"-c\",\"kill -SEGV $$\"]");
    hear_until(bench, 'X');
    expect_status(bench, 128 + SIGSEGV);
}

static void test_command_not_there(void **state)
{
    struct bench *bench = *state;

    run(bench, "[\"no-such-program\"]");
    hear_until(bench, 'X');
    expect_status(bench, 127);
    assert_non_null(strstr(gl_str_text(&bench->err), "cannot run no-such-program"));
}

static void test_background_children_do_not_hold_the_exit(void **state)
{
    struct bench *bench = *state;
    int64_t start = now_ms();

    run(bench, "[\"/bin/sh\",\"-c\",\"sleep 30 & echo done\"]");
    hear_until(bench, 'X');
    expect_status(bench, 0);
    assert_string_equal(gl_str_text(&bench->out), "done\n");
    assert_true(now_ms() - start < 15000);
    assert_int_equal(stop(bench), 0);
}

static void test_a_megabyte_through_cat(void **state)
{
    struct bench *bench = *state;
    char *block = gl_alloc(GL_FRAME_MAX);
    uint64_t random = 88172645463325252ULL;
    GL_AUTO(gl_str_done) struct gl_str sent = {0};
    pid_t writer;

    run(bench, "[\"cat\"]");
    for (int i = 0; i < 20; i++) {
        for (size_t at = 0; at < GL_FRAME_MAX; at += 8) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            memcpy(block + at, &random, 8);
        }
        gl_str_add_bytes(&sent, block, GL_FRAME_MAX);
    }
    writer = fork(); /* writes while the test reads: neither may stall the other */
    if (writer == 0) {
        for (int i = 0; i < 20; i++)
            send_frame(bench, 'I', sent.text + (size_t)i * GL_FRAME_MAX, GL_FRAME_MAX);
        send_text(bench, 'I', "");
        _exit(0);
    }
    pause_ms(300); /* a host that is slow, but there: it gets everything */
    hear_until(bench, 'X');
    expect_status(bench, 0);
    assert_int_equal(waitpid(writer, NULL, 0), writer);
    assert_int_equal(bench->out.length, sent.length);
    assert_memory_equal(bench->out.text, sent.text, sent.length);
    assert_int_equal(bench->err.length, 0);
    free(block);
}

/* Nobody reads for longer than the guest's patience: the command runs on, the newest output is
 * kept, the loss is told, and so is the exit status. */
static void test_host_goes_away_and_comes_back(void **state)
{
    struct bench *bench = *state;

    run(bench, "[\"/bin/sh\",\"-c\",\"i=0; while [ $i -lt 20000 ]; do echo line $i of many more "
               "lines than fit; i=$((i+1)); done; echo the end\"]");
    close(bench->fd);
    bench->fd = -1;
    pause_ms(1000);
    connect_to(bench);
    hear_until(bench, 'X');
    expect_status(bench, 0);
    assert_non_null(strstr(gl_str_text(&bench->out), "line 19999 of"));
    assert_non_null(strstr(gl_str_text(&bench->out), "the end\n"));
    assert_true(bench->out.length <= GL_RING_BYTES + GL_FRAME_MAX);
    assert_non_null(strstr(gl_str_text(&bench->err), "bytes of output were dropped"));
    /* and once more for a third host */
    close(bench->fd);
    connect_to(bench);
    hear_until(bench, 'X');
    expect_status(bench, 0);
    send_text(bench, 'W', "");
    hear_until(bench, 'H');
    assert_int_equal(stop(bench), 0);
}

static void test_a_host_that_only_stands_there(void **state)
{
    struct bench *bench = *state;

    run(bench, "[\"/bin/sh\",\"-c\",\"head -c 3000000 /dev/zero; echo last words >&2\"]");
    pause_ms(4000); /* connected, and reading nothing */
    hear_until(bench, 'X');
    expect_status(bench, 0);
    assert_true(bench->out.length < 3000000);
    assert_non_null(strstr(gl_str_text(&bench->err), "last words"));
    assert_non_null(strstr(gl_str_text(&bench->err), "were dropped"));
}

static void test_stop_kills_what_does_not_listen(void **state)
{
    struct bench *bench = *state;
    int64_t start;

    run(bench, "[\"/bin/sh\",\"-c\",\"trap '' TERM; echo up; while :; do sleep 0.1; done\"]");
    hear_until(bench, 'O');
    start = now_ms();
    send_text(bench, 'S', "");
    hear_until(bench, 'X');
    expect_status(bench, 128 + SIGKILL);
    assert_true(now_ms() - start >= 1900);
    hear_until(bench, 'Z');
    assert_int_equal(waitpid(bench->guest, NULL, 0), bench->guest);
    bench->guest = 0;
}

static void test_lease_ends_everything(void **state)
{
    struct bench *bench = *state;
    GL_AUTO(gl_auto_free) char *console = NULL;
    int64_t start = now_ms();
    int status;

    connect_to(bench);
    configure(bench, "[\"sleep\",\"600\"]", "null", 1500);
    send_text(bench, 'G', "");
    close(bench->fd); /* nobody is there any more */
    bench->fd = -1;
    assert_int_equal(waitpid(bench->guest, &status, 0), bench->guest);
    bench->guest = 0;
    assert_true(now_ms() - start >= 1400);
    assert_true(now_ms() - start < WAIT_MS);
    console = read_console(bench);
    assert_non_null(strstr(console, "the lease has ended"));
    assert_non_null(strstr(console, "\"final\":true"));
}

static void test_sigterm_is_stop(void **state)
{
    struct bench *bench = *state;
    int status;

    connect_to(bench);
    configure(bench, "null", "null", 60000);
    send_text(bench, 'G', "");
    pause_ms(300);
    kill(bench->guest, SIGTERM);
    hear_until(bench, 'Z');
    assert_int_equal(waitpid(bench->guest, &status, 0), bench->guest);
    bench->guest = 0;
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_nonsense_is_survived(void **state)
{
    struct bench *bench = *state;
    GL_AUTO(gl_auto_free) char *console = NULL;
    char garbage[5000];

    connect_to(bench);
    for (size_t i = 0; i < sizeof garbage; i++)
        garbage[i] = (char)(i * 7919 >> 3);
    send_bytes(bench, garbage, sizeof garbage);
    send_text(bench, 'C', "{\"command\":[");
    send_text(bench, 'C', "");
    send_text(bench, 'G', "");
    send_text(bench, 'P', "not an archive");
    send_text(bench, 'Y', "no such frame");
    send_text(bench, 'Q', "{\"path\":\"relative\"}");
    hear_until(bench, 'F');
    assert_int_equal(bench->payload.length, 0);
    assert_non_null(strstr(gl_str_text(&bench->err), "no absolute path"));
    configure(bench, "[\"echo\",\"alive\"]", "null", 60000);
    configure(bench, "[\"echo\",\"twice\"]", "null", 60000);
    send_text(bench, 'G', "");
    send_text(bench, 'G', "");
    hear_until(bench, 'X');
    assert_string_equal(gl_str_text(&bench->out), "alive\n");
    assert_int_equal(stop(bench), 0);
    console = read_console(bench);
    assert_non_null(strstr(console, "ignored a bad config"));
    assert_non_null(strstr(console, "ignored a second config"));
    assert_non_null(strstr(console, "ignored a go out of turn"));
    assert_non_null(strstr(console, "ignored a payload out of turn"));
    assert_non_null(strstr(console, "ignored a frame of type Y"));
}

/* ---- payload and files ---- */

static void add_member(struct gl_str *archive, const char *name, unsigned mode, const char *data)
{
    gl_str_addf(archive, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1U, mode, 0U,
                0U, 1U, 0U, (unsigned)strlen(data), 0U, 0U, 0U, 0U, (unsigned)strlen(name) + 1,
                0U);
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
static pid_t find_meter(const struct bench *bench)
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
            sscanf(at + 1, " %*c %d", &parent) == 1 && parent == bench->guest)
            found = atoi(entry->d_name);
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

static void test_readings(void **state)
{
    struct bench *bench = *state;
    GL_AUTO(gl_auto_free) char *console = NULL;
    struct gl_reading last = {0};
    int64_t gap_ms;

    /* a busy command: two seconds of one whole processor */
    run(bench, "[\"/bin/sh\",\"-c\",\"i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done\"]");
    hear_until(bench, 'X');
    pause_ms(500);
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
    pause_ms(1000);
    meter = find_meter(bench);
    assert_true(meter > 0);
    assert_int_equal(kill(meter, SIGKILL), 0);
    pause_ms(2500);
    assert_int_equal(stop(bench), 0);
    console = read_console(bench);
    assert_non_null(strstr(console, "the meter died and is started again"));
    assert_true(check_chain(console, &last, &gap_ms) > 3); /* one chain, one key */
    assert_true(last.is_final);
    assert_true(gap_ms >= 900); /* what it missed is told as a gap */
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_hello_until_config),
        CASE(test_command),
        CASE(test_command_by_signal),
        CASE(test_command_not_there),
        CASE(test_background_children_do_not_hold_the_exit),
        CASE(test_a_megabyte_through_cat),
        CASE(test_host_goes_away_and_comes_back),
        CASE(test_a_host_that_only_stands_there),
        CASE(test_stop_kills_what_does_not_listen),
        CASE(test_lease_ends_everything),
        CASE(test_sigterm_is_stop),
        CASE(test_nonsense_is_survived),
        CASE(test_payload_and_fetch),
        CASE(test_a_payload_that_climbs_is_not_run),
        CASE(test_readings),
        CASE(test_a_killed_meter_is_started_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
