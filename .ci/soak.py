"""The soak that `.ci/soak` runs. What it looks at, it looks at with tools that are not Segue's."""

import csv
import gzip
import hashlib
import io
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime, timedelta, timezone

import boto3
from botocore.config import Config

BINARY = sys.argv[1]
MINUTES = int(os.environ.get("SEGUE_SOAK_MINUTES", "4"))
SEED = int(os.environ.get("SEGUE_SOAK_SEED", "1"))
ENDPOINT = os.environ["SEGUE_TEST_S3_ENDPOINT"]
BUCKET = os.environ["SEGUE_TEST_S3_BUCKET"] + "-soak"
SECRET = os.environ["SEGUE_TEST_S3_SECRET_KEY"]
PEOPLE = 20_000
# After the last fault; a run that met one is tried again after two minutes.
SETTLE_SECONDS = 200
# After kill -9, until the next start serves again.
RECOVERY_SECONDS_MAX = 10

PROJECT = """\
version: 1
name: soak
datasets:
  people: { location: people.csv, identities: { id: CRMID } }
segments:
  half: { rule: points >= 50 }
  few: { rule: points >= 95 }
accounts:
  seaweed:
    type: amazon-s3
    region: us-east-1
    endpoint_url: PROXY
    addressing: path
    auth: { kind: access-key, access_key_id: KEY, secret_access_key: "${SOAK_SECRET}" }
destinations:
  plain: { account: seaweed, bucket: BUCKET, folder: plain, manifest: true }
  packed: { account: seaweed, bucket: BUCKET, folder: packed, manifest: true, file: { format: tsv, compression: gzip, rows_per_file: 4000 } }
activations:
"""

MAPPING = """\
    mapping:
      - { source: id, mandatory: true, deduplicate: true }
      - points
"""

SCHEDULE = 'schedule: { frequency: cron, cron: "* * * * *", zone: UTC }'


def activations():
    """A full, an incremental and a static export to either destination, two segments each."""
    for destination in ("plain", "packed"):
        for kind in ("full", "incremental", "static"):
            export = "incremental" if kind == "incremental" else "full"
            time_of = "latest" if kind == "static" else "%DATETIME(yyyyMMddHHmm)%"
            name = f'file_name: "{kind}_%SEGMENT_NAME%_{time_of}"'
            key = f"{kind}-{destination}"
            yield key, (
                f"  {key}:\n    destination: {destination}\n    segments:\n"
                + "".join(
                    f"      - {{ segment: {segment}, export: {export}, {SCHEDULE}, {name} }}\n"
                    for segment in ("half", "few")
                )
                + MAPPING
            )


class Proxy:
    """Hands connections on to the server; some of them it cuts, some answers it loses."""

    def __init__(self, upstream, dice):
        self.upstream, self.dice, self.faults, self.count = upstream, dice, True, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            server = socket.create_connection(self.upstream)
        except OSError:
            client.close()
            return
        # So many bytes of the answers pass before the connection breaks; None: it does not.
        fault = self.faults and self.dice.random() < 0.15
        limit = self.dice.choice([0, 0, 50, 400, 3000]) if fault else None
        self.count += fault
        threading.Thread(target=self.pump, args=(client, server, None), daemon=True).start()
        self.pump(server, client, limit)

    @staticmethod
    def pump(source, sink, limit):
        try:
            while data := source.recv(65536):
                if limit is not None and len(data) > limit:
                    sink.sendall(data[:limit])
                    break
                if limit is not None:
                    limit -= len(data)
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Server:
    """`segue serve`, started again and again."""

    def __init__(self, folder, environment):
        self.folder, self.environment, self.process = folder, environment, None
        self.log = open(os.path.join(folder, "log"), "ab", buffering=0)

    def start(self):
        begun = time.monotonic()
        self.process = subprocess.Popen(
            [BINARY, "serve", "--listen", "127.0.0.1:0", "--log", "info"],
            cwd=self.folder, env=self.environment, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE)
        for line in self.process.stderr:
            self.log.write(line)
            if b"Serving at" in line:
                break
        else:
            raise AssertionError(f"a server did not begin: it ended with {self.process.wait()}")
        threading.Thread(target=self.drain, args=(self.process.stderr,), daemon=True).start()
        return time.monotonic() - begun

    def drain(self, pipe):
        for line in pipe:
            self.log.write(line)

    def end(self, how):
        self.process.send_signal(how)
        begun = time.monotonic()
        code = self.process.wait(timeout=90)
        if how == signal.SIGTERM:
            assert code == 0, f"a stopped server ended with {code}"
            assert time.monotonic() - begun < 60, "a server did not stop within a minute"


def write_people(folder, dice):
    """A new state of the input, in the place of the old one at once."""
    path = os.path.join(folder, "people.csv")
    with open(path + ".new", "w", encoding="utf-8", newline="") as file:
        file.write("id,points\n")
        for number in range(PEOPLE):
            file.write(f"{number},{dice.randrange(100)}\n")
    os.replace(path + ".new", path)


def segue(folder, environment, *arguments):
    answer = subprocess.run(
        [BINARY, *arguments, "--output", "json"], cwd=folder, env=environment,
        capture_output=True, check=True)
    return json.loads(answer.stdout)


def rows_of(key, body):
    text = gzip.decompress(body) if key.endswith(".gz") else body
    delimiter = "\t" if "packed/" in key else ","
    rows = list(csv.reader(io.StringIO(text.decode("utf-8")), delimiter=delimiter))
    assert rows[0][:2] == ["id", "points"], f"{key}: {rows[0]}"
    return rows[1:]


