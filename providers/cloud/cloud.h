/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_CLOUD_H
#define GL_PROVIDERS_CLOUD_H

/* The contract every cloud implements: launch with a token, find again by that token, describe,
 * stop. One const struct a cloud in one file, listed in registry.c. An adapter does not judge,
 * retry, log or keep a ledger. The conformance suite (tests/conformance/test_cloud.c) says in code
 * what this header says in words; every cloud must pass it. */

#include "base/setting.h"
#include "providers/cloud/instance.h"

enum gl_cloud_caps {
    GL_CLOUD_SUSPENDS = 1,      /* suspend, resume and spans */
    GL_CLOUD_MOVES = 2,         /* move and spans */
    GL_CLOUD_IDENTITY = 4,      /* signs where a machine runs: as identity.h has it */
    GL_CLOUD_RUNS_COMMANDS = 8, /* attach(): stdin/stdout/exit of a command */
    GL_CLOUD_DEADLINE = 16,     /* the provider itself ends the lease */
    GL_CLOUD_FREE = 32,         /* no money: price 0 */
    GL_CLOUD_REMOTE = 64,       /* an account elsewhere: credentials, money, network */
    GL_CLOUD_HALTS = 128,       /* halt and start: power off, the disk kept */
    GL_CLOUD_IMAGES = 256,      /* image_create, image_look, image_copy, image_delete */
    GL_CLOUD_CHECKS = 512,      /* check: permission, quota or dry run before a launch */
    GL_CLOUD_CONSOLE = 1024,    /* the console of a remote machine can be read */
    GL_CLOUD_SPOT = 2048,       /* launches at the spot price, may be ended early */
};

/* How far a failure reaches: the same place only, or everything of that account. */
enum gl_reach { GL_REACH_CALL, GL_REACH_ZONE, GL_REACH_REGION, GL_REACH_ACCOUNT };

/* What a cloud said beside the code when its last call failed. CAPACITY and QUOTA go back to the
 * policy: another place is asked only after it has been judged green. */
struct gl_cloud_failure {
    enum gl_reach reach;
    int64_t retry_after_ms; /* -1 = not told */
    char word[64];          /* the provider's own, "InsufficientInstanceCapacity" */
    char places[8][40];     /* zones the provider names as having stock; "" ends */
};

struct gl_cloud;
struct gl_catalog_ops;
struct gl_statement;
struct gl_cloud_ops {
    const char *name; /* "local" */
    const char *title;
    uint32_t caps; /* bits of gl_cloud_caps */
    /* `clouds: {aws: {profile: green}}` of the configuration; an environment variable where the
     * cloud's own tools have one. NULL = takes no settings. */
    const struct gl_setting_key *keys;

