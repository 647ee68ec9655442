/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/gauge.h"
#include "agent/source.h"
#include "base/file.h"
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* NVIDIA and AMD boards through the helper program, which may hang in the driver: it answers within
 * two seconds or is killed and started again a minute later. Energy counters first; boards without
 * one have their power integrated once a second. NVML's power reading covers only about a quarter
 * of the run time on recent boards (arXiv 2312.02741), so that it is a witness for the counter and,
 * alone, has wide bounds. AMD's counter stands still on some boards and in some drivers: one that
 * does is not believed, as no board uses nothing. */

#define ANSWER_MS     2000
#define PAUSE_NS      INT64_C(60000000000)
#define RESTARTS_MAX  5
#define BOARDS_MAX    64
#define ANSWER_BYTES  8192
#define MOST_W        2000.0
#define WITNESS_NS    INT64_C(60000000000)
#define WITNESS_APART 0.1
#define STILL_NS      INT64_C(2000000000) /* counters move about every 100 ms */

static const struct gl_accuracy counter_accuracy = {0.95, 1.05};
/* The study's error of naive power integration, up to 65 %, about 35 % on average. */
static const struct gl_accuracy power_accuracy = {0.65, 1.35};

struct answer {
    bool has_energy, has_power, has_limit, is_amd;
    uint64_t energy_mj, power_mw, limit_mw;
};

struct board {
    bool has_before;
    uint64_t before_mj;
    struct gl_gauge gauge;
    double counter_uj, power_uj;  /* since the last comparison */
    int64_t watched_ns, still_ns; /* since it last moved */
    bool is_contradicted;         /* counter and power integral differed over a minute */
};

struct nvml {
    char helper[PATH_MAX];
    bool is_simulated;
    struct gl_process process; /* pid 0 = not running */
    int in_fd, out_fd;
    unsigned restarts;
    int64_t pause_ns;     /* before the next start */
    bool *amd_is_counted; /* by us, from the next look on; NULL = never */
    size_t count;
    struct board boards[BOARDS_MAX];
};

/* ---- the helper ---- */

static void stop_helper(struct nvml *nvml)
{
    int ignored;

    if (nvml->process.pid <= 0)
        return;
    gl_process_kill(&nvml->process, SIGKILL);
    gl_process_wait(&nvml->process, 100, &ignored); /* may hang in the driver: then it stays */
    close(nvml->in_fd);
    close(nvml->out_fd);
    nvml->process.pid = 0;
    nvml->pause_ns = PAUSE_NS;
}

static int start_helper(struct nvml *nvml, struct gl_error *err)
{
    const char *const argv[] = {nvml->helper, NULL};
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    int status = -1;

    if (pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0) {
        struct gl_spawn spawn = {
            .argv = argv,
            .stdin_fd = in[0],
            .stdout_fd = out[1],
            .stderr_fd = -1,
            .dies_with_parent = true,
            .uid = -1,
            .gid = -1,
        };

        status = gl_process_start(&spawn, &nvml->process, err);
    } else {
        gl_fail_sys(err, GL_E_IO, errno, "cannot make a pipe");
    }
    gl_auto_close(&in[0]);
    gl_auto_close(&out[1]);
    nvml->in_fd = in[1];
    nvml->out_fd = out[0];
    if (status < 0) {
        gl_auto_close(&nvml->in_fd);
        gl_auto_close(&nvml->out_fd);
        nvml->process.pid = 0;
        return -1;
    }
    fcntl(nvml->out_fd, F_SETFL, O_NONBLOCK);
    return 0;
}

static int64_t monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);

    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* Ask, and read up to "end"; false when it hangs, dies or says too much. */
static bool ask(const struct nvml *nvml, char answer[ANSWER_BYTES])
{
    int64_t end_ms = monotonic_ms() + ANSWER_MS;
    size_t used = 0;

    answer[0] = '\0';
    if (write(nvml->in_fd, "\n", 1) != 1)
        return false;
    while (!ends_with(answer, "end\n")) {
        struct pollfd readable = {.fd = nvml->out_fd, .events = POLLIN};
        int64_t left = end_ms - monotonic_ms();
        ssize_t got;

        if (left <= 0 || used + 1 >= ANSWER_BYTES || poll(&readable, 1, (int)left) <= 0)
            return false;
        got = read(nvml->out_fd, answer + used, ANSWER_BYTES - 1 - used);
        if (got <= 0)
            return false;
        used += (size_t)got;
        answer[used] = '\0';
    }
    return true;
}

static bool take_field(char **at, uint64_t *out)
{
    const char *word = strsep(at, " ");
    char *end;

    if (word == NULL || word[0] < '0' || word[0] > '9')
        return false;
    *out = strtoull(word, &end, 10);
    return *end == '\0';
}

