/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local_qemu.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Faster by a third than the kernel's own choice, and nothing a throw-away guest would miss. */
#define KERNEL_LINE                                                                     \
    "console=ttyS0 quiet panic=-1 nokaslr mitigations=off tsc=reliable no_timer_check " \
    "lpj=10000000 audit=0 selinux=0 apparmor=0 8250.nr_uarts=1 random.trust_cpu=on "    \
    "cryptomgr.notests"

static void add(struct gl_qemu_arguments *arguments, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct gl_qemu_arguments *arguments, const char *format, ...)
{
    char word[1024];
    va_list list;

    va_start(list, format);
    vsnprintf(word, sizeof word, format, list);
    va_end(list);
    if (arguments->count + 1 < GL_QEMU_ARGUMENTS_MAX)
        arguments->words[arguments->count++] = gl_strdup(word);
}

static void add_machine(const struct gl_qemu_plan *plan, struct gl_qemu_arguments *out)
{
    bool is_kvm = strcmp(plan->accel, "kvm") == 0;

    add(out, "-name");
    add(out, "greenlaunch-%s", plan->launch_id);
    add(out, "-uuid");
    add(out, "%s", plan->tag);
    add(out, "-accel");
    add(out, "%s", is_kvm ? "kvm" : "tcg,tb-size=32");
    add(out, "-machine");
    add(out, "pc,usb=off,hpet=off");
    add(out, "-cpu");
    add(out, "%s", is_kvm ? "host" : "max");
    add(out, "-m");
    add(out, "%u", plan->memory_mib);
    add(out, "-smp");
    add(out, "%u", plan->vcpus);
    add(out, "-nodefaults");
    add(out, "-no-user-config");
    add(out, "-display");
    add(out, "none");
    add(out, "-no-reboot");
    add(out, "-sandbox");
    add(out, "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
}

/* A descriptor opened before is opened again through /proc: the kernel and initrd loaders take
 * file names only. */
static void add_boot(const struct gl_qemu_plan *plan, struct gl_qemu_arguments *out)
{
    add(out, "-kernel");
    add(out, "/proc/self/fd/%d", plan->kernel_fd);
    if (plan->initrd_fd >= 0) {
        add(out, "-initrd");
        add(out, "/proc/self/fd/%d", plan->initrd_fd);
    }
    add(out, "-append");
    add(out, "%s", KERNEL_LINE);
}

static void add_channels(const struct gl_qemu_plan *plan, struct gl_qemu_arguments *out)
{
    add(out, "-add-fd");
    add(out, "fd=%d,set=1", plan->console_fd);
    add(out, "-chardev");
    add(out, "file,id=console,path=/dev/fdset/1,append=on");
    add(out, "-serial");
    add(out, "chardev:console");
    add(out, "-chardev");
    add(out, "socket,id=control,fd=%d,server=on,wait=off", plan->control_fd);
    add(out, "-device");
    add(out, "virtio-serial-pci");
    add(out, "-device");
    add(out, "virtserialport,chardev=control,name=org.greenlaunch.0");
    add(out, "-chardev");
    add(out, "socket,id=qmp,fd=%d,server=on,wait=off", plan->qmp_fd);
    add(out, "-mon");
    add(out, "chardev=qmp,mode=control");
}

static void add_devices(const struct gl_qemu_plan *plan, struct gl_qemu_arguments *out)
{
    if (plan->disk_fd >= 0) {
        add(out, "-add-fd");
        add(out, "fd=%d,set=2", plan->disk_fd);
        add(out, "-drive");
        add(out, "file=/dev/fdset/2,format=%s,if=virtio,snapshot=on",
            plan->is_disk_qcow2 ? "qcow2" : "raw");
    }
    if (plan->has_network) {
        add(out, "-netdev");
        add(out, "user,id=net0,ipv6=off");
        add(out, "-device");
        add(out, "virtio-net-pci,netdev=net0,romfile=");
    }
    if (plan->incoming_fd >= 0) {
        add(out, "-incoming");
        add(out, "fd:%d", plan->incoming_fd);
    }
    if (plan->waits)
        add(out, "-S");
}

void gl_qemu_arguments_make(const struct gl_qemu_plan *plan, struct gl_qemu_arguments *out)
{
    *out = (struct gl_qemu_arguments){0};
    add(out, "%s", plan->program);
    add_machine(plan, out);
    add_boot(plan, out);
    add_channels(plan, out);
    add_devices(plan, out);
}

void gl_qemu_arguments_done(struct gl_qemu_arguments *arguments)
{
    for (size_t i = 0; i < arguments->count; i++)
        free(arguments->words[i]);
    *arguments = (struct gl_qemu_arguments){0};
}

bool gl_qemu_may_use_kvm(int *out_gid)
{
    struct stat info;

    *out_gid = GL_LOCAL_NOBODY;
    if (stat("/dev/kvm", &info) < 0 || !S_ISCHR(info.st_mode))
        return false;
    if (geteuid() != 0)
        return access("/dev/kvm", R_OK | W_OK) == 0;
    if ((info.st_mode & 06) == 06)
        return true;
    /* Never root's own group: it opens more than this device. */
    if ((info.st_mode & 060) != 060 || info.st_gid == 0)
        return false;
    *out_gid = (int)info.st_gid;
    return true;
}

int gl_qemu_start(const struct gl_qemu_plan *plan, int log_fd, struct gl_process *out,
                  struct gl_error *err)
{
    const int keep[] = {plan->kernel_fd, plan->initrd_fd, plan->console_fd, plan->control_fd,
                        plan->qmp_fd,    plan->disk_fd,   plan->incoming_fd};
    /* None of ours: it may hold credentials, and others of nobody's processes can read it. */
    static const char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C",
                                              NULL};
    int kept[sizeof keep / sizeof *keep], gid;
    struct gl_qemu_arguments arguments;
    struct gl_spawn spawn = {.stdin_fd = -1,
                             .stdout_fd = log_fd,
                             .stderr_fd = log_fd,
                             .folder = "/",
                             .environment = environment,
                             .keep_fds = kept,
                             .is_detached = true,
                             .uid = -1,
                             .gid = -1,
                             .file_size_limit =
                                 plan->disk_fd >= 0 ? GL_QEMU_DISK_LIMIT : GL_QEMU_FILE_LIMIT};
    int got;

    for (size_t i = 0; i < sizeof keep / sizeof *keep; i++)
        if (keep[i] >= 0)
            kept[spawn.keep_count++] = keep[i];
    if (geteuid() == 0) {
        gl_qemu_may_use_kvm(&gid);
        spawn.uid = GL_LOCAL_NOBODY;
        spawn.gid = strcmp(plan->accel, "kvm") == 0 ? gid : GL_LOCAL_NOBODY;
    }
    gl_qemu_arguments_make(plan, &arguments);
    spawn.argv = (const char *const *)arguments.words;
    got = gl_process_start(&spawn, out, err);
    gl_qemu_arguments_done(&arguments);
    return got;
}
