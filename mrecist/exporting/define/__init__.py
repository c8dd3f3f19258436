"""Define-XML 2.1 of datasets that an export wrote, and its HTML: ``mrecist export define`` (docs/define.md).

``items`` says what every variable is, ``terms`` which codelists it has, ``values`` what it is for each test, ``methods`` how a test
is derived under the protocol; ``document`` writes that as XML.
"""
