"""The pocket cloud in use: the deployed stack with a tape dropped into its bucket and its schedule fired."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from betimes import outputs
from betimes.adapters.link_keys import LinkKeys
from betimes.adapters.sim import Scene, scene_of
from betimes.config import INBOX, LINKS, MANIFEST, RESULTS, Env
from betimes.core import links
from betimes.core.audit import Arrival
from betimes.core.contact import Contact
from betimes.core.errors import Rejected
from betimes.core.links import Action, Link
from betimes.core.message import Text
from betimes.lab.world import TENANT
from betimes.local.console import steady
from betimes.local.deploy import Deployed, deploy, synthesize
from betimes.local.drain import Load, wait_until_quiet
from betimes.local.emulator import Emulator, EmulatorFailed
from betimes.local.mailbox import SMS, Delivered, delivered
from betimes.local.provider_events import publish
from betimes.local.readback import Everything, everything
from betimes.wire.manifest import File, Manifest

Say = Callable[[str], None]
# Waiting for a run of a few thousand rows; a larger tape gets more by its rows.
DRAIN_DEADLINE_S = 120.0
DRAIN_S_PER_ROW = 0.2
# A page answers within the time that its function has.
PAGE_DEADLINE_S = 30.0
# What a mail program sends; source: RFC 8058, section 3.1.
_ONE_CLICK: Final = "List-Unsubscribe=One-Click"
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class PocketCloud:
    """A deployed stack on a running emulator. `say` gets a line about what is being waited for."""

    emulator: Emulator
    deployed: Deployed
    say: Say

    def now(self) -> datetime:
        """Return what the functions' clock shows (UTC)."""
        return datetime.now(UTC) + timedelta(seconds=self.emulator.clock_offset_s)

    def output(self, name: str) -> str:
        """Return a stack output by its id."""
        return self.deployed.outputs[name]

    def drop(self, folder: Path, name: str, *, zone: str) -> None:
        """Put the tape in `folder` into the bucket; the manifest comes last and announces it."""
        bucket = self.output(outputs.FILES_BUCKET)
        s3 = self.emulator.client("s3")
        files = sorted(file for file in folder.iterdir() if file.is_file())
        for file in files:
            s3.put_object(Bucket=bucket, Key=f"{INBOX}{name}/{file.name}", Body=file.read_bytes())
        manifest = Manifest(
            tenant=TENANT,
            zone=zone,
            files={file.name: File(bytes=file.stat().st_size) for file in files},
        )
        s3.put_object(Bucket=bucket, Key=f"{INBOX}{name}/{MANIFEST}", Body=manifest.to_json())

    def result(self, name: str) -> Mapping[str, Any]:
        """Return the result of a dropped tape: counts, notices, and the rows not taken in.

        Raises:
            Rejected: the tape was refused; with the code and message of the refusal.
        """
        result: dict[str, Any] = json.loads(self._read(f"{RESULTS}{name}/result.json"))
        if "error" in result:
            error = result["error"]
            raise Rejected(error["code"], error["field"], error["message"])
        for key in ("rejected", "noted"):
            text = self._read(f"{RESULTS}{name}/{result[key]}")
            result[key] = [json.loads(line) for line in text.splitlines()]
        return result

    def _read(self, key: str) -> str:
        s3 = self.emulator.client("s3")
        answer = s3.get_object(Bucket=self.output(outputs.FILES_BUCKET), Key=key)
        text: str = answer["Body"].read().decode()
        return text

    def drain(self, rows: int = 0) -> None:
        """Wait until every queue and stream is drained and no function runs.

        Raises:
            NotDrained, WorkFailed: see `local.drain`.
        """
        say = steady(self.say)
        wait_until_quiet(
            self.emulator,
            self.deployed.outputs,
            deadline_s=DRAIN_DEADLINE_S + rows * DRAIN_S_PER_ROW,
            progress=lambda load: say(f"draining: {_left(load)}"),
        )

    def tick(self) -> None:
        """Fire the schedule once, now: what EventBridge Scheduler does every minute."""
        self._fire(outputs.TICK_SCHEDULE)

    def close_day(self) -> None:
        """Fire the daily schedule once, now."""
        self._fire(outputs.CLOSE_DAY_SCHEDULE)

    def _fire(self, output: str) -> None:
        schedule = self.emulator.client("scheduler").get_schedule(
            **_schedule_key(self.output(output))
        )
        target = schedule["Target"]
        answer = self.emulator.client("lambda").invoke(
            FunctionName=target["Arn"], Payload=target.get("Input", "{}").encode()
        )
        assert "FunctionError" not in answer, answer["Payload"].read().decode()

    def report_mails(self, mails: list[Delivered]) -> int:
        """Have the pretend receivers answer for each mail; return how many reports went out."""
        now = self.now()
        return publish(
            self.emulator,
            self.output(outputs.FEEDBACK_TOPIC),
            mails,
            sent_at=now,
            heard_at=now + timedelta(milliseconds=800),
        )

    def unsubscribe(self, mails: Sequence[Delivered]) -> int:
        """Have those pretend receivers who want no more of it unsubscribe by one click, as a mail program does for
        them: one POST to the address in the mail's header, answered by the deployed page. Return how many did.

        Raises:
            EmulatorFailed: a page refused.
        """
        leaving = [
            mail
            for mail in mails
            if mail.channel != SMS and scene_of(mail.channel, mail.to) is Scene.OPTOUT
        ]
        for mail in leaving:
            self._press(urlsplit(self._unsubscribe_address(mail)).path)
        return len(leaving)

    def _unsubscribe_address(self, mail: Delivered) -> str:
        """Return the address in the mail's header; where a deployment puts none into its mails, the same link as the
        deployment's key signs it.
        """
        told = mail.header("List-Unsubscribe").strip("<> ")
        if told:
            return told
        deployed = self.emulator.client("lambda").get_function_configuration(
            FunctionName=self.output(outputs.function_name("on_page"))
        )
        secret = deployed["Environment"]["Variables"][Env.LINK_KEYS]
        keys = LinkKeys(self.emulator.client("secretsmanager"), secret, self).keys()
        link = Link(TENANT, mail.contact_id, Action.UNSUBSCRIBE, self.now().date())
        return LINKS + links.token(keys, link)

    def _press(self, path: str) -> None:
        base = urlsplit(self.output(outputs.API_ENDPOINT))
        assert base.hostname is not None, "the endpoint of an API names its host"
        # Of the address in a mail only what comes behind the pages' own path counts: its host is that of the cloud.
        where = base.path.rstrip("/") + path[path.index(LINKS) :]
        page = http.client.HTTPConnection(base.hostname, base.port, timeout=PAGE_DEADLINE_S)
        try:
            page.request("POST", where, body=_ONE_CLICK, headers=_FORM)
            status = page.getresponse().status
        except OSError as error:
            raise EmulatorFailed(f"the page of a link did not answer: {error}") from error
        finally:
            page.close()
        if status != http.client.OK:
            raise EmulatorFailed(f"one-click unsubscription was answered with status {status}")

    def delivered(self, *, after: int = 0) -> list[Delivered]:
        """Return all messages that were accepted, in order, or those after the first `after`."""
        return delivered(self.emulator, after=after)

    def everything(self) -> Everything:
        """Return all that the tables hold."""
        return everything(
            self.emulator.client("dynamodb"),
            book=self.output(outputs.BOOK_TABLE),
            contacts=self.output(outputs.CONTACTS_TABLE),
            ledger=self.output(outputs.LEDGER_TABLE),
        )


