/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/spool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/agent/spool_bench.h"

/* In place and not synced, as it is done thousands of times. */
static void put_bytes(const char *path, const char *bytes, size_t length)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, length, 0), length);
    assert_int_equal(ftruncate(fd, (off_t)length), 0);
    close(fd);
}

/* ---- tests ---- */

static void test_crc(void **state)
{
    (void)state;
    /* RFC 3720 B.4: 32 bytes of zero; and the usual check value */
    assert_int_equal(gl_crc32c((char[32]){0}, 32), 0x8a9136aa);
    assert_int_equal(gl_crc32c("123456789", 9), 0xe3069283);
}

static void test_append_and_open_again(void **state)
{
    struct bench *bench = *state;
    struct gl_chain_head head;

    open_spool(bench);
    gl_spool_head(&bench->spool, &head);
    assert_int_equal(head.seq, 0);
    for (int i = 0; i < 1000; i++)
        assert_true(append(&bench->spool, &bench->chain));
    assert_true(bench->spool.segment > 1); /* more than one segment */
    gl_spool_close(&bench->spool);
    check_sound(bench, 1000);
    open_spool(bench);
    gl_spool_head(&bench->spool, &head);
    assert_int_equal(head.seq, 1000);
    assert_true(gl_hash_equal(&head.hash, &bench->chain.head.hash));
    assert_int_equal(head.total_uj[GL_COMP_CPU] / 1000, 1000LL * RECORD_UJ / 1000);
    assert_string_equal(head.boot, "boot");
    assert_int_equal(head.boottime_ns, bench->chain.head.boottime_ns);
    assert_int_equal(walk(&bench->spool, 990).records, 10);
    assert_true(append(&bench->spool, &bench->chain));
    assert_int_equal(walk(&bench->spool, 0).records, 1001);
    gl_spool_close(&bench->spool);
}

static void test_one_process_at_a_time(void **state)
{
    struct bench *bench = *state;
    struct gl_error err = {0};
    struct gl_spool other;

    open_spool(bench);
    assert_int_equal(gl_spool_open(&other, bench->folder, NULL, &err), -1);
    assert_int_equal(err.code, GL_E_LOCKED);
    gl_spool_close(&other);
    gl_spool_close(&bench->spool);
}

static void test_key(void **state)
{
    struct bench *bench = *state;
    struct gl_error err = {0};
    char path[2 * TREE_PATH];
    uint8_t first[32], again[32];
    struct stat info;

    open_spool(bench);
    assert_int_equal(gl_spool_seed(&bench->spool, first, &err), 0);
    assert_int_equal(gl_spool_seed(&bench->spool, again, &err), 0);
    assert_memory_equal(first, again, 32);
    snprintf(path, sizeof path, "%s/key", bench->folder);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(truncate(path, 31), 0);
    assert_int_equal(gl_spool_seed(&bench->spool, again, &err), -1);
    gl_spool_close(&bench->spool);
}

/* Killed at every byte of three records and a mark: what is found again is whole, is the longest
 * possible prefix, and goes on. */
static void test_killed_at_every_byte(void **state)
{
    struct bench *bench = *state;
    bool has_finished = false;
    int64_t budget = 0;

    for (; !has_finished; budget++) {
        uint64_t stored = 0;

        fresh(bench);
        bench->disk = (struct disk){.budget = budget, .is_dead = true};
        open_spool(bench);
        for (int i = 0; i < 3; i++) {
            stored += append(&bench->spool, &bench->chain);
            if (i % 3 == 2)
                gl_spool_sending(&bench->spool, bench->chain.head.seq);
        }
        has_finished = !bench->disk.has_failed;
        gl_spool_close(&bench->spool);
        bench->disk = (struct disk){.budget = INT64_MAX};
        open_spool(bench);
        if (bench->spool.head.seq != stored)
            fail_msg("budget %lld: %llu of %llu records", (long long)budget,
                     (unsigned long long)bench->spool.head.seq, (unsigned long long)stored);
        begin(&bench->chain);
        gl_spool_head(&bench->spool, &bench->chain.head);
        assert_true(append(&bench->spool, &bench->chain));
        assert_int_equal(walk(&bench->spool, 0).records, stored + 1);
        gl_spool_close(&bench->spool);
    }
    assert_true(budget > 1000);
}

/* The file ends at any byte, as after a power failure. */
static void test_cut_at_every_byte(void **state)
{
    struct bench *bench = *state;
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    char path[2 * TREE_PATH];
    struct gl_error err = {0};
    size_t length;
    uint64_t most = 0;

    open_spool(bench);
    for (int i = 0; i < 4; i++)
        append(&bench->spool, &bench->chain);
    gl_spool_close(&bench->spool);
    snprintf(path, sizeof path, "%s/00000001.seg", bench->folder);
    assert_int_equal(gl_file_read(path, 65536, &bytes, &length, &err), 0);
    for (size_t cut = 0; cut <= length; cut++) {
        put_bytes(path, bytes, cut);
        open_spool(bench);
        assert_true(bench->spool.head.seq >= most); /* never less for more bytes */
        most = bench->spool.head.seq;
        gl_spool_close(&bench->spool);
        check_sound(bench, most);
    }
    assert_int_equal(most, 4);
}

