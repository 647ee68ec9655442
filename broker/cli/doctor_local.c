/* SPDX-License-Identifier: Apache-2.0 */
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "broker/cli/doctor.h"
#include "providers/cloud/local.h"
#include "providers/cloud/local_kvm.h"
#include "providers/cloud/local_qemu.h"

static void check_qemu(struct gl_exam *exam, const struct gl_local_host *host)
{
    const char *const argv[] = {host->qemu, "--version", NULL};
    GL_AUTO(gl_str_done) struct gl_str version = {0};
    struct gl_error err = {0};
    struct gl_finding finding = {"qemu", GL_EXAM_OK, 0,
                                 "sudo apt-get install --no-install-recommends "
                                 "qemu-system-x86"};
    int status = 0;

    if (host->qemu == NULL || gl_process_capture(argv, 4096, 2000, &version, &status, &err) != 0 ||
        status != 0) {
        finding.state = GL_EXAM_WARN;
        gl_exam_note(exam, &finding, "%s: local instances are processes, not machines",
                     host->qemu == NULL ? "not installed" : "does not run");
        return;
    }
    if (version.length > 0)
        version.text[strcspn(version.text, "\n")] = '\0';
    gl_exam_note(exam, &finding, "%s", gl_str_text(&version));
}

static void check_part(struct gl_exam *exam, const char *name, const char *path,
                       const struct gl_finding *missing, const char *without)
{
    const struct gl_finding good = {name, GL_EXAM_OK, 0, NULL};

    if (path != NULL)
        gl_exam_note(exam, &good, "%s", path);
    else
        gl_exam_note(exam, missing, "%s", without);
}

/* The accelerator that GREENLAUNCH_ACCEL asks for; true when it is set. */
static bool note_forced(struct gl_exam *exam, const struct gl_local_host *host)
{
    const struct gl_world *world = &exam->context->world;
    const char *forced = world->getenv(world->cookie, "GREENLAUNCH_ACCEL");
    struct gl_finding finding = {"kvm", GL_EXAM_OK, GL_EXIT_REMOTE, "unset GREENLAUNCH_ACCEL"};
    struct gl_accel_choice choice;
    struct gl_error err = {0};

    if (forced == NULL || forced[0] == '\0')
        return false;
    if (gl_accel_choose(world, exam->state_folder, host->qemu, &choice, &err) != 0) {
        finding.state = GL_EXAM_FAIL;
        gl_exam_note(exam, &finding, "%s", err.text);
    } else {
        gl_exam_note(exam, &finding, "GREENLAUNCH_ACCEL is %s: %s", forced,
                     strcmp(choice.first, "tcg") == 0 ? "machines are emulated (TCG)"
                     : choice.is_probe                ? "each launch tries KVM, and then emulates"
                                                      : "machines run on KVM or not at all");
    }
    return true;
}

/* How to open the device: nobody is sent into another group than kvm, which may open more than
 * that. Inside a container the number of its group is often that of another one. */
static void kvm_fix(const struct stat *info, bool is_kvm, struct gl_str *out)
{
    bool is_root = geteuid() == 0;
    const char *sudo = is_root ? "" : "sudo ";

    if (!is_kvm && getgrnam("kvm") == NULL)
        gl_str_addf(out, "%saddgroup --system kvm && ", sudo);
    if (!is_kvm || (info->st_mode & 060) != 060)
        gl_str_addf(out, "%schgrp kvm /dev/kvm && %schmod g+rw /dev/kvm%s", sudo, sudo,
                    is_root ? "" : " && ");
    if (!is_root)
        gl_str_add(out, "sudo adduser $USER kvm, then log in again");
}

/* Root's machines run as nobody, who needs the device's group or everybody's leave. */
static void note_kvm_closed(struct gl_exam *exam)
{
    GL_AUTO(gl_str_done) struct gl_str fix = {0}, name = {0};
    struct gl_finding finding = {"kvm", GL_EXAM_WARN, 0, NULL};
    bool is_root = geteuid() == 0;
    struct stat info;
    const struct group *group;

    if (stat("/dev/kvm", &info) != 0)
        return;
    group = getgrgid(info.st_gid);
    gl_str_add(&name, group != NULL ? group->gr_name : "unknown");
    kvm_fix(&info, strcmp(gl_str_text(&name), "kvm") == 0, &fix);
    finding.fix = gl_str_text(&fix);
    gl_exam_note(exam, &finding,
                 "/dev/kvm is there, but %s may not open it (mode %03o, group %s): machines are "
                 "emulated (TCG), slower",
                 is_root ? "the unprivileged user that machines run as" : "you",
                 (unsigned)info.st_mode & 0777, gl_str_text(&name));
}