    /* Required. Is it usable here? 0 and an account (for broker/tenant.c) or host name in `out`;
     * else -1 with a code whose hint mends it (NO_CREDENTIAL, NO_LOCAL, NETWORK). No change. */
    int (*whoami)(struct gl_cloud *cloud, char out[128], struct gl_error *err);
    /* Required. NULL-terminated names, borrowed until close; those of types until it is asked for
     * others. */
    int (*regions)(struct gl_cloud *cloud, const char *const **out, struct gl_error *err);
    int (*types)(struct gl_cloud *cloud, const char *region, const char *const **out,
                 struct gl_error *err);
    /* Required. Micro-USD per hour; GL_UNKNOWN in *out when the cloud does not say. */
    int (*price)(struct gl_cloud *cloud, const char *region, const char *type, int64_t *out,
                 struct gl_error *err);
    /* Required. Start one instance. Idempotent in `token`: a second call with it returns the first
     * instance. -1 with a retryable code means the outcome may be unknown: ask find_by_request
     * before sending again. UNKNOWN_NAME: no such region or type (nothing was started). */
    int (*launch)(struct gl_cloud *cloud, const struct gl_launch *launch, struct gl_instance *out,
                  struct gl_error *err);
    /* Required. As it is now. NOT_FOUND: forgotten; LAUNCH: not where it was sent, so ended. */
    int (*describe)(struct gl_cloud *cloud, const char *id, struct gl_instance *out,
                    struct gl_error *err);
    /* Required. The instance of a token: 1 found, 0 proven absent, -1 not known. It was asked for
     * in `region`: only there it is looked for; NULL = everywhere. One of several with the token (a
     * cloud without create tokens) is the eldest that is not over. */
    int (*find_by_request)(struct gl_cloud *cloud, const char *region, const char *token,
                           struct gl_instance *out, struct gl_error *err);
    /* Required. Every instance with our labels, ended ones included while the provider shows them:
     * *out is a fresh array (free()). */
    int (*list)(struct gl_cloud *cloud, struct gl_instance **out, size_t *out_count,
                struct gl_error *err);
    /* Required. Orderly end: the meter writes its final reading first; waits at most `wait` for it.
     * Fine when it has ended already. */
    int (*stop)(struct gl_cloud *cloud, const char *id, struct gl_span wait, struct gl_error *err);
    /* Required. End it now and free all it holds; idempotent. */
    int (*terminate)(struct gl_cloud *cloud, const char *id, struct gl_error *err);
    /* Required. The console text so far from byte `offset`, appended to `out` (at most the string's
     * ceiling); *out_next is where to go on. */
    int (*console)(struct gl_cloud *cloud, const char *id, uint64_t offset, struct gl_str *out,
                   uint64_t *out_next, struct gl_error *err);
    /* Required when caps has RUNS_COMMANDS: follow the command until it ends, the lease ends or
     * on_tick says no (INTERRUPTED); 0 and *out_status (exit status or 128 + signal). GUEST when it
     * never answers. */
    int (*attach)(struct gl_cloud *cloud, const char *id, const struct gl_attach *attach,
                  int *out_status, struct gl_error *err);
    /* Optional: copy `path` of the guest to the host file `to` (small files, at most 64 MiB). */
    int (*fetch)(struct gl_cloud *cloud, const char *id, const char *path, const char *to,
                 struct gl_error *err);
    /* Required when caps has SUSPENDS: keep the whole state and use no more energy; SUSPENDED
     * afterwards, whatever is restarted meanwhile. Fine when it is suspended. On failure it runs
     * on. NO_LOCAL or LAUNCH when this instance cannot (see its caps), GUEST when it does not
     * answer, DISK_FULL, IO. */
    int (*suspend)(struct gl_cloud *cloud, const char *id, struct gl_error *err);
    /* Go on where it was suspended, the same instance. Fine when it runs. On failure it is
     * suspended still. TIMEOUT when its lease has ended meanwhile: stop() then ends it in order. */
    int (*resume)(struct gl_cloud *cloud, const char *id, struct gl_error *err);
    /* Required when caps has MOVES: go on in another region, the same instance; a suspended one is
     * suspended there. Fine when it is there already. However it ends, whoever is killed, there is
     * one of it: on failure where it was. UNKNOWN_NAME: no such region; else as suspend(). */
    int (*move)(struct gl_cloud *cloud, const char *id, const char *region, struct gl_error *err);
    /* Required when caps has either: every stretch since the launch, in order and without holes:
     * *out is a fresh array (free()), at least one. */
    int (*spans)(struct gl_cloud *cloud, const char *id, struct gl_instance_span **out,
                 size_t *out_count, struct gl_error *err);
    /* Without which setting caps' IDENTITY does not hold; NULL = none. */
    const char *identity_setting;
    /* Optional with IDENTITY: {"instance":NAME,"region":REGION}: what signed documents call it, if
     * not the last part of `id`, and where the API has it. `nonce`: not used. */
    int (*identity)(struct gl_cloud *cloud, const char *id, const char *nonce, struct gl_str *out,
                    struct gl_error *err);
    /* Required when caps has CHECKS: could this be launched, stock aside? Starts nothing; asks the
     * provider's dry run, permissions and quotas. PERMISSION, QUOTA, CAPACITY, PRICE,
     * NO_CREDENTIAL, UNKNOWN_NAME; what its guest cannot be told: TOO_LARGE, BAD_VALUE. */
    int (*check)(struct gl_cloud *cloud, const struct gl_launch *launch, struct gl_error *err);
    /* Required when caps has HALTS: power off in order and keep the disk; on again, in the same
     * place only. Idempotent. CAPACITY and QUOTA may meet start; it is halted still. */
    int (*halt)(struct gl_cloud *cloud, const char *id, struct gl_error *err);
    int (*start)(struct gl_cloud *cloud, const char *id, struct gl_error *err);
    /* Required when caps has IMAGES. `name` is the token of the step: the same name, the same
     * image. create and copy return at once, look says how far it is; delete is idempotent and
     * frees its snapshots, too. An image's id goes into gl_launch.image. */
    int (*image_create)(struct gl_cloud *cloud, const char *id, const char *name,
                        struct gl_cloud_image *out, struct gl_error *err);
    int (*image_copy)(struct gl_cloud *cloud, const char *image, const char *region,
                      const char *name, struct gl_cloud_image *out, struct gl_error *err);
    int (*image_look)(struct gl_cloud *cloud, const char *image, struct gl_cloud_image *out,
                      struct gl_error *err);
    int (*image_delete)(struct gl_cloud *cloud, const char *image, struct gl_error *err);
    /* Optional: what image_create() of the instance `id`, which may be gone, or image_copy() of
     * that made by this name in `region`; makes nothing: ABSENT where there is none. */
    int (*image_find)(struct gl_cloud *cloud, const char *id, const char *region, const char *name,
                      struct gl_cloud_image *out, struct gl_error *err);
    /* Optional: what the provider says that the account emitted in the month that begins at
     * `month` (statement.h), to be freed with gl_statement_done(). count 0: none is published of
     * it (yet). */
    int (*statement)(struct gl_cloud *cloud, struct gl_instant month, struct gl_statement *out,
                     struct gl_error *err);
    const struct gl_catalog_ops *catalog; /* Optional: live regions, types and prices (catalog.h) */
    /* Required. The code of a provider's own reply (HTTP status and error word, or 0 and text). */
    enum gl_errc (*classify)(int status, const char *word);
    void (*close)(struct gl_cloud *cloud); /* Required; frees cloud */
};
struct gl_cloud {
    const struct gl_cloud_ops *ops;
    struct gl_cloud_failure failure; /* of the last call that failed */
    bool is_account_asked;
    char account[128]; /* whose it is; of broker/tenant.h alone */
    char unseen[256];  /* regions that the last list() was not allowed to look at; "" = none */
};

