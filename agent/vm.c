/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/vm.h"

#include "base/file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <net/if.h>
#include <net/route.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MODULES      "/lib/greenlaunch"
#define MODULES_MOST ((size_t)16 << 10)
#define DISK_WAIT_MS 2000

struct mount_row {
    const char *type, *at, *data;
    unsigned long flags;
};

static const struct mount_row mounts[] = {
    {"proc", "/proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
    {"sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
    {"devtmpfs", "/dev", "mode=0755", MS_NOSUID},
    {"tmpfs", "/tmp", "mode=1777", MS_NOSUID | MS_NODEV},
    {"tmpfs", "/run", "mode=0755", MS_NOSUID | MS_NODEV},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Load one module file. Loaded already is as good. */
static int load_module(const char *name, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(MODULES, name);
    GL_AUTO(gl_auto_close) int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot open %s", path);
    if (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot load %s", path);
    return 0;
}

static void load_modules(void (*note)(void *cookie, const char *text), void *cookie)
{
    GL_AUTO(gl_auto_free) char *list = NULL;
    struct gl_error err = {0};
    size_t length;
    char *at;

    if (gl_file_read(MODULES "/modules.list", MODULES_MOST, &list, &length, &err) < 0) {
        if (err.sys != ENOENT)
            note(cookie, err.text);
        return;
    }
    at = list;
    for (char *name; (name = strsep(&at, "\n")) != NULL;) {
        gl_error_clear(&err);
        if (name[0] != '\0' && strchr(name, '/') == NULL && load_module(name, &err) < 0)
            note(cookie, err.text);
    }
}

/* Flags of an interface, and its address if `address` is not 0 (host byte order). */
static int interface_up(const char *name, uint32_t address, uint32_t mask)
{
    GL_AUTO(gl_auto_close) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = {0};
    struct sockaddr_in internet = {.sin_family = AF_INET};

    if (fd < 0)
        return -1;
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (address != 0) {
        internet.sin_addr.s_addr = htonl(address);
        memcpy(&request.ifr_addr, &internet, sizeof internet);
        if (ioctl(fd, SIOCSIFADDR, &request) < 0)
            return -1;
        internet.sin_addr.s_addr = htonl(mask);
        memcpy(&request.ifr_netmask, &internet, sizeof internet);
        if (ioctl(fd, SIOCSIFNETMASK, &request) < 0)
            return -1;
    }
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    return ioctl(fd, SIOCSIFFLAGS, &request);
}

static int route_by(uint32_t gateway)
{
    GL_AUTO(gl_auto_close) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct rtentry route = {.rt_flags = RTF_UP | RTF_GATEWAY};
    struct sockaddr_in internet = {.sin_family = AF_INET};

    if (fd < 0)
        return -1;
    memcpy(&route.rt_dst, &internet, sizeof internet);
    memcpy(&route.rt_genmask, &internet, sizeof internet);
    internet.sin_addr.s_addr = htonl(gateway);
    memcpy(&route.rt_gateway, &internet, sizeof internet);
    return ioctl(fd, SIOCADDRT, &route);
}

void gl_vm_boot(void (*note)(void *cookie, const char *text), void *cookie)
{
    char text[128];

    umask(022);
    for (size_t i = 0; i < COUNT(mounts); i++) {
        const struct mount_row *row = &mounts[i];

        mkdir(row->at, 0755);
        /* EBUSY: the kernel mounted /dev itself */
        if (mount(row->type, row->at, row->type, row->flags, row->data) < 0 && errno != EBUSY) {
            snprintf(text, sizeof text, "cannot mount %s: %s", row->at, strerror(errno));
            note(cookie, text);
        }
    }
    interface_up("lo", 0, 0);
    load_modules(note, cookie);
}

int gl_vm_set_clock(int64_t now_ms, struct gl_error *err)
{
    const struct timespec now = {.tv_sec = now_ms / 1000, .tv_nsec = now_ms % 1000 * 1000000};

    if (clock_settime(CLOCK_REALTIME, &now) < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot set the clock");
    return 0;
}

int gl_vm_add_entropy(const uint8_t *bytes, size_t length, struct gl_error *err)
{
    union {
        struct rand_pool_info info;
        char room[sizeof(struct rand_pool_info) + 64];
    } pool = {.info = {.entropy_count = (int)(8 * length), .buf_size = (int)length}};
    GL_AUTO(gl_auto_close) int fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC);

    if (length > 64)
        return gl_fail(err, GL_E_INTERNAL, "more than 64 bytes of entropy");
    memcpy(pool.room + offsetof(struct rand_pool_info, buf), bytes, length);
    if (fd < 0 || ioctl(fd, RNDADDENTROPY, &pool) < 0 || ioctl(fd, RNDRESEEDCRNG) < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot add to the kernel's randomness");
    return 0;
}

int gl_vm_network(struct gl_error *err)
{
    static const char resolver[] = "nameserver 10.0.2.3\n";

    if (interface_up("eth0", 0x0a00020f, 0xffffff00) < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot set up eth0");
    if (route_by(0x0a000202) < 0 && errno != EEXIST)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot set the default route");
    mkdir("/etc", 0755);
    return gl_file_write("/etc/resolv.conf", resolver, sizeof resolver - 1, 0644, err);
}

static int mount_any(const char *disk, const char *at)
{
    char device[48];

    for (int part = 1; part <= 15; part++) {
        snprintf(device, sizeof device, "/dev/%s%d", disk, part);
        if (mount(device, at, "ext4", MS_NODEV, NULL) == 0)
            return 0;
    }
    snprintf(device, sizeof device, "/dev/%s", disk);
    return mount(device, at, "ext4", MS_NODEV, NULL);
}

int gl_vm_mount_disk(const char *disk, const char *at, struct gl_error *err)
{
    const struct timespec pause = {.tv_nsec = 50000000};
    char device[48];

    snprintf(device, sizeof device, "/dev/%s", disk);
    for (int waited = 0; !gl_file_exists(device) && waited < DISK_WAIT_MS; waited += 50)
        nanosleep(&pause, NULL);
    mkdir(at, 0755);
    if (mount_any(disk, at) < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "no ext4 file system on %s or its partitions",
                           device);
    return 0;
}

void gl_vm_fill_root(const char *root)
{
    for (size_t i = 0; i < COUNT(mounts); i++) {
        GL_AUTO(gl_auto_free) char *at = gl_path_join(root, mounts[i].at + 1);

        mkdir(at, 0755);
        mount(mounts[i].at, at, NULL, MS_BIND | MS_REC, NULL);
    }
}

void gl_vm_power_off(void)
{
    sync();
    reboot(RB_POWER_OFF);
}
