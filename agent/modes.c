/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/modes.h"

#include "agent/blend.h"
#include "agent/tail.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define INTERVAL_MS 10000
#define ONESHOT_MS  1000
#define WAIT_MS     5000 /* for a last batch that the sink does not take at once */

/* ---- from options to a setup ---- */

void gl_modes_machine(const struct gl_meter_options *options, struct gl_config_machine *out)
{
    struct gl_place place = {options->sysroot};

    *out = (struct gl_config_machine){.baseline_permille = 1000};
    out->threads_milli = options->threads_milli > 0 ? (uint32_t)options->threads_milli
                                                    : gl_cpu_threads(&place) * 1000;
    out->memory_mb = options->memory_mb > 0 ? (uint32_t)options->memory_mb : gl_memory_mb(&place);
    out->gpu_count = (uint32_t)options->gpu_count;
    out->gpu_watts = (uint32_t)options->gpu_watts;
    if (options->family != NULL)
        snprintf(out->family, sizeof out->family, "%s", options->family);
}

void gl_modes_setup(const struct gl_meter_options *options, struct gl_meter_setup *out)
{
    uint8_t random[4];
    char launch[16], hex[9];

    if (getrandom(random, sizeof random, 0) != sizeof random)
        memset(random, 0, sizeof random);
    snprintf(launch, sizeof launch, "meter-%s", gl_hex_text(random, sizeof random, hex));
    *out = (struct gl_meter_setup){
        .place = {options->sysroot},
        .interval_ms = options->interval_ms > 0 ? (uint32_t)options->interval_ms : INTERVAL_MS,
        .gpu_helper = options->gpu_helper,
        .sources = gl_sources,
        .source_count = gl_source_count,
    };
    gl_chain_names_init(&out->names, options->launch != NULL ? options->launch : launch);
    gl_modes_machine(options, &out->machine);
    if (options->load != NULL && strcmp(options->load, "tree") == 0) {
        out->load_scope = GL_LOAD_TREE;
        out->load_root = getpid();
    }
}

static int read_token(const struct gl_meter_options *options, uint8_t out[GL_TOKEN_BYTES],
                      bool *out_has, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *text = NULL;
    size_t length;
    int status;

    *out_has = false;
    if (options->token_file == NULL)
        return 0;
    if (gl_file_read(options->token_file, 128, &text, &length, err) < 0)
        return -1;
    text[strcspn(text, "\n")] = '\0';
    status = gl_hex_parse(text, out, GL_TOKEN_BYTES, err);
    gl_wipe(text, length);
    *out_has = status == 0;
    return status < 0 ? gl_wrap(err, "%s", options->token_file) : 0;
}

static int make_seed(struct gl_meter_setup *setup, struct gl_error *err)
{
    if (setup->spool != NULL)
        return gl_spool_seed(setup->spool, setup->seed, err);
    if (getrandom(setup->seed, sizeof setup->seed, 0) != sizeof setup->seed)
        return gl_fail_sys(err, GL_E_IO, errno, "no randomness");
    return 0;
}

/* "-" is stdout, "fd:N" a descriptor that was handed to us, anything else a path. */
static int open_sink(const struct gl_meter_options *options, struct gl_sink *out,
                     struct gl_error *err)
{
    const char *path = options->output != NULL ? options->output : options->console;
    char *end;
    long fd;

    gl_sink_of_fd(out, -1);
    if (path == NULL)
        return 0;
    if (strcmp(path, "-") != 0 && strncmp(path, "fd:", 3) != 0)
        return gl_sink_open(out, path, err);
    fd = path[0] == '-' ? 1 : strtol(path + 3, &end, 10);
    if (path[0] != '-' &&
        (end == path + 3 || *end != '\0' || fd < 0 || fcntl((int)fd, F_GETFD) < 0))
        return gl_fail(err, GL_E_USAGE, "%s is no open descriptor", path);
    gl_sink_of_fd(out, (int)fd);
    return 0;
}

/* ---- --run and --daemon ---- */

static void block_signals(void)
{
    sigset_t signals;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, NULL);
}

