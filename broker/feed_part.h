/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_FEED_PART_H
#define GL_BROKER_FEED_PART_H

/* What the parts of broker/feed.h share. */

#include "broker/feed.h"

/* Of an instant, in UTC. */
int gl_demand_month(struct gl_instant at);
struct gl_instant gl_demand_month_start(int month);

/* By fingerprint, then month; for qsort. */
int gl_demand_cell_order(const void *left, const void *right);
/* Has members of an own or of a shared document. New reference. */
json_t *gl_demand_cell_json(const struct gl_demand_cell *cell, bool is_shared);
/* A document's "cells" of these, sorted first. TOO_LARGE. */
json_t *gl_demand_cells_json(struct gl_demand_cell *cells, size_t count, bool is_shared,
                             struct gl_error *err);
struct gl_demand_range gl_demand_range_of(int64_t count);
/* The member "noise" of a shared document. New reference. */
json_t *gl_demand_noise_json(void);

#endif
