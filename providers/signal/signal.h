/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_SIGNAL_H
#define GL_PROVIDERS_SIGNAL_H

/* Where carbon intensity and renewable share come from. An adapter is one const struct in one file,
 * listed in registry.c; caching, retry and time limits are written once, in store.c. An adapter
 * turns bytes into series and decides nothing: it refuses answers for another zone, another unit or
 * of impossible values instead of mending them. */

#include "base/http.h"
#include "base/json.h"
#include "base/world.h"
#include "policy/facts.h"

/* Options of one configured source, from the configuration file: "NAME=value". */
struct gl_signal_config {
    const char *name;     /* adapter */
    const char *endpoint; /* NULL = the adapter's own */
    const char *path;     /* of `file` sources */
    const char *zone;     /* of `file` sources without a zone column, and of those that know none */
    /* Where the secrets of ops->keys are, never a secret itself. */
    const char *user_env, *key_env; /* other names for the environment variables */
    const char *key_file;   /* instead of them: "NAME=value" lines, or the one secret alone */
    const char *key_header; /* sent in this header instead of the adapter's own */
    /* What a source that does not say what its figures mean is told to say (carbon-aware-sdk). */
    const char *location;                               /* its name of the zone */
    const char *rate, *boundary, *gases, *trace, *unit; /* words; NULL = not said */
};

/* A secret that a source needs: a row of a table, ended by one without a variable. */
struct gl_signal_key {
    const char *variable;  /* environment variable that holds it: "ELECTRICITYMAPS_TOKEN" */
    const char *what;      /* "token": for messages */
    const char *header;    /* sent as "<header>: <secret>", or ... */
    const char *parameter; /* ... as the last query parameter, added when it is sent: the URL of
                            * urls(), which names cached answers, never holds it */
    bool is_user;          /* the user name of a login */
};

/* A session that has to be opened first: GET with user and password (HTTP Basic, RFC 7617) answers
 * with a token, sent as "Authorization: Bearer" (RFC 6750). Kept in memory only. */
struct gl_signal_login {
    const char *endpoint, *path; /* "https://api.watttime.org", "/login" */
    const char *member;          /* of the answer, holds the token */
    int64_t renew_s;             /* a token that is older is replaced before it is used */
};

/* Who signs the requests of a source that wants signatures: kept in memory, wiped. */
struct gl_signal_credential {
    struct gl_secret name;       /* sent with each signature */
    struct gl_secret key;        /* PEM */
    struct gl_secret passphrase; /* of an encrypted key; may be empty */
};

#define GL_SIGNAL_SIGNED 2 /* headers of a signed request */

/* Requests are signed, instead of carrying a secret. No text of these functions holds any part of a
 * credential. */
struct gl_signal_signer {
    const char *remedy; /* how to come by credentials: a sentence without its stop */
    int64_t skew_s;     /* the service refuses requests that are dated further off than this */
    /* Where they are looked for and whether all is there, as words; false when something is not. */
    bool (*look)(const struct gl_signal_config *config, const struct gl_world *world,
                 struct gl_str *out);
    /* NO_CREDENTIAL, CONFIG, SYNTAX, TOO_LARGE. */
    int (*open)(const struct gl_signal_config *config, const struct gl_world *world,
                struct gl_signal_credential *out, struct gl_error *err);
    /* Headers of a GET of `url` sent now, each fresh and in one piece that never moved. */
    int (*sign)(const struct gl_signal_credential *credential, const char *url,
                struct gl_instant now, char *out[GL_SIGNAL_SIGNED], struct gl_error *err);
};

struct gl_signal_query {
    char zone[40];                 /* Electricity Maps zone name */
    const char *neso;              /* NESO region id of the cloud region, NULL = national */
    struct gl_instant from, until; /* wanted interval */
    bool is_cache_only;            /* do not touch the network for this one */
    bool is_past;                  /* only what was measured in [from, until): for the archive */
    bool wants_history;            /* gl_zone_facts.histories; costs time */
    bool wants_claims; /* what clouds claim of their own regions as well: to be shown. Nothing that
                        * decides asks for them */
    const struct gl_signal_config *config; /* of the source that is asked; NULL = all as usual */
};

