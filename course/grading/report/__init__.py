"""`course report`: what a class got right and wrong, on one page."""
