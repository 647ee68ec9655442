/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_FAKE_AZURE_PART_H
#define GL_TESTS_FAKE_AZURE_PART_H

/* What the files of fake_azure.h share. */

#include "tests/support/fake_azure.h"

#define ROOT    "/subscriptions/" FAKE_AZURE_SUBSCRIPTION
#define GROUP   ROOT "/resourceGroups/" FAKE_AZURE_GROUP
#define COMPUTE "/providers/Microsoft.Compute/"
#define JSON    "application/json; charset=utf-8"
/* Of tests/vectors/azure/client.pem, as OpenSSL's command and base64 print them. */
#define FAKE_AZURE_X5T      "1avKz0wwUjUDXTGO78S6GVYUzN0"
#define FAKE_AZURE_X5T_S256 "dqXwNCY0FNgIOMDcHEUzpdbLuEB1QzbhNZ9MHl9ea-o"

#define VECTORS "tests/vectors/"

void fake_azure_complain(struct fake_azure *fake, const char *what);
void fake_azure_json(struct gl_test_answer *out, int status, json_t *value); /* takes value */
void fake_azure_refuse(struct gl_test_answer *out, int status, const char *code,
                       const char *message);
json_t *fake_azure_load(const char *name);
/* The decoded value of a parameter, "" if absent. */
void fake_azure_query(const char *query, const char *name, char *out, size_t size);

/* Keep a request for fake_azure_was_asked(). */
void fake_azure_note(struct fake_azure *fake, const struct gl_test_request *request);
/* Does a body have no member but those of the named ones that Azure's own library sent? */
bool fake_azure_is_known(const char *const *names, json_t *body);

/* What does not concern machines: signing in, places, sizes, quota, rights, prices. */
void fake_azure_sign_in(struct fake_azure *fake, const struct gl_test_request *request,
                        struct gl_test_answer *out);
void fake_azure_identity(struct fake_azure *fake, const struct gl_test_request *request,
                         struct gl_test_answer *out);
void fake_azure_locations(struct gl_test_answer *out);
void fake_azure_skus(struct fake_azure *fake, const char *query, struct gl_test_answer *out);
void fake_azure_usages(struct fake_azure *fake, struct gl_test_answer *out);
void fake_azure_rights(struct fake_azure *fake, struct gl_test_answer *out);
void fake_azure_prices(struct fake_azure *fake, const struct gl_test_request *request,
                       struct gl_test_answer *out);

#endif
