"""The catalogue keeps the profile's rules, lists what was written, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pyshacl
import pytest
from rdflib import Graph, URIRef
from rdflib.compare import isomorphic
from rdflib.namespace import DCAT, DCTERMS, RDF

from lagesbild.publish.catalogue import write_catalogue
from lagesbild.settings import Settings

SHAPES = Graph().parse(Path(__file__).parent / "dcat_ap_se.ttl")
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
        DCAT.dataset,
        DCAT.accessURL,
        DCAT.contactPoint,
        URIRef("http://www.w3.org/2006/vcard/ns#hasEmail"),
        URIRef("http://xmlns.com/foaf/0.1/name"),
    ],
)
def test_the_shapes_notice_what_is_missing(folder: Path, missing: URIRef) -> None:
    graph = Graph().parse(folder / "catalogue.ttl")
    graph.remove((None, missing, None))
    assert not conforms(graph)[0]


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
