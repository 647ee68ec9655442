/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/spool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/agent/spool_bench.h"

/* A spool that grows too large: what has arrived is dropped, what nobody has seen is merged. */

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
    first.components[0] = (struct gl_component){.kind = GL_COMP_CPU,
                                                .tier = GL_TIER_M1,
                                                .source = "perf",
                                                .delta_uj = 10,
                                                .low_uj = 5,
                                                .high_uj = 20,
                                                .total_mj = 1,
                                                .flags = GL_FLAG_WRAPPED};
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

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_merging_loses_no_energy),
        CASE(test_seen_records_are_never_told_anew),
        CASE(test_arrived_records_are_dropped),
        CASE(test_killed_while_merging),
        CASE(test_no_room_to_merge),
        cmocka_unit_test(test_merge_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
