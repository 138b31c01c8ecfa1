"""`betimes up`: the pocket cloud stays up until Ctrl-C; `betimes invoke` finds it through a file it leaves."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from betimes import outputs
from betimes.core.errors import Rejected
from betimes.lab.world import TENANT
from betimes.local.cloud import PocketCloud, pocket_cloud
from betimes.local.console import Progress
from betimes.local.deploy import DeploymentFailed, SynthesisFailed
from betimes.local.emulator import LOCAL_FOLDER, EmulatorFailed
from betimes.local.host import LETTERS_PATH

# Where a running pocket cloud says that it is there.
RUNNING = Path(LOCAL_FOLDER) / "running.json"


def up(*, root: Path, offset_s: int = 0) -> int:
    """Deploy the stack, print where everything is, and wait for Ctrl-C; return 0.

    Raises:
        Rejected: code "pocket_cloud"; it could not be started, and why.
    """
    progress = Progress()
    note = root / RUNNING
    try:
        with pocket_cloud(root, offset_s=offset_s, say=progress.say) as cloud:
            progress.clear()
            note.write_text(json.dumps(_note(cloud)), encoding="utf-8")
            try:
                print(_welcome(cloud), flush=True)
                threading.Event().wait()
            except (KeyboardInterrupt, SystemExit):
                print("\nstopping …", flush=True)
            finally:
                note.unlink(missing_ok=True)
    except (SynthesisFailed, EmulatorFailed, DeploymentFailed) as failed:
        progress.clear()
        raise Rejected("pocket_cloud", type(failed).__name__, str(failed)) from None
    print("stopped; nothing is left running")
    return 0


def _note(cloud: PocketCloud) -> dict[str, Any]:
    return {
        "pid": cloud.emulator.pid,
        "endpoint": cloud.emulator.endpoint,
        "region": cloud.emulator.region,
        "account": cloud.emulator.account,
        "outputs": dict(cloud.deployed.outputs),
    }


def _welcome(cloud: PocketCloud) -> str:
    endpoint, out = cloud.emulator.endpoint, cloud.output
    return f"""\
Stack {cloud.deployed.stack} is up: {cloud.deployed.resources} resources, schedules firing every minute.

  AWS endpoint      {endpoint}     region {cloud.emulator.region}, any 12-digit access key
  HTTP API          {out(outputs.API_ENDPOINT)}     PUT /v1/{TENANT}/borrowers/…, signed for execute-api
  tape inbox        s3://{out(outputs.FILES_BUCKET)}/inbox/<name>/tape.json     results in results/<name>/
  tables            {out(outputs.BOOK_TABLE)}  {out(outputs.CONTACTS_TABLE)}  {out(outputs.LEDGER_TABLE)}
  mail and SMS      {endpoint}{LETTERS_PATH}     every message as it was sent (JSON)
  log               {cloud.emulator.log}

In another terminal:
  .venv/bin/betimes invoke on_request events/on_request.json
  .venv/bin/betimes invoke on_tick events/on_tick.json

Ctrl-C ends it cleanly."""
