/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/signal/adapter.h"

#include <string.h>

/* Grid zone -> WattTime region, where both are the same area: a country that is one zone on both
 * sides, or one grid operator. Taken in 2026 from the region identifiers (wt-region-id) of the
 * Green Software Foundation's real-time-cloud table, spec 1.1.0, for the cities of our cloud
 * regions; checked by area only, not against the live service, and boundaries move (WattTime asks
 * to look them up anew each month). Left out: zones that are a part of a region (Danish, Swedish,
 * Italian, Indian and Brazilian ones; Great Britain, whose region is the United Kingdom) or hold
 * several of them (PJM, ERCOT, MISO, Ontario, California): there the region is said in the
 * configuration. */

static const struct {
    const char *zone, *region;
} rows[] = {
    {"AE", "ARE"},         {"AT", "AT"},           {"AU-NSW", "NEM_NSW"},  {"AU-VIC", "NEM_VIC"},
    {"BE", "BE"},          {"BH", "BHR"},          {"CA-QC", "HQ"},        {"CH", "CH"},
    {"CN", "CHN"},         {"DE", "DE"},           {"ES", "ES"},           {"FI", "FI"},
    {"FR", "FR"},          {"GR", "GR"},           {"HK", "HKG"},          {"ID", "IDN"},
    {"IE", "IE"},          {"IL", "ISR"},          {"JP-KN", "JP_KN"},     {"JP-TK", "JP_TK"},
    {"KR", "KOR"},         {"NL", "NL"},           {"NZ", "NZL"},          {"PL", "PL"},
    {"QA", "QAT"},         {"SA", "SAU"},          {"SG", "SGP"},          {"TW", "TWN"},
    {"US-NW-BPAT", "BPA"}, {"US-NW-NEVP", "NEVP"}, {"US-NW-PACE", "PACE"}, {"US-SW-AZPS", "AZPS"},
    {"ZA", "ZAF"},
};

const char *gl_watttime_region(const char *zone)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].zone, zone) == 0)
            return rows[i].region;
    return NULL;
}
