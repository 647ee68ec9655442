#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The servers of the hook over TLS on loopback: tests/integration/hook_serve.sh BUILD. curl and
# openssl are the clients, tests/support/fake_hcp.py stands for HCP Terraform.
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd)
. tests/support/checks.sh
root=$PWD
scratch=$build/tmp/hook-serve.$$
program=$build/greenlaunch
token=tok-PLANTED-5b1e.atlasv1.secret
key=a-key-that-is-long-enough

skip() {
    printf 'skip hook_serve: %s\n' "$1"
    exit 0
}

for name in curl openssl python3; do
    command -v "$name" >/dev/null || skip "$name is not installed"
done
ldconfig -p 2>/dev/null | grep -q 'libmicrohttpd\.so\.12' || skip 'libmicrohttpd.so.12 is not installed'

rm -rf "$scratch"
mkdir -p "$scratch"/{hcp,home,state}
cd "$scratch" || exit 1
export HOME=$scratch/home XDG_STATE_HOME=$scratch/state XDG_CONFIG_HOME=$scratch/home
unset http_proxy https_proxy HTTPS_PROXY ALL_PROXY all_proxy
cp "$root/tests/cases/hook/refused/plan.json" "$root/tests/cases/hook/refused/policy.yaml" .
sed -i '0,/{/s//{"variables":{"password":{"value":"PLANTED-in-plan"}},/; s/"after": *{/&"user_data":"PLANTED-in-plan",/' \
    plan.json
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem \
    -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1,DNS:localhost 2>/dev/null
chmod 600 key.pem
printf '%s\n' "$key" >hmac
chmod 600 hmac

fake=
server=
offline=--offline
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null
    [ -z "$fake" ] || kill "$fake" 2>/dev/null
    wait 2>/dev/null
}
trap finish EXIT

within() { # TENTHS COMMAND...: until it holds
    local left=$1
    shift
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        sleep 0.1
    done
}

# shellcheck disable=SC2086 # $offline is a word or none
serve() { # LOG WORDS...: starts a server; its address goes to $url
    local log=$1
    shift
    "$program" hook "$@" --listen 127.0.0.1:0 --tls-cert cert.pem --tls-key key.pem \
        --policy policy.yaml $offline 2>"$log" >"$log.out" &
    server=$!
    within 100 grep -q '^listening on ' "$log" || sed 's/^/# /' "$log"
    url=$(sed -n 's/^listening on \(https:[^ ]*\): .*/\1/p' "$log")
}

ask() { # CURL WORDS...: status to $status, body to answer
    status=$(curl -s -m 20 --noproxy '*' --cacert cert.pem -o answer -w '%{http_code}' "$@")
    cat answer >>answers
}

answers() { # STATUS TEXT
    [ "$status" = "$1" ] || printf '# answered %s: %s\n' "$status" "$(head -c 300 answer)"
    [ "$status" = "$1" ]
    check $? "$2"
}

stopped() { # LOG TEXT: TERM ends it, with status 0 and all its processes
    local result=0 children
    children=$(pgrep -P "$server" | tr '\n' ' ')
    kill -TERM "$server"
    wait "$server" || result=$?
    server=
    for child in $children; do
        [ ! -d "/proc/$child" ] || result="$result, child $child is left"
    done
    [ "$result" = 0 ] || printf '# %s\n' "$result"
    [ "$result" = 0 ] && grep -q '^stopped$' "$1"
    check $? "$2"
}

# ---- what does not start ----

exits 2 'a run task server without a key for signatures' \
    "$program" hook serve-runtask --policy policy.yaml
cp hmac open && chmod 644 open
exits 2 'a key that others may read' \
    "$program" hook serve-runtask --hmac-key-file open --policy policy.yaml
said 'others may read it' 'and says so'
exits 2 'beyond this machine without TLS' \
    "$program" hook serve-runtask --hmac-key-file hmac --listen 0.0.0.0:0 --policy policy.yaml
exits 2 'admission without TLS' "$program" hook serve-admission --policy policy.yaml
exits 2 'a key of another certificate' "$program" hook serve-runtask --hmac-key-file hmac \
    --listen 127.0.0.1:0 --tls-cert cert.pem --tls-key hmac --policy policy.yaml
