"""A history of many surfaces filled on one machine or a cluster: `voladdin backfill`."""
