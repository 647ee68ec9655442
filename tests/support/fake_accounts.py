# SPDX-License-Identifier: Apache-2.0
# Plays Electricity Maps (v4), WattTime (v3) and a Carbon Aware SDK WebApi on one port of this
# machine, with invented figures in the documented shapes. Prints the port; notes what it was asked.
import base64, datetime, http.server, json, sys, urllib.parse

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
HOUR = NOW.replace(minute=0, second=0)


def at(hours, mark="Z", minutes=0):
    time = HOUR + datetime.timedelta(hours=hours, minutes=minutes)
    return time.strftime("%Y-%m-%dT%H:%M:%S") + mark


def maps(path, ask):
    forecast = path.endswith("/forecast")
    share = "carbon-intensity" not in path
    key, figure = ("value", "61") if share else ("carbonIntensity", 300)
    hours = range(0, 3) if forecast else range(-2, 1)
    rows = [{"datetime": at(h), key: figure, "isEstimated": h == 0} for h in hours]
    return {"zone": ask["zone"], "temporalGranularity": "hourly",
            "forecast" if forecast else "history": rows}


def watttime(ask):
    rows = [{"point_time": at(0, "+00:00", 5 * i), "value": 1000} for i in range(24)]
    return {"data": rows, "meta": {
        "region": ask["region"], "signal_type": ask["signal_type"], "units": "lbs_co2_per_mwh",
        "data_point_period_seconds": 300, "model": {"date": "2026-01-01", "type": "average"}}}


def aware(path, ask):
    if path.endswith("current"):
        return None
    return [{"location": ask["location"], "time": at(0, "+00:00"), "rating": 310.5,
             "duration": "01:00:00"}]


class Handler(http.server.BaseHTTPRequestHandler):
    def send(self, status, value):
        body = json.dumps(value).encode() if value is not None else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        parts = urllib.parse.urlsplit(self.path)
        ask = dict(urllib.parse.parse_qsl(parts.query))
        signed = self.headers.get("Authorization", "")
        basic = "Basic " + base64.b64encode(b"jane:planted 4711").decode()
        log.write(parts.path + "\n")
        log.flush()
        if parts.path.startswith("/v4/"):
            if self.headers.get("auth-token") != "planted-4711":
                return self.send(401, {"error": "Token is invalid"})
            if "carbon-free" in parts.path:
                return self.send(401, {"error": "Endpoint not available"})
            return self.send(200, maps(parts.path, ask))
        if parts.path == "/login":
            return self.send(200, {"token": "session-4711"}) if signed == basic else self.send(401, {})
        if parts.path.startswith("/v3/"):
            if signed != "Bearer session-4711":
                return self.send(401, {"error": "expired"})
            return self.send(200, watttime(ask))
        value = aware(parts.path, ask)
        return self.send(200 if value is not None else 501, value)

    def log_message(self, *ignored):
        pass


log = open("asked", "w", encoding="ascii")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
