"""Fuzzes lenet5's parsers.

    python -m tests.fuzz [TARGET …] [--seconds 20]      coverage-guided by atheris (libFuzzer), if that is installed
    python -m tests.fuzz [TARGET …] --inputs 1000000 --seed 0 [--record]        mutation of the corpus

Each finding is written to build/fuzz and named; --record keeps the counts of a mutation campaign in
results/fuzzing.json.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import subprocess
import sys
from typing import Final

from benchmarks import record
from lenet5.files import write_beside
from tests.fuzz.campaign import Campaign, run
from tests.fuzz.corpus import CORPORA

FOLDER: Final = record.ROOT / "build" / "fuzz"
RESULTS: Final = record.RESULTS / "fuzzing.json"


def guided(target: str, seconds: int) -> bool:
    """Fuzz a parser with atheris in a process; whether something was found, which it has then printed.

    Code that counts its own coverage is several times slower, so that 20 seconds stand for 5.
    """
    seeds = FOLDER / "corpus" / target.replace(" ", "-")
    seeds.mkdir(parents=True, exist_ok=True)
    for content in CORPORA[target]():
        (seeds / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)
    command = [sys.executable, "-m", "tests.fuzz.guided", target, str(seeds), f"-max_total_time={seconds}"]
    command += [
        "-timeout=20",
        "-rss_limit_mb=2048",
        "-max_len=65536",
        "-print_final_stats=1",
        f"-artifact_prefix={FOLDER}/",
    ]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    runs = [line.split()[-1] for line in done.stderr.splitlines() if "number_of_executed_units" in line]
    print(f"{target}: {int(runs[-1]) if runs else 0:,} inputs, {'FOUND' if done.returncode else 'nothing found'}")
    if done.returncode:
        print(done.stderr[-3000:])
    return done.returncode != 0


def told(campaign: Campaign) -> bool:
    """Print what came of a campaign and keep its findings; whether there are any."""
    rate = campaign.inputs / max(campaign.seconds, 1e-9)
    print(f"{campaign.target}: {campaign.inputs:,} inputs, {rate:,.0f} a second, {len(campaign.findings)} findings")
    for finding in campaign.findings:
        path = FOLDER / f"{campaign.target.replace(' ', '-')}-{hashlib.sha256(finding.content).hexdigest()[:16]}"
        path.write_bytes(finding.content)
        print(f"  input {finding.number}: {finding.what}\n    {path}")
    return bool(campaign.findings)


def recorded(campaigns: list[Campaign], seed: int) -> None:
    """Keep the counts: of each parser those of its longest campaign, unless this one found something."""
    rows = {row["parser"]: row for row in json.loads(RESULTS.read_text())["runs"]} if RESULTS.exists() else {}
    for c in campaigns:
        if not c.findings and c.target in rows and rows[c.target]["inputs"] > c.inputs:
            continue
        kept = record.record()
        rows[c.target] = {
            "parser": c.target,
            "inputs": c.inputs,
            "seed": seed,
            "findings": len(c.findings),
            record.KEY: kept,
        }
    ordered = [rows[name] for name in CORPORA if name in rows]
    write_beside(RESULTS, (json.dumps({"runs": ordered}, indent=1) + "\n").encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(CORPORA))
    parser.add_argument("--seconds", type=int, help="for each parser")
    parser.add_argument("--inputs", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    targets = options.targets or list(CORPORA)
    if unknown := set(targets) - set(CORPORA):
        parser.error(f"there is no parser {', '.join(sorted(unknown))}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    if options.inputs is None and importlib.util.find_spec("atheris"):
        found = [guided(target, options.seconds or 20) for target in targets]
        sys.exit(any(found))
    campaigns = []
    for target in targets:
        seconds = options.seconds or (float("inf") if options.inputs else 20)
        campaigns.append(run(target, options.inputs or sys.maxsize, options.seed, seconds=seconds))
        told(campaigns[-1])
        if options.record:
            recorded(campaigns, options.seed)
    sys.exit(any(campaign.findings for campaign in campaigns))


if __name__ == "__main__":
    main()
