/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/meter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>

#include "tests/unit/agent/tree.h"

/* The meter on a fixture tree and a clock of the test's own. */

#define MS    INT64_C(1000000)
#define TOKEN "\x01\x02"

struct bench {
    char root[TREE_PATH], console[2 * TREE_PATH], spool_folder[2 * TREE_PATH];
    struct gl_meter_setup setup;
    struct gl_meter meter;
    struct gl_sink sink;
    struct gl_moment now;
    uint64_t ticks, energy;
};

static void put_load(struct bench *bench)
{
    char text[200];

    /* 30 % busy, of a total that grows by 100 ticks each time */
    bench->ticks += 100;
    snprintf(text, sizeof text, "cpu  %llu 0 0 %llu 0 0 0 0 0 0\n",
             (unsigned long long)(bench->ticks * 3 / 10),
             (unsigned long long)(bench->ticks * 7 / 10));
    tree_put(bench->root, "/proc/stat", text);
    tree_put(bench->root, "/proc/meminfo",
             "MemTotal:       1024000 kB\nMemFree:          100 kB\n"
             "MemAvailable:     512000 kB\n");
}

static int set_up(void **state)
{
    static struct bench bench;

    memset(&bench, 0, sizeof bench);
    tree_make("test_meter", bench.root);
    snprintf(bench.console, sizeof bench.console, "%s/console", bench.root);
    snprintf(bench.spool_folder, sizeof bench.spool_folder, "%s/spool", bench.root);
    put_load(&bench);
    bench.now = (struct gl_moment){INT64_C(5000000000), INT64_C(1789000000000)};
    bench.sink.fd = -1;
    bench.setup = (struct gl_meter_setup){
        .place = {bench.root},
        .names = {"0123456789abcdef", "boot-1", "gl-test", "fedcba9876543210"},
        .machine = {"epyc3", 2000, 1000, 4000, 0, 0},
        .interval_ms = 1000,
        .seed = {7},
        .sources = gl_sources,
        .source_count = gl_source_count,
    };
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    if (bench->sink.fd >= 0)
        close(bench->sink.fd);
    tree_drop(bench->root);
    return 0;
}

static void open_console(struct bench *bench)
{
    struct gl_error err = {0};

    if (gl_sink_open(&bench->sink, bench->console, &err) < 0)
        fail_msg("%s", err.text);
}

static void begin(struct bench *bench)
{
    gl_meter_begin(&bench->meter, &bench->setup, &bench->sink, bench->now);
}

static void pass_ms(struct bench *bench, int64_t ms)
{
    bench->now.boottime_ns += ms * MS;
    bench->now.wall_ms += ms;
    put_load(bench);
}

static void step_ms(struct bench *bench, int64_t ms)
{
    pass_ms(bench, ms);
    gl_meter_step(&bench->meter, bench->now);
}

/* ---- reading the console, as a broker does ---- */

struct heard {
    struct gl_hash hash; /* of the last record */
    size_t batches, enrolments, count;
    struct gl_reading readings[400];
    int64_t sum_uj;
};

