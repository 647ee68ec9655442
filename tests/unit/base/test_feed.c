/* SPDX-License-Identifier: Apache-2.0 */
#include "base/feed.h"

#include "base/file.h"
#include "base/sign.h"
#include "tests/support/json_events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <zlib.h>

#define BOM8        "\xef\xbb\xbf"
#define TEXT        "{\"a\": \"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x8c\xb1\"}\n"
#define BYTES(text) (text), sizeof(text) - 1

/* The next piece: lent, or at most `room` bytes of it put into memory of ours. */
static int piece(struct gl_feed *feed, size_t room, const char **out_bytes, size_t *out_length,
                 struct gl_error *err)
{
    static char memory[GL_FEED_BUFFER + 1];

    if (room == 0)
        return gl_feed_next(feed, out_bytes, out_length, err);
    assert_true(room < sizeof memory);
    memory[room] = 'x';
    if (gl_feed_read(feed, memory, room, out_length, err) != 0)
        return -1;
    assert_true(*out_length <= room);
    assert_int_equal(memory[room], 'x');
    *out_bytes = memory;
    return 0;
}

/* Everything that comes out. */
static int drain_by(struct gl_feed *feed, size_t room, struct gl_str *out, struct gl_error *err)
{
    const char *bytes;
    size_t length = 1;

    while (length > 0) {
        if (piece(feed, room, &bytes, &length, err) != 0)
            return -1;
        gl_str_add_bytes(out, bytes, length);
    }
    return 0;
}

static int drain(struct gl_feed *feed, struct gl_str *out, struct gl_error *err)
{
    return drain_by(feed, 0, out, err);
}

static void gzip(const char *bytes, size_t length, struct gl_str *out)
{
    z_stream stream = {0};
    size_t room = length + length / 10 + 1024;
    Bytef *to = gl_alloc(room);

    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (z_const Bytef *)(uintptr_t)bytes;
    stream.avail_in = (uInt)length;
    stream.next_out = to;
    stream.avail_out = (uInt)room;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    gl_str_add_bytes(out, to, room - stream.avail_out);
    deflateEnd(&stream);
    free(to);
}

/* TEXT in UTF-16 with its mark. */
static void utf16(bool is_little, struct gl_str *out)
{
    static const uint16_t units[] = {0xfeff, '{',    '"', 'a',    '"',    ':', ' ', '"', 0xe4,
                                     ' ',    0x20ac, ' ', 0xd83c, 0xdf31, '"', '}', '\n'};

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        gl_str_add_char(out, (char)(is_little ? units[i] & 0xff : units[i] >> 8));
        gl_str_add_char(out, (char)(is_little ? units[i] >> 8 : units[i] & 0xff));
    }
}

static void assert_gives_by(struct gl_feed *feed, size_t room, const char *text,
                            const char *coating)
{
    GL_AUTO(gl_str_done) struct gl_str out = {0};
    struct gl_error err = {0};

    if (drain_by(feed, room, &out, &err) != 0)
        fail_msg("%s", err.text);
    assert_string_equal(gl_str_text(&out), text);
    assert_string_equal(gl_feed_coating(feed), coating);
}

static void assert_gives(struct gl_feed *feed, const char *text, const char *coating)
{
    assert_gives_by(feed, 0, text, coating);
}

/* From a descriptor, which is closed. */
static void assert_read_from(int fd, size_t room, const struct gl_str *bytes, const char *text,
                             const char *coating)
{
    struct gl_feed *feed =
        fd >= 0 ? gl_feed_of_fd(fd, "it") : gl_feed_of_bytes(bytes->text, bytes->length, "it");
    uint8_t digest[32];
    struct gl_hash wanted;

    assert_gives_by(feed, room, text, coating);
    assert_int_equal(gl_feed_raw_bytes(feed), bytes->length);
    gl_hash_of(bytes->text, bytes->length, &wanted);
    gl_feed_digest(feed, digest);
    assert_memory_equal(digest, wanted.bytes, sizeof digest);
    gl_feed_close(feed);
    if (fd >= 0)
        close(fd);
}

