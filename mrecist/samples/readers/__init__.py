"""Simulated readers: what people who err by published amounts make of a simulated cohort (docs/core-lab.md). No person is behind it."""
