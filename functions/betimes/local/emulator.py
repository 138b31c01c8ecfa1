"""One ministack process: started on a free loopback port with a clean environment, stopped with all it started.

What ministack inherits would leak into every function, so it inherits nothing of the host: no AWS_*
variable, no profile, no proxy. It listens on 127.0.0.1 only. Its temporary files lie under `.local/`
and go with it; the log of the last run stays in `.local/emulator.log`.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Final, Self

import boto3
import botocore.session
from botocore.config import Config

from betimes.config import Env

LOOPBACK: Final = "127.0.0.1"
ACCOUNT: Final = "000000000000"
REGION: Final = "us-east-1"
LOCAL_FOLDER: Final = ".local"
LOG_NAME: Final = "emulator.log"

HEALTH_PATH: Final = "/_ministack/health"
# ministack answers after 0.2 to 0.4 s on a calm machine.
START_DEADLINE_S: Final = 30.0
STOP_DEADLINE_S: Final = 5.0
# A free port can be taken by another process before ministack has it.
START_ATTEMPTS: Final = 3
_POLL_S: Final = 0.02
_FOLDER: Final = "emulator-"
_LOG_TAIL_LINES: Final = 20
_REQUEST_TIMEOUT_S: Final = 30.0
_HOST_PROGRAM: Final = Path(__file__).with_name("host.py")


class EmulatorFailed(Exception):
    """ministack is not installed, did not start or does not answer; the message says what to do or what it said."""


class Emulator:
    """A running ministack while the `with` block lasts.

    `root` is the repository: ministack is looked for in `root/.local/ministack`. `account` and `region`
    are those that a template must be made for. `clock_offset_s` shifts the clock of every function by
    that many seconds. A SIGTERM to this process ends the block like Ctrl-C does.

    Raises:
        EmulatorFailed: on entry, if it is not installed or does not start; the message has its last words.
    """

    def __init__(
        self,
        root: Path,
        *,
        account: str = ACCOUNT,
        region: str = REGION,
        clock_offset_s: int = 0,
    ) -> None:
        self.root = root
        self.account = account
        self.region = region
        self.clock_offset_s = clock_offset_s
        self.port = 0
        self._folder = Path()
        self._process: subprocess.Popen[bytes] | None = None
        self._clients: dict[str, Any] = {}
        self._clients_lock = threading.Lock()
        self._former_handler: Any = None

    @property
    def endpoint(self) -> str:
        """The base URL of every service."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        """The process id, which is also the id of the process group of all functions; 0 when it does not run."""
        return self._process.pid if self._process is not None else 0

    @property
    def log(self) -> Path:
        """What ministack and failing functions said, in the run that started or ended last."""
        return self.root / LOCAL_FOLDER / LOG_NAME

    def __enter__(self) -> Self:
        """Start ministack and return when it answers."""
        python = self.root / LOCAL_FOLDER / "ministack" / "bin" / "python"
        if not python.exists():
            raise EmulatorFailed(f"ministack is not installed ({python}): run `make setup`")
        self._listen_for_sigterm()
        try:
            for attempt in range(1, START_ATTEMPTS + 1):
                if self._start(python):
                    return self
                words = self._last_words()
                self._stop()
                if "already in use" not in words or attempt == START_ATTEMPTS:
                    raise EmulatorFailed(
                        f"ministack did not start; the last lines of {self.log}:\n{words}"
                    )
            raise AssertionError("unreachable: the last attempt returns or raises")
        except BaseException:
            # Also Ctrl-C while waiting: nothing may remain.
            self._stop()
            self._restore_sigterm()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop ministack and every function; returns when no process of theirs is left."""
        try:
            self._stop()
        finally:
            self._restore_sigterm()

    def client(self, service: str) -> Any:
        """Return the boto3 client of `service` on this emulator; one a service, made on first use.

        Its credentials are dummies. It reads neither the host's AWS_* variables nor its profiles, and
        never leaves loopback.
        """
        with self._clients_lock:
            if service not in self._clients:
                self._clients[service] = self._session().client(
                    service,
                    endpoint_url=self.endpoint,
                    config=Config(
                        account_id_endpoint_mode="disabled",
                        proxies={},
                        s3={"addressing_style": "path"},
                        max_pool_connections=32,
                        retries={"total_max_attempts": 2},
                    ),
                )
            return self._clients[service]

    def read(self, path: str) -> Any:
        """Return the JSON that `GET path` answers, for the read-back routes of ministack and of `host.py`.

        Raises:
            EmulatorFailed: no answer, or another status than 200.
        """
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=_REQUEST_TIMEOUT_S)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
        except OSError as error:
            raise EmulatorFailed(
                f"{path}: no answer ({error}); the last lines of {self.log}:\n{self._last_words()}"
            ) from error
        finally:
            connection.close()
        if response.status != 200:
            raise EmulatorFailed(f"{path}: status {response.status}: {body[:500]!r}")
        return json.loads(body)

    def _start(self, python: Path) -> bool:
        """Start one process and return whether it answers in time; False leaves its log for `_last_words`."""
        local = self.root / LOCAL_FOLDER
        _remove_orphans(local)
        self._folder = Path(tempfile.mkdtemp(prefix=f"{_FOLDER}{os.getpid()}-", dir=local))
        (self._folder / "tmp").mkdir()
        self.port = _free_port()
        with (self._folder / LOG_NAME).open("wb") as log:
            self._process = subprocess.Popen(  # Our own program under ministack's own Python.
                [str(python), str(_HOST_PROGRAM)],
                # The pipe is never written: its end tells the program that we are gone.
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                env=self._environment(python),
                start_new_session=True,
            )
        self._show_log()
        deadline = time.monotonic() + START_DEADLINE_S
        while time.monotonic() < deadline and not self._has_ended():
            if self._answers():
                return True
            time.sleep(_POLL_S)
        return False

    def _show_log(self) -> None:
        """Let `log` lead to the log of this run."""
        link = self._folder / "link"
        link.symlink_to(self._folder / LOG_NAME)
        link.replace(self.log)

    def _environment(self, python: Path) -> Mapping[str, str]:
        tmp = self._folder / "tmp"
        return {
            "PATH": f"{python.parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(tmp),
            "TMPDIR": str(tmp),
            "LANG": "C.UTF-8",
            "BIND_HOST": LOOPBACK,
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_HOST": LOOPBACK,
            "MINISTACK_ACCOUNT_ID": self.account,
            "MINISTACK_REGION": self.region,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LAMBDA_EXECUTOR": "local",
            # What ministack says at INFO has the texts of messages in it.
            "LOG_LEVEL": "WARNING",
            # The functions inherit these.
            "AWS_ACCESS_KEY_ID": self.account,
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.endpoint,
            Env.CLOCK_OFFSET: str(self.clock_offset_s),
        }

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=1)
        try:
            connection.request("GET", HEALTH_PATH)
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def _has_ended(self) -> bool:
        """Whether the process has ended, which it is not yet told that we know: its group keeps its id until then."""
        process = self._process
        assert process is not None, "nothing was started"
        if process.returncode is not None:
            return True
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, process.pid, options) is not None

    def _stop(self) -> None:
        """End the process and its group, remove its files and keep its log. Does nothing when nothing runs."""
        if self._process is None:
            return
        process = self._process
        if not self._has_ended():
            process.terminate()
        deadline = time.monotonic() + STOP_DEADLINE_S
        while time.monotonic() < deadline and not self._has_ended():
            time.sleep(_POLL_S)
        # Functions that are still busy, and ministack itself if it did not hear. The group is ours: it
        # began with the session, and its id is not given away before the process is waited for.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        _wait_for_the_end_of(process.pid)
        if process.stdin is not None:
            process.stdin.close()
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        (self._folder / LOG_NAME).replace(self.log)
        self._process = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def _last_words(self) -> str:
        own = self._folder / LOG_NAME
        text = (own if own.exists() else self.log).read_text(errors="replace")
        return "\n".join(text.splitlines()[-_LOG_TAIL_LINES:]) or "(it said nothing)"

    def _session(self) -> boto3.Session:
        """Return a session that no profile, file or variable of the host can change."""
        nothing = (None, None, None, None)
        session = botocore.session.Session(
            session_vars={
                "profile": nothing,
                "config_file": (None, None, os.devnull, None),
                "credentials_file": (None, None, os.devnull, None),
                "region": (None, None, self.region, None),
            }
        )
        session.set_credentials(self.account, "local")
        return boto3.Session(botocore_session=session, region_name=self.region)

    def _listen_for_sigterm(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self._former_handler = signal.signal(signal.SIGTERM, _leave)

    def _restore_sigterm(self) -> None:
        if self._former_handler is not None:
            signal.signal(signal.SIGTERM, self._former_handler)
            self._former_handler = None


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _wait_for_the_end_of(group: int) -> None:
    """Wait, within STOP_DEADLINE_S, until a killed process group is empty: dying takes some milliseconds."""
    deadline = time.monotonic() + STOP_DEADLINE_S
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(group, 0)
            time.sleep(_POLL_S / 10)


def _remove_orphans(local: Path) -> None:
    """Remove the temporary files of runs that were killed: their names have the id of a process that is gone."""
    for folder in local.glob(f"{_FOLDER}*-*"):
        owner = folder.name.removeprefix(_FOLDER).partition("-")[0]
        if owner.isdecimal() and not _is_alive(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
