/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/spool.h"

#include "agent/record.h"
#include "agent/segment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>

#include "tests/unit/agent/tree.h"

#define RECORD_UJ 1234567

/* ---- a chain to store ---- */

struct chain {
    struct gl_chain_head head;
    struct gl_chain_names names;
};

static void begin(struct chain *chain)
{
    *chain = (struct chain){.names = {"0123456789abcdef", "boot", "gl-test", "fedcba9876543210"}};
}

/* The record after the head, as bytes. */
static size_t make_record(const struct chain *chain, struct gl_reading *out_reading,
                          char text[GL_RECORD_MAX], struct gl_hash *out_hash)
{
    struct gl_gather gather = {.dt_ns = 1000000000, .busy_ns = 5e8};
    struct gl_moment now = {chain->head.boottime_ns + 1000000000, chain->head.wall_ms + 1000};
    size_t length;

    gather.has_kind[GL_COMP_CPU] = true;
    gather.sum[GL_COMP_CPU] = gl_yield_of(RECORD_UJ, (struct gl_accuracy){0.5, 2}, GL_TIER_E1,
                                          "model");
    gl_chain_next(&chain->head, &gather, &chain->names, now, out_reading);
    length = gl_reading_write(out_reading, text);
    gl_hash_of(text, length, out_hash);
    return length;
}

static bool append(struct gl_spool *spool, struct chain *chain)
{
    char text[GL_RECORD_MAX];
    struct gl_reading reading;
    struct gl_hash hash;
    size_t length = make_record(chain, &reading, text, &hash);

    if (!gl_spool_append(spool, &reading, text, length, &hash))
        return false;
    gl_chain_advance(&chain->head, &reading, &hash);
    return true;
}

/* ---- a disk that breaks ---- */

struct disk {
    int64_t budget;     /* bytes that can still be written */
    bool is_dead;       /* after the first failure nothing works: the process was killed */
    bool has_failed;
};

static ssize_t disk_write(void *cookie, int fd, const void *bytes, size_t length, off_t offset)
{
    struct disk *disk = cookie;
    size_t some = disk->budget > 0 && (size_t)disk->budget < length ? (size_t)disk->budget : length;

    if (disk->budget <= 0 || (disk->is_dead && disk->has_failed)) {
        disk->has_failed = true;
        errno = ENOSPC;
        return -1;
    }
    disk->budget -= (int64_t)some;
    return pwrite(fd, bytes, some, offset);
}

static int disk_sync(void *cookie, int fd)
{
    const struct disk *disk = cookie;

    (void)fd;
    return disk->is_dead && disk->has_failed ? -1 : 0;
}

/* ---- the bench ---- */

struct bench {
    char folder[TREE_PATH];
    struct chain chain;
    struct gl_spool spool;
    struct disk disk;
};

static int set_up(void **state)
{
    static struct bench bench;

    memset(&bench, 0, sizeof bench);
    tree_make("test_spool", bench.folder);
    begin(&bench.chain);
    bench.disk.budget = INT64_MAX;
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    tree_drop(bench->folder);
    return 0;
}

static void open_spool(struct bench *bench)
{
    const struct gl_spool_io io = {&bench->disk, disk_write, disk_sync};
    struct gl_error err = {0};

    if (gl_spool_open(&bench->spool, bench->folder, &io, &err) < 0)
        fail_msg("%s", err.text);
}

static void fresh(struct bench *bench)
{
    struct gl_error err = {0};

    if (gl_dir_remove(bench->folder, &err) < 0)
        fail_msg("%s", err.text);
    begin(&bench->chain);
}

/* Everything that a walk finds. */
struct tally {
    uint64_t records, first, last;
    int64_t sum_uj, total_mj;
    struct gl_hash hash;
    bool is_linked;
};

static bool count_record(void *cookie, const struct gl_reading *reading, const char *text,
                         size_t length, const struct gl_hash *hash)
{
    struct tally *tally = cookie;
    struct gl_reading parsed;
    struct gl_error err = {0};

    /* the broker's parser takes what the spool hands out */
    if (gl_reading_parse(text, length, &parsed, &err) < 0)
        fail_msg("%s", err.text);
    if (tally->records > 0)
        tally->is_linked = tally->is_linked && reading->seq == tally->last + 1 &&
                           gl_hash_equal(&reading->previous, &tally->hash);
    else
        tally->first = reading->seq;
    tally->records++;
    tally->last = reading->seq;
    tally->hash = *hash;
    tally->sum_uj += reading->components[0].delta_uj;
    tally->total_mj = reading->components[0].total_mj;
    return true;
}

static struct tally walk(struct gl_spool *spool, uint64_t after)
{
    struct tally tally = {.is_linked = true};

    gl_spool_each(spool, after, count_record, &tally);
    assert_true(tally.is_linked);
    return tally;
}

