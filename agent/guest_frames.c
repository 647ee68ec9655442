/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/guest.h"

#include "agent/vm.h"
#include "base/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define USER_DATA "/run/greenlaunch/user-data"

/* ---- 'C': the config ---- */

/* SHA-256("greenlaunch-key" | 32 random bytes | the broker's entropy | launch): machines restored
 * from one snapshot differ at least by the last two. */
static void make_seed(struct gl_guest *guest)
{
    struct {
        char label[15];
        uint8_t random[32], entropy[64];
        char launch[64];
    } parts = {
        .label = {'g', 'r', 'e', 'e', 'n', 'l', 'a', 'u', 'n', 'c', 'h', '-', 'k', 'e', 'y'}};
    size_t length = offsetof(__typeof__(parts), launch) + strlen(guest->config.launch);
    struct gl_hash seed;

    _Static_assert(sizeof parts == 15 + 32 + 64 + 64, "no padding");
    if (getrandom(parts.random, sizeof parts.random, 0) != sizeof parts.random)
        gl_guest_note(guest, "no randomness from the kernel: %s", strerror(errno));
    memcpy(parts.entropy, guest->config.entropy, sizeof parts.entropy);
    memcpy(parts.launch, guest->config.launch, sizeof parts.launch);
    gl_hash_of(&parts, length, &seed);
    memcpy(guest->seed, seed.bytes, sizeof guest->seed);
    gl_wipe(&parts, sizeof parts);
    gl_wipe(&seed, sizeof seed);
    gl_wipe(guest->config.entropy, sizeof guest->config.entropy);
}

static void write_user_data(struct gl_guest *guest)
{
    struct gl_error err = {0};

    if (guest->config.user_data == NULL)
        return;
    mkdir("/run", 0755);
    mkdir("/run/greenlaunch", 0755);
    if (gl_file_write(USER_DATA, guest->config.user_data, guest->config.user_data_length, 0644,
                      &err) < 0)
        gl_guest_note(guest, "user data: %s", err.text);
}

/* Virtual machine only: clock, randomness, network, disk. */
static void prepare_vm(struct gl_guest *guest)
{
    struct gl_config *config = &guest->config;
    struct gl_error err = {0};

    if (gl_vm_set_clock(config->now_ms, &err) < 0 ||
        gl_vm_add_entropy(config->entropy, sizeof config->entropy, &err) < 0)
        gl_guest_note(guest, "%s", err.text);
    gl_error_clear(&err);
    if (config->has_network && gl_vm_network(&err) < 0)
        gl_guest_note(guest, "%s", err.text);
    if (config->disk[0] == '\0')
        return;
    if (config->root[0] == '\0')
        snprintf(config->root, sizeof config->root, "/image");
    if (gl_vm_mount_disk(config->disk, config->root, &guest->payload_error) < 0)
        gl_guest_note(guest, "%s", guest->payload_error.text);
}

static void take_config(struct gl_guest *guest, const struct gl_frame *frame)
{
    struct gl_error err = {0};
    int64_t now_ms = gl_guest_now_ms();

    if (guest->phase != GL_GUEST_WAITING) {
        gl_guest_note(guest, "ignored a second config");
        return;
    }
    if (gl_config_parse(frame->payload, frame->length, &guest->config, &err) < 0) {
        gl_guest_note(guest, "ignored a bad %s", err.text);
        return;
    }
    memcpy(guest->names.launch, guest->config.launch, sizeof guest->names.launch);
    guest->phase = GL_GUEST_CONFIGURED;
    gl_guest_arm_lease(guest, guest->config.lease_ms);
    if (guest->is_vm) {
        char boot[40];

        gl_guest_boot_name(guest->names.boot, guest->config.entropy, guest->config.launch, boot);
        memcpy(guest->names.boot, boot, sizeof guest->names.boot);
        prepare_vm(guest);
    }
    make_seed(guest);
    write_user_data(guest);
    guest->meter_at_ms = now_ms;
}

/* ---- 'P' and 'G': payload and command ---- */

static const char *root_folder(const struct gl_guest *guest)
{
    return guest->config.root[0] != '\0' ? guest->config.root : "/";
}

