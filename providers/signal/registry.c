/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/signal/adapter.h"

#include <string.h>

/* Add an adapter: one file, one line here (docs/how-to-add-a-signal.md). */
/* clang-format off */
static const struct gl_signal_ops *const adapters[] = {
    &gl_signal_builtin,
    &gl_signal_file,
    &gl_signal_neso,
    &gl_signal_energy_charts,
    &gl_signal_energinet,
    &gl_signal_electricity_maps,
    &gl_signal_watttime,
    &gl_signal_carbon_aware,
    &gl_signal_entsoe,
    &gl_signal_eia,
    &gl_signal_ember,
    &gl_signal_oracle,
};
/* clang-format on */

#define ADAPTERS (sizeof adapters / sizeof adapters[0])

const struct gl_signal_ops *const *gl_signal_registry(size_t *out_count)
{
    *out_count = ADAPTERS;
    return adapters;
}

const struct gl_signal_ops *gl_signal_find(const char *name)
{
    for (size_t i = 0; i < ADAPTERS; i++)
        if (strcmp(adapters[i]->name, name) == 0)
            return adapters[i];
    return NULL;
}
