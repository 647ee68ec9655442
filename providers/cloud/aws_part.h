/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_AWS_PART_H
#define GL_PROVIDERS_AWS_PART_H

/* The insides of the AWS adapter: aws_wire.c writes requests and reads answers (pure), aws.c opens,
 * signs and lists places, aws_launch.c and aws_life.c are the instances, aws_image.c the images,
 * aws_price.c and aws_catalog.c the prices, aws_statement.c what AWS says of its carbon.
 * EC2 Query API: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/making-api-requests.html */

#include "base/xml.h"
#include "providers/cloud/aws_credential.h"
#include "providers/cloud/remote.h"

#define GL_AWS_USER_DATA ((size_t)16 << 10) /* bytes before base64 */
#define GL_AWS_CONSOLE   ((size_t)64 << 10) /* what EC2 keeps of a console */
#define GL_AWS_LIST_MAX  100000u            /* instances of an account */
#define GL_AWS_PAGES_MAX 200u

/* Types of a region, asked once. */
struct gl_aws_types {
    char region[40];
    const char **names; /* NULL-terminated; each is to be freed */
};

/* The end of a console as it was last seen, to go on behind it when the window has moved. */
struct gl_aws_console {
    char id[GL_CLOUD_ID];
    uint64_t next;
    struct gl_str window;
};

enum gl_aws_setting {
    GL_AWS_PROFILE,
    GL_AWS_REGION,
    GL_AWS_REGIONS,
    GL_AWS_ENDPOINT,
    GL_AWS_IMAGE,
    GL_AWS_SUBNET,
    GL_AWS_GROUPS,
    GL_AWS_INSTANCE_PROFILE,
    GL_AWS_KEY_NAME,
    GL_AWS_SETTLE,
    GL_AWS_SETTINGS
};

struct gl_aws {
    struct gl_remote remote; /* first */
    struct gl_aws_chain *chain;
    char *settings[GL_AWS_SETTINGS]; /* NULL = not set */
    char home[40];                   /* the region that is asked where none is named */
    const char **regions;            /* NULL-terminated, each to be freed; NULL = not asked */
    struct gl_aws_types *types;
    size_t type_count;
    struct gl_aws_console *consoles;
    size_t console_count;
};

extern const struct gl_remote_rule gl_aws_rules[];
extern const struct gl_setting_key gl_aws_keys[];
extern const struct gl_catalog_ops gl_aws_catalog;

/* ---- writing: pure ---- */

/* The service of a request by its own marks ("ec2", "sts", "pricing" ...), for its signature. */
const char *gl_aws_service_of(const char *headers, const char *body);
/* Begin a call of the Query protocol to `service` ("ec2", "sts"). */
void gl_aws_query(struct gl_aws *aws, struct gl_remote_call *call, const char *service,
                  const char *region, const char *action);
/* Begin a call of the JSON 1.1 protocol; `body` is borrowed. */
void gl_aws_json(struct gl_aws *aws, struct gl_remote_call *call, const char *service,
                 const char *region, const char *target, const json_t *body);
/* "&NAME=value" of a Query call; nothing when value is NULL. The name is printf-like. */
void gl_aws_add(struct gl_remote_call *call, const char *value, const char *name, ...)
    __attribute__((format(printf, 3, 4)));
/* "Filter.N.Name", "Filter.N.Value.1". */
void gl_aws_filter(struct gl_remote_call *call, unsigned number, const char *name,
                   const char *value);
/* "TagSpecification.N" with the labels of a launch and its name. */
void gl_aws_tag(struct gl_remote_call *call, unsigned number, const char *resource,
                const struct gl_launch *launch);
/* Item `number` (from 0) of a setting that counts in `region`: "a, eu-west-1=b" gives "a" and in
 * eu-west-1 "b", too. False when there is no such item, or it does not fit. */
bool gl_aws_item(const char *setting, const char *region, unsigned number, char out[128]);
/* The architecture of a type: of our table, else of its name ("arm64" has a g behind the
 * generation). */
const char *gl_aws_arch(const char *type);

/* ---- reading: pure ---- */

bool gl_aws_read_error(const struct gl_http_reply *reply, struct gl_remote_word *out);
/* An <item> of instancesSet. False when it does not carry our labels; *out then holds what is known
 * all the same. */
bool gl_aws_read_instance(const struct gl_xml_node *item, const char *region,
                          struct gl_instance *out);
/* Append those of ours in a DescribeInstances answer; the next page's token into `next` (1024), ""
 * = none. BAD_REPLY, TOO_LARGE. */
