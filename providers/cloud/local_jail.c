/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local_jail.h"

#include "base/file.h"
#include "providers/cloud/local_record.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/mount.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEW_ROOT         "/tmp" /* in a mount namespace of our own, so nobody else's is hidden */
#define FILE_LIMIT_LEAST ((rlim_t)64 << 20)
#define JAIL_FLAGS       (CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC)

/* Folders of the machine that are shown as they are. */
static const char *const shown[] = {"/usr",    "/bin", "/sbin", "/lib", "/lib32", "/lib64",
                                    "/libx32", "/etc", "/opt",  "/nix", "/sys"};

bool gl_jail_shows(const char *path)
{
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        size_t length = strlen(shown[i]);

        if (strncmp(path, shown[i], length) == 0 && path[length] == '/')
            return true;
    }
    return false;
}

/* ---- the child: no allocation and no stdio that could hold a lock; report and _exit ---- */

struct report {
    int sys;
    char step[40];
};

struct child {
    const struct gl_jail *jail;
    int go_fd, report_fd;
    int io_fd, console_fd, program_fd;
};

static _Noreturn void fail(const struct child *child, const char *step)
{
    struct report report = {.sys = errno};
    ssize_t ignored;

    snprintf(report.step, sizeof report.step, "%s", step);
    ignored = write(child->report_fd, &report, sizeof report);
    (void)ignored;
    _exit(127);
}

static void need(const struct child *child, int got, const char *step)
{
    if (got < 0)
        fail(child, step);
}

/* Through our own rights, before they are given up: the folder may be root's alone. */
static void open_sources(struct child *child)
{
    const char *folder = child->jail->folder;
    int folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

    need(child, folder_fd, "open the instance's folder");
    child->io_fd = openat(folder_fd, "io", O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    need(child, child->io_fd, "open the instance's io folder");
    child->console_fd = openat(folder_fd, GL_LOCAL_CONSOLE, O_PATH | O_CLOEXEC | O_NOFOLLOW);
    need(child, child->console_fd, "open the console");
    child->program_fd = open(child->jail->program, O_RDONLY | O_CLOEXEC);
    need(child, child->program_fd, "open the meter");
}

static int set_read_only(const char *path)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID};

    return (int)syscall(SYS_mount_setattr, AT_FDCWD, path, AT_RECURSIVE, &attr, sizeof attr);
}

/* The same path below the new root: a link stays a link, a folder is bound read-only. */
static void show_folder(const struct child *child, const char *path)
{
    char inside[64], target[256];
    struct stat info;
    ssize_t length;

    snprintf(inside, sizeof inside, NEW_ROOT "%s", path);
    if (lstat(path, &info) < 0)
        return;
    if (S_ISLNK(info.st_mode)) {
        length = readlink(path, target, sizeof target - 1);
        need(child, length < 0 ? -1 : 0, "read a link");
        target[length] = '\0';
        need(child, symlink(target, inside), "make a link");
        return;
    }
    need(child, mkdir(inside, 0755), "make a folder");
    need(child, mount(path, inside, NULL, MS_BIND | MS_REC, NULL), "show a system folder");
    need(child, set_read_only(inside), "make a system folder read-only");
}

static void bind_fd(const struct child *child, int fd, const char *inside)
{
    char source[40];

    snprintf(source, sizeof source, "/proc/self/fd/%d", fd);
    need(child, mount(source, inside, NULL, MS_BIND, NULL), "bind the instance's files");
}

static void make_devices(const struct child *child)
{
    static const char *const nodes[] = {"null", "zero", "full", "random", "urandom", "tty"};
    static const char *const links[][2] = {{"/proc/self/fd", NEW_ROOT "/dev/fd"},
                                           {"/proc/self/fd/0", NEW_ROOT "/dev/stdin"},
                                           {"/proc/self/fd/1", NEW_ROOT "/dev/stdout"},
                                           {"/proc/self/fd/2", NEW_ROOT "/dev/stderr"}};
    char source[32], inside[48];

    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        snprintf(source, sizeof source, "/dev/%s", nodes[i]);
        snprintf(inside, sizeof inside, NEW_ROOT "/dev/%s", nodes[i]);
        need(child, mknod(inside, S_IFREG | 0666, 0), "make a device");
        need(child, mount(source, inside, NULL, MS_BIND, NULL), "show a device");
    }
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        need(child, symlink(links[i][0], links[i][1]), "make a link");
}

