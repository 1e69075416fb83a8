"""What is measured of answers and routes, and what can be promised of it: statistics, fitting, certification."""
