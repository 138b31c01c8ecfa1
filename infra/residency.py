"""Where borrowers' data may live: a deployment is refused outside the regions of the rule packs it serves.

A rule pack may name AWS partitions and regions in which data of its borrowers may live (`[residency]`). Which
jurisdictions a deployment serves is a setting; where it stands is its region, which is always known, because a stack is
made for one. Both are compared before anything is built:

- `jurisdictions` named: each of them must allow the region, and so must each pack it refines. One that does not is an
  error that names pack, citation, region and the way out.
- none named: the deployment serves every shipped pack that allows the region, and no other; which these are stands in
  the template's metadata. Borrowers of a pack that is not among them must not be told to it.
- the local stage stands on this machine and in no region: names are checked, the region is not, and the metadata
  say so.

How far a residency is enforced is its own word: "hard" and "cautious" refuse, "shown" and "off" do not and are named in
the metadata. A template is made for one region and is refused by CloudFormation in another (`Region` rule).

Source: the packs; for one, Personal Information Protection Law of the PRC, articles 38 to 40.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra import FUNCTIONS
from infra.catalogue import EMAIL, PUSH, SMS
from infra.settings import InfraSettings

# Where the rule packs lie: the folder of `betimes.adapters.law_packs`, which is out of reach here.
PACKS: Final = FUNCTIONS / "betimes" / "packs" / "rules"
AWS: Final = "aws"
AWS_CHINA: Final = "aws-cn"
# Regions of other partitions than "aws", by how their names begin.
_PARTITIONS: Final[Mapping[str, str]] = {
    "cn-": AWS_CHINA,
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}
# What `enforce` may say, and whether it refuses.
ENFORCE: Final[Mapping[str, bool]] = {"hard": True, "cautious": True, "shown": False, "off": False}
_KEYS: Final = frozenset({"partitions", "regions", "status", "enforce", "citation"})

_NOT_IN_CHINA: Final = {
    (EMAIL, "ses"): "Amazon SES does not exist in",
    (SMS, "sns"): "Amazon SNS sends no text messages from",
    (SMS, "eum"): "AWS End User Messaging does not exist in",
    (PUSH, "sns"): "Amazon SNS sends no mobile push from",
}


class ResidencyError(ValueError):
    """A deployment would hold data of borrowers where they may not live, or a pack cannot be read; the message names
    the way out.
    """


@dataclass(frozen=True, slots=True)
class Residency:
    """The regions a pack allows; empty lists allow any. One that does not bind is shown and refuses nothing."""

    partitions: tuple[str, ...]
    regions: tuple[str, ...]
    enforce: str
    citation: str

    @property
    def binds(self) -> bool:
        """Whether it refuses anything."""
        return ENFORCE[self.enforce]

    def allows(self, region: str) -> bool:
        """Return whether data may live in a region, whatever is enforced."""
        return (not self.partitions or partition_of(region) in self.partitions) and (
            not self.regions or region in self.regions
        )

    @property
    def where(self) -> str:
        """Where data may live, in words."""
        partitions = f"the partition {' or '.join(self.partitions)}"
        if not self.regions:
            return f"only in {partitions}"
        regions = f"only in {', '.join(self.regions)}"
        return f"{regions} of {partitions}" if self.partitions else regions


@dataclass(frozen=True, slots=True)
class Pack:
    """What is asked of a rule pack here: its name, the pack it refines ("" none), and where its borrowers' data may
    live.
    """

    name: str
    refines: str
    residency: Residency | None
    covers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Served:
    """What a deployment serves. `left_out` are the packs it does not, `shown` those whose residency it goes against and
    that do not enforce it; both stay empty where the region is not `checked`.
    """

    jurisdictions: tuple[str, ...]
    left_out: tuple[str, ...]
    shown: tuple[str, ...]
    region: str
    checked: bool

    def metadata(self) -> Mapping[str, object]:
        """Return what the template says about it."""
        return {
            "serves": list(self.jurisdictions),
            "does_not_serve": list(self.left_out),
            "against_shown_residency": list(self.shown),
            "partition": partition_of(self.region),
            "region": self.region,
            "checked": self.checked,
        }


def partition_of(region: str) -> str:
    """Return the AWS partition a region belongs to."""
    found = (partition for start, partition in _PARTITIONS.items() if region.startswith(start))
    return next(found, AWS)


def url_suffix_of(region: str) -> str:
    """Return what the names of AWS services end with in a region, as KMS compares them (`kms:ViaService`)."""
    return "amazonaws.com.cn" if partition_of(region) == AWS_CHINA else "amazonaws.com"


def closed_channels(region: str, ways: Mapping[str, str]) -> Mapping[str, str]:
    """Return the channels whose provider does not exist in a region, and why; none outside China.

    A gateway of the lender's own may take them over: what is meant for them waits in their queues.
    """
    if partition_of(region) != AWS_CHINA:
        return {}
    return {
        channel: f"{_NOT_IN_CHINA[channel, provider]} {region}"
        for channel, provider in ways.items()
        if (channel, provider) in _NOT_IN_CHINA
    }


def open_ways(settings: InfraSettings) -> Mapping[str, str]:
    """Return who sends on each channel of a deployment, without the channels that are closed in its region."""
    closed = closed_channels(settings.region, settings.ways)
    return {channel: by for channel, by in settings.ways.items() if channel not in closed}


def check(settings: InfraSettings, packs: Mapping[str, Pack]) -> Served:
    """Return what a deployment with these settings serves; `packs` are those of `read`.

    Raises:
        ResidencyError: a jurisdiction it is told to serve has no pack or does not allow its region.
    """
    for name in settings.jurisdictions:
        if name not in packs:
            stands = next((each.name for each in packs.values() if name in each.covers), "")
            way_out = (
                f"{stands} stands for it: name that" if stands else f"there are: {', '.join(packs)}"
            )
            raise ResidencyError(f"jurisdictions={name}: there is no such rule pack; {way_out}")
    if settings.licence and not _stands_for(settings.licence, packs):
        raise ResidencyError(
            f"licence={settings.licence}: there is no rule pack for it; there are: {', '.join(packs)}"
        )
    region, wanted = settings.region, settings.jurisdictions
    if settings.is_local:
        return Served(wanted or tuple(packs), (), (), region, checked=False)
    against = {
        name: [each for each in _chain(name, packs) if _forbids(each, region)] for name in packs
    }
    refusing = {name: [each for each in found if _binds(each)] for name, found in against.items()}
    for name in wanted:
        if refusing[name]:
            apart = _apart(name, refusing[name][0], wanted, packs)
            raise ResidencyError(_refusal(name, refusing[name][0], region) + apart)
    served = wanted or tuple(name for name in packs if not refusing[name])
    return Served(
        jurisdictions=served,
        left_out=tuple(name for name in packs if name not in served),
        shown=tuple(name for name in served if against[name]),
        region=region,
        checked=True,
    )


def told(served: Served, packs: Mapping[str, Pack]) -> str:
    """Return in one line which shipped packs the region keeps a deployment from serving, "" where it keeps none."""
    kept_out = []
    for name in served.left_out:
        for each in _chain(name, packs):
            if _forbids(each, served.region) and _binds(each) and each.residency is not None:
                kept_out.append(f"{name} ({each.residency.where})")
                break
    if not kept_out:
        return ""
    return f"in {served.region} this deployment may not hold data of borrowers of {', '.join(kept_out)}"


def _refusal(name: str, pack: Pack, region: str) -> str:
    residency = pack.residency
    assert residency is not None, "nothing else refuses"
    of = pack.name if pack.name == name else f"{name}, which refines {pack.name}"
    return (
        f"region={region}: data of borrowers of {of} may live {residency.where}, and this stack stands in {region} "
        f"(partition {partition_of(region)}). Rule: {residency.citation} ({pack.name}.toml, [residency], "
        f"enforce {residency.enforce!r}). Deploy to a region it allows (-c region=...), or serve others "
        "(-c jurisdictions=...)"
    )


def _apart(name: str, pack: Pack, wanted: tuple[str, ...], packs: Mapping[str, Pack]) -> str:
    """Return whom else's data may live nowhere where a pack's may, in words; "" where there is nobody."""
    mine = pack.residency
    assert mine is not None, "it refuses"
    for other in wanted:
        for each in _chain(other, packs):
            theirs = each.residency
            if theirs is not None and theirs.binds and not _meet(mine, theirs):
                return (
                    f". No region will do for both {name} and {other}, whose data may live {theirs.where}: these are "
                    "two deployments"
                )
    return ""


def _meet(one: Residency, other: Residency) -> bool:
    """Return whether there may be a region that both allow."""
    if one.regions and other.regions:
        return bool(set(one.regions) & set(other.regions))
    for narrow, wide in ((one, other), (other, one)):
        if narrow.regions:
            return any(wide.allows(region) for region in narrow.regions)
    return (
        not one.partitions or not other.partitions or bool({*one.partitions} & {*other.partitions})
    )


def _stands_for(name: str, packs: Mapping[str, Pack]) -> str:
    """Return the pack a jurisdiction has: its own, its region's or country's, or one that covers that; "" none."""
    while name not in packs:
        wider = name.rpartition("-")[0]
        if not wider:
            return next((each.name for each in packs.values() if name in each.covers), "")
        name = wider
    return name


def _forbids(pack: Pack, region: str) -> bool:
    return pack.residency is not None and not pack.residency.allows(region)


def _binds(pack: Pack) -> bool:
    return pack.residency is not None and pack.residency.binds


def _chain(name: str, packs: Mapping[str, Pack]) -> tuple[Pack, ...]:
    """Return a pack and those it refines, the narrowest first."""
    found: list[Pack] = []
    while name:
        if name not in packs or packs[name] in found:
            what = (
                "goes in a circle"
                if name in packs
                else f"names {name!r}, and there is no such pack"
            )
            raise ResidencyError(f"{found[-1].name}.toml: 'refines' {what}: correct it")
        found.append(packs[name])
        name = packs[name].refines
    return tuple(found)


def read(folder: Path = PACKS) -> Mapping[str, Pack]:
    """Return what the packs of a folder say of residency, by name, in order of name.

    Raises:
        ResidencyError: there are none, one cannot be read, or one refines a pack that is not there.
    """
    packs: dict[str, Pack] = {}
    for file in sorted(folder.glob("*.toml"), key=lambda each: each.stem):
        try:
            document = tomllib.loads(file.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ResidencyError(f"{file.name}: is no TOML in UTF-8: {error}; correct it") from None
        name, refines = document.get("pack"), document.get("refines", "")
        if name != file.stem or not isinstance(refines, str):
            problem = f"'pack' is {name!r} and 'refines' {refines!r}: call the file as its pack, and name packs"
            raise ResidencyError(f"{file.name}: {problem}")
        residency = _residency(document.get("residency"), file.name)
        covers = _names(document.get("covers", []), "covers", file.name)
        packs[name] = Pack(name, refines, residency, covers)
    if not packs:
        raise ResidencyError(f"{folder}: there are no rule packs: nobody knows where data may live")
    for name in packs:
        _chain(name, packs)
    return packs


def _residency(given: object, file: str) -> Residency | None:
    """Return a residency table; what is not understood is refused, because it might have forbidden the region."""
    if given is None:
        return None
    if not isinstance(given, dict) or given.keys() != _KEYS:
        raise ResidencyError(f"{file}: [residency] must have the keys {', '.join(sorted(_KEYS))}")
    partitions, regions = (_names(given[key], key, file) for key in ("partitions", "regions"))
    enforce, citation = given["enforce"], given["citation"]
    if not partitions and not regions:
        raise ResidencyError(f"{file}: [residency] allows all: name partitions or regions")
    if not isinstance(enforce, str) or enforce not in ENFORCE:
        raise ResidencyError(f"{file}: residency.enforce must be one of {', '.join(ENFORCE)}")
    if not isinstance(citation, str) or not citation.strip():
        raise ResidencyError(f"{file}: residency.citation is missing: say which text demands it")
    return Residency(partitions, regions, enforce, citation)


def _names(given: object, key: str, file: str) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(each, str) and each for each in given):
        of = key if key == "covers" else f"residency.{key}"
        raise ResidencyError(f"{file}: {of} must be a list of names")
    return tuple(given)
