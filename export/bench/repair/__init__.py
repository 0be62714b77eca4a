"""`voladdin bench repair`: planted damage, rivals, and the ground truth of linear programs."""
