"""ADaM: ADSL, ADTR, ADRS and ADTTE from results and the tables of a study (docs/adam.md)."""
