"""Missing vols of a surface, with their uncertainty."""
