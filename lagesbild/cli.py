"""Every command; thin. Standard output has what was asked for, standard error what happened."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from lagesbild.errors import LagesbildError, SourceCheckError, UsageError

Run = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns its exit code: 0, 2 wrong usage, 3 failed checks, 1 otherwise."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8")
    options = _parser().parse_args(arguments)
    try:
        run: Run = options.run
        return run(options)
    except LagesbildError as error:
        say(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        say("Avbrutet.")
        return 1
    except BrokenPipeError:  # the reader has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def say(text: str) -> None:
    """Tell the user what happened."""
    print(text, file=sys.stderr)


# --- commands -------------------------------------------------------------------------------------


def _night(options: argparse.Namespace) -> int:
    from lagesbild.night import give_way, run_night
    from lagesbild.summary import night_text

    settings = _settings(options)
    give_way()
    result = run_night(
        settings,
        _classifier(settings),
        options.only,
        retry_rejected=options.retry_rejected,
    )
    print(night_text(result))
    return SourceCheckError.exit_code if result.has_failed_source else 0


def _demo(options: argparse.Namespace) -> int:
    from lagesbild.demo import run_demo

    told, exit_code = run_demo(options.config, _classifier)
    print(told)
    return exit_code


def _status(options: argparse.Namespace) -> int:
    from lagesbild.night import Store
    from lagesbild.status import status, status_text

    settings = _settings(options)
    facts = status(settings, Store(settings))
    print(json.dumps(facts, ensure_ascii=False, indent=2) if options.json else status_text(facts))
    return 0


def _verify(options: argparse.Namespace) -> int:
    from lagesbild.night import Store
    from lagesbild.verify import verify

    broken = verify(Store(_settings(options)))
    print("\n".join(broken) if broken else "Allt stämmer.")
    return SourceCheckError.exit_code if broken else 0


def _source_list(options: argparse.Namespace) -> int:
    settings = _settings(options)
    for name, table in settings.sources.items():
        print(f"{name}\t{table['kind']}")
    return 0


def _source_check(options: argparse.Namespace) -> int:
    from lagesbild.source_check import check_source, check_text

    print(check_text(check_source(_settings(options), options.name)))
    return 0


def _source_map(options: argparse.Namespace) -> int:
    from lagesbild.sources.mapping import propose_mapping

    print(propose_mapping(_existing(options.file)))
    return 0


def _redact(_: argparse.Namespace) -> int:
    from lagesbild.redact_lines import redact_lines

    redact_lines(sys.stdin, sys.stdout)
    return 0


def _classify(options: argparse.Namespace) -> int:
    from classifiers.commands import classify_lines

    classify_lines(sys.stdin, sys.stdout, options.all, _classifier_in_use(options)[0])
    return 0


def _train(options: argparse.Namespace) -> int:
    from classifiers.commands import train

    train(options.out, encoder=options.encoder, pipeline=options.pipeline)
    return 0


def _reclassify(options: argparse.Namespace) -> int:
    from lagesbild.night import Store
    from lagesbild.reclassification import reclassify_all

    settings = _settings(options)
    classifier = _classifier(settings)
    n = reclassify_all(
        settings, Store(settings), classifier, options.batch, lambda n: say(f"{n} texter …")
    )
    told = f"{n} texter klassades om av {classifier.version}."
    print(told if n else f"Allt är redan klassat av {classifier.version}.")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from classifiers.commands import evaluate

    classifier, folder = _classifier_in_use(options)
    gold = [_existing(path) for path in options.gold]
    evaluate(gold, options.json, options.card, classifier, folder)
    return 0


def _export_counts(options: argparse.Namespace) -> int:
    from lagesbild.night import Store
    from lagesbild.publish.counts import Selection, export_counts
    from lagesbild.store import snapshots
    from lagesbild.themes import load_themes

    settings = _settings(options)
    store = Store(settings)
    selection = Selection(tuple(options.by.split(",")), _month(options.first), _month(options.last))
    target = export_counts(
        snapshots.current(store.snapshots),
        selection,
        load_themes(),
        options.out or store.exports,
        profile=options.profile,
        style=options.format,
        settings=settings,
    )
    print(target)
    return 0


def _review_serve(options: argparse.Namespace) -> int:
    from lagesbild.review.commands import serve

    say(f"Granskningssidan: http://{options.host}:{options.port} (avsluta med Ctrl+C)")
    serve(options.config, options.host, options.port, options.workers)
    return 0


def _review_add_user(options: argparse.Namespace) -> int:
    from lagesbild.review.commands import add_user

    name = add_user(_settings(options), options.name, options.role)
    say(f"{name} får nu logga in som {options.role}.")
    return 0


def _review_flagged(options: argparse.Namespace) -> int:
    from lagesbild.night import Store
    from lagesbild.review.flagged import flagged

    for entry in flagged(Store(_settings(options))):
        print(json.dumps(entry, ensure_ascii=False))
    return 0


def _export_catalogue(options: argparse.Namespace) -> int:
    from lagesbild.night import Store
    from lagesbild.publish.catalogue import write_catalogue
    from lagesbild.store import snapshots

    settings = _settings(options)
    store = Store(settings)
    folder = options.out or store.exports
    for target in write_catalogue(snapshots.current(store.snapshots), settings, folder):
        print(target)
    return 0


def _report(options: argparse.Namespace) -> int:
    from lagesbild.night import Store
    from lagesbild.publish.periods import Period
    from lagesbild.publish.report.page import write_report
    from lagesbild.publish.report.sheets import write_week, write_wheel
    from lagesbild.store import snapshots
    from lagesbild.themes import load_themes

    settings = _settings(options)
    store = Store(settings)
    common = (snapshots.current(store.snapshots), settings, load_themes())
    where = (options.out or store.exports, options.language)
    area = options.area or settings.municipality_code
    if options.area and not options.period:
        raise UsageError("--area hör till --period; veckobilden och årshjulet gäller allt.")
    if options.week:
        print(write_week(*common, options.week, *where))
    elif options.year_wheel:
        print(write_wheel(*common, options.year_wheel, *where))
    elif options.period:
        print(write_report(*common, area, Period(options.period), *where))
    else:
        raise UsageError("Ange --period 2025-Q2, --week 2025-V20 eller --year-wheel 2025.")
    return 0


# --- arguments ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Command:
    run: Run
    help: str
    arguments: Sequence[tuple[tuple[str, ...], dict[str, Any]]] = ()
    has_config: bool = True


def _argument(*names: str, **options: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    return names, options


_COMMANDS: dict[str, _Command | dict[str, _Command]] = {
    "night": _Command(
        _night,
        "en natt: hämta, rensa, klassa, räkna, kontrollera, publicera",
        (
            _argument("--only", metavar="KÄLLA", help="bara en källa"),
            _argument("--retry-rejected", action="store_true", help="försök igen med avvisade"),
        ),
    ),
    "demo": _Command(_demo, "en natt på exempelstaden, med egen server på den egna datorn"),
    "status": _Command(
        _status,
        "hur källor, larm och granskning står",
        (_argument("--json", action="store_true", help="som JSON"),),
    ),
    "verify": _Command(_verify, "kontrollera att inget är borta, dubbelt eller fel räknat"),
    "source": {
        "list": _Command(_source_list, "inställda källor"),
        "check": _Command(
            _source_check,
            "en artig hämtning utan att spara",
            (_argument("name", metavar="KÄLLA"),),
        ),
        "map": _Command(
            _source_map,
            "föreslå inställningar för en fil",
            (_argument("file", type=Path, metavar="FIL"),),
            has_config=False,
        ),
    },
    "redact": _Command(_redact, "personuppgifter ut ur JSON-rader", has_config=False),
    "classify": _Command(
        _classify,
        "teman för JSON-rader",
        (_argument("--all", action="store_true", help="sannolikhet för varje tema"),),
    ),
    "reclassify": _Command(
        _reclassify,
        "klassa om allt efter byte av modell eller teman; avbruten går den vidare nästa gång",
        (_argument("--batch", type=int, default=20_000, metavar="ANTAL", help="texter i taget"),),
    ),
    "train": _Command(
        _train,
        "bygg om den medföljande modellen",
        (
            _argument("--out", type=Path, metavar="MAPP", help="spara här i stället"),
            _argument(
                "--encoder",
                nargs="?",
                const="anew",
                choices=("anew", "further"),
                help="gör först om kodaren från grunden, eller lär den vidare (further)",
            ),
            _argument("--pipeline", metavar="NAMN", help="en spaCy-modell i kodarens ställe"),
        ),
        has_config=False,
    ),
    "evaluate": _Command(
        _evaluate,
        "mät mot en fil med facit",
        (
            _argument(
                "--gold",
                type=Path,
                required=True,
                nargs="+",
                action="extend",
                metavar="FIL",
                help="en eller flera filer med facit",
            ),
            _argument("--card", type=Path, metavar="MAPP", help="skriv modellkortet hit"),
            _argument("--json", action="store_true", help="som JSON"),
        ),
    ),
    "review": {
        "serve": _Command(
            _review_serve,
            "granskningssidan på den egna datorn, eller bakom en proxy",
            (
                _argument("--host", default="127.0.0.1", metavar="ADRESS"),
                _argument("--port", type=int, default=8765),
                _argument("--workers", type=int, default=1, metavar="ANTAL", help="processer"),
            ),
        ),
        "add-user": _Command(
            _review_add_user,
            "lägg till en person, eller ge nytt lösenord och ny roll",
            (
                _argument("name", metavar="NAMN"),
                _argument("--role", required=True, choices=("reviewer", "planner", "admin")),
            ),
        ),
        "flagged": _Command(
            _review_flagged,
            "vad personal har markerat som personuppgift, utan orden, som JSON-rader",
        ),
    },
    "export": {
        "counts": _Command(
            _export_counts,
            "antal per tema, små antal dolda",
            (
                _argument(
                    "--by",
                    default="area,theme,month",
                    help="area, theme, subtheme, stance, source och en av month, quarter, tertial, "
                    "year, week, med komma emellan",
                ),
                _argument("--from", dest="first", metavar="ÅÅÅÅ-MM", help="första månaden"),
                _argument("--to", dest="last", metavar="ÅÅÅÅ-MM", help="sista månaden"),
                _argument("--profile", default="excel_sv", choices=("excel_sv", "open_data")),
                _argument(
                    "--format",
                    default="csv",
                    choices=("csv", "xlsx", "parquet", "json", "geojson"),
                    help="json är JSON-stat 2; geojson behöver områden",
                ),
                _argument("--out", type=Path, metavar="MAPP", help="hit, annars lagrets exports"),
            ),
        ),
        "catalogue": _Command(
            _export_catalogue,
            "öppna data och deras katalog (DCAT-AP-SE)",
            (_argument("--out", type=Path, metavar="MAPP", help="hit, annars lagrets exports"),),
        ),
    },
    "report": _Command(
        _report,
        "lägesbilden för ett område och en period, veckobilden eller årshjulet",
        (
            _argument("--area", metavar="KOD", help="områdets kod, annars kommunen"),
            _argument("--period", metavar="PERIOD", help="2025, 2025-Q2, 2025-T1 eller 2025-03"),
            _argument("--week", metavar="VECKA", help="en sida för veckan, t.ex. 2025-V20"),
            _argument("--year-wheel", metavar="ÅR", help="årshjulet med underlag från året"),
            _argument("--language", default="sv", choices=("sv", "en"), help="språk"),
            _argument("--out", type=Path, metavar="MAPP", help="hit, annars lagrets exports"),
        ),
    ),
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        say(f"Fel i kommandot: {message}. Se {self.prog} --help.")
        raise SystemExit(UsageError.exit_code)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="lagesbild", description="Från invånares synpunkter till en lägesbild.")
    groups = parser.add_subparsers(required=True, metavar="KOMMANDO")
    for name, command in _COMMANDS.items():
        if isinstance(command, _Command):
            _add(groups, name, command)
            continue
        group = groups.add_parser(name, help=", ".join(command))
        inner = group.add_subparsers(required=True, metavar="KOMMANDO")
        for inner_name, inner_command in command.items():
            _add(inner, inner_name, inner_command)
    return parser


def _add(groups: Any, name: str, command: _Command) -> None:
    parser = groups.add_parser(name, help=command.help, description=command.help)
    for names, options in command.arguments:
        parser.add_argument(*names, **options)
    if command.has_config:
        parser.add_argument("--config", type=Path, help="inställningar, annars lagesbild.toml")
    parser.set_defaults(run=command.run)


def _settings(options: argparse.Namespace) -> Any:
    from lagesbild.settings import load

    return load(options.config)


def _classifier(settings: Any) -> Any:
    from classifiers import load_classifier
    from lagesbild.night import Store

    return load_classifier(settings.classifier.name, Store(settings).model_folder(settings))


def _classifier_in_use(options: argparse.Namespace) -> tuple[Any, Path | None]:
    """The configured classifier and the folder of its model; where nothing is configured, the
    bundled one, whose folder is None."""
    from classifiers import load_classifier
    from lagesbild.night import Store
    from lagesbild.settings import DEFAULT_FILE

    if options.config is None and not DEFAULT_FILE.exists():
        return load_classifier(), None
    settings = _settings(options)
    return _classifier(settings), Store(settings).model_folder(settings)


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise UsageError(f"Filen {path} finns inte.")
    return path


def _month(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(f"{text}-01" if len(text) == 7 else text)
    except ValueError:
        raise UsageError(f"{text!r} är ingen månad; skriv till exempel 2025-03.") from None


if __name__ == "__main__":
    sys.exit(main())
