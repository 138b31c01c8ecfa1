"""The emulator as a process: what it inherits, where it listens, and that nothing of it remains."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from betimes.local import emulator as local_emulator
from betimes.local.emulator import Emulator, EmulatorFailed
from tests.local.conftest import ROOT, Cloud, gone, group_of

RUNNER = """
import sys, time
from pathlib import Path
from betimes.local.emulator import Emulator
with Emulator(Path(sys.argv[1])) as emulator:
    print(emulator.pid, flush=True)
    time.sleep(60)
"""
ENVIRONMENT = """
import os
def handler(event, context):
    return dict(os.environ)
"""


DEAF = """
import signal, time
def handler(event, context):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(19)
"""


def test_every_listener_is_on_loopback(cloud: Cloud) -> None:
    """Neither ministack nor a function listens on any address but 127.0.0.1."""
    cloud.function("any", ENVIRONMENT)
    cloud.emulator.client("lambda").invoke(FunctionName="any")
    processes = group_of(cloud.emulator.pid)
    assert len(processes) >= 2, "ministack and its function"
    addresses = listening(processes)
    assert ("127.0.0.1", cloud.emulator.port) in addresses
    assert {address for address, _port in addresses} == {"127.0.0.1"}


def test_functions_inherit_nothing_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS_* variables, profiles and proxies of the host reach neither functions nor clients."""
    host = {
        "AWS_PROFILE": "of-the-host",
        "AWS_ACCESS_KEY_ID": "AKIAOFTHEHOST",
        "AWS_SECRET_ACCESS_KEY": "of-the-host",
        "AWS_SESSION_TOKEN": "of-the-host",
        "AWS_REGION": "eu-west-3",
        "AWS_ENDPOINT_URL": "http://of-the-host.example",
        "HTTP_PROXY": "http://of-the-host.example:3128",
    }
    for name, value in host.items():
        monkeypatch.setenv(name, value)
    with Emulator(ROOT, clock_offset_s=3600) as emulator:
        Cloud(emulator).function("any", ENVIRONMENT)
        answer = emulator.client("lambda").invoke(FunctionName="any")
        seen = json.loads(answer["Payload"].read())
    assert not set(host.values()) & set(seen.values())
    assert seen["AWS_ACCESS_KEY_ID"] == emulator.account
    assert seen["AWS_REGION"] == emulator.region
    assert seen["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert seen["BETIMES_CLOCK_OFFSET_S"] == "3600"
    assert str(Path.home()) != seen["HOME"]


def test_stopping_leaves_no_process_and_no_file(tmp_path: Path) -> None:
    """A function that is busy, and deaf to SIGTERM, is stopped with the emulator; the log stays."""
    # A root of its own: beside it other tests start and stop emulators, and the log is that of the last one.
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "ministack").symlink_to(ROOT / ".local" / "ministack")
    with Emulator(tmp_path) as emulator:
        cloud = Cloud(emulator)
        _url, arn = cloud.queue("work")
        cloud.function("busy", DEAF)
        cloud.mapping(arn, "busy")
        emulator.client("sqs").send_message(QueueUrl=_url, MessageBody="{}")
        while emulator.read("/_betimes/state")["running"] == 0 or len(group_of(emulator.pid)) < 2:
            pass
        pid, folder = emulator.pid, emulator._folder
        assert folder.is_dir()
        assert emulator.log.resolve().parent == folder
    assert not group_of(pid)
    assert not folder.exists()
    assert emulator.pid == 0
    assert emulator.log.is_file()
    assert not emulator.log.is_symlink()


def test_an_emulator_that_does_not_listen_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that hangs is given its time to stop, then it and its functions are killed."""
    monkeypatch.setattr(local_emulator, "STOP_DEADLINE_S", 0.5)
    with Emulator(ROOT) as emulator:
        Cloud(emulator).function("any", ENVIRONMENT)
        emulator.client("lambda").invoke(FunctionName="any")
        pid = emulator.pid
        os.killpg(pid, signal.SIGSTOP)
    assert not group_of(pid)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_remains_when_the_parent_is_stopped(how: signal.Signals) -> None:
    """Ctrl-C, a closed terminal, a stop and even a kill of the parent end ministack too."""
    with subprocess.Popen(
        [sys.executable, "-c", RUNNER, str(ROOT)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT / "functions")},
        text=True,
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert group_of(pid)
        parent.send_signal(how)
        parent.wait()
    assert gone(pid)


def test_files_of_a_killed_run_are_removed_by_the_next() -> None:
    """A folder whose process is gone is an orphan; that of a living one is not touched."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    orphan = ROOT / ".local" / f"emulator-{dead.pid}-orphan"
    other = ROOT / ".local" / f"emulator-{os.getppid()}-living"
    for folder in (orphan, other):
        folder.mkdir()
    try:
        with Emulator(ROOT):
            assert not orphan.exists()
            assert other.exists()
    finally:
        other.rmdir()


def test_a_missing_installation_says_what_to_run(tmp_path: Path) -> None:
    """Without ministack the error names the command that installs it."""
    with pytest.raises(EmulatorFailed, match="make setup"), Emulator(tmp_path):
        pass


def test_a_failed_start_says_the_last_words(tmp_path: Path) -> None:
    """What the process said before it ended is in the error, and the handler of SIGTERM is back."""
    python = tmp_path / ".local" / "ministack" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\necho no such flux capacitor >&2\nexit 3\n")
    python.chmod(0o755)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(EmulatorFailed, match="no such flux capacitor"), Emulator(tmp_path):
        pass
    assert signal.getsignal(signal.SIGTERM) is before
    assert [each.name for each in (tmp_path / ".local").iterdir() if each.is_dir()] == ["ministack"]


def test_an_unknown_page_is_an_error(cloud: Cloud) -> None:
    """A read-back route that does not exist is not taken for an empty answer."""
    with pytest.raises(EmulatorFailed, match="status"):
        cloud.emulator.read("/_localstack/nothing")


def listening(processes: set[int]) -> set[tuple[str, int]]:
    """Return the TCP addresses and ports on which the processes listen."""
    sockets = set()
    for pid in processes:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            target = str(descriptor.readlink())
            if target.startswith("socket:["):
                sockets.add(target.removeprefix("socket:[").removesuffix("]"))
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            columns = line.split()
            address, _, port = columns[1].partition(":")
            if columns[3] == "0A" and columns[9] in sockets:
                found.add((_spelled(address), int(port, 16)))
    return found


def _spelled(address: str) -> str:
    """Return an address of /proc/net/tcp in dots; that of tcp6 stays as it is, which is never loopback."""
    if len(address) != 8:
        return address
    return ".".join(str(byte) for byte in reversed(bytes.fromhex(address)))