exits 2 'no rules at all' "$program" hook serve-runtask --hmac-key-file hmac --listen 127.0.0.1:0

# ---- run tasks ----

python3 "$root/tests/support/fake_hcp.py" hcp cert.pem key.pem plan.json 2>fake.log &
fake=$!
within 100 test -s hcp/port
port=$(cat hcp/port)
serve runtask.log serve-runtask --hmac-key-file hmac --ca-file cert.pem \
    --allow-host "127.0.0.1:$port" --allow-host "localhost:$port"

payload() { # STAGE ID SPECULATIVE [HOST]
    local host=${4:-127.0.0.1:$port}
    printf '{"payload_version":1,"stage":"%s","access_token":"%s","task_result_id":"%s","run_id":"run-1","workspace_name":"web","task_result_enforcement_level":"mandatory","is_speculative":%s,"task_result_callback_url":"https://%s/callback/%s","plan_json_api_url":"https://%s/plan/%s"}' \
        "$1" "$token" "$2" "$3" "$host" "$2" "$host" "$2" >request
}

signed() { # the request as HCP Terraform would sign it
    ask --data-binary @request -H 'Content-Type: application/json' -H \
        "X-TFC-Task-Signature: $(openssl dgst -sha512 -hmac "$key" request | sed 's/.* //')" \
        "$url/run-task"
}

ended() { # ID: the callback that is no sign of life
    grep -lE '"status":"(passed|failed)"' hcp/"$1".*.json
}

results() { # ID STATUS TEXT WORD
    local file
    within 150 ended "$1"
    file=$(ended "$1" | tail -n 1)
    [ -n "$file" ] && grep -q "\"status\":\"$2\"" "$file" && grep -q "$4" "$file"
    local result=$?
    [ "$result" -eq 0 ] || sed 's/^/# /' "${file:-runtask.log}"
    check "$result" "$3"
}

payload post_plan taskrs-1 false
ask --data-binary @request "$url/run-task"
answers 401 'a request without a signature is turned away'
ask --data-binary @request -H 'X-TFC-Task-Signature: 00ff' "$url/run-task"
answers 401 'and one with a wrong one'
printf '{"payload_version":1,"stage":"test","access_token":"test-token"}' >request
signed
answers 200 'the test token is answered'
payload post_plan taskrs-1 false 'evil.example'
signed
answers 422 'another host than those to ask'
printf '{"access_token":"%s"' "$token" >request
signed
answers 400 'half a document'
[ ! -e hcp/log ]
check $? 'nothing of that was asked for'

payload post_plan late-1 false
signed
answers 200 'a task is taken'
signed
answers 200 'and once more'
results late-1 failed 'a plan that is not ready is waited for, and judged' \
    'refused: 1 of 2 launches break a rule'
[ "$(grep -c '^GET /plan/late-1 ' hcp/log)" -eq 3 ] && [ "$(ended late-1 | wc -l)" -eq 1 ]
check $? 'the same task twice is done once'
grep -q '"status":"running"' hcp/late-1.1.json
check $? 'running comes first'
python3 - hcp/late-1.2.json <<'END'
import json, sys
data = json.load(open(sys.argv[1]))["data"]
assert data["type"] == "task-results", data
outcomes = data["relationships"]["outcomes"]["data"]
assert [o["type"] for o in outcomes] == ["task-result-outcomes"] * 2, outcomes
first = outcomes[0]["attributes"]
assert first["tags"]["Status"] == [{"label": "Refused", "level": "error"}], first
assert "us-east-1" in first["body"] and "aws_instance.web" in first["description"], first
assert outcomes[1]["attributes"]["outcome-id"] == "summary", outcomes
END
check $? 'the result has outcomes with tags and a body'
[ "$(grep -c "^GET /plan/.* Bearer $token\$" hcp/log)" -eq 3 ] &&
    grep -q '^GET /archive/late-1 -$' hcp/log
check $? 'the redirect is followed without the bearer'