/* Lines in order of index; returns the number of boards, 0 for "unsupported" or nonsense. */
static size_t parse(char *text, struct answer out[BOARDS_MAX])
{
    size_t count = 0;
    char *line;

    while ((line = strsep(&text, "\n")) != NULL && strcmp(line, "end") != 0) {
        struct answer answer = {0};
        uint64_t index;

        if (!take_field(&line, &index) || index != count || count >= BOARDS_MAX)
            return 0;
        answer.has_energy = take_field(&line, &answer.energy_mj);
        answer.has_power = take_field(&line, &answer.power_mw);
        answer.has_limit = take_field(&line, &answer.limit_mw);
        answer.is_amd = line != NULL && strcmp(line, "amd") == 0;
        out[count++] = answer;
    }
    return count;
}

/* ---- one board ---- */

static const char *name_of(const struct answer *answer)
{
    return answer->is_amd ? "amdsmi" : "nvml";
}

/* The counter against the integral of its own power reading. */
static void witness(struct board *board, int64_t counter_uj, int64_t power_uj, int64_t dt_ns)
{
    double apart;

    board->counter_uj += (double)counter_uj;
    board->power_uj += (double)power_uj;
    board->watched_ns += dt_ns;
    if (board->watched_ns < WITNESS_NS)
        return;
    apart = board->counter_uj - board->power_uj;
    board->is_contradicted =
        apart > WITNESS_APART * board->counter_uj || -apart > WITNESS_APART * board->counter_uj;
    board->counter_uj = board->power_uj = 0;
    board->watched_ns = 0;
}

/* Has it stood still for so long that it counts nothing? Then neither does it later, until it
 * moves: what it makes up for at once would be of a time that is paid for by then. */
static bool is_frozen(struct board *board, uint64_t moved_mj, int64_t dt_ns)
{
    if (moved_mj > 0 && board->still_ns < STILL_NS) {
        board->still_ns = 0;
        return false;
    }
    board->still_ns = moved_mj > 0 ? 0 : board->still_ns + dt_ns;
    return moved_mj > 0 || board->still_ns >= STILL_NS;
}

static bool look_at_counter(struct board *board, const struct answer *answer, int64_t dt_ns,
                            struct gl_yield *out)
{
    double most_w = answer->has_limit ? 1.05e-3 * (double)answer->limit_mw : MOST_W;
    bool had_before = board->has_before, is_back;
    uint64_t before = board->before_mj;
    double uj;

    board->has_before = answer->has_energy;
    board->before_mj = answer->energy_mj;
    if (!answer->has_energy || !had_before)
        return false;
    is_back = answer->energy_mj < before;
    uj = is_back ? 0 : (double)(answer->energy_mj - before) * 1000;
    if (is_back) /* the driver was loaded anew */
        out->flags |= GL_FLAG_REBOOT;
    /* Counters move about every 100 ms: half a second of slack. */
    if (is_back || uj > most_w * ((double)dt_ns * 1e-3 + 5e5) ||
        is_frozen(board, answer->energy_mj - before, dt_ns))
        return false;
    *out = gl_yield_of((int64_t)uj, counter_accuracy, GL_TIER_M1, name_of(answer));
    return true;
}

/* What one board used: by its counter, else by its power, else not known. */
static struct gl_yield look_at(struct board *board, const struct answer *answer, int64_t dt_ns)
{
    struct gl_yield yield = {.flags = GL_FLAG_BOUNDED};
    bool has_power = answer->has_power && !gl_gauge_is_sentinel(answer->power_mw * 1000, MOST_W);
    int64_t power_uj = 0;
    bool has_integral =
        gl_gauge_look(&board->gauge, has_power, answer->power_mw * 1000, 0, dt_ns, &power_uj);
    uint32_t flags = 0;

    if (look_at_counter(board, answer, dt_ns, &yield)) {
        if (has_integral)
            witness(board, yield.delta_uj, power_uj, dt_ns);
        yield.flags = board->is_contradicted ? GL_FLAG_SENTINEL : 0;
        return yield;
    }
    flags = yield.flags & ~(uint32_t)GL_FLAG_BOUNDED;
    if (!has_integral)
        return yield;
    yield = gl_yield_of(power_uj, power_accuracy, GL_TIER_M2, name_of(answer));
    yield.flags = flags;
    return yield;
}

/* ---- the source ---- */

static void nvml_close(void *state)
{
    struct nvml *nvml = state;

    stop_helper(nvml);
    free(nvml);
}

/* Take the first look. */
static bool first_look(struct nvml *nvml)
{
    struct answer answers[BOARDS_MAX];
    char text[ANSWER_BYTES];

    if (!ask(nvml, text))
        return false;
    nvml->count = parse(text, answers);
    for (size_t i = 0; i < nvml->count; i++)
        look_at(&nvml->boards[i], &answers[i], 0);
    return nvml->count > 0;
}

