"""The machine's description and its measured peak."""

from __future__ import annotations

import os
import platform
import subprocess
import tempfile
import time
from pathlib import Path

__all__ = ["description", "others", "peak"]


def description() -> dict[str, object]:
    """Processor, cores, system and Python, for the results file."""
    model, cache = platform.processor(), ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        fields = dict(line.split(":", 1) for line in cpuinfo.read_text().split("\n") if ":" in line)
        fields = {key.strip(): value.strip() for key, value in fields.items()}
        model, cache = fields.get("model name", model), fields.get("cache size", "")
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "cache_a_core": cache,
        "system": platform.system(),
        "python": platform.python_version(),
    }


def peak() -> float:
    """Fused multiply-adds that one thread can do, billions a second, by a small loop in C."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "peak"
        source = Path(__file__).with_name("peak.c")
        compiler = os.environ.get("CC", "cc")
        subprocess.run([compiler, "-O2", "-march=native", "-ffp-contract=fast", source, "-o", program], check=True)
        return float(subprocess.run([program], check=True, capture_output=True, text=True).stdout)


def others() -> float:
    """Processor seconds that all other programs have used so far; 0 where the system does not tell."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0.0
    user, nice, system, _, _, irq, soft, steal = map(int, stat.read_text().split("\n", 1)[0].split()[1:9])
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK") - time.process_time()
