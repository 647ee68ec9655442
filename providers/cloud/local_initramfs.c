/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local_initramfs.h"

#include "base/file.h"
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORM          1 /* counts up when the contents below change */
#define INITRAMFS_MAX ((uint64_t)64 << 20)
#define IMAGE_MAX     ((uint64_t)3 << 30)
#define LIST_MAX      ((size_t)64 << 10)
#define KEPT          4

bool gl_initramfs_wants(const char *module, const struct gl_initramfs_options *options)
{
    static const char *const network[] = {"failover.ko", "net_failover.ko", "virtio_net.ko"};
    static const char *const disk[] = {"virtio_blk.ko", "crc16.ko", "crc32c_generic.ko",
                                       "mbcache.ko",    "jbd2.ko",  "ext4.ko"};

    for (size_t i = 0; i < sizeof network / sizeof *network; i++)
        if (strcmp(module, network[i]) == 0)
            return options->has_network;
    for (size_t i = 0; i < sizeof disk / sizeof *disk; i++)
        if (strcmp(module, disk[i]) == 0)
            return options->has_disk;
    return true;
}

void gl_initramfs_describe(const struct gl_local_host *host,
                           const struct gl_initramfs_options *options, struct gl_str *out)
{
    GL_AUTO(gl_auto_free) char *list = gl_path_join(host->kernel_folder, "modules.list");

    gl_str_addf(out, "initramfs %d%s%s\n", FORM, options->has_network ? " network" : "",
                options->has_disk ? " disk" : "");
    gl_local_fingerprint(host->meter, out);
    gl_local_fingerprint(list, out);
    if (host->busybox != NULL)
        gl_local_fingerprint(host->busybox, out);
}

/* ---- contents ---- */

static int add_modules(struct gl_newc *archive, const char *kernel_folder,
                       const struct gl_initramfs_options *options, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *list_path = gl_path_join(kernel_folder, "modules.list");
    GL_AUTO(gl_auto_free) char *list = NULL;
    GL_AUTO(gl_str_done) struct gl_str wanted = {0};
    char *rest = NULL;
    size_t length;

    if (gl_file_read(list_path, LIST_MAX, &list, &length, err) < 0)
        return -1;
    for (char *name = strtok_r(list, "\n", &rest); name; name = strtok_r(NULL, "\n", &rest)) {
        GL_AUTO(gl_str_done) struct gl_str host = {0};
        GL_AUTO(gl_str_done) struct gl_str guest = {0};

        if (!gl_initramfs_wants(name, options))
            continue;
        gl_str_addf(&host, "%s/modules/%s", kernel_folder, name);
        gl_str_addf(&guest, "lib/greenlaunch/%s", name);
        if (gl_newc_add_file(archive, guest.text, host.text, INITRAMFS_MAX, err) < 0)
            return -1;
        gl_str_addf(&wanted, "%s\n", name);
    }
    if (wanted.length == 0)
        return gl_fail(err, GL_E_NO_LOCAL, "%s names no module", list_path);
    return gl_newc_add(archive, "lib/greenlaunch/modules.list", S_IFREG | 0644, wanted.text,
                       wanted.length, err);
}

/* A link for each applet, at the place busybox itself names ("usr/bin/awk"). */
static int add_busybox(struct gl_newc *archive, const char *busybox, struct gl_error *err)
{
    static const char target[] = "/bin/busybox";
    const char *argv[] = {busybox, "--list-full", NULL};
    GL_AUTO(gl_str_done) struct gl_str names = {0};
    char *rest = NULL;
    int status;

    if (gl_process_capture(argv, LIST_MAX, 10000, &names, &status, err) < 0 ||
        gl_newc_add_file(archive, target, busybox, INITRAMFS_MAX, err) < 0)
        return -1;
    if (names.length == 0)
        return 0;
    for (char *name = strtok_r(names.text, "\n", &rest); name; name = strtok_r(NULL, "\n", &rest))
        if (strcmp(name, target + 1) != 0 && strcmp(name, "init") != 0 &&
            gl_newc_add(archive, name, S_IFLNK | 0777, target, sizeof target - 1, err) < 0)
            return -1;
    return 0;
}

