"""The pages: made by the server, from what the last run published; the gate decides on each and writes it down."""
