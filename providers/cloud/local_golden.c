/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local_golden.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SNAPSHOT_MAX  ((uint64_t)16 << 30)
#define KEPT          4
#define COMPANION_MAX 4096

static char *path_of(const char *state, const char *key, const char *suffix)
{
    GL_AUTO(gl_str_done) struct gl_str path = {0};

    gl_str_addf(&path, "%s/golden/%s%s", state, key, suffix);
    return gl_str_take(&path);
}

char *gl_golden_text(const struct gl_machine_seal *seal, struct gl_error *err)
{
    char hex[GL_HASH_HEX];
    GL_AUTO(gl_auto_json)
    json_t *object = json_pack("{s:I s:s s:I}", "length", (json_int_t)seal->length, "blake2b",
                               gl_hash_hex(&seal->hash, hex), "v", (json_int_t)1);

    return gl_json_canonical(object, err);
}

int gl_golden_parse(const char *text, size_t size, struct gl_machine_seal *out,
                    struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *object = gl_json_parse(text, size, "snapshot", err);
    struct gl_hash hash;
    const char *hex;
    int64_t length;

    if (object == NULL ||
        gl_json_int(object, "length", 1, (int64_t)SNAPSHOT_MAX, &length, err) < 0 ||
        gl_json_string(object, "blake2b", &hex, err) < 0 ||
        gl_hex_parse(hex, hash.bytes, sizeof hash.bytes, err) < 0)
        return -1;
    *out = (struct gl_machine_seal){.length = (uint64_t)length, .hash = hash};
    return 0;
}

void gl_golden_remove(const char *state, const char *key)
{
    GL_AUTO(gl_auto_free) char *path = path_of(state, key, ".mig");
    GL_AUTO(gl_auto_free) char *companion = path_of(state, key, ".json");

    unlink(path);
    unlink(companion);
}

void gl_golden_open(const char *state, const char *key, struct gl_golden *out)
{
    GL_AUTO(gl_auto_free) char *path = path_of(state, key, ".mig");
    GL_AUTO(gl_auto_free) char *companion = path_of(state, key, ".json");
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_error ignored = {0};
    struct stat info;
    size_t size;

    out->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (out->fd < 0)
        return;
    if (fstat(out->fd, &info) == 0 && info.st_uid == geteuid() &&
        gl_file_read(companion, COMPANION_MAX, &text, &size, &ignored) == 0 &&
        gl_golden_parse(text, size, &out->seal, &ignored) == 0 &&
        (uint64_t)info.st_size == out->seal.length)
        return;
    gl_golden_close(out);
    gl_golden_remove(state, key);
}

void gl_golden_close(struct gl_golden *golden)
{
    if (golden->fd >= 0)
        close(golden->fd);
    golden->fd = -1;
}

bool gl_golden_is_whole(const struct gl_golden *golden)
{
    return gl_machine_is_whole(golden->fd, &golden->seal);
}

/* ---- saving ---- */

static int put_in_place(const char *state, const char *key, const char *temporary,
                        const struct gl_machine_seal *seal, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = path_of(state, key, ".mig");
    GL_AUTO(gl_auto_free) char *companion = path_of(state, key, ".json");
    GL_AUTO(gl_auto_free) char *text = NULL;

    text = gl_golden_text(seal, err);
    if (text == NULL || gl_file_write(companion, text, strlen(text), 0600, err) < 0)
        return -1;
    if (rename(temporary, path) < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot rename %s", temporary);
    return 0;
}

static int save(const char *state, const char *key, struct gl_qmp *qmp, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *folder = gl_path_join(state, "golden");
    GL_AUTO(gl_str_done) struct gl_str temporary = {0};
    GL_AUTO(gl_auto_close) int fd = -1;
    struct gl_machine_seal seal;

    if (gl_dir_make(folder, err) < 0)
        return -1;
    gl_local_keep_youngest(folder, ".mig", KEPT - 1);
    gl_str_addf(&temporary, "%s/%s.%ld", folder, key, (long)getpid());
    fd = open(temporary.text, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot create %s", temporary.text);
    if (gl_machine_save(qmp, fd, -1, &seal, err) == 0 &&
        put_in_place(state, key, temporary.text, &seal, err) == 0)
        return 0;
    unlink(temporary.text);
    return -1;
}

int gl_golden_make(const char *state, const char *key, struct gl_qmp *qmp, struct gl_error *err)
{
    struct gl_error ignored = {0};

    if (gl_machine_stop(qmp, err) < 0)
        return -1;
    save(state, key, qmp, &ignored);
    return gl_machine_continue(qmp, err);
}
