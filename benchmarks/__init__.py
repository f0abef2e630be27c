"""`make bench`: ratios from one run on one machine, written to docs/benchmarks.md."""
