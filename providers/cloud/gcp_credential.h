/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_GCP_CREDENTIAL_H
#define GL_PROVIDERS_GCP_CREDENTIAL_H

/* Application default credentials of Google Cloud, in Google's order: the file that
 * GOOGLE_APPLICATION_CREDENTIALS names, gcloud's application_default_credentials.json, the metadata
 * server. Kinds: service_account (RFC 7523 assertion), authorized_user (refresh token),
 * external_account (subject token in a file, exchanged by STS), impersonated_service_account over
 * any of them. https://google.aip.dev/auth/4110
 * The file says where secrets are posted: only Google's own hosts are believed. */

#include "providers/cloud/remote.h"

enum gl_gcp_kind { GL_GCP_SERVICE, GL_GCP_USER, GL_GCP_EXTERNAL, GL_GCP_METADATA };

struct gl_gcp_credential {
    enum gl_gcp_kind kind;
    char from[300];            /* a path, or "metadata server" */
    char project[64];          /* "" = not known */
    char email[160];           /* of the service account; "" = not known */
    char token_url[300];       /* where a token is asked for */
    char impersonate_url[400]; /* "" = none: the second step */
    char audience[400];        /* external */
    char subject_type[120];    /* external */
    char subject_file[300];    /* external */
    char subject_field[64];    /* "" = the file is the token */
    char client_id[160];       /* user */
    char key_id[80];           /* service */
    char metadata[128];        /* "http://metadata.google.internal" */
    struct gl_secret secret;   /* key as PEM, or refresh token */
    struct gl_secret client_secret;
    struct gl_secret token, first; /* first: before the impersonation */
    int64_t first_expires_s;
    int64_t expires_s; /* of the token */
};

/* Find them; asks nothing over the network. NO_CREDENTIAL naming what can be set; CONFIG for a file
 * that cannot be used. `file` (may be NULL) is the setting `credentials`. */
int gl_gcp_credential_find(const struct gl_world *world, const char *file,
                           struct gl_gcp_credential *out, struct gl_error *err);
void gl_gcp_credential_done(struct gl_gcp_credential *credential);

/* token_ask and token_read of struct gl_remote_ops. */
int gl_gcp_token_ask(struct gl_gcp_credential *credential, const struct gl_world *world,
                     bool is_renewed, struct gl_remote_call *out, struct gl_error *err);
int gl_gcp_token_read(struct gl_gcp_credential *credential, const struct gl_world *world,
                      const struct gl_remote_call *call, struct gl_error *err);

/* May a secret be posted there? Google's hosts over https, or this machine. */
bool gl_gcp_is_trusted(const char *url);

#endif