static void hear_batch(struct heard *heard, const char *line, const struct gl_public_key *key)
{
    struct gl_error err = {0};
    json_t *batch = gl_json_parse(line, strlen(line), "batch", &err), *records, *record;
    char text[GL_BATCH_PREFIX], sig_key[65];
    const char *sig, *head, *launch, *key_hex;
    struct gl_signature signature;
    struct gl_hash head_hash;
    size_t length, i;

    if (batch == NULL)
        fail_msg("%s", err.text);
    assert_int_equal(gl_json_string(batch, "sig", &sig, &err), 0);
    assert_int_equal(gl_json_string(batch, "head", &head, &err), 0);
    assert_int_equal(gl_json_string(batch, "launch", &launch, &err), 0);
    assert_int_equal(gl_json_string(batch, "key", &key_hex, &err), 0);
    assert_string_equal(key_hex, gl_hex_text(key->bytes, sizeof key->bytes, sig_key));
    assert_int_equal(gl_base64_parse(sig, signature.bytes, sizeof signature.bytes, &length, &err),
                     0);
    assert_int_equal(gl_json_array(batch, "records", &records, &err), 0);
    json_array_foreach(records, i, record)
    {
        char *canonical = gl_json_canonical(record, &err);
        struct gl_reading *reading = &heard->readings[heard->count];

        if (gl_reading_parse(canonical, strlen(canonical), reading, &err) < 0)
            fail_msg("%s", err.text);
        if (heard->count > 0) {
            assert_int_equal(reading->seq, reading[-1].seq + 1);
            assert_true(gl_hash_equal(&reading->previous, &heard->hash));
        }
        gl_hash_of(canonical, strlen(canonical), &heard->hash);
        for (size_t c = 0; c < reading->component_count; c++)
            heard->sum_uj += reading->components[c].delta_uj;
        heard->count++;
        free(canonical);
    }
    assert_int_equal(gl_hex_parse(head, head_hash.bytes, sizeof head_hash.bytes, &err), 0);
    assert_true(gl_hash_equal(&head_hash, &heard->hash));
    length = gl_batch_signed_text(&head_hash, key, launch,
                                  (uint64_t)json_integer_value(json_object_get(batch, "n0")),
                                  (uint64_t)json_integer_value(json_object_get(batch, "n1")), text);
    assert_true(gl_signature_holds(key, text, length, &signature));
    heard->batches++;
    json_decref(batch);
}

static void hear(struct bench *bench, struct heard *heard)
{
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_secret_key secret;
    struct gl_public_key key;
    struct gl_error err = {0};
    size_t length;
    char *at, *line;

    *heard = (struct heard){0};
    gl_key_of_seed((const uint8_t[32]){7}, &secret, &key);
    if (gl_file_read(bench->console, 1 << 24, &text, &length, &err) < 0)
        fail_msg("%s", err.text);
    at = text;
    while ((line = strsep(&at, "\n")) != NULL) {
        heard->enrolments += strncmp(line, "GLE1 ", 5) == 0;
        if (strncmp(line, "GLM1 ", 5) == 0)
            hear_batch(heard, line + 5, &key);
    }
}

static int64_t total_uj(const struct gl_meter *meter)
{
    int64_t sum = 0;

    for (size_t i = 0; i < GL_KINDS; i++)
        sum += meter->head.total_uj[i] + meter->gather.sum[i].delta_uj;
    return sum;
}

/* ---- tests ---- */

static void test_first_record_comes_at_once(void **state)
{
    struct bench *bench = *state;
    struct heard heard;

    open_console(bench);
    bench->setup.interval_ms = 40000;
    bench->setup.has_token = true;
    memcpy(bench->setup.token, TOKEN, 2);
    begin(bench);
    assert_int_equal(gl_meter_next_ns(&bench->meter) - bench->now.boottime_ns,
                     GL_FIRST_RECORD_MS * MS);
    step_ms(bench, GL_FIRST_RECORD_MS);
    hear(bench, &heard);
    assert_int_equal(heard.enrolments, 1);
    assert_int_equal(heard.count, 1);
    assert_int_equal(heard.readings[0].seq, 1);
    assert_int_equal(heard.readings[0].busy_ppm / 1000, 300);
    assert_int_equal(heard.readings[0].memory_mb, 500);
    assert_int_equal(heard.readings[0].component_count, 2); /* cpu, and memory beyond its own */
    assert_int_equal(heard.readings[0].components[0].tier, GL_TIER_S); /* a fixture tree */
    /* then one in forty seconds, told after a minute at most */
    assert_int_equal(gl_meter_next_ns(&bench->meter) - bench->now.boottime_ns, 40000 * MS);
    step_ms(bench, 40000);
    hear(bench, &heard);
    assert_int_equal(heard.batches, 1);
    step_ms(bench, 40000);
    hear(bench, &heard);
    assert_int_equal(heard.batches, 2);
    assert_int_equal(heard.count, 3);
    pass_ms(bench, 1500);
    assert_true(gl_meter_end(&bench->meter, bench->now, 0));
    hear(bench, &heard);
    assert_int_equal(heard.count, 4);
    assert_true(heard.readings[3].is_final);
    assert_false(heard.readings[2].is_final);
}

