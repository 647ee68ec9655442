/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "providers/cloud/local.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define UPDATE_WAIT_MS 60000 /* longer than a move takes */
#define CONSOLE_PIECE  ((size_t)1 << 20)

int gl_local_lock(const char *folder, int64_t wait_ms, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, "lock");

    return gl_file_lock(path, wait_ms, err);
}

bool gl_local_is_locked(const char *folder)
{
    struct gl_error why = {0};
    GL_AUTO(gl_auto_close) int fd = gl_local_lock(folder, 0, &why);

    return fd < 0 && why.code == GL_E_LOCKED;
}

int gl_local_update(const char *folder,
                    bool (*change)(void *cookie, struct gl_local_record *record), void *cookie,
                    struct gl_error *err)
{
    GL_AUTO(gl_auto_close) int lock = gl_local_lock(folder, UPDATE_WAIT_MS, err);
    struct gl_local_record record;

    if (lock < 0 || gl_local_record_load(folder, &record, err) < 0)
        return -1;
    return change(cookie, &record) ? gl_local_record_save(folder, &record, err) : 0;
}

bool gl_local_find_alive(const struct gl_local_record *record, struct gl_process *out)
{
    if (gl_local_is_alive(record)) {
        *out = record->process;
        return true;
    }
    /* Between the start and the note of its pid a launcher may have died. */
    if (record->state == GL_STATE_LAUNCHING)
        return gl_local_find_process(record->tag, out);
    return false;
}

static int64_t without_boot(const struct gl_local_record *record, int64_t cpu_ms)
{
    return cpu_ms > record->cpu_boot_ms ? cpu_ms - record->cpu_boot_ms : 0;
}

int64_t gl_local_cpu_ms(const struct gl_local_record *record, const struct gl_process *process)
{
    int64_t cpu_ms;

    if (process == NULL && record->state == GL_STATE_SUSPENDED)
        return without_boot(record, record->cpu_before_ms);
    if (process == NULL)
        return record->host_cpu_ms;
    cpu_ms = strcmp(record->how, "process") == 0 ? gl_local_process_cpu_ms(process)
                                                 : gl_process_cpu_ms(process);
    return cpu_ms >= 0 ? without_boot(record, cpu_ms + record->cpu_before_ms) : -1;
}

void gl_local_clean_folder(const char *folder)
{
    static const char *const names[] = {GL_LOCAL_CONTROL, GL_LOCAL_QMP, GL_LOCAL_STOP,
                                        GL_LOCAL_HOLD};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, names[i]);

        unlink(path);
    }
}

/* A guest writes its console without end, so a read takes a piece: what the string has room for. */
int gl_local_console(const char *folder, uint64_t offset, struct gl_str *out, uint64_t *out_next,
                     struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, GL_LOCAL_CONSOLE);
    GL_AUTO(gl_auto_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    size_t ceiling = out->ceiling > 0 ? out->ceiling : GL_STR_CEILING;
    size_t room = ceiling > out->length ? ceiling - out->length : 0;
    size_t most = room < CONSOLE_PIECE ? room : CONSOLE_PIECE;
    char bytes[16384];
    ssize_t got = 1;

    if (fd < 0 && errno != ENOENT)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot open %s", path);
    while (fd >= 0 && got > 0 && most > 0) {
        got = pread(fd, bytes, most < sizeof bytes ? most : sizeof bytes, (off_t)offset);
        if (got < 0)
            return gl_fail_sys(err, GL_E_IO, errno, "cannot read %s", path);
        gl_str_add_bytes(out, bytes, (size_t)got);
        offset += (uint64_t)got;
        most -= (size_t)got;
    }
    *out_next = offset;
    return 0;
}