/* One bit of one byte is wrong: found, and nothing after it is believed. */
static void test_every_byte_flipped(void **state)
{
    struct bench *bench = *state;
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    char path[2 * TREE_PATH];
    struct gl_error err = {0};
    size_t length;

    open_spool(bench);
    for (int i = 0; i < 3; i++)
        append(&bench->spool, &bench->chain);
    gl_spool_close(&bench->spool);
    snprintf(path, sizeof path, "%s/00000001.seg", bench->folder);
    assert_int_equal(gl_file_read(path, 65536, &bytes, &length, &err), 0);
    for (size_t at = 0; at < length; at++) {
        struct gl_spool_report report;

        bytes[at] = (char)(bytes[at] ^ 1 << (at % 8));
        put_bytes(path, bytes, length);
        assert_int_equal(gl_spool_check(bench->folder, &report, &err), 0);
        if (report.problem == NULL)
            fail_msg("a flip at %zu was not seen", at);
        assert_true(report.records < 3);
        bytes[at] = (char)(bytes[at] ^ 1 << (at % 8));
    }
}

static void test_disk_full_leaves_nothing_half(void **state)
{
    struct bench *bench = *state;

    for (int64_t budget = 0; budget < 1500; budget += 7) {
        uint64_t stored = 0;

        fresh(bench);
        bench->disk = (struct disk){.budget = budget};
        open_spool(bench);
        for (int i = 0; i < 3; i++)
            stored += append(&bench->spool, &bench->chain);
        bench->disk.budget = INT64_MAX; /* there is room again */
        for (int i = 0; i < 3 && budget % 2 == 0; i++)
            stored += append(&bench->spool, &bench->chain);
        assert_int_equal(walk(&bench->spool, 0).records, stored);
        gl_spool_close(&bench->spool);
        check_sound(bench, stored);
    }
}

static void test_a_record_of_another_chain(void **state)
{
    struct bench *bench = *state;
    struct gl_spool_report report;
    struct gl_error err = {0};

    open_spool(bench);
    append(&bench->spool, &bench->chain);
    append(&bench->spool, &bench->chain);
    bench->chain.head.hash.bytes[0] ^= 1; /* the right number, a sound checksum, a wrong past */
    append(&bench->spool, &bench->chain);
    gl_spool_close(&bench->spool);
    assert_int_equal(gl_spool_check(bench->folder, &report, &err), 0);
    assert_string_equal(report.problem, "the chain breaks");
    assert_int_equal(report.records, 2);
    open_spool(bench);
    assert_int_equal(bench->spool.head.seq, 2);
    gl_spool_close(&bench->spool);
}

static void test_handed_over_records(void **state)
{
    struct bench *bench = *state;

    open_spool(bench);
    for (int i = 0; i < 10; i++)
        append(&bench->spool, &bench->chain);
    assert_int_equal(walk(&bench->spool, bench->spool.sent_seq).last, 10);
    gl_spool_sending(&bench->spool, 10);
    gl_spool_sent(&bench->spool, 10);
    append(&bench->spool, &bench->chain);
    assert_int_equal(walk(&bench->spool, bench->spool.sent_seq).records, 1);
    gl_spool_close(&bench->spool);
    open_spool(bench);
    assert_int_equal(bench->spool.sent_seq, 10);
    assert_int_equal(bench->spool.sending_seq, 10);
    assert_int_equal(walk(&bench->spool, bench->spool.sent_seq).first, 11);
    gl_spool_close(&bench->spool);
}

static void test_record_parse(void **state)
{
    struct chain chain;
    char text[GL_RECORD_MAX];
    struct gl_reading reading, parsed;
    struct gl_error err = {0};
    struct gl_hash hash;
    size_t length;

    (void)state;
    begin(&chain);
    length = make_record(&chain, &reading, text, &hash);
    assert_int_equal(gl_record_parse(text, length, &parsed, &err), 0);
    assert_memory_equal(&parsed, &reading, sizeof parsed);
    for (size_t cut = 0; cut < length; cut++) {
        char *piece = gl_alloc(cut);

        memcpy(piece, text, cut);
        assert_int_equal(gl_record_parse(piece, cut, &parsed, &err), -1);
        free(piece);
    }
    reading.is_final = true;
    length = gl_reading_write(&reading, text);
    assert_int_equal(gl_record_parse(text, length, &parsed, &err), 0);
    assert_true(parsed.is_final);
    text[length] = ' ';
    assert_int_equal(gl_record_parse(text, length + 1, &parsed, &err), -1); /* not canonical */
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc),           CASE(test_append_and_open_again),
        CASE(test_one_process_at_a_time),     CASE(test_key),
        CASE(test_killed_at_every_byte),      CASE(test_cut_at_every_byte),
        CASE(test_every_byte_flipped),        CASE(test_disk_full_leaves_nothing_half),
        CASE(test_a_record_of_another_chain), CASE(test_handed_over_records),
        cmocka_unit_test(test_record_parse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
