"""The HTML report of a scored study, and its plots: :func:`mrecist.report.html.report_html`."""
