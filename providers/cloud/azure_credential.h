/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_AZURE_CREDENTIAL_H
#define GL_PROVIDERS_AZURE_CREDENTIAL_H

/* Credentials of Microsoft Entra for the Resource Manager, in the order of Azure's own libraries: a
 * client secret, a client certificate (RFC 7523 assertion), a workload identity (an assertion that
 * another issuer wrote into a file), the managed identity of the machine. What `az login` keeps is
 * not read: its tokens are a person's.
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 * The environment says where secrets are posted: only Microsoft's sign-in hosts are believed. */

#include "providers/cloud/remote.h"

enum gl_azure_kind {
    GL_AZURE_SECRET,
    GL_AZURE_CERTIFICATE,
    GL_AZURE_FEDERATED,
    GL_AZURE_MANAGED,
};

struct gl_azure_credential {
    enum gl_azure_kind kind;
    char from[64];       /* what it was found in: "AZURE_CLIENT_SECRET" */
    char client[80];     /* id of the application; managed: "" = the machine's own */
    char token_url[300]; /* where a token is asked for */
    char audience[128];  /* "https://management.azure.com" */
    char file[300];      /* federated: the assertion's */
    struct gl_secret secret, passphrase; /* client secret, or PEM of certificate and key */
    struct gl_secret token;
    int64_t expires_s; /* of the token */
};

/* Find them; asks nothing over the network. `endpoint` is the Resource Manager's. NO_CREDENTIAL
 * naming what can be set; CONFIG for what cannot be used. */
int gl_azure_credential_find(const struct gl_world *world, const char *endpoint,
                             struct gl_azure_credential *out, struct gl_error *err);
void gl_azure_credential_done(struct gl_azure_credential *credential);

/* token_ask and token_read of struct gl_remote_ops. */
int gl_azure_token_ask(struct gl_azure_credential *credential, const struct gl_world *world,
                       bool is_renewed, struct gl_remote_call *out, struct gl_error *err);
int gl_azure_token_read(struct gl_azure_credential *credential, const struct gl_world *world,
                        const struct gl_remote_call *call, struct gl_error *err);

/* May a secret be posted there? Microsoft's sign-in hosts over https, or this machine. */
bool gl_azure_is_authority(const char *url);
/* "http://" and this machine, with or without a port. */
bool gl_azure_is_loopback(const char *url);

#endif