/* Folders that every instance has. Outside a namespace of our own "/" is somebody else's. */
static void make_folders(const struct gl_guest *guest)
{
    static const char *const names[] = {"work", "in", "out"};

    if (guest->config.root[0] == '\0' && getpid() != 1)
        return;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        GL_AUTO(gl_auto_free) char *path = gl_path_join(root_folder(guest), names[i]);

        mkdir(path, 0755);
    }
}

static void take_payload(struct gl_guest *guest, const struct gl_frame *frame)
{
    if (guest->phase != GL_GUEST_CONFIGURED || guest->has_go) {
        gl_guest_note(guest, "ignored a payload out of turn");
        return;
    }
    if (guest->payload_error.code != GL_OK)
        return;
    if (!guest->is_unpacking)
        guest->is_unpacking =
            gl_cpio_begin(&guest->payload, root_folder(guest), &guest->payload_error) == 0;
    if (guest->is_unpacking)
        gl_cpio_feed(&guest->payload, frame->payload, frame->length, &guest->payload_error);
}

static void run_command(struct gl_guest *guest)
{
    const struct gl_command_spec spec = {
        .argv = guest->config.argv,
        .root = guest->config.root,
        .is_oom_first = guest->is_vm,
    };
    struct gl_error *err = &guest->payload_error;
    char text[900];

    if (err->code == GL_OK && gl_command_start(&guest->command, &spec, err) == 0)
        return;
    snprintf(text, sizeof text, "greenlaunch: the command was not started: %s\n", err->text);
    gl_command_refuse(&guest->command, 125, text, gl_guest_now_ms());
}

static void take_go(struct gl_guest *guest)
{
    if (guest->phase != GL_GUEST_CONFIGURED || guest->has_go) {
        gl_guest_note(guest, "ignored a go out of turn");
        return;
    }
    guest->has_go = true;
    guest->is_held = true; /* the launcher leaves: nothing of the output may fall into the gap */
    if (guest->is_unpacking)
        gl_cpio_end(&guest->payload, &guest->payload_error);
    guest->is_unpacking = false;
    if (guest->payload_error.code != GL_OK)
        gl_guest_note(guest, "payload: %s", guest->payload_error.text);
    make_folders(guest);
    if (guest->is_vm && guest->config.root[0] != '\0')
        gl_vm_fill_root(guest->config.root);
    if (guest->config.has_command && guest->stop == GL_STOP_NONE)
        run_command(guest);
}

/* ---- 'Q': a file ---- */

static void take_fetch(struct gl_guest *guest, const struct gl_frame *frame)
{
    struct gl_error err = {0};
    char path[1024];

    if (guest->fetch.pid > 0) {
        gl_guest_note(guest, "ignored a fetch while one is under way");
        return;
    }
    if (gl_fetch_parse(frame->payload, frame->length, path, sizeof path, &err) == 0 &&
        gl_fetch_start(&guest->fetch, guest->config.root, path, &err) == 0)
        return;
    snprintf(guest->fetch_reason, sizeof guest->fetch_reason, "greenlaunch: %.500s\n", err.text);
    guest->is_fetch_ended = true;
}

void gl_guest_take(struct gl_guest *guest, const struct gl_frame *frame)
{
    switch (frame->type) {
    case 'C':
        take_config(guest, frame);
        break;
    case 'P':
        take_payload(guest, frame);
        break;
    case 'G':
        take_go(guest);
        break;
    case 'I':
        gl_command_feed(&guest->command, frame->payload, frame->length);
        break;
    case 'S':
        gl_guest_stop_begin(guest);
        break;
    case 'Q':
        take_fetch(guest, frame);
        break;
    case 'W':
        guest->is_hello_due = true;
        guest->is_held = false;
        break;
    case 'B':
        gl_guest_hold(guest);
        break;
    case 'T':
        gl_guest_take_time(guest, frame);
        break;
    default:
        gl_guest_note(guest, "ignored a frame of type %c", frame->type);
    }
}

/* ---- frames of ours ---- */

