"""What the numbers of a promise say, and what they do not show."""

from __future__ import annotations

from lagesbild.indicators.change import Change
from lagesbild.publish.report.promised import PromiseFact
from lagesbild.publish.report.wording import Writer


def promise_lines(writer: Writer, fact: PromiseFact) -> list[str]:
    """What happened to the promise's themes, and what that does not show."""
    before, after = fact.here
    if before is None or after is None:
        return [
            "Före och efter kan inte visas: något av antalen är dolt."
            if writer.is_swedish
            else "Before and after cannot be shown: one of the counts is hidden."
        ]
    lines = [
        f"{writer.number(before)} rapporter före och {writer.number(after)} efter, under samma "
        "månader på året."
        if writer.is_swedish
        else f"{writer.number(before)} reports before and {writer.number(after)} after, in the "
        "same months of the year."
    ]
    lines.append(_verdict(writer, fact.change))
    lines.append(_goal(writer, fact))
    if fact.compared is not None and fact.there:
        lines.append(_compared(writer, fact))
    elif fact.there:
        lines.append(
            "Jämförelseområdet kan inte visas: något av dess antal är dolt."
            if writer.is_swedish
            else "The comparison area cannot be shown: one of its counts is hidden."
        )
    return [line for line in lines if line]


def _verdict(writer: Writer, change: Change | None) -> str:
    if change is None:
        return ""
    if change.verdict == "cannot_be_told":
        return (
            "Om det är en förändring går inte att avgöra."
            if writer.is_swedish
            else ("Whether that is a change cannot be told.")
        )
    low, high = writer.signed(change.ratio.low), writer.signed(change.ratio.high)
    if writer.is_swedish:
        return f"Det är {writer.words[change.verdict]} än slumpen förklarar ({low} till {high})."
    return f"That is {writer.words[change.verdict]} than chance explains ({low} to {high})."


def _goal(writer: Writer, fact: PromiseFact) -> str:
    share = fact.promise.goal.noticeable_share
    if share is None or fact.change is None:
        return ""
    limit = 1 - share
    ratio = fact.change.ratio
    if ratio.high <= limit:
        sure = "nått" if writer.is_swedish else "reached"
    elif ratio.low > limit:
        sure = "inte nått" if writer.is_swedish else "not reached"
    else:
        sure = "osäkert" if writer.is_swedish else "uncertain"
    amount = writer.percent(share)
    if writer.is_swedish:
        return f"Målet, minst {amount} färre, är {sure}."
    return f"The goal, at least {amount} fewer, is {sure}."


def _compared(writer: Writer, fact: PromiseFact) -> str:
    assert fact.there is not None and fact.compared is not None  # noqa: S101, PT018
    before, after = (writer.count(n) for n in fact.there)
    verdict = writer.words[fact.compared.verdict]
    if writer.is_swedish:
        return (
            f"I jämförelseområdet gick det från {before} till {after}. Skillnaden mot det: "
            f"{verdict}."
        )
    return (
        f"In the comparison area it went from {before} to {after}. The difference from that: "
        f"{verdict}."
    )


def caution(writer: Writer) -> str:
    """What a before-and-after can't show."""
    if writer.is_swedish:
        return (
            "Siffrorna visar inte att löftet är orsaken. Ett löfte kan få fler att rapportera, "
            "och ovanligt höga tal sjunker ofta av sig själva."
        )
    return (
        "The figures do not show that the promise is the cause. A promise may make more people "
        "report, and unusually high numbers often fall by themselves."
    )