static void test_energy_is_power_times_time(void **state)
{
    struct bench *bench = *state;
    struct gl_machine machine = {.family = gl_power_family("epyc3"), .threads = 2, .memory_gb = 4};
    double expected = gl_power_machine(&machine, 0.3, 0).central * 60 * 1e6;

    begin(bench);
    for (int i = 0; i < 60; i++)
        step_ms(bench, 1000);
    assert_true((double)total_uj(&bench->meter) > expected * 0.9999);
    assert_true((double)total_uj(&bench->meter) < expected * 1.0001);
    gl_meter_end(&bench->meter, bench->now, 0);
}

static void put_package(struct bench *bench, uint64_t uj)
{
    bench->energy = (bench->energy + uj) % 65712999613ULL;
    tree_put(bench->root, "/sys/class/powercap/intel-rapl:0/name", "package-0\n");
    tree_number(bench->root, "/sys/class/powercap/intel-rapl:0/max_energy_range_uj",
                65712999613ULL);
    tree_number(bench->root, "/sys/class/powercap/intel-rapl:0/energy_uj", bench->energy);
}

static void test_a_short_counter_shortens_the_interval(void **state)
{
    struct bench *bench = *state;

    put_package(bench, 1000);
    bench->setup.interval_ms = 600000;
    begin(bench);
    step_ms(bench, GL_FIRST_RECORD_MS);
    /* range / (4 * 500 W) = 32.8 s, not ten minutes */
    assert_in_range((gl_meter_next_ns(&bench->meter) - bench->now.boottime_ns) / MS, 32000, 33000);
    for (int i = 0; i < 20; i++) {
        put_package(bench, 6400000000); /* 200 W for 32 s: wraps at the eleventh */
        step_ms(bench, 32000);
    }
    assert_int_equal(bench->meter.head.total_uj[GL_COMP_CPU] +
                         bench->meter.gather.sum[GL_COMP_CPU].delta_uj,
                     20LL * 6400000000);
    assert_true(bench->meter.head.seq < 4);
    gl_meter_end(&bench->meter, bench->now, 0);
}

static void test_kinds_that_fall_silent_stay(void **state)
{
    struct bench *bench = *state;
    struct gl_reading reading;

    put_package(bench, 1000);
    tree_put(bench->root, "/sys/class/powercap/intel-rapl:1/name", "psys\n");
    tree_number(bench->root, "/sys/class/powercap/intel-rapl:1/max_energy_range_uj", 65712999613);
    tree_number(bench->root, "/sys/class/powercap/intel-rapl:1/energy_uj", 1000);
    begin(bench);
    put_package(bench, 10000000);
    tree_number(bench->root, "/sys/class/powercap/intel-rapl:1/energy_uj", 50001000);
    step_ms(bench, 1000);
    assert_int_equal(bench->meter.head.total_uj[GL_COMP_NODE], 50000000);
    assert_int_equal(bench->meter.head.total_uj[GL_COMP_CPU], 0);
    /* psys vanishes: its parts count from now on, and its total stays in every record */
    tree_remove(bench->root, "/sys/class/powercap/intel-rapl:1/energy_uj");
    tree_put(bench->root, "/sys/class/powercap/intel-rapl:1/energy_uj", "");
    put_package(bench, 10000000);
    pass_ms(bench, 1000);
    gl_meter_peek(&bench->meter, bench->now, &reading);
    assert_int_equal(reading.component_count, 4); /* cpu, dram, node, other */
    assert_int_equal(reading.components[0].kind, GL_COMP_CPU);
    assert_int_equal(reading.components[0].delta_uj, 10000000);
    assert_int_equal(reading.components[2].kind, GL_COMP_NODE);
    assert_int_equal(reading.components[2].total_mj, 50000);
    gl_meter_end(&bench->meter, bench->now, 0);
}

