/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "providers/cloud/local.h"
#include "providers/cloud/local_config.h"
#include "providers/cloud/local_golden.h"
#include "providers/cloud/local_initramfs.h"
#include "providers/cloud/local_kvm.h"
#include "providers/cloud/local_payload.h"
#include "providers/cloud/local_qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KVM_PROBE_MS     5000
#define QMP_MS           5000
#define WAKE_MS          10000 /* a guest restored from a snapshot answers at once, or never */
#define MEMORY_LEAST_MIB 96    /* the kernel needs 80 */
#define GUEST_OWN_MIB    96    /* kernel, meter and their working memory */
#define CPUINFO_MAX      ((size_t)1 << 20)

/* The files of one machine, and how it is to be started. */
struct vm {
    struct gl_local_start *start;
    struct gl_initramfs_options options;
    struct gl_image image;
    bool has_image;
    uint64_t tree_bytes; /* of an image unpacked into the initramfs */
    int payload_fd;
    uint64_t payload_bytes;
    int log_fd;
    struct gl_qemu_plan plan;
    char golden_key[GL_LOCAL_KEY];
};

/* ---- what it is made of ---- */

int gl_local_open_file(const char *folder, const char *name, int flags, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, name);
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        gl_fail_sys(err, GL_E_IO, errno, "cannot open %s", path);
    return fd;
}

static int open_image(struct vm *vm, struct gl_error *err)
{
    const struct gl_local_start *start = vm->start;

    if (start->launch->image == NULL)
        return 0;
    if (gl_image_open(start->launch->image, start->local->state, &vm->image, err) < 0)
        return -1;
    vm->has_image = true;
    vm->options.has_disk = gl_image_is_disk(&vm->image);
    if (vm->options.has_disk) {
        vm->start->record->has_disk = true;
        vm->plan.disk_fd = vm->image.fd;
        vm->plan.is_disk_qcow2 = vm->image.kind == GL_IMAGE_QCOW2;
    }
    return 0;
}

static int open_initrd(struct vm *vm, struct gl_error *err)
{
    const struct gl_local_start *start = vm->start;
    const char *state = start->local->state;

    if (vm->has_image && !vm->options.has_disk)
        vm->plan.initrd_fd = gl_initramfs_open_with_image(state, start->host, &vm->options,
                                                          &vm->image, &vm->tree_bytes, err);
    else
        vm->plan.initrd_fd = gl_initramfs_open(state, start->host, &vm->options, err);
    return vm->plan.initrd_fd < 0 ? -1 : 0;
}

static int open_payload(struct vm *vm, struct gl_error *err)
{
    const struct gl_launch *launch = vm->start->launch;

    if ((launch->with == NULL || launch->with[0] == NULL) &&
        (launch->files_in == NULL || launch->files_in[0] == NULL))
        return 0;
    vm->payload_fd = gl_local_temporary(vm->start->local->state, err);
    if (vm->payload_fd < 0)
        return -1;
    return gl_payload_pack(launch->with, launch->files_in, NULL, vm->payload_fd, &vm->payload_bytes,
                           err);
}

/* The guest's root is a tmpfs of half its memory, and an initramfs is in memory twice while the
 * kernel unpacks it. */
static int check_memory(const struct vm *vm, struct gl_error *err)
{
    uint64_t need = 2 * (vm->tree_bytes + vm->payload_bytes);
    uint64_t need_mib = GUEST_OWN_MIB + (need >> 20);

    if (vm->plan.memory_mib < MEMORY_LEAST_MIB)
        return gl_fail(err, GL_E_BAD_VALUE, "a local VM needs at least %d MiB of memory",
                       MEMORY_LEAST_MIB);
    if (need > 0 && vm->plan.memory_mib < need_mib)
        return gl_fail(err, GL_E_TOO_LARGE,
                       "what the guest is to hold needs %" PRIu64 " MiB of "
                       "memory, and it has %u; take a larger type, or a disk image",
                       need_mib, vm->plan.memory_mib);
    return 0;
}

static int prepare(struct vm *vm, struct gl_error *err)
{
    const struct gl_local_start *start = vm->start;

    vm->options.has_network = vm->plan.has_network;
    if (open_image(vm, err) < 0 || open_initrd(vm, err) < 0 || open_payload(vm, err) < 0 ||
        check_memory(vm, err) < 0)
        return -1;
    vm->plan.kernel_fd = gl_local_open_file(start->host->kernel_folder, "vmlinuz", O_RDONLY, err);
    vm->plan.console_fd =
        gl_local_open_file(start->folder, GL_LOCAL_CONSOLE, O_WRONLY | O_CREAT | O_APPEND, err);
    vm->log_fd =
        gl_local_open_file(start->folder, GL_LOCAL_QEMU_LOG, O_WRONLY | O_CREAT | O_APPEND, err);
    return vm->plan.kernel_fd < 0 || vm->plan.console_fd < 0 || vm->log_fd < 0 ? -1 : 0;
}