static void check_sound(const struct bench *bench, uint64_t records)
{
    struct gl_spool_report report;
    struct gl_error err = {0};

    if (gl_spool_check(bench->folder, &report, &err) < 0)
        fail_msg("%s", err.text);
    if (report.problem != NULL)
        fail_msg("%s", report.problem);
    if (records != UINT64_MAX)
        assert_int_equal(report.records, records);
}

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

        bytes[at] ^= 1 << (at % 8);
        put_bytes(path, bytes, length);
        assert_int_equal(gl_spool_check(bench->folder, &report, &err), 0);
        if (report.problem == NULL)
            fail_msg("a flip at %zu was not seen", at);
        assert_true(report.records < 3);
        bytes[at] ^= 1 << (at % 8);
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
        for (int i = 0; i < 3; i++)
            stored += append(&bench->spool, &bench->chain);
        assert_int_equal(walk(&bench->spool, 0).records, stored);
        gl_spool_close(&bench->spool);
        check_sound(bench, stored);
    }
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

static void small(struct bench *bench)
{
    bench->spool.live_most = 40000;
    bench->spool.bytes_most = 80000;
}

static void test_merging_loses_no_energy(void **state)
{
    struct bench *bench = *state;
    struct tally tally;

    open_spool(bench);
    small(bench);
    for (int i = 0; i < 2000; i++) {
        gl_spool_make_room(&bench->spool, &bench->chain.head);
        if (!append(&bench->spool, &bench->chain))
            fail_msg("no room for record %d", i);
        assert_true(bench->spool.total <= bench->spool.bytes_most);
    }
    tally = walk(&bench->spool, 0);
    assert_true(tally.records < 200);
    assert_int_equal(tally.first, 1);
    assert_int_equal(tally.sum_uj, 2000LL * RECORD_UJ);
    assert_int_equal(tally.total_mj, 2000LL * RECORD_UJ / 1000);
    gl_spool_close(&bench->spool);
    check_sound(bench, tally.records);
    open_spool(bench);
    assert_int_equal(bench->spool.head.seq, tally.last);
    assert_true(gl_hash_equal(&bench->spool.head.hash, &bench->chain.head.hash));
    gl_spool_close(&bench->spool);
}

static void test_seen_records_are_never_told_anew(void **state)
{
    struct bench *bench = *state;
    struct tally before, after;

    open_spool(bench);
    for (int i = 0; i < 20; i++)
        append(&bench->spool, &bench->chain);
    gl_spool_sending(&bench->spool, 20); /* may have been seen, did not surely arrive */
    before = walk(&bench->spool, 0);
    small(bench);
    for (int i = 0; i < 300; i++) {
        gl_spool_make_room(&bench->spool, &bench->chain.head);
        assert_true(append(&bench->spool, &bench->chain));
    }
    after = walk(&bench->spool, 0);
    assert_int_equal(after.sum_uj, 320LL * RECORD_UJ);
    assert_int_equal(after.first, 1);
    /* the first twenty are still byte for byte what they were */
    bench->spool.head.seq = 20;
    {
        struct tally first = {.is_linked = true};
        struct gl_chunk_reader reader;
        struct gl_reading reading;
        struct gl_error err = {0};

        gl_chunk_reader_begin(&reader, bench->spool.folder_fd, bench->spool.first_segment,
                              bench->spool.segment);
        while (first.records < 20 && gl_chunk_reader_next(&reader))
            if (reader.type == GL_CHUNK_RECORD) {
                assert_int_equal(gl_record_parse(reader.bytes, reader.length, &reading, &err), 0);
                gl_hash_of(reader.bytes, reader.length, &first.hash);
                first.records++;
            }
        gl_chunk_reader_end(&reader);
        assert_true(gl_hash_equal(&first.hash, &before.hash));
    }
    gl_spool_close(&bench->spool);
}

static void test_arrived_records_are_dropped(void **state)
{
    struct bench *bench = *state;
    struct gl_chain_head head;

    open_spool(bench);
    small(bench);
    for (int i = 0; i < 500; i++) {
        gl_spool_make_room(&bench->spool, &bench->chain.head);
        assert_true(append(&bench->spool, &bench->chain));
        gl_spool_sending(&bench->spool, bench->chain.head.seq);
        walk(&bench->spool, bench->spool.sent_seq);
        gl_spool_sent(&bench->spool, bench->chain.head.seq);
    }
    assert_int_equal(bench->chain.head.seq, 500); /* nothing was merged */
    assert_true(bench->spool.total <= 41000);
    gl_spool_close(&bench->spool);
    open_spool(bench);
    gl_spool_head(&bench->spool, &head); /* the chain still goes on from its last record */
    assert_int_equal(head.seq, 500);
    assert_true(gl_hash_equal(&head.hash, &bench->chain.head.hash));
    assert_int_equal(bench->spool.sent_seq, 500);
    gl_spool_close(&bench->spool);
}

