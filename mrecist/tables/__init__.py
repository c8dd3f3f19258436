"""The CSV files of the boundary, one module a file (docs/files.md): UTF-8, comma, header row, ISO 8601 dates, empty = not given.

Reading is strict and loses nothing: what cannot be read becomes a :class:`Problem` of its subject, and the subject's other rows
are not used in part. Writing is whole or not at all.
"""

from mrecist.tables.files import csv_text as csv_text
from mrecist.tables.files import read_column as read_column
from mrecist.tables.files import read_rows as read_rows
from mrecist.tables.files import safe_name as safe_name
from mrecist.tables.files import write_whole as write_whole
from mrecist.tables.measurements import MEASUREMENT_COLUMNS as MEASUREMENT_COLUMNS
from mrecist.tables.measurements import REQUIRED_COLUMNS as REQUIRED_COLUMNS
from mrecist.tables.measurements import SIZE_COLUMNS as SIZE_COLUMNS
from mrecist.tables.measurements import WORD_COLUMNS as WORD_COLUMNS
from mrecist.tables.measurements import Measurements as Measurements
from mrecist.tables.measurements import measurement_cells as measurement_cells
from mrecist.tables.measurements import measurement_of as measurement_of
from mrecist.tables.measurements import measurements_csv as measurements_csv
from mrecist.tables.measurements import read_measurements as read_measurements
from mrecist.tables.reported import OVERALL_REQUIRED as OVERALL_REQUIRED
from mrecist.tables.reported import ReportedResponses as ReportedResponses
from mrecist.tables.reported import read_overall as read_overall
from mrecist.tables.responses import BEST_COLUMNS as BEST_COLUMNS
from mrecist.tables.responses import PROBLEM_COLUMNS as PROBLEM_COLUMNS
from mrecist.tables.responses import RESPONSE_COLUMNS as RESPONSE_COLUMNS
from mrecist.tables.responses import best_responses_csv as best_responses_csv
from mrecist.tables.responses import problems_csv as problems_csv
from mrecist.tables.responses import responses_csv as responses_csv
from mrecist.tables.subjects import read_dates as read_dates
from mrecist.tables.subjects import read_subject_dates as read_subject_dates
