"""Benchmarks that print ratios against a named peer, a naive version or a bound, measured in the same run."""
