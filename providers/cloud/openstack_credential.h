/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_OPENSTACK_CREDENTIAL_H
#define GL_PROVIDERS_OPENSTACK_CREDENTIAL_H

/* Credentials of an OpenStack project: a password or an application credential, from OS_* variables
 * or clouds.yaml, turned into keystone v3 tokens. https://docs.openstack.org/api-ref/identity/v3/
 * The file says where secrets are posted: https only, or this machine. secure.yaml is read only
 * beside the clouds.yaml that counts, so that no file of another folder can send its secrets
 * elsewhere. Other kinds (federation, tokens, keystone v2) are refused by name. */

#include "providers/cloud/remote.h"

struct gl_openstack_credential {
    bool is_application;
    char from[320];     /* "OS_* of the environment", "cloud green of PATH" */
    char auth_url[256]; /* ".../v3" */
    char user[160], user_id[80], user_domain[160], user_domain_id[80];
    char project[160], project_id[80], project_domain[160], project_domain_id[80];
    char application[160], application_id[80];
    char region[40];          /* "" = none is preferred */
    char ca_file[256];        /* "" = the system's authorities */
    char cert_file[256];      /* of a client certificate; "" = none */
    char key_file[256];       /* "" = the certificate's file holds the key, too */
    struct gl_secret secret;  /* ends with a NUL byte */
    struct gl_secret token;   /* ends with a NUL byte; empty = none */
    int64_t given_s, renew_s; /* of the token, on our clock */
    char account[128];        /* "PROJECT as USER" of the last token; "" = none was given yet */
    json_t *catalog;          /* of the last token */
    json_t *regions; /* names: only these are used (`regions` of clouds.yaml); NULL = all */
};

/* Find them; asks nothing over the network. `cloud` is the setting of that name, NULL when not set.
 * NO_CREDENTIAL naming what can be set; CONFIG or SYNTAX for a file that cannot be used. */
int gl_openstack_credential_find(const struct gl_world *world, const char *cloud,
                                 struct gl_openstack_credential *out, struct gl_error *err);
void gl_openstack_credential_done(struct gl_openstack_credential *credential);

/* token_ask and token_read of struct gl_remote_ops. A token that keystone has just given is not
 * asked for again because a service refuses it: that is a matter of rights. */
int gl_openstack_token_ask(struct gl_openstack_credential *credential, const struct gl_world *world,
                           bool is_renewed, struct gl_remote_call *out, struct gl_error *err);
int gl_openstack_token_read(struct gl_openstack_credential *credential,
                            const struct gl_world *world, const struct gl_remote_call *call,
                            struct gl_error *err);

/* May a secret be sent there? https, or this machine. */
bool gl_openstack_is_trusted(const char *url);

/* ---- openstack_config.c ---- */

/* Where the words of a credential stand: members of a cloud of clouds.yaml, or OS_* variables when
 * `cloud` is NULL. */
struct gl_openstack_source {
    const struct gl_world *world;
    json_t *doc;   /* owned: the whole file, wiped when done */
    json_t *cloud; /* the chosen one inside it */
    char from[320];
};
/* A word by its name in clouds.yaml ("auth_url"), of the member "auth" or beside it; NULL when it
 * is not there or empty. Borrowed. */
const char *gl_openstack_word(const struct gl_openstack_source *source, const char *name);
/* Choose the source: the named cloud, OS_CLOUD, OS_AUTH_URL, or the only cloud of a file. */
int gl_openstack_source_find(const struct gl_world *world, const char *cloud,
                             struct gl_openstack_source *out, struct gl_error *err);
/* Wipes the secrets of the file. */
void gl_openstack_source_done(struct gl_openstack_source *source);

#endif