static void put_hello(struct gl_guest *guest)
{
    const struct gl_command *command = &guest->command;
    const char *state = "waiting";
    char text[256];

    if (guest->phase != GL_GUEST_WAITING)
        state = command->is_ended ? "exited" : command->pid > 0 ? "running" : "ready";
    snprintf(text, sizeof text,
             "{\"boot\":\"%s\",\"command\":%s,\"held\":%s,\"meter\":\"%s\",\"state\":\"%s\","
             "\"status\":%d,\"v\":1}",
             guest->names.boot, guest->config.has_command ? "true" : "false",
             guest->is_held ? "true" : "false", guest->names.agent, state,
             command->is_ended ? command->status : -1);
    gl_channel_put_text(&guest->channel, gl_guest_now_ms(), 'H', text);
    guest->is_hello_due = false;
}

/* What of a stream waits to be sent; false when nothing does. */
static bool put_stream(struct gl_guest *guest, int i)
{
    struct gl_ring *ring = &guest->command.out[i];
    size_t length;
    const char *front = gl_ring_front(ring, &length);

    if (length == 0)
        return false;
    if (length > GL_FRAME_MAX)
        length = GL_FRAME_MAX;
    memcpy(gl_channel_payload(&guest->channel), front, length);
    gl_ring_pop(ring, length);
    gl_channel_put(&guest->channel, gl_guest_now_ms(), i == 0 ? 'O' : 'R', length);
    return true;
}

/* Once before the exit status: how much of the output nobody read in time. */
static void add_dropped_note(struct gl_guest *guest)
{
    uint64_t dropped = guest->command.out[0].dropped + guest->command.out[1].dropped;
    char text[128];

    if (dropped == guest->dropped_told)
        return;
    snprintf(text, sizeof text,
             "greenlaunch: %" PRIu64 " bytes of output were dropped: nobody was reading\n",
             dropped - guest->dropped_told);
    guest->dropped_told = dropped;
    gl_ring_push(&guest->command.out[1], text, strlen(text));
}

static bool put_exit(struct gl_guest *guest)
{
    char text[32];

    if (guest->is_exit_told || !gl_command_is_drained(&guest->command, gl_guest_now_ms()))
        return false;
    add_dropped_note(guest);
    if (put_stream(guest, 1))
        return true;
    snprintf(text, sizeof text, "{\"status\":%d}", guest->command.status);
    gl_channel_put_text(&guest->channel, gl_guest_now_ms(), 'X', text);
    guest->is_exit_told = true;
    return true;
}

static bool put_output(struct gl_guest *guest)
{
    return put_stream(guest, 0) || put_stream(guest, 1) || put_exit(guest);
}

/* Not by the ring of the command's own stderr, which may be held back. */
static bool put_fetch_reason(struct gl_guest *guest)
{
    if (guest->fetch_reason[0] == '\0')
        return false;
    gl_channel_put_text(&guest->channel, gl_guest_now_ms(), 'R', guest->fetch_reason);
    guest->fetch_reason[0] = '\0';
    return true;
}

static bool put_fetch(struct gl_guest *guest)
{
    char reason[500];
    ssize_t got;

    if (guest->fetch.pid > 0) {
        got = gl_fetch_read(&guest->fetch, gl_channel_payload(&guest->channel), GL_FRAME_MAX);
        if (got > 0)
            gl_channel_put(&guest->channel, gl_guest_now_ms(), 'F', (size_t)got);
        if (got != 0)
            return got > 0;
        guest->is_fetch_ended = true;
        if (gl_fetch_end(&guest->fetch, reason, sizeof reason))
            snprintf(guest->fetch_reason, sizeof guest->fetch_reason, "greenlaunch: %s\n", reason);
    }
    if (put_fetch_reason(guest))
        return true;
    if (!guest->is_fetch_ended)
        return false;
    gl_channel_put(&guest->channel, gl_guest_now_ms(), 'F', 0);
    guest->is_fetch_ended = false;
    return true;
}

static bool put_stopped(struct gl_guest *guest)
{
    if (!guest->is_stopped_due)
        return false;
    gl_channel_put(&guest->channel, gl_guest_now_ms(), 'Z', 0);
    guest->is_stopped_due = false;
    return true;
}

void gl_guest_send(struct gl_guest *guest)
{
    bool is_more = true;

    while (is_more && gl_channel_is_free(&guest->channel)) {
        if (guest->is_hello_due)
            put_hello(guest);
        else
            is_more =
                (!guest->is_held && put_output(guest)) || put_fetch(guest) || put_stopped(guest);
    }
}