static void check_kvm(struct gl_exam *exam, const struct gl_local_host *host)
{
    static const char *const verdicts[] = {
        [GL_KVM_UNKNOWN] = "/dev/kvm may be opened; whether it works, the first launch will show",
        [GL_KVM_WORKS] = "works: a launch since the machine was booted has shown it",
        [GL_KVM_FAILS] = ("/dev/kvm is there but a launch has shown that it does not work here: "
                          "machines are emulated (TCG), slower"),
    };
    struct gl_finding finding = {"kvm", GL_EXAM_OK, 0, NULL};
    int gid;

    if (host->qemu == NULL || exam->state_folder == NULL || note_forced(exam, host))
        return;
    if (access("/dev/kvm", F_OK) != 0) {
        gl_exam_note(exam, &finding, "no /dev/kvm: machines are emulated (TCG), slower");
    } else if (!gl_qemu_may_use_kvm(&gid)) {
        note_kvm_closed(exam);
    } else {
        GL_AUTO(gl_auto_free) char *local = gl_path_join(exam->state_folder, "local");

        gl_exam_note(exam, &finding, "%s", verdicts[gl_kvm_recall(local, host->qemu)]);
    }
}

/* The switch by which this kernel forbids user namespaces. */
static const char *namespace_fix(void)
{
    static const struct {
        const char *file, *fix;
    } switches[] = {
        {"/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
         "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
        {"/proc/sys/kernel/unprivileged_userns_clone",
         "sudo sysctl -w kernel.unprivileged_userns_clone=1"},
    };

    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++)
        if (access(switches[i].file, F_OK) == 0)
            return switches[i].fix;
    return "sudo sysctl -w user.max_user_namespaces=10000";
}

static void check_namespaces(struct gl_exam *exam, const struct gl_local_host *host)
{
    struct gl_error err = {0};
    struct gl_finding finding = {"userns", GL_EXAM_OK, 0, NULL};

    if (gl_local_process_check(host, NULL, &err) == 0) {
        gl_exam_note(exam, &finding, "processes in namespaces are possible where machines are not");
        return;
    }
    finding.state = GL_EXAM_WARN;
    finding.fix = namespace_fix();
    gl_exam_note(exam, &finding, "no namespaces, so no instances where machines are impossible: %s",
                 err.text);
}

static void check_local(struct gl_exam *exam, const struct gl_local_host *host)
{
    struct gl_context *context = exam->context;
    struct gl_error err = {0};
    struct gl_finding finding = {"local", GL_EXAM_FAIL, GL_EXIT_REMOTE, "mend the lines above"};
    struct gl_cloud *cloud;
    const char *missing = NULL;
    char who[128];

    if (exam->state_folder == NULL) /* told already */
        return;
    cloud = gl_cloud_open("local",
                          &(struct gl_cloud_options){.world = &context->world,
                                                     .state_folder = exam->state_folder,
                                                     .zone = context->config.zone,
                                                     .places = context->config.places,
                                                     .place_count = context->config.place_count},
                          &err);
    if (cloud != NULL && cloud->ops->whoami(cloud, who, &err) == 0) {
        bool has_vm = gl_local_host_has_vm(host, &missing);

        finding.state = GL_EXAM_OK;
        gl_exam_note(exam, &finding, "can launch %s%s",
                     has_vm ? "virtual machines" : "processes only, for want of ",
                     has_vm ? "" : missing);
    } else {
        gl_exam_note(exam, &finding, "%s", err.text);
    }
    gl_cloud_close(cloud);
}

void gl_exam_local(struct gl_exam *exam)
{
    const struct gl_finding no_kernel = {"kernel", GL_EXAM_WARN, 0,
                                         "make setup, in the source folder of greenlaunch"};
    const struct gl_finding no_busybox = {"busybox", GL_EXAM_WARN, 0,
                                          "sudo apt-get install busybox-static"};
    const struct gl_finding no_meter = {"meter", GL_EXAM_FAIL, GL_EXIT_REMOTE,
                                        "make, in the source folder of greenlaunch, or "
                                        "GREENLAUNCH_METER=PATH"};
    struct gl_local_host host;

    gl_local_host_look(&exam->context->world, &host);
    check_qemu(exam, &host);
    check_part(exam, "kernel", host.kernel_folder, &no_kernel,
               "no guest kernel: local instances are processes, not machines");
    check_part(exam, "busybox", host.busybox, &no_busybox,
               "no static busybox: guests have no shell");
    check_part(exam, "meter", host.meter, &no_meter,
               "no static greenlaunch-meter: nothing can be metered, so nothing is launched here");
    check_kvm(exam, &host);
    check_namespaces(exam, &host);
    check_local(exam, &host);
    gl_local_host_done(&host);
}
