/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_LOCAL_H
#define GL_PROVIDERS_LOCAL_H

/* What the files of the local cloud share. See docs/local.md. */

#include "providers/cloud/cloud.h"
#include "providers/cloud/local_host.h"
#include "providers/cloud/local_link.h"
#include "providers/cloud/local_record.h"

/* One of its regions. */
struct gl_local_place {
    char name[40];
    char zone[40]; /* grid zone; "" = not said */
    char *folder;  /* for the states of suspended machines; NULL = the folder of each */
};

struct gl_local {
    struct gl_cloud cloud; /* first: the adapter's handle */
    const struct gl_world *world;
    char *state; /* <state folder>/local */
    bool wants_process;
    struct gl_local_place places[GL_CLOUD_PLACES_MAX];
    size_t place_count; /* at least 1 */
    const char *regions[GL_CLOUD_PLACES_MAX + 1];
    /* For tests: told of every step of a suspension or a move before the next is taken; NULL =
     * none. Steps: docs/local.md. */
    void (*at_step)(void *cookie, const char *step);
    void *step_cookie;
    bool moves_live; /* for tests: as if under KVM */
};

#define GL_LOCAL_REGION "this-machine" /* the one place of a machine without a list of them */

/* ---- local_place.c ---- */

/* Errors: CONFIG (names that are no names, or twice there). */
int gl_local_places_take(struct gl_local *local, const struct gl_cloud_options *options,
                         struct gl_error *err);
void gl_local_places_done(struct gl_local *local);
/* By name, or by zone; NULL when there is none. */
const struct gl_local_place *gl_local_find_place(const struct gl_local *local, const char *region);
/* Is its folder there? NOT_FOUND. */
int gl_local_place_check(const struct gl_local_place *place, struct gl_error *err);
/* Where the state of an instance of the place is kept; BAD_VALUE when the name is too long. */
int gl_local_place_path(const struct gl_local_place *place, const char *folder,
                        char out[GL_LOCAL_PATH], struct gl_error *err);
/* Remove what an interrupted suspension or move left in any place, but not the file `keep`. */
void gl_local_drop_states(const struct gl_local *local, const char *folder, const char *keep);

static inline struct gl_local *gl_local_of(struct gl_cloud *cloud)
{
    return (struct gl_local *)cloud;
}

/* Sizes of local instances; the names are the instance types. */
struct gl_local_type {
    const char *name;
    uint32_t vcpus, memory_mib;
};
const struct gl_local_type *gl_local_types(size_t *out_count);
const struct gl_local_type *gl_local_find_type(const char *name);
/* UNKNOWN_NAME when the local cloud has no such region or type. */
int gl_local_check_region(const struct gl_local *local, const char *region, struct gl_error *err);
int gl_local_check_type(const char *type, struct gl_error *err);
/* Is there memory for another machine? LAUNCH when not; unknown counts as yes. */
int gl_local_check_memory(uint32_t memory_mib, struct gl_error *err);

/* One launch under way. */
struct gl_local_start {
    const struct gl_local *local;
    const struct gl_launch *launch;
    const struct gl_local_host *host;
    const char *folder;             /* of the instance */
    struct gl_local_record *record; /* saved whenever it changes */
    struct gl_link *link;           /* to the guest, once it answers */
};

/* Start the machine or the namespace, configure its guest, run its command. Of a failure nothing is
 * left running: LAUNCH, GUEST (no answer), BAD_VALUE, TOO_LARGE (image, files), IO, NO_LOCAL. */
int gl_local_start_vm(struct gl_local_start *start, struct gl_error *err);
int gl_local_start_process(struct gl_local_start *start, struct gl_error *err);
/* Could namespaces be used here, for this launch (NULL = any)? NO_LOCAL with the reason if not. */
int gl_local_process_check(const struct gl_local_host *host, const struct gl_launch *launch,
                           struct gl_error *err);
/* CPU time of all processes of the namespace whose first process this is; -1 not known. */
int64_t gl_local_process_cpu_ms(const struct gl_process *process);

/* ---- local_list.c: what is there ---- */

struct gl_local_search {
    const char *token;
    char *folder; /* fresh; NULL = none */
    struct gl_local_record record;
    struct gl_error *err;
};

/* For gl_local_each(): 1 when the record of `folder` has the searched token. An unreadable record
 * could be the one that is asked for: -1. */
int gl_local_match_token(void *cookie, const char *folder);
/* Call `visit` for every instance's folder until it returns other than 0; that value. */
int gl_local_each(const struct gl_local *local, int (*visit)(void *cookie, const char *folder),
                  void *cookie, struct gl_error *err);
/* The folder of an instance's id into a fresh string; NOT_FOUND when the id can be none. */
int gl_local_folder_of(const struct gl_local *local, const char *id, char **out,
                       struct gl_error *err);
