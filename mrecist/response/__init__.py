"""From the rows of a read to time-point responses, best response and their explanation. Words, dates and exact numbers only."""