/* Killed at any byte while it merges: the old chain or the new one, whole, with all the energy. */
static void test_killed_while_merging(void **state)
{
    struct bench *bench = *state;
    bool has_finished = false;

    for (int64_t budget = 0; !has_finished; budget += 97) {
        struct tally tally;

        fresh(bench);
        bench->disk = (struct disk){.budget = INT64_MAX};
        open_spool(bench);
        for (int i = 0; i < 30; i++)
            append(&bench->spool, &bench->chain);
        bench->disk = (struct disk){.budget = budget, .is_dead = true};
        has_finished = gl_spool_compact(&bench->spool);
        gl_spool_close(&bench->spool);
        bench->disk = (struct disk){.budget = INT64_MAX};
        open_spool(bench);
        tally = walk(&bench->spool, 0);
        assert_int_equal(tally.sum_uj, 30LL * RECORD_UJ);
        assert_int_equal(tally.records, has_finished ? tally.last : 30);
        assert_true(has_finished ? tally.records < 30 : true);
        gl_spool_close(&bench->spool);
        check_sound(bench, tally.records);
    }
}

static void test_no_room_to_merge(void **state)
{
    struct bench *bench = *state;
    uint64_t stored = 0;

    open_spool(bench);
    small(bench);
    for (int i = 0; i < 60; i++)
        stored += append(&bench->spool, &bench->chain);
    bench->disk.budget = 3000; /* the disk is full but for a little */
    for (int i = 0; i < 60; i++) {
        gl_spool_make_room(&bench->spool, &bench->chain.head);
        stored += append(&bench->spool, &bench->chain);
    }
    assert_int_equal(walk(&bench->spool, 0).sum_uj, (int64_t)stored * RECORD_UJ);
    gl_spool_close(&bench->spool);
}

static void test_merge_rules(void **state)
{
    struct gl_reading first = {.boot = "a", .launch = "x", .seq = 4, .boottime_ns = 1000};
    struct gl_reading second, out = {.seq = 99};

    (void)state;
    first.gap_ms = 5;
    first.busy_ppm = 100000;
    first.component_count = 1;
    first.components[0] = (struct gl_component){
        .kind = GL_COMP_CPU, .tier = GL_TIER_M1, .source = "perf", .delta_uj = 10, .low_uj = 5,
        .high_uj = 20, .total_mj = 1, .flags = GL_FLAG_WRAPPED};
    second = first;
    second.seq = 5;
    second.boottime_ns = 4000;
    second.gap_ms = 0;
    second.busy_ppm = 500000;
    second.component_count = 2;
    second.components[0].tier = GL_TIER_E1;
    snprintf(second.components[0].source, sizeof second.components[0].source, "model");
    second.components[0].total_mj = 2;
    second.components[0].flags = 0;
    second.components[1] = second.components[0];
    second.components[1].kind = GL_COMP_GPU;
    assert_true(gl_record_merge(&first, &second, 0, &out));
    assert_int_equal(out.seq, 4);
    assert_int_equal(out.gap_ms, 5);
    assert_int_equal(out.boottime_ns, 4000);
    assert_int_equal(out.busy_ppm, 300000);
    assert_int_equal(out.component_count, 2);
    assert_int_equal(out.components[0].delta_uj, 20);
    assert_int_equal(out.components[0].total_mj, 2);
    assert_int_equal(out.components[0].tier, GL_TIER_E1); /* the less certain one */
    assert_string_equal(out.components[0].source, "model");
    assert_int_equal(out.components[0].flags, GL_FLAG_WRAPPED | GL_FLAG_MERGED);
    out.seq = 99;
    second.boot[0] = 'b';
    assert_false(gl_record_merge(&first, &second, 0, &out));
    second.boot[0] = 'a';
    first.is_final = true;
    assert_false(gl_record_merge(&first, &second, 0, &out));
    assert_int_equal(out.seq, 99);
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
        cmocka_unit_test(test_crc),
        CASE(test_append_and_open_again),
        CASE(test_one_process_at_a_time),
        CASE(test_key),
        CASE(test_killed_at_every_byte),
        CASE(test_cut_at_every_byte),
        CASE(test_every_byte_flipped),
        CASE(test_disk_full_leaves_nothing_half),
        CASE(test_handed_over_records),
        CASE(test_merging_loses_no_energy),
        CASE(test_seen_records_are_never_told_anew),
        CASE(test_arrived_records_are_dropped),
        CASE(test_killed_while_merging),
        CASE(test_no_room_to_merge),
        cmocka_unit_test(test_merge_rules),
        cmocka_unit_test(test_record_parse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
