/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_CLOUD_FAKE_AWS_H
#define GL_TESTS_CLOUD_FAKE_AWS_H

/* A counterpart of AWS for the tests of our adapter, with what foreign ones leave out: ClientToken
 * as EC2 keeps it since 2025 (the same instance again, IdempotentParameterMismatch,
 * IdempotentInstanceTerminated), parameters that it does not know refused, signatures checked over
 * what really arrived, instances that cannot be seen at first, paged answers, stock and quota
 * errors by type. Regions are told apart by the signature's scope. */

#include "base/str.h"
#include "tests/support/http_server.h"

#define GL_FAKE_AWS_KEY       "AKIAFAKEFAKEFAKEFAKE"
#define GL_FAKE_AWS_SECRET    "planted/SECRET+of+the+fake+0123456789abcd"
#define GL_FAKE_AWS_ACCOUNT   "123456789012"
#define GL_FAKE_AWS_INSTANCES 1024
#define GL_FAKE_AWS_IMAGES    16
#define GL_FAKE_AWS_TAGS      12
#define GL_FAKE_AWS_FIELDS    160

/* Types that are offered: t3.micro and t4g.nano can be had. */
#define GL_FAKE_AWS_NO_STOCK "t9.nostock" /* InsufficientInstanceCapacity, with zones */
#define GL_FAKE_AWS_NO_QUOTA "t9.noquota" /* VcpuLimitExceeded */

struct gl_fake_aws_tag {
    char key[64], value[80];
};

struct gl_fake_aws_instance {
    char id[32], region[40], type[40], state[20], token[80], started[40];
    char digest[80]; /* of the parameters */
    char reason[64];
    struct gl_fake_aws_tag tags[GL_FAKE_AWS_TAGS];
    unsigned tag_count, hidden; /* looks that do not see it yet */
    bool is_spot;
    char *user_data; /* as it came, base64 */
};

struct gl_fake_aws_image {
    char id[32], region[40], name[160], state[20], snapshot[32];
    unsigned looks; /* until it is available */
};

/* What goes wrong next. */
struct gl_fake_aws_fault {
    const char *action; /* NULL = any */
    const char *region; /* NULL = any */
    int status;         /* 0 = hang up */
    const char *code, *message;
    unsigned times;
    bool acts_first; /* it is done all the same, only the answer is lost or wrong */
};

struct gl_fake_aws {
    struct gl_test_server *server;
    struct gl_fake_aws_instance instances[GL_FAKE_AWS_INSTANCES];
    size_t count;
    struct gl_fake_aws_image images[GL_FAKE_AWS_IMAGES];
    size_t image_count;
    struct gl_fake_aws_fault fault;
    unsigned hide;      /* looks that do not see a fresh instance */
    const char *unborn; /* why what is pending ends, "Server.InternalError"; NULL = it runs */
    unsigned page;      /* instances or offerings a page; 0 = all */
    bool has_no_prices;
    bool has_no_estimates; /* AccessDenied for the carbon statement */
    unsigned estimates;    /* pages of it that were asked for */
    const char *console;   /* of every instance */
    bool has_no_latest;    /* not Nitro: no Latest */
    char secret[64];       /* in force */
    unsigned handed_out;   /* so often, at /container as ECS does */
    char problem[256];     /* of the last request that was wrong in itself; "" = none */
};

struct gl_fake_aws *gl_fake_aws_start(void);
void gl_fake_aws_stop(struct gl_fake_aws *fake);
const char *gl_fake_aws_url(const struct gl_fake_aws *fake);
/* Neither ended nor ending. */
size_t gl_fake_aws_alive(const struct gl_fake_aws *fake);

/* ---- between its two files ---- */

struct gl_fake_aws_fields {
    struct {
        char *name, *value;
    } items[GL_FAKE_AWS_FIELDS];
    size_t count;
    char region[40];
};
/* "" when absent. */
const char *gl_fake_aws_field(const struct gl_fake_aws_fields *fields, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void gl_fake_aws_error(struct gl_test_answer *out, int status, const char *code,
                       const char *message);
/* Answer an action of EC2; false when it is none. */
bool gl_fake_aws_ec2(struct gl_fake_aws *fake, const char *action,
                     const struct gl_fake_aws_fields *fields, struct gl_test_answer *out);

#endif
