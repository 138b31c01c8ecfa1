"""`betimes up`: the pocket cloud stays up until Ctrl-C; `betimes invoke` finds it through a file it leaves."""

from __future__ import annotations

import json
import os
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
        Rejected: code "pocket_cloud"; it could not be started, and why. Code "already_up"; another one is.
    """
    progress = Progress()
    _refuse_a_second(root)
    note = root / RUNNING
    try:
        with pocket_cloud(root, offset_s=offset_s, say=progress.say) as cloud:
            progress.clear()
            # Another one may have come up in the meantime.
            _refuse_a_second(root)
            mine = json.dumps(_note(cloud))
            note.write_text(mine, encoding="utf-8")
            try:
                print(_welcome(cloud), flush=True)
                threading.Event().wait()
            except (KeyboardInterrupt, SystemExit):
                print("\nstopping …", flush=True)
            finally:
                _remove(note, mine)
    except (SynthesisFailed, EmulatorFailed, DeploymentFailed) as failed:
        progress.clear()
        raise Rejected("pocket_cloud", type(failed).__name__, str(failed)) from None
    print("stopped; nothing is left running")
    return 0


def running(root: Path) -> dict[str, Any] | None:
    """Return what the pocket cloud that is up has noted about itself, None if none is up.

    A note that a cloud has left behind, because it was killed, is removed.
    """
    note = root / RUNNING
    try:
        text = note.read_text("utf-8")
    except FileNotFoundError:
        return None
    try:
        found: dict[str, Any] = json.loads(text)
        # Signal 0 reaches nobody: it only asks whether there is such a process of ours.
        os.kill(int(found["pid"]), 0)
    except (OSError, ValueError, KeyError, TypeError):
        _remove(note, text)
        return None
    return found


def _refuse_a_second(root: Path) -> None:
    first = running(root)
    if first is not None:
        raise Rejected(
            "already_up",
            "",
            f"a pocket cloud is up at {first.get('endpoint')} (process {first['pid']}); "
            "use that one, or end it with Ctrl-C in its terminal first",
        )


def _remove(note: Path, text: str) -> None:
    """Remove the note, if it still says `text`: another cloud's stays."""
    if note.exists() and note.read_text("utf-8") == text:
        note.unlink(missing_ok=True)


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
