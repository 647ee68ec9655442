/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local_record.h"

#include "base/file.h"
#include "base/json.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RECORD_NAME      "instance.json"
#define RECORD_MAX       ((size_t)16 << 10)
#define COMMAND_LINE_MAX 16384
#define GONE_MS          5000
#define OTHERS_MAX       8 /* more than two QEMUs of one instance there never are */

bool gl_local_id_is_valid(const char *launch_id)
{
    size_t length = strlen(launch_id);

    return length > 3 && length <= 43 && memcmp(launch_id, "gl-", 3) == 0 &&
           strspn(launch_id, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

char *gl_local_folder(const char *state, const char *launch_id)
{
    return gl_path_join(state, launch_id);
}

/* ---- text form ---- */

static const char *const phase_words[] = {"", "suspending", "moving", "waking"};

static json_t *process_json(const struct gl_process *process)
{
    return json_pack("{s:I s:I}", "pid", (json_int_t)process->pid, "start_ticks",
                     (json_int_t)process->start_ticks);
}

static bool is_away(const struct gl_local_away *away)
{
    return away->phase != GL_PHASE_NONE || away->path[0] != '\0';
}

/* NULL when there is nothing to say: it runs, or has ended. */
static json_t *away_json(const struct gl_local_away *away)
{
    char hex[GL_HASH_HEX];

    if (!is_away(away))
        return NULL;
    return json_pack("{s:s s:b s:s s:s s:s s:I s:s s:I s:I s:o}", "phase", phase_words[away->phase],
                     "is_live", away->is_live, "from", away->from, "target", away->target, "path",
                     away->path, "length", (json_int_t)away->seal.length, "blake2b",
                     gl_hash_hex(&away->seal.hash, hex), "console_bytes",
                     (json_int_t)away->console_bytes, "still_ms", (json_int_t)away->still_ms,
                     "other", process_json(&away->other));
}

char *gl_local_record_text(const struct gl_local_record *record, struct gl_error *err)
{
    GL_AUTO(gl_auto_json)
    json_t *object = json_pack(
        "{s:I s:s s:s s:s s:s s:s s:s s:s s:i s:i s:i s:I s:I s:s s:I s:I s:b s:i s:I s:I s:I s:b "
        "s:b s:o*}",
        "v", (json_int_t)1, "token", record->token, "launch", record->launch_id, "region",
        record->region, "type", record->type, "how", record->how, "tag", record->tag, "boot",
        record->boot, "attempt", (int)record->attempt, "vcpus", (int)record->vcpus, "memory_mib",
        (int)record->memory_mib, "started_s", (json_int_t)record->started_s, "expires_s",
        (json_int_t)record->expires_s, "state", gl_instance_state_word(record->state), "pid",
        (json_int_t)record->process.pid, "start_ticks", (json_int_t)record->process.start_ticks,
        "has_exit", record->has_exit, "exit_status", record->exit_status, "host_cpu_ms",
        (json_int_t)record->host_cpu_ms, "cpu_before_ms", (json_int_t)record->cpu_before_ms,
        "cpu_boot_ms", (json_int_t)record->cpu_boot_ms, "has_network", record->has_network,
        "has_disk", record->has_disk, "away", away_json(&record->away));

    if (object == NULL || (is_away(&record->away) && json_object_get(object, "away") == NULL)) {
        gl_fail(err, GL_E_INTERNAL, "an instance's record holds text that is not UTF-8");
        return NULL;
    }
    return gl_json_canonical(object, err);
}

static int read_text(const json_t *object, const char *key, char *out, size_t capacity,
                     struct gl_error *err)
{
    const char *text;

    if (gl_json_string(object, key, &text, err) < 0)
        return -1;
    if (strlen(text) >= capacity)
        return gl_fail(err, GL_E_BAD_REPLY, "%s is too long", key);
    memcpy(out, text, strlen(text) + 1);
    return 0;
}

static int read_state(const json_t *object, enum gl_instance_state *out, struct gl_error *err)
{
    const char *word;

    if (gl_json_string(object, "state", &word, err) < 0)
        return -1;
    for (int state = GL_STATE_LAUNCHING; state <= GL_STATE_LOST; state++)
        if (strcmp(word, gl_instance_state_word((enum gl_instance_state)state)) == 0) {
            *out = (enum gl_instance_state)state;
            return 0;
        }
    return gl_fail(err, GL_E_BAD_REPLY, "state is no known word");
}

static int read_numbers(const json_t *object, struct gl_local_record *out, struct gl_error *err)
{
    int64_t attempt, vcpus, memory, pid, ticks, exit_status, version;

    if (gl_json_int(object, "v", 1, 1, &version, err) < 0 ||
        gl_json_int(object, "attempt", 0, UINT32_MAX, &attempt, err) < 0 ||
        gl_json_int(object, "vcpus", 0, 4096, &vcpus, err) < 0 ||
        gl_json_int(object, "memory_mib", 0, 1 << 24, &memory, err) < 0 ||
        gl_json_int(object, "started_s", 0, INT64_MAX, &out->started_s, err) < 0 ||
        gl_json_int(object, "expires_s", 0, INT64_MAX, &out->expires_s, err) < 0 ||
        gl_json_int(object, "pid", 0, INT32_MAX, &pid, err) < 0 ||
        gl_json_int(object, "start_ticks", 0, INT64_MAX, &ticks, err) < 0 ||
        gl_json_int(object, "exit_status", -1, 255, &exit_status, err) < 0 ||
        gl_json_int(object, "host_cpu_ms", -1, INT64_MAX, &out->host_cpu_ms, err) < 0)
        return -1;
    out->attempt = (uint32_t)attempt;
    out->vcpus = (uint32_t)vcpus;
    out->memory_mib = (uint32_t)memory;
    out->process = (struct gl_process){.pid = (int)pid, .start_ticks = (uint64_t)ticks};
    out->exit_status = (int)exit_status;
    return 0;
}

static int read_bool(const json_t *object, const char *key, bool *out, struct gl_error *err)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_boolean(value))
        return gl_fail(err, GL_E_BAD_REPLY, "%s is no boolean", key);
    *out = json_is_true(value);
    return 0;
}

