"""The panel beside the images: matrix, statuses, questions, responses, findings and the signature of one read.

Pure Qt over :class:`mrecist.session.room.Room`; it needs no napari and holds no state of the read.
"""

from mrecist_napari.panel.reading_panel import ReadingPanel as ReadingPanel
