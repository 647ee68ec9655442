#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An invented hourly grid for tests: no state of any grid, the same bytes every time.
# tests/support/grid_series.sh ZONE FIRST-DAY DAYS [LEVEL [SEED [SHIFT]]] prints the rows of a
# signal file: LEVEL (300) is its mean intensity in g/kWh; days have a clean noon and a dirty
# evening, SHIFT (0) hours earlier; the noise has a memory. FIRST-DAY is days since 1970. Without a
# zone it prints the head of the file.
if [ $# -eq 0 ]; then
    echo '# Invented figures for tests: no state of any grid.'
    echo 'from,zone,quantity,unit,value,evidence,boundary'
    exit
fi
awk -v zone="$1" -v first="$2" -v days="$3" -v level="${4:-300}" -v seed="${5:-1}" \
    -v shift="${6:-0}" '
function random() { # 0..1
    state = (state * 1103 + 12345) % 1048576
    return state / 1048576
}
function civil(day,    era, doe, yoe, doy, mp, y, m) { # days since 1970, Gregorian
    day += 719468
    era = int(day / 146097)
    doe = day - era * 146097
    yoe = int((doe - int(doe / 1460) + int(doe / 36524) - int(doe / 146096)) / 365)
    doy = doe - (365 * yoe + int(yoe / 4) - int(yoe / 100))
    mp = int((5 * doy + 2) / 153)
    m = mp < 10 ? mp + 3 : mp - 9
    y = yoe + era * 400 + (m <= 2)
    return sprintf("%04d-%02d-%02d", y, m, doy - int((153 * mp + 2) / 5) + 1)
}
BEGIN {
    state = seed * 7919 % 1048576
    split("86 84 82 82 84 90 98 100 92 80 68 58 52 50 54 64 80 100 122 134 132 120 106 94", shape)
    for (day = 0; day < days; day++)
        for (hour = 0; hour < 24; hour++) {
            noise = 0.9 * noise + (random() + random() - 1) * 12
            percent = shape[(hour + shift) % 24 + 1] + noise
            value = level * (percent > 5 ? percent : 5) / 88
            share = 100 - percent * 0.6
            at = sprintf("%sT%02d:00Z,%s", civil(first + day), hour, zone)
            printf "%s,carbon_intensity,gCO2e/kWh,%.1f,measured,lifecycle\n", at, value
            printf "%s,renewable_share,percent,%.1f,measured,\n", at,\
                   share < 0 ? 0 : share < 100 ? share : 100
        }
}'