def main():
    dice = random.Random(SEED)
    host, port = ENDPOINT.removeprefix("http://").split(":")
    proxy = Proxy((host, int(port)), dice)
    s3 = boto3.client(
        "s3", endpoint_url=ENDPOINT, region_name="us-east-1",
        aws_access_key_id=os.environ["SEGUE_TEST_S3_ACCESS_KEY"], aws_secret_access_key=SECRET,
        config=Config(s3={"addressing_style": "path"}))
    s3.create_bucket(Bucket=BUCKET)
    environment = {**os.environ, "SOAK_SECRET": SECRET}
    with tempfile.TemporaryDirectory() as folder:
        write_people(folder, dice)
        known = dict(activations())
        text = PROJECT + "".join(known.values())
        for name, value in (
            ("PROXY", proxy.address), ("KEY", os.environ["SEGUE_TEST_S3_ACCESS_KEY"]),
            ("BUCKET", BUCKET)):
            text = text.replace(name, value)
        with open(os.path.join(folder, "segue.yaml"), "w", encoding="utf-8") as file:
            file.write(text)
        try:
            ends = soak(folder, environment, proxy, dice)
        except AssertionError:
            with open(os.path.join(folder, "log"), encoding="utf-8") as log:
                print("the log ends with:", *log.readlines()[-20:], sep="\n  ")
            raise
        slots = segue(folder, environment, "slots", "--limit", "10000")
        judge_slots(slots, known, *ends)
        judge_bucket(s3, folder, environment, slots, proxy)


def soak(folder, environment, proxy, dice):
    """Serves, kills, stops and changes; returns when it began and ended."""
    server = Server(folder, environment)
    server.start()
    first = datetime.now(timezone.utc)
    end = time.monotonic() + 60 * MINUTES
    kills = stops = 0
    slowest = 0.0
    while time.monotonic() < end:
        time.sleep(dice.uniform(4, 20))
        what = dice.random()
        if what < 0.3:
            write_people(folder, dice)
        elif what < 0.8:
            server.end(signal.SIGKILL)
            kills += 1
            slowest = max(slowest, server.start())
        else:
            server.end(signal.SIGTERM)
            stops += 1
            server.start()
    proxy.faults = False
    last = datetime.now(timezone.utc)
    time.sleep(SETTLE_SECONDS)
    # Not while a slot begins.
    while not 15 < datetime.now(timezone.utc).second < 45:
        time.sleep(1)
    server.end(signal.SIGTERM)
    print(f"{MINUTES} minutes, seed {SEED}: killed {kills} times, stopped {stops} times, "
          f"{proxy.count} connections broken; the slowest start after kill -9 took {slowest:.1f} s")
    assert slowest < RECOVERY_SECONDS_MAX, "a start after kill -9 took too long"
    return first, last


def judge_slots(slots, known, first, last):
    """Every minute of every segment has exactly one fate, with a reason where it was not delivered."""
    counts = {}
    for activation in known:
        for segment in ("half", "few"):
            own = [it for it in slots if (it["activation"], it["segment"]) == (activation, segment)]
            covered = {}
            for slot in own:
                at = datetime.fromisoformat(slot["firstSlot"])
                until = datetime.fromisoformat(slot["slot"])
                assert slot["state"] in ("delivered", "skipped", "failed"), f"open: {slot}"
                assert slot["state"] == "delivered" or slot["stop"]["message"], f"silent: {slot}"
                counts[slot["state"]] = counts.get(slot["state"], 0) + 1
                while at <= until:
                    assert at not in covered, f"twice: {slot}"
                    covered[at] = slot["state"]
                    at += timedelta(minutes=1)
            minute = first.replace(second=0, microsecond=0) + timedelta(minutes=1)
            while minute <= last:
                assert minute in covered, f"lost: {activation} {segment} {minute}"
                minute += timedelta(minutes=1)
    print("slots:", ", ".join(f"{count} {state}" for state, count in sorted(counts.items())))
    assert counts.get("delivered", 0) > len(known), "hardly anything was delivered"


def judge_bucket(s3, folder, environment, slots, proxy):
    """What the ledger says is visible is there, whole, and nothing else is."""
    expected, newest = {}, {}
    for slot in slots:
        if slot["state"] != "delivered":
            continue
        run = segue(folder, environment, "show", slot["runId"])
        for file in run["objects"]:
            key = file["key"]
            # A static name holds what the latest slot put there.
            if key not in newest or newest[key] < slot["slot"]:
                newest[key], expected[key] = slot["slot"], (file["sha256"], file["rows"])
    found = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for item in page.get("Contents", []):
            found[item["Key"]] = item["Size"]
    assert found.keys() == expected.keys(), (
        f"only in the bucket: {sorted(found.keys() - expected.keys())[:5]}; "
        f"only in the ledger: {sorted(expected.keys() - found.keys())[:5]}")
    for key, (sha256, rows) in expected.items():
        body = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        assert hashlib.sha256(body).hexdigest() == sha256, f"{key} is not what was sent"
        if "manifest-" in key:
            json.loads(body)
        else:
            assert len(rows_of(key, body)) == rows, f"{key} has another number of rows"
    uploads = s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
    assert not uploads, f"{len(uploads)} uploads were left open: {uploads[0]['Key']}"
    print(f"bucket: {len(expected)} objects, each as the ledger says, no upload left open")


if __name__ == "__main__":
    main()
