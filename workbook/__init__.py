"""The demo workbook: `python -m workbook` builds it, fills it and shows it."""