static bool has_device(const struct gl_place *place)
{
    int fd = gl_place_open(place, "/proc/driver/nvidia/version");

    if (fd < 0)
        fd = gl_place_open(place, "/dev/nvidiactl");
    if (fd < 0)
        fd = gl_place_open(place, "/dev/kfd"); /* AMD's compute driver */
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static int nvml_open(const struct gl_source_setup *setup, void **out_state, struct gl_error *err)
{
    struct nvml *nvml;

    if (setup->gpu_helper == NULL && !has_device(&setup->place))
        return gl_fail(err, GL_E_NOT_FOUND, "no NVIDIA or AMD device");
    nvml = gl_alloc(sizeof *nvml);
    nvml->amd_is_counted = setup->amd_is_counted;
    nvml->is_simulated = setup->place.sysroot[0] != '\0';
    if (setup->gpu_helper != NULL)
        snprintf(nvml->helper, sizeof nvml->helper, "%s", setup->gpu_helper);
    else
        snprintf(nvml->helper, sizeof nvml->helper, "%s/greenlaunch-meter-gpu",
                 gl_path_of_program());
    if (start_helper(nvml, err) < 0) {
        free(nvml);
        return gl_wrap(err, "GPU helper");
    }
    if (!first_look(nvml)) {
        nvml_close(nvml);
        return gl_fail(err, GL_E_NOT_FOUND,
                       "the libraries of NVIDIA and AMD are missing or do not answer");
    }
    *out_state = nvml;
    return 0;
}

static int64_t nvml_longest_ms(const void *state)
{
    (void)state;
    return GL_GAUGE_MS;
}

static void forget(struct nvml *nvml)
{
    for (size_t i = 0; i < nvml->count; i++)
        nvml->boards[i] = (struct board){0};
}

/* Get all boards' answers, starting the helper again when its pause is over. */
static bool look(struct nvml *nvml, int64_t dt_ns, struct answer answers[BOARDS_MAX])
{
    struct gl_error ignored = {0};
    char text[ANSWER_BYTES];

    if (nvml->process.pid <= 0) {
        nvml->pause_ns -= dt_ns;
        if (nvml->pause_ns > 0 || nvml->restarts >= RESTARTS_MAX)
            return false;
        nvml->restarts++;
        if (start_helper(nvml, &ignored) < 0)
            return false;
    }
    if (ask(nvml, text) && parse(text, answers) == nvml->count)
        return true;
    stop_helper(nvml);
    forget(nvml);
    return false;
}

static void add(struct gl_yield *sum, const struct gl_yield *yield)
{
    sum->is_known = true;
    sum->source = yield->source;
    sum->flags |= yield->flags;
    sum->tier = yield->tier > sum->tier ? yield->tier : sum->tier;
    sum->delta_uj += yield->delta_uj;
    sum->low_uj += yield->low_uj;
    sum->high_uj += yield->high_uj;
}

/* AMD's boards have power sensors of the class hwmon, too, which count unless we do: so we say it
 * one look ahead, and only of counters that move. */
static void sample_boards(struct nvml *nvml, const struct answer answers[BOARDS_MAX], int64_t dt_ns,
                          struct gl_yield *sum)
{
    bool counts_amd = nvml->amd_is_counted != NULL && *nvml->amd_is_counted;
    bool has_amd = false, is_amd_counted = true, is_whole = true;

    for (size_t i = 0; i < nvml->count; i++) {
        struct gl_yield yield = look_at(&nvml->boards[i], &answers[i], dt_ns);

        if (answers[i].is_amd) {
            has_amd = true;
            is_amd_counted = is_amd_counted && yield.is_known && yield.tier == GL_TIER_M1;
        }
        if (answers[i].is_amd && !counts_amd)
            continue;
        is_whole = is_whole && yield.is_known;
        add(sum, &yield);
    }
    if (nvml->amd_is_counted != NULL)
        *nvml->amd_is_counted = has_amd && is_amd_counted;
    if (!is_whole)
        *sum = (struct gl_yield){.flags = GL_FLAG_BOUNDED | (sum->flags & GL_FLAG_REBOOT)};
}

static void nvml_sample(void *state, int64_t dt_ns, struct gl_yield out[GL_KINDS])
{
    struct nvml *nvml = state;
    struct answer answers[BOARDS_MAX];
    struct gl_yield sum = {.flags = GL_FLAG_BOUNDED};

    if (look(nvml, dt_ns, answers)) {
        sum.flags = 0;
        sample_boards(nvml, answers, dt_ns, &sum);
    } else if (nvml->amd_is_counted != NULL)
        *nvml->amd_is_counted = false;
    if (sum.is_known && nvml->is_simulated)
        sum.tier = GL_TIER_S;
    out[GL_COMP_GPU] = sum;
}

static void nvml_describe(const void *state, char *out, size_t room)
{
    const struct nvml *nvml = state;
    size_t counters = 0;

    for (size_t i = 0; i < nvml->count; i++)
        counters += nvml->boards[i].has_before;
    snprintf(out, room, "%zu boards, %zu with an energy counter", nvml->count, counters);
}

const struct gl_source gl_source_nvml = {
    .name = "nvml",
    .group = "nvml",
    .open = nvml_open,
    .longest_ms = nvml_longest_ms,
    .sample = nvml_sample,
    .describe = nvml_describe,
    .close = nvml_close,
};
