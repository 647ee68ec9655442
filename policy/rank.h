/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_RANK_H
#define GL_POLICY_RANK_H

/* Inside the evaluator only: which of the judged offers comes first. */

#include "policy/decide.h"

struct gl_judge;

/* What offers are ranked by: smaller is better, unknown is infinite. */
struct gl_rank {
    double first, second;
    uint32_t name_rank, offer;
    uint8_t group; /* allowed, unknown, violated */
};
struct gl_rank gl_rank_of(struct gl_judge *judge, const struct gl_judgement *judgement,
                          uint32_t name_rank);
int gl_rank_compare(const void *a, const void *b);
/* decision->ranked[], from the judgements. name_rank NULL: equal offers stay as they came. */
void gl_rank_offers(struct gl_judge *judge, const uint32_t *name_rank,
                    struct gl_decision *decision);

#endif
