#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Venues judged by what others wrote: tests/integration/venues.sh BUILD. Prism with GitHub's own
# OpenAPI description (npm), moto (AWS Support), aiosmtpd with TLS and authentication, the
# CloudEvents SDK (pip), Chromium where it is installed. Each comes into BUILD, or is skipped with
# its reason.
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd)
# shellcheck source=tests/support/checks.sh
. tests/support/checks.sh
# shellcheck source=tests/support/aws_venv.sh
. tests/support/aws_venv.sh
scratch=$build/tmp/venues.$$
program=$build/tests/conformance/test_venue_judged
jobs=()

# shellcheck disable=SC2317 # called by the trap
end_jobs() {
    exec 9>&-
    [ ${#jobs[@]} -eq 0 ] || kill "${jobs[@]}" 2>/dev/null
    wait 2>/dev/null
    [ "$failed" -ne 0 ] || rm -rf "$scratch"
}
trap end_jobs EXIT
mkdir -p "$scratch"

skip() { # WHAT REASON
    printf 'skip venues %s: %s\n' "$1" "$2"
}

wait_for() { # SECONDS PID COMMAND...
    local seconds=$1 pid=$2
    shift 2
    for _ in $(seq $((seconds * 4))); do
        "$@" && return 0
        kill -0 "$pid" 2>/dev/null || return 1
        sleep 0.25
    done
    return 1
}

judged() { # TEXT VARIABLE=VALUE...: the program with these judges alone
    local text=$1
    shift
    env "$@" timeout 100 "$program" >"$scratch/log" 2>&1
    local status=$?
    grep -q '\[  PASSED  \] 1 test' "$scratch/log" || status=1
    [ "$status" -eq 0 ] || grep -vE '^\[ RUN|SKIP|skipped' "$scratch/log" | tail -n 12 | sed 's/^/# /'
    [ "$status" -eq 0 ]
    check $? "$text"
}

# ---- GitHub ----

github() {
    local work=$build/prism-github port=$((20000 + $$ % 20000)) pid spec
    command -v npm >/dev/null 2>&1 || { skip github 'npm is not installed'; return; }
    mkdir -p "$work"
    if [ ! -f "$work/whole" ]; then
        (cd "$work" && timeout 300 npm install --no-audit --no-fund --silent \
            @stoplight/prism-cli @octokit/openapi && touch whole) >"$work/npm.log" 2>&1 ||
            { skip github "npm cannot install Prism and GitHub's description, see $work/npm.log"; return; }
    fi
    spec=$work/node_modules/@octokit/openapi/generated/api.github.com.json
    # All of it takes Prism a minute to read: what we call is enough, unchanged.
    node tests/support/venue_spec.js "$spec" >"$scratch/github.json" ||
        { skip github "no description in $spec"; return; }
    "$work/node_modules/.bin/prism" mock --errors -h 127.0.0.1 -p "$port" "$scratch/github.json" \
        >"$scratch/prism.log" 2>&1 &
    pid=$!
    jobs+=("$pid")
    wait_for 60 "$pid" grep -q 'is listening' "$scratch/prism.log" ||
        { skip github "Prism does not start: $(tail -n 1 "$scratch/prism.log")"; return; }
    judged "GitHub's description has nothing against what is sent" \
        GREENLAUNCH_JUDGE_GITHUB="http://127.0.0.1:$port" GITHUB_TOKEN=judge
    ! grep -q 'Violation' "$scratch/prism.log"
    check $? 'Prism found no violation'
}

# ---- AWS Support ----

moto() {
    local port=$((21000 + $$ % 20000)) pid
    aws_venv "$build" || { skip aws-support "$missing"; return; }
    "$python" -c 'from moto.server import main; main()' -H 127.0.0.1 -p "$port" \
        >"$scratch/moto.log" 2>&1 &
    pid=$!
    jobs+=("$pid")
    wait_for 60 "$pid" grep -q 'Running on' "$scratch/moto.log" ||
        { skip aws-support "moto does not start: $(tail -n 1 "$scratch/moto.log")"; return; }
    judged 'moto makes one case, finds it again and lets it be resolved' \
        GREENLAUNCH_JUDGE_MOTO="http://127.0.0.1:$port" AWS_ACCESS_KEY_ID=AKIAJUDGE \
        AWS_SECRET_ACCESS_KEY=judge AWS_EC2_METADATA_DISABLED=true
}

# ---- a mail server, an event receiver, a page: they end with our end of the pipe ----

start_judge() { # WHAT PYTHON: its port into $port
    local folder=$scratch/$1 pid
    mkdir -p "$folder"
    "$2" tests/support/venue_judge.py "$1" "$folder" <"$scratch/in" 9>&- >"$folder/log" 2>&1 &
    pid=$!
    jobs+=("$pid")
    wait_for 30 "$pid" test -f "$folder/port" || return 1
    port=$(cat "$folder/port")
}

certificate() { # FOLDER
    mkdir -p "$1"
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 \
        -addext 'subjectAltName=IP:127.0.0.1' -keyout "$1/key.pem" -out "$1/cert.pem" 2>/dev/null
}

mail() {
    local folder=$scratch/smtp port
    certificate "$folder" || { skip smtp 'openssl is not installed'; return; }
    start_judge smtp "$python" || { skip smtp "$(tail -n 1 "$folder/log")"; return; }
    judged 'a mail server with TLS takes one message of who signs in, and of nobody else' \
        GREENLAUNCH_JUDGE_SMTP="smtp://127.0.0.1:$port" \
        GREENLAUNCH_JUDGE_SMTP_CA="$folder/cert.pem"
    [ -f "$folder/message-1" ] && [ ! -f "$folder/message-2" ]
    check $? 'it got one'
    "$python" - "$folder/message-1" <<'END' >"$scratch/log" 2>&1
import email, email.policy, json, sys
message = email.message_from_bytes(open(sys.argv[1], 'rb').read(), policy=email.policy.default)
text, attached = message.iter_parts()
assert message['subject'] == 'Hourly intensity à la carte [GL-7f3a91c2]', message['subject']
assert message['to'] == 'wishes@provider.example' and message['reply-to'], message['to']
assert 'An *hourly* figure € per region & by API = 100%\n\n.dot\nFrom here: "quotes"' in \
    text.get_content().replace('\r\n', '\n'), text.get_content()
assert json.loads(attached.get_content()) == {'capability': 'intensity.hourly'}
assert not message.defects and not text.defects, message.defects
END
    local status=$?
    [ "$status" -eq 0 ] || sed 's/^/# /' "$scratch/log"
    check "$status" "Python's mail parser reads subject, text and attachment as they were meant"
}

events() {
    local folder=$scratch/events port
    start_judge events "$python" || { skip events "$(tail -n 1 "$folder/log")"; return; }
    judged 'the CloudEvents SDK takes the event and its signature' \
        GREENLAUNCH_JUDGE_EVENTS="http://127.0.0.1:$port/hook"
    grep -q '"specversion": "1.0".*"capability": "intensity.hourly"' "$folder/event-1"
    check $? 'with its data'
    [ ! -f "$folder/trouble" ] || sed 's/^/# /' "$folder/trouble"
}

form() {
    local folder=$scratch/echo port browser short
    browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
        { skip browser 'chromium is not installed'; return; }
    start_judge echo python3 || { skip browser "$(tail -n 1 "$folder/log")"; return; }
    judged 'an address for the browser' GREENLAUNCH_JUDGE_FORM="$folder" \
        GREENLAUNCH_JUDGE_ECHO="http://127.0.0.1:$port"
    short=$(mktemp -d /tmp/gl-form.XXXXXX) # it makes a socket there, whose path may have 107 bytes
    TMPDIR=$short timeout 60 "$browser" --headless --no-sandbox --disable-gpu --no-proxy-server \
        --user-data-dir="$folder/profile" --dump-dom "$(cat "$folder/url")" \
        >"$folder/dom" 2>"$folder/chromium.log"
    rm -rf "$short"
    if ! grep -q '<pre' "$folder/dom"; then
        skip browser "chromium prints no page: $(tail -n 1 "$folder/chromium.log")"
        return
    fi
    grep -q '<title>Hourly intensity à la carte \[GL-7f3a91c2\]</title>' "$folder/dom"
    check $? 'Chromium shows the title'
    sed -n 's,.*<pre id="out">\([^<]*\)</pre>.*,\1,p' "$folder/dom" | base64 -d |
        cmp -s - "$folder/body"
    check $? 'and the text, byte for byte'
}

mkfifo "$scratch/in"
exec 9<>"$scratch/in"
export GREENLAUNCH_SMTP_PASSWORD='judge p@ss:word' GREENLAUNCH_WEBHOOK_SECRET=judge-secret
github
moto
if python_venv "$build" venues aiosmtpd cloudevents; then
    mail
    events
else
    skip 'smtp and events' "$missing"
fi
form
exit "$failed"
