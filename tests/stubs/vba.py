"""oletools' reader of VBA projects; its import warns of names that pyparsing renamed."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from oletools.olevba import VBA_Parser, decompress_stream

__all__ = ["VBA_Parser", "decompress_stream"]