struct gl_aws_instances {
    struct gl_instance *items;
    size_t count, capacity;
};
int gl_aws_read_instances(const struct gl_http_reply *reply, const char *region,
                          struct gl_aws_instances *out, char next[1024], struct gl_error *err);
/* The whole document of a good answer; NULL with BAD_REPLY. */
struct gl_xml *gl_aws_read(const struct gl_remote_call *call, struct gl_error *err);
/* Decimal money ("0.0416000000") as millionths, rounded to the nearest; false when it is none. */
bool gl_aws_read_money(const char *text, int64_t *out_u);
/* The hourly on-demand price, and the type's size, in a GetProducts answer's product (a JSON
 * string). False when it holds none. */
struct gl_catalog_row;
bool gl_aws_read_product(const char *text, struct gl_catalog_row *out);

/* ---- sending ---- */

/* Send and parse: NULL with the error. */
struct gl_xml *gl_aws_ask(struct gl_aws *aws, struct gl_remote_call *call, struct gl_error *err);
/* May this region be used, as the setting `regions` says? False for what is no region's name. */
bool gl_aws_is_wanted(const struct gl_aws *aws, const char *region);
/* UNKNOWN_NAME unless it is the name of a region (of one we know, or that the account lists). */
int gl_aws_check_region(struct gl_aws *aws, const char *region, struct gl_error *err);
/* "REGION/i-0123" apart: NOT_FOUND when it is not one. The native part is borrowed from id. */
int gl_aws_split(const char *id, const char *prefix, char region[40], const char **out_native,
                 struct gl_error *err);
/* Wait before look number `tries` (from 1) at something that takes its time: false when the time
 * is up. */
bool gl_aws_wait(struct gl_aws *aws, unsigned tries, struct gl_error *err);

/* The operations. */
int gl_aws_launch(struct gl_cloud *cloud, const struct gl_launch *launch, struct gl_instance *out,
                  struct gl_error *err);
int gl_aws_check(struct gl_cloud *cloud, const struct gl_launch *launch, struct gl_error *err);
int gl_aws_describe(struct gl_cloud *cloud, const char *id, struct gl_instance *out,
                    struct gl_error *err);
/* The same within an operation: one look. */
int gl_aws_look(struct gl_aws *aws, const char *id, struct gl_instance *out, struct gl_error *err);
int gl_aws_find(struct gl_cloud *cloud, const char *region, const char *token,
                struct gl_instance *out, struct gl_error *err);
int gl_aws_list(struct gl_cloud *cloud, struct gl_instance **out, size_t *out_count,
                struct gl_error *err);
int gl_aws_stop(struct gl_cloud *cloud, const char *id, struct gl_span wait, struct gl_error *err);
int gl_aws_terminate(struct gl_cloud *cloud, const char *id, struct gl_error *err);
int gl_aws_halt(struct gl_cloud *cloud, const char *id, struct gl_error *err);
int gl_aws_start(struct gl_cloud *cloud, const char *id, struct gl_error *err);
int gl_aws_console_read(struct gl_cloud *cloud, const char *id, uint64_t offset, struct gl_str *out,
                        uint64_t *out_next, struct gl_error *err);
int gl_aws_image_create(struct gl_cloud *cloud, const char *id, const char *name,
                        struct gl_cloud_image *out, struct gl_error *err);
int gl_aws_image_copy(struct gl_cloud *cloud, const char *image, const char *region,
                      const char *name, struct gl_cloud_image *out, struct gl_error *err);
int gl_aws_image_look(struct gl_cloud *cloud, const char *image, struct gl_cloud_image *out,
                      struct gl_error *err);
int gl_aws_image_delete(struct gl_cloud *cloud, const char *image, struct gl_error *err);
int gl_aws_image_find(struct gl_cloud *cloud, const char *id, const char *region, const char *name,
                      struct gl_cloud_image *out, struct gl_error *err);
/* aws_statement.c: the Sustainability API. */
int gl_aws_statement(struct gl_cloud *cloud, struct gl_instant month, struct gl_statement *out,
                     struct gl_error *err);
int gl_aws_price(struct gl_cloud *cloud, const char *region, const char *type, int64_t *out,
                 struct gl_error *err);
/* The same at the spot price: the dearest zone's, as EC2 chooses the zone. */
int gl_aws_spot_price(struct gl_aws *aws, const char *region, const char *type, int64_t *out,
                      struct gl_error *err);

#endif