static void release(struct vm *vm)
{
    const int fds[] = {vm->plan.kernel_fd, vm->plan.initrd_fd, vm->plan.console_fd, vm->log_fd,
                       vm->payload_fd};

    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    if (vm->has_image)
        gl_image_close(&vm->image);
}

/* Machines with an image or a disk boot: their snapshot would hold the image. */
static bool has_golden(const struct vm *vm)
{
    return !vm->has_image;
}

static void name_golden(struct vm *vm)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    GL_AUTO(gl_auto_free) char *kernel = gl_path_join(vm->start->host->kernel_folder, "vmlinuz");

    gl_str_addf(&text, "golden 1 %s %u vcpus %u MiB%s\n", vm->plan.accel, vm->plan.vcpus,
                vm->plan.memory_mib, vm->plan.has_network ? " network" : "");
    gl_local_fingerprint(vm->plan.program, &text);
    gl_local_fingerprint(kernel, &text);
    gl_initramfs_describe(vm->start->host, &vm->options, &text);
    gl_local_key(&text, vm->golden_key);
}

/* ---- starting ---- */

static void stop_machine(struct vm *vm)
{
    gl_link_close(vm->start->link);
    gl_local_kill(&vm->start->record->process);
    vm->start->record->process = (struct gl_process){0};
}

static int connect_sockets(struct vm *vm, struct gl_error *err)
{
    vm->plan.control_fd = gl_local_listen(vm->start->folder, GL_LOCAL_CONTROL, err);
    vm->plan.qmp_fd =
        vm->plan.control_fd < 0 ? -1 : gl_local_listen(vm->start->folder, GL_LOCAL_QMP, err);
    return vm->plan.qmp_fd < 0 ? -1 : 0;
}

/* Start QEMU, write its pid down, and connect to the guest's channel; on failure it is gone. */
static int start_machine(struct vm *vm, struct gl_error *err)
{
    struct gl_local_start *start = vm->start;
    GL_AUTO(gl_auto_free) char *note = gl_path_join(start->folder, GL_LOCAL_STOP);
    int got;

    if (gl_file_exists(note))
        return gl_fail(err, GL_E_LAUNCH, "it was ended while it was being started");
    if (gl_local_is_cancelled(start))
        return gl_fail(err, GL_E_INTERRUPTED, "it was ended while it was starting");
    got = connect_sockets(vm, err);
    snprintf(start->record->how, sizeof start->record->how, "qemu/%s", vm->plan.accel);
    if (got == 0)
        got = gl_qemu_start(&vm->plan, vm->log_fd, &start->record->process, err);
    if (got == 0)
        got = gl_local_record_save(start->folder, start->record, err);
    /* While we still listen ourselves: a QEMU that has ended by now is then heard, not refused. */
    if (got == 0)
        got = gl_link_open(start->link, start->folder, GL_LOCAL_CONTROL, err);
    if (vm->plan.control_fd >= 0)
        close(vm->plan.control_fd);
    if (vm->plan.qmp_fd >= 0)
        close(vm->plan.qmp_fd);
    if (got < 0)
        stop_machine(vm);
    return got;
}

/* From the golden snapshot; on any failure the machine is gone and so is the snapshot. */
static int start_restored(struct vm *vm, struct gl_golden *golden, struct gl_error *err)
{
    struct gl_qmp qmp = {.fd = -1};
    int got;

    vm->plan.incoming_fd = golden->fd;
    got = start_machine(vm, err);
    vm->plan.incoming_fd = -1;
    if (got == 0 && !gl_golden_is_whole(golden))
        got = gl_fail(err, GL_E_LAUNCH, "the golden snapshot does not match its hash");
    if (got == 0)
        got = gl_qmp_open(&qmp, vm->start->folder, GL_LOCAL_QMP, QMP_MS, err);
    if (got == 0)
        got = gl_machine_continue(&qmp, err);
    gl_qmp_close(&qmp);
    if (got == 0)
        got = gl_local_wait_hello(vm->start, true, WAKE_MS, err);
    if (got < 0) {
        stop_machine(vm);
        if (err->code != GL_E_INTERRUPTED) /* that is no fault of the snapshot */
            gl_golden_remove(vm->start->local->state, vm->golden_key);
    }
    return got;
}

