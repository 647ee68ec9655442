# SPDX-License-Identifier: Apache-2.0
"""The metadata of an instance with a role, and an STS that knows the role and nothing else."""
import http.server
import json

ROLE = {"Code": "Success", "AccessKeyId": "ASIAPLANTED", "SecretAccessKey": "planted-4711",
        "Token": "planted-token", "Expiration": "2099-01-01T00:00:00Z"}
KNOWN = ("<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account>"
         "<Arn>arn:aws:sts::111122223333:assumed-role/green/i-1</Arn>"
         "</GetCallerIdentityResult></GetCallerIdentityResponse>")
REFUSED = ("<Response><Errors><Error><Code>UnauthorizedOperation</Code>"
           "<Message>not allowed</Message></Error></Errors></Response>")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, kind, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):
        self.answer(200, "text/plain", "planted-session")

    def do_GET(self):
        named = self.path.endswith("/security-credentials/green")
        self.answer(200, "text/plain", json.dumps(ROLE) if named else "green")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        known = b"GetCallerIdentity" in body
        self.answer(200 if known else 403, "text/xml", KNOWN if known else REFUSED)

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