static int file_of(const struct gl_str *bytes)
{
    int fd = memfd_create("plan", MFD_CLOEXEC);

    assert_int_equal(write(fd, bytes->text, bytes->length), bytes->length);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

/* The same from memory, from a file, and from a descriptor cut once at every place, and into single
 * bytes; by both ways of asking. (Packets are taken whole or lost.) */
static void assert_read(const struct gl_str *bytes, const char *text, const char *coating)
{
    static const size_t rooms[] = {0, 1, 7, GL_FEED_BUFFER};

    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        bool is_wide = rooms[i] == 0 || rooms[i] == GL_FEED_BUFFER;

        assert_read_from(-1, rooms[i], bytes, text, coating);
        assert_read_from(file_of(bytes), rooms[i], bytes, text, coating);
        for (size_t cut = 0; is_wide && cut < bytes->length; cut++) {
            int fd = packets(bytes->text, bytes->length, cut, cut == 0 ? 1 : bytes->length);

            assert_true(fd >= 0);
            assert_read_from(fd, rooms[i], bytes, text, coating);
        }
    }
}

static void test_plain(void **state)
{
    struct gl_str bytes = {0};
    struct gl_feed *feed = gl_feed_of_bytes(TEXT, strlen(TEXT), "plan.json");
    struct gl_hash hash;
    uint8_t digest[32];

    (void)state;
    assert_string_equal(gl_feed_name(feed), "plan.json");
    assert_gives(feed, TEXT, "");
    gl_hash_of(TEXT, strlen(TEXT), &hash);
    gl_feed_digest(feed, digest);
    assert_memory_equal(digest, hash.bytes, 32);
    gl_feed_close(feed);
    gl_feed_close(NULL);
    gl_str_add(&bytes, TEXT);
    assert_read(&bytes, TEXT, "");
    gl_str_done(&bytes);
    feed = gl_feed_of_bytes(NULL, 0, "nothing");
    assert_gives(feed, "", "");
    gl_feed_close(feed);
}

/* Beginnings of marks that do not become one are bytes like any other. */
static void test_half_marks(void **state)
{
    static const char *const texts[] = {"\x1f",      "\x1fx", "\xef",     "\xef\xbb",
                                        "\xef\xbb!", "\xff",  "\xff\xff", "\xfe"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        GL_AUTO(gl_str_done) struct gl_str bytes = {0};

        gl_str_add(&bytes, texts[i]);
        assert_read(&bytes, texts[i], "");
    }
}

static void test_marks(void **state)
{
    struct gl_str bytes = {0};

    (void)state;
    gl_str_add(&bytes, BOM8 TEXT);
    assert_read(&bytes, TEXT, "");
    gl_str_clear(&bytes);
    gl_str_add(&bytes, BOM8);
    assert_read(&bytes, "", "");
    gl_str_clear(&bytes);
    utf16(true, &bytes);
    assert_read(&bytes, TEXT, "UTF-16LE");
    gl_str_clear(&bytes);
    utf16(false, &bytes);
    assert_read(&bytes, TEXT, "UTF-16BE");
    bytes.length = 2;
    assert_read(&bytes, "", "UTF-16BE");
    gl_str_done(&bytes);
}

static void test_gzip(void **state)
{
    struct gl_str plain = {0}, bytes = {0};

    (void)state;
    gzip(TEXT, strlen(TEXT), &bytes);
    assert_read(&bytes, TEXT, "gzip");
    gzip("", 0, &bytes);
    gzip("[1]", 3, &bytes);
    assert_read(&bytes, TEXT "[1]", "gzip");
    gl_str_clear(&bytes);
    gzip(BOM8 TEXT, strlen(BOM8 TEXT), &bytes);
    assert_read(&bytes, TEXT, "gzip");
    gl_str_clear(&bytes);
    utf16(true, &plain);
    gzip(plain.text, plain.length, &bytes);
    assert_read(&bytes, TEXT, "gzip, UTF-16LE");
    gl_str_clear(&plain);
    gl_str_clear(&bytes);
    utf16(false, &plain);
    gzip(plain.text, plain.length, &bytes);
    assert_read(&bytes, TEXT, "gzip, UTF-16BE");
    gl_str_done(&plain);
    gl_str_done(&bytes);
}