/* Killed, the meter takes the command with it: what runs on unmetered would have no receipt. */
static pid_t start_command(char **command, struct gl_error *err)
{
    sigset_t none;
    pid_t parent = getpid(), pid = fork();

    if (pid < 0)
        gl_fail_sys(err, GL_E_IO, errno, "cannot make a process");
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(126); /* it was killed before we asked */
    sigemptyset(&none);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(command[0], command);
    dprintf(2, "greenlaunch-meter: cannot run %s: %s\n", command[0], strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
}

static int meter_command(const struct gl_meter_options *options, const struct gl_meter_setup *setup,
                         const struct gl_sink *sink, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) struct gl_meter *meter = gl_alloc(sizeof *meter);
    pid_t pid = 0;
    int status = 0;

    gl_meter_begin(meter, setup, sink, gl_moment_now());
    if (options->mode == GL_MODE_RUN && (pid = start_command(options->command, err)) < 0)
        return -1;
    if (pid == 0 || waitpid(pid, &status, WNOHANG) == 0)
        status = gl_meter_loop(meter, pid);
    if (!gl_meter_end(meter, gl_moment_now(), WAIT_MS))
        fprintf(stderr, "greenlaunch-meter: the last readings could not be written\n");
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int gl_mode_run(const struct gl_meter_options *options, struct gl_error *err)
{
    struct gl_meter_setup setup;
    struct gl_spool spool;
    struct gl_sink sink;
    int status;

    block_signals();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    gl_modes_setup(options, &setup);
    if (options->spool != NULL && gl_spool_open(&spool, options->spool, NULL, err) < 0)
        return -1;
    setup.spool = options->spool != NULL ? &spool : NULL;
    if (make_seed(&setup, err) < 0 || read_token(options, setup.token, &setup.has_token, err) < 0 ||
        open_sink(options, &sink, err) < 0)
        return -1;
    status = meter_command(options, &setup, &sink, err);
    gl_wipe(&setup, sizeof setup);
    if (options->spool != NULL)
        gl_spool_close(&spool);
    return status;
}

/* ---- --oneshot ---- */

int gl_mode_oneshot(const struct gl_meter_options *options, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) struct gl_meter *meter = gl_alloc(sizeof *meter);
    const struct timespec second = {.tv_sec = ONESHOT_MS / 1000};
    struct gl_meter_setup setup;
    struct gl_sink none = {.fd = -1};
    struct gl_reading reading;
    char text[GL_RECORD_MAX];
    size_t length;

    signal(SIGPIPE, SIG_IGN);
    gl_modes_setup(options, &setup);
    setup.interval_ms = ONESHOT_MS;
    if (make_seed(&setup, err) < 0)
        return -1;
    gl_meter_begin(meter, &setup, &none, gl_moment_now());
    nanosleep(&second, NULL);
    gl_meter_peek(meter, gl_moment_now(), &reading);
    length = gl_reading_write(&reading, text);
    gl_meter_end(meter, gl_moment_now(), 0);
    text[length++] = '\n';
    return gl_fd_write(1, text, length, err);
}

/* ---- --replay ---- */

/* Batches of a spool, written to a sink. */
struct replay {
    struct gl_batch *batch;
    const struct gl_secret_key *key;
    const struct gl_public_key *public_key;
    uint8_t token[GL_TOKEN_BYTES];
    bool has_token;
    char launch[64];
    struct gl_sink sink;
    bool has_failed;
};

static void send_replay(struct replay *replay)
{
    size_t length;
    const char *line;

    if (replay->batch->count == 0)
        return;
    line = gl_batch_seal(replay->batch, replay->launch, replay->key, replay->public_key, &length);
    replay->has_failed =
        replay->has_failed || !gl_sink_send_for(&replay->sink, line, length, WAIT_MS);
    gl_batch_clear(replay->batch);
}

/* Before the first batch of a launch: who takes them may have seen no console. */
static void enrol_replay(struct replay *replay, const struct gl_reading *first)
{
    char line[GL_ENROLMENT_MAX];
    size_t length;

    send_replay(replay);
    memcpy(replay->launch, first->launch, sizeof replay->launch);
    if (!replay->has_token)
        return;
    length = gl_enrolment_line(first->boot, first->launch, replay->token, replay->public_key, line);
    replay->has_failed =
        replay->has_failed || !gl_sink_send_for(&replay->sink, line, length, WAIT_MS);
}

