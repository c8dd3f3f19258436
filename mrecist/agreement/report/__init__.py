"""agreement.html: the tables of ``mrecist agree`` and its figures as one page."""
