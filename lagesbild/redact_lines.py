"""The `redact` command: JSON lines in, JSON lines without personal data out."""

from __future__ import annotations

import json
from typing import TextIO

from lagesbild.privacy import redact
from lagesbild.text import normalise


def redact_lines(lines: TextIO, out: TextIO) -> None:
    """One line out for each line in, in order; a line that cannot be read gets an error."""
    for line in lines:
        out.write(json.dumps(_redacted(line), ensure_ascii=False) + "\n")


def _redacted(line: str) -> dict[str, object]:
    try:
        row = json.loads(line)
    except ValueError:
        return {"id": None, "error": "raden är inte JSON"}
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        record_id = row.get("id") if isinstance(row, dict) else None
        return {"id": record_id, "error": "raden saknar text"}
    result = redact(normalise(row["text"]))
    return {
        "id": row.get("id"),
        "text": result.text,
        "n_redacted": len(result.kinds),
        "kinds": list(result.kinds),
    }
