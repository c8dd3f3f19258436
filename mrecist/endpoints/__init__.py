"""From responses to the endpoints of a trial: who had which event when, and what the numbers say (docs/endpoints.md)."""
