#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Stands in for terraform where a plan with machines is needed and no provider can be had: its
# "binary" plan is the mark of a zip archive before the JSON of FAKE_PLAN. Calls go to FAKE_LOG.
printf '%s\n' "$*" >>"$FAKE_LOG"
case ${1:-} in -chdir=*) cd "${1#-chdir=}" && shift ;; esac
verb=${1:-}
for word in "$@"; do
    last=$word
    case $word in -out=*) out=${word#-out=} ;; esac
done
case $verb in
init) ;;
plan)
    [ -z "${FAKE_SLEEP_PLAN:-}" ] || exec sleep "$FAKE_SLEEP_PLAN"
    [ "${FAKE_PLAN_STATUS:-0}" -eq 0 ] || exit "$FAKE_PLAN_STATUS"
    [ -z "${FAKE_ON_PLAN:-}" ] || eval "$FAKE_ON_PLAN"
    { printf 'PK\003\004' && cat "$FAKE_PLAN"; } >"$out"
    echo 'planned'
    ;;
show)
    [ -z "${FAKE_SHOW_STAYS:-}" ] || trap '' TERM
    [ -z "${FAKE_SLEEP_SHOW:-}" ] || exec sleep "$FAKE_SLEEP_SHOW"
    tail -c +5 "$last" | head -c "${FAKE_SHOW_BYTES:-1000000}"
    [ -z "${FAKE_TAMPER:-}" ] || printf ' ' >>"$last"
    exit "${FAKE_SHOW_STATUS:-0}"
    ;;
apply)
    tail -c +5 "$last" | cmp -s - "$FAKE_PLAN" || exit 99
    if [ -n "${FAKE_APPLY_LISTENS:-}" ]; then
        trap 'echo "apply heard it" >>"$FAKE_LOG"' TERM
        echo 'apply waits' >>"$FAKE_LOG"
        for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 0.05; done
    fi
    if [ -n "${FAKE_SLEEP_APPLY:-}" ]; then
        trap 'echo "apply was told to end" >>"$FAKE_LOG"; kill "$nap"; exit 5' TERM
        trap 'echo "apply was interrupted" >>"$FAKE_LOG"; told=6' INT
        echo 'apply waits' >>"$FAKE_LOG"
        setsid sleep "$FAKE_SLEEP_APPLY" &
        nap=$!
        wait "$nap"
        if [ -n "${told:-}" ]; then
            kill "$nap"
            exit "$told"
        fi
    fi
    echo 'applied'
    exit "${FAKE_APPLY_STATUS:-0}"
    ;;
*) exit 64 ;;
esac
