"""How far readers agree, where they do not and why, and which subjects an adjudicator has to see (docs/agreement.md)."""