static void assert_refused_by(struct gl_feed *feed, size_t room, uint64_t max_bytes,
                              enum gl_errc code, const char *says)
{
    GL_AUTO(gl_str_done) struct gl_str out = {0};
    struct gl_error err = {0};

    gl_feed_limit(feed, max_bytes);
    assert_int_equal(drain_by(feed, room, &out, &err), -1);
    assert_int_equal(err.code, code);
    if (strstr(err.text, says) == NULL || strstr(err.text, "the plan") == NULL)
        fail_msg("%s", err.text);
    assert_true(out.length <= max_bytes);
    gl_feed_close(feed);
}

static void assert_refused(const struct gl_str *bytes, uint64_t max_bytes, enum gl_errc code,
                           const char *says)
{
    static const size_t rooms[] = {0, 1, GL_FEED_BUFFER};

    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        int fd = file_of(bytes);

        assert_refused_by(gl_feed_of_bytes(bytes->text, bytes->length, "the plan"), rooms[i],
                          max_bytes, code, says);
        assert_refused_by(gl_feed_of_fd(fd, "the plan"), rooms[i], max_bytes, code, says);
        close(fd);
    }
}

static void test_bad_gzip(void **state)
{
    struct gl_str whole = {0}, bytes = {0};

    (void)state;
    gzip(TEXT, strlen(TEXT), &whole);
    for (size_t length = 2; length < whole.length; length++) {
        gl_str_clear(&bytes);
        gl_str_add_bytes(&bytes, whole.text, length);
        assert_refused(&bytes, 1000, GL_E_SYNTAX, "ends too early");
    }
    gl_str_clear(&bytes);
    gl_str_add_bytes(&bytes, whole.text, whole.length);
    bytes.text[whole.length - 6] ^= 1; /* the check sum */
    assert_refused(&bytes, 1000, GL_E_SYNTAX, "damaged");
    gl_str_add(&whole, "rubbish");
    assert_refused(&whole, 1000, GL_E_SYNTAX, "damaged");
    gl_str_done(&whole);
    gl_str_done(&bytes);
}

static void test_bad_utf16(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
    } halves[] = {
        {BYTES("\xff\xfe{")},           /* half a unit */
        {BYTES("\xff\xfe\x3c\xd8")},    /* a high half at the end */
        {BYTES("\xff\xfe\x3c\xd8{\0")}, /* a high half and something else */
        {BYTES("\xff\xfe\x3c\xd8\x3c\xd8")},
        {BYTES("\xff\xfe\x31\xdf")}, /* a low half first */
        {BYTES("\xfe\xff\xdf\x31")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof halves / sizeof halves[0]; i++) {
        GL_AUTO(gl_str_done) struct gl_str bytes = {0};

        gl_str_add_bytes(&bytes, halves[i].bytes, halves[i].length);
        assert_refused(&bytes, 1000, GL_E_SYNTAX, "half a character of UTF-16");
    }
}

