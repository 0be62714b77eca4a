"""Stand-ins for programs that do not run here."""
