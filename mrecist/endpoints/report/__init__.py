"""The page that shows what `mrecist endpoints` found: views of the CSV tables, and one HTML file with the figures in it."""
