"""The model card in Swedish and English, written out of the figures of an evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from lagesbild.errors import LagesbildError
from lagesbild.themes import load_themes

Language = Literal["sv", "en"]
Figures = Mapping[str, Any]
_WATTS = 15.0  # of one busy core; no meter is read

_WORDS: Mapping[Language, Mapping[str, str]] = {
    "sv": {
        "title": "Modellkort: teman i invånares synpunkter",
        "made": "Skrivet av `lagesbild evaluate --gold FIL --card MAPP`; ändras inte för hand. "
        "Intervall är 95 %: Wilson för andelar, bootstrap över texter för F1.",
        "use": "## Vad modellen är till för\n"
        "Den föreslår teman och ställning i synpunkter, öppna enkätsvar och polisnotiser, så att "
        "antal per område och tid kan räknas. Den avgör ingenting om en enskild person, och det "
        "den är osäker på går till granskning. Personalens beslut gäller före modellens.",
        "data": "## Vad den har lärt av",
        "texts": "{n_texts} påhittade texter av {n_voices} röster, skrivna och kodade av "
        "språkmodeller, en text i taget, efter kodplanen {themes_version}; hur de gjordes och "
        "kontrollerades står i `data/labelled/README.md`. Ingen människa har kodat dem. De flesta "
        "är svårare än en vanlig dags synpunkter, och andelarna teman i dem säger ingenting om "
        "någon plats.",
        "languages": "Texter per språk",
        "served": "Språk där modellen beslutar",
        "per_theme": "Texter per tema",
        "frozen": "frysta röster",
        "figures": "## Hur rätt den har",
        "trust": "Frysta röster är våra egna texter av röster som den mätta modellen aldrig har "
        "sett. Andra filers texter kan ha lästs när det bestämdes vad nya texter skulle handla om, "
        "och visar då för gott. Hur den gör ifrån sig på verkliga texter som ingen har tittat på "
        "står i README, `python -m bench.real_texts`.",
        "file": "### {name}: {n_texts} texter",
        "measure": "mått",
        "value": "värde",
        "macro_f1": "makro-F1 över {n} teman",
        "micro_f1": "mikro-F1",
        "stance_accuracy": "rätt ställning, där temat är rätt",
        "stance_always_problem": "samma, om varje ställning vore problem",
        "subtheme_accuracy": "rätt delämne, där temat är rätt",
        "stance": "ställning",
        "false_theme_on_residual": "något tema på texter utan tema",
        "needs_review": "till granskning",
        "error_without_review": "något tema fel bland texter som ingen granskar",
        "stance_error_without_review": "fel ställning i texter som ingen granskar",
        "calibration": "kalibreringsfel (ECE)",
        "count": "fel i antal per tema, procentenheter av texterna",
        "theme": "tema",
        "precision": "precision",
        "recall": "täckning",
        "given": "n givna",
        "by_kind": "Efter slag av text",
        "by_length": "Efter längd",
        "by_language": "Efter språk",
        "group": "grupp",
        "curve": "Risk och täckning: hur många texter som har något tema fel när bara de säkraste "
        "avgörs",
        "coverage": "andel avgjorda",
        "error": "något tema fel",
        "weak": "## Kända brister",
        "worst_theme": "Svagast teman i {name}: {told}.",
        "worst_kind": "Svagast slag av text i {name}: {told}.",
        "missed": "Vanligaste förväxlingar i {name}: {told}.",
        "nothing": "inget",
        "instead": "{theme} missas, {other} ges ({n})",
        "limits": "- Texter som beskriver utan att nämna (små påsar, en bil som stannar kort) "
        "missas oftare än de som nämner.\n"
        "- Ironi och det som bara antyds tolkas ofta efter orden.\n"
        "- Alla texter den har lärt av är påhittade; nytt slanguttryck och nya företeelser känner "
        "den inte förrän personal har granskat dem.\n"
        "- Texter på språk den inte betjänar går till granskning, med de teman den föreslår.\n"
        "- Ett tema har en enda ställning i en text: där ett torg blivit lugnare och tunneln "
        "värre sägs bara det ena. Återfall efter förbättring tas ibland för förbättring.\n"
        "- Långa texter läses i stycken; nästan alla texter den har lärt av är kortare än 100 "
        "ord.\n"
        "- Grupper av människor mäts inte var för sig: texterna säger inte vem som skrev. "
        "Stavning och språk är det närmaste, och står i tabellerna.",
        "cost": "## Tid och energi",
        "spent": "{n} texter i denna mätning tog {cpu:.0f} s processortid, {rate:.0f} texter i "
        "sekunden på en kärna. Med {watts:.0f} W för en upptagen kärna (antagande; ingen mätare "
        "läses) är det {wh:.2f} Wh per 1 000 texter.",
        "trained": "Att träna och mäta regressionerna tog {minutes:.0f} minuter på {cores} "
        "kärnor, på samma sätt räknat {wh:.0f} Wh; kodarens träning är inte med, den står i "
        "`docs/decisions.md`.",
    },
    "en": {
        "title": "Model card: themes in residents' remarks",
        "made": "Written by `lagesbild evaluate --gold FILE --card FOLDER`; not edited by hand. "
        "Intervals are 95 %: Wilson for shares, bootstrap over texts for F1.",
        "use": "## What the model is for\n"
        "It proposes themes and stance of remarks, open survey answers and police notices, so that "
        "they can be counted by area and time. It decides nothing about any one person, and what "
        "it is unsure of goes to a person. Staff's decisions win over the model's.",
        "data": "## What it learnt from",
        "texts": "{n_texts} invented texts of {n_voices} voices, written and coded by language "
        "models, one at a time, by the code plan {themes_version}; `data/labelled/README.md` says "
        "how they were made and checked. No human being coded them. Most are harder than an "
        "ordinary day's remarks, and shares of themes among them say nothing about any place.",
        "languages": "Texts by language",
        "served": "Languages in which the model decides",
        "per_theme": "Texts by theme",
        "frozen": "frozen voices",
        "figures": "## How right it is",
        "trust": "Frozen voices are our own texts by voices that the measured model never saw. "
        "Texts of other files may have been read when it was settled what new texts were to be "
        "about, and then flatter. How it does on real texts that nobody has looked at stands in "
        "README, `python -m bench.real_texts`.",
        "file": "### {name}: {n_texts} texts",
        "measure": "measure",
        "value": "value",
        "macro_f1": "macro-F1 over {n} themes",
        "micro_f1": "micro-F1",
        "stance_accuracy": "right stance, where the theme is right",
        "stance_always_problem": "the same, were every stance a problem",
        "subtheme_accuracy": "right subtheme, where the theme is right",
        "stance": "stance",
        "false_theme_on_residual": "any theme on texts without one",
        "needs_review": "sent to review",
        "error_without_review": "some theme wrong among texts that nobody reviews",
        "stance_error_without_review": "wrong stance in texts that nobody reviews",
        "calibration": "calibration error (ECE)",
        "count": "error of the number by theme, per cent of the texts",
        "theme": "theme",
        "precision": "precision",
        "recall": "recall",
        "given": "n given",
        "by_kind": "By kind of text",
        "by_length": "By length",
        "by_language": "By language",
        "group": "group",
        "curve": "Risk and coverage: how many texts have some theme wrong when only the surest "
        "are decided",
        "coverage": "share decided",
        "error": "some theme wrong",
        "weak": "## Known failures",
        "worst_theme": "Weakest themes in {name}: {told}.",
        "worst_kind": "Weakest kinds of text in {name}: {told}.",
        "missed": "Commonest confusions in {name}: {told}.",
        "nothing": "nothing",
        "instead": "{theme} missed, {other} given ({n})",
        "limits": "- Texts that describe without naming (small bags, a car that stops briefly) are "
        "missed more often than those that name.\n"
        "- Irony and what is only hinted at are often taken by their words.\n"
        "- All texts it learnt from are invented; new slang and new phenomena are unknown to it "
        "until staff have reviewed them.\n"
        "- Texts in languages that it does not serve go to review, with the themes it proposes.\n"
        "- A theme has one stance in a text: where a square has got calmer and the tunnel worse, "
        "only one is told. A relapse after an improvement is sometimes taken for the "
        "improvement.\n"
        "- Long texts are read in stretches; nearly all texts it learnt from are shorter than 100 "
        "words.\n"
        "- Groups of people are not measured apart: the texts do not say who wrote. Spelling and "
        "language come closest, and stand in the tables.",
        "cost": "## Time and energy",
        "spent": "{n} texts in this measurement took {cpu:.0f} s of processor time, {rate:.0f} "
        "texts a second on one core. At {watts:.0f} W for a busy core (assumed; no meter is read) "
        "that is {wh:.2f} Wh per 1,000 texts.",
        "trained": "Training and measuring the regressions took {minutes:.0f} minutes on {cores} "
        "cores, by the same reckoning {wh:.0f} Wh; the encoder's training is not in it, "
        "`docs/decisions.md` tells it.",
    },
}
_LENGTHS_EN = {
    "under 5 ord": "under 5 words",
    "5–14 ord": "5–14 words",
    "15–34 ord": "15–34 words",
    "35–99 ord": "35–99 words",
    "100 ord eller fler": "100 words or more",
}
_SHARES = (
    *("stance_accuracy", "stance_always_problem", "subtheme_accuracy"),
    *("false_theme_on_residual", "needs_review", "error_without_review"),
    "stance_error_without_review",
)
_FEWEST = 15  # texts of a kind, before it is called weak
_WEAKEST = 3


def write_cards(results: Mapping[str, Figures], model: Figures, folder: Path) -> list[Path]:
    """`model-card.sv.md` and `model-card.en.md`. `results`: figures by name of the labelled file;
    `model`: what stands beside the model file."""
    if not results:
        raise LagesbildError("Ett modellkort behöver minst en fil med facit: ange --gold.")
    if "frozen" not in model:
        raise LagesbildError("Modellen är från en äldre version: träna om den.")
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for language in _WORDS:
        path = folder / f"model-card.{language}.md"
        lines = [line for part in _card(results, model, language) for line in (part, "")]
        path.write_text("\n".join(lines), encoding="utf-8")
        paths.append(path)
    return paths


def _card(results: Mapping[str, Figures], model: Figures, language: Language) -> Iterator[str]:
    say = _WORDS[language]
    versions = sorted({figures["classifier_version"] for figures in results.values()})
    yield f"# {say['title']}"
    yield f"{say['made']} `{', '.join(versions)}`"
    yield say["use"]
    yield from _data(model, language)
    yield say["figures"]
    yield say["trust"]
    measured = {say["frozen"]: model["frozen"], **results}
    for name, figures in measured.items():
        yield from _file(name, figures, language)
    yield say["weak"]
    yield "\n".join([*_weak(measured, language), say["limits"]])
    yield say["cost"]
    yield _cost(results, model, language)


def _data(model: Figures, language: Language) -> Iterator[str]:
    say, plan = _WORDS[language], load_themes()
    yield say["data"]
    yield say["texts"].format(**model)
    by_theme = ", ".join(
        f"{plan.label(theme, language)} {n}" for theme, n in model["n_texts_by_theme"].items()
    )
    by_language = ", ".join(f"{name} {n}" for name, n in model["n_texts_by_language"].items())
    lines = [
        f"- {say['languages']}: {by_language}",
        f"- {say['served']}: {', '.join(model['languages_served'])}",
        f"- {say['per_theme']}: {by_theme}",
    ]
    yield "\n".join(lines)


def _file(name: str, figures: Figures, language: Language) -> Iterator[str]:
    say = _WORDS[language]
    yield say["file"].format(name=name, n_texts=figures["n_texts"])
    rows = [(say["macro_f1"].format(n=figures["n_themes_present"]), _shown(figures["macro_f1"]))]
    rows += [(say["micro_f1"], _shown(figures["micro_f1"]))]
    rows += [(say[key], _shown(figures[key], with_n=True)) for key in _SHARES]
    rows += [(say["calibration"], _number(figures["calibration_error"]["value"]))]
    rows += [(say["count"], f"{figures['count_error']['decisions_percent']:.2f}")]
    yield _table((say["measure"], say["value"]), rows)
    plan = load_themes()
    header = (say["theme"], "n", say["given"], say["precision"], say["recall"], "F1")
    yield _table(
        header,
        [
            (
                plan.label(theme, language),
                own["n"],
                own["precision"]["n"],
                *(_shown(own[key]) for key in ("precision", "recall", "f1")),
            )
            for theme, own in figures["per_theme"].items()
        ],
    )
    stances = [
        (stance, own["recall"]["n"], *(_shown(own[key]) for key in ("precision", "recall")))
        for stance, own in figures["per_stance"].items()
    ]
    yield _table((say["stance"], "n", say["precision"], say["recall"]), stances)
    for key in ("by_kind", "by_length", "by_language"):
        if figures[key]:
            yield f"**{say[key]}**"
            yield _groups(figures[key], language)
    yield f"**{say['curve']}**"
    curve = [
        (f"{point['coverage']:.0%}".replace("%", " %"), _shown(point["error"], with_n=True))
        for point in figures["risk_coverage"]
    ]
    yield _table((say["coverage"], say["error"]), curve)


def _groups(groups: Figures, language: Language) -> str:
    say = _WORDS[language]
    rows = [
        (
            _LENGTHS_EN.get(group, group) if language == "en" else group,
            own["n"],
            _number(own["micro_f1"]),
            _shown(own["false_theme_on_residual"], with_n=True),
        )
        for group, own in groups.items()
    ]
    return _table((say["group"], "n", say["micro_f1"], say["false_theme_on_residual"]), rows)


def _weak(results: Mapping[str, Figures], language: Language) -> Iterator[str]:
    """One line a file for the weakest themes, kinds and the commonest confusions."""
    say, plan = _WORDS[language], load_themes()
    for name, figures in results.items():
        themes = [
            (own["f1"]["value"], plan.label(theme, language), own["n"])
            for theme, own in figures["per_theme"].items()
            if own["n"] and own["f1"]["value"] is not None
        ]
        kinds = [
            (own["micro_f1"], kind, own["n"])
            for kind, own in figures["by_kind"].items()
            if own["n"] >= _FEWEST and own["micro_f1"] is not None
        ]
        for key, found in (("worst_theme", themes), ("worst_kind", kinds)):
            if found:
                told = ", ".join(
                    f"{label} (F1 {value:.2f}, n={n})"
                    for value, label, n in sorted(found)[:_WEAKEST]
                )
                yield "- " + say[key].format(name=name, told=told)
        if figures["confused"]:
            told = "; ".join(_confusion(pair, language) for pair in figures["confused"])
            yield "- " + say["missed"].format(name=name, told=told)


def _confusion(pair: Figures, language: Language) -> str:
    say, plan = _WORDS[language], load_themes()
    other = plan.label(pair["instead"], language) if pair["instead"] else say["nothing"]
    return say["instead"].format(
        theme=plan.label(pair["theme"], language), other=other, n=pair["n"]
    )


def _cost(results: Mapping[str, Figures], model: Figures, language: Language) -> str:
    n = sum(figures["n_texts"] for figures in results.values())
    cpu = sum(figures["cpu_seconds"] for figures in results.values())
    hours_per_1000 = cpu / max(n, 1) * 1000 / 3600
    spent = _WORDS[language]["spent"].format(
        n=n, cpu=cpu, rate=n / max(cpu, 1e-9), watts=_WATTS, wh=hours_per_1000 * _WATTS
    )
    minutes, cores = model["trained"]["minutes"], model["trained"]["cores"]
    trained = _WORDS[language]["trained"].format(
        minutes=minutes, cores=cores, wh=minutes / 60 * cores * _WATTS
    )
    return f"{spent} {trained}"


def _table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _shown(measure: Figures, *, with_n: bool = False) -> str:
    if measure["value"] is None:
        return "–"
    n = f", n={measure['n']}" if with_n else ""
    return f"{measure['value']:.3f} [{measure['low']:.3f}–{measure['high']:.3f}]{n}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
