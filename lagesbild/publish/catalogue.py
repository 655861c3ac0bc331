"""The open-data catalogue: DCAT-AP-SE 3.0.1 in RDF/XML and Turtle, for harvesting by dataportal.se.

Only what the open-data profile has just written is listed: protected counts. A data set of texts
can't get in, because the catalogue knows no other way of making a distribution.
Every node has an address of its own, so that the same data give the same file.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rdflib import Graph, Literal, URIRef
from rdflib.namespace import DCAT, DCTERMS, FOAF, RDF, XSD, Namespace

from lagesbild.publish.counts import Selection, export_counts
from lagesbild.publish.periods import Period
from lagesbild.publish.report.source import data_until
from lagesbild.settings import Publish, Settings
from lagesbild.themes import load_themes

VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
_EU = "http://publications.europa.eu/resource/authority"
_IANA = "https://www.iana.org/assignments/media-types"
_CC0 = URIRef("http://creativecommons.org/publicdomain/zero/1.0/")
_CREATIVE_COMMONS = re.compile(
    r"https?://(?:www\.)?creativecommons\.org/((?:licenses|publicdomain)/[\w-]+/[\d.]+)(?:/.*)?"
)
_MUNICIPALITY = URIRef("http://purl.org/adms/publishertype/LocalAuthority")
# What is released once is not changed, so a data set is renewed as often as its periods end.
_FREQUENCIES = {"month": "MONTHLY", "quarter": "QUARTERLY"}
# format -> (media type of its distribution, what it is called)
DISTRIBUTIONS: Mapping[str, tuple[str, str, str]] = {
    "csv": ("text/csv", "Tabell i CSV med CSVW-beskrivning", "Table in CSV with CSVW"),
    "xlsx": (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "Arbetsbok för Excel",
        "Excel workbook",
    ),
    "parquet": ("application/vnd.apache.parquet", "Tabell i Parquet", "Parquet table"),
    "json": ("application/json", "JSON-stat 2.0", "JSON-stat 2.0"),
    "geojson": ("application/geo+json", "Karta i GeoJSON", "Map in GeoJSON"),
}


@dataclass(frozen=True, slots=True)
class DataSet:
    """One data set: which counts, the period last, and what people call it (Swedish, English)."""

    key: str
    by: tuple[str, ...]
    title: tuple[str, str]
    description: tuple[str, str]


DATA_SETS = (
    DataSet(
        "trygghetsrapporter-tema",
        ("theme", "month"),
        ("Trygghetsrapporter per tema", "Safety reports by theme"),
        (
            "Antal rapporter från invånare, polis och kommunens ärendesystem per tema och månad. "
            "Små antal visas inte. Antalen visar vad som rapporteras, inte vad som händer.",
            "Reports from residents, police and municipal case systems by theme and month. Small "
            "counts are not shown. The counts show what is reported, not what happens.",
        ),
    ),
    DataSet(
        "trygghetsrapporter-omrade",
        ("area", "theme", "quarter"),
        ("Trygghetsrapporter per område och tema", "Safety reports by area and theme"),
        (
            "Antal rapporter per område, tema och kvartal, med intervall. Små antal visas inte. "
            "Antalen visar vad som rapporteras, inte vad som händer.",
            "Reports by area, theme and quarter, with intervals. Small counts are not shown. The "
            "counts show what is reported, not what happens.",
        ),
    ),
)


def write_catalogue(snapshot: Path, settings: Settings, folder: Path) -> list[Path]:
    """Write the open data sets and `catalogue.rdf` and `catalogue.ttl` that describe them."""
    written: dict[str, dict[str, Path]] = {}
    for data_set in DATA_SETS:
        styles = [s for s in DISTRIBUTIONS if s != "geojson" or _has_map(data_set, settings)]
        written[data_set.key] = {
            style: export_counts(
                snapshot,
                Selection(data_set.by),
                load_themes(),
                folder,
                profile="open_data",
                style=style,
                settings=settings,
            )
            for style in styles
        }
    graph = describe(written, settings.publish, data_until(snapshot))
    targets = [folder / "catalogue.rdf", folder / "catalogue.ttl"]
    for target, style in zip(targets, ("xml", "turtle"), strict=True):
        graph.serialize(target, format=style, encoding="utf-8")
    return [path for files in written.values() for path in files.values()] + targets


def _has_map(data_set: DataSet, settings: Settings) -> bool:
    return "area" in data_set.by and bool(settings.areas)


def describe(
    written: Mapping[str, Mapping[str, Path]],
    publish: Publish,
    modified: date,
) -> Graph:
    """The catalogue as a graph. `modified`: the last day the data tell of."""
    graph = Graph()
    for prefix, space in (("dcat", DCAT), ("dcterms", DCTERMS), ("foaf", FOAF), ("vcard", VCARD)):
        graph.bind(prefix, space)
    base, day = publish.base_url, Literal(modified.isoformat(), datatype=XSD.date)
    _add_catalogue(graph, base, day)
    _add_publisher(graph, publish)
    for data_set in DATA_SETS:
        files = written.get(data_set.key, {})
        node = URIRef(f"{base}/{data_set.key}")
        _add_data_set(graph, base, data_set, day)
        if "csv" in files:
            _add_period(graph, node, files["csv"], data_set.by[-1])
        for style, path in files.items():
            address = URIRef(f"{base}/{path.name}")
            _add_distribution(graph, node, style, address, _licence(publish.licence), day)
    return graph


def _add_catalogue(graph: Graph, base: str, day: Literal) -> None:
    """The catalogue itself: what it says of the data is free for all, whatever the data are."""
    node = URIRef(f"{base}/dcat")
    _say(graph, node, DCAT.Catalog, "Öppna data om trygghet", "Open data on safety")
    _describe(graph, node, "Data ur lägesbilden.", "Data of the situation picture.")
    graph.add((node, DCTERMS.publisher, URIRef(f"{base}/utgivare")))
    graph.add((node, DCTERMS.license, _CC0))
    graph.add((node, DCTERMS.modified, day))
    for language in ("SWE", "ENG"):
        graph.add((node, DCTERMS.language, URIRef(f"{_EU}/language/{language}")))
    graph.add((node, DCAT.themeTaxonomy, URIRef(f"{_EU}/data-theme")))


def _add_publisher(graph: Graph, publish: Publish) -> None:
    publisher = URIRef(f"{publish.base_url}/utgivare")
    graph.add((publisher, RDF.type, FOAF.Agent))
    graph.add((publisher, FOAF.name, Literal(publish.publisher, lang="sv")))
    graph.add((publisher, DCTERMS.type, _MUNICIPALITY))
    contact = URIRef(f"{publish.base_url}/kontakt")
    graph.add((contact, RDF.type, VCARD.Organization))
    graph.add((contact, VCARD.fn, Literal(publish.contact_name)))
    graph.add((contact, VCARD.hasEmail, URIRef(f"mailto:{publish.contact_email}")))


def _add_data_set(graph: Graph, base: str, data_set: DataSet, day: Literal) -> None:
    node = URIRef(f"{base}/{data_set.key}")
    graph.add((URIRef(f"{base}/dcat"), DCAT.dataset, node))
    _say(graph, node, DCAT.Dataset, *data_set.title)
    _describe(graph, node, *data_set.description)
    graph.add((node, DCTERMS.publisher, URIRef(f"{base}/utgivare")))
    graph.add((node, DCAT.contactPoint, URIRef(f"{base}/kontakt")))
    graph.add((node, DCTERMS.modified, day))
    graph.add((node, DCAT.theme, URIRef(f"{_EU}/data-theme/JUST")))
    graph.add((node, DCTERMS.accessRights, URIRef(f"{_EU}/access-right/PUBLIC")))
    frequency = URIRef(f"{_EU}/frequency/{_FREQUENCIES[data_set.by[-1]]}")
    graph.add((node, DCTERMS.accrualPeriodicity, frequency))
    for swedish, english in (("trygghet", "safety"), ("felanmälan", "issue report")):
        graph.add((node, DCAT.keyword, Literal(swedish, lang="sv")))
        graph.add((node, DCAT.keyword, Literal(english, lang="en")))


def _add_period(graph: Graph, data_set: URIRef, table: Path, column: str) -> None:
    """When the data begin. They go on, and then the profile wants no end."""
    with table.open(encoding="utf-8", newline="") as lines:
        first = min((row[column] for row in csv.DictReader(lines)), default=None)
    if first is None:
        return
    node = URIRef(f"{data_set}/period")
    day = Literal(f"{Period(first).months[0]}-01", datatype=XSD.date)
    graph.add((data_set, DCTERMS.temporal, node))
    graph.add((node, RDF.type, DCTERMS.PeriodOfTime))
    graph.add((node, DCAT.startDate, day))


def _licence(address: str) -> URIRef:
    """The profile knows Creative Commons by http and a slash at the end, however it was written."""
    found = _CREATIVE_COMMONS.fullmatch(address)
    return URIRef(f"http://creativecommons.org/{found[1]}/" if found else address)


def _add_distribution(
    graph: Graph, data_set: URIRef, style: str, address: URIRef, licence: URIRef, day: Literal
) -> None:
    node = URIRef(f"{data_set}/{style}")
    media_type, swedish, english = DISTRIBUTIONS[style]
    graph.add((data_set, DCAT.distribution, node))
    _say(graph, node, DCAT.Distribution, swedish, english)
    _describe(
        graph,
        node,
        "Samma antal som i datamängdens övriga filer.",
        "The same counts as in the data set's other files.",
    )
    graph.add((node, DCAT.accessURL, address))
    graph.add((node, DCAT.downloadURL, address))
    graph.add((node, DCTERMS.license, licence))
    # The Swedish profile wants the media type as text; the European one reads dcat:mediaType.
    graph.add((node, DCTERMS["format"], Literal(media_type)))
    graph.add((node, DCAT.mediaType, URIRef(f"{_IANA}/{media_type}")))
    graph.add((node, DCTERMS.modified, day))


def _say(graph: Graph, node: URIRef, kind: URIRef, swedish: str, english: str) -> None:
    graph.add((node, RDF.type, kind))
    graph.add((node, DCTERMS.title, Literal(swedish, lang="sv")))
    graph.add((node, DCTERMS.title, Literal(english, lang="en")))


def _describe(graph: Graph, node: URIRef, swedish: str, english: str) -> None:
    graph.add((node, DCTERMS.description, Literal(swedish, lang="sv")))
    graph.add((node, DCTERMS.description, Literal(english, lang="en")))
