"""The checks of ``mrecist check-sdtm``: one module a group of rules, each with its rules as data and the function that looks.

``terms.csv`` holds the published terms that values are held to, ``codelists`` reads it.
"""
