"""A simulated study through a real core lab: people who are simulated work a store by the functions that the commands use (docs/core-lab.md)."""
