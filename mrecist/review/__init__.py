"""Review of a store's reads: which cases the readers disagree on, both derivations side by side, and whose read counts."""