static int read_phase(const json_t *object, enum gl_local_phase *out, struct gl_error *err)
{
    const char *word;

    if (gl_json_string(object, "phase", &word, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof phase_words / sizeof *phase_words; i++)
        if (strcmp(word, phase_words[i]) == 0) {
            *out = (enum gl_local_phase)i;
            return 0;
        }
    return gl_fail(err, GL_E_BAD_REPLY, "phase is no known word");
}

static int read_process(const json_t *object, struct gl_process *out, struct gl_error *err)
{
    int64_t pid, ticks;

    if (gl_json_int(object, "pid", 0, INT32_MAX, &pid, err) < 0 ||
        gl_json_int(object, "start_ticks", 0, INT64_MAX, &ticks, err) < 0)
        return -1;
    *out = (struct gl_process){.pid = (int)pid, .start_ticks = (uint64_t)ticks};
    return 0;
}

static int read_away(const json_t *object, struct gl_local_away *out, struct gl_error *err)
{
    const char *hex;
    int64_t length;

    if (object == NULL)
        return 0;
    if (read_phase(object, &out->phase, err) < 0 ||
        read_bool(object, "is_live", &out->is_live, err) < 0 ||
        read_text(object, "from", out->from, sizeof out->from, err) < 0 ||
        read_text(object, "target", out->target, sizeof out->target, err) < 0 ||
        read_text(object, "path", out->path, sizeof out->path, err) < 0 ||
        gl_json_int(object, "length", 0, INT64_MAX, &length, err) < 0 ||
        gl_json_string(object, "blake2b", &hex, err) < 0 ||
        gl_hex_parse(hex, out->seal.hash.bytes, sizeof out->seal.hash.bytes, err) < 0 ||
        gl_json_int(object, "console_bytes", 0, INT64_MAX, &out->console_bytes, err) < 0 ||
        gl_json_int(object, "still_ms", 0, INT64_MAX, &out->still_ms, err) < 0)
        return -1;
    out->seal.length = (uint64_t)length;
    return read_process(json_object_get(object, "other"), &out->other, err);
}

/* Records of earlier versions do not have these. */
static int read_later(const json_t *object, struct gl_local_record *out, struct gl_error *err)
{
    if (json_object_get(object, "cpu_before_ms") == NULL)
        return 0;
    if (gl_json_int(object, "cpu_before_ms", 0, INT64_MAX, &out->cpu_before_ms, err) < 0 ||
        read_bool(object, "has_network", &out->has_network, err) < 0 ||
        read_bool(object, "has_disk", &out->has_disk, err) < 0)
        return -1;
    if (json_object_get(object, "cpu_boot_ms") != NULL &&
        gl_json_int(object, "cpu_boot_ms", 0, INT64_MAX, &out->cpu_boot_ms, err) < 0)
        return -1;
    return read_away(json_object_get(object, "away"), &out->away, err);
}

static int read_record(const json_t *object, struct gl_local_record *out, struct gl_error *err)
{
    if (read_text(object, "token", out->token, sizeof out->token, err) < 0 ||
        read_text(object, "launch", out->launch_id, sizeof out->launch_id, err) < 0 ||
        read_text(object, "region", out->region, sizeof out->region, err) < 0 ||
        read_text(object, "type", out->type, sizeof out->type, err) < 0 ||
        read_text(object, "how", out->how, sizeof out->how, err) < 0 ||
        read_text(object, "tag", out->tag, sizeof out->tag, err) < 0 ||
        read_text(object, "boot", out->boot, sizeof out->boot, err) < 0 ||
        read_state(object, &out->state, err) < 0 || read_numbers(object, out, err) < 0)
        return -1;
    if (read_bool(object, "has_exit", &out->has_exit, err) < 0 || read_later(object, out, err) < 0)
        return -1;
    if (!gl_local_id_is_valid(out->launch_id))
        return gl_fail(err, GL_E_BAD_REPLY, "launch is no launch id");
    return 0;
}

int gl_local_record_parse(const char *text, size_t length, const char *name,
                          struct gl_local_record *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *object = gl_json_parse(text, length, name, err);
    struct gl_local_record record = {0};

    if (object == NULL)
        return -1;
    if (read_record(object, &record, err) < 0)
        return gl_wrap(err, "%s", name);
    *out = record;
    return 0;
}

int gl_local_record_save(const char *folder, const struct gl_local_record *record,
                         struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, RECORD_NAME);
    GL_AUTO(gl_auto_free) char *text = gl_local_record_text(record, err);

    if (text == NULL)
        return -1;
    return gl_file_write(path, text, strlen(text), 0600, err);
}

