/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local_payload.h"

#include "base/file.h"
#include "base/process.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIST_MAX     ((size_t)256 << 10)
#define LIST_MS      10000
#define SCRIPT_DEPTH 4 /* a script's interpreter may be a script */

static int add_path(struct gl_payload *payload, const char *path, struct gl_error *err)
{
    for (size_t i = 0; i < payload->count; i++)
        if (strcmp(payload->paths[i], path) == 0)
            return 0;
    if (payload->count == GL_PAYLOAD_PATHS_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "more than %d files to carry along",
                       GL_PAYLOAD_PATHS_MAX);
    payload->paths[payload->count++] = gl_strdup(path);
    return 0;
}

void gl_payload_done(struct gl_payload *payload)
{
    for (size_t i = 0; i < payload->count; i++)
        free(payload->paths[i]);
    payload->count = 0;
}

/* ---- who starts it ---- */

static int script_interpreter(const char *head, size_t length, char out[256])
{
    size_t at = 2, end;

    while (at < length && (head[at] == ' ' || head[at] == '\t'))
        at++;
    for (end = at; end < length && strchr(" \t\r\n", head[end]) == NULL; end++)
        continue;
    if (end == at || end - at >= 256 || head[at] != '/')
        return 0;
    memcpy(out, head + at, end - at);
    out[end - at] = '\0';
    return 1;
}

static int elf_interpreter(const char *head, size_t length, char out[256])
{
    Elf64_Ehdr header;
    Elf64_Phdr program;

    if (length < sizeof header)
        return 0;
    memcpy(&header, head, sizeof header);
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof program)
        return 0;
    for (unsigned i = 0; i < header.e_phnum; i++) {
        uint64_t at = header.e_phoff + (uint64_t)i * sizeof program;

        if (header.e_phoff > length || at + sizeof program > length)
            return 0;
        memcpy(&program, head + at, sizeof program);
        if (program.p_type != PT_INTERP)
            continue;
        if (program.p_filesz < 2 || program.p_filesz > 256 || program.p_offset > length ||
            program.p_offset + program.p_filesz > length ||
            head[program.p_offset + program.p_filesz - 1] != '\0')
            return 0;
        memcpy(out, head + program.p_offset, (size_t)program.p_filesz);
        return 1;
    }
    return 0;
}

static bool is_elf(const char *head, size_t length)
{
    return length > SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0;
}

int gl_payload_interpreter(const char *head, size_t length, char out[256], bool *out_is_script)
{
    *out_is_script = length > 2 && memcmp(head, "#!", 2) == 0;
    if (*out_is_script)
        return script_interpreter(head, length, out);
    if (is_elf(head, length))
        return elf_interpreter(head, length, out);
    return 0;
}

/* ---- what it links ---- */

/* One line of the list: "NAME => PATH (0x..)", "PATH (0x..)", "NAME => not found". */
static int parse_line(struct gl_payload *payload, const char *line, size_t length,
                      const char *program, struct gl_error *err)
{
    static const char arrow[] = " => ";
    GL_AUTO(gl_auto_free) char *text = gl_alloc(length + 1);
    char *path = text, *end;

    memcpy(text, line, length);
    path += strspn(text, " \t");
    end = strstr(path, arrow);
    if (end != NULL) {
        if (strncmp(end + sizeof arrow - 1, "not found", 9) == 0)
            return gl_fail(err, GL_E_BAD_VALUE, "%s needs the library %.*s, which is not installed",
                           program, (int)(end - path), path);
        path = end + sizeof arrow - 1;
    }
    end = strstr(path, " (");
    if (path[0] != '/' || end == NULL) /* linux-vdso is no file */
        return 0;
    *end = '\0';
    return add_path(payload, path, err);
}

int gl_payload_parse_list(struct gl_payload *payload, const char *text, const char *program,
                          struct gl_error *err)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");

        if (parse_line(payload, text, length, program, err) < 0)
            return -1;
        text += length + (text[length] == '\n');
    }
    return 0;
}

/* A loader is run with our rights: it must be root's own and lie where systems keep theirs. */
static bool is_system_loader(const char *path)
{
    struct stat info;

    return (strncmp(path, "/lib", 4) == 0 || strncmp(path, "/usr/lib", 8) == 0) &&
           gl_newc_name_is_safe(path) && stat(path, &info) == 0 && S_ISREG(info.st_mode) &&
           info.st_uid == 0 && (info.st_mode & 022) == 0;
}

static int add_libraries(struct gl_payload *payload, const char *loader, const char *program,
                         struct gl_error *err)
{
    const char *argv[] = {loader, "--list", program, NULL};
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    int status;

    if (!is_system_loader(loader))
        return gl_fail(err, GL_E_BAD_VALUE, "%s asks for the loader %s, which is not the system's",
                       program, loader);
    if (add_path(payload, loader, err) < 0 ||
        gl_process_capture(argv, LIST_MAX, LIST_MS, &text, &status, err) < 0)
        return -1;
    /* With a missing library glibc lists the rest and fails: the list tells the name. */
    if (gl_payload_parse_list(payload, gl_str_text(&text), program, err) < 0)
        return -1;
    if (status != 0)
        return gl_fail(err, GL_E_BAD_VALUE, "%s cannot list the libraries of %s", loader, program);
    return 0;
}

