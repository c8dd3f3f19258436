"""A reader's work on one subject without any screen: what was drawn and stated, undo, autosave, sums and responses, signing."""
