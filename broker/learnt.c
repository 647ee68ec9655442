/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/learnt.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* File: the SHA-256 of all that follows, the program's version, the bytes. */
#define VERSION_BYTES 32
#define HEAD_BYTES    (32 + VERSION_BYTES)

static char *path_of(const struct gl_learnt *learnt, const struct gl_hash *key)
{
    char name[GL_HASH_HEX];

    return gl_path_join(learnt->folder, gl_hash_hex(key, name));
}

static void write_version(unsigned char out[VERSION_BYTES])
{
    memset(out, 0, VERSION_BYTES);
    snprintf((char *)out, VERSION_BYTES, "%s %d", GL_VERSION, GL_BOOK_ENGINE);
}

static bool load(void *cookie, const struct gl_hash *key, void *bytes, size_t size)
{
    const struct gl_learnt *learnt = cookie;
    GL_AUTO(gl_auto_free) char *path = path_of(learnt, key);
    GL_AUTO(gl_auto_free) char *file = NULL;
    struct gl_error ignored = {0};
    unsigned char version[VERSION_BYTES];
    struct gl_hash hash;
    size_t length;

    write_version(version);
    if (gl_file_read(path, HEAD_BYTES + size, &file, &length, &ignored) != 0 ||
        length != HEAD_BYTES + size)
        return false;
    gl_hash_of(file + sizeof hash.bytes, length - sizeof hash.bytes, &hash);
    if (memcmp(file, hash.bytes, sizeof hash.bytes) != 0 ||
        memcmp(file + sizeof hash.bytes, version, sizeof version) != 0)
        return false;
    memcpy(bytes, file + HEAD_BYTES, size);
    return true;
}

/* ---- at most so many files ---- */

struct oldest {
    size_t count;
    char *path;
    struct timespec at;
};

static void look_at(const char *path, struct oldest *oldest)
{
    struct stat about;

    if (lstat(path, &about) != 0 || !S_ISREG(about.st_mode))
        return;
    oldest->count++;
    if (oldest->path != NULL &&
        (about.st_mtim.tv_sec > oldest->at.tv_sec || (about.st_mtim.tv_sec == oldest->at.tv_sec &&
                                                      about.st_mtim.tv_nsec >= oldest->at.tv_nsec)))
        return;
    free(oldest->path);
    oldest->path = gl_strdup(path);
    oldest->at = about.st_mtim;
}

/* What was not learnt on for longest goes: each length of run and each limit has a file. */
static void make_room(const struct gl_learnt *learnt)
{
    struct oldest oldest = {.count = 0};
    DIR *folder = opendir(learnt->folder);
    const struct dirent *item;

    while (folder != NULL && (item = readdir(folder)) != NULL) {
        GL_AUTO(gl_auto_free) char *path = gl_path_join(learnt->folder, item->d_name);

        look_at(path, &oldest);
    }
    if (folder != NULL)
        closedir(folder);
    if (oldest.count > GL_LEARNT_FILES)
        unlink(oldest.path);
    free(oldest.path);
}

static void save(void *cookie, const struct gl_hash *key, const void *bytes, size_t size)
{
    const struct gl_learnt *learnt = cookie;
    GL_AUTO(gl_auto_free) char *path = path_of(learnt, key);
    GL_AUTO(gl_auto_free) unsigned char *file = gl_alloc(HEAD_BYTES + size);
    struct gl_error ignored = {0};
    struct gl_hash hash;

    write_version(file + sizeof hash.bytes);
    memcpy(file + HEAD_BYTES, bytes, size);
    gl_hash_of(file + sizeof hash.bytes, HEAD_BYTES - sizeof hash.bytes + size, &hash);
    memcpy(file, hash.bytes, sizeof hash.bytes);
    if (gl_dir_make(learnt->folder, &ignored) == 0 &&
        gl_file_write(path, file, HEAD_BYTES + size, 0600, &ignored) == 0)
        make_room(learnt);
}

void gl_learnt_init(struct gl_learnt *out, const char *state_folder)
{
    *out = (struct gl_learnt){0};
    if (state_folder == NULL)
        return;
    out->folder = gl_path_join(state_folder, "learnt");
    out->memory = (struct gl_book_memory){out, load, save};
}

void gl_learnt_done(struct gl_learnt *learnt)
{
    free(learnt->folder);
    *learnt = (struct gl_learnt){0};
}