/* What came: series owned by the result. */
struct gl_signal_result {
    size_t count;
    struct gl_series *series;
};

/* How the archive files a data set. Actuals and forecasts of one name judge each other, so they
 * must be of one place and meaning. */
struct gl_signal_filing {
    const char *dataset, *name;
    bool has_issues, has_actuals; /* what of it is stored */
};

struct gl_signal_ops {
    const char *name;        /* "neso" */
    const char *title;       /* "UK NESO Carbon Intensity" */
    const char *attribution; /* credit line the licence asks for */
    const char *licence;
    const char *homepage;
    bool needs_network;
    bool needs_meaning; /* only the configuration knows where and what its figures are: endpoint,
                         * zone, location, rate, boundary, gases, trace and unit have to be said
                         * there */
    /* Required. Does it know this zone at all? Pure. */
    bool (*covers)(const char *zone);
    /* Required for network adapters: how many requests a query needs (<= 6) and the URL of request
     * `index`, NUL-terminated, into out. With query->is_past only those for past actuals. Pure. */
    unsigned (*urls)(const struct gl_signal_query *query, const char *endpoint, unsigned index,
                     char *out, size_t capacity);
    /* Required for network adapters. Parse the body of request `index` and add its series to
     * *result. Errors: BAD_REPLY (wrong zone, unit, shape), UNKNOWN_DATA (200 but no data),
     * TOO_LARGE. Pure. */
    int (*parse)(const struct gl_signal_query *query, unsigned index, const char *body,
                 size_t length, struct gl_instant retrieved, struct gl_signal_result *result,
                 struct gl_error *err);
    /* Optional. What the source wants to know of its caller; none = no account is needed. A missing
     * secret is NO_CREDENTIAL that names the variable; cached answers serve all the same. */
    const struct gl_signal_key *keys;
    const struct gl_signal_login *login;   /* with keys for user and password */
    const struct gl_signal_signer *signer; /* instead of keys */
    /* Optional. What a refusal (status 400 to 499 but 410 and 429) says: set *err (NO_CREDENTIAL:
     * the secret is not accepted; UNKNOWN_DATA: no right to this, or nothing there; PROVIDER) and
     * tell whether it is about this question only (true) or nothing more need be asked (false).
     * Must not repeat the body, which may repeat a secret. Pure. */
    bool (*refuse)(int status, const char *body, size_t length, struct gl_error *err);
    /* Optional. How many requests a minute it may be sent, after a first burst of 24 s worth of
     * them; 0 = 60. Stay below what the service allows. */
    unsigned per_minute;
    /* Optional. Further request headers, NULL-terminated, instead of "Accept: application/json". */
    const char *const *headers;
    /* Optional. Rows for data sets that are not simply stored under their own name, forecasts and
     * actuals; ended by one without dataset. */
    const struct gl_signal_filing *filing;
    /* Optional. Does a stored name speak of the place that is asked for? Else all of a zone do.
     * Pure. */
    bool (*is_of)(const struct gl_signal_query *query, const char *name);
    /* The longest stretch of past actuals in one answer (query->is_past); 0 = it gives none. */
    int64_t past_s;
    /* Required for the others (built-in tables, files). A source with a path is read once, with an
     * empty query zone: it then gives the series of every zone it holds. */
    int (*read)(const struct gl_signal_query *query, const struct gl_signal_config *config,
                const struct gl_world *world, struct gl_signal_result *result,
                struct gl_error *err);
};

const struct gl_signal_ops *const *gl_signal_registry(size_t *out_count);
const struct gl_signal_ops *gl_signal_find(const char *name);

/* Add a zeroed series with room for `points` to the result; borrowed pointer until the next add. */
struct gl_series *gl_signal_add(struct gl_signal_result *result, size_t points);
void gl_signal_result_done(struct gl_signal_result *result);
/* Sort by time, drop exact duplicates, keep the later of conflicting ones and mark the series
 * suspect when they conflict without an update time; values out of range, negative, NaN or
 * future-issued mark it suspect. Called by the store on every result. */
void gl_series_tidy(struct gl_series *series, struct gl_instant now);

#endif
