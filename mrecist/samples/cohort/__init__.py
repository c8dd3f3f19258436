"""Simulated cohorts of studies: tables as a trial keeps them, and the truth behind them (docs/studies.md). No person is behind any row."""
