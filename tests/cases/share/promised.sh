# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# Sourced by cases about promises in the ledger: three of launch gl-23456789, in every state; the
# open one speaks of the year 2099, so that nothing comes due while the case runs.
greenlaunch guarantee list --offline >/dev/null
ledger=$XDG_STATE_HOME/greenlaunch/ledger.db
promise() { # ID STATE START-S HOURS PPM SETTLED
    until_s=$(($3 + $4 * 3600))
    sqlite3 "$ledger" "INSERT INTO guarantees VALUES('$1','gl-23456789','$2','DE',$until_s,'{\"at_s\":$3,\"hours\":$4,\"id\":\"$1\",\"issues\":288,\"legs\":[{\"accounting\":\"location\",\"boundary\":\"lifecycle\",\"dataset\":\"grid_of_tests.csv\",\"factor_set\":\"\",\"kind\":\"ceiling\",\"limit_u\":200000000,\"provider\":\"file\",\"quantity\":\"carbon_intensity\",\"rate\":\"average\",\"share_of\":0,\"trace\":\"production\"},{\"accounting\":\"location\",\"dataset\":\"grid_of_tests.csv\",\"kind\":\"floor\",\"limit_u\":600000,\"provider\":\"file\",\"quantity\":\"renewable_share\"}],\"level_ppm\":300000,\"method\":\"residual-path first passage\",\"own_chance_ppm\":961000,\"probability_ppm\":$5,\"record\":{\"broken\":12,\"issued\":120,\"kept\":108,\"median_h\":7,\"unsettled\":0},\"rule\":\"command-line\",\"start_s\":$3,\"state\":\"open\",\"until_s\":$until_s,\"zone\":\"DE\"}','$6')"
}
promise gr-00000001 kept 1767225600 5 900000 '{"at_s":1767243600,"hour_s":null,"id":"gr-00000001","on_estimates":true,"state":"kept","was_there":null}'
promise gr-00000002 breached 1767225600 12 900000 '{"at_s":1767243600,"hour_s":1767236400,"id":"gr-00000002","on_estimates":false,"state":"breached","was_there":false}'
promise gr-00000003 open 4070908800 3 990000 ''
