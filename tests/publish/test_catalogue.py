"""The catalogue keeps the profile's rules, lists what was written, and nothing else."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyshacl
import pytest
from rdflib import BNode, Graph, Literal, URIRef
from rdflib.compare import isomorphic
from rdflib.namespace import DCAT, DCTERMS, FOAF, RDF, XSD

from lagesbild.publish.catalogue import DATA_SETS, VCARD, describe, write_catalogue
from lagesbild.settings import Publish, Settings

SHAPES = Graph().parse(Path(__file__).parent / "dcat_ap_se.ttl")
EU = "http://publications.europa.eu/resource/authority"
CC0 = URIRef("http://creativecommons.org/publicdomain/zero/1.0/")
CC_BY = URIRef("http://creativecommons.org/licenses/by/4.0/")
TEXT = Literal("utan språk")
Town = tuple[Path, Settings]


@pytest.fixture(scope="module")
def folder(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Path:
    snapshot, settings = town
    made = tmp_path_factory.mktemp("data")
    write_catalogue(snapshot, settings, made)
    return made


def conforms(graph: Graph) -> tuple[bool, str]:
    is_good, _, told = pyshacl.validate(graph, shacl_graph=SHAPES, inference="none")
    return bool(is_good), str(told)


def test_it_keeps_the_profiles_mandatory_rules(folder: Path) -> None:
    for name in ("catalogue.ttl", "catalogue.rdf"):
        is_good, told = conforms(Graph().parse(folder / name))
        assert is_good, told


@pytest.mark.parametrize(
    "missing",
    [
        DCTERMS.title,
        DCTERMS.description,
        DCTERMS.publisher,
        DCTERMS.license,
        DCTERMS.language,
        DCTERMS["format"],
        DCTERMS.type,
        DCTERMS.accessRights,
        DCTERMS.temporal,
        DCAT.dataset,
        DCAT.themeTaxonomy,
        DCAT.theme,
        DCAT.keyword,
        DCAT.accessURL,
        DCAT.contactPoint,
        DCAT.startDate,
        VCARD.fn,
        VCARD.hasEmail,
        FOAF.name,
    ],
)
def test_the_shapes_notice_what_is_missing(folder: Path, missing: URIRef) -> None:
    graph = Graph().parse(folder / "catalogue.ttl")
    graph.remove((None, missing, None))
    assert not conforms(graph)[0]


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        (DCAT.Catalog, DCTERMS.title, TEXT),
        (DCAT.Catalog, DCTERMS.license, CC_BY),
        (DCAT.Catalog, DCTERMS.language, Literal("sv")),
        (DCAT.Catalog, DCAT.dataset, CC0),
        (DCAT.Dataset, DCTERMS.description, TEXT),
        (DCAT.Dataset, DCTERMS.publisher, URIRef("https://data.example.se/datasets/kontakt")),
        (DCAT.Dataset, DCTERMS.modified, Literal("i går")),
        (DCAT.Dataset, DCTERMS.accessRights, URIRef(f"{EU}/access-right/OPEN")),
        (DCAT.Dataset, DCTERMS.accrualPeriodicity, URIRef("http://purl.org/cld/freq/monthly")),
        (DCAT.Dataset, DCTERMS.temporal, Literal("2025", datatype=XSD.gYear)),
        (DCAT.Dataset, DCAT.theme, Literal("JUST")),
        (DCAT.Dataset, DCAT.keyword, TEXT),
        (DCAT.Distribution, DCTERMS["format"], URIRef(f"{EU}/file-type/CSV")),
        (DCAT.Distribution, DCTERMS["format"], Literal("CSV")),
        (DCAT.Distribution, DCTERMS.license, URIRef("https://creativecommons.org/licenses/by/4.0")),
        (DCAT.Distribution, DCAT.accessURL, Literal("https://data.example.se/fil.csv")),
        (DCAT.Distribution, DCAT.downloadURL, URIRef("mailto:data@example.se")),
        (FOAF.Agent, FOAF.name, TEXT),
        (FOAF.Agent, DCTERMS.type, Literal("kommun")),
        (VCARD.Organization, VCARD.hasEmail, Literal("data@example.se")),
        (VCARD.Organization, RDF.type, VCARD.Kind),
        (DCTERMS.PeriodOfTime, DCAT.startDate, Literal("2025-01")),
    ],
)
def test_the_shapes_notice_a_wrong_value(
    folder: Path, kind: URIRef, path: URIRef, value: Literal | URIRef
) -> None:
    graph = Graph().parse(folder / "catalogue.ttl")
    for node in list(graph.subjects(RDF.type, kind)):
        graph.set((node, path, value))
    assert not conforms(graph)[0]


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        (DCAT.Catalog, DCTERMS.license, CC_BY),
        (DCAT.Catalog, DCTERMS.title, Literal("Öppna data", lang="sv")),
        (DCAT.Dataset, DCTERMS.title, Literal("ord " * 9 + "ord", lang="fi")),
        (DCAT.Dataset, DCTERMS.accrualPeriodicity, URIRef(f"{EU}/frequency/DAILY")),
        (DCAT.Dataset, RDF.type, DCAT.CatalogRecord),
        (DCAT.Dataset, RDF.type, DCAT.DataService),
        (DCAT.Distribution, DCAT.accessURL, URIRef("https://data.example.se/fil.csv")),
        (DCAT.Distribution, DCTERMS["format"], Literal("text/plain")),
        (FOAF.Agent, DCTERMS.type, URIRef("http://purl.org/adms/publishertype/Company")),
        (FOAF.Agent, RDF.type, VCARD.Organization),
    ],
)
def test_the_shapes_notice_what_is_too_much(
    folder: Path, kind: URIRef, path: URIRef, value: Literal | URIRef
) -> None:
    graph = Graph().parse(folder / "catalogue.ttl")
    for node in list(graph.subjects(RDF.type, kind)):
        graph.add((node, path, value))
    assert not conforms(graph)[0]


@pytest.mark.parametrize("name", ["dcat", "utgivare", "kontakt"])
def test_the_shapes_notice_a_node_without_an_address(folder: Path, name: str) -> None:
    graph, old = Graph(), URIRef(f"https://data.example.se/datasets/{name}")
    blank = BNode()
    for triple in Graph().parse(folder / "catalogue.ttl"):
        subject, predicate, value = (blank if part == old else part for part in triple)
        graph.add((subject, predicate, value))
    assert not conforms(graph)[0]


@pytest.mark.parametrize(
    "written", ["https://creativecommons.org/licenses/by/4.0", f"{CC_BY}deed.sv", str(CC_BY)]
)
def test_a_licence_is_that_of_the_data_and_the_catalogue_is_free(
    folder: Path, written: str
) -> None:
    files = {d.key: {"csv": folder / f"antal_{'_'.join(d.by)}_open_data.csv"} for d in DATA_SETS}
    graph = describe(files, Publish(licence=written), date(2026, 2, 1))
    is_good, told = conforms(graph)
    assert is_good, told
    licences = {
        kind: {graph.value(node, DCTERMS.license) for node in graph.subjects(RDF.type, kind)}
        for kind in (DCAT.Catalog, DCAT.Distribution)
    }
    assert licences == {DCAT.Catalog: {CC0}, DCAT.Distribution: {CC_BY}}


def test_another_licence_stays_as_written(folder: Path) -> None:
    files = {DATA_SETS[0].key: {"csv": folder / "antal_theme_month_open_data.csv"}}
    own = "https://kommun.example.se/villkor"
    graph = describe(files, Publish(licence=own), date(2026, 2, 1))
    assert set(graph.objects(None, DCTERMS.license)) == {CC0, URIRef(own)}


def test_a_data_set_says_when_it_begins_and_how_often_it_grows(folder: Path) -> None:
    graph = Graph().parse(folder / "catalogue.ttl")
    told = {
        str(node).rsplit("-", 1)[1]: (
            str(graph.value(node, DCTERMS.temporal / DCAT.startDate)),
            str(graph.value(node, DCTERMS.accrualPeriodicity)).rsplit("/", 1)[1],
        )
        for node in graph.subjects(RDF.type, DCAT.Dataset)
    }
    assert told == {"tema": ("2025-01-01", "MONTHLY"), "omrade": ("2025-01-01", "QUARTERLY")}


def test_a_data_set_without_rows_has_no_beginning(tmp_path: Path) -> None:
    empty = tmp_path / "tom.csv"
    empty.write_text("theme,month,n_reports\r\n", encoding="utf-8")
    graph = describe({DATA_SETS[0].key: {"csv": empty}}, Publish(), date(2026, 2, 1))
    assert not list(graph.objects(None, DCTERMS.temporal))


def test_both_forms_say_the_same_and_repeat(town: Town, folder: Path, tmp_path: Path) -> None:
    turtle, xml = (Graph().parse(folder / f"catalogue.{kind}") for kind in ("ttl", "rdf"))
    assert isomorphic(turtle, xml)
    write_catalogue(*town, tmp_path)
    for file in folder.iterdir():
        assert file.read_bytes() == (tmp_path / file.name).read_bytes()


def test_every_distribution_was_written_and_holds_counts_only(folder: Path) -> None:
    graph = Graph().parse(folder / "catalogue.ttl")
    listed = {str(url).rsplit("/", 1)[1] for url in graph.objects(None, DCAT.downloadURL)}
    assert listed == {p.name for p in folder.iterdir() if p.name.startswith("antal_")} - {
        p.name for p in folder.iterdir() if "metadata" in p.name
    }
    assert len(listed) == 9
    assert len(set(graph.subjects(RDF.type, DCAT.Distribution))) == 9


def test_csv_and_xlsx_are_two_distributions_of_one_data_set(folder: Path) -> None:
    graph = Graph().parse(folder / "catalogue.ttl")
    for data_set in graph.subjects(RDF.type, DCAT.Dataset):
        kinds = {str(node).rsplit("/", 1)[1] for node in graph.objects(data_set, DCAT.distribution)}
        assert kinds >= {"csv", "xlsx"}
