"""An .xlsx read and edited without a spreadsheet program: formulas, references, sheet XML."""
