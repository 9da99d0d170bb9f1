"""What `.ci/client` does with the client that was made: the main job, over the API alone."""

import os
import sys
import time
from typing import TypeVar

from segue_client import AuthenticatedClient
from segue_client.api.accounts import add_account
from segue_client.api.activations import add_activation, get_activation, run_activation
from segue_client.api.destinations import add_destination, check_destination
from segue_client.api.files import list_files
from segue_client.api.runs import get_run, list_runs
from segue_client.api.secrets import put_secret
from segue_client.api.segments import add_segment, count_segment
from segue_client.models import (
    AccountDefinition,
    AccountDefinitionAuth,
    ActivationDefinition,
    AddAccountBody,
    AddActivationBody,
    AddDestinationBody,
    AddSegmentBody,
    ColumnMappingDefinition,
    DestinationDefinition,
    FileDefinition,
    NewSecret,
    Problem,
    RunNow,
    SegmentDefinition,
    SegmentExportDefinition,
)

url, token = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=token)


T = TypeVar("T")


def good(answer: T | Problem | None) -> T:
    assert answer is not None and not isinstance(answer, Problem), answer
    return answer


good(
    put_secret.sync(
        "bucket", client=client, body=NewSecret(os.environ["SEGUE_TEST_S3_SECRET_KEY"])
    )
)
auth = AccountDefinitionAuth(
    kind="access-key",
    access_key_id=os.environ["SEGUE_TEST_S3_ACCESS_KEY"],
    secret_access_key="${secret:bucket}",
)
account = AccountDefinition(
    auth=auth,
    region="us-east-1",
    endpoint_url=os.environ["SEGUE_TEST_S3_ENDPOINT"],
    addressing="path",
)
good(add_account.sync(client=client, body=AddAccountBody("own", account)))
destination = DestinationDefinition(
    account="own",
    bucket=os.environ["SEGUE_TEST_S3_BUCKET"],
    folder="drop",
    manifest=True,
    file=FileDefinition(compression="gzip"),
)
good(add_destination.sync(client=client, body=AddDestinationBody("mine", destination)))
segment = SegmentDefinition(name="Loyal", rule="points >= 10")
good(add_segment.sync(client=client, body=AddSegmentBody("loyal", segment)))
assert good(count_segment.sync("loyal", client=client)).members == 2
checked = good(check_destination.sync("mine", client=client))
assert checked.ready, checked
activation = ActivationDefinition(
    destination="mine",
    segments=[SegmentExportDefinition("loyal")],
    mapping=["id", ColumnMappingDefinition(source="email", target="e_mail", mandatory=True)],
)
made = good(add_activation.sync(client=client, body=AddActivationBody("daily", activation)))
assert made.key == "daily" and not made.read_only

first = good(run_activation.sync("daily", client=client, body=RunNow(), idempotency_key="same"))
again = good(run_activation.sync("daily", client=client, body=RunNow(), idempotency_key="same"))
assert first.items[0].slot == again.items[0].slot, (first, again)

until = time.monotonic() + 60
while True:
    runs = good(list_runs.sync(client=client, activation="daily"))
    if runs.items and runs.items[0].state == "delivered":
        break
    assert time.monotonic() < until, runs
    time.sleep(0.5)
run = good(get_run.sync(runs.items[0].run_id, client=client))
assert run.rows == 2 and len(runs.items) == 1, run
files = good(list_files.sync(client=client, run=run.run_id))
keys = sorted(file.key for file in files.items)
assert any(key.startswith("drop/") and key.endswith(".csv.gz") for key in keys), keys
assert good(get_activation.sync("daily", client=client)).last_delivered[0].rows == 2

# What is refused is told, not raised.
refused = add_segment.sync(client=client, body=AddSegmentBody("bad", SegmentDefinition(rule="pionts")))
assert isinstance(refused, Problem) and refused.code == "invalid_value", refused
print(f"a generated client sent {run.rows} rows as {', '.join(keys)}")
