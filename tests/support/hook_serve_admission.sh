# shellcheck shell=bash disable=SC2034,SC2154 # names of the script
# SPDX-License-Identifier: Apache-2.0
# Part of tests/integration/hook_serve.sh: the admission webhook and the CloudFormation hook.
cp "$root/tests/cases/hook/refused/policy.yaml" policy.yaml
serve admission.log serve-admission --not-namespace 'kube-*' --hmac-key-file hmac

# review OPERATION NAMESPACE REGION [REPLICAS [OLD REPLICAS]]
review() {
    python3 - "$@" >request <<'END'
import json, sys
operation, namespace, region = sys.argv[1:4]
def deployment(replicas):
    return {"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "namespace": namespace},
            "spec": {"replicas": int(replicas), "template": {"spec": {
                "nodeSelector": {"topology.kubernetes.io/region": region,
                                 "node.kubernetes.io/instance-type": "m7g.large"},
                "containers": [{"name": "c", "image": "nginx",
                                "env": [{"name": "PASSWORD", "value": "PLANTED-in-env"}],
                                "resources": {"requests": {"cpu": "500m", "memory": "256Mi"}}}]}}}}
count = sys.argv[4] if len(sys.argv) > 4 else "1"
request = {"uid": "705ab4f5-6393-11e8-b7cc-42010a800002", "operation": operation,
           "kind": {"group": "apps", "version": "v1", "kind": "Deployment"},
           "namespace": namespace, "name": "web", "dryRun": True,
           "object": None if operation == "DELETE" else deployment(count)}
if operation == "DELETE":
    request["oldObject"] = deployment(count)
if len(sys.argv) > 5:
    request["oldObject"] = deployment(sys.argv[5])
    request["object"]["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:2"
print(json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
                  "request": request}))
END
    ask --data-binary @request -H 'Content-Type: application/json' "$url/admission"
}

secret_review() {
    printf '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"705ab4f5-6393-11e8-b7cc-42010a800002","operation":"UPDATE","kind":{"group":"","version":"v1","kind":"Secret"},"namespace":"shop","name":"s","object":{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"data":{"instanceType":"PLANTED-in-secret"}},"oldObject":{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"stringData":{"token":"PLANTED-in-secret"}}}}' >request
    ask --data-binary @request -H 'Content-Type: application/json' "$url/admission"
}

admits() { # ALLOWED TEXT [WORD]
    local found
    found=$(python3 -c 'import json
r = json.load(open("answer"))["response"]
assert r["uid"] == "705ab4f5-6393-11e8-b7cc-42010a800002"
print(str(r["allowed"]).lower(), json.dumps(r))' 2>/dev/null)
    case $found in
    "$1 "*"${3:-}"*) check 0 "$2" ;;
    *)
        printf '# %s: %s\n' "$status" "$(head -c 600 answer)"
        check 1 "$2"
        ;;
    esac
}

review CREATE shop us-east-1
admits false 'a Deployment for a dirty region is denied' 'above 200 gCO2e/kWh'
review CREATE shop eu-north-1
admits true 'one for a clean region is allowed'
review CREATE kube-system us-east-1
admits true 'a namespace that is left out is allowed'
review DELETE shop us-east-1
admits true 'what goes is allowed'
review UPDATE shop us-east-1 3 3
admits true 'a new image for as many is allowed'
review UPDATE shop us-east-1 2 5
admits true 'fewer are allowed'
review UPDATE shop us-east-1 5 2
admits false 'more are judged' 'above 200 gCO2e/kWh'
secret_review
admits true 'a Secret is no launch'
ask --data-binary @request "$url/admission"
answers 415 'another content type'
head -c 300 request >half
ask --data-binary @half -H 'Content-Type: application/json' "$url/admission"
answers 400 'half a review'
head -c 8000000 /dev/zero >large
ask --data-binary @large -H 'Content-Type: application/json' "$url/admission"
answers 413 'a review that is too large'
mv policy.yaml away.yaml
review CREATE shop eu-north-1
admits false 'what cannot be judged is denied' 'not judged'
mv away.yaml policy.yaml

event() { # PROPERTIES POINT: a signed event of a hook
    printf '{"stackId":"arn:aws:cloudformation:us-east-1:123456789012:stack/s/1","clientRequestToken":"t-1","actionInvocationPoint":"%s","requestData":{"targetType":"AWS::EC2::Instance","targetLogicalId":"Web","targetModel":{"resourceProperties":%s}}}' "$2" "$1" >request
    ask --data-binary @request -H \
        "X-Greenlaunch-Signature: $(openssl dgst -sha512 -hmac "$key" request | sed 's/.* //')" \
        "$url/cloudformation"
}

event '{"InstanceType":"m7g.large","UserData":"PLANTED-in-data"}' CREATE_PRE_PROVISION
answers 200 'an event of CloudFormation'
grep -q '"hookStatus":"FAILED"' answer && grep -q '"errorCode":"NonCompliant"' answer &&
    grep -q '"clientRequestToken":"t-1"' answer
check $? 'the region of the stack is not green'
event '{}' DELETE_PRE_PROVISION
grep -q '"hookStatus":"SUCCESS"' answer
check $? 'a deletion passes'
ask --data-binary @request "$url/cloudformation"
answers 401 'an event without a signature'
stopped admission.log 'TERM ends the webhook'

serve open.log serve-admission --failure-policy ignore
mv policy.yaml away.yaml
review CREATE shop us-east-1
admits true 'with --failure-policy ignore it is allowed, with a warning' 'failure-policy'
mv away.yaml policy.yaml
stopped open.log 'TERM ends that one'
serve advice.log serve-admission --advisory
review CREATE shop us-east-1
admits true 'advisory: allowed with warnings' 'warnings'
stopped advice.log 'TERM ends that one too'

# With the network: a child asks, here a proxy that is not there; the server itself never does.
offline=
export https_proxy=http://127.0.0.1:1 http_proxy=http://127.0.0.1:1
serve online.log serve-admission --warm aws/eu-west-2,aws/eu-north-1 --refresh 15s
review CREATE shop eu-north-1
admits true 'without a network it answers from what is known'
within 100 sh -c "! pgrep -P $server >/dev/null"
check $? 'the refresh comes to its end'
! grep -q libcurl "/proc/$server/maps" && grep -q libmicrohttpd "/proc/$server/maps"
check $? 'the server itself maps no libcurl'
stopped online.log 'TERM ends it as well'
unset https_proxy http_proxy
offline=--offline

! grep -rl PLANTED-in ./*.log ./*.log.out state home answers 2>/dev/null
check $? 'no value of an object is anywhere'
grep -qE ' POST /admission 200 [0-9]+B [0-9]+ms 705ab4f5-6393-11e8-b7cc-42010a800002 denied$' \
    admission.log
check $? 'one line a review'
