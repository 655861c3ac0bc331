"""Plain sentences out of numbers, by rules: Swedish, and English by switch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

from lagesbild.indicators.change import Change
from lagesbild.indicators.estimate import Estimate
from lagesbild.publish.disclosure import HIDDEN, SMALLEST_DENOMINATOR, SMALLEST_SHOWN
from lagesbild.publish.report.facts import PICTURES, Facts
from lagesbild.publish.report.moments import Moments
from lagesbild.themes import CodePlan

Language = str  # "sv" or "en"

WORDS: Mapping[Language, Mapping[str, str]] = {
    "sv": {
        "title": "Lägesbild",
        "count": "Antal",
        "reports": "Antal rapporter",
        "theme": "Tema",
        "share": "Andel",
        "interval": "Osäkerhet (95\u00a0%)",
        "corrected": "Korrigerat (95\u00a0%)",
        "note": "Att tänka på",
        "before": "Mot perioden före",
        "last_year": "Mot samma period året före",
        "area": "Område",
        "per_1000": "Per 1 000 invånare",
        "month": "Månad",
        "time": "Klockslag",
        "day": "Veckodag",
        "side_before": "Före",
        "side_after": "Efter",
        "residents": "Invånarna",
        "police": "Polisens notiser",
        "municipality": "Kommunens ärenden",
        "other": "Övriga källor",
        "more": "fler",
        "fewer": "färre",
        "cannot_be_told": "går inte att avgöra",
        "hidden": "visas inte",
        "table": "Visa som tabell",
        "forbattring": "Har blivit bättre",
        "franvaro": "Problemet finns inte",
        "onskemal": "Önskemål",
        "berom": "Beröm",
        "start": "källan {0} börjar",
        "gap": "källan {0} saknas",
        "model": "ny modell: {0}",
    },
    "en": {
        "title": "Situation picture",
        "count": "Count",
        "reports": "Number of reports",
        "theme": "Theme",
        "share": "Share",
        "interval": "Uncertainty (95%)",
        "corrected": "Corrected (95%)",
        "note": "Mind",
        "before": "Against the period before",
        "last_year": "Against the same period last year",
        "area": "Area",
        "per_1000": "Per 1,000 residents",
        "month": "Month",
        "time": "Time of day",
        "day": "Weekday",
        "side_before": "Before",
        "side_after": "After",
        "residents": "Residents",
        "police": "Police notices",
        "municipality": "The municipality's cases",
        "other": "Other sources",
        "more": "more",
        "fewer": "fewer",
        "cannot_be_told": "cannot be told",
        "hidden": "not shown",
        "table": "Show as a table",
        "forbattring": "Has become better",
        "franvaro": "The problem is not there",
        "onskemal": "Wishes",
        "berom": "Praise",
        "start": "the source {0} begins",
        "gap": "the source {0} is missing",
        "model": "new model: {0}",
    },
}
DAYS: Mapping[Language, Sequence[str]] = {
    "sv": ("mån", "tis", "ons", "tor", "fre", "lör", "sön"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_MANY_TIMES = 10  # above, a percentage is no help to anyone
POSITIVE = ("forbattring", "franvaro", "onskemal", "berom")


class Writer:
    """Writes about one report in one language."""

    def __init__(self, facts: Facts, plan: CodePlan, language: Language) -> None:
        self.facts = facts
        self.plan = plan
        self.language = language
        self.words = WORDS[language]
        self.is_swedish = language == "sv"

    def theme(self, key: str) -> str:
        return self.plan.label(key, "sv" if self.is_swedish else "en")

    def named(self, key: str) -> str:
        """The theme's name within a sentence."""
        name = self.theme(key)
        return name[:1].lower() + name[1:]

    def number(self, value: float, decimals: int = 0) -> str:
        """Swedish decimal comma and spaced thousands, or English ones."""
        text = f"{value:,.{decimals}f}"
        return text.replace(",", "\u00a0").replace(".", ",") if self.is_swedish else text

    def count(self, count: int | None) -> str:
        return HIDDEN if count is None else self.number(count)

    def percent(self, share: float, decimals: int = 0) -> str:
        return self.number(share * 100, decimals) + ("\u00a0%" if self.is_swedish else "%")

    def interval(self, estimate: Estimate | None, decimals: int = 0) -> str:
        if estimate is None:
            return HIDDEN
        return f"{self.number(estimate.low, decimals)}–{self.number(estimate.high, decimals)}"

    def estimate(self, estimate: Estimate | None, decimals: int = 0) -> str:
        """The value with its interval."""
        if estimate is None:
            return HIDDEN
        return f"{self.number(estimate.value, decimals)} ({self.interval(estimate, decimals)})"

    def share(self, estimate: Estimate | None) -> str:
        if estimate is None:
            return HIDDEN
        low, high = self.percent(estimate.low), self.percent(estimate.high)
        low = low.rstrip("%").rstrip()
        return f"{self.percent(estimate.value)} ({low}–\u2060{high})"  # not to be broken there

    def change(self, change: Change | None) -> str:
        """In a table: a word, and the ratio as percent with its interval where it is finite."""
        if change is None:
            return HIDDEN
        word = self.words[change.verdict]
        ratio = change.ratio
        if not isfinite(ratio.value) or not isfinite(ratio.high):
            return word
        to = "till" if self.is_swedish else "to"
        told = f"{self.signed(ratio.low)} {to} {self.signed(ratio.high)}".replace(" ", "\u00a0")
        return f"{word} ({told})"

    def signed(self, ratio: float) -> str:
        """More or fewer in percent, as long as that says anything."""
        if ratio > _MANY_TIMES:
            over, times = ("över", "gånger") if self.is_swedish else ("over", "times")
            return f"{over} {_MANY_TIMES} {times}"
        sign = "+" if ratio >= 1 else "−"
        return sign + self.percent(abs(ratio - 1))

    # --- sentences --------------------------------------------------------------------------------

    def summary(self) -> list[str]:
        """The page in a few sentences."""
        facts = self.facts
        lines = [self._total()]
        lines += [
            line
            for change, key in (
                (facts.total_last_year_change, "last_year"),
                (facts.total_change, "before"),
            )
            if (line := self._total_change(change, key))
        ]
        lines += self._reported_most()
        lines += self._changed_themes()
        lines.append(self.agreement())
        return lines

    def _total(self) -> str:
        facts, period = self.facts, self.facts.period.label(self.language)
        name = facts.place.name
        if facts.total is None:
            return (
                f"Antalet rapporter om trygghet i {name} under {period} visas inte."
                if self.is_swedish
                else f"The number of reports about safety in {name} in {period} is not shown."
            )
        n = self.number(facts.total)
        if self.is_swedish:
            return f"Under {period} kom {n} rapporter om trygghet från {name}."
        return f"In {period} there were {n} reports about safety from {name}."

    def _total_change(self, change: Change | None, key: str) -> str:
        if change is None:
            return ""
        sv = {"last_year": "samma period året före", "before": "perioden före"}[key]
        en = {"last_year": "the same period last year", "before": "the period before"}[key]
        if change.verdict == "cannot_be_told":
            if self.is_swedish:
                return f"Om det är fler eller färre än {sv} går inte att avgöra."
            return f"Whether that is more or fewer than {en} cannot be told."
        word = self.words[change.verdict]
        ratio = change.ratio.value
        is_multiple = ratio >= 2 and isfinite(ratio)
        amount = self.number(ratio, 1) if is_multiple else self.percent(abs(ratio - 1))
        if self.is_swedish:
            season = " Årstiden kan förklara skillnaden." if key == "before" else ""
            told = f"{amount} gånger så många som" if is_multiple else f"{amount} {word} än"
            return f"Det är {told} {sv}, mer än slumpen brukar ge.{season}"
        season = " The season may explain the difference." if key == "before" else ""
        told = f"{amount} times as many as in" if is_multiple else f"{amount} {word} than in"
        return f"That is {told} {en}, more than chance usually gives.{season}"

    def _reported_most(self) -> list[str]:
        """Which themes lead, as far as is shown: a hidden number need not be small."""
        themes = [f for f in self.facts.themes if f.theme != "drift_underhall"]
        shown = [f for f in themes if f.count][:3]
        if not shown:
            return []
        told = self.listed([f"{self.named(f.theme)} ({self.number(f.count or 0)})" for f in shown])
        if any(f.count is None for f in themes):
            if self.is_swedish:
                return [f"Mest rapporterat av det som visas: {told}. Dolda antal kan vara större."]
            return [f"Reported most of what is shown: {told}. Hidden numbers may be larger."]
        if self.is_swedish:
            return [f"Mest rapporterade teman är {told}."]
        return [f"The themes reported most are {told}."]

    def _changed_themes(self) -> list[str]:
        found = []
        for verdict in ("more", "fewer"):
            themes = [
                self.named(f.theme)
                for f in self.facts.themes
                if f.since_last_year and f.since_last_year.verdict == verdict
            ]
            if themes:
                found.append(
                    f"{self.words[verdict].capitalize()} rapporter än samma period året före: "
                    f"{self.listed(themes)}."
                    if self.is_swedish
                    else f"{self.words[verdict].capitalize()} reports than the same period last "
                    f"year: {self.listed(themes)}."
                )
        return found

    def agreement(self) -> str:
        """Where the parties raise the same themes, as far as the numbers may be shown."""
        present = [p for p in PICTURES if self.facts.raised(p)]
        if len(present) < 2:
            return (
                "Bilderna går inte att jämföra: färre än två parter har tal som kan visas."
                if self.is_swedish
                else "The pictures cannot be compared: fewer than two parties have numbers to show."
            )
        everyone, two = self.facts.agreed()
        told = []
        if everyone:
            names = self.listed([self.named(t) for t in everyone])
            told.append(
                f"Alla tre parterna lyfter {names}."
                if self.is_swedish
                else f"All three parties raise {names}."
            )
        if two:
            names = self.listed([self.named(t) for t in two])
            told.append(
                f"Två av parterna lyfter {names}."
                if self.is_swedish
                else f"Two of the parties raise {names}."
            )
        hidden = any(n is None for p in PICTURES for _, n in self.facts.pictures.get(p, ()))
        if told and hidden:
            sv = self.is_swedish
            told.append("Dolda antal kan ändra det." if sv else "Hidden numbers may change that.")
        if told:
            return " ".join(told)
        if self.is_swedish:
            return "Parterna lyfter olika teman" + (", av det som visas." if hidden else ".")
        return "The parties raise different themes" + (", of what is shown." if hidden else ".")

    def missing_pictures(self) -> list[str]:
        lines = []
        for picture in PICTURES:
            if picture not in self.facts.pictures:
                name = self.words[picture]
                lines.append(
                    f"{name}: bilden saknas. Ingen källa med den märkningen har rapporter om "
                    "trygghet här under perioden."
                    if self.is_swedish
                    else f"{name}: this picture is missing. No source so labelled has reports "
                    "about safety here in the period."
                )
        if self.facts.unlabelled:
            names = self.listed(list(self.facts.unlabelled))
            lines.append(
                f"Hör inte till någon bild i inställningarna: {names}."
                if self.is_swedish
                else f"In no picture according to the settings: {names}."
            )
        return lines

    def busiest(self, moments: Moments) -> str:
        cells = [
            (count, day, band)
            for day, row in enumerate(moments.cells)
            for band, count in enumerate(row)
            if count
        ]
        if not cells:
            return ""
        count, day, band = max(cells, key=lambda c: (c[0], -c[1], -c[2]))
        when = f"{DAYS[self.language][day]} {self.band(band, moments.hours)}"
        if self.is_swedish:
            return f"Flest: {when} ({self.number(count)})."
        return f"Most: {when} ({self.number(count)})."

    def band(self, number: int, hours: int) -> str:
        if hours == 1:
            return f"{number:02}"
        return f"{number * hours:02}–{(number + 1) * hours:02}"

    def hiding(self) -> str:
        if self.is_swedish:
            return (
                f"{HIDDEN} betyder att talet inte visas: det är mellan 1 och {SMALLEST_SHOWN - 1}, "
                "eller skulle avslöja ett sådant. Det betyder aldrig noll. Andelar visas bara när "
                f"de bygger på minst {SMALLEST_DENOMINATOR} rapporter."
            )
        return (
            f"{HIDDEN} means that the number is not shown: it is between 1 and "
            f"{SMALLEST_SHOWN - 1}, or would reveal one that is. It never means zero. Shares are "
            f"shown only where they rest on at least {SMALLEST_DENOMINATOR} reports."
        )

    def listed(self, names: Sequence[str]) -> str:
        if len(names) < 2:
            return "".join(names)
        return f"{', '.join(names[:-1])} {'och' if self.is_swedish else 'and'} {names[-1]}"
