"""Which of the encoder's 250,000 word pieces are kept, and a tokenizer of only those."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import sentencepiece
from numpy.typing import NDArray

from classifiers.encoder.source import SourceEncoder

# The most frequent words of each language served, and how many; most of the labelled texts are
# Swedish. Somali is not in wordfreq: its pieces come from the labelled texts and the short pieces.
WORDS: Mapping[str, int] = {
    "sv": 120_000,
    "en": 25_000,
    "fi": 20_000,
    "es": 15_000,
    "pl": 15_000,
    "ar": 15_000,
    "uk": 15_000,
}
_SHORT = 2  # letters; with pieces so short anything written in the scripts kept can be spelt
MARKS = 3  # <unk>, <s> and </s>, in the tokenizer's order
_SCRIPTS = 0x700  # Latin, Greek, Cyrillic, Hebrew and Arabic letters lie below
_SIGNS = range(0x2000, 0x2800)
_EMOJI = range(0x1F000, 0x1FB00)


def kept_pieces(source: SourceEncoder, texts: Iterable[str]) -> NDArray[np.intp]:
    """Places in `source.pieces`, ascending, the marks left out."""
    whole = sentencepiece.SentencePieceProcessor(
        model_proto=tokenizer(source, np.arange(4, len(source.pieces)))
    )
    kept = np.array([_is_basic(piece) for piece in source.pieces])
    for text in (*texts, *_frequent_words()):
        for piece in whole.encode(text):
            kept[piece + 4 - MARKS] = True
    kept[:4] = False
    return np.flatnonzero(kept)


def _frequent_words() -> Iterable[str]:
    import wordfreq

    for language, n in WORDS.items():
        for word in wordfreq.top_n_list(language, n):
            yield word
            yield word.capitalize()


def _is_basic(piece: str) -> bool:
    bare = piece.removeprefix("▁")
    if any(ord(letter) in _EMOJI for letter in bare):
        return True
    known = all(ord(letter) < _SCRIPTS or ord(letter) in _SIGNS for letter in bare)
    return known and (len(bare) <= 1 or (len(bare) <= _SHORT and bare.isascii()))


def tokenizer(source: SourceEncoder, kept: NDArray[np.intp]) -> bytes:
    """A sentencepiece model: its marks, then the kept pieces in order.

    The letters are normalised as sentencepiece's own rule `nmt_nfkc` does, which is what the
    encoder was made with; a tiny model is trained only to have that rule's table.
    """
    from sentencepiece import sentencepiece_model_pb2

    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(_some_sentences()),
        model_writer=out,
        vocab_size=40,
        hard_vocab_limit=False,
        normalization_rule_name="nmt_nfkc",
        minloglevel=2,
    )
    model = sentencepiece_model_pb2.ModelProto()  # type: ignore[attr-defined]
    model.ParseFromString(out.getvalue())
    del model.pieces[MARKS:]
    for place in kept:
        model.pieces.add(piece=source.pieces[place], score=float(source.scores[place]))
    model.trainer_spec.vocab_size = len(model.pieces)
    serialized: bytes = model.SerializeToString()
    return serialized


def _some_sentences() -> Sequence[str]:
    return ["lampan vid skolan har slocknat", "det ligger skräp under bron", "tack för hjälpen"]


def kept_vectors(source: SourceEncoder, kept: NDArray[np.intp]) -> NDArray[np.float32]:
    """The vectors in the order of the tokenizer that `tokenizer` makes."""
    marks = [source.unknown, source.begin, source.end]
    vectors: NDArray[np.float32] = source.tensors["emb.word"][np.concatenate([marks, kept])]
    return vectors
