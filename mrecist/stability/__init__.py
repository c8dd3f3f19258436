"""How firmly a response category stands: its margins, and how often measuring again would give it."""
