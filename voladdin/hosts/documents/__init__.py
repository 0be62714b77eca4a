"""A spreadsheet in memory, as a command sees it in Calc and in Excel: cells that were read, edits to make."""
