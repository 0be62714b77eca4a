"""`voladdin doctor`: what an installation consists of, looked at and tried, each fault with what mends it.

It starts what a user would start and changes nothing: a server by the first call over HTTP, LibreOffice in a
profile of its own that has a copy of the installed extension.
"""
