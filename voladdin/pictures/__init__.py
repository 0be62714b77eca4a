"""What a picture of a surface shows: quotes and fills apart, bands, smooth lines, trades, suspects."""
