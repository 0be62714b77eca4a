"""What LibreOffice's own Python runs, packed into the .oxt: standard library only."""
