"""`voladdin bench hosts`: what the way from a host to Python costs."""