payload post_plan spec-1 true
signed
results spec-1 passed 'a speculative plan is never blocked' 'advisory, not blocked: refused'
payload pre_apply apply-1 false
signed
results apply-1 failed 'judged again before the apply' 'Judged at:\*\* apply'
payload pre_plan early-1 false
signed
results early-1 passed 'before the plan there is nothing to judge' 'no plan yet'
payload post_apply done-1 false
signed
results done-1 passed 'after the apply neither' 'already applied'
payload post_plan flaky-1 false
signed
results flaky-1 failed 'a callback that is refused at first' 'break a rule'
payload post_plan old-1 false
signed
results old-1 failed 'a plan that cannot be had' 'too old'
payload post_plan gone-1 false
signed
results gone-1 failed 'a plan that is gone' 'not judged, so not passed'
payload post_plan broken-1 false
signed
results broken-1 failed 'a plan that is none' 'not judged, so not passed'
payload post_plan evil-1 false
signed
results evil-1 failed 'a redirect to a host that was not named' 'allow-host'
sed -i 's/200 gCO2e/900 gCO2e/' policy.yaml
payload post_plan fine-1 false
signed
results fine-1 passed 'the policy is read anew, and the plan passes' '2 launches, every rule holds'

ask "$url/nothing"
answers 404 'another path'
ask "$url/run-task"
answers 405 'another method'
ask "$url/healthz"
answers 200 'health'
head -c 300000 /dev/zero >large
ask --data-binary @large "$url/run-task"
answers 413 'a body that is too large'
ask --data-binary @large -H 'Transfer-Encoding: chunked' "$url/run-task"
answers 413 'also in pieces'
ask -H "X-Long: $(head -c 40000 /dev/zero | tr '\0' x)" "$url/healthz"
answers 431 'headers that are too large'
curl -s -m 5 --noproxy '*' --cacert cert.pem --tls-max 1.1 "$url/healthz" >/dev/null 2>&1
[ $? -eq 35 ]
check $? 'TLS 1.1 is refused'
payload post_plan never-1 false
signed
within 50 test -e hcp/never-1.1.json
kill -TERM $(pgrep -P "$server")
results never-1 failed 'a task that is told to stop says so' 'being stopped'
payload post_plan late-2 false
signed
within 50 test -e hcp/late-2.1.json
stopped runtask.log 'TERM ends the server and its tasks'
results late-2 passed 'the task under way was brought to its end' 'every rule holds'

serve killed.log serve-runtask --hmac-key-file hmac --ca-file cert.pem \
    --allow-host "127.0.0.1:$port" --allow-host "localhost:$port"
payload post_plan never-2 false
signed
within 50 test -e hcp/never-2.1.json
child=$(pgrep -P "$server")
! grep -qaE "PLANTED|$key" "/proc/$server/cmdline" "/proc/$server/environ" \
    "/proc/$child/cmdline" "/proc/$child/environ"
check $? 'neither token nor key stands among arguments or in the environment'
kill -KILL "$server"
wait "$server" 2>/dev/null
server=
results never-2 failed 'a task says so when its server is gone' 'being stopped'
within 100 test ! -d "/proc/$child"
check $? 'and does not outlive it'

# ---- what was seen ----

[ "$(grep -c PLANTED-in-plan plan.json)" -gt 1 ]
check $? 'secrets stand in the plan'
! grep -rl PLANTED runtask.log runtask.log.out killed.log state home answers hcp/*.json 2>/dev/null
check $? 'they and the access token are nowhere but in the requests to HCP Terraform'
! grep -q "$key" runtask.log runtask.log.out
check $? 'nor the key of the signatures'
grep -qE '^[0-9TZ:-]+ 127\.0\.0\.1 POST /run-task 200 0B [0-9]+ms late-1 post_plan: taken$' runtask.log &&
    grep -q 'late-1 post_plan: taken before$' runtask.log
check $? 'one line a request'
. "$root/tests/support/hook_serve_admission.sh"

finish
trap - EXIT
cd "$root" || exit 1
[ "$failed" -ne 0 ] || rm -rf "$scratch"
exit "$failed"
