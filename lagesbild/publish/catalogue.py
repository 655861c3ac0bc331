"""The open-data catalogue: DCAT-AP-SE 3.0.1 in RDF/XML and Turtle, for harvesting by dataportal.se.

Only what the open-data profile has just written is listed: protected counts. A data set of texts
can't get in, because the catalogue knows no other way of making a distribution.
Every node has an address of its own, so that the same data give the same file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rdflib import Graph, Literal, URIRef
from rdflib.namespace import DCAT, DCTERMS, FOAF, RDF, XSD, Namespace

from lagesbild.publish.counts import Selection, export_counts
from lagesbild.publish.report.source import data_until
from lagesbild.settings import Publish, Settings
from lagesbild.themes import load_themes

VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
_EU = "http://publications.europa.eu/resource/authority"
_IANA = "https://www.iana.org/assignments/media-types"
# format -> (file type and media type of its distribution, what it is called)
DISTRIBUTIONS: Mapping[str, tuple[str, str, str, str]] = {
    "csv": ("CSV", "text/csv", "Tabell i CSV med CSVW-beskrivning", "Table in CSV with CSVW"),
    "xlsx": (
        "XLSX",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "Arbetsbok för Excel",
        "Excel workbook",
    ),
    "parquet": ("PARQUET", "application/vnd.apache.parquet", "Tabell i Parquet", "Parquet table"),
    "json": ("JSON", "application/json", "JSON-stat 2.0", "JSON-stat 2.0"),
    "geojson": ("GEOJSON", "application/geo+json", "Karta i GeoJSON", "Map in GeoJSON"),
}


@dataclass(frozen=True, slots=True)
class DataSet:
    """One data set: which counts, and what people call them (Swedish, English)."""

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
    base = publish.base_url
    catalogue, publisher = URIRef(f"{base}/dcat"), URIRef(f"{base}/utgivare")
    licence, day = URIRef(publish.licence), Literal(modified.isoformat(), datatype=XSD.date)
    _say(graph, catalogue, DCAT.Catalog, "Öppna data om trygghet", "Open data on safety")
    _describe(graph, catalogue, "Data ur lägesbilden.", "Data of the situation picture.")
    graph.add((catalogue, DCTERMS.publisher, publisher))
    graph.add((catalogue, DCTERMS.license, licence))
    graph.add((catalogue, DCTERMS.modified, day))
    graph.add((catalogue, DCTERMS.language, URIRef(f"{_EU}/language/SWE")))
    graph.add((catalogue, DCAT.themeTaxonomy, URIRef(f"{_EU}/data-theme")))
    graph.add((publisher, RDF.type, FOAF.Agent))
    graph.add((publisher, FOAF.name, Literal(publish.publisher)))
    contact = URIRef(f"{base}/kontakt")
    graph.add((contact, RDF.type, VCARD.Organization))
    graph.add((contact, VCARD.fn, Literal(publish.contact_name)))
    graph.add((contact, VCARD.hasEmail, URIRef(f"mailto:{publish.contact_email}")))
    for data_set in DATA_SETS:
        node = URIRef(f"{base}/{data_set.key}")
        graph.add((catalogue, DCAT.dataset, node))
        _say(graph, node, DCAT.Dataset, *data_set.title)
        _describe(graph, node, *data_set.description)
        _add_data_set(graph, node, publisher, contact, day)
        for style, path in written.get(data_set.key, {}).items():
            _add_distribution(graph, node, style, f"{base}/{path.name}", licence, day)
    return graph


def _add_data_set(
    graph: Graph, node: URIRef, publisher: URIRef, contact: URIRef, day: Literal
) -> None:
    graph.add((node, DCTERMS.publisher, publisher))
    graph.add((node, DCAT.contactPoint, contact))
    graph.add((node, DCTERMS.modified, day))
    graph.add((node, DCAT.theme, URIRef(f"{_EU}/data-theme/JUST")))
    graph.add((node, DCTERMS.accessRights, URIRef(f"{_EU}/access-right/PUBLIC")))
    graph.add((node, DCTERMS.accrualPeriodicity, URIRef(f"{_EU}/frequency/DAILY")))
    for swedish, english in (("trygghet", "safety"), ("felanmälan", "issue report")):
        graph.add((node, DCAT.keyword, Literal(swedish, lang="sv")))
        graph.add((node, DCAT.keyword, Literal(english, lang="en")))


def _add_distribution(
    graph: Graph, data_set: URIRef, style: str, address: str, licence: URIRef, day: Literal
) -> None:
    node = URIRef(f"{data_set}/{style}")
    file_type, media_type, swedish, english = DISTRIBUTIONS[style]
    graph.add((data_set, DCAT.distribution, node))
    _say(graph, node, DCAT.Distribution, swedish, english)
    for predicate in (DCAT.accessURL, DCAT.downloadURL):
        graph.add((node, predicate, URIRef(address)))
    graph.add((node, DCTERMS.license, licence))
    graph.add((node, DCTERMS.format, URIRef(f"{_EU}/file-type/{file_type}")))
    graph.add((node, DCAT.mediaType, URIRef(f"{_IANA}/{media_type}")))
    graph.add((node, DCTERMS.modified, day))


def _say(graph: Graph, node: URIRef, kind: URIRef, swedish: str, english: str) -> None:
    graph.add((node, RDF.type, kind))
    graph.add((node, DCTERMS.title, Literal(swedish, lang="sv")))
    graph.add((node, DCTERMS.title, Literal(english, lang="en")))


def _describe(graph: Graph, node: URIRef, swedish: str, english: str) -> None:
    graph.add((node, DCTERMS.description, Literal(swedish, lang="sv")))
    graph.add((node, DCTERMS.description, Literal(english, lang="en")))
