"""Speed beside peers, in one run: ``python -m benchmarks`` writes results/performance.json and docs/performance.md."""
