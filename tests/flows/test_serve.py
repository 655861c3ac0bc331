"""The quick start keeps the same schedules as prefect.yaml."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from flows import serve as module
from tests.conftest import REPO


def test_serving_and_deploying_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Any] = []
    monkeypatch.setattr(module, "serve", lambda *deployments, limit: served.extend(deployments))
    module.main()
    ours = {d.name: ([s.schedule.cron for s in d.schedules or ()], d.parameters) for d in served}
    written = yaml.safe_load((REPO / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    assert ours == {
        d["name"]: ([s["cron"] for s in d.get("schedules", ())], d.get("parameters", {}))
        for d in written
    }
