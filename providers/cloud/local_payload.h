/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_LOCAL_PAYLOAD_H
#define GL_PROVIDERS_LOCAL_PAYLOAD_H

/* What travels into an instance after it has booted: host programs with the shared libraries and
 * script interpreters they need, under their own paths, and small files under paths of the
 * user's choice. Refuses to run the program it carries; only its dynamic loader is asked
 * (ld.so(8), --list), and only one that the system owns. What a program opens at run time
 * (plug-ins, modules, data) is not found. */

#include "providers/cloud/local_cpio.h"

#define GL_PAYLOAD_MAX       ((uint64_t)256 << 20) /* all of it */
#define GL_PAYLOAD_FILES_MAX ((uint64_t)64 << 20)  /* files_in together */
#define GL_PAYLOAD_PATHS_MAX 512

struct gl_payload {
    char *paths[GL_PAYLOAD_PATHS_MAX]; /* host files that go to the same path, each once */
    size_t count;
};

/* Add a program (a path, or a name to look up in PATH) and all it needs to start.
 * Errors: USAGE when it is not there, BAD_VALUE when a library is missing or it is no program:
 * neither ELF nor a script that names its interpreter. */
int gl_payload_add_program(struct gl_payload *payload, const char *program, struct gl_error *err);
/* The interpreter a file asks for: ELF PT_INTERP or the "#!" line. 1 and *out, 0 none (static or
 * no program at all). */
#define GL_PAYLOAD_HEAD 4096
int gl_payload_interpreter(const char *head, size_t length, char out[256], bool *out_is_script);
/* Paths in the output of `ld.so --list`; BAD_VALUE names a library that was not found. */
int gl_payload_parse_list(struct gl_payload *payload, const char *text, const char *program,
                          struct gl_error *err);
/* What a launch carries along as an archive: programs and files_in, both NULL or ended by NULL, as
 * gl_payload_add_program() and gl_payload_write() take them. */
int gl_payload_pack(const char *const *programs, const char *const *files_in,
                    bool (*is_there)(const char *path), int fd, uint64_t *out_length,
                    struct gl_error *err);
/* Can that be packed? Nothing is kept. */
int gl_payload_check(const char *const *programs, const char *const *files_in,
                     struct gl_error *err);
/* Write the archive: programs first, then each "HOST:GUEST" of files_in (NULL = none). A path for
 * which `is_there` says true is left out. */
int gl_payload_write(const struct gl_payload *payload, const char *const *files_in,
                     bool (*is_there)(const char *path), int fd, uint64_t *out_length,
                     struct gl_error *err);
void gl_payload_done(struct gl_payload *payload);

#endif
