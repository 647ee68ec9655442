/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_FAKE_GCP_PART_H
#define GL_TESTS_FAKE_GCP_PART_H

/* What the files of the counterpart share: answers, and places, types, prices, images, quotas. */

#include "tests/support/fake_gcp.h"

#define FAKE_GCP_JSON  "application/json; charset=UTF-8"
#define FAKE_GCP_ZONES 4
extern const char *const fake_gcp_zones[FAKE_GCP_ZONES];

void fake_gcp_complain(struct fake_gcp *fake, const char *what);
void fake_gcp_answer_json(struct gl_test_answer *out, int status, json_t *value);
void fake_gcp_refuse(struct gl_test_answer *out, int status, const char *reason,
                     const char *message);
void fake_gcp_answer_operation(struct fake_gcp *fake, json_t *error, struct gl_test_answer *out);
void fake_gcp_list_zones(struct gl_test_answer *out);
json_t *fake_gcp_type_row(const char *name, int cpus, int mib);
void fake_gcp_list_types(struct gl_test_answer *out);
void fake_gcp_all_types(const struct gl_test_request *request, struct gl_test_answer *out);
void fake_gcp_list_skus(struct gl_test_answer *out);
void fake_gcp_on_image(struct fake_gcp *fake, const char *name,
                       const struct gl_test_request *request, struct gl_test_answer *out);
void fake_gcp_quotas(const struct fake_gcp *fake, struct gl_test_answer *out);
/* An operation's error: no stock, but in these zones. */
json_t *fake_gcp_stockout(const char *available);
/* Types that lack stock in one zone, answered; false = there is some. */
bool fake_gcp_is_dry(struct fake_gcp *fake, const char *zone, struct gl_test_answer *out);
void fake_gcp_list_places(const struct fake_gcp *fake, const struct gl_test_request *request,
                          struct gl_test_answer *out);

#endif
