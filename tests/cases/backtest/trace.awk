# SPDX-License-Identifier: Apache-2.0
# Invented hourly figures: awk -v days=N -v zone=NAME -v base=G -v phase=H [-v share=1] [-v hole=H]
# [-v head=0] -f trace.awk. From 2024-01-01 on; `base` g/kWh on average, lowest at hour `phase`, with
# a slow wave over the days and a repeatable unrest. `hole`: an hour without a figure. `share`: the
# renewable share beside it.
BEGIN {
    months = "31 29 31 30 31 30 31 31 30 31 30 31"
    split(months, length_of, " ")
    if (head == "")
        print "from,zone,quantity,unit,value,evidence,boundary,gases,step_minutes"
    month = 1; day = 1; state = 7
    for (h = 0; h < days * 24; h++) {
        hour = h % 24
        state = (state * 16807) % 2147483647
        unrest = 0.9 * unrest + 20 * (state / 2147483647 - 0.5)
        wave = 0.35 * cos((hour - phase) * 6.283185 / 24)
        value = base * (1 - wave + 0.25 * sin(h * 6.283185 / 24 / 9)) + unrest
        if (value < 5) value = 5
        at = sprintf("2024-%02d-%02dT%02d:00Z", month, day, hour)
        text = hole != "" && h == hole ? "NA" : sprintf("%.1f", value)
        printf "%s,%s,carbon_intensity,gCO2e/kWh,%s,measured,lifecycle,co2e,60\n", at, zone, text
        if (share) {
            part = 100 - value / 5
            if (part < 0) part = 0
            printf "%s,%s,renewable_share,percent,%.2f,measured,na,na,60\n", at, zone, part
        }
        if (hour == 23 && ++day > length_of[month]) { day = 1; month++ }
    }
}