/* If somebody was interrupted while he suspended, resumed or moved it, and nobody is at it, finish
 * or take back what he did, and read the record again. On failure only `unsettled` is set. */
void gl_local_settle(const struct gl_local *local, const char *folder,
                     struct gl_local_record *record);
/* The folder of an id (fresh, to be freed also after a failure) and its record, settled. */
int gl_local_look(const struct gl_local *local, const char *id, char **out_folder,
                  struct gl_local_record *out, struct gl_error *err);
/* The record's word, corrected by what can be seen. */
void gl_local_show(const char *folder, const struct gl_local_record *record,
                   struct gl_instance *out);
/* Nothing was started and nobody is about to: the launcher died before, or failed. */
bool gl_local_is_nothing(const char *folder, const struct gl_local_record *record);

/* Operations of the adapter. */
int gl_local_launch(struct gl_cloud *cloud, const struct gl_launch *launch, struct gl_instance *out,
                    struct gl_error *err);
int gl_local_check(struct gl_cloud *cloud, const struct gl_launch *launch, struct gl_error *err);
int gl_local_describe(struct gl_cloud *cloud, const char *id, struct gl_instance *out,
                      struct gl_error *err);
int gl_local_find_by_request(struct gl_cloud *cloud, const char *region, const char *token,
                             struct gl_instance *out, struct gl_error *err);
int gl_local_list(struct gl_cloud *cloud, struct gl_instance **out, size_t *out_count,
                  struct gl_error *err);

/* ---- local_vm.c ---- */

/* A file of a folder of ours, never behind a link; mode 0600 when made. -1: IO. */
int gl_local_open_file(const char *folder, const char *name, int flags, struct gl_error *err);

/* ---- local_talk.c: the guest side of a launch ---- */

struct gl_guest_place;
/* Has the caller given up waiting for it? */
bool gl_local_is_cancelled(const struct gl_local_start *start);
/* Wait until the guest says hello, asking for it when `asks`. GUEST after limit_ms, LAUNCH when its
 * process ends before, INTERRUPTED when the caller has given up. */
int gl_local_wait_hello(struct gl_local_start *start, bool asks, int64_t limit_ms,
                        struct gl_error *err);
/* Configuration, payload, go: until the guest is ready or runs its command. payload_fd is -1 or at
 * its start. */
int gl_local_configure(struct gl_local_start *start, const struct gl_guest_place *place,
                       int payload_fd, struct gl_error *err);
/* Append the printable end of a log of the instance's folder to the error, without the lines that
 * are for programs; nothing when there is no other. */
void gl_local_add_tail(const char *folder, const char *log, struct gl_error *err);
/* Seconds that a guest may take to boot: GREENLAUNCH_BOOT_TIMEOUT or 60. */
int64_t gl_local_boot_ms(const struct gl_world *world);

/* ---- local_follow.c: a running instance ---- */

int gl_local_attach(const struct gl_local *local, const char *folder,
                    const struct gl_attach *attach, int *out_status, struct gl_error *err);

/* ---- local_end.c ---- */

/* How it ended, for its record. */
struct gl_local_ending {
    bool has_exit, is_ended;
    bool is_forced; /* it is ended by us, suspended or not */
    int exit_status;
    int64_t cpu_ms; /* -1 = keep what is there */
};
int gl_local_note_ending(const struct gl_local *local, const char *folder,
                         struct gl_local_ending *ending, struct gl_error *err);
int gl_local_stop(const struct gl_local *local, const char *folder, struct gl_span wait,
                  struct gl_error *err);
int gl_local_terminate(const struct gl_local *local, const char *folder, struct gl_error *err);

/* ---- other ways in ---- */

/* Console text from `offset` on, at most 1 MiB or the room that *out has. */
int gl_local_console(const char *folder, uint64_t offset, struct gl_str *out, uint64_t *out_next,
                     struct gl_error *err);
int gl_local_fetch(const struct gl_local *local, const char *folder, const char *path,
                   const char *to, struct gl_error *err);

/* ---- local_state.c ---- */

/* Load, change under the instance's lock, save. `change` returns false to leave it as it is. */
int gl_local_update(const char *folder,
                    bool (*change)(void *cookie, struct gl_local_record *record), void *cookie,
                    struct gl_error *err);
/* The recorded process, or the one that carries the instance's tag; false when there is none. */
bool gl_local_find_alive(const struct gl_local_record *record, struct gl_process *out);
/* CPU the host spent so far, -1 not known. */
int64_t gl_local_cpu_ms(const struct gl_local_record *record, const struct gl_process *process);
/* Sockets and the stop note go, console and record stay. */
void gl_local_clean_folder(const char *folder);
/* Has the record's launcher died (nobody holds the instance's lock)? */
bool gl_local_is_locked(const char *folder);
int gl_local_lock(const char *folder, int64_t wait_ms, struct gl_error *err);

#endif
