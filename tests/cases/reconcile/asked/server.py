"""One address that answers AWS Sustainability as it would: two pages, or a refusal."""
import http.server
import json
import os
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        good = (self.path == "/v1/estimated-carbon-emissions"
                and "/us-east-1/sustainability/aws4_request" in self.headers["Authorization"])
        second = asked.get("NextToken") == "two"
        row = {"TimePeriod": {"Start": asked["TimePeriod"]["Start"], "End": asked["TimePeriod"]["End"]},
               "DimensionsValues": {"REGION": "eu-west-3" if second else "eu-north-1",
                                    "SERVICE": "AmazonEC2"},
               "ModelVersion": "v3.0.1",
               "EmissionsValues": {"TOTAL_LBM_CARBON_EMISSIONS": {"Value": 9.4e-06, "Unit": "MTCO2e"}}}
        body = {"Results": [row]} if second else {"Results": [row], "NextToken": "two"}
        if sys.argv[2] == "refuse":
            good, body = False, {"message": "not authorized to perform this"}
        data = json.dumps(body).encode()
        self.send_response(200 if good else 403)
        if not good:
            self.send_header("x-amzn-ErrorType", "AccessDeniedException")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[1] + ".part", "w") as out:
    out.write(str(server.server_port))
os.rename(sys.argv[1] + ".part", sys.argv[1])
for _ in range(2 if sys.argv[2] == "answer" else 1):
    server.handle_request()