/* Only one launch at a time writes a snapshot; the others go on without. */
static int make_golden(struct vm *vm, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(vm->start->local->state, "golden.lock");
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_close) int lock = gl_file_lock(path, 0, &ignored);
    struct gl_qmp qmp = {.fd = -1};
    int got;

    if (lock < 0 || gl_qmp_open(&qmp, vm->start->folder, GL_LOCAL_QMP, QMP_MS, &ignored) < 0)
        return 0;
    got = gl_golden_make(vm->start->local->state, vm->golden_key, &qmp, err);
    gl_qmp_close(&qmp);
    return got;
}

static int start_cold(struct vm *vm, int64_t limit_ms, struct gl_error *err)
{
    if (start_machine(vm, err) < 0)
        return -1;
    if (gl_local_wait_hello(vm->start, false, limit_ms, err) == 0 &&
        (!has_golden(vm) || make_golden(vm, err) == 0))
        return 0;
    stop_machine(vm);
    return -1;
}

static int start_with(struct vm *vm, const char *accel, int64_t limit_ms, struct gl_error *err)
{
    struct gl_golden golden = {.fd = -1};
    struct gl_error why = {0};
    int got = -1;

    vm->plan.accel = accel;
    name_golden(vm);
    if (has_golden(vm))
        gl_golden_open(vm->start->local->state, vm->golden_key, &golden);
    if (golden.fd >= 0)
        got = start_restored(vm, &golden, &why);
    gl_golden_close(&golden);
    return got == 0 ? 0 : start_cold(vm, limit_ms, err);
}

/* KVM is tried with a short limit until it has been proved on this boot of this machine. */
static int boot(struct vm *vm, struct gl_error *err)
{
    const struct gl_local *local = vm->start->local;
    int64_t limit_ms = gl_local_boot_ms(local->world);
    struct gl_accel_choice choice;
    struct gl_error why = {0};

    if (gl_accel_choose(local->world, local->state, vm->plan.program, &choice, err) < 0)
        return -1;
    if (!choice.is_probe)
        return start_with(vm, choice.first, limit_ms, err);
    if (start_with(vm, "kvm", KVM_PROBE_MS, &why) == 0) {
        gl_kvm_remember(local->state, vm->plan.program, true);
        return 0;
    }
    if (why.code == GL_E_INTERRUPTED) { /* which proves nothing of KVM */
        *err = why;
        return -1;
    }
    gl_kvm_remember(local->state, vm->plan.program, false);
    return start_with(vm, "tcg", limit_ms, err);
}

static int configure(struct vm *vm, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *cpuinfo = NULL;
    struct gl_error ignored = {0};
    struct gl_guest_place place = {.vcpus = vm->plan.vcpus,
                                   .memory_mib = vm->plan.memory_mib,
                                   .disk = vm->options.has_disk ? "vda" : NULL,
                                   .root = vm->has_image && !vm->options.has_disk ? "/image" : NULL,
                                   .has_payload = vm->payload_fd >= 0};
    size_t length;

    if (gl_file_read("/proc/cpuinfo", CPUINFO_MAX, &cpuinfo, &length, &ignored) == 0)
        place.family = gl_local_cpu_family(cpuinfo);
    if (vm->payload_fd >= 0 && lseek(vm->payload_fd, 0, SEEK_SET) < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot read the files for the guest");
    if (gl_local_configure(vm->start, &place, vm->payload_fd, err) == 0)
        return 0;
    stop_machine(vm);
    return -1;
}

int gl_local_start_vm(struct gl_local_start *start, struct gl_error *err)
{
    struct vm vm = {
        .start = start,
        .payload_fd = -1,
        .log_fd = -1,
        .image = {.fd = -1},
        .plan = {.program = start->host->qemu,
                 .launch_id = start->record->launch_id,
                 .tag = start->record->tag,
                 .vcpus = start->record->vcpus,
                 .memory_mib = start->record->memory_mib,
                 .has_network = start->launch->has_network,
                 .kernel_fd = -1,
                 .initrd_fd = -1,
                 .console_fd = -1,
                 .control_fd = -1,
                 .qmp_fd = -1,
                 .disk_fd = -1,
                 .incoming_fd = -1},
    };
    int got = prepare(&vm, err);

    if (got == 0)
        got = boot(&vm, err);
    if (got == 0)
        got = configure(&vm, err);
    release(&vm);
    return got;
}
