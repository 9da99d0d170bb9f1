"""How fast the server answers with 10,000 runs stored, and what memory it takes.

    python3 .ci/latency.py target/release/segue

Copies the runs of a demo until there are enough, serves them, and asks on one connection. It prints
figures and judges none.
"""

import http.client
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid

BINARY = os.path.abspath(sys.argv[1])
RUNS = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
REQUESTS = 200
HOUR = 3_600
PATHS = [
    "/api/v1/runs", "/api/v1/runs?limit=1000", "/api/v1/runs?state=failed",
    "/api/v1/runs/{run}", "/api/v1/slots", "/api/v1/slots?limit=1000", "/api/v1/slots?state=failed",
    "/api/v1/activations", "/api/v1/segments",
    "/api/v1/destinations", "/api/v1/alerts", "/api/v1/audit", "/metrics",
]
# The pages, which take a session instead of a token.
PAGES = ["/", "/runs", "/runs/{run}", "/activations", "/segments", "/destinations", "/audit", "/rule"]


def fill(path):
    """Copies the newest runs, with their files, into the past, each with a slot."""
    database = sqlite3.connect(path)
    database.row_factory = sqlite3.Row
    templates = database.execute("SELECT * FROM runs WHERE state = 'delivered'").fetchall()
    unit = 10 ** (len(str(templates[0]["slot"])) - 10)
    last = None
    for number in range(1, RUNS - len(templates) + 1):
        run = dict(templates[number % len(templates)])
        old, shift = run["run_id"], (number // len(templates) + 1) * HOUR * unit
        run["run_id"] = last = str(uuid.uuid5(uuid.NAMESPACE_OID, str(number)))
        for column in ("slot", "first_claimed", "claimed", "updated", "committed", "finished"):
            run[column] -= shift
        if number % 50 == 0:
            run.update(state="failed", stop_code="temporary", stop_message="no answer in time")
        insert(database, "runs", run)
        for table in ("objects", "inputs", "exclusions"):
            for row in database.execute(f"SELECT * FROM {table} WHERE run_id = ?", (old,)).fetchall():
                insert(database, table, {**dict(row), "run_id": last})
        insert(database, "slots", {
            "activation": run["activation"], "segment": run["segment"], "slot": run["slot"],
            "first_slot": run["slot"], "slot_count": 1, "destination": run["destination"],
            "origin": "schedule", "state": run["state"], "reason": run["stop_code"],
            "message": run["stop_message"], "run_id": last, "planned": run["claimed"],
            "began": run["claimed"], "finished": run["finished"], "not_before": run["slot"]})
    database.commit()
    return last


def insert(database, table, row):
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    database.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmRSS"))


def ask(connection, path, headers):
    """The time in milliseconds, the status and the size; a refusal for asking too often is waited for."""
    while True:
        begun = time.perf_counter()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 429:
            return (time.perf_counter() - begun) * 1000, answer.status, len(body)
        time.sleep(float(answer.headers.get("retry-after", 1)))


def measure(connection, path, headers):
    ask(connection, path, headers)
    times = sorted(ask(connection, path, headers) for _ in range(REQUESTS))
    status, size = times[0][1:]
    print(f"{path:30} {status} {size / 1024:8.1f} KiB   p50 {times[REQUESTS // 2][0]:6.2f} ms   "
          f"p99 {times[REQUESTS * 99 // 100][0]:6.2f} ms")


def session(connection, folder, setup):
    """Makes the first user by the set-up link, and signs in."""
    headers = {"content-type": "application/json"}
    user = {"secret": setup, "name": "admin", "password": "correct horse battery staple"}
    connection.request("POST", "/api/v1/setup", json.dumps(user), headers)
    answer = connection.getresponse()
    answer.read()
    connection.request("POST", "/api/v1/session", json.dumps({
        "name": user["name"], "password": user["password"]}), headers)
    answer = connection.getresponse()
    answer.read()
    cookies = answer.headers.get_all("set-cookie") or []
    return {"cookie": "; ".join(cookie.split(";")[0] for cookie in cookies)}


def main():
    with tempfile.TemporaryDirectory() as folder:
        project = os.path.join(folder, "demo")
        subprocess.run([BINARY, "demo", project, "--profiles", "1000"], check=True,
                       capture_output=True)
        run = fill(os.path.join(project, ".segue", "ledger.sqlite"))
        token = json.loads(subprocess.run(
            [BINARY, "-p", project, "token", "create", "--role", "admin", "latency", "--output", "json"],
            check=True, capture_output=True).stdout)["secret"]
        server = subprocess.Popen(
            [BINARY, "-p", project, "serve", "--listen", "127.0.0.1:0"],
            stderr=subprocess.PIPE, text=True)
        try:
            url = next(line for line in server.stderr if line.startswith("Serving at "))
            setup = next(line for line in server.stderr if "#" in line).split("#")[1].strip()
            connection = http.client.HTTPConnection(re.search(r"//([^:]+:[0-9]+)", url)[1])
            time.sleep(3)
            print(f"{RUNS} runs stored; resident after the start: {resident(server.pid)} MiB")
            for path in PATHS:
                measure(connection, path.format(run=run), {"authorization": f"Bearer {token}"})
            cookie = session(connection, folder, setup)
            for path in PAGES:
                measure(connection, path.format(run=run), cookie)
            time.sleep(3)
            print(f"resident afterwards: {resident(server.pid)} MiB")
        finally:
            server.terminate()
            server.wait(timeout=60)


if __name__ == "__main__":
    main()
