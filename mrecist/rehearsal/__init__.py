"""A simulated study through a real core lab: simulated people work a store by the functions of the commands (docs/core-lab.md)."""
