/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_UNIT_AGENT_SPOOL_BENCH_H
#define GL_TESTS_UNIT_AGENT_SPOOL_BENCH_H

/* A spool in a folder of its own, on a disk that can break, and a chain to store in it. Include
 * after cmocka. */

#include "agent/record.h"
#include "agent/segment.h"

#include <errno.h>
#include <fcntl.h>

#include "tests/unit/agent/tree.h"

#define RECORD_UJ 1234567

/* ---- a chain to store ---- */

struct chain {
    struct gl_chain_head head;
    struct gl_chain_names names;
};

static inline void begin(struct chain *chain)
{
    *chain = (struct chain){.names = {"0123456789abcdef", "boot", "gl-test", "fedcba9876543210"}};
}

/* The record after the head, as bytes. */
static inline size_t make_record(const struct chain *chain, struct gl_reading *out_reading,
                                 char text[GL_RECORD_MAX], struct gl_hash *out_hash)
{
    struct gl_gather gather = {.dt_ns = 1000000000, .busy_ns = 5e8};
    struct gl_moment now = {chain->head.boottime_ns + 1000000000, chain->head.wall_ms + 1000};
    size_t length;

    gather.has_kind[GL_COMP_CPU] = true;
    gather.sum[GL_COMP_CPU] =
        gl_yield_of(RECORD_UJ, (struct gl_accuracy){0.5, 2}, GL_TIER_E1, "model");
    gl_chain_next(&chain->head, &gather, &chain->names, now, out_reading);
    length = gl_reading_write(out_reading, text);
    gl_hash_of(text, length, out_hash);
    return length;
}

static inline bool append(struct gl_spool *spool, struct chain *chain)
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
    int64_t budget; /* bytes that can still be written */
    bool is_dead;   /* after the first failure nothing works: the process was killed */
    bool has_failed;
};

static inline ssize_t disk_write(void *cookie, int fd, const void *bytes, size_t length,
                                 off_t offset)
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

static inline int disk_sync(void *cookie, int fd)
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

static inline int set_up(void **state)
{
    static struct bench bench;

    memset(&bench, 0, sizeof bench);
    tree_make("test_spool", bench.folder);
    begin(&bench.chain);
    bench.disk.budget = INT64_MAX;
    *state = &bench;
    return 0;
}

static inline int tear_down(void **state)
{
    struct bench *bench = *state;

    tree_drop(bench->folder);
    return 0;
}

static inline void open_spool(struct bench *bench)
{
    const struct gl_spool_io io = {&bench->disk, disk_write, disk_sync};
    struct gl_error err = {0};

    if (gl_spool_open(&bench->spool, bench->folder, &io, &err) < 0)
        fail_msg("%s", err.text);
}

static inline void fresh(struct bench *bench)
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

static inline bool count_record(void *cookie, const struct gl_reading *reading, const char *text,
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

static inline struct tally walk(struct gl_spool *spool, uint64_t after)
{
    struct tally tally = {.is_linked = true};

    gl_spool_each(spool, after, count_record, &tally);
    assert_true(tally.is_linked);
    return tally;
}

static inline void check_sound(const struct bench *bench, uint64_t records)
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

#endif