static void test_a_blocked_console_costs_no_energy(void **state)
{
    struct bench *bench = *state;
    struct gl_reading last;
    int ends[2];
    int64_t told = 0;
    char drain[65536];

    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    while (write(ends[1], "x", 1) == 1) /* full from the start */
        ;
    gl_sink_of_fd(&bench->sink, ends[1]);
    bench->sink.fd = ends[1];
    bench->setup.interval_ms = 1000;
    begin(bench);
    for (int i = 0; i < 300; i++)
        step_ms(bench, 1000);
    assert_true(bench->meter.head.seq <= 64);
    assert_true(bench->meter.has_stalled);
    while (read(ends[0], drain, sizeof drain) > 0)
        ;
    /* it takes lines again: what waited is told, and the rest comes as one merged record */
    for (int i = 0; i < 8; i++) {
        step_ms(bench, 1000);
        while (read(ends[0], drain, sizeof drain) > 0)
            told++;
    }
    assert_true(told > 0);
    assert_false(bench->meter.has_stalled);
    pass_ms(bench, 1000);
    gl_meter_peek(&bench->meter, bench->now, &last);
    {
        struct gl_machine machine = {
            .family = gl_power_family("epyc3"), .threads = 2, .memory_gb = 4};
        double expected = gl_power_machine(&machine, 0.3, 0).central * 309 * 1e6;

        assert_true((double)total_uj(&bench->meter) > expected * 0.9999);
        assert_true((double)total_uj(&bench->meter) < expected * 1.0001);
    }
    gl_meter_end(&bench->meter, bench->now, 0);
    close(ends[0]);
}

static void test_a_killed_meter_goes_on_where_it_was_heard(void **state)
{
    struct bench *bench = *state;
    struct gl_meter_progress progress = {0};
    struct heard heard;

    open_console(bench);
    bench->setup.progress = &progress;
    bench->setup.interval_ms = 30000;
    begin(bench);
    step_ms(bench, GL_FIRST_RECORD_MS); /* told at once */
    step_ms(bench, 30000);              /* waits for its batch */
    assert_int_equal(progress.slots[progress.turn % 2].seq, 1);
    /* killed: no end. Another process starts from the shared progress five seconds later. */
    gl_meter_abandon(&bench->meter);
    pass_ms(bench, 5000);
    begin(bench);
    step_ms(bench, GL_FIRST_RECORD_MS);
    gl_meter_end(&bench->meter, bench->now, 0);
    hear(bench, &heard);
    assert_int_equal(heard.readings[1].seq, 2);
    assert_int_equal(heard.readings[1].gap_ms, 35000); /* the one that was never heard, and five */
    assert_true(heard.readings[heard.count - 1].is_final);
}

/* ---- with a spool ---- */

struct disk {
    int64_t budget;
};

static ssize_t disk_write(void *cookie, int fd, const void *bytes, size_t length, off_t offset)
{
    struct disk *disk = cookie;

    if (disk->budget < (int64_t)length) {
        ssize_t some = disk->budget > 0 ? pwrite(fd, bytes, (size_t)disk->budget, offset) : -1;

        disk->budget = 0;
        errno = ENOSPC;
        return some;
    }
    disk->budget -= (int64_t)length;
    return pwrite(fd, bytes, length, offset);
}

static int disk_sync(void *cookie, int fd)
{
    (void)cookie;
    (void)fd;
    return 0;
}

