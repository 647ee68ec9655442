/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_CLOUD_VPS_BENCH_H
#define GL_TESTS_CLOUD_VPS_BENCH_H

/* One of Hetzner, DigitalOcean and Scaleway against its counterpart of ours, on a clock that runs
 * on while somebody sleeps. */

#include "tests/conformance/cloud_fake_vps.h"

#define GL_VPS_TOKEN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define GL_VPS_ENROL "feedfacefeedfacefeedfacefeedfacefeedfacefeedfacefeedfacefeedface"

/* What one of them says, in its own words. */
struct gl_vps_words {
    const char *name;
    const struct gl_fake_ops *ops;
    const char *region, *type;
    const char *create, *list, *erase;                      /* "METHOD path" */
    const char *capacity, *quota, *throttle, *busy, *quote; /* bodies */
    int capacity_status, quota_status, busy_status;
    const char *reset; /* header of a throttled answer */
};

#define GL_VPS_CLOUDS 3
extern const struct gl_vps_words gl_vps_clouds[GL_VPS_CLOUDS];
#define GL_VPS_EACH(words)                                                                        \
    for (const struct gl_vps_words *words = gl_vps_clouds; words < gl_vps_clouds + GL_VPS_CLOUDS; \
         words++)

struct gl_vps_bench {
    const struct gl_vps_words *words;
    struct gl_fake *fake;
    struct gl_world world;
    struct gl_cloud *cloud;
    struct gl_launch launch;
    struct gl_instance made;
    struct gl_error err;
    int got;
};

extern int64_t gl_vps_slept_ms; /* since the bench was opened */

void gl_vps_bench_open(struct gl_vps_bench *bench, const struct gl_vps_words *words);
/* The same with the user's rate for euro; NULL = none. */
void gl_vps_bench_open_rate(struct gl_vps_bench *bench, const struct gl_vps_words *words,
                            const char *usd_per_eur);
/* Into bench->got, made and err; no planted secret may be in what is said. */
void gl_vps_bench_launch(struct gl_vps_bench *bench);
int gl_vps_bench_find(struct gl_vps_bench *bench);
void gl_vps_bench_fault(struct gl_vps_bench *bench, struct gl_fake_fault fault);
/* So many run (0 or 1) and are found; nothing remains afterwards, and nobody complained. */
void gl_vps_bench_close(struct gl_vps_bench *bench, unsigned running);

#endif