static void make_folders(const struct child *child)
{
    static const struct {
        const char *path;
        mode_t mode;
    } folders[] = {{"/dev", 0755},
                   {"/dev/shm", 01777},
                   {"/proc", 0555},
                   {"/tmp", 01777},
                   {"/run", 0755},
                   {"/run/greenlaunch", 0755},
                   {"/run/greenlaunch/io", 0755},
                   {"/root", 0700},
                   {"/home", 0755},
                   {"/var", 0755},
                   {"/var/tmp", 01777},
                   {"/work", 0755},
                   {"/in", 0755},
                   {"/out", 0755}};
    char inside[64];

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(inside, sizeof inside, NEW_ROOT "%s", folders[i].path);
        need(child, mkdir(inside, folders[i].mode), "make a folder");
        need(child, chmod(inside, folders[i].mode), "make a folder");
    }
}

/* Some containers allow no fresh proc; the machine's own still works, showing its processes. */
static void show_proc(const struct child *child)
{
    if (mount("proc", NEW_ROOT "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
        need(child, mount("/proc", NEW_ROOT "/proc", NULL, MS_BIND | MS_REC, NULL), "show /proc");
}

static void make_root(const struct child *child)
{
    char options[64];

    need(child, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "separate the mounts");
    snprintf(options, sizeof options, "mode=755,size=%um", child->jail->memory_mib);
    need(child, mount("tmpfs", NEW_ROOT, "tmpfs", MS_NOSUID | MS_NODEV, options), "mount a tmpfs");
    umask(0);
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        show_folder(child, shown[i]);
    make_folders(child);
    make_devices(child);
    show_proc(child);
    bind_fd(child, child->io_fd, NEW_ROOT "/run/greenlaunch/io");
    need(child, mknod(NEW_ROOT GL_JAIL_CONSOLE, S_IFREG | 0600, 0), "make the console");
    bind_fd(child, child->console_fd, NEW_ROOT GL_JAIL_CONSOLE);
    umask(022);
}

static void enter_root(const struct child *child)
{
    need(child, chdir(NEW_ROOT), "enter the new root");
    need(child, (int)syscall(SYS_pivot_root, ".", "."), "change the root");
    need(child, umount2(".", MNT_DETACH), "leave the old root");
    need(child, chdir("/"), "enter the new root");
}

/* Only where the network is the namespace's own; without rights it stays down. */
static void raise_loopback(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    request.ifr_flags = IFF_UP | IFF_RUNNING;
    if (fd >= 0)
        ioctl(fd, SIOCSIFFLAGS, &request);
    if (fd >= 0)
        close(fd);
}

static void limit(const struct child *child)
{
    rlim_t most = (rlim_t)child->jail->memory_mib << 20;
    struct rlimit files, none = {0, 0};

    files.rlim_cur = files.rlim_max = most > FILE_LIMIT_LEAST ? most : FILE_LIMIT_LEAST;
    signal(SIGXFSZ, SIG_IGN);
    need(child, setrlimit(RLIMIT_FSIZE, &files), "limit its files");
    setrlimit(RLIMIT_CORE, &none);
    need(child, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "give up new rights");
}

static void set_stdio(const struct child *child)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    need(child, null, "open /dev/null");
    need(child, dup2(null, 0), "set its files");
    need(child, dup2(child->jail->log_fd, 1), "set its files");
    need(child, dup2(child->jail->log_fd, 2), "set its files");
    if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
        fail(child, "set its files");
}

static void reset_signals(void)
{
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void run_child(struct child *child)
{
    char name[128], guest[] = "--guest", control[] = "--control", console[] = "--console";
    char control_path[] = GL_JAIL_CONTROL, console_path[] = GL_JAIL_CONSOLE;
    char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    char home[] = "HOME=/root";
    char *argv[] = {name, guest, control, control_path, console, console_path, NULL};
    char *environment[] = {path, home, NULL};
    char byte;

    reset_signals();
    if (read(child->go_fd, &byte, 1) != 1)
        _exit(127); /* the parent could not map our user, or died */
    setsid();
    open_sources(child);
    need(child, (int)syscall(SYS_setresgid, 0, 0, 0), "change the group");
    need(child, (int)syscall(SYS_setresuid, 0, 0, 0), "change the user");
    make_root(child);
    enter_root(child);
    need(child, sethostname(child->jail->host_name, strlen(child->jail->host_name)),
         "name the host");
    if (!child->jail->shares_network)
        raise_loopback();
    limit(child);
    set_stdio(child);
    snprintf(name, sizeof name, "%s", child->jail->name);
    syscall(SYS_execveat, child->program_fd, "", argv, environment, AT_EMPTY_PATH);
    fail(child, "execute the meter");
}

/* ---- the parent ---- */

static bool write_text(int pid, const char *name, const char *text)
{
    char path[64];
    GL_AUTO(gl_auto_close) int fd = -1;

    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* Inside it is root; outside it is us, or nobody where we are root. */
static int map_user(int pid, struct gl_error *err)
{
    unsigned uid = geteuid() == 0 ? GL_LOCAL_NOBODY : (unsigned)geteuid();
    unsigned gid = geteuid() == 0 ? GL_LOCAL_NOBODY : (unsigned)getegid();
    char uid_line[32], gid_line[32];

    snprintf(uid_line, sizeof uid_line, "0 %u 1\n", uid);
    snprintf(gid_line, sizeof gid_line, "0 %u 1\n", gid);
    if (write_text(pid, "setgroups", "deny") && write_text(pid, "uid_map", uid_line) &&
        write_text(pid, "gid_map", gid_line))
        return 0;
    return gl_fail_sys(err, GL_E_NO_LOCAL, errno, "cannot map a user into a namespace");
}

static int forbidden(int sys, struct gl_error *err)
{
    return gl_fail_sys(err, GL_E_NO_LOCAL, sys,
                       "this machine does not let you make user "
                       "namespaces (sysctl user.max_user_namespaces, "
                       "kernel.unprivileged_userns_clone, "
                       "kernel.apparmor_restrict_unprivileged_userns), and virtual machines need "
                       "qemu-system-x86 and the guest kernel (tools/setup.sh)");
}

static void reap(int pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

/* The files of a process whose memory is private are root's: nobody else could map a user into the
 * child, which is born as private as we are. */
static int fork_into(unsigned long flags)
{
    int was_dumpable = prctl(PR_GET_DUMPABLE), pid;

    prctl(PR_SET_DUMPABLE, 1);
    pid = (int)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
    if (pid != 0 && was_dumpable == 0)
        prctl(PR_SET_DUMPABLE, 0);
    return pid;
}

/* Let the child go on and hear whether it came as far as its program. */
static int release_child(int pid, int go_fd, int report_fd, struct gl_error *err)
{
    struct report report;
    ssize_t got;

    if (map_user(pid, err) < 0)
        return -1;
    if (write(go_fd, "g", 1) != 1)
        return gl_fail_sys(err, GL_E_LAUNCH, errno, "cannot start a namespace");
    do
        got = read(report_fd, &report, sizeof report);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        return 0;
    report.step[sizeof report.step - 1] = '\0';
    return gl_fail_sys(err, GL_E_LAUNCH, got == (ssize_t)sizeof report ? report.sys : errno,
                       "cannot set up a namespace: %s",
                       got == (ssize_t)sizeof report ? report.step : "no report");
}

int gl_jail_start(const struct gl_jail *jail, struct gl_process *out, struct gl_error *err)
{
    unsigned long flags = JAIL_FLAGS | (jail->shares_network ? 0 : CLONE_NEWNET);
    int go[2], report[2], pid, got = -1;
    struct child child = {.jail = jail};

    if (pipe2(go, O_CLOEXEC) < 0)
        return gl_fail_sys(err, GL_E_LAUNCH, errno, "cannot make a pipe");
    if (pipe2(report, O_CLOEXEC) < 0) {
        close(go[0]);
        close(go[1]);
        return gl_fail_sys(err, GL_E_LAUNCH, errno, "cannot make a pipe");
    }
    child.go_fd = go[0];
    child.report_fd = report[1];
    pid = fork_into(flags);
    if (pid == 0) {
        close(go[1]); /* or it would wait for ever when the parent dies */
        run_child(&child);
    }
    if (pid < 0)
        forbidden(errno, err);
    close(go[0]);
    close(report[1]);
    if (pid > 0)
        got = release_child(pid, go[1], report[0], err);
    close(go[1]);
    close(report[0]);
    if (got == 0)
        *out = gl_local_process_of(pid);
    else if (pid > 0) {
        kill(pid, SIGKILL);
        reap(pid);
    }
    return got;
}

/* AppArmor may allow the namespace and refuse every mount inside, so one is tried. */
int gl_jail_check(struct gl_error *err)
{
    int pid = fork_into(JAIL_FLAGS | CLONE_NEWNET), status = 0;

    if (pid == 0)
        _exit(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? errno & 0xff : 0);
    if (pid < 0)
        return forbidden(errno, err);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    return forbidden(WIFEXITED(status) ? WEXITSTATUS(status) : EPERM, err);
}