static void open_spool(struct bench *bench, struct gl_spool *spool, struct disk *disk)
{
    const struct gl_spool_io io = {disk, disk_write, disk_sync};
    struct gl_error err = {0};

    if (gl_spool_open(spool, bench->spool_folder, &io, &err) < 0)
        fail_msg("%s", err.text);
    bench->setup.spool = spool;
}

/* The disk is full from any byte on, for five seconds; then there is room. Nothing is lost. */
static void test_a_full_disk_costs_no_energy(void **state)
{
    struct bench *bench = *state;
    int64_t expected = 0;

    for (int64_t budget = 4000; budget >= 0; budget -= 37) {
        struct disk disk = {budget};
        struct gl_spool spool;
        struct gl_error err = {0};
        struct gl_chain_head head;
        int64_t sum = 0;

        bench->ticks = 0;
        put_load(bench);
        open_spool(bench, &spool, &disk);
        begin(bench);
        for (int i = 0; i < 10; i++) {
            if (i == 7)
                disk.budget = INT64_MAX;
            step_ms(bench, 1000);
        }
        assert_true(gl_meter_end(&bench->meter, bench->now, 0));
        gl_spool_close(&spool);
        open_spool(bench, &spool, &disk);
        gl_spool_head(&spool, &head);
        for (size_t i = 0; i < GL_KINDS; i++)
            sum += head.total_uj[i];
        if (expected == 0)
            expected = sum;
        if (sum != expected)
            fail_msg("budget %lld: %lld uJ of %lld", (long long)budget, (long long)sum,
                     (long long)expected);
        gl_spool_close(&spool);
        assert_int_equal(gl_dir_remove(bench->spool_folder, &err), 0);
    }
}

static bool add_up(void *cookie, const struct gl_reading *reading, const char *text, size_t length,
                   const struct gl_hash *hash)
{
    int64_t *gap_ms = cookie;

    (void)text;
    (void)length;
    (void)hash;
    *gap_ms += reading->gap_ms;
    return true;
}

/* A suspended machine goes on: the boot clock as if nothing had been, the wall clock set ahead. Not
 * a joule of that time is counted, and the record that spans it says so; the next does not. */
static void test_standing_still_is_marked(void **state)
{
    struct bench *bench = *state;
    struct heard heard;

    open_console(bench);
    begin(bench);
    step_ms(bench, GL_FIRST_RECORD_MS);
    step_ms(bench, bench->setup.interval_ms);
    bench->now.wall_ms += 7200000;
    step_ms(bench, bench->setup.interval_ms);
    step_ms(bench, bench->setup.interval_ms);
    gl_meter_end(&bench->meter, bench->now, 0);
    hear(bench, &heard);
    assert_true(heard.count >= 4);
    assert_int_equal(heard.readings[1].components[0].flags & GL_FLAG_JUMPED, 0);
    assert_int_equal(heard.readings[2].components[0].flags & GL_FLAG_JUMPED, GL_FLAG_JUMPED);
    assert_int_equal(heard.readings[3].components[0].flags & GL_FLAG_JUMPED, 0);
    assert_int_equal(heard.readings[2].gap_ms, 0);
    assert_true(heard.readings[2].components[0].delta_uj <
                2 * heard.readings[1].components[0].delta_uj);
    assert_true(heard.readings[2].wall_ms - heard.readings[1].wall_ms >= 7200000);
}