static int read_head(const char *path, const char *name, char out[GL_PAYLOAD_HEAD],
                     size_t *out_length, struct gl_error *err)
{
    GL_AUTO(gl_auto_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat info;
    ssize_t got;

    if (fd < 0 || fstat(fd, &info) < 0)
        return gl_fail_sys(err, GL_E_USAGE, errno, "cannot open the program %s", name);
    if (!S_ISREG(info.st_mode))
        return gl_fail(err, GL_E_BAD_VALUE, "%s is no program but a %s", name,
                       S_ISDIR(info.st_mode) ? "folder" : "special file");
    got = pread(fd, out, GL_PAYLOAD_HEAD, 0);
    if (got < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot read the program %s", name);
    *out_length = (size_t)got;
    return 0;
}

static int refuse(const char *name, struct gl_error *err)
{
    return gl_fail(err, GL_E_BAD_VALUE,
                   "%s is no program: neither ELF nor a script whose first line names its "
                   "interpreter, as in #!/bin/sh (--file-in carries other files)",
                   name);
}

int gl_payload_add_program(struct gl_payload *payload, const char *program, struct gl_error *err)
{
    GL_AUTO(gl_auto_free)
    char *path = strchr(program, '/') != NULL ? realpath(program, NULL) : gl_program_find(program);
    char interpreter[256], head[GL_PAYLOAD_HEAD];
    bool is_script = true;

    if (path == NULL)
        return gl_fail_sys(err, GL_E_USAGE, ENOENT, "cannot find the program %s", program);
    /* An absolute name keeps its links' name (/usr/bin/python3, not python3.11). */
    if (program[0] == '/') {
        free(path);
        path = gl_strdup(program);
    }
    for (int depth = 0; is_script && depth < SCRIPT_DEPTH; depth++) {
        const char *name = depth == 0 ? program : path;
        size_t length = 0;

        if (read_head(path, name, head, &length, err) < 0 || add_path(payload, path, err) < 0)
            return -1;
        if (gl_payload_interpreter(head, length, interpreter, &is_script) == 0)
            return is_elf(head, length) ? 0 : refuse(name, err);
        if (!is_script)
            return add_libraries(payload, interpreter, path, err);
        free(path);
        path = gl_strdup(interpreter);
    }
    return gl_fail(err, GL_E_BAD_VALUE, "%s is a script of a script of a script", program);
}

/* ---- the archive ---- */

static int write_files(struct gl_newc *archive, const char *const *files_in, struct gl_error *err)
{
    uint64_t before = archive->length;

    for (size_t i = 0; files_in != NULL && files_in[i] != NULL; i++) {
        const char *colon = strrchr(files_in[i], ':');
        GL_AUTO(gl_auto_free) char *host = NULL;

        if (colon == NULL || colon == files_in[i] || colon[1] != '/')
            return gl_fail(err, GL_E_BAD_VALUE, "a file to carry is written HOST:/GUEST, not %.80s",
                           files_in[i]);
        host = gl_strdup(files_in[i]);
        host[colon - files_in[i]] = '\0';
        if (gl_newc_add_file(archive, colon + 1, host, GL_PAYLOAD_FILES_MAX, err) < 0) {
            if (err->code == GL_E_IO) /* the user named it: gl_file_read_given() */
                err->code = GL_E_USAGE;
            return -1;
        }
        if (archive->length - before > GL_PAYLOAD_FILES_MAX)
            return gl_fail(err, GL_E_TOO_LARGE, "the files to carry pass 64 MiB");
    }
    return 0;
}

int gl_payload_write(const struct gl_payload *payload, const char *const *files_in,
                     bool (*is_there)(const char *path), int fd, uint64_t *out_length,
                     struct gl_error *err)
{
    struct gl_newc archive;

    gl_newc_init(&archive, fd, GL_PAYLOAD_MAX);
    for (size_t i = 0; i < payload->count; i++) {
        if (is_there != NULL && is_there(payload->paths[i]))
            continue;
        if (gl_newc_add_file(&archive, payload->paths[i], payload->paths[i], GL_PAYLOAD_MAX, err) <
            0)
            return -1;
    }
    if (write_files(&archive, files_in, err) < 0 || gl_newc_finish(&archive, err) < 0)
        return -1;
    *out_length = archive.length;
    return 0;
}

int gl_payload_pack(const char *const *programs, const char *const *files_in,
                    bool (*is_there)(const char *path), int fd, uint64_t *out_length,
                    struct gl_error *err)
{
    struct gl_payload payload = {.count = 0};
    int got = 0;

    for (size_t i = 0; got == 0 && programs != NULL && programs[i] != NULL; i++)
        got = gl_payload_add_program(&payload, programs[i], err);
    if (got == 0)
        got = gl_payload_write(&payload, files_in, is_there, fd, out_length, err);
    gl_payload_done(&payload);
    return got;
}

int gl_payload_check(const char *const *programs, const char *const *files_in, struct gl_error *err)
{
    GL_AUTO(gl_auto_close) int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    uint64_t length;

    return gl_payload_pack(programs, files_in, NULL, fd, &length, err);
}