/* local: one of its regions, in a grid zone of its own. */
struct gl_cloud_place {
    const char *name; /* the region */
    const char *zone; /* NULL or "": not said */
    const char
        *folder; /* where it keeps suspended instances; it must exist. NULL: the state folder */
};
#define GL_CLOUD_PLACES_MAX 16

struct gl_cloud_options {
    const struct gl_world *world;
    const char *state_folder;            /* for clouds that keep something on this machine */
    const char *zone;                    /* local: the grid zone it stands in */
    bool wants_process;                  /* local: use the process fallback even if QEMU is there */
    const struct gl_cloud_place *places; /* local: its regions; none: one, in `zone` */
    size_t place_count;                  /* at most GL_CLOUD_PLACES_MAX */
    const struct gl_setting *settings;   /* of this cloud; all names are among its keys */
    size_t setting_count;
    bool (*is_cancelled)(void *cookie); /* asked while waiting for a remote cloud; NULL = never */
    void *cookie;
};

/* The value of a setting: the configuration's, else the key's fallback, else NULL. */
const char *gl_cloud_setting(const struct gl_cloud_ops *ops, const struct gl_cloud_options *options,
                             const char *name);

/* The adapter of a cloud; NULL when there is none of that name. */
const struct gl_cloud_ops *gl_cloud_find(const char *name);
/* Is it one of those elsewhere? */
bool gl_cloud_is_remote(const char *name);
/* Open a cloud by name: NULL with UNKNOWN_NAME, or the adapter's own error. */
struct gl_cloud *gl_cloud_open(const char *name, const struct gl_cloud_options *options,
                               struct gl_error *err);
void gl_cloud_close(struct gl_cloud *cloud); /* NULL is fine */

/* Registry row: how to open it. */
struct gl_cloud_driver {
    const struct gl_cloud_ops *ops;
    struct gl_cloud *(*open)(const struct gl_cloud_options *options, struct gl_error *err);
};
const struct gl_cloud_driver *gl_cloud_drivers(size_t *out_count);

#endif