static bool replay_record(void *cookie, const struct gl_reading *reading, const char *text,
                          size_t length, const struct gl_hash *hash)
{
    struct replay *replay = cookie;

    if (strcmp(replay->launch, reading->launch) != 0)
        enrol_replay(replay, reading);
    if (!gl_batch_has_room(replay->batch))
        send_replay(replay);
    gl_batch_add(replay->batch, text, length, reading->seq, hash);
    return !replay->has_failed;
}

/* After all readings: who takes it knows the key by then. */
static void send_exit(struct replay *replay, const char *exit_status)
{
    char line[GL_EXIT_MAX];
    size_t length;

    if (exit_status == NULL || replay->launch[0] == '\0')
        return;
    length = gl_exit_line(replay->launch, gl_meter_exit_status(exit_status), replay->key,
                          replay->public_key, line);
    replay->has_failed =
        replay->has_failed || !gl_sink_send_for(&replay->sink, line, length, WAIT_MS);
}

/* What cannot be read is left out: how the command ended matters more. */
static void send_tail(struct replay *replay, const char *path)
{
    GL_AUTO(gl_auto_free) struct gl_tail *tail = NULL;
    GL_AUTO(gl_auto_free) char *line = NULL;
    struct gl_error ignored = {0};
    size_t length;

    if (path == NULL || replay->launch[0] == '\0')
        return;
    tail = gl_alloc(sizeof *tail);
    if (gl_tail_read(path, tail, &ignored) != 0 || tail->length == 0)
        return;
    line = gl_alloc(GL_TAIL_LINE_MAX);
    length = gl_tail_line(replay->launch, tail, replay->key, replay->public_key, line);
    replay->has_failed =
        replay->has_failed || !gl_sink_send_for(&replay->sink, line, length, WAIT_MS);
}

/* Everything in the spool, as signed batches, enrolled where the token is given. The spool is not
 * changed but by its own recovery. */
static int print_spool(const struct gl_meter_options *options, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) struct gl_batch *batch = gl_alloc(sizeof *batch);
    struct gl_secret_key key;
    struct gl_public_key public_key;
    struct replay replay = {.batch = batch, .key = &key, .public_key = &public_key};
    struct gl_spool spool;
    uint8_t seed[32];
    int status = -1;

    if (read_token(options, replay.token, &replay.has_token, err) < 0)
        return -1;
    if (gl_spool_open(&spool, options->replay, NULL, err) == 0 &&
        gl_spool_seed(&spool, seed, err) == 0 && open_sink(options, &replay.sink, err) == 0) {
        gl_key_of_seed(seed, &key, &public_key);
        spool.sent_seq = 0;
        gl_spool_each(&spool, 0, replay_record, &replay);
        send_replay(&replay);
        send_tail(&replay, options->tail);
        send_exit(&replay, options->exit_status);
        status = replay.has_failed ? gl_fail(err, GL_E_IO, "cannot write all batches") : 0;
        gl_secret_key_wipe(&key);
        gl_wipe(seed, sizeof seed);
    }
    gl_wipe(replay.token, sizeof replay.token);
    gl_spool_close(&spool);
    return status;
}

int gl_mode_replay(const struct gl_meter_options *options, struct gl_error *err)
{
    struct gl_spool_report report;
    char head[GL_HASH_HEX];

    if (options->output != NULL)
        return print_spool(options, err);
    if (gl_spool_check(options->replay, &report, err) < 0)
        return -1;
    printf("%" PRIu64 " records, %" PRIu64 " to %" PRIu64 ", in %" PRIu64 " segments\nhead %s\n",
           report.records, report.first_seq, report.last_seq, report.segments,
           gl_hash_hex(&report.head, head));
    if (report.problem != NULL)
        return gl_fail(err, GL_E_TAMPERED, "%s: %s in segment %" PRIu32 " at byte %" PRIu64,
                       options->replay, report.problem, report.problem_segment,
                       report.problem_offset);
    return 0;
}
