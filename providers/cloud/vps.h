/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_VPS_H
#define GL_PROVIDERS_VPS_H

/* What Hetzner, DigitalOcean and Scaleway have in common: one API token, servers found by labels,
 * no create token, no console, no provider deadline, and a server that is off is still billed. The
 * order of steps is here, once (nothing is created before the token was looked for, nothing is left
 * behind a failure, two of one token become one); the words of each API are in its own file. */

#include "providers/cloud/catalog.h"
#include "providers/cloud/remote.h"

#define GL_VPS_UNSTARTED "greenlaunch-unstarted" /* made, but never told to run */

enum gl_vps_power { GL_VPS_OFF_IN_ORDER, GL_VPS_OFF_NOW, GL_VPS_ON };

/* Of which servers that are not there: one, those of a token, all. */
struct gl_vps_loose {
    const char *region; /* NULL = everywhere */
    const char *id, *token;
};

struct gl_vps;
struct gl_vps_ops {
    const char *endpoint;
    size_t user_data_ceiling;
    /* Fill vps->token; NO_CREDENTIAL naming the variable to set. */
    int (*credentials)(struct gl_vps *vps, struct gl_error *err);
    /* Create one server: *out with its id; vps->action when there is something to follow.
     * TOKEN: its name is taken. */
    int (*create)(struct gl_vps *vps, const struct gl_launch *launch, const char *user_data,
                  struct gl_instance *out, struct gl_error *err);
    /* Optional: what create() has left to be done before the server runs. */
    int (*finish)(struct gl_vps *vps, const struct gl_instance *made, const char *user_data,
                  struct gl_error *err);
    /* 1: vps->action is under way, 0: done, -1: it failed, with the provider's reason. */
    int (*follow)(struct gl_vps *vps, struct gl_error *err);
    int (*look)(struct gl_vps *vps, const char *id, struct gl_instance *out, struct gl_error *err);
    /* Every server with our labels and, unless NULL, of this token: fresh array. -1 unless all
     * places of `region` (NULL = everywhere) have answered. */
    int (*search)(struct gl_vps *vps, const char *region, const char *token,
                  struct gl_instance **out, size_t *out_count, struct gl_error *err);
    /* NOT_FOUND when there is none. */
    int (*remove)(struct gl_vps *vps, const struct gl_instance *instance, struct gl_error *err);
    /* Optional: remove what servers of ours have left that are not there any more. 0 when nothing
     * of them is left. */
    int (*sweep)(struct gl_vps *vps, const struct gl_vps_loose *what, struct gl_error *err);
    int (*power)(struct gl_vps *vps, const struct gl_instance *instance, enum gl_vps_power power,
                 struct gl_error *err);
    /* Can it be had there now, and for how much? *out_u_usd GL_UNKNOWN; UNKNOWN_NAME, CAPACITY,
     * QUOTA. */
    int (*offer)(struct gl_vps *vps, const char *region, const char *type, int64_t *out_u_usd,
                 struct gl_error *err);
    /* Optional: of a provider that sells in euro: its list of a region now. Our table's prices of
     * it are converted at the rate of some past day: shown, and no measure for a cap. */
    int (*list_prices)(struct gl_vps *vps, const char *region, struct gl_catalog *out,
                       struct gl_error *err);
    bool (*is_id)(const char *id); /* could it be one of ours? */
};

/* Setting of the same: the user's own rate, as none is invented. */
#define GL_VPS_RATE "usd_per_eur"
#define GL_VPS_RATE_KEY                                                                    \
    {                                                                                      \
        .name = GL_VPS_RATE,                                                               \
        .what = "dollars that a euro counts for, as in 1.10; else prices in EUR have none" \
    }

struct gl_vps {
    struct gl_remote remote; /* first */
    const struct gl_vps_ops *ops;
    char endpoint[256];
    struct gl_secret token;      /* ends with a NUL byte; empty until it was asked for */
    int64_t usd_per_eur_u;       /* millionths; GL_UNKNOWN */
    char account[64];            /* project or account id; "" = none */
    int64_t action;              /* under way since create(); 0 = none */
    char acted[GL_CLOUD_ID];     /* the server it acts on, where actions have no number */
    struct gl_setting *settings; /* copies */
    size_t setting_count;
    const char **regions, **types; /* of the answers borrowed by callers */
    char over[32][GL_CLOUD_ID];    /* ids that this handle has seen go */
    size_t over_count;
};

struct gl_cloud *gl_vps_open(const struct gl_cloud_ops *cloud_ops,
                             const struct gl_remote_ops *remote_ops, const struct gl_vps_ops *ops,
                             const struct gl_cloud_options *options, struct gl_error *err);
void gl_vps_close(struct gl_cloud *cloud);

/* Operations of gl_cloud_ops. */
int gl_vps_regions(struct gl_cloud *cloud, const char *const **out, struct gl_error *err);
int gl_vps_types(struct gl_cloud *cloud, const char *region, const char *const **out,
                 struct gl_error *err);
int gl_vps_price(struct gl_cloud *cloud, const char *region, const char *type, int64_t *out,
                 struct gl_error *err);
int gl_vps_launch(struct gl_cloud *cloud, const struct gl_launch *launch, struct gl_instance *out,
                  struct gl_error *err);
int gl_vps_describe(struct gl_cloud *cloud, const char *id, struct gl_instance *out,
                    struct gl_error *err);
int gl_vps_find_by_request(struct gl_cloud *cloud, const char *region, const char *token,
                           struct gl_instance *out, struct gl_error *err);
