# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# Sourced by cases about months: launches of one in the ledger, with receipts that verify.
greenlaunch status --offline >/dev/null
ledger=$XDG_STATE_HOME/greenlaunch/ledger.db
ended() { # ID CLOUD REGION STARTED-S ENDED-S RECEIPT
    receipt=''
    [ -z "$6" ] || receipt=$(sed "s/'/''/g" "$SOURCE/tests/cases/share/$6")
    sqlite3 "$ledger" "INSERT INTO launches(launch,state,cloud,region,receipt,created_ms,started_ms,ended_ms) VALUES('$1','ended','$2','$3','$receipt',${4}000,${4}000,${5}000)"
}
metered() { ended gl-2222222m aws eu-north-1 1791187200 1791187220 receipt-metered.json; }
unread() { ended gl-2222222u aws eu-north-1 1791190800 1791205200 receipt-unread.json; }
split() { ended gl-2222222s aws eu-west-1 1793480400 1793494800 receipt-split.json; }
no_carbon() { ended gl-2222222n aws eu-north-1 1791187200 1791190800 receipt-no-carbon.json; }
no_receipt() { ended gl-2222222r aws eu-north-1 1791187200 1791190800 ''; }
