/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_CLOUD_FAKE_VPS_H
#define GL_TESTS_CLOUD_FAKE_VPS_H

/* Counterparts of our own of Hetzner, DigitalOcean and Scaleway: they keep servers in memory, are
 * strict about method, path, query, credentials and fields (what is wrong is noted as a complaint,
 * which a test demands to be none), and misbehave to order. */

#include "base/json.h"
#include "tests/conformance/cloud_remote.h"
#include "tests/support/http_server.h"

#define GL_FAKE_SERVERS 1024
#define GL_FAKE_TOKEN   "planted-secret-0123456789abcdefghijklmnop"
#define GL_FAKE_PROJECT "11111111-2222-4333-8444-555555555555"

struct gl_fake_server {
    bool is_there;
    int64_t id;
    char name[80], place[40], type[40], state[24], uuid[40];
    char volume_user[40];         /* its volume was attached to this one, by hand; "" = no */
    json_t *labels, *volume_tags; /* or tags */
    bool has_user_data, has_volume;
    int64_t created_s;
    unsigned hidden; /* looks that still do not see it */
};

/* What goes wrong with the next `times` requests of "METHOD path" (a glob). */
enum gl_fake_kind {
    GL_FAKE_FINE,
    GL_FAKE_REFUSED,    /* answered as told, nothing done */
    GL_FAKE_CUT_BEFORE, /* the connection ends, nothing done */
    GL_FAKE_CUT_AFTER,  /* done, and the connection ends without an answer */
    GL_FAKE_LOST,       /* done, but answered as told: a 502 of a proxy */
    GL_FAKE_TRUNCATED,  /* done, half an answer */
    GL_FAKE_WRONG_TYPE, /* done, answered with a web page */
    GL_FAKE_HUGE,       /* done, an answer without end */
    GL_FAKE_GARBAGE,    /* done, 2xx with text that is no JSON */
    GL_FAKE_SLOW,       /* done, and answered after `delay_ms` */
};
struct gl_fake_fault {
    const char *on; /* NULL = none */
    enum gl_fake_kind kind;
    unsigned times;
    int status;
    const char *body, *headers;
    int64_t delay_ms;
};

struct gl_fake;
struct gl_fake_ops {
    /* One request that has its credentials. */
    void (*answer)(struct gl_fake *fake, const struct gl_test_request *request,
                   struct gl_test_answer *out);
    const char *auth_header, *auth_value;
    const char *unauthorized; /* body of a 401 */
};
struct gl_fake {
    const struct gl_fake_ops *ops;
    struct gl_test_server *server;
    struct gl_fake_server servers[GL_FAKE_SERVERS];
    size_t count;
    unsigned created;      /* servers ever */
    unsigned most_at_once; /* of one token */
    unsigned hides;        /* looks and lists that do not see a new server yet */
    unsigned volumes_left; /* volumes without a server */
    struct gl_fake_fault faults[4];
    const char *elder; /* state of another launcher's, who has just ended ours; NULL = none */
    char complaint[512];
    char image[128], image_place[40]; /* a snapshot's name; "" = none */
    bool image_is_everywhere;
    unsigned images_made; /* snapshots ever */
    bool bills_in_usd;    /* Hetzner: this account does */
    size_t other_types;   /* Scaleway: types that stand before the others */
};

struct gl_fake *gl_fake_start(const struct gl_fake_ops *ops);
void gl_fake_stop(struct gl_fake *fake);
const char *gl_fake_url(const struct gl_fake *fake);
/* Servers that are there. */
unsigned gl_fake_running(const struct gl_fake *fake);
/* Servers of one token that are there. */
void gl_fake_complain(struct gl_fake *fake, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* For the three. */
struct gl_fake_server *gl_fake_new(struct gl_fake *fake, const json_t *body, const char *type_key,
                                   const char *place);
struct gl_fake_server *gl_fake_of_id(struct gl_fake *fake, const char *path, const char *before);
bool gl_fake_is(const struct gl_test_request *request, const char *method, const char *path);
void gl_fake_json(struct gl_test_answer *out, int status, json_t *body);
/* A value of the query, decoded, "" if absent. */
const char *gl_fake_query(const struct gl_test_request *request, const char *name, char out[512]);
/* The body as an object whose keys are all of `known` (space separated) and hold all of
 * `required`; NULL and a complaint otherwise. */
json_t *gl_fake_body(struct gl_fake *fake, const struct gl_test_request *request, const char *known,
                     const char *required);
bool gl_fake_has_text(const json_t *array, const char *text);
char *gl_fake_time(int64_t unix_s, char out[32]);
/* Is it hidden for this look? Counts down. */
bool gl_fake_hides(struct gl_fake_server *server);

extern const struct gl_fake_ops gl_fake_hetzner, gl_fake_digitalocean, gl_fake_scaleway;
extern const struct gl_remote_fixture gl_remote_fixture_hetzner, gl_remote_fixture_digitalocean,
    gl_remote_fixture_scaleway;
extern const char *const gl_fake_environment[]; /* of all three */

#endif
