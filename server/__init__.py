"""The local HTTP server: the worksheet functions for LibreOffice and other programs on this computer."""
