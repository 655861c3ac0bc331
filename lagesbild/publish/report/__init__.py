"""The lägesbild: a page that a resident understands and a council can decide on.

`facts` counts and protects, `wording` writes, `charts` and `area_map` draw, `page` joins them.
"""
