"""Makes a project with 500 segments over 2,000 fields, and 10,000 delivered runs in its ledger.

Usage: stored.py BINARY FOLDER. The server is started once so that it makes the ledger itself.
"""

import pathlib
import signal
import sqlite3
import subprocess
import sys
import time
import uuid

binary, folder = sys.argv[1], pathlib.Path(sys.argv[2])
SEGMENTS, FIELDS, RUNS = 500, 2_000, 10_000

fields = ["id"] + [f"attribute_{number}" for number in range(1, FIELDS)]
rows = [",".join([str(row)] + [str((row * at) % 97) for at in range(1, FIELDS)]) for row in range(20)]
(folder / "people.csv").write_text("\n".join([",".join(fields), *rows]) + "\n")
segments = "".join(f'  s{at}: {{ name: "Segment {at}", rule: "attribute_{1 + at} > {at % 90}" }}\n' for at in range(SEGMENTS))
sent = "".join(
    f'      - {{ segment: s{at}, schedule: {{ frequency: daily, at: "06:00" }} }}\n' for at in range(SEGMENTS)
)
(folder / "segue.yaml").write_text(
    f"""version: 1
name: stored
datasets:
  people: {{ location: people.csv, identities: {{ id: CRMID }} }}
segments:
{segments}accounts:
  store:
    type: amazon-s3
    auth: {{ kind: default }}
    region: us-east-1
    endpoint_url: http://127.0.0.1:9
destinations:
  partner: {{ account: store, bucket: exports }}
activations:
  daily:
    destination: partner
    segments:
{sent}    mapping: [id, attribute_1, attribute_2]
"""
)
server = subprocess.Popen([binary, "serve", "--listen", "127.0.0.1:0"], cwd=folder, stderr=subprocess.DEVNULL)
while not (folder / ".segue" / "server.json").exists():
    time.sleep(0.2)
server.send_signal(signal.SIGTERM)
server.wait()

day, now = 86_400_000_000, int(time.time() * 1_000_000)
ledger = sqlite3.connect(folder / ".segue" / "ledger.sqlite")
for number in range(RUNS):
    slot = now - (number // SEGMENTS + 1) * day + (number % SEGMENTS) * 1_000_000
    run, segment = str(uuid.uuid4()), f"s{number % SEGMENTS}"
    state = "failed" if number % 211 == 0 else "delivered"
    ledger.execute(
        "INSERT INTO runs (run_id, slot, activation, segment, segment_id, destination, store, bucket, stem, is_static,"
        " state, epoch, first_claimed, claimed, updated, committed, finished, received, activated, stop_code, stop_message)"
        " VALUES (?, ?, 'daily', ?, ?, 'partner', 's3', 'exports', ?, 0, ?, 1, ?, ?, ?, ?, ?, 1000, 990, ?, ?)",
        (run, slot, segment, str(uuid.uuid4()), run, state, slot, slot, slot, slot, slot + 9_000_000,
         "temporary" if state == "failed" else None, "the service did not answer" if state == "failed" else None),
    )
    if state == "delivered":
        ledger.execute(
            "INSERT INTO objects (run_id, position, kind, number, key, upload_id, token, bytes, row_count, sha256, published)"
            " VALUES (?, 0, 'data', 1, ?, 'u', 't', 120000, 990, ?, ?)",
            (run, f"{segment}/{run}.csv", "0" * 64, slot),
        )
ledger.commit()
