"""`voladdin bench calc`: LibreOffice Calc as a user drives it."""