static void test_ceilings(void **state)
{
    size_t large = (size_t)20 << 20;
    char *zeros = gl_alloc(large);
    struct gl_str bytes = {0}, out = {0};
    struct gl_error err = {0};
    struct gl_feed *feed = gl_feed_of_bytes("12345678", 8, "it");

    (void)state;
    gl_feed_limit(feed, 8);
    assert_gives(feed, "12345678", "");
    gl_feed_close(feed);
    gl_str_add(&bytes, "12345678");
    assert_refused(&bytes, 7, GL_E_TOO_LARGE, "larger than 7 bytes");
    gl_str_clear(&bytes);
    gl_str_add_bytes(&bytes, zeros, 3 * GL_FEED_BUFFER);
    assert_refused(&bytes, bytes.length - 1, GL_E_TOO_LARGE, "larger");
    gl_str_clear(&bytes);
    gzip(zeros, large, &bytes);
    assert_true(bytes.length < 50000);
    assert_refused(&bytes, large - 1, GL_E_TOO_LARGE, "larger");
    assert_refused(&bytes, 100000, GL_E_TOO_LARGE, "larger");
    feed = gl_feed_of_bytes(bytes.text, bytes.length, "it");
    gl_feed_limit(feed, large);
    assert_int_equal(drain(feed, &out, &err), 0);
    assert_int_equal(out.length, large);
    gl_feed_close(feed);
    gl_str_done(&bytes);
    gl_str_done(&out);
    free(zeros);
}

/* Members of nothing, without end: the ceiling on what comes out alone would never be met. */
static void test_endless_nothing(void **state)
{
    struct gl_str member = {0}, out = {0};
    struct gl_error err = {0};
    struct gl_feed *feed;
    char path[] = "/tmp/gl-feed-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    unlink(path);
    for (int i = 0; i < 20000; i++)
        gzip("", 0, &member);
    assert_int_equal(gl_fd_write(fd, member.text, member.length, &err), 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    feed = gl_feed_of_fd(fd, "it");
    gl_feed_limit(feed, 10);
    assert_int_equal(drain(feed, &out, &err), -1);
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    gl_feed_close(feed);
    close(fd);
    gl_str_done(&member);
    gl_str_done(&out);
}

static void test_files(void **state)
{
    char folder[] = "/tmp/gl-feed-XXXXXX", path[64];
    struct gl_error err = {0};
    struct gl_feed *feed;
    FILE *file;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/plan", folder);
    assert_null(gl_feed_open(path, "plan", &err));
    assert_int_equal(err.code, GL_E_IO);
    assert_int_equal(err.sys, ENOENT);
    gl_error_clear(&err);
    assert_null(gl_feed_open(folder, "plan", &err));
    assert_non_null(strstr(err.text, "plan is neither a file nor a pipe"));
    gl_error_clear(&err);
    assert_null(gl_feed_open("/dev/zero", "zero", &err));
    gl_error_clear(&err);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(TEXT, file);
    fclose(file);
    feed = gl_feed_open(path, "plan", &err);
    assert_non_null(feed);
    assert_gives(feed, TEXT, "");
    gl_feed_close(feed);
    unlink(path);
    rmdir(folder);
}

/* A pipe by name, as of <(command), and one that is not waiting. */
static void test_pipes(void **state)
{
    char path[64];
    struct gl_error err = {0};
    struct gl_feed *feed;
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], TEXT, strlen(TEXT)), strlen(TEXT));
    close(ends[1]);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    feed = gl_feed_open(path, "pipe", &err);
    assert_non_null(feed);
    assert_gives(feed, TEXT, "");
    gl_feed_close(feed);
    close(ends[0]);
}

