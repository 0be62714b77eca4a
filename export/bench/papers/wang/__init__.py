"""Wang, Liu and Vuik (2025), "Controllable generation of implied volatility surfaces with VAEs"."""
