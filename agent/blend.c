/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/blend.h"

/* The model in place of a sensor that failed: flagged, and at its high bound when the sensor's
 * failure makes the interval doubtful rather than merely unmeasured. */
static struct gl_yield in_place_of(const struct gl_yield *failed, struct gl_yield modelled)
{
    modelled.flags |= failed->flags;
    if ((failed->flags & GL_FLAG_BOUNDED) != 0)
        modelled.delta_uj = modelled.high_uj;
    return modelled;
}

static int64_t known_uj(const struct gl_yield *yield)
{
    return yield->is_known ? yield->delta_uj : 0;
}

/* P5: a platform counter below the sum of its parts measures something else; one that stands still
 * measures nothing. */
static bool node_holds(const struct gl_yield measured[GL_KINDS])
{
    return measured[GL_COMP_NODE].is_known && measured[GL_COMP_NODE].delta_uj > 0 &&
           measured[GL_COMP_NODE].delta_uj >= known_uj(&measured[GL_COMP_CPU]) +
                                                  known_uj(&measured[GL_COMP_DRAM]) +
                                                  known_uj(&measured[GL_COMP_GPU]);
}

static void blend_parts(const struct gl_model *model, const struct gl_yield measured[GL_KINDS],
                        int64_t dt_ns, struct gl_yield out[GL_KINDS])
{
    const struct gl_yield *memory = &measured[GL_COMP_DRAM];

    out[GL_COMP_CPU] = measured[GL_COMP_CPU];
    out[GL_COMP_DRAM] =
        memory->is_known ? *memory : in_place_of(memory, gl_model_memory(model, dt_ns));
    out[GL_COMP_OTHER] = gl_model_board(out[GL_COMP_CPU].delta_uj + out[GL_COMP_DRAM].delta_uj);
    if (out[GL_COMP_CPU].tier == GL_TIER_S)
        out[GL_COMP_OTHER].tier = GL_TIER_S; /* a share of a simulated figure is one too */
}

void gl_blend(const struct gl_model *model, const struct gl_yield measured[GL_KINDS], double load,
              int64_t dt_ns, struct gl_yield out[GL_KINDS])
{
    struct gl_yield modelled[GL_KINDS];
    bool has_bad_node = measured[GL_COMP_NODE].is_known && !node_holds(measured);

    for (size_t i = 0; i < GL_KINDS; i++)
        out[i] = (struct gl_yield){0};
    if (node_holds(measured)) {
        out[GL_COMP_NODE] = measured[GL_COMP_NODE];
        return;
    }
    gl_model_sample(model, load, dt_ns, modelled);
    if (measured[GL_COMP_CPU].is_known) {
        blend_parts(model, measured, dt_ns, out);
    } else {
        out[GL_COMP_CPU] = in_place_of(&measured[GL_COMP_CPU], modelled[GL_COMP_CPU]);
        out[GL_COMP_DRAM] = modelled[GL_COMP_DRAM];
    }
    if (measured[GL_COMP_GPU].is_known)
        out[GL_COMP_GPU] = measured[GL_COMP_GPU];
    else if (modelled[GL_COMP_GPU].is_known)
        out[GL_COMP_GPU] = in_place_of(&measured[GL_COMP_GPU], modelled[GL_COMP_GPU]);
    if (has_bad_node)
        out[GL_COMP_CPU].flags |= GL_FLAG_SENTINEL;
}
