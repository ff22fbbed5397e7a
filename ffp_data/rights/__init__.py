"""What people may ask of the hub about a child's data, and what the hub must do by itself: rights and duties."""
