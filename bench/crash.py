"""Kill a night with SIGKILL at random moments, run it again, compare with an undisturbed night.

    python -m bench.crash [--kills 10] [--seed 1]

Each trial starts from an empty store, kills the first night at a moment drawn evenly from an
undisturbed night's length (drawn again if the night had already ended), and runs the night again.
`verify` must be clean and everything counted equal. Exits with 1 otherwise.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lagesbild.demo import SERVER_VARIABLE
from lagesbild.night import Store
from lagesbild.sample_city import SampleCity
from lagesbild.settings import HASH_KEY_VARIABLE, load
from lagesbild.store.warehouse import connect
from lagesbild.verify import verify

REPO = Path(__file__).resolve().parent.parent
CONTENT = (
    "select * from theme_count order by all",
    "select * from report_count order by all",
    "select submission_id, version, is_current, text_sha256, content_sha256 from submission "
    "order by all",
    "select * exclude raw_id from rejected_submission order by all",
    "select * exclude raw_id from survey_answer order by all",
    "select submission_id, theme, stance, probability from classification order by all",
)


def new_store(folder: Path) -> Path:
    """A copy of the sample's configuration with a store of its own."""
    config = folder / "lagesbild.toml"
    config.write_text((REPO / "lagesbild.toml").read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "data").symlink_to(REPO / "data")
    return config


def start(config: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "lagesbild.cli", "night", "--config", str(config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=REPO,
    )


def content(config: Path) -> str:
    """Digest of all that was merged and counted."""
    with connect(Store(load(config)).warehouse.path, read_only=True) as db:
        rows = [db.execute(query).fetchall() for query in CONTENT]
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def undisturbed() -> tuple[str, float]:
    """What an undisturbed night holds, and how long it takes."""
    with tempfile.TemporaryDirectory() as folder:
        config = new_store(Path(folder))
        began = time.monotonic()
        if start(config).wait() != 0:
            sys.exit("the undisturbed night failed")
        return content(config), time.monotonic() - began


def trial(moment: float) -> tuple[bool, str]:
    """Kill at `moment` seconds, run again. Returns whether a night was really killed, and what
    the store then held ('' if verify found anything)."""
    with tempfile.TemporaryDirectory() as folder:
        config = new_store(Path(folder))
        night = start(config)
        try:
            night.wait(timeout=moment)
        except subprocess.TimeoutExpired:
            night.send_signal(signal.SIGKILL)
        was_killed = night.wait() == -signal.SIGKILL
        if start(config).wait() != 0:
            return was_killed, "the second night failed"
        broken = verify(Store(load(config)))
        return was_killed, "; ".join(broken) or content(config)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    moments = random.Random(options.seed)  # noqa: S311
    os.environ.setdefault(HASH_KEY_VARIABLE, "exempelstaden")
    good = 0
    with SampleCity() as city:
        os.environ[SERVER_VARIABLE] = city.url
        expected, length = undisturbed()
        print(f"undisturbed night: {length:.1f} s")
        n_killed = 0
        while n_killed < options.kills:
            moment = moments.uniform(0, length)
            was_killed, found = trial(moment)
            if not was_killed:  # the machine was quicker this time
                length = min(length, moment)
                continue
            n_killed += 1
            good += found == expected
            told = "equal" if found == expected else found
            print(f"{n_killed}: killed at {moment:.2f} s -> {told}", flush=True)
    print(f"{good} of {options.kills} equal an undisturbed night, verify clean")
    return 0 if good == options.kills else 1


if __name__ == "__main__":
    sys.exit(main())
