/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_MIGRATE_H
#define GL_BROKER_CLI_MIGRATE_H

/* The two ways of migrate: the same instance goes on in another place of its cloud (cmd_migrate.c),
 * or, where the cloud cannot do that, a new one in another region, made from its disk or begun anew
 * (migrate_region.c). */

#include "broker/cli/shift_reply.h"

struct gl_migrate_values {
    const char *to, *region, *cloud;
    bool is_describe_enough, is_anew;
    int64_t disk_bytes_millionths; /* INT64_MIN = as the cloud's machines are made */
    int64_t lost_work_s;           /* INT64_MIN = an hour, or as long as it has run */
};

/* Judge the region by the rules, work out what the move costs and gains, ask, and do it. The exit
 * status, or -1 with *err. */
int gl_migrate_region(struct gl_context *context, struct gl_shift_subject *subject,
                      const struct gl_migrate_values *values, struct gl_error *err);

#endif