/* A pipe that does not wait is waited for. */
static void test_slow_pipe(void **state)
{
    struct gl_feed *feed;
    int ends[2];
    pid_t pid;

    (void)state;
    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    pid = fork();
    if (pid == 0) {
        usleep(50000);
        _exit(write(ends[1], TEXT, strlen(TEXT)) == (ssize_t)strlen(TEXT) ? 0 : 1);
    }
    close(ends[1]);
    feed = gl_feed_of_fd(ends[0], "pipe");
    assert_gives(feed, TEXT, "");
    gl_feed_close(feed);
    close(ends[0]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void on_alarm(int number)
{
    (void)number;
}

/* Who is told to end while nothing comes is not kept waiting. */
static void test_interrupted(void **state)
{
    const struct sigaction action = {.sa_handler = on_alarm};
    const struct itimerval soon = {.it_value = {.tv_usec = 20000},
                                   .it_interval = {.tv_usec = 20000}};
    const struct itimerval never = {0};
    struct sigaction before;
    int ends[2];

    (void)state;
    assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
    for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
        struct gl_error err = {0};
        struct gl_feed *feed;
        const char *bytes;
        size_t length;

        assert_int_equal(pipe2(ends, flags | O_CLOEXEC), 0);
        feed = gl_feed_of_fd(ends[0], "pipe");
        setitimer(ITIMER_REAL, &soon, NULL);
        assert_int_equal(gl_feed_next(feed, &bytes, &length, &err), -1);
        setitimer(ITIMER_REAL, &never, NULL);
        assert_int_equal(err.code, GL_E_INTERRUPTED);
        gl_feed_close(feed);
        close(ends[0]);
        close(ends[1]);
    }
    sigaction(SIGALRM, &before, NULL);
}

static void test_standard_input(void **state)
{
    int kept = dup(STDIN_FILENO), fd = packets(TEXT, strlen(TEXT), 3, 5);
    struct gl_error err = {0};
    struct gl_feed *feed;

    (void)state;
    assert_true(kept >= 0 && fd >= 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    assert_true(dup2(fd, STDIN_FILENO) >= 0);
    feed = gl_feed_open("-", "standard input", &err);
    assert_non_null(feed);
    assert_gives(feed, TEXT, "");
    gl_feed_close(feed);
    assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0); /* ours to close is the copy only */
    dup2(kept, STDIN_FILENO);
    close(kept);
    close(fd);
}

static void test_unreadable(void **state)
{
    int fd = open("/", O_RDONLY | O_DIRECTORY);
    struct gl_feed *feed = gl_feed_of_fd(fd, "the root");
    struct gl_error err = {0};
    const char *bytes;
    size_t length;

    (void)state;
    for (size_t room = 0; room < 2; room++) {
        err = (struct gl_error){0};
        assert_int_equal(piece(feed, room, &bytes, &length, &err), -1);
        assert_int_equal(err.code, GL_E_IO);
        assert_int_equal(err.sys, EISDIR);
    }
    gl_feed_close(feed);
    close(fd);
}

/* Nobody asks for it: none is worked out, of a pipe as of memory. */
static void test_no_digest(void **state)
{
    static const uint8_t none[32];
    uint8_t digest[32];
    struct gl_error err = {0};
    const char *bytes;
    size_t length;
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "{}", 2), 2);
    close(ends[1]);
    for (int round = 0; round < 2; round++) {
        struct gl_feed *feed =
            round == 0 ? gl_feed_of_fd(ends[0], "doc") : gl_feed_of_bytes("{}", 2, "doc");

        gl_feed_skip_digest(feed);
        assert_int_equal(gl_feed_next(feed, &bytes, &length, &err), 0);
        assert_int_equal(length, 2);
        assert_memory_equal(bytes, "{}", 2);
        assert_int_equal(gl_feed_next(feed, &bytes, &length, &err), 0);
        assert_int_equal(length, 0);
        memset(digest, 7, sizeof digest);
        gl_feed_digest(feed, digest);
        assert_memory_equal(digest, none, sizeof none);
        gl_feed_close(feed);
    }
    close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),       cmocka_unit_test(test_half_marks),
        cmocka_unit_test(test_marks),       cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_bad_gzip),    cmocka_unit_test(test_bad_utf16),
        cmocka_unit_test(test_ceilings),    cmocka_unit_test(test_endless_nothing),
        cmocka_unit_test(test_files),       cmocka_unit_test(test_pipes),
        cmocka_unit_test(test_slow_pipe),   cmocka_unit_test(test_standard_input),
        cmocka_unit_test(test_unreadable),  cmocka_unit_test(test_no_digest),
        cmocka_unit_test(test_interrupted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