@contextmanager
def pocket_cloud(root: Path, *, offset_s: int, say: Say) -> Iterator[PocketCloud]:
    """Synthesize, start and deploy; everything is stopped and removed when the block ends.

    `offset_s` shifts the clock of every function.

    Raises:
        SynthesisFailed, EmulatorFailed, DeploymentFailed: with what to do about it.
    """
    say("synthesizing the CloudFormation template")
    assembly = synthesize(root)
    say("starting the embedded AWS")
    with Emulator(root, clock_offset_s=offset_s) as emulator:
        say("deploying the stack")
        yield PocketCloud(emulator, deploy(emulator, assembly), say)


def _left(load: Load) -> str:
    return (
        f"{load.waiting} messages, {load.behind} stream records, {load.running} functions running"
    )


def _schedule_key(name: str) -> dict[str, str]:
    """Return the parameters that name a schedule given as `group/name` or `name`."""
    group, slash, rest = name.rpartition("/")
    return {"GroupName": group, "Name": rest} if slash else {"Name": name}


def arrivals(
    mails: list[Delivered], contacts: tuple[Contact, ...], locales: set[str]
) -> list[Arrival]:
    """Return which contact each accepted message belongs to.

    A mail names its contact. An SMS carries nothing back, so it is found by its text: the contact whose hash is that of
    the text in one of the `locales`. A message that belongs to no contact is an error of ours.
    """
    by_text: dict[str, list[str]] = {}
    for contact in contacts:
        if contact.channel == SMS and contact.sent_at is not None:
            by_text.setdefault(contact.text_sha256, []).append(contact.id)
    found = []
    for mail in mails:
        if mail.channel != SMS:
            found.append(Arrival(mail.contact_id, mail.at))
            continue
        hashes = [Text(SMS, locale, "", mail.text).sha256 for locale in sorted(locales)]
        [ids] = [by_text[text] for text in hashes if text in by_text]
        # Equal texts to different people: each message is counted for one contact, more than there are for the last.
        found.append(Arrival(ids.pop() if len(ids) > 1 else ids[0], mail.at))
    return found
