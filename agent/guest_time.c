/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/guest.h"

#include "agent/scan.h"
#include "agent/vm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define PATIENT_MS    10000 /* so long the command waits for the host that said the time */
#define LEASE_LATE_MS 10000 /* so long after the end of the lease the meter switches off itself */
#define TEN_YEARS_MS  INT64_C(315576000000)
#define YEAR_9999_MS  INT64_C(253402300799999)
#define BOOT_LABEL    "greenlaunch-boot"

/* ---- the lease ---- */

void gl_guest_arm_lease(struct gl_guest *guest, int64_t lease_ms)
{
    struct itimerspec lease = {
        .it_value = {.tv_sec = lease_ms / 1000, .tv_nsec = lease_ms % 1000 * 1000000}};
    int64_t off_ns = (gl_guest_now_ms() + lease_ms + LEASE_LATE_MS) * 1000000;

    if (guest->lease_fd < 0)
        guest->lease_fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (guest->lease_fd < 0 || timerfd_settime(guest->lease_fd, 0, &lease, NULL) < 0)
        gl_guest_note(guest, "no lease timer: %s", strerror(errno));
    if (guest->is_vm)
        __atomic_store_n(&guest->progress->power_off_ns, off_ns, __ATOMIC_RELAXED);
}

/* ---- 'T': the time ---- */

static bool read_time(struct gl_scan *scan, struct gl_guest_time *out)
{
    char key[GL_SCAN_KEY];
    int64_t version = 0;

    if (!gl_scan_enter(scan, '{'))
        return false;
    while (gl_scan_more(scan, '}') && gl_scan_key(scan, key)) {
        if (out->lease_ms == 0 && strcmp(key, "lease_ms") == 0)
            gl_scan_int(scan, 1, TEN_YEARS_MS, &out->lease_ms);
        else if (out->now_ms == 0 && strcmp(key, "now_ms") == 0)
            gl_scan_int(scan, 1, YEAR_9999_MS, &out->now_ms);
        else if (version == 0 && strcmp(key, "v") == 0)
            gl_scan_int(scan, 1, 1, &version);
        else
            return gl_scan_refuse(scan, "an unknown key, or one that is there twice");
    }
    if (out->lease_ms == 0 || out->now_ms == 0 || version == 0)
        return gl_scan_refuse(scan, "a key is missing");
    return true;
}

int gl_guest_time_parse(const char *bytes, size_t length, struct gl_guest_time *out,
                        struct gl_error *err)
{
    struct gl_guest_time time = {0};
    struct gl_scan scan;

    gl_scan_begin(&scan, bytes, length);
    if (!read_time(&scan, &time) || !gl_scan_done(&scan))
        return gl_fail(err, GL_E_BAD_VALUE, "time: %s", scan.problem);
    *out = time;
    return 0;
}

/* Output is held for whoever attaches next; until then the command waits rather than lose any, for
 * a while: the host has something to do with this machine, and will be back. */
void gl_guest_hold(struct gl_guest *guest)
{
    guest->is_held = true;
    guest->patient_until_ms = gl_guest_now_ms() + PATIENT_MS;
    guest->is_hello_due = true;
}

/* The host has let this machine's clocks go on: its wall clock, and what is left of the lease by
 * it, are right. */
void gl_guest_take_time(struct gl_guest *guest, const struct gl_frame *frame)
{
    struct gl_error err = {0};
    struct gl_guest_time time;

    if (guest->phase != GL_GUEST_CONFIGURED) {
        gl_guest_note(guest, "ignored the time out of turn");
        return;
    }
    if (gl_guest_time_parse(frame->payload, frame->length, &time, &err) < 0) {
        gl_guest_note(guest, "ignored a bad %s", err.text);
        return;
    }
    if (guest->is_vm && gl_vm_set_clock(time.now_ms, &err) < 0)
        gl_guest_note(guest, "%s", err.text);
    if (guest->stop == GL_STOP_NONE)
        gl_guest_arm_lease(guest, time.lease_ms);
    gl_guest_hold(guest);
}

/* ---- the name of this run ---- */

/* A UUID of version 8 (RFC 9562: made as its author likes). */
void gl_guest_boot_name(const char *kernel_boot, const uint8_t entropy[64], const char *launch,
                        char out[40])
{
    struct {
        char label[sizeof BOOT_LABEL], boot[40], launch[64];
        uint8_t entropy[64];
    } parts = {.label = BOOT_LABEL};
    struct gl_hash hash;
    char hex[GL_HASH_HEX];

    snprintf(parts.boot, sizeof parts.boot, "%s", kernel_boot);
    snprintf(parts.launch, sizeof parts.launch, "%s", launch);
    memcpy(parts.entropy, entropy, sizeof parts.entropy);
    gl_hash_of(&parts, sizeof parts, &hash);
    gl_wipe(&parts, sizeof parts);
    hash.bytes[6] = (uint8_t)((hash.bytes[6] & 0x0f) | 0x80);
    hash.bytes[8] = (uint8_t)((hash.bytes[8] & 0x3f) | 0x80);
    gl_hash_hex(&hash, hex);
    snprintf(out, 40, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}
