/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/aws_part.h"
#include "providers/cloud/catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What AWS answers: lists of instances, errors, prices, credentials. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void check_list(struct gl_http_reply *reply)
{
    struct gl_aws_instances list = {0};
    struct gl_error err = {0};
    char next[1024] = "";

    if (gl_aws_read_instances(reply, "eu-north-1", &list, next, &err) < 0)
        demand(err.code == GL_E_BAD_REPLY || err.code == GL_E_TOO_LARGE);
    for (size_t i = 0; i < list.count; i++) {
        demand(strlen(list.items[i].token) == GL_HASH_HEX - 1);
        demand(strncmp(list.items[i].id, "eu-north-1/", 11) == 0);
    }
    free(list.items);
}

static void check_error(struct gl_http_reply *reply, const char *content_type)
{
    struct gl_remote_word word;
    enum gl_reach reach;

    snprintf(reply->content_type, sizeof reply->content_type, "%s", content_type);
    if (gl_aws_read_error(reply, &word))
        demand(gl_remote_code(gl_aws_rules, 400, word.word, word.text, &reach) != GL_OK);
}

static void check_texts(const char *text, size_t size)
{
    struct gl_aws_credential credential = {0};
    struct gl_catalog_row row;
    struct gl_error err = {0};

    if (gl_aws_read_product(text, &row))
        demand(row.price_u_own > 0);
    if (gl_aws_credential_read(text, size, "Token", 0, &credential, &err) == 0)
        demand(credential.keys.id[0] != '\0' && credential.keys.secret.length > 0);
    else
        demand(err.code != GL_OK);
    gl_aws_credential_done(&credential);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = gl_alloc(size + 1);
    struct gl_http_reply reply = {.status = 400, .body = text, .body_length = size};

    if (size > 0)
        memcpy(text, bytes, size);
    check_list(&reply);
    check_error(&reply, "text/xml");
    check_error(&reply, "application/x-amz-json-1.1");
    check_texts(text, size);
    free(text);
    return 0;
}