static void test_a_spool_is_told_again_after_a_kill(void **state)
{
    struct bench *bench = *state;
    struct disk disk = {INT64_MAX};
    struct gl_spool spool;
    struct heard heard;
    int64_t gap_ms = 0;

    open_console(bench);
    open_spool(bench, &spool, &disk);
    bench->setup.interval_ms = 30000;
    begin(bench);
    step_ms(bench, GL_FIRST_RECORD_MS);
    step_ms(bench, 30000);
    hear(bench, &heard);
    assert_int_equal(heard.count, 1); /* one more is only in the spool */
    gl_meter_abandon(&bench->meter);
    gl_spool_close(&spool);
    snprintf(bench->setup.names.boot, sizeof bench->setup.names.boot, "boot-2");
    bench->now.boottime_ns = 1000 * MS; /* the machine was started again, an hour later */
    bench->now.wall_ms += 3600000;
    open_spool(bench, &spool, &disk);
    begin(bench);
    step_ms(bench, GL_FIRST_RECORD_MS);
    hear(bench, &heard);
    assert_int_equal(heard.count, 3);
    assert_string_equal(heard.readings[2].boot, "boot-2");
    assert_int_equal(heard.readings[2].gap_ms, 3600000);
    assert_int_equal(heard.readings[2].components[0].flags, GL_FLAG_REBOOT);
    assert_true(heard.readings[2].components[0].total_mj >
                heard.readings[1].components[0].total_mj);
    gl_meter_end(&bench->meter, bench->now, 0);
    spool.sent_seq = spool.unsent_offset = 0;
    spool.unsent_segment = spool.first_segment;
    gl_spool_each(&spool, 0, add_up, &gap_ms);
    assert_int_equal(gap_ms, 3600000);
    gl_spool_close(&spool);
    hear(bench, &heard);
    assert_int_equal(heard.count, 4);
}

static void test_more_than_a_batch_waits(void **state)
{
    struct bench *bench = *state;
    struct disk disk = {INT64_MAX};
    struct gl_spool spool;
    struct heard heard;

    open_spool(bench, &spool, &disk);
    begin(bench); /* no console: the spool alone */
    for (int i = 0; i < 200; i++)
        step_ms(bench, 1000);
    gl_meter_end(&bench->meter, bench->now, 0);
    assert_int_equal(spool.sent_seq, 0);
    open_console(bench);
    begin(bench);
    step_ms(bench, 1000);
    gl_meter_end(&bench->meter, bench->now, 0);
    gl_spool_close(&spool);
    hear(bench, &heard);
    assert_int_equal(heard.count, 203);
    assert_true(heard.batches >= 4); /* 64 at most in one */
}

static void test_enrolment(void **state)
{
    struct gl_secret_key secret;
    struct gl_public_key key;
    struct gl_hash proof, expected;
    char line[GL_ENROLMENT_MAX], text[256], hex[65], proof_hex[GL_HASH_HEX];
    uint8_t token[32] = {9};

    (void)state;
    gl_key_of_seed((const uint8_t[32]){1}, &secret, &key);
    snprintf(text, sizeof text, "gl-x|%s", gl_hex_text(key.bytes, sizeof key.bytes, hex));
    gl_hmac_sha256(token, sizeof token, text, strlen(text), &expected);
    gl_enrolment_proof(token, "gl-x", &key, &proof);
    assert_true(gl_hash_equal(&proof, &expected));
    gl_enrolment_line("b", "gl-x", token, &key, line);
    snprintf(text, sizeof text,
             "GLE1 {\"boot\":\"b\",\"key\":\"%s\",\"launch\":\"gl-x\","
             "\"proof\":\"%s\",\"v\":1}\n",
             hex, gl_hash_hex(&proof, proof_hex));
    assert_string_equal(line, text);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_first_record_comes_at_once),
        CASE(test_energy_is_power_times_time),
        CASE(test_a_short_counter_shortens_the_interval),
        CASE(test_kinds_that_fall_silent_stay),
        CASE(test_a_blocked_console_costs_no_energy),
        CASE(test_a_killed_meter_goes_on_where_it_was_heard),
        CASE(test_a_full_disk_costs_no_energy),
        CASE(test_standing_still_is_marked),
        CASE(test_a_spool_is_told_again_after_a_kill),
        CASE(test_more_than_a_batch_waits),
        cmocka_unit_test(test_enrolment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