static int add_base(struct gl_newc *archive, struct gl_error *err)
{
    static const char *const folders[] = {
        "bin",  "dev", "etc",  "image", "in",  "lib",     "lib64",    "mnt",     "out",     "proc",
        "root", "run", "sbin", "sys",   "tmp", "usr/bin", "usr/sbin", "usr/lib", "var/tmp", "work"};
    static const struct {
        const char *name, *text;
    } files[] = {
        {"etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"},
        {"etc/group", "root:x:0:\nnogroup:x:65534:\n"},
        {"etc/hosts", "127.0.0.1 localhost\n"},
        {"etc/resolv.conf", "nameserver 10.0.2.3\n"},
        {"etc/os-release", "NAME=\"greenlaunch guest\"\nID=greenlaunch\n"},
    };

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (gl_newc_add_folder(archive, folders[i], err) < 0)
            return -1;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (gl_newc_add(archive, files[i].name, S_IFREG | 0644, files[i].text,
                        strlen(files[i].text), err) < 0)
            return -1;
    return 0;
}

static int write_initramfs(int fd, const struct gl_local_host *host,
                           const struct gl_initramfs_options *options, struct gl_error *err)
{
    struct gl_newc archive;

    gl_newc_init(&archive, fd, INITRAMFS_MAX);
    if (add_base(&archive, err) < 0 ||
        add_modules(&archive, host->kernel_folder, options, err) < 0 ||
        (host->busybox != NULL && add_busybox(&archive, host->busybox, err) < 0) ||
        gl_newc_add_file(&archive, "init", host->meter, INITRAMFS_MAX, err) < 0)
        return gl_wrap(err, "cannot make the guest's initramfs");
    return gl_newc_finish(&archive, err);
}

/* ---- the kept file ---- */

/* QEMU reads it as another user through a descriptor, so the file itself must be readable; its
 * folder is not. */
static int make_kept(const char *folder, const char *path, const struct gl_local_host *host,
                     const struct gl_initramfs_options *options, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str temporary = {0};
    GL_AUTO(gl_auto_close) int fd = -1;

    if (gl_dir_make(folder, err) < 0)
        return -1;
    gl_local_keep_youngest(folder, ".cpio", KEPT - 1);
    gl_str_addf(&temporary, "%s.%ld", path, (long)getpid());
    fd = open(temporary.text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot create %s", temporary.text);
    if (write_initramfs(fd, host, options, err) == 0 && fchmod(fd, 0644) == 0 && fsync(fd) == 0 &&
        rename(temporary.text, path) == 0)
        return 0;
    gl_fail_sys(err, GL_E_IO, errno, "cannot write %s", path);
    unlink(temporary.text);
    return -1;
}

int gl_initramfs_open(const char *state, const struct gl_local_host *host,
                      const struct gl_initramfs_options *options, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *folder = gl_path_join(state, "initramfs");
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    GL_AUTO(gl_str_done) struct gl_str path = {0};
    char key[GL_LOCAL_KEY];
    int fd;

    gl_initramfs_describe(host, options, &text);
    gl_local_key(&text, key);
    gl_str_addf(&path, "%s/%s.cpio", folder, key);
    fd = open(path.text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && make_kept(folder, path.text, host, options, err) < 0)
        return -1;
    if (fd < 0)
        fd = open(path.text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        gl_fail_sys(err, GL_E_IO, errno, "cannot open %s", path.text);
    return fd;
}

int gl_initramfs_open_with_image(const char *state, const struct gl_local_host *host,
                                 const struct gl_initramfs_options *options,
                                 const struct gl_image *image, uint64_t *out_length,
                                 struct gl_error *err)
{
    int fd = gl_local_temporary(state, err);
    struct gl_newc archive;

    if (fd < 0)
        return -1;
    if (write_initramfs(fd, host, options, err) == 0) {
        gl_newc_init(&archive, fd, IMAGE_MAX);
        if (gl_image_add_tree(image, &archive, err) == 0 && gl_newc_finish(&archive, err) == 0 &&
            fchmod(fd, 0644) == 0) {
            *out_length = archive.length;
            return fd;
        }
    }
    gl_fail_sys(err, GL_E_IO, errno, "cannot write the guest's root file system");
    close(fd);
    return -1;
}
