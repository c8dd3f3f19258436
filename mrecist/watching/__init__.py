"""Studies are scored as they arrive: a folder, or a PACS that is fetched into one, looked at again and again."""