int gl_vps_list(struct gl_cloud *cloud, struct gl_instance **out, size_t *out_count,
                struct gl_error *err);
int gl_vps_stop(struct gl_cloud *cloud, const char *id, struct gl_span wait, struct gl_error *err);
int gl_vps_terminate(struct gl_cloud *cloud, const char *id, struct gl_error *err);
int gl_vps_console(struct gl_cloud *cloud, const char *id, uint64_t offset, struct gl_str *out,
                   uint64_t *out_next, struct gl_error *err);
int gl_vps_check(struct gl_cloud *cloud, const struct gl_launch *launch, struct gl_error *err);
int gl_vps_halt(struct gl_cloud *cloud, const char *id, struct gl_error *err);
int gl_vps_start(struct gl_cloud *cloud, const char *id, struct gl_error *err);

/* ---- for the adapters ---- */

/* The value of a setting, NULL when it has none. */
const char *gl_vps_setting(const struct gl_vps *vps, const char *name);
/* "Authorization: Bearer TOKEN" for gl_remote_ops.authorize, with `name` and `prefix` of its own.
 */
int gl_vps_authorize(struct gl_vps *vps, struct gl_remote_call *call, bool is_renewed,
                     const char *name, const char *prefix, struct gl_error *err);
/* The same as gl_remote_ops.authorize, as it is. */
int gl_vps_bearer(struct gl_remote *remote, struct gl_remote_call *call, bool is_renewed,
                  struct gl_error *err);
/* The token of an environment variable, or of a file's text found by `find`. */
bool gl_vps_token_env(struct gl_vps *vps, const char *variable);
void gl_vps_token_set(struct gl_vps *vps, const char *text);
/* Begin a call: the endpoint and a printf-style path of parts that need no encoding. */
void gl_vps_call(const struct gl_vps *vps, struct gl_remote_call *call, const char *method,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Send it, and its answer as JSON; call is done afterwards. */
json_t *gl_vps_ask(struct gl_vps *vps, struct gl_remote_call *call, struct gl_error *err);
/* The same of a call that makes a server; `body` keeps no user_data. */
json_t *gl_vps_create(struct gl_vps *vps, struct gl_remote_call *call, const char *region,
                      json_t *body, struct gl_error *err);
/* The same where the answer does not matter. */
int gl_vps_tell(struct gl_vps *vps, struct gl_remote_call *call, struct gl_error *err);
/* Does the built-in table know it? */
bool gl_vps_knows(const struct gl_vps *vps, const char *region, const char *type);
/* What a row costs in dollars, rounded up: as it is listed in dollars, or in euro at the user's
 * rate; GL_UNKNOWN. */
int64_t gl_vps_usd(const struct gl_vps *vps, const struct gl_catalog_row *row);
/* Add all rows of `from`, with what they cost in dollars. */
void gl_vps_add_rows(const struct gl_vps *vps, const struct gl_catalog *from,
                     struct gl_catalog *into);
/* Collect instances. */
struct gl_vps_list {
    struct gl_instance *items;
    size_t count, capacity;
};
void gl_vps_list_add(struct gl_vps_list *list, const struct gl_instance *item);

/* JSON without errors: "" and -1 for what is not there or of another type. */
const char *gl_vps_text(const json_t *object, const char *key);
int64_t gl_vps_number(const json_t *object, const char *key);
/* Millionths of a decimal number, "0.0065000000000000" or a JSON number; GL_UNKNOWN unless it is a
 * plain decimal from 0 to 1e9. Rounded half up: money is never a binary fraction here. */
int64_t gl_vps_money(const json_t *value);
/* An RFC 3339 time; 0 when it is none. */
struct gl_instant gl_vps_time(const char *text);
bool gl_vps_is_number(const char *text); /* 1 to 18 digits */
/* Milliseconds until the Unix time of a header, as throttled answers tell it; -1 without one. */
int64_t gl_vps_wait_until(const struct gl_http_reply *reply, const char *header, int64_t now_ms);
/* An answer's body, whatever its type says; NULL when it is no JSON object. */
json_t *gl_vps_body(const struct gl_http_reply *reply);
/* Overwrite a string of a document that is about to be freed. */
void gl_vps_forget(json_t *object, const char *key);
/* The native part of gl_launch.image, the setting `image`, or `fallback`. */
const char *gl_vps_image(const struct gl_vps *vps, const struct gl_launch *launch,
                         const char *fallback);

/* ---- credential files (pure) ---- */

#define GL_VPS_CONFIG_CEILING ((size_t)64 << 10)
/* One line "key: value" (YAML) or "key = value" (TOML): false at the end. Sections "[x]" and
 * "[[x]]" come as key "[x]" with value "". Quotes and comments are taken off; what does not fit is
 * left out. */
struct gl_vps_line {
    size_t indent;
    char key[64], value[256];
};
bool gl_vps_config_next(const char **at, struct gl_vps_line *out);
/* The text of a credential file: `variable` names it, else below XDG_CONFIG_HOME or ~/.config. NULL
 * when there is none, with CONFIG when others may write it; wipe and free. */
char *gl_vps_config_read(const struct gl_vps *vps, const char *variable, const char *below,
                         struct gl_error *err);
void gl_vps_config_free(char *text);
/* NO_CREDENTIAL: the file is there, but has no token of `name`; NULL = of what is active in it. */
struct gl_vps_tool {
    const char *file, *kind, *look; /* "hcloud's cli.toml", "context", "hcloud context list" */
};
int gl_vps_config_lacks(const struct gl_vps *vps, const struct gl_vps_tool *tool, const char *name,
                        struct gl_error *err);

#endif