int gl_local_record_load(const char *folder, struct gl_local_record *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, RECORD_NAME);
    GL_AUTO(gl_auto_free) char *text = NULL;
    size_t length;

    if (access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
        return gl_fail(err, GL_E_NOT_FOUND, "no local instance in %s", folder);
    if (gl_file_read(path, RECORD_MAX, &text, &length, err) < 0)
        return -1;
    return gl_local_record_parse(text, length, path, out, err);
}

/* ---- processes ---- */

void gl_local_tag(const char *state, const char *token, char out[GL_LOCAL_TAG])
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_hash hash;
    char hex[GL_HASH_HEX];

    gl_str_addf(&text, "greenlaunch|%s|%s", state, token);
    gl_hash_of(text.text, text.length, &hash);
    /* Marked as a UUID of version 8 (RFC 9562: made as its author likes). */
    hash.bytes[6] = (uint8_t)((hash.bytes[6] & 0x0f) | 0x80);
    hash.bytes[8] = (uint8_t)((hash.bytes[8] & 0x3f) | 0x80);
    gl_hash_hex(&hash, hex);
    snprintf(out, GL_LOCAL_TAG, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
             hex + 20);
}

/* Up to `capacity` - 1 bytes of a small file of /proc, terminated; their count, 0 on failure. */
static size_t read_proc(const char *path, char *out, size_t capacity)
{
    GL_AUTO(gl_auto_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t used = 0;
    ssize_t got = 1;

    while (fd >= 0 && got > 0 && used < capacity - 1) {
        got = read(fd, out + used, capacity - 1 - used);
        used += got > 0 ? (size_t)got : 0;
    }
    out[used] = '\0';
    return used;
}

void gl_local_boot_id(char out[GL_LOCAL_TAG])
{
    read_proc("/proc/sys/kernel/random/boot_id", out, GL_LOCAL_TAG);
    out[strcspn(out, "\n")] = '\0';
}

bool gl_local_is_alive(const struct gl_local_record *record)
{
    char boot[GL_LOCAL_TAG];

    if (record->process.pid <= 0)
        return false;
    gl_local_boot_id(boot);
    return strcmp(boot, record->boot) == 0 && gl_process_is_alive(&record->process);
}

/* Ours, or of the user that root hands its instances to. */
static bool is_of_our_user(int pid)
{
    char path[40];
    struct stat info;

    snprintf(path, sizeof path, "/proc/%d", pid);
    return stat(path, &info) == 0 &&
           (info.st_uid == geteuid() || (geteuid() == 0 && info.st_uid == GL_LOCAL_NOBODY));
}

/* Is the tag an argument of that process, or the end of its name ("greenlaunch-meter:TAG")? */
static bool has_argument(int pid, const char *tag)
{
    char path[40], line[COMMAND_LINE_MAX];
    size_t length;

    snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
    length = read_proc(path, line, sizeof line);
    for (size_t at = 0; at < length; at += strlen(line + at) + 1) {
        const char *colon = at == 0 ? strrchr(line, ':') : NULL;

        if (strcmp(line + at, tag) == 0 || (colon != NULL && strcmp(colon + 1, tag) == 0))
            return true;
    }
    return false;
}

struct gl_process gl_local_process_of(int pid)
{
    struct gl_process_stat stat = {0}; /* gone: a start time that none has */

    gl_process_stat(pid, &stat);
    return (struct gl_process){.pid = pid, .start_ticks = stat.start_ticks};
}

static bool is_same(const struct gl_process *a, const struct gl_process *b)
{
    return b != NULL && a->pid == b->pid && a->start_ticks == b->start_ticks;
}

/* The first process with the tag that is neither of two. */
static bool look_once(const char *tag, const struct gl_process *but, const struct gl_process *nor,
                      struct gl_process *out)
{
    DIR *folder = opendir("/proc");
    struct dirent *entry;
    bool is_found = false;

    if (folder == NULL)
        return false;
    while (!is_found && (entry = readdir(folder)) != NULL) {
        int pid = (int)strtol(entry->d_name, NULL, 10);
        struct gl_process process;

        if (pid <= 0 || !is_of_our_user(pid) || !has_argument(pid, tag))
            continue;
        process = gl_local_process_of(pid);
        is_found =
            gl_process_is_alive(&process) && !is_same(&process, but) && !is_same(&process, nor);
        if (is_found)
            *out = process;
    }
    closedir(folder);
    return is_found;
}

static bool look_twice(const char *tag, const struct gl_process *but, const struct gl_process *nor,
                       struct gl_process *out)
{
    const struct timespec moment = {.tv_nsec = 5000000};

    if (look_once(tag, but, nor, out))
        return true;
    nanosleep(&moment, NULL);
    return look_once(tag, but, nor, out);
}

/* In the middle of an exec a process shows no arguments for a moment; absence must be proven, so a
 * second look counts. */
bool gl_local_find_process(const char *tag, struct gl_process *out)
{
    return look_twice(tag, NULL, NULL, out);
}

void gl_local_kill_others(const char *tag, const struct gl_process *keep,
                          const struct gl_process *keep_too)
{
    struct gl_process process;

    for (int i = 0; i < OTHERS_MAX && look_twice(tag, keep, keep_too, &process); i++)
        gl_local_kill(&process);
}

void gl_local_kill(const struct gl_process *process)
{
    int status;

    if (process->pid <= 0)
        return;
    gl_process_kill(process, SIGKILL);
    if (gl_process_wait(process, GONE_MS, &status) >= 0)
        return;
    for (int waited = 0; gl_process_is_alive(process) && waited < GONE_MS; waited += 10)
        poll(NULL, 0, 10);
}
